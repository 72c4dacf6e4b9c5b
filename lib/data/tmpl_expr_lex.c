/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tokens, by Python's rules: within brackets a line end is a blank, in a block
 * it ends a statement, and the indentation of a line opens and closes suites.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/utf8.h"
#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_expr_internal.h"

static int CC_PRINTF(5, 0) fail(struct tmpl_fault *f, struct arena *a,
    struct tmpl_pos pos, enum tmpl_class class, const char *fmt, va_list ap)
{
	char text[256];
	const char *kept;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	text[utf8_whole_len(text, strlen(text))] = '\0';
	kept = arena_strdup(a, text);
	*f = (struct tmpl_fault){ .class = class, .pos = pos, .message = kept };
	if (kept == NULL) {
		f->class =
		    a->latch == OVE_LIMIT ? TMPL_LIMIT : TMPL_MEMORY_ERROR;
		f->message = a->latch == OVE_LIMIT
		    ? "the template uses too much memory"
		    : "out of memory";
	}
	return -1;
}

int
tmpl_syntax(struct tmpl_fault *f, struct arena *a, struct tmpl_pos pos,
    enum tmpl_class class, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)fail(f, a, pos, class, fmt, ap);
	va_end(ap);
	return -1;
}

int
tmpl_syntax_unsupported(struct tmpl_fault *f, struct arena *a,
    struct tmpl_pos pos, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return tmpl_syntax(
	    f, a, pos, TMPL_UNSUPPORTED, "%s is not supported", what);
}

static int
lex_error(struct tmpl_expr_lexer *l, const char *text)
{
	return tmpl_syntax(
	    l->f, l->a, l->pos, TMPL_SYNTAX_EXCEPTION, "%s", text);
}

bool
tmpl_token_is(const struct tmpl_expr_token *t, const char *text)
{
	return (t->type == TMPL_T_OP || t->type == TMPL_T_NAME) &&
	    strlen(text) == t->len && memcmp(t->s, text, t->len) == 0;
}

/* The column that a line of a block begins at. */
static unsigned
first_col(const struct tmpl_expr_lexer *l)
{
	if (l->line_cols == NULL)
		return 1;
	return l->line_cols[l->pos.line - l->first_line];
}

/* Moves on to q, counting lines and columns. */
static void
advance(struct tmpl_expr_lexer *l, const char *q)
{
	for (; l->p < q; l->p++) {
		if (*l->p == '\n' ||
		    (*l->p == '\r' &&
			!(l->p + 1 < l->end && l->p[1] == '\n'))) {
			l->pos.line++;
			l->pos.col = first_col(l);
		} else if ((*l->p & 0xc0) != 0x80) {
			l->pos.col++;
		}
	}
}

static bool
is_eol(char c)
{
	return c == '\n' || c == '\r';
}

/* Bytes of the line end at p. */
static size_t
eol_len(const char *p, const char *end)
{
	return *p == '\r' && p + 1 < end && p[1] == '\n' ? 2 : 1;
}

static const char *
comment_end(const char *p, const char *end)
{
	while (p < end && !is_eol(*p))
		p++;
	return p;
}

static bool
joins_lines(const struct tmpl_expr_lexer *l)
{
	return l->mode == TMPL_LEX_JOINED || l->n_open > 0;
}

/* Blanks, comments, joined lines. */
static int
skip_blanks(struct tmpl_expr_lexer *l)
{
	const char *p = l->p;

	while (p < l->end) {
		if (*p == ' ' || *p == '\t' || *p == '\f') {
			p++;
		} else if (*p == '#') {
			p = comment_end(p, l->end);
		} else if (is_eol(*p) && joins_lines(l)) {
			p += eol_len(p, l->end);
		} else if (*p == '\\') {
			if (p + 1 == l->end || !is_eol(p[1])) {
				advance(l, p);
				return lex_error(l,
				    "unexpected character after line "
				    "continuation character");
			}
			p += 1 + eol_len(p + 1, l->end);
		} else {
			break;
		}
	}
	advance(l, p);
	return 0;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_name_start(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
is_name_char(char c)
{
	return is_name_start(c) || is_digit(c);
}

static const char *
name_end(const char *p, const char *end)
{
	while (p < end && is_name_char(*p))
		p++;
	return p;
}

static const char *
digits_end(const char *p, const char *end)
{
	while (p < end && (is_digit(*p) || *p == '_'))
		p++;
	return p;
}

/* A number with all that is written on to it; its literal says whether it is
 * one. */
static const char *
number_end(const char *p, const char *end)
{
	if (end - p > 1 && p[0] == '0' && is_name_start(p[1]) && p[1] != '_' &&
	    p[1] != 'e' && p[1] != 'E')
		return name_end(p, end);
	p = digits_end(p, end);
	if (p < end && *p == '.')
		p = digits_end(p + 1, end);
	if (p + 1 < end && (*p == 'e' || *p == 'E')) {
		if (is_digit(p[1]))
			p = digits_end(p + 1, end);
		else if (end - p > 2 && (p[1] == '+' || p[1] == '-') &&
		    is_digit(p[2]))
			p = digits_end(p + 2, end);
	}
	return name_end(p, end);
}

/* How many letters of a string's prefix there are at p, when one follows. */
static bool
is_string(const char *p, const char *end, size_t *ret_prefix)
{
	size_t n = 0;

	while (n < 2 && p + n < end && is_name_start(p[n]) &&
	    strchr("rRuUbBfF", p[n]) != NULL)
		n++;
	if (p + n == end || (p[n] != '"' && p[n] != '\''))
		return false;
	*ret_prefix = n;
	return true;
}

/* The end of a string whose quotes begin at p, or NULL. */
static const char *
string_end(const char *p, const char *end)
{
	char quote = *p;
	size_t n = 1;

	if (end - p >= 3 && p[1] == quote && p[2] == quote)
		n = 3;
	for (p += n; p < end; p++) {
		if (*p == '\\') {
			p++;
			/* A joined line, as long as it may be. */
			if (p < end && *p == '\r' && p + 1 < end &&
			    p[1] == '\n')
				p++;
		} else if (n == 1 && is_eol(*p)) {
			return NULL;
		} else if (*p == quote && (size_t)(end - p) >= n &&
		    (n == 1 || (p[1] == quote && p[2] == quote))) {
			return p + n;
		}
	}
	return NULL;
}

static int
lex_string(struct tmpl_expr_lexer *l, size_t prefix, const char **ret_end)
{
	const char *p = l->p + prefix;

	*ret_end = string_end(p, l->end);
	if (*ret_end != NULL)
		return 0;
	return lex_error(l,
	    l->end - p >= 3 && p[1] == *p && p[2] == *p
		? "unterminated triple-quoted string literal"
		: "unterminated string literal");
}

static const char *const operators[] = { "**=", "//=", "<<=", ">>=", "...",
	"**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->",
	"+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", ":=", "+", "-",
	"*", "/", "%", "&", "|", "^", "~", "<", ">", "(", ")", "[", "]", "{",
	"}", ",", ":", ".", ";", "=", "@", "!" };

static size_t
operator_len(const char *p, const char *end)
{
	size_t i, len;

	for (i = 0; i < ARRAY_LEN(operators); i++) {
		len = strlen(operators[i]);
		if ((size_t)(end - p) >= len &&
		    memcmp(p, operators[i], len) == 0)
			return len;
	}
	return 0;
}

static int
close_bracket(struct tmpl_expr_lexer *l, char c)
{
	char opener = c == ')' ? '(' : c == ']' ? '[' : '{';

	if (l->n_open == 0)
		return tmpl_syntax(l->f, l->a, l->pos, TMPL_SYNTAX_EXCEPTION,
		    "unmatched '%c'", c);
	l->n_open--;
	if (l->open[l->n_open] == opener)
		return 0;
	return tmpl_syntax(l->f, l->a, l->pos, TMPL_SYNTAX_EXCEPTION,
	    "closing parenthesis '%c' does not match opening parenthesis '%c'",
	    c, l->open[l->n_open]);
}

static int
lex_operator(struct tmpl_expr_lexer *l, const char **ret_end)
{
	char c = *l->p;
	size_t len;

	len = operator_len(l->p, l->end);
	if (len == 0) {
		len = tmpl_char_len(l->p);
		if ((unsigned char)c >= 0x80)
			return tmpl_syntax_unsupported(l->f, l->a, l->pos,
			    "the character '%.*s' in code", (int)len, l->p);
		return lex_error(l, "invalid syntax");
	}
	*ret_end = l->p + len;
	if (len == 1 && strchr("([{", c) != NULL) {
		if (l->n_open == ARRAY_LEN(l->open))
			return tmpl_syntax(l->f, l->a, l->pos, TMPL_LIMIT,
			    "too many nested parentheses");
		l->open[l->n_open++] = c;
	} else if (len == 1 && strchr(")]}", c) != NULL) {
		return close_bracket(l, c);
	}
	return 0;
}

/* Gives out an INDENT, or counts DEDENTs, by the blanks before a line. */
static int
indent(struct tmpl_expr_lexer *l, unsigned width)
{
	if (width > l->indents[l->n_indents - 1]) {
		if (l->n_indents == ARRAY_LEN(l->indents))
			return tmpl_syntax(l->f, l->a, l->pos, TMPL_LIMIT,
			    "too many levels of indentation");
		l->indents[l->n_indents++] = width;
		l->token.type = TMPL_T_INDENT;
		return 1;
	}
	while (width < l->indents[l->n_indents - 1]) {
		l->n_indents--;
		l->dedents++;
	}
	if (width != l->indents[l->n_indents - 1])
		return lex_error(
		    l, "unindent does not match any outer indentation level");
	return 0;
}

/* Passes over empty lines; the width of the first blanks of another. */
static unsigned
line_start(struct tmpl_expr_lexer *l)
{
	const char *p = l->p;
	unsigned width = 0;

	while (p < l->end) {
		if (*p == ' ' || *p == '\t') {
			width = *p == ' ' ? width + 1 : (width / 8 + 1) * 8;
			p++;
		} else if (*p == '\f') {
			width = 0;
			p++;
		} else if (*p == '#') {
			p = comment_end(p, l->end);
		} else if (is_eol(*p)) {
			p += eol_len(p, l->end);
			width = 0;
		} else {
			break;
		}
	}
	if (p == l->end)
		width = 0;
	advance(l, p);
	return width;
}

static int
never_closed(struct tmpl_expr_lexer *l)
{
	return tmpl_syntax(l->f, l->a, l->pos, TMPL_SYNTAX_EXCEPTION,
	    "'%c' was never closed", l->open[l->n_open - 1]);
}

/* A line end or what belongs to the beginning of a line: 1 when there is a
 * token. */
static int
lex_line(struct tmpl_expr_lexer *l)
{
	unsigned width;
	int rc;

	if (l->line_start && l->n_open == 0) {
		l->line_start = false;
		width = line_start(l);
		l->token.pos = l->pos;
		rc = indent(l, width);
		if (rc != 0)
			return rc;
	}
	if (l->dedents > 0) {
		l->dedents--;
		l->token.type = TMPL_T_DEDENT;
		return 1;
	}
	if (skip_blanks(l) == -1)
		return -1;
	if (l->p < l->end && !is_eol(*l->p))
		return 0;
	if (l->n_open > 0)
		return never_closed(l);
	l->token.pos = l->pos;
	l->token.type = l->in_line ? TMPL_T_NEWLINE : TMPL_T_END;
	l->in_line = false;
	if (l->p < l->end)
		advance(l, l->p + eol_len(l->p, l->end));
	l->line_start = true;
	return 1;
}

/* The end; only blanks may follow. */
static int
lex_end(struct tmpl_expr_lexer *l)
{
	if (l->n_open > 0)
		return never_closed(l);
	l->token.type = TMPL_T_END;
	(void)line_start(l);
	return l->p < l->end ? lex_error(l, "invalid syntax") : 0;
}

int
tmpl_lex_next(struct tmpl_expr_lexer *l)
{
	const char *end = l->p;
	size_t prefix = 0;
	int rc;

	l->token = (struct tmpl_expr_token){ .s = l->p, .pos = l->pos };
	if (l->mode == TMPL_LEX_BLOCK) {
		rc = lex_line(l);
		if (rc != 0)
			return rc == 1 ? 0 : -1;
	}
	if (skip_blanks(l) == -1)
		return -1;
	l->token = (struct tmpl_expr_token){ .s = l->p, .pos = l->pos };
	if (l->p == l->end || is_eol(*l->p))
		return lex_end(l);
	l->in_line = true;
	if (is_string(l->p, l->end, &prefix)) {
		l->token.type = TMPL_T_STRING;
		rc = lex_string(l, prefix, &end);
	} else if (is_name_start(*l->p)) {
		l->token.type = TMPL_T_NAME;
		end = name_end(l->p, l->end);
		rc = 0;
	} else if (is_digit(*l->p) ||
	    (*l->p == '.' && l->p + 1 < l->end && is_digit(l->p[1]))) {
		l->token.type = TMPL_T_NUMBER;
		end = number_end(l->p, l->end);
		rc = 0;
	} else {
		l->token.type = TMPL_T_OP;
		rc = lex_operator(l, &end);
	}
	if (rc == -1)
		return -1;
	l->token.len = (size_t)(end - l->p);
	advance(l, end);
	return 0;
}

int
tmpl_lex_init(struct tmpl_expr_lexer *l, struct arena *a,
    enum tmpl_lex_mode mode, const char *s, size_t len, struct tmpl_pos pos,
    struct tmpl_fault *f)
{
	*l = (struct tmpl_expr_lexer){
		.mode = mode,
		.p = s,
		.end = s + len,
		.pos = pos,
		.first_line = pos.line,
		.n_indents = 1,
		.line_start = true,
		.f = f,
		.a = a,
	};
	return 0;
}
