/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Sinks: see log_sink.h. A line is one write(2) to a descriptor that appends:
 * lines of several processes in one file do not mix. Files are opened so that a
 * named pipe without reader is refused and a full one does not hold us; pipes
 * and terminals that we were started with are asked first, because their mode
 * is not ours to change.
 */
#include "lib/base/log_sink.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/log_pattern.h"
#include "lib/base/rights.h"

static int
open_file(const struct log_sink_config *c, bool truncate, int *ret_fd,
    struct error *e)
{
	int fd,
	    flags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
	    O_NOCTTY;

	if (truncate)
		flags |= O_TRUNC;
	do {
		fd = open(c->path, flags, 0640);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return error_set_errno(e, errno, "open log '%s'", c->path);
	if (rights_limit(fd, RIGHTS_APPEND, e) < 0) {
		(void)close(fd);
		return error_wrap(e, "log '%s'", c->path);
	}
	*ret_fd = fd;
	return 0;
}

static bool
is_slow(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && !S_ISREG(st.st_mode);
}

static const struct log_sink *
find_file(const struct log_sink *old, size_t n, const char *path)
{
	for (; n > 0; n--, old++)
		if (old->c.kind == LOG_SINK_FILE &&
		    strcmp(old->c.path, path) == 0)
			return old;
	return NULL;
}

static bool
is_same(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static const struct log_syslog *
find_syslog(
    const struct log_sink *old, size_t n, const struct log_syslog_config *c)
{
	for (; n > 0; n--, old++)
		if (old->c.kind == LOG_SINK_SYSLOG &&
		    is_same(old->c.syslog.host, c->host) &&
		    is_same(old->c.syslog.path, c->path) &&
		    old->c.syslog.port == c->port)
			return old->syslog;
	return NULL;
}

static int
open_sink(
    struct log_sink *s, const struct log_sink *old, size_t n, struct error *e)
{
	switch (s->c.kind) {
	case LOG_SINK_STREAM:
		s->fd = s->c.fd;
		s->slow = is_slow(s->fd);
		return 0;
	case LOG_SINK_FILE:
		return open_file(&s->c,
		    s->c.truncate && find_file(old, n, s->c.path) == NULL,
		    &s->fd, e);
	case LOG_SINK_SYSLOG:
		return log_syslog_new(&s->syslog, &s->c.syslog,
		    find_syslog(old, n, &s->c.syslog), e);
	case LOG_SINK_NONE:
		break;
	}
	return 0;
}

int
log_sink_init(struct log_sink *s, const struct log_sink_config *c,
    const struct log_sink *old, size_t n, struct error *e)
{
	*s = (struct log_sink){ .c = *c, .fd = -1 };
	if (c->format == LOG_FORMAT_PATTERN &&
	    log_pattern_new(&s->pattern, c->pattern, c->datefmt, e) < 0)
		return -1;
	if (open_sink(s, old, n, e) == 0)
		return 0;
	log_sink_fini(s);
	return -1;
}

void
log_sink_fini(struct log_sink *s)
{
	if (s->c.kind == LOG_SINK_FILE && s->fd >= 0)
		(void)close(s->fd);
	s->fd = -1;
	s->pattern = log_pattern_free(s->pattern);
	s->syslog = log_syslog_free(s->syslog);
}

int
log_sink_reopen(struct log_sink *s, struct error *e)
{
	int fd = -1;

	if (s->c.kind != LOG_SINK_FILE)
		return 0;
	if (open_file(&s->c, false, &fd, e) < 0)
		return -1;
	(void)close(s->fd);
	s->fd = fd;
	return 0;
}

int
log_sink_check(struct log_sink *s, struct error *e)
{
	return s->syslog != NULL ? log_syslog_check(s->syslog, e) : 0;
}

/* Files that move */

static void
follow_name(struct log_sink *s)
{
	struct stat now, ours;

	if (stat(s->c.path, &now) == 0 && fstat(s->fd, &ours) == 0 &&
	    now.st_dev == ours.st_dev && now.st_ino == ours.st_ino)
		return;
	/* As long as it cannot be opened, the old one is better than none. */
	(void)log_sink_reopen(s, NULL);
}

static void
backup_name(const struct log_sink *s, unsigned n, char buf[PATH_MAX])
{
	if (n == 0)
		(void)snprintf(buf, PATH_MAX, "%s", s->c.path);
	else
		(void)snprintf(buf, PATH_MAX, "%s.%u", s->c.path, n);
}

/* An empty file is never turned over, however long the line is. */
static void
rotate(struct log_sink *s, size_t len)
{
	char from[PATH_MAX], to[PATH_MAX];
	struct stat st;
	unsigned i;

	if (s->c.max_bytes <= 0 || s->c.backups == 0 || fstat(s->fd, &st) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_size == 0 ||
	    st.st_size + (off_t)len < s->c.max_bytes)
		return;
	for (i = s->c.backups; i > 0; i--) {
		backup_name(s, i - 1, from);
		backup_name(s, i, to);
		(void)rename(from, to);
	}
	(void)log_sink_reopen(s, NULL);
}

/* Lines */

static bool
takes_now(const struct log_sink *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };

	return !s->slow || poll(&p, 1, 0) != 0;
}

static bool
write_line(struct log_sink *s, const struct log_line *l)
{
	size_t at, len;
	ssize_t n = 0;

	if (s->c.watch)
		follow_name(s);
	rotate(s, l->len);
	for (at = 0; at < l->len; at += (size_t)n) {
		/* A pipe that is ready has room for so many, not for more. */
		len =
		    s->slow && l->len - at > PIPE_BUF ? PIPE_BUF : l->len - at;
		if (!takes_now(s))
			return false;
		do {
			n = write(s->fd, l->buf + at, len);
		} while (n < 0 && errno == EINTR);
		if (n != (ssize_t)len)
			return false;
	}
	return true;
}

static void
render(const struct log_sink *s, const struct log_event *ev, struct log_line *l)
{
	l->len = 0;
	l->cut = false;
	if (s->pattern != NULL)
		log_pattern_render(s->pattern, ev, l);
	else if (s->c.format == LOG_FORMAT_JSON)
		log_render_json(l, ev);
	else if (s->syslog != NULL)
		log_render_area(l, ev);
	else
		log_render_text(l, ev);
}

void
log_sink_write(struct log_sink *s, const struct log_event *ev)
{
	struct log_line line;
	bool ok;

	if (s->c.kind == LOG_SINK_NONE)
		return;
	render(s, ev, &line);
	/* Each renderer ends its line. */
	ok = s->syslog != NULL ? log_syslog_send(s->syslog, ev->severity,
				     ev->wall_ms, line.buf, line.len - 1)
			       : write_line(s, &line);
	if (!ok)
		s->lost++;
}
