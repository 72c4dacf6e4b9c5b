/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Findings about a file or body that people wrote: position, key path, reason,
 * hint. All faults are collected in file order up to a maximum; the rest is
 * only counted. One list, three faces: terminal (diag_print), HTTP reply, log.
 * Message shapes: spec cli.md 7.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/strbuf.h"

struct diag_item {
	/* 0 = unknown. */
	unsigned line;
	unsigned col;
	bool warning;
	/* Which rule of the contract is broken, a stable word such as
	 * "unknown-key", "type", "required", "range", "choice", "label". */
	const char *rule;
	/* "deployIn.labels[0]"; "" for the document. */
	const char *path;
	const char *reason;
	/* NULL when there is none. */
	const char *hint;
};

#define DIAG_MAX 20

struct diag {
	/* Texts of the findings; owned by the user, outlives diag. */
	struct arena *arena;
	/* As the user typed it; NULL for a request body. */
	const char *file;
	struct diag_item items[DIAG_MAX];
	/* Stored findings; errors and warnings seen in all. */
	size_t n;
	size_t errors;
	size_t warnings;
};

void diag_init(struct diag *d, struct arena *a, const char *file);
struct diag_pos {
	unsigned line;
	unsigned col;
};
/* Adds an error; kept in order of position. path and hint are copied and may be
 * NULL; rule is a constant. */
void diag_error(struct diag *d, struct diag_pos pos, const char *rule,
    const char *path, const char *hint, const char *fmt, ...) CC_PRINTF(6, 7);
void diag_warn(struct diag *d, struct diag_pos pos, const char *rule,
    const char *path, const char *hint, const char *fmt, ...) CC_PRINTF(6, 7);
/* "PROGRAM: FILE:LINE:COL: PATH: [warning: ]REASON\n  hint: ...\n" for each,
 * then "… and N more". source (may be NULL) is the text of the file: the
 * line with a caret is shown when caret is set. */
void diag_print(const struct diag *d, const char *program, const char *source,
    bool caret, struct strbuf *out);
/* 0 when there is no error, else -1 with OVE_INVALID and the first finding's
 * text and how many more there are. */
int diag_check(const struct diag *d, struct error *e);
/* The value in single quotes, escaped, cut at 60 characters. */
const char *diag_quote(struct arena *a, const char *s, size_t len);
/* Up to 3 of the n candidates that are close to `word` by cli.md 7.3, nearest
 * first: "did you mean 'a'?" or "... 'a', 'b' or 'c'?"; NULL when none is. */
const char *diag_suggest(
    struct arena *a, const char *word, const char *const *candidates, size_t n);
