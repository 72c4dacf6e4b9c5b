/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The terminal on standard error or standard output: is it one, how wide, a
 * block of lines redrawn in place. Nothing else knows escape sequences.
 */
#pragma once

#include "lib/base/strbuf.h"

enum term_color {
	TERM_PLAIN,
	TERM_GREEN,
	TERM_YELLOW,
	TERM_RED,
	TERM_DIM,
	TERM_CYAN,
	TERM_BOLD,
	TERM_BLUE,
	TERM_MAGENTA,
};

/* when: "auto", "always", "never" or NULL for auto. */
bool term_wants_color(int fd, const char *when);
/* A terminal that can go back to what it has shown. */
bool term_can_redraw(int fd);
/* Columns; 80 when it cannot be known. */
size_t term_width(int fd);
/* Rows; 24 when it cannot be known. */
size_t term_height(int fd);
/* The locale's characters are UTF-8, by LC_ALL, LC_CTYPE and LANG. */
bool term_is_utf8(void);
void term_add_color(
    struct strbuf *out, bool on, enum term_color color, const char *text);
/* Columns that a text takes: none for colours and joining marks, two for wide
 * characters. */
size_t term_text_width(const char *s, size_t len);
/* Bytes of the longest beginning that takes no more columns than these. */
size_t term_text_cut(const char *s, size_t len, size_t columns);

#define TERM_BLOCK_LINES 32
/* Lines that are drawn again over the last ones. */
struct term_block {
	int fd;
	/* Lines on the screen now, and their columns. */
	size_t lines;
	size_t widths[TERM_BLOCK_LINES];
};
/* text: up to TERM_BLOCK_LINES lines, each ended by '\n' and not wider than the
 * terminal. */
void term_block_draw(struct term_block *b, const char *text, size_t len);
/* Takes it off the screen. */
void term_block_clear(struct term_block *b);
