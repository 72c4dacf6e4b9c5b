/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A line's form in the language of Python's logging: text with conversions such
 * as "%(asctime)s", "%(levelname)-8s", "%(lineno)05d" and "%%", and strftime(3)
 * for the time. Names:
 *
 *	asctime name levelname levelno message process processName thread
 *	threadName pathname filename module funcName lineno created msecs
 *	relativeCreated
 *
 * A name that is none of them shows as "?". The message includes the event's
 * fields, key=value before the text. A conversion that does not fit its value
 * ("%(message)d") shows the value as text. Widths count characters.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/log_render.h"

/* Of a format; of a width and a precision. */
#define LOG_PATTERN_MAX 4096
#define LOG_PATTERN_WIDTH_MAX 999

struct log_pattern;

/* Reads a form. format NULL: the message alone; datefmt NULL: "YYYY-MM-DD
 * HH:MM:SS,mmm" of local time. OVE_INVALID says what is wrong and where. */
int log_pattern_new(struct log_pattern **ret, const char *format,
    const char *datefmt, struct error *e);
struct log_pattern *log_pattern_free(struct log_pattern *p);
AUTO_DEFINE(log_pattern)

/* Adds the whole line with its end. */
void log_pattern_render(const struct log_pattern *p, const struct log_event *ev,
    struct log_line *l);
