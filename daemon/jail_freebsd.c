/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * FreeBSD: asks the kernel by jail_get(2) for the path of the jail of that name
 * and compares it with AppJail's, textually, as AppJail does; for its usage by
 * rctl_get_racct(2), for its CPUs by cpuset_getaffinity(2).
 */
#include "daemon/jail.h"

/* What <sys/jail.h> needs and does not include. */
#include <sys/param.h>

#include <sys/cpuset.h>
#include <sys/jail.h>
#include <sys/rctl.h>
#include <sys/uio.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define USAGE_FIRST ((size_t)128 << 10)
#define USAGE_MAX ((size_t)1 << 20)

static struct iovec
iov_of(const void *p, size_t len)
{
	union {
		const void *in;
		void *out;
	} u = { .in = p };

	return (struct iovec){ .iov_base = u.out, .iov_len = len };
}

bool
jail_is_running(const char *jails, const char *name)
{
	char want[MAXPATHLEN], path[MAXPATHLEN] = "";
	struct iovec iov[4];
	int n = snprintf(want, sizeof(want), "%s/%s/jail", jails, name);

	if (n <= 0 || (size_t)n >= sizeof(want))
		return false;
	iov[0] = iov_of("name", sizeof("name"));
	iov[1] = iov_of(name, strlen(name) + 1);
	iov[2] = iov_of("path", sizeof("path"));
	iov[3] = (struct iovec){ .iov_base = path, .iov_len = sizeof(path) };
	if (jail_get(iov, ARRAY_LEN(iov), 0) < 0)
		return false;
	return strcmp(path, want) == 0;
}

bool
jail_kernel_tells(void)
{
	return true;
}

int
jail_usage(const char *name, struct strbuf *out, struct error *e)
{
	char filter[MAXHOSTNAMELEN + 16];
	int n = snprintf(filter, sizeof(filter), "jail:%s:", name);

	if (n <= 0 || (size_t)n >= sizeof(filter))
		return error_set(e, OVE_INVALID, "'%s' is too long", name);
	for (size_t len = USAGE_FIRST; len <= USAGE_MAX; len *= 2) {
		char *p = strbuf_reserve(out, len);

		if (p == NULL)
			return strbuf_check(out, e);
		if (rctl_get_racct(filter, (size_t)n + 1, p, len) == 0) {
			strbuf_commit(out, strnlen(p, len));
			return 0;
		}
		if (errno != ERANGE)
			break;
	}
	if (errno == ESRCH)
		return error_set(e, OVE_NOTFOUND, "'%s' does not run", name);
	return error_set_errno(e, errno, "read the usage of '%s'", name);
}

int
jail_cpus(const char *name, struct strbuf *out, struct error *e)
{
	struct iovec iov[2];
	cpuset_t set;
	int jid;

	iov[0] = iov_of("name", sizeof("name"));
	iov[1] = iov_of(name, strlen(name) + 1);
	jid = jail_get(iov, ARRAY_LEN(iov), 0);
	if (jid < 0)
		return error_set(e, OVE_NOTFOUND, "'%s' does not run", name);
	CPU_ZERO(&set);
	if (cpuset_getaffinity(
		CPU_LEVEL_WHICH, CPU_WHICH_JAIL, jid, sizeof(set), &set) < 0)
		return error_set_errno(e, errno, "read the CPUs of '%s'", name);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &set))
			strbuf_addf(out, "%s%d", out->len > 0 ? ", " : "", cpu);
	return strbuf_check(out, e);
}
