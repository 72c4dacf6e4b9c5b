/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See beneath.h.
 */
#include "daemon/beneath.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/num.h"
#include "lib/base/utf8.h"

bool
beneath_is_entry(const char *s, size_t len)
{
	return len > 0 && s[0] != '.' && utf8_is_valid(s, len);
}

bool
beneath_is_number(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return len > 0 && len <= 9;
}

int
beneath_cmp_number(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;
	uint64_t m = 0, n = 0;

	(void)num_u64(*x, 0, UINT32_MAX, &m, NULL);
	(void)num_u64(*y, 0, UINT32_MAX, &n, NULL);
	if (m != n)
		return m < n ? -1 : 1;
	return strcmp(*x, *y);
}

static int
cmp_text(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static bool
is_type(DIR *d, const struct dirent *de, mode_t type)
{
	struct stat st;

	if (de->d_type != DT_UNKNOWN)
		return (mode_t)DTTOIF(de->d_type) == type;
	return fstatat(dirfd(d), de->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    (st.st_mode & S_IFMT) == type;
}

int
beneath_list(int fd, mode_t type, beneath_name_fn *ok, struct arena *a,
    struct array *names, struct error *e)
{
	DIR *d = fdopendir(fd);
	struct dirent *de;
	int r = 0;

	if (d == NULL) {
		r = error_set_errno(e, errno, "list a directory");
		(void)close(fd);
		return r;
	}
	while (r == 0 && (errno = 0, de = readdir(d)) != NULL) {
		char **slot;

		if (!ok(de->d_name, strlen(de->d_name)) ||
		    (type != BENEATH_ANY && !is_type(d, de, type)))
			continue;
		if ((slot = array_add(names, e)) == NULL)
			r = -1;
		else if ((*slot = arena_strdup(a, de->d_name)) == NULL)
			r = arena_check(a, e);
	}
	(void)closedir(d);
	if (r == 0)
		array_sort(names, cmp_text);
	return r;
}

int
beneath_open(const char *path, int *ret, struct error *e)
{
	struct error mine = ERROR_INIT;

	if (file_open_dir(path, ret, &mine) == 0)
		return 0;
	if (mine.code == OVE_NOTFOUND)
		return 1;
	if (e != NULL)
		*e = mine;
	return -1;
}

int
beneath_open_in(const char *dir, const char *name, int *ret, struct error *e)
{
	AUTO_FD int top = -1;
	struct error mine = ERROR_INIT;
	int r;

	if ((r = beneath_open(dir, &top, e)) != 0)
		return r;
	if (file_open_beneath(
		top, name, O_RDONLY | O_DIRECTORY, 0, ret, &mine) == 0)
		return 0;
	/* A link, or what is no directory, is nothing either. */
	if (mine.code == OVE_NOTFOUND || mine.sys == ENOTDIR ||
	    (mine.code == OVE_DENIED && mine.sys == 0))
		return 1;
	if (e != NULL)
		*e = mine;
	return -1;
}

int
beneath_open_file(int fd, const char *name, int *ret, struct error *e)
{
	struct error mine = ERROR_INIT;
	struct stat st;
	bool other;

	/* A pipe must not make us wait for its writer. */
	if (file_open_beneath(fd, name, O_RDONLY | O_NONBLOCK, 0, ret, &mine) ==
	    0) {
		if (fstat(*ret, &st) == 0 && S_ISREG(st.st_mode))
			return 0;
		cc_auto_close(ret);
		*ret = -1;
		return error_set(
		    e, OVE_NOTFOUND, "'%s' is no regular file", name);
	}
	/* A link within the path is refused without an errno. */
	other = mine.sys == ENOTDIR || mine.sys == ENXIO ||
	    mine.sys == EOPNOTSUPP ||
	    (mine.code == OVE_DENIED && mine.sys == 0);
	return error_set(e, other ? OVE_NOTFOUND : mine.code, "%s", mine.text);
}
