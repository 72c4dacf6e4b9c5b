/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looks a program up as execvp(3) would, but only in absolute directories of
 * PATH: the daemon's working directory means nothing.
 */
#include "daemon/program.h"

#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    access(path, X_OK) == 0;
}

static int
found(const char *path, char **ret, struct error *e)
{
	*ret = mem_strdup(path);
	return *ret == NULL ? error_nomem(e) : 0;
}

int
program_find(const char *name, char **ret, struct error *e)
{
	const char *p = getenv("PATH");
	char path[PATH_MAX];

	if (name[0] == '/')
		return is_program(name) ? found(name, ret, e)
					: error_set(e, OVE_UNAVAILABLE,
					      "'%s' cannot be executed", name);
	while (p != NULL && *p != '\0') {
		size_t len = strcspn(p, ":");
		int n =
		    snprintf(path, sizeof(path), "%.*s/%s", (int)len, p, name);

		if (*p == '/' && n > 0 && (size_t)n < sizeof(path) &&
		    is_program(path))
			return found(path, ret, e);
		p += len + (p[len] == ':');
	}
	return error_set(e, OVE_UNAVAILABLE, "'%s' is not found in PATH", name);
}
