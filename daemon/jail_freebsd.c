/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * FreeBSD: asks the kernel by jail_get(2) for the path of the jail of that name
 * and compares it with AppJail's, textually, as AppJail does.
 */
#include "daemon/jail.h"

/* What <sys/jail.h> needs and does not include. */
#include <sys/param.h>

#include <sys/jail.h>
#include <sys/uio.h>

#include <stdio.h>
#include <string.h>

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
