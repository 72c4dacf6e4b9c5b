/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The log of this process: see log.h. The one global of lib, because errors
 * happen before anybody could hand one around. Owns the sink's descriptor
 * unless that is standard error. A line is one write(2): lines of several
 * processes in one file do not mix, and nothing waits longer than that write; a
 * line that a full disk or pipe refuses is dropped, as there is nobody to tell.
 */
#include "lib/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log_render.h"

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARN] = "warn",
	[LOG_LEVEL_NOTICE] = "notice",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

static struct {
	struct log_config config;
	int fd;
} log_state = {
	.config = { .level = LOG_LEVEL_NOTICE, .format = LOG_FORMAT_TEXT },
	.fd = STDERR_FILENO,
};

static int
open_sink(const char *path, int *ret_fd, struct error *e)
{
	int fd;

	if (path == NULL) {
		*ret_fd = STDERR_FILENO;
		return 0;
	}
	do {
		fd =
		    open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
	} while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return error_set_errno(e, errno, "open log '%s'", path);
	*ret_fd = fd;
	return 0;
}

static void
use_sink(int fd)
{
	if (log_state.fd != STDERR_FILENO)
		(void)close(log_state.fd);
	log_state.fd = fd;
}

int
log_configure(const struct log_config *c, struct error *e)
{
	int fd = -1;

	if (open_sink(c->path, &fd, e) < 0)
		return -1;
	use_sink(fd);
	log_state.config = *c;
	return 0;
}

void
log_set_level(enum log_level level)
{
	log_state.config.level = level;
}

bool
log_enabled(enum log_level level)
{
	return level <= log_state.config.level;
}

int
log_reopen(struct error *e)
{
	int fd = -1;

	if (open_sink(log_state.config.path, &fd, e) < 0)
		return -1;
	use_sink(fd);
	return 0;
}

void
log_close(void)
{
	use_sink(STDERR_FILENO);
	log_state.config = (struct log_config){
		.level = LOG_LEVEL_NOTICE,
		.format = LOG_FORMAT_TEXT,
	};
}

static const char *
level_to_string(enum log_level level)
{
	size_t i = (size_t)level;

	return i < ARRAY_LEN(level_names) ? level_names[i] : "unknown";
}

int
log_level_from_string(const char *s, enum log_level *ret, struct error *e)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(level_names); i++) {
		if (strcmp(s, level_names[i]) == 0) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return error_set(e, OVE_INVALID,
	    "'%s' is not error, warn, notice, info or debug", s);
}

static void
write_line(const struct log_line *l)
{
	ssize_t n;

	do {
		n = write(log_state.fd, l->buf, l->len);
	} while (n < 0 && errno == EINTR);
}

void
log_write(enum log_level level, const char *area,
    const struct log_field *fields, size_t n, const char *fmt, ...)
{
	char msg[LOG_LINE_LEN];
	struct log_event ev = {
		.wall_ms = clock_wall_ms(),
		.level = level_to_string(level),
		.area = area,
		.msg = msg,
		.fields = fields,
		.n = n,
	};
	struct log_line line;
	int saved = errno;
	va_list ap;
	int len;

	if (!log_enabled(level))
		return;
	va_start(ap, fmt);
	len = vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	if (len < 0)
		msg[0] = '\0';
	ev.cut = len < 0 || (size_t)len >= sizeof(msg);
	line.len = 0;
	line.cut = false;
	if (log_state.config.format == LOG_FORMAT_JSON)
		log_render_json(&line, &ev);
	else
		log_render_text(&line, &ev);
	write_line(&line);
	errno = saved;
}
