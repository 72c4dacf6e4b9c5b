/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The BSDs: EVFILT_VNODE on an open directory, in a kqueue of its own, which is
 * readable itself and so nests in the loop's.
 */
#include "lib/event/dirwatch_internal.h"

#include <sys/types.h>

#include <sys/event.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/rights.h"

/* A subdirectory is a link to the directory; NOTE_EXTEND is a rename into it.
 */
#define NOTES                                                                  \
  (NOTE_WRITE | NOTE_EXTEND | NOTE_LINK | NOTE_DELETE | NOTE_RENAME |          \
      NOTE_REVOKE)

int
dirwatch_os_open(struct dirwatch_os *os, struct error *e)
{
	os->fd = kqueue();
	if (os->fd == -1)
		return error_set_errno(e, errno, "make a kqueue");
	(void)fcntl(os->fd, F_SETFD, FD_CLOEXEC);
	return 0;
}

static bool
is_same(int a, int b)
{
	struct stat x, y;

	return a != -1 && fstat(a, &x) == 0 && fstat(b, &y) == 0 &&
	    x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int
dirwatch_os_set(struct dirwatch_os *os, const char *path, struct error *e)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct kevent ev;

	if (fd == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return DIRWATCH_NONE;
		return error_set_errno(e, errno, "%s", path);
	}
	if (is_same(os->target, fd))
		return 0;
	if (rights_limit(fd, RIGHTS_WATCH, e) == -1)
		return error_wrap(e, "%s", path);
	EV_SET(&ev, (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, NOTES, 0,
	    NULL);
	if (kevent(os->fd, &ev, 1, NULL, 0, NULL) == -1)
		return error_set_errno(e, errno, "%s", path);
	/* Closing it takes its event away. */
	if (os->target != -1)
		(void)close(os->target);
	os->target = steal_fd(&fd);
	return 0;
}

bool
dirwatch_os_read(struct dirwatch_os *os)
{
	static const struct timespec now = { 0, 0 };
	struct kevent ev;

	/* One descriptor has one event, however much happened. */
	return kevent(os->fd, NULL, 0, &ev, 1, &now) > 0;
}

void
dirwatch_os_close(struct dirwatch_os *os)
{
	if (os->target != -1)
		(void)close(os->target);
	if (os->fd != -1)
		(void)close(os->fd);
	*os = (struct dirwatch_os){ -1, -1 };
}
