/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Logging: an event is level, area, message and fields; two renderers write it
 * (key=value text, JSON lines) to stderr, a file or both. It works before the
 * configuration is read (text to stderr at notice), allocates nothing, never
 * blocks the loop on a slow sink for longer than one write, and escapes values
 * in the renderer. Single global: one process, one log.
 *
 * Who logs: the daemon's edges and main. lib and proto log at debug only.
 * Levels: error = an operator must act; warn = something failed and we went on;
 * notice = life-cycle; info = one line per request, job, child; debug = all.
 */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/log_field.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARN,
	LOG_LEVEL_NOTICE,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
};
enum log_format {
	LOG_FORMAT_TEXT,
	LOG_FORMAT_JSON
};

struct log_config {
	enum log_level level;
	enum log_format format;
	/* NULL: standard error. Borrowed until the next log_configure(). */
	const char *path;
};

/* Opens the sink; on failure the old one stays. */
int log_configure(const struct log_config *c, struct error *e);
void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);
/* Reopens the file (newsyslog); on failure keeps the old descriptor. */
int log_reopen(struct error *e);
void log_close(void);
int log_level_from_string(const char *s, enum log_level *ret, struct error *e);

/* Fields (log_field.h) are made by these, valid for one statement. */
/* clang-format off */
#define LF_S(k, v) { .key = (k), .text = log_field_text(v) }
#define LF_I(k, v) { .key = (k), .num = (int64_t)(v) }
/* clang-format on */

/* What LF_S shows for a NULL: nothing. */
static inline const char *
log_field_text(const char *s)
{
	return s != NULL ? s : "";
}

void log_write(enum log_level level, const char *area,
    const struct log_field *fields, size_t n, const char *fmt, ...)
    CC_PRINTF(5, 6);

/* clang-format off */
/* log_info("job", FIELDS(LF_I("job", id), LF_S("state", s)), "text %d", n); */
#define FIELDS(...)                                                           \
	((const struct log_field[]){ __VA_ARGS__ }),                          \
	    ARRAY_LEN(((const struct log_field[]){ __VA_ARGS__ }))
#define NO_FIELDS NULL, (size_t)0
#define log_at(level, area, ...)                                              \
	do {                                                                  \
		if (log_enabled(level))                                       \
			log_write(level, area, __VA_ARGS__);                  \
	} while (0)
#define log_error(area, ...) log_at(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...) log_at(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define log_notice(area, ...) log_at(LOG_LEVEL_NOTICE, area, __VA_ARGS__)
#define log_info(area, ...) log_at(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_at(LOG_LEVEL_DEBUG, area, __VA_ARGS__)
/* clang-format on */
