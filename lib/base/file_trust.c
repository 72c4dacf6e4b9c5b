/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Whether a file can be trusted to be what its owner made it: see
 * file_is_trusted() in file.h. The path is walked as the kernel walks it,
 * symbolic links included, and each directory that is passed is looked at
 * before what lies in it.
 */
#include "lib/base/file.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 32

struct walk {
	/* What was looked at so far: "", "/usr", "/usr/local", ... */
	char done[PATH_MAX];
	/* What is left of the path, without the '/' before it. */
	char left[PATH_MAX];
	unsigned links;
};

/* A sticky directory lets nobody touch what is not theirs; members of group 0
 * are root's by tradition (wheel). The mode of a link says nothing. */
static int
check(const char *path, const struct stat *st, struct error *e)
{
	mode_t others = S_IWOTH | (st->st_gid != 0 ? S_IWGRP : 0);

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return error_set(e, OVE_DENIED, "'%s' belongs to user %ju",
		    path, (uintmax_t)st->st_uid);
	if (S_ISLNK(st->st_mode) || (st->st_mode & others) == 0 ||
	    (S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX) != 0))
		return 0;
	return error_set(e, OVE_DENIED, "'%s' can be written by %s", path,
	    (st->st_mode & S_IWOTH) != 0 ? "anybody" : "its group");
}

static int
too_long(const char *path, struct error *e)
{
	return error_set(e, OVE_LIMIT, "'%s' is too long", path);
}

/* The next component to the end of `done`; 1: there is none. */
static int
step(struct walk *w, struct error *e)
{
	const char *p = w->left + strspn(w->left, "/");
	size_t len = strcspn(p, "/"), at = strlen(w->done);

	if (len == 0)
		return 1;
	if (at + 1 + len >= sizeof(w->done))
		return too_long(w->done, e);
	if (len == 2 && p[0] == '.' && p[1] == '.') {
		char *slash = strrchr(w->done, '/');

		if (slash != NULL)
			*slash = '\0';
	} else if (!(len == 1 && p[0] == '.')) {
		w->done[at] = '/';
		memcpy(w->done + at + 1, p, len);
		w->done[at + 1 + len] = '\0';
	}
	memmove(w->left, p + len, strlen(p + len) + 1);
	return 0;
}

/* `done` is a link: goes on with what it names. */
static int
follow(struct walk *w, struct error *e)
{
	char to[PATH_MAX], rest[PATH_MAX];
	ssize_t n = readlink(w->done, to, sizeof(to) - 1);
	int len;

	if (n < 0)
		return error_set_errno(e, errno, "read link '%s'", w->done);
	to[n] = '\0';
	if (++w->links > LINKS_MAX)
		return error_set(e, OVE_LIMIT, "'%s': too many links", w->done);
	memcpy(rest, w->left, strlen(w->left) + 1);
	len = snprintf(w->left, sizeof(w->left), "%s/%s", to, rest);
	if (len < 0 || (size_t)len >= sizeof(w->left))
		return too_long(to, e);
	if (to[0] == '/')
		w->done[0] = '\0';
	else
		*strrchr(w->done, '/') = '\0';
	return 0;
}

int
file_is_trusted(const char *path, struct error *e)
{
	struct walk w = { .links = 0 };
	struct stat st;
	int r;

	if (path[0] != '/')
		return error_set(
		    e, OVE_INVALID, "'%s' is not an absolute path", path);
	if (strlen(path) >= sizeof(w.left))
		return too_long(path, e);
	memcpy(w.left, path, strlen(path) + 1);
	do {
		const char *at = w.done[0] != '\0' ? w.done : "/";

		if (lstat(at, &st) < 0)
			return error_set_errno(e, errno, "look at '%s'", at);
		if (check(at, &st, e) < 0)
			return -1;
		if (S_ISLNK(st.st_mode) && follow(&w, e) < 0)
			return -1;
	} while ((r = step(&w, e)) == 0);
	return r < 0 ? -1 : 0;
}
