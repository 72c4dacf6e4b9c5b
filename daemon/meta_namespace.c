/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Namespaces. A new tree is built beside the old one, under a name that is no
 * key, synced, and put in its place by two renames. Before the first one a
 * journal names the namespace; whoever finds it finishes:
 *
 *	old tree in place, new one aside	both renames are due
 *	nothing in place, new one aside		the second one is due
 *	nothing in place, nothing new		the old one goes back
 *	new tree in place, old one aside	the old one goes away
 *
 * Without a journal whatever lies aside is of a request that failed. There is
 * one set of these names: requests come one at a time.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/meta_internal.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "proto/names.h"

#define TREE_OLD ".old"
#define JOURNAL ".journal"
#define TRASH ".trash."

int
meta_namespace_exists(int dir, const char *name, struct error *e)
{
	int r = meta_type(dir, name, S_IFDIR, e);

	return r > 0 ? META_NONE : r;
}

int
meta_open_subdir(int dir, const char *name, int *ret_fd, struct error *e)
{
	return file_open_beneath(
	    dir, name, O_RDONLY | O_DIRECTORY, 0, ret_fd, e);
}

/* Listing */

struct listing {
	struct arena *arena;
	struct node *list;
};

static int list_dir(struct listing *l, int dir, const char *path,
    unsigned depth, struct error *e);

static int
list_entry(struct listing *l, int dir, const char *path, const char *name,
    unsigned depth, struct error *e)
{
	struct arena *a = l->arena;
	const char *full = arena_printf(a, "%s/%s", path, name);
	struct node *n = node_new(a, NODE_MAP);
	AUTO_FD int fd = -1;
	struct stat st;
	bool is_link;

	if (arena_check(a, e) < 0)
		return -1;
	/* What goes away meanwhile, and links to nothing. */
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	is_link = S_ISLNK(st.st_mode);
	if (is_link && fstatat(dir, name, &st, 0) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return 0;
	node_set(a, n, S_ISDIR(st.st_mode) ? "directory" : "file",
	    node_str(a, full));
	node_set(a, n, "owner", node_int(a, (int64_t)st.st_uid));
	node_set(a, n, "group", node_int(a, (int64_t)st.st_gid));
	node_set(a, n, "mode", node_int(a, (int64_t)st.st_mode));
	node_add(a, l->list, n);
	if (is_link || !S_ISDIR(st.st_mode))
		return arena_check(a, e);
	if (depth == META_DEPTH_MAX)
		return error_set(e, OVE_LIMIT, "more than %d directories deep",
		    META_DEPTH_MAX);
	if (meta_open_subdir(dir, name, &fd, e) < 0)
		return -1;
	return list_dir(l, fd, full, depth + 1, e);
}

static int
list_dir(struct listing *l, int dir, const char *path, unsigned depth,
    struct error *e)
{
	CC_CLEANUP(meta_close_dir) DIR *d = meta_opendir(dir, e);
	struct dirent *de;

	if (d == NULL)
		return -1;
	while (errno = 0, (de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0 &&
		    list_entry(l, dir, path, de->d_name, depth, e) < 0)
			return -1;
	return errno == 0 ? 0 : error_set_errno(e, errno, "read directory");
}

/* Both have their path first. */
static int
by_path(const void *a, const void *b)
{
	const struct node *const *x = a;
	const struct node *const *y = b;

	return strcmp((*x)->u.map.pairs[0].value->u.str.s,
	    (*y)->u.map.pairs[0].value->u.str.s);
}

int
meta_namespace_list(int dir, const char *top, const char *name, struct arena *a,
    struct node **ret, struct error *e)
{
	struct listing l = { a, node_new(a, NODE_LIST) };
	const char *path = arena_printf(a, "%s/%s", top, name);
	AUTO_FD int fd = -1;
	int r = meta_namespace_exists(dir, name, e);

	if (r != 0)
		return r;
	if (meta_open_subdir(dir, name, &fd, e) < 0 || arena_check(a, e) < 0 ||
	    list_dir(&l, fd, path, 1, e) < 0)
		return -1;
	if (l.list->u.list.n > 0)
		qsort(l.list->u.list.items, l.list->u.list.n,
		    sizeof(*l.list->u.list.items), by_path);
	*ret = l.list;
	return 0;
}

/* Swapping */

static int
move(int dir, const char *from, const char *to, struct error *e)
{
	if (renameat(dir, from, dir, to) == 0)
		return 0;
	return error_set_errno(e, errno, "rename '%s' to '%s'", from, to);
}

/* Removes a tree that is not needed; one that cannot be removed must not be in
 * the way of all others for ever. */
static int
clear_one(int dir, const char *name, struct error *e)
{
	char trash[32] = TRASH;

	if (file_remove_tree(dir, name, e) == 0)
		return 0;
	rand_hex(trash + strlen(TRASH), 8);
	return renameat(dir, name, dir, trash) == 0 ? 0 : -1;
}

static int
clear_aside(int dir, struct error *e)
{
	if (clear_one(dir, META_TREE_NEW, e) < 0 ||
	    clear_one(dir, TREE_OLD, e) < 0)
		return -1;
	return 0;
}

/* Goes on from whatever state the journal was found in. */
static int
finish_swap(int dir, const char *name, struct error *e)
{
	int there = meta_type(dir, name, S_IFDIR, e);
	int fresh = meta_type(dir, META_TREE_NEW, S_IFDIR, e);
	int old = meta_type(dir, TREE_OLD, S_IFDIR, e);

	if (there < 0 || fresh < 0 || old < 0)
		return -1;
	if (there == 0 && fresh == 0) {
		if (clear_one(dir, TREE_OLD, e) < 0 ||
		    move(dir, name, TREE_OLD, e) < 0)
			return -1;
		there = META_NONE;
	}
	if (there == META_NONE && fresh == 0) {
		if (move(dir, META_TREE_NEW, name, e) < 0)
			return -1;
	} else if (there == META_NONE && old == 0) {
		if (move(dir, TREE_OLD, name, e) < 0)
			return -1;
	}
	return meta_sync(dir, e);
}

static int
end_swap(int dir, const char *name, struct error *e)
{
	if (finish_swap(dir, name, e) < 0 || file_remove(dir, JOURNAL, e) < 0)
		return -1;
	return meta_sync(dir, e);
}

int
meta_recover(int dir, struct error *e)
{
	AUTO_FREE char *name = NULL;
	size_t len;
	int r = meta_get(dir, JOURNAL, NAME_LEN_MAX, &name, &len, e);

	if (r < 0)
		return -1;
	if (r == META_NONE)
		return clear_aside(dir, e);
	if (!name_is_key(name, len))
		return error_set(
		    e, OVE_CORRUPT, "'%s' names no namespace", JOURNAL);
	if (end_swap(dir, name, e) < 0)
		return error_wrap(e, "namespace '%s'", name);
	return clear_aside(dir, e);
}

/* A swap that failed before the new tree was in place: the old one goes back,
 * and nothing is to be completed. */
static void
undo_swap(int dir, const char *name)
{
	if (meta_type(dir, META_TREE_NEW, S_IFDIR, NULL) != 0)
		return;
	if (meta_type(dir, name, S_IFDIR, NULL) == META_NONE &&
	    move(dir, TREE_OLD, name, NULL) < 0)
		return;
	if (file_remove(dir, JOURNAL, NULL) == 0)
		(void)meta_sync(dir, NULL);
}

static int
swap(const struct meta_build *in, struct error *e)
{
	switch (meta_type(in->dir, in->name, S_IFDIR, e)) {
	case 0:
		if (file_replace(in->dir, JOURNAL, in->name, strlen(in->name),
			0600, FILE_SYNC, e) == 0 &&
		    end_swap(in->dir, in->name, e) == 0)
			return 0;
		undo_swap(in->dir, in->name);
		return -1;
	case META_NONE:
		if (move(in->dir, META_TREE_NEW, in->name, e) < 0)
			return -1;
		return meta_sync(in->dir, e);
	case META_OTHER:
		return error_set(e, OVE_CONFLICT,
		    "'%s' exists and is no directory", in->name);
	default:
		return -1;
	}
}

int
meta_namespace_put(
    const struct meta_build *in, struct arena *a, struct error *e)
{
	struct meta_plan *plan;
	int r;

	if (meta_plan(in, a, &plan, e) < 0 || meta_recover(in->dir, e) < 0)
		return -1;
	r = meta_build_tree(in, plan, e);
	if (r == 0)
		r = swap(in, e);
	/* After a failed swap the journal may still be there, and what lies
	 * aside be the old tree: the next request, or the next start, goes on.
	 */
	if (r == 0 || meta_type(in->dir, JOURNAL, S_IFREG, NULL) == META_NONE)
		(void)clear_aside(in->dir, NULL);
	return r;
}

int
meta_namespace_remove(int dir, const char *name, struct error *e)
{
	int r;

	if (meta_recover(dir, e) < 0)
		return -1;
	r = meta_namespace_exists(dir, name, e);
	if (r != 0)
		return r;
	/* Gone as a whole from here on, or not at all. */
	if (move(dir, name, TREE_OLD, e) < 0 || meta_sync(dir, e) < 0)
		return -1;
	if (file_remove_tree(dir, TREE_OLD, e) == 0)
		return 0;
	/* What is left of it is not hidden. */
	(void)move(dir, TREE_OLD, name, NULL);
	return -1;
}

void
meta_clear_trash(int dir)
{
	CC_CLEANUP(meta_close_dir) DIR *d = meta_opendir(dir, NULL);
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (strncmp(de->d_name, TRASH, strlen(TRASH)) == 0)
			(void)file_remove_tree(dir, de->d_name, NULL);
}
