/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The old file gets a second name first, and loses the first one to the copy by
 * a rename: a crash leaves the one store or the other, and nothing that a
 * daemon would take for a node without jobs.
 */
#include "daemon/restore.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"

#define DATA "data.mdb"
#define LOCK "lock.mdb"
#define STORE "state"
#define FRESH "restore"

int
restore_init(struct restore *ret, const char *statedir, const char *dir,
    struct arena *a, struct error *e)
{
	struct stat st;

	ret->arena = a;
	ret->statedir = statedir;
	ret->from = arena_printf(a, "%s/" DATA, dir);
	ret->fresh = arena_printf(a, "%s/" FRESH, statedir);
	if (arena_check(a, e) < 0)
		return -1;
	if (stat(ret->from, &st) < 0)
		return error_set_errno(e, errno, "backup %s", ret->from);
	if (!S_ISREG(st.st_mode) || st.st_size == 0)
		return error_set(e, OVE_CORRUPT, "%s is no backup", ret->from);
	return 0;
}

static int
sync_fd(int fd, const char *what, struct error *e)
{
	return fsync(fd) < 0 ? error_set_errno(e, errno, "sync %s", what) : 0;
}

int
restore_copy(struct restore *r, struct error *e)
{
	const char *dir = arena_printf(r->arena, "%s/" STORE, r->fresh);
	const char *path = arena_printf(r->arena, "%s/" DATA, dir);
	AUTO_FD int from = -1;
	AUTO_FD int to = -1;

	if (arena_check(r->arena, e) < 0)
		return -1;
	/* Of one that did not come to its end. */
	restore_drop(r);
	if (file_mkdirs(dir, 0700, e) < 0)
		return -1;
	if ((from = open(r->from, O_RDONLY | O_CLOEXEC)) < 0)
		return error_set_errno(e, errno, "backup %s", r->from);
	to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return error_set_errno(e, errno, "make %s", path);
	if (file_copy(from, to, e) < 0)
		return error_wrap(e, "copy %s to %s", r->from, path);
	return sync_fd(to, path, e);
}

/* A second name for the old file, in a directory of its own. */
static int
put_aside(
    struct restore *r, int top, int store, const char **ret, struct error *e)
{
	char text[CLOCK_TEXT_LEN];
	const char *name;
	AUTO_FD int aside = -1;

	*ret = NULL;
	if (faccessat(store, DATA, F_OK, 0) < 0 && errno == ENOENT)
		return 0;
	(void)clock_wall_text(clock_wall_ms(), text);
	name = arena_printf(r->arena, STORE "-%s", text);
	*ret = arena_printf(r->arena, "%s/%s", r->statedir, name);
	if (arena_check(r->arena, e) < 0)
		return -1;
	if (mkdirat(top, name, 0700) < 0 ||
	    (aside = openat(top, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) <
		0 ||
	    linkat(store, DATA, aside, DATA, 0) < 0)
		return error_set_errno(
		    e, errno, "keep the old store in %s", *ret);
	return sync_fd(aside, *ret, e);
}

static int
swap(struct restore *r, int top, int store, const char **ret, struct error *e)
{
	if (put_aside(r, top, store, ret, e) < 0 ||
	    /* Readers of the old one have left; it is made anew. */
	    file_remove(store, LOCK, e) < 0)
		return -1;
	if (renameat(top, FRESH "/" STORE "/" DATA, store, DATA) < 0)
		return error_set_errno(e, errno, "put %s in place", r->from);
	if (sync_fd(store, "the store's directory", e) < 0)
		return -1;
	return sync_fd(top, r->statedir, e);
}

int
restore_swap(struct restore *r, const char **ret_aside, struct error *e)
{
	const char *dir = arena_printf(r->arena, "%s/" STORE, r->statedir);
	AUTO_FD int top = -1;
	AUTO_FD int store = -1;

	if (arena_check(r->arena, e) < 0 || file_mkdirs(dir, 0700, e) < 0 ||
	    file_open_dir(r->statedir, &top, e) < 0 ||
	    file_open_dir(dir, &store, e) < 0)
		return -1;
	if (swap(r, top, store, ret_aside, e) < 0)
		return error_wrap(e, "restore into %s", dir);
	restore_drop(r);
	return 0;
}

void
restore_drop(struct restore *r)
{
	AUTO_FD int top = -1;

	if (file_open_dir(r->statedir, &top, NULL) == 0)
		(void)file_remove_tree(top, FRESH, NULL);
}
