/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Linux: a mark in the jail's directory stands for the kernel's word; see
 * jail.h.
 */
#include "daemon/jail.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

bool
jail_is_running(const char *jails, const char *name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%s/up", jails, name);

	return n > 0 && (size_t)n < sizeof(path) && access(path, F_OK) == 0;
}

bool
jail_kernel_tells(void)
{
	return false;
}

int
jail_usage(const char *name, struct strbuf *out, struct error *e)
{
	(void)out;
	return error_set(
	    e, OVE_UNSUPPORTED, "no usage of '%s' in this kernel", name);
}

int
jail_cpus(const char *name, struct strbuf *out, struct error *e)
{
	(void)out;
	return error_set(
	    e, OVE_UNSUPPORTED, "no CPUs of '%s' in this kernel", name);
}
