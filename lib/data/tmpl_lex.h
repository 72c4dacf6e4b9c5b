/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A template's text cut into pieces as Mako cuts it (spec
 * yaml-and-templates.md 4.1 to 4.4, 4.6): text, expressions, control lines,
 * tags, blocks of code.  Comments and escaped line ends are left out.  What is
 * inside of the pieces is somebody else's; all of them point into the text.
 */
#pragma once

#include "lib/data/tmpl_expr.h"

enum tmpl_token_type {
	TMPL_TOKEN_END,
	TMPL_TOKEN_TEXT,
	/* ${E | F}: s is E, rest is F. */
	TMPL_TOKEN_OUTPUT,
	/* s: behind the % and its blanks, to the line end; may hold escaped
	 * line ends. */
	TMPL_TOKEN_CONTROL,
	/* <%NAME rest>: s is NAME. */
	TMPL_TOKEN_TAG,
	/* </%NAME> */
	TMPL_TOKEN_TAG_END,
	/* s: what is between <% or <%! and %>. */
	TMPL_TOKEN_CODE,
};

struct tmpl_piece {
	const char *s;
	size_t len;
	struct tmpl_pos pos;
};

struct tmpl_token {
	enum tmpl_token_type type;
	/* Where all of it begins. */
	struct tmpl_pos pos;
	struct tmpl_piece s;
	struct tmpl_piece rest;
	/* TAG: it ends with "/>".  CODE: it began with "<%!". */
	bool is_closed;
	bool is_module;
};

struct tmpl_lexer {
	const char *s;
	size_t len;
	/* Where the next token begins. */
	size_t at;
	/* The last position that was asked for. */
	size_t mark;
	struct tmpl_pos mark_pos;
};

/* s has to be valid UTF-8 and to stay. */
void tmpl_lexer_init(struct tmpl_lexer *lx, const char *s, size_t len);
/* -1: a piece has no end; f says so, its message is a constant. */
int tmpl_lexer_next(
    struct tmpl_lexer *lx, struct tmpl_token *ret, struct tmpl_fault *f);
/* Behind the token <%text>: all up to </%text>, which is next.  False when
 * there is none. */
bool tmpl_lexer_raw(struct tmpl_lexer *lx, struct tmpl_piece *ret);

/* Letters, digits and _; what is not ASCII counts as a letter. */
bool tmpl_is_word(char c);
bool tmpl_is_blank(char c);
