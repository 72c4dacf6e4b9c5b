/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Only directories whose names are Director's dates count, and only those in
 * which nothing has changed for a day: a command may be at work in the others,
 * ours or somebody's, silent for as long as it takes.
 */
#include "daemon/logtidy.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/beneath.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "proto/names.h"

/* What may be in use is left alone. */
#define QUIET_MS ((int64_t)24 * 3600 * 1000)
/* A directory for each service, with files. */
#define DEPTH_MAX 3
#define ARENA_MAX ((size_t)32 << 20)

static int
compare(const void *a, const void *b)
{
	const struct logtidy_dir *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return strcmp(x->name, y->name);
}

size_t
logtidy_choose(
    struct logtidy_dir *dirs, size_t n, const struct keep *k, int64_t now)
{
	uint64_t bytes = 0;
	size_t gone = 0;

	for (size_t i = 0; i < n; i++)
		bytes += dirs[i].bytes;
	qsort(dirs, n, sizeof(*dirs), compare);
	while (gone < n && dirs[gone].at <= now - QUIET_MS &&
	    (n - gone > k->n || (k->bytes > 0 && bytes > k->bytes) ||
		keep_is_over(k, dirs[gone].at, now)))
		bytes -= dirs[gone++].bytes;
	return gone;
}

/* Looking */

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

static void
note(struct logtidy_dir *dir, const struct stat *st)
{
	int64_t at = (int64_t)st->st_mtim.tv_sec * 1000;

	dir->bytes += (uint64_t)st->st_blocks * 512;
	if (at > dir->at)
		dir->at = at;
}

/* Adds up what is in a directory; what goes away meanwhile counts for nothing.
 */
static void
measure(int parent, const char *name, unsigned depth, struct logtidy_dir *dir)
{
	DIR *d CC_CLEANUP(close_dir) = NULL;
	struct dirent *de;
	struct stat st;
	int fd;

	fd = openat(
	    parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if ((d = fdopendir(fd)) == NULL) {
		(void)close(fd);
		return;
	}
	if (fstat(fd, &st) == 0)
		note(dir, &st);
	while ((de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 ||
		    fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!S_ISDIR(st.st_mode))
			note(dir, &st);
		else if (depth < DEPTH_MAX)
			measure(fd, de->d_name, depth + 1, dir);
	}
}

static int
look(int top, struct arena *a, struct array *dirs, struct error *e)
{
	AUTO_ARRAY struct array names;
	struct logtidy_dir *dir;
	int again;

	array_init(&names, sizeof(char *), BENEATH_NAMES_MAX);
	again = openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again < 0)
		return error_set_errno(e, errno, "open a directory again");
	if (beneath_list(again, S_IFDIR, name_is_date, a, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if ((dir = array_add(dirs, e)) == NULL)
			return -1;
		dir->name = *(char **)array_at(&names, i);
		dir->at = 0;
		dir->bytes = 0;
		measure(top, dir->name, 1, dir);
	}
	return 0;
}

int
logtidy_run(const char *top, const struct keep *k, int64_t now,
    size_t *ret_removed, struct error *e)
{
	AUTO_ARENA struct arena a;
	AUTO_ARRAY struct array dirs;
	AUTO_FD int fd = -1;
	const struct logtidy_dir *dir;
	size_t gone;
	int r;

	*ret_removed = 0;
	arena_init(&a, ARENA_MAX);
	array_init(&dirs, sizeof(struct logtidy_dir), BENEATH_NAMES_MAX);
	if ((r = beneath_open(top, &fd, e)) != 0)
		return r < 0 ? -1 : 0;
	if (look(fd, &a, &dirs, e) < 0)
		return error_wrap(e, "%s", top);
	if (dirs.n == 0)
		return 0;
	gone = logtidy_choose(array_at(&dirs, 0), dirs.n, k, now);
	for (size_t i = 0; i < gone; i++) {
		dir = array_at(&dirs, i);
		if (file_remove_tree(fd, dir->name, e) == 0)
			++*ret_removed;
		else
			r = -1;
	}
	return r < 0 ? error_wrap(e, "%s", top) : 0;
}
