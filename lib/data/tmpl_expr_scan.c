/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where the expressions and code blocks of a template end, by Mako's rules:
 * strings and comments are passed over, brackets are counted by kind, and what
 * is neither closed nor matched is just text.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

/* The end of a comment with its line end, or s when there is no line end. */
static const char *
skip_comment(const char *s, const char *end)
{
	const char *eol = memchr(s, '\n', (size_t)(end - s));

	return eol == NULL ? s : eol + 1;
}

/* The end of the string whose quote is at s; s when it is never closed. */
static const char *
skip_string(const char *s, const char *end)
{
	size_t n = 1;
	const char *p;

	if (end - s >= 3 && s[1] == *s && s[2] == *s)
		n = 3;
	for (p = s + n; p < end; p++) {
		if (*p == '\\') {
			p++;
		} else if ((size_t)(end - p) >= n && *p == *s &&
		    (n == 1 || (p[1] == *s && p[2] == *s))) {
			return p + n;
		}
	}
	/* Three quotes that are not closed are "" and an open one. */
	return n == 3 ? s + 2 : s;
}

/* Quotes that are never closed.  Each is looked through to the end, so there
 * may not be many. */
#define OPEN_QUOTES_MAX 64

/* What is skipped at s as a whole: its end, s, or NULL to give up. */
static const char *
skip_token(const char *s, const char *end, unsigned *open_quotes)
{
	const char *next;

	if (*s == '#')
		return skip_comment(s, end);
	if (*s != '"' && *s != '\'')
		return s;
	next = skip_string(s, end);
	if (next == s && ++*open_quotes > OPEN_QUOTES_MAX)
		return NULL;
	return next;
}

static int
bracket_of(char c, int *ret_kind)
{
	switch (c) {
	case '(':
	case ')':
		*ret_kind = 0;
		break;
	case '[':
	case ']':
		*ret_kind = 1;
		break;
	case '{':
	case '}':
		*ret_kind = 2;
		break;
	default:
		return 0;
	}
	return c == '(' || c == '[' || c == '{' ? 1 : -1;
}

size_t
tmpl_scan_end(const char *s, size_t len, const char *stops)
{
	const char *p = s, *end = s + len, *next;
	long level[3] = { 0, 0, 0 };
	unsigned open_quotes = 0;
	int kind = 0, step;

	while (p < end) {
		next = skip_token(p, end, &open_quotes);
		if (next == NULL)
			break;
		if (next > p) {
			p = next;
			continue;
		}
		if (*p != '\0' && strchr(stops, *p) != NULL && level[0] <= 0 &&
		    level[1] <= 0 && level[2] <= 0)
			return (size_t)(p - s);
		step = bracket_of(*p, &kind);
		if (step != 0)
			level[kind] += step;
		p++;
	}
	return TMPL_NO_END;
}

size_t
tmpl_scan_block_end(const char *s, size_t len)
{
	const char *p = s, *end = s + len, *next;
	unsigned open_quotes = 0;

	while (p < end) {
		next = skip_token(p, end, &open_quotes);
		if (next == NULL)
			break;
		if (next > p)
			p = next;
		else if (*p == '%' && p + 1 < end && p[1] == '>')
			return (size_t)(p - s);
		else
			p++;
	}
	return TMPL_NO_END;
}
