/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Opening, reading and writing files: see file.h. Beneath a directory every
 * component is opened by itself with O_NOFOLLOW, which every system has, so a
 * name from outside cannot leave the directory whatever links lie in it. All
 * calls go on after EINTR; none is used on the loop with files bigger than a
 * configuration.
 */
#include "lib/base/file.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"

#define READ_CHUNK ((size_t)16384)
#define COPY_PIECE ((size_t)1 << 20)

/* openat() that goes on after EINTR and is close-on-exec. */
static int
open_retry(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd;

	do {
		fd = openat(dirfd, name, flags | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

static bool
is_dir(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

int
file_mkdirs(const char *path, mode_t mode, struct error *e)
{
	char *copy AUTO_FREE = mem_strdup(path);
	char *p = copy;
	char end;
	int saved;

	if (copy == NULL)
		return error_nomem(e);
	if (*p == '\0')
		return error_set(e, OVE_INVALID, "empty directory name");
	do {
		p += strspn(p, "/");
		p += strcspn(p, "/");
		end = *p;
		*p = '\0';
		/* Some systems say EROFS or EACCES for one that exists. */
		if (mkdir(copy, mode) != 0) {
			saved = errno;
			if (!is_dir(copy))
				return error_set_errno(
				    e, saved, "make directory '%s'", copy);
		}
		*p = end;
	} while (end != '\0');
	return 0;
}

int
file_open_dir(const char *path, int *ret_fd, struct error *e)
{
	int fd = open_retry(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return error_set_errno(e, errno, "open directory '%s'", path);
	*ret_fd = fd;
	return 0;
}

/* Whether this is one plain component of a path. */
static bool
is_component(const char *s, size_t len)
{
	return len > 0 && len <= NAME_MAX && !(len == 1 && s[0] == '.') &&
	    !(len == 2 && s[0] == '.' && s[1] == '.');
}

/* Why the open of one component failed: a link has other errnos elsewhere. */
static int
open_failed(
    int dirfd, const char *part, const char *name, int sys, struct error *e)
{
	struct stat st;

	if (sys != ENOENT &&
	    fstatat(dirfd, part, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISLNK(st.st_mode)) {
		return error_set(e, OVE_DENIED,
		    "open '%s': '%s' is a symbolic link", name, part);
	}
	return error_set_errno(e, sys, "open '%s'", name);
}

int
file_open_beneath(int dirfd, const char *name, int flags, mode_t mode,
    int *ret_fd, struct error *e)
{
	char part[NAME_MAX + 1];
	const char *p = name;
	int at AUTO_FD = -1;
	size_t len;
	bool last;
	int fd;

	do {
		len = strcspn(p, "/");
		last = p[len] == '\0';
		if (!is_component(p, len))
			return error_set(e, OVE_INVALID,
			    "'%s' is not a path beneath a directory", name);
		memcpy(part, p, len);
		part[len] = '\0';
		fd = open_retry(at < 0 ? dirfd : at, part,
		    last ? flags | O_NOFOLLOW
			 : O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
		    mode);
		if (fd < 0)
			return open_failed(
			    at < 0 ? dirfd : at, part, name, errno, e);
		cc_auto_close(&at);
		at = fd;
		p += len + 1;
	} while (!last);
	*ret_fd = steal_fd(&at);
	return 0;
}

/* Reads up to len bytes: the number, 0 at the end, -1. */
static ssize_t
read_retry(int fd, void *p, size_t len)
{
	ssize_t n;

	do {
		n = read(fd, p, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

/* Adds all that can be read from fd; one byte past max tells too much. */
static int
read_into(struct strbuf *b, int fd, size_t hint, struct error *e)
{
	char *p, probe;
	size_t room;
	ssize_t n;

	do {
		room = hint > b->len ? hint - b->len : READ_CHUNK;
		if (room > b->max - b->len)
			room = b->max - b->len;
		p = room > 0 ? strbuf_reserve(b, room) : &probe;
		if (p == NULL)
			return strbuf_check(b, e);
		n = read_retry(fd, p, room > 0 ? room : 1);
		if (n < 0)
			return error_set_errno(e, errno, "read");
		if (n > 0 && room == 0)
			return error_set(
			    e, OVE_LIMIT, "more than %zu bytes", b->max);
		strbuf_commit(b, (size_t)n);
	} while (n > 0);
	return 0;
}

int
file_read_fd(
    int fd, size_t max, char **ret_text, size_t *ret_len, struct error *e)
{
	struct strbuf b AUTO_STRBUF;
	struct stat st;
	size_t hint = 0;

	strbuf_init(&b, max);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uintmax_t)st.st_size < max)
		hint = (size_t)st.st_size + 1;
	if (read_into(&b, fd, hint, e) < 0)
		return -1;
	return strbuf_take(&b, ret_text, ret_len, e);
}

int
file_read(int dirfd, const char *path, size_t max, char **ret_text,
    size_t *ret_len, struct error *e)
{
	/* Without O_NONBLOCK, opening a FIFO would wait for its writer. */
	int fd AUTO_FD = open_retry(dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0)
		return error_set_errno(e, errno, "open '%s'", path);
	if (fstat(fd, &st) != 0)
		return error_set_errno(e, errno, "look at '%s'", path);
	if (!S_ISREG(st.st_mode))
		return error_set(
		    e, OVE_INVALID, "'%s' is not a regular file", path);
	if (file_read_fd(fd, max, ret_text, ret_len, e) < 0)
		return error_wrap(e, "'%s'", path);
	return 0;
}

int
file_write_all(int fd, const void *p, size_t len, struct error *e)
{
	const char *at = p;
	ssize_t n;

	while (len > 0) {
		n = write(fd, at, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_set_errno(e, errno, "write");
		if (n == 0)
			return error_set(e, OVE_IO, "write: nothing taken");
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
file_copy(int from, int to, struct error *e)
{
	AUTO_FREE char *piece = mem_alloc(COPY_PIECE);
	ssize_t n;

	if (piece == NULL)
		return error_nomem(e);
	while ((n = read(from, piece, COPY_PIECE)) != 0) {
		if (n < 0 && errno != EINTR)
			return error_set_errno(e, errno, "read");
		if (n > 0 && file_write_all(to, piece, (size_t)n, e) < 0)
			return -1;
	}
	return 0;
}
