/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Links are followed by hand, by their text, and what comes of it is opened
 * without following any: so a link that changes meanwhile is refused, too.
 */
#include "lib/data/tmpl_dirs.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

/* Links on the way to one file. */
#define LINKS_MAX 16

void
tmpl_dirs_init(struct tmpl_dirs *d)
{
	d->n = 0;
}

int
tmpl_dirs_add(struct tmpl_dirs *d, const char *path, struct error *e)
{
	struct error mine = ERROR_INIT;

	if (d->n == TMPL_DIRS_MAX)
		return error_set(e, OVE_LIMIT,
		    "more than %d directories of templates", TMPL_DIRS_MAX);
	if (file_open_dir(path, &d->fds[d->n], &mine) == 0)
		d->n++;
	else if (mine.sys != ENOENT && mine.sys != ENOTDIR)
		return error_set(e, mine.code, "%s", error_text(&mine));
	return 0;
}

void
tmpl_dirs_fini(struct tmpl_dirs *d)
{
	while (d->n > 0)
		(void)close(d->fds[--d->n]);
}

/* A path that is being resolved: done has no links, what is left may. */
struct walk {
	char done[PATH_MAX];
	size_t len;
	char left[PATH_MAX];
	unsigned links;
};

static int
outside(const char *name, struct error *e)
{
	return error_set(e, OVE_DENIED,
	    "'%s': a symbolic link leads out of the directory", name);
}

/* Puts a link's text before what is left. */
static int
follow(struct walk *w, const char *to, size_t len, const char *name,
    struct error *e)
{
	size_t left = strlen(w->left);

	if (to[0] == '/')
		return outside(name, e);
	if (++w->links > LINKS_MAX || len + 1 + left + 1 > sizeof(w->left))
		return error_set(
		    e, OVE_INVALID, "'%s': too many symbolic links", name);
	memmove(w->left + len + 1, w->left, left + 1);
	memcpy(w->left, to, len);
	w->left[len] = '/';
	return 0;
}

static int
drop_last(struct walk *w, const char *name, struct error *e)
{
	if (w->len == 0)
		return outside(name, e);
	while (w->len > 0 && w->done[--w->len] != '/')
		continue;
	w->done[w->len] = '\0';
	return 0;
}

/* Takes one component from what is left. */
static int
step(int dir, struct walk *w, const char *name, struct error *e)
{
	size_t n = strcspn(w->left, "/"), before = w->len;
	char part[NAME_MAX + 1], to[PATH_MAX];
	ssize_t len;

	if (n > NAME_MAX || w->len + n + 2 > sizeof(w->done))
		return TMPL_NO_FILE;
	memcpy(part, w->left, n);
	part[n] = '\0';
	memmove(w->left, w->left + n, strlen(w->left + n) + 1);
	memmove(w->left, w->left + strspn(w->left, "/"),
	    strlen(w->left + strspn(w->left, "/")) + 1);
	if (n == 0 || strcmp(part, ".") == 0)
		return 0;
	if (strcmp(part, "..") == 0)
		return drop_last(w, name, e);
	if (w->len > 0)
		w->done[w->len++] = '/';
	memcpy(w->done + w->len, part, n + 1);
	w->len += n;
	len = readlinkat(dir, w->done, to, sizeof(to));
	if (len < 0)
		return 0;
	w->len = before;
	w->done[before] = '\0';
	return follow(w, to, (size_t)len, name, e);
}

static int
open_in(int dir, const char *name, int *ret_fd, struct error *e)
{
	struct error mine = ERROR_INIT;
	struct walk w = { .len = 0 };
	struct stat st;
	int rc = 0;

	if (strlen(name) >= sizeof(w.left))
		return TMPL_NO_FILE;
	memcpy(w.left, name, strlen(name) + 1);
	while (rc == 0 && w.left[0] != '\0')
		rc = step(dir, &w, name, e);
	if (rc != 0)
		return rc;
	if (w.len == 0 || fstatat(dir, w.done, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(st.st_mode))
		return TMPL_NO_FILE;
	if (file_open_beneath(
		dir, w.done, O_RDONLY | O_NONBLOCK, 0, ret_fd, &mine) == 0)
		return 0;
	return error_set(e, mine.code, "%s", error_text(&mine));
}

static int
read_in(
    int fd, struct arena *a, const char **ret, size_t *ret_len, struct error *e)
{
	AUTO_FREE char *text = NULL;

	if (file_read_fd(fd, TMPL_TEXT_MAX, &text, ret_len, e) < 0)
		return -1;
	*ret = arena_strndup(a, text, *ret_len);
	return *ret != NULL ? 0 : error_nomem(e);
}

int
tmpl_dirs_open(const char *name, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e)
{
	const struct tmpl_dirs *d = ctx;

	for (size_t i = 0; i < d->n; i++) {
		AUTO_FD int fd = -1;
		int rc = open_in(d->fds[i], name, &fd, e);

		if (rc < 0)
			return -1;
		if (rc == 0)
			return read_in(fd, a, ret, ret_len, e);
	}
	return TMPL_NO_FILE;
}
