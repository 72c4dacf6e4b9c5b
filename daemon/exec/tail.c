/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A capped output file that keeps the tail: see tail.h.
 *
 * The ring is made when the first byte does not fit the file, so that a command
 * with little to say costs none.  A file that cannot be written (a full disk)
 * counts as full: the ring goes on from there, and the rewrite at the end is
 * one more chance.
 */

#include "daemon/exec/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#define TEMP_SUFFIX ".tail"

int
tail_init(
    struct tail *t, int dir, const char *name, size_t max, struct error *e)
{
	*t = (struct tail){ .dir = dir, .name = name, .fd = -1, .max = max };
	return file_open_beneath(
	    dir, name, O_RDWR | O_CREAT | O_TRUNC, 0600, &t->fd, e);
}

void
tail_fini(struct tail *t)
{
	cc_auto_close(&t->fd);
	t->fd = -1;
	mem_free(t->ring);
	t->ring = NULL;
}

/* How many of the bytes the file took. */
static size_t
add_to_file(struct tail *t, const char *p, size_t len)
{
	size_t room, done = 0;
	ssize_t n;

	if (t->file_full)
		return 0;
	room = t->max - t->file_len;
	if (len > room)
		len = room;
	while (done < len) {
		n = write(t->fd, p + done, len - done);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
	t->file_len += done;
	if (done < len || t->file_len == t->max)
		t->file_full = true;
	return done;
}

static void
add_to_ring(struct tail *t, const char *p, size_t len)
{
	size_t n;

	if (t->ring == NULL && !t->ring_failed && t->max > 0) {
		t->ring = mem_alloc(t->max);
		t->ring_failed = t->ring == NULL;
	}
	if (t->ring == NULL)
		return;
	while (len > 0) {
		n = t->max - t->ring_pos;
		if (n > len)
			n = len;
		memcpy(t->ring + t->ring_pos, p, n);
		t->ring_pos = (t->ring_pos + n) % t->max;
		t->ring_len =
		    t->ring_len + n > t->max ? t->max : t->ring_len + n;
		p += n;
		len -= n;
	}
}

void
tail_add(struct tail *t, const char *p, size_t len)
{
	size_t n;

	t->total += len;
	n = add_to_file(t, p, len);
	if (n < len)
		add_to_ring(t, p + n, len - n);
}

/* The last len bytes of the file. */
static int
copy_file_end(const struct tail *t, int to, size_t len, struct error *e)
{
	char buf[16384];
	size_t want;
	ssize_t n;

	while (len > 0) {
		want = len < sizeof(buf) ? len : sizeof(buf);
		n = pread(t->fd, buf, want, (off_t)(t->file_len - len));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return error_set_errno(e, errno, "read '%s'", t->name);
		if (n == 0)
			return error_set(
			    e, OVE_IO, "'%s' is shorter than it was", t->name);
		if (file_write_all(to, buf, (size_t)n, e) == -1)
			return -1;
		len -= (size_t)n;
	}
	return 0;
}

static int
write_tail(const struct tail *t, int to, struct error *e)
{
	size_t head = t->total < t->max ? (size_t)t->total : t->max;
	size_t first;

	if (copy_file_end(t, to, head - t->ring_len, e) == -1)
		return -1;
	/* Once it has gone round, the oldest byte is the next to go. */
	first = t->ring_len == t->max ? t->ring_pos : 0;
	if (file_write_all(to, t->ring + first, t->ring_len - first, e) == -1)
		return -1;
	return file_write_all(to, t->ring, first, e);
}

static int
rewrite_file(const struct tail *t, struct error *e)
{
	int to AUTO_FD = -1;
	char temp[64];

	(void)snprintf(temp, sizeof(temp), "%s" TEMP_SUFFIX, t->name);
	if (file_open_beneath(
		t->dir, temp, O_WRONLY | O_CREAT | O_TRUNC, 0600, &to, e) == -1)
		return -1;
	if (write_tail(t, to, e) == -1) {
		(void)unlinkat(t->dir, temp, 0);
		return -1;
	}
	if (renameat(t->dir, temp, t->dir, t->name) == -1) {
		error_set_errno(e, errno, "rename '%s'", temp);
		(void)unlinkat(t->dir, temp, 0);
		return -1;
	}
	return 0;
}

int
tail_finish(
    struct tail *t, uint64_t *ret_len, uint64_t *ret_dropped, struct error *e)
{
	*ret_len = t->file_len;
	*ret_dropped = t->total - t->file_len;
	if (t->ring_len == 0)
		return 0;
	if (rewrite_file(t, e) == -1)
		return -1;
	*ret_len = t->total < t->max ? t->total : t->max;
	*ret_dropped = t->total - *ret_len;
	return 0;
}
