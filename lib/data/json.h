/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * JSON text to tree and back. Reading is strict: one pre-scan checks grammar,
 * UTF-8, duplicate keys, depth (64) and the number of values (65,536) before
 * cJSON sees the text, and notes where each number stands, so that integers
 * keep 64 bits and their kind. The only file that includes cJSON.
 */
#pragma once

#include "lib/base/strbuf.h"
#include "lib/data/node.h"

#define JSON_DEPTH_MAX 64
#define JSON_VALUES_MAX 65536

/* Duplicate keys, NaN, U+0000, trailing text, BOM in the middle: refused with
 * OVE_INVALID and a text with line and column. A leading BOM is tolerated. */
int json_read(const char *text, size_t len, struct arena *a, struct node **ret,
    struct error *e);

enum json_style {
	/* {"a":1} */
	JSON_COMPACT,
	/* Two spaces a level. */
	JSON_INDENT2,
	/* Four spaces a level, ASCII only: cli.md 4.2. */
	JSON_INDENT4_ASCII,
	/* {"a": 1, "b": [1, 2]}, ASCII only: Python's json.dumps. */
	JSON_PYTHON,
};
/* Adds the text of n (no final newline). Non-string keys become strings as
 * cli.md 4.2 says. */
void json_write(
    struct strbuf *out, const struct node *n, enum json_style style);
/* The text of n, in the arena. NULL: it would be longer than max (OVE_LIMIT,
 * which does not latch the arena), or there is no memory. */
char *json_text(const struct node *n, enum json_style style, size_t max,
    struct arena *a, struct error *e);
/* Adds a quoted, escaped string; invalid UTF-8 becomes U+FFFD. */
void json_write_str(struct strbuf *out, const char *s, size_t len);
