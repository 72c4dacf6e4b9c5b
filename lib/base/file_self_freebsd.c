/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where the running program lies, on FreeBSD: the kernel's own answer through
 * sysctl(3), because /proc is not mounted there.
 */
#include <sys/param.h>
#include <sys/sysctl.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

int
file_self_dir(char **ret, struct error *e)
{
	int mib[] = { CTL_KERN, KERN_PROC, KERN_PROC_PATHNAME, -1 };
	char path[PATH_MAX];
	size_t len = sizeof(path) - 1;
	const char *slash;
	char *dir;

	if (sysctl(mib, (unsigned)ARRAY_LEN(mib), path, &len, NULL, 0) != 0)
		return error_set_errno(e, errno, "find own path");
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return error_set(e, OVE_NOTFOUND, "find own path: '%s'", path);
	dir = mem_strndup(path, slash > path ? (size_t)(slash - path) : 1);
	if (dir == NULL)
		return error_nomem(e);
	*ret = dir;
	return 0;
}
