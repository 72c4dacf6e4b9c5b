/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What log.c and its renderers share: an event, and the line it becomes. A line
 * is a fixed buffer; what does not fit is left out whole or cut between
 * characters, and the line says so ("..." in text, "cut":true in JSON), so it
 * is always complete for whoever parses it. Private to the log.
 */
#pragma once

#include "lib/base/cc.h"
#include "lib/base/log_field.h"
#include "lib/base/log_level.h"

#define LOG_LINE_LEN 4096
/* Kept free for what ends a line. */
#define LOG_TAIL_LEN 64

struct log_event {
	int64_t wall_ms;
	/* When the process began to log. */
	int64_t born_ms;
	enum log_level severity;
	/* The same as a word. */
	const char *level;
	const char *area;
	/* Its logger's name, in two parts. */
	const char *prefix;
	const char *name;
	const char *file;
	const char *func;
	unsigned line;
	const char *msg;
	const struct log_field *fields;
	size_t n;
	/* The message was longer than its buffer. */
	bool cut;
};

struct log_line {
	char buf[LOG_LINE_LEN];
	size_t len;
	bool cut;
};

/* How a byte that may not be shown is written: "\\x%02x". */
typedef void log_escape_fn(struct log_line *l, unsigned char c);

/* Adds bytes that are fine as they are: all, or nothing and the line is cut. */
void log_line_add(struct log_line *l, const char *p, size_t len);
void log_line_adds(struct log_line *l, const char *s);
void log_line_add_num(struct log_line *l, int64_t num);
void log_line_add_blanks(struct log_line *l, size_t n);
/* Adds text from anywhere; bytes in `special` and those that cannot be shown
 * go through escape. */
void log_line_add_escaped(struct log_line *l, const char *s,
    const char *special, log_escape_fn *escape);
/* Adds what ends the line, into the room kept for it. */
void log_line_end(struct log_line *l, const char *s);

void log_render_text(struct log_line *l, const struct log_event *ev);
void log_render_json(struct log_line *l, const struct log_event *ev);
/* What log_render_text() has after the level: area, fields, message. For whom
 * the rest is told otherwise. */
void log_render_area(struct log_line *l, const struct log_event *ev);
/* Fields and message alone, without an end. */
void log_render_message(struct log_line *l, const struct log_event *ev);
