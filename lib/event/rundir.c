/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A run directory on disk: see rundir.h and design.md 3.5.
 *
 * The lock is flock(2)'s, which belongs to the open file: the daemon takes it,
 * the helper inherits it, and it is free when the last of both has closed its
 * descriptor.  (A lock of fcntl(2) would stay behind with the daemon.)  The
 * FIFO's write end travels the same way.  Everything exists before the helper
 * does, so there is no moment in which one lives and looks dead.
 *
 * A directory may hold anything after a crash: what is missing or of the wrong
 * type counts as not held.
 */

#include "lib/event/rundir.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/rights.h"
#include "lib/base/strbuf.h"

bool
rundir_key_ok(const char *key)
{
	static const char ok[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz"
				 "0123456789._-";
	size_t len = strlen(key);

	return len > 0 && len <= RUNDIR_KEY_MAX && key[0] != '.' &&
	    strspn(key, ok) == len;
}

void
rundir_close(struct rundir *d)
{
	cc_auto_close(&d->fd);
	cc_auto_close(&d->fifo);
	d->fd = d->fifo = -1;
}

/* Leaves nothing to close behind. */
static struct rundir
take(struct rundir *d)
{
	struct rundir taken = *d;

	*d = (struct rundir)RUNDIR_INIT;
	return taken;
}

/* The helper's numbers must be free to be overwritten: moves fd above them. */
static int
move_up(int *fd, struct error *e)
{
	int up;

	if (*fd > RUN_FD_LOCK)
		return 0;
	up = fcntl(*fd, F_DUPFD_CLOEXEC, RUN_FD_LOCK + 1);
	if (up == -1)
		return error_set_errno(e, errno, "duplicate a descriptor");
	close(*fd);
	*fd = up;
	return 0;
}

static int
put_spec(int dir, const char *spec, size_t len, struct error *e)
{
	int fd AUTO_FD = -1;

	/* Nobody reads it before the helper is there: no rename needed. */
	if (file_open_beneath(dir, RUN_FILE_SPEC, O_WRONLY | O_CREAT | O_EXCL,
		0600, &fd, e) == -1)
		return -1;
	return file_write_all(fd, spec, len, e);
}

static int
fill(struct rundir *d, const char *spec, size_t len, int *writer, int *lock,
    struct error *e)
{
	if (put_spec(d->fd, spec, len, e) == -1)
		return -1;
	if (mkfifoat(d->fd, RUN_FILE_FIFO, 0600) == -1)
		return error_set_errno(e, errno, "make the FIFO");
	/* The reader first: a writer alone would block or fail. */
	if (file_open_beneath(d->fd, RUN_FILE_FIFO, O_RDONLY | O_NONBLOCK, 0,
		&d->fifo, e) == -1 ||
	    rights_limit(d->fifo, RIGHTS_READ, e) == -1 ||
	    file_open_beneath(d->fd, RUN_FILE_FIFO, O_WRONLY, 0, writer, e) ==
		-1 ||
	    file_open_beneath(d->fd, RUN_FILE_LOCK, O_RDWR | O_CREAT | O_EXCL,
		0600, lock, e) == -1)
		return -1;
	if (flock(*lock, LOCK_EX | LOCK_NB) == -1)
		return error_set_errno(e, errno, "lock the run");
	return move_up(writer, e) == -1 ? -1 : move_up(lock, e);
}

int
rundir_make(int parent, const char *key, const char *spec, size_t len,
    struct rundir *ret, int *ret_writer, int *ret_lock, struct error *e)
{
	struct rundir d AUTO_RUNDIR = RUNDIR_INIT;
	int writer AUTO_FD = -1;
	int lock AUTO_FD = -1;

	if (mkdirat(parent, key, 0700) == -1)
		return error_set_errno(
		    e, errno, "make run directory '%s'", key);
	if (file_open_beneath(
		parent, key, O_RDONLY | O_DIRECTORY, 0, &d.fd, e) == -1 ||
	    fill(&d, spec, len, &writer, &lock, e) == -1) {
		(void)file_remove_tree(parent, key, NULL);
		return error_wrap(e, "run directory '%s'", key);
	}
	*ret = take(&d);
	*ret_writer = steal_fd(&writer);
	*ret_lock = steal_fd(&lock);
	return 0;
}

int
rundir_open(int parent, const char *key, struct rundir *ret, struct error *e)
{
	struct rundir d AUTO_RUNDIR = RUNDIR_INIT;
	struct error sub = ERROR_INIT;
	struct stat st;

	if (file_open_beneath(
		parent, key, O_RDONLY | O_DIRECTORY, 0, &d.fd, &sub) == -1) {
		if (sub.sys == ENOENT || sub.sys == ENOTDIR)
			return RUNDIR_NONE;
		return error_set(e, sub.code, "run directory '%s': %s", key,
		    error_text(&sub));
	}
	/* Without a FIFO, nobody can hold one. */
	if (file_open_beneath(d.fd, RUN_FILE_FIFO, O_RDONLY | O_NONBLOCK, 0,
		&d.fifo, &sub) == -1) {
		if (sub.sys == EMFILE || sub.sys == ENFILE)
			return error_set_errno(
			    e, sub.sys, "open the FIFO of '%s'", key);
	} else if (fstat(d.fifo, &st) == -1 || !S_ISFIFO(st.st_mode)) {
		cc_auto_close(&d.fifo);
		d.fifo = -1;
	} else if (rights_limit(d.fifo, RIGHTS_READ, e) == -1) {
		return -1;
	}
	*ret = take(&d);
	return 0;
}

static bool
fifo_has_writer(int fifo)
{
	char buf[256];
	ssize_t n;

	if (fifo == -1)
		return false;
	/* Nobody writes to it; what somebody did write is thrown away. */
	do
		n = read(fifo, buf, sizeof(buf));
	while (n > 0 || (n == -1 && errno == EINTR));
	return n == -1 && errno == EAGAIN;
}

static bool
lock_is_held(int dir)
{
	struct error sub = ERROR_INIT;
	int fd AUTO_FD = -1;

	/* A descriptor of its own: its flock() competes with the holder's.
	 * When there is none to be had, nothing may be concluded. */
	if (file_open_beneath(
		dir, RUN_FILE_LOCK, O_RDONLY | O_NONBLOCK, 0, &fd, &sub) == -1)
		return sub.sys == EMFILE || sub.sys == ENFILE ||
		    sub.sys == ENOMEM;
	return flock(fd, LOCK_SH | LOCK_NB) == -1 && errno == EWOULDBLOCK;
}

enum rundir_look
rundir_look(const struct rundir *d)
{
	if (fifo_has_writer(d->fifo))
		return RUNDIR_HELD;
	return lock_is_held(d->fd) ? RUNDIR_CLOSING : RUNDIR_FREE;
}

bool
rundir_has(const struct rundir *d, const char *name)
{
	return faccessat(d->fd, name, F_OK, AT_EACCESS) == 0;
}

static int
read_from(int fd, off_t at, struct strbuf *b, size_t len, struct error *e)
{
	ssize_t n;
	char *p;

	p = strbuf_reserve(b, len);
	if (p == NULL)
		return strbuf_check(b, e);
	while (len > 0) {
		n = pread(fd, p, len, at);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_set_errno(e, errno, "read");
		if (n == 0)
			break;
		strbuf_commit(b, (size_t)n);
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
rundir_read_tail(const struct rundir *d, const char *name, size_t max,
    char **ret, size_t *ret_len, struct error *e)
{
	struct strbuf b AUTO_STRBUF;
	int fd AUTO_FD = -1;
	struct stat st;
	size_t len;

	strbuf_init(&b, max);
	if (file_open_beneath(d->fd, name, O_RDONLY | O_NONBLOCK, 0, &fd, e) ==
	    -1)
		return -1;
	if (fstat(fd, &st) == -1)
		return error_set_errno(e, errno, "look at '%s'", name);
	if (!S_ISREG(st.st_mode))
		return error_set(
		    e, OVE_CORRUPT, "'%s' is not a regular file", name);
	len = (uintmax_t)st.st_size > max ? max : (size_t)st.st_size;
	if (read_from(fd, st.st_size - (off_t)len, &b, len, e) == -1)
		return error_wrap(e, "'%s'", name);
	return strbuf_take(&b, ret, ret_len, e);
}
