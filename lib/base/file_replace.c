/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Replacing a file atomically: write a temporary beside it, sync, rename, sync
 * the directory. The order is what makes it hold over a crash: a reader finds
 * the old text, the new one, or no file, never a part. What fails before the
 * rename leaves nothing behind; when only the last sync of the directory fails,
 * the new text is in place but may not outlive a crash, and that is reported.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"

/* Of a temporary's name, after the second dot. */
#define SUFFIX_LEN 8
#define TRY_MAX 16

/* One replacement under way: where, and under which names. */
struct replace {
	/* The directory: opened here, or the caller's. */
	int own_fd;
	int dirfd;
	const char *name;
	char temp[NAME_MAX + 1];
	/* The temporary exists and must go. */
	bool temp_made;
};

static void
replace_fini(struct replace *r)
{
	int saved = errno;

	if (r->temp_made)
		(void)unlinkat(r->dirfd, r->temp, 0);
	cc_auto_close(&r->own_fd);
	errno = saved;
}

/* Splits the path; opens its directory when there is something to open. */
static int
replace_init(struct replace *r, int dirfd, const char *path, struct error *e)
{
	const char *slash = strrchr(path, '/');
	char *dir AUTO_FREE = NULL;

	*r = (struct replace){ .own_fd = -1, .dirfd = dirfd, .name = path };
	if (slash != NULL)
		r->name = slash + 1;
	if (*r->name == '\0' || strcmp(r->name, ".") == 0 ||
	    strcmp(r->name, "..") == 0)
		return error_set(e, OVE_INVALID, "'%s' names no file", path);
	/* Also ".", because AT_FDCWD cannot be synced. */
	if (slash == NULL && dirfd != AT_FDCWD)
		return 0;
	if (slash == NULL)
		dir = mem_strdup(".");
	else
		dir = mem_strndup(
		    path, slash > path ? (size_t)(slash - path) : 1);
	if (dir == NULL)
		return error_nomem(e);
	do {
		r->own_fd =
		    openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	} while (r->own_fd < 0 && errno == EINTR);
	if (r->own_fd < 0)
		return error_set_errno(e, errno, "open directory '%s'", dir);
	r->dirfd = r->own_fd;
	return 0;
}

static int
open_temp(struct replace *r, int *ret_fd, struct error *e)
{
	char suffix[SUFFIX_LEN + 1];
	int fd, n, i;

	for (i = 0; i < TRY_MAX; i++) {
		rand_hex(suffix, SUFFIX_LEN);
		n = snprintf(r->temp, sizeof(r->temp), ".%.*s.%s",
		    NAME_MAX - 2 - SUFFIX_LEN, r->name, suffix);
		if (n < 0 || (size_t)n >= sizeof(r->temp))
			return error_set_errno(
			    e, ENAMETOOLONG, "make temporary file");
		fd = openat(r->dirfd, r->temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0) {
			r->temp_made = true;
			*ret_fd = fd;
			return 0;
		}
		if (errno != EEXIST && errno != EINTR)
			break;
	}
	return error_set_errno(e, errno, "make temporary file");
}

static int
sync_retry(int fd)
{
	int rc;

	do {
		rc = fsync(fd);
	} while (rc != 0 && errno == EINTR);
	return rc;
}

static int
write_temp(struct replace *r, const void *p, size_t len, mode_t mode, int flags,
    struct error *e)
{
	int fd AUTO_FD = -1;

	if (open_temp(r, &fd, e) < 0 || file_write_all(fd, p, len, e) < 0)
		return -1;
	/* Not through open(): the mode is the caller's, whatever the umask. */
	if (fchmod(fd, mode) != 0)
		return error_set_errno(e, errno, "set mode");
	if ((flags & FILE_SYNC) != 0 && sync_retry(fd) != 0)
		return error_set_errno(e, errno, "sync");
	/* Some file systems report a failed write only here. */
	if (close(steal_fd(&fd)) != 0 && errno != EINTR)
		return error_set_errno(e, errno, "close");
	return 0;
}

/* Gives the temporary its name. */
static int
put_in_place(struct replace *r, int flags, struct error *e)
{
	if ((flags & FILE_EXCL) != 0) {
		/* Unlike rename(), link() never replaces. */
		if (linkat(r->dirfd, r->temp, r->dirfd, r->name, 0) != 0)
			return error_set_errno(e, errno, "link");
		return 0;
	}
	if (renameat(r->dirfd, r->temp, r->dirfd, r->name) != 0)
		return error_set_errno(e, errno, "rename");
	r->temp_made = false;
	return 0;
}

int
file_replace(int dirfd, const char *path, const void *p, size_t len,
    mode_t mode, int flags, struct error *e)
{
	struct replace r CC_CLEANUP(replace_fini) = { .own_fd = -1 };

	if (replace_init(&r, dirfd, path, e) < 0 ||
	    write_temp(&r, p, len, mode, flags, e) < 0 ||
	    put_in_place(&r, flags, e) < 0)
		return error_wrap(e, "write '%s'", path);
	if (r.temp_made) {
		(void)unlinkat(r.dirfd, r.temp, 0);
		r.temp_made = false;
	}
	if ((flags & FILE_SYNC) != 0 && sync_retry(r.dirfd) != 0) {
		(void)error_set_errno(e, errno, "sync directory");
		return error_wrap(e, "write '%s'", path);
	}
	return 0;
}
