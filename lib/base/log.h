/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Logging: an event is level, area, message and fields. Loggers, a tree by the
 * dots of their names, say how urgent an event of an area must be and which
 * sinks (log_sink.h) it goes to: those of the area's own logger, and those of
 * its parents up to one that stops. It works before it is configured (text to
 * standard error at notice), allocates nothing for an event, never waits for a
 * sink, and escapes values in the renderer. Single global: one process, one
 * log.
 *
 * Who logs: the daemon's edges and main. lib and proto log at debug only.
 * Levels: critical = the process ends or can do no more; error = an operator
 * must act; warn = something failed and we went on; notice = life-cycle; info =
 * one line per request, job, child; debug = all.
 */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"
#include "lib/base/log_field.h"
#include "lib/base/log_level.h"
#include "lib/base/log_sink.h"

/* Of a logger: its parent's. */
#define LOG_LEVEL_INHERIT LOG_LEVEL_COUNT
#define LOG_SINKS_MAX 64

struct log_logger {
	/* "" is the root, the parent of all; "a" is the parent of "a.b". */
	const char *name;
	enum log_level level;
	/* Not to the sinks of the parents. */
	bool stop;
	/* Bit i: sinks[i]. */
	uint64_t sinks;
};

/* The logger of an area that is not called as the area. */
struct log_alias {
	const char *area;
	const char *logger;
};

struct log_config {
	const struct log_sink_config *sinks;
	/* At most LOG_SINKS_MAX. */
	size_t sinks_n;
	/* Of two with the same name the first counts. */
	const struct log_logger *loggers;
	size_t loggers_n;
	const struct log_alias *aliases;
	size_t aliases_n;
	/* Before the area in the name of the logger of other areas. */
	const char *prefix;
	/* Where goes what would reach no sink. */
	uint64_t fallback;
};

/* Which sinks a logger of this name would reach, fallback aside. */
uint64_t log_config_sinks(const struct log_config *c, const char *name);

/* Opens all sinks and replaces what was; copies what it needs of c. On failure
 * the old log stays, and *ret_sink (may be NULL) is the index of the sink that
 * could not be opened, or sinks_n. */
int log_configure(
    const struct log_config *c, size_t *ret_sink, struct error *e);
/* Of the root, until it is configured anew. */
void log_set_level(enum log_level level);
/* Reopens the files (newsyslog); one that cannot be opened stays as it is, and
 * the first such is told. */
int log_reopen(struct error *e);
/* Fails, saying why, when nobody listens at one of the sinks just now. */
int log_check(struct error *e);
/* Lines that sinks did not take, since the process began. */
uint64_t log_lost(void);
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

/* A statement that logs: where it stands, and what the log has made of that.
 */
struct log_site {
	const char *area;
	const char *file;
	const char *func;
	unsigned line;
	/* The rest is the log's, which decides once for each site and
	 * configuration: */
	unsigned decided;
	/* events from this level on are nobody's, */
	enum log_level beyond;
	/* others are for these sinks. */
	uint64_t sinks;
	/* NULL: the prefix and the area. */
	const char *name;
};

bool log_wants(struct log_site *site, enum log_level level);
void log_write(struct log_site *site, enum log_level level,
    const struct log_field *fields, size_t n, const char *fmt, ...)
    CC_PRINTF(5, 6);

/* clang-format off */
/* log_info("job", FIELDS(LF_I("job", id), LF_S("state", s)), "text %d", n); */
#define FIELDS(...)                                                           \
	((const struct log_field[]){ __VA_ARGS__ }),                          \
	    ARRAY_LEN(((const struct log_field[]){ __VA_ARGS__ }))
#define NO_FIELDS NULL, (size_t)0
#define log_at(level_, area_, ...)                                            \
	do {                                                                  \
		static struct log_site log_site_ = { .area = (area_),         \
			.file = __FILE__, .func = __func__,                   \
			.line = __LINE__ };                                   \
		if (log_wants(&log_site_, (level_)))                          \
			log_write(&log_site_, (level_), __VA_ARGS__);         \
	} while (0)
#define log_critical(area, ...) log_at(LOG_LEVEL_CRITICAL, area, __VA_ARGS__)
#define log_error(area, ...) log_at(LOG_LEVEL_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...) log_at(LOG_LEVEL_WARN, area, __VA_ARGS__)
#define log_notice(area, ...) log_at(LOG_LEVEL_NOTICE, area, __VA_ARGS__)
#define log_info(area, ...) log_at(LOG_LEVEL_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) log_at(LOG_LEVEL_DEBUG, area, __VA_ARGS__)
/* clang-format on */
