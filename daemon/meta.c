/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Metadata: a regular file per key, replaced by rename. Lists hold what has a
 * good name and the right type; a link, even one that points to a file, is
 * nothing here, and nothing is written in its place.
 *
 * Opening a name twice could find two things; so what is judged is what was
 * opened.
 */
#include "daemon/meta.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/meta_internal.h"
#include "lib/base/array.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "proto/names.h"

#define FILE_MODE 0644

int
meta_open(const char *path, int *ret_fd, struct error *e)
{
	struct error mine = ERROR_INIT;

	if (file_open_dir(path, ret_fd, &mine) == 0)
		return 0;
	if (mine.code == OVE_NOTFOUND)
		return META_NONE;
	if (e != NULL)
		*e = mine;
	return -1;
}

int
meta_make(const char *path, mode_t mode, int *ret_fd, struct error *e)
{
	int r = meta_open(path, ret_fd, e);

	if (r <= 0)
		return r;
	if (file_mkdirs(path, 0755, e) < 0 ||
	    file_open_dir(path, ret_fd, e) < 0)
		return -1;
	if (fchmod(*ret_fd, mode) == 0)
		return 0;
	(void)error_set_errno(e, errno, "set mode of '%s'", path);
	cc_auto_close(ret_fd);
	return -1;
}

void
meta_close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

DIR *
meta_opendir(int dir, struct error *e)
{
	AUTO_FD int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d;

	if (fd < 0 || (d = fdopendir(fd)) == NULL) {
		(void)error_set_errno(e, errno, "open directory");
		return NULL;
	}
	(void)steal_fd(&fd);
	return d;
}

static int
by_text(const void *a, const void *b)
{
	const struct node *const *x = a;
	const struct node *const *y = b;

	return strcmp((*x)->u.str.s, (*y)->u.str.s);
}

/* Names that are keys, of entries of this type. */
static int
list(int dir, mode_t type, struct arena *a, struct node **ret, struct error *e)
{
	CC_CLEANUP(meta_close_dir) DIR *d = meta_opendir(dir, e);
	struct node *names = node_new(a, NODE_LIST);
	struct dirent *de;
	struct stat st;

	if (d == NULL)
		return -1;
	while (errno = 0, (de = readdir(d)) != NULL)
		if (name_is_key(de->d_name, strlen(de->d_name)) &&
		    fstatat(dir, de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    (st.st_mode & S_IFMT) == type)
			node_add(a, names, node_str(a, de->d_name));
	if (errno != 0)
		return error_set_errno(e, errno, "read directory");
	if (arena_check(a, e) < 0)
		return -1;
	if (names->u.list.n > 0)
		qsort(names->u.list.items, names->u.list.n,
		    sizeof(*names->u.list.items), by_text);
	*ret = names;
	return 0;
}

int
meta_list(int dir, struct arena *a, struct node **ret, struct error *e)
{
	return list(dir, S_IFREG, a, ret, e);
}

int
meta_namespaces(int dir, struct arena *a, struct node **ret, struct error *e)
{
	return list(dir, S_IFDIR, a, ret, e);
}

int
meta_type(int dir, const char *name, mode_t type, struct error *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return (st.st_mode & S_IFMT) == type ? 0 : META_OTHER;
	if (errno == ENOENT || errno == ENAMETOOLONG)
		return META_NONE;
	return error_set_errno(e, errno, "look at '%s'", name);
}

int
meta_exists(int dir, const char *key, struct error *e)
{
	int r = meta_type(dir, key, S_IFREG, e);

	return r > 0 ? META_NONE : r;
}

int
meta_open_file(int dir, const char *key, int *ret_fd, struct error *e)
{
	struct stat st;
	int r;

	/* A device or FIFO must not even be opened. */
	r = meta_exists(dir, key, e);
	if (r != 0)
		return r;
	if (file_open_beneath(dir, key, O_RDONLY | O_NONBLOCK, 0, ret_fd, e) <
	    0)
		return -1;
	if (fstat(*ret_fd, &st) == 0 && S_ISREG(st.st_mode))
		return 0;
	cc_auto_close(ret_fd);
	return META_NONE;
}

int
meta_get(int dir, const char *key, size_t max, char **ret_text, size_t *ret_len,
    struct error *e)
{
	AUTO_FD int fd = -1;
	int r = meta_open_file(dir, key, &fd, e);

	if (r != 0)
		return r;
	if (file_read_fd(fd, max, ret_text, ret_len, e) < 0)
		return error_wrap(e, "'%s'", key);
	return 0;
}

/* Whether the file holds this text already. */
static bool
holds(int dir, const char *key, const char *text, size_t len)
{
	AUTO_FREE char *old = NULL;
	size_t old_len;

	return meta_get(dir, key, len + 1, &old, &old_len, NULL) == 0 &&
	    old_len == len && memcmp(old, text, len) == 0;
}

int
meta_put(
    int dir, const char *key, const char *text, size_t len, struct error *e)
{
	switch (meta_type(dir, key, S_IFREG, e)) {
	case 0:
		if (holds(dir, key, text, len))
			return 0;
		break;
	case META_NONE:
		break;
	case META_OTHER:
		return error_set(
		    e, OVE_CONFLICT, "'%s' exists and is no regular file", key);
	default:
		return -1;
	}
	return file_replace(dir, key, text, len, FILE_MODE, FILE_SYNC, e);
}

int
meta_sync(int dir, struct error *e)
{
	int rc;

	do {
		rc = fsync(dir);
	} while (rc != 0 && errno == EINTR);
	return rc == 0 ? 0 : error_set_errno(e, errno, "sync directory");
}

int
meta_remove(int dir, const char *key, struct error *e)
{
	int r = meta_exists(dir, key, e);

	if (r != 0)
		return r;
	if (file_remove(dir, key, e) < 0)
		return -1;
	return meta_sync(dir, e);
}

/* ".NAME.XXXXXXXX", as file_replace() makes them. */
static bool
is_temporary(const char *name)
{
	const char *last = strrchr(name, '.');

	return name[0] == '.' && last > name + 1 && strlen(last + 1) == 8 &&
	    strspn(last + 1, "0123456789abcdef") == 8;
}

void
meta_tidy(int dir)
{
	CC_CLEANUP(meta_close_dir) DIR *d = meta_opendir(dir, NULL);
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (is_temporary(de->d_name) &&
		    meta_type(dir, de->d_name, S_IFREG, NULL) == 0)
			(void)file_remove(dir, de->d_name, NULL);
}
