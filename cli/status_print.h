/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* How a board looks (cli.md 6.2): a table, a document, a line per change. */
#pragma once

#include "cli/board.h"
#include "cli/session.h"

/* width 0: nothing is cut. The heading is the first line, if there is one. */
void status_print_table(struct session *s, struct board *b, bool headings,
    size_t width, struct strbuf *out);
/* The same for programs, in the session's arena. */
struct node *status_doc(struct session *s, struct board *b);
/* One line without a time: text, or a JSON object. */
void status_print_line(
    struct session *s, const struct board_line *l, struct strbuf *out);

/* How many lines are in which state. */
struct status_counts {
	size_t all;
	size_t by[STATUS_UNKNOWN + 1];
};
void status_count(struct board *b, struct status_counts *ret);
/* "3 ready, 1 failed" */
void status_print_counts(const struct status_counts *c, struct strbuf *out);
/* cli.md 6.2: 1 before 4 before 3. */
int status_counts_exit(const struct status_counts *c);
