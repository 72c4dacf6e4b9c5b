/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Logs of Director and of AppJail: two trees of directories with files at the
 * bottom, which differ in depth, in names, and in what stands for a file that
 * is no directory (rest-api.md 3.3). Nothing is read through a link.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "daemon/inventory_internal.h"
#include "daemon/logtext.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "lib/data/node.h"
#include "proto/names.h"

#define LEVELS_MAX 4

struct log_level_row {
	beneath_name_fn *ok;
	/* Of what is below, also for what is no directory if that is shown. */
	enum node_type below;
};

struct log_tree {
	/* Directories, then the files. */
	unsigned depth;
	bool show_files;
	/* At the bottom: only regular files. */
	mode_t type;
	struct log_level_row levels[LEVELS_MAX];
};

static bool
is_shown(const char *s, size_t len)
{
	return name_is_segment(s, len) && utf8_is_valid(s, len);
}

static const struct log_tree director_tree = {
	.depth = 2,
	.type = S_IFREG,
	.levels = {
		{ name_is_date, NODE_MAP },
		{ name_is_service, NODE_LIST },
		{ name_is_dlog, NODE_NULL },
	},
};

static const struct log_tree appjail_tree = {
	.depth = 3,
	.show_files = true,
	.type = BENEATH_ANY,
	.levels = {
		{ is_shown, NODE_MAP },
		{ is_shown, NODE_MAP },
		{ is_shown, NODE_LIST },
		{ is_shown, NODE_NULL },
	},
};

static int
add_names(const struct log_tree *t, int fd, struct arena *a, struct node *list,
    struct error *e)
{
	AUTO_ARRAY struct array names;

	array_init(&names, sizeof(char *), BENEATH_NAMES_MAX);
	if (beneath_list(fd, t->type, t->levels[t->depth].ok, a, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++)
		node_add(a, list, node_str(a, *(char **)array_at(&names, i)));
	return arena_check(a, e);
}

static int add_tree(const struct log_tree *t, unsigned level, int fd,
    struct arena *a, struct node *map, struct error *e);

/* One entry of a level above the bottom. 0 also when it went away meanwhile. */
static int
add_entry(const struct log_tree *t, unsigned level, int dir, const char *name,
    struct arena *a, struct node *map, struct error *e)
{
	struct node *below = node_new(a, t->levels[level].below);
	struct error mine = ERROR_INIT;
	struct stat st;
	int fd, r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (!S_ISDIR(st.st_mode)) {
		if (t->show_files)
			node_set(a, map, name, below);
		return arena_check(a, e);
	}
	r = file_open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0, &fd, &mine);
	if (r == 0) {
		node_set(a, map, name, below);
		r = level + 1 == t->depth
		    ? add_names(t, fd, a, below, &mine)
		    : add_tree(t, level + 1, fd, a, below, &mine);
	}
	if (r < 0 && mine.code != OVE_NOTFOUND) {
		if (e != NULL)
			*e = mine;
		return -1;
	}
	return 0;
}

/* All below fd. takes fd. */
static int
add_tree(const struct log_tree *t, unsigned level, int fd, struct arena *a,
    struct node *map, struct error *e)
{
	AUTO_FD int dir = fd;
	AUTO_ARRAY struct array names;
	int r, again;

	array_init(&names, sizeof(char *), BENEATH_NAMES_MAX);
	again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (again < 0)
		return error_set_errno(e, errno, "open a directory again");
	r = beneath_list(again, BENEATH_ANY, t->levels[level].ok, a, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = add_entry(
		    t, level, dir, *(char **)array_at(&names, i), a, map, e);
	return r;
}

static int
tree_of(const struct log_tree *t, const char *top, struct arena *a,
    struct node **ret, struct error *e)
{
	int fd, r;

	*ret = node_new(a, NODE_MAP);
	if ((r = beneath_open(top, &fd, e)) != 0)
		return r < 0 ? -1 : arena_check(a, e);
	if (add_tree(t, 0, fd, a, *ret, e) < 0)
		return error_wrap(e, "%s", top);
	return arena_check(a, e);
}

/* Names joined to a path beneath top, opened. */
static int
open_log(const char *top, const char *const *names, size_t n, int *ret,
    struct error *e)
{
	AUTO_STRBUF struct strbuf path;
	AUTO_FD int dir = -1;

	strbuf_init(&path, LEVELS_MAX * (NAME_LEN_MAX + (size_t)1));
	for (size_t i = 0; i < n; i++) {
		if (!name_is_segment(names[i], strlen(names[i])))
			return error_set(e, OVE_NOTFOUND,
			    "'%s' is the name of no log", names[i]);
		strbuf_adds(&path, i > 0 ? "/" : "");
		strbuf_adds(&path, names[i]);
	}
	if (strbuf_check(&path, e) < 0 || file_open_dir(top, &dir, e) < 0)
		return -1;
	return beneath_open_file(dir, path.buf, ret, e);
}

static int
text_of(const char *top, const char *const *names, size_t n, struct arena *a,
    struct node **ret, struct error *e)
{
	AUTO_FREE char *text = NULL;
	AUTO_STRBUF struct strbuf clean;
	AUTO_FD int fd = -1;
	size_t len;

	strbuf_init(&clean, 3 * INVENTORY_LOG_MAX);
	if (open_log(top, names, n, &fd, e) < 0 ||
	    file_read_fd(fd, INVENTORY_LOG_MAX, &text, &len, e) < 0)
		return -1;
	logtext_clean(&clean, text, len);
	if (strbuf_check(&clean, e) < 0)
		return -1;
	*ret = node_strn(a, clean.buf, clean.len);
	return arena_check(a, e);
}

int
inventory_director_logs(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e)
{
	return tree_of(&director_tree, inv->logs, a, ret, e);
}

int
inventory_director_log(struct inventory *inv, const char *const names[3],
    struct arena *a, struct node **ret, struct error *e)
{
	return text_of(inv->logs, names, 3, a, ret, e);
}

int
inventory_jail_logs(
    struct inventory *inv, struct arena *a, struct node **ret, struct error *e)
{
	return tree_of(&appjail_tree, inv->jail_logs, a, ret, e);
}

int
inventory_jail_log(struct inventory *inv, const char *const names[4],
    struct arena *a, struct node **ret, struct error *e)
{
	return text_of(inv->jail_logs, names, 4, a, ret, e);
}

int
inventory_director_log_open(struct inventory *inv, const char *const names[3],
    int *ret, struct error *e)
{
	return open_log(inv->logs, names, 3, ret, e);
}

int
inventory_jail_log_open(struct inventory *inv, const char *const names[4],
    int *ret, struct error *e)
{
	return open_log(inv->jail_logs, names, 4, ret, e);
}
