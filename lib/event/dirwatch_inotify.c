/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Linux: inotify(7), of which no more is asked than kqueue can tell.
 */
#include "lib/event/dirwatch_internal.h"

#include <sys/inotify.h>

#include <errno.h>
#include <unistd.h>

#define MASK                                                                   \
  (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |      \
      IN_MOVE_SELF | IN_ONLYDIR)
/* The rest is told in the loop's next turn. */
#define READS_MAX 16

int
dirwatch_os_open(struct dirwatch_os *os, struct error *e)
{
	os->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (os->fd == -1)
		return error_set_errno(e, errno, "make an inotify queue");
	return 0;
}

int
dirwatch_os_set(struct dirwatch_os *os, const char *path, struct error *e)
{
	int wd = inotify_add_watch(os->fd, path, MASK);

	if (wd == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			return DIRWATCH_NONE;
		return error_set_errno(e, errno, "%s", path);
	}
	/* It fails when that directory is gone. */
	if (os->target != -1 && os->target != wd)
		(void)inotify_rm_watch(os->fd, os->target);
	os->target = wd;
	return 0;
}

bool
dirwatch_os_read(struct dirwatch_os *os)
{
	_Alignas(struct inotify_event) char buf[4096];
	bool any = false;
	ssize_t n;

	for (int i = 0; i < READS_MAX; i++) {
		n = read(os->fd, buf, sizeof(buf));
		if (n <= 0 && !(n == -1 && errno == EINTR))
			break;
		any = true;
	}
	return any;
}

void
dirwatch_os_close(struct dirwatch_os *os)
{
	if (os->fd != -1)
		(void)close(os->fd);
	*os = (struct dirwatch_os){ -1, -1 };
}
