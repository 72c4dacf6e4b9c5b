/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where the running program lies, on Linux: the link /proc/self/exe. A program
 * that was replaced while it runs is shown with " (deleted)" after its name,
 * which does not matter for its directory.
 */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

int
file_self_dir(char **ret, struct error *e)
{
	char path[PATH_MAX];
	const char *slash;
	ssize_t n;
	char *dir;

	n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (n < 0)
		return error_set_errno(e, errno, "find own path");
	path[n] = '\0';
	slash = strrchr(path, '/');
	if (slash == NULL)
		return error_set(e, OVE_NOTFOUND, "find own path: '%s'", path);
	dir = mem_strndup(path, slash > path ? (size_t)(slash - path) : 1);
	if (dir == NULL)
		return error_nomem(e);
	*ret = dir;
	return 0;
}
