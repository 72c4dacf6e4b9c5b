/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Removing files and trees. A tree is walked through descriptors opened with
 * O_NOFOLLOW, so nobody who exchanges a directory for a link while we walk can
 * lead us out of it. Depth is bounded because each level keeps a descriptor and
 * a stack frame. What others put in while we remove is removed too, a few times
 * over, then reported.
 */
#include <sys/types.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#define DEPTH_MAX 128
#define TRY_MAX 8

static void
close_dir(DIR **d)
{
	if (*d != NULL)
		(void)closedir(*d);
}

/* Whether unlink() says by this errno that it is a directory: Linux and POSIX
 * differ. */
static bool
may_be_dir(int sys)
{
	return sys == EISDIR || sys == EPERM;
}

int
file_remove(int dirfd, const char *path, struct error *e)
{
	int saved;

	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	saved = errno;
	if (may_be_dir(saved)) {
		if (unlinkat(dirfd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTDIR)
			saved = errno;
	}
	return error_set_errno(e, saved, "remove '%s'", path);
}

static int remove_entry(
    int dirfd, const char *name, int depth, struct error *e);

/* Removes what is in d, once over. */
static int
empty_dir(DIR *d, int depth, struct error *e)
{
	struct dirent *de;

	rewinddir(d);
	for (;;) {
		errno = 0;
		de = readdir(d);
		if (de == NULL)
			break;
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (remove_entry(dirfd(d), de->d_name, depth, e) < 0)
			return -1;
	}
	if (errno != 0)
		return error_set_errno(e, errno, "read directory");
	return 0;
}

static int
remove_dir(int dirfd, const char *name, int fd, int depth, struct error *e)
{
	DIR *d CC_CLEANUP(close_dir) = NULL;
	int i;

	d = fdopendir(fd);
	if (d == NULL) {
		(void)error_set_errno(e, errno, "open directory");
		(void)close(fd);
		return -1;
	}
	for (i = 0; i < TRY_MAX; i++) {
		if (empty_dir(d, depth, e) < 0)
			return -1;
		if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
			return 0;
		if (errno != ENOTEMPTY && errno != EEXIST)
			break;
	}
	return error_set_errno(e, errno, "remove directory");
}

static int
remove_entry(int dirfd, const char *name, int depth, struct error *e)
{
	int saved, fd;

	if (unlinkat(dirfd, name, 0) == 0 || errno == ENOENT)
		return 0;
	saved = errno;
	if (!may_be_dir(saved)) {
		(void)error_set_errno(e, saved, "remove");
		return error_wrap(e, "'%s'", name);
	}
	if (depth == DEPTH_MAX)
		return error_set(e, OVE_LIMIT,
		    "directories are more than %d deep", DEPTH_MAX);
	do {
		fd = openat(dirfd, name,
		    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0) {
		/* A file that may not be removed is no directory either. */
		(void)error_set_errno(
		    e, errno == ENOTDIR ? saved : errno, "remove");
		return error_wrap(e, "'%s'", name);
	}
	if (remove_dir(dirfd, name, fd, depth + 1, e) < 0)
		return error_wrap(e, "'%s'", name);
	return 0;
}

int
file_remove_tree(int dirfd, const char *name, struct error *e)
{
	const char *last = strrchr(name, '/');
	char *parent AUTO_FREE = NULL;
	struct error inner = ERROR_INIT;
	int fd AUTO_FD = -1;

	if (last == NULL) {
		if (*name == '\0' || strcmp(name, ".") == 0 ||
		    strcmp(name, "..") == 0)
			return error_set(e, OVE_INVALID,
			    "'%s' is not a path beneath a directory", name);
		return remove_entry(dirfd, name, 0, e);
	}
	parent = mem_strndup(name, (size_t)(last - name));
	if (parent == NULL)
		return error_nomem(e);
	if (file_open_beneath(
		dirfd, parent, O_RDONLY | O_DIRECTORY, 0, &fd, &inner) < 0) {
		if (inner.code == OVE_NOTFOUND)
			return 0;
		if (e != NULL)
			*e = inner;
		return -1;
	}
	return file_remove_tree(fd, last + 1, e);
}
