/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Lock files: a fcntl write lock on the whole file, which the kernel drops when
 * the owner ends however it ends, and which tells the owner's pid. It belongs
 * to the process: it is not inherited by fork(), a second lock by the same
 * process succeeds, and closing any descriptor of the file drops it, so one
 * place in a process opens a lock file and keeps it.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/file.h"

/* Owners may come and go between asking for the lock and for its owner. */
#define TRY_MAX 16

static struct flock
whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

int
file_lock_test(int fd, pid_t *ret_pid, struct error *e)
{
	struct flock l = whole_file();

	if (fcntl(fd, F_GETLK, &l) != 0)
		return error_set_errno(e, errno, "ask for lock");
	if (l.l_type == F_UNLCK)
		return 0;
	*ret_pid = l.l_pid;
	return FILE_LOCKED;
}

static int
take(int fd, pid_t *ret_pid, struct error *e)
{
	struct flock l;
	int rc, i;

	for (i = 0; i < TRY_MAX; i++) {
		l = whole_file();
		if (fcntl(fd, F_SETLK, &l) == 0)
			return 0;
		if (errno == EINTR)
			continue;
		if (errno != EACCES && errno != EAGAIN)
			return error_set_errno(e, errno, "lock");
		rc = file_lock_test(fd, ret_pid, e);
		if (rc != 0)
			return rc;
	}
	return error_set(e, OVE_BUSY, "lock: changes hands all the time");
}

int
file_lock(int dirfd, const char *path, mode_t mode, int *ret_fd, pid_t *ret_pid,
    struct error *e)
{
	int fd AUTO_FD = -1;
	int rc;

	do {
		fd = openat(dirfd, path,
		    O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return error_set_errno(e, errno, "open '%s'", path);
	rc = take(fd, ret_pid, e);
	if (rc < 0)
		return error_wrap(e, "'%s'", path);
	if (rc == 0)
		*ret_fd = steal_fd(&fd);
	return rc;
}
