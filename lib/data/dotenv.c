/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * .env files, read as python-dotenv reads them.  A statement is at most one
 * line but for quoted values, which may span several.  What is no statement is
 * skipped, with a warning, to the end of the line where it stopped being one;
 * so a quote that is never closed does not swallow the file.
 *
 * Values are expanded in order: a reference sees the environment first, then
 * the variables of earlier lines.
 */

#include "lib/data/dotenv.h"

#include <string.h>

#include "lib/base/strbuf.h"
#include "lib/base/utf8.h"

#define DOTENV_LEN_MAX ((size_t)1 << 20)
#define DOTENV_VARS_MAX 1000
/* A value after expansion. */
#define VALUE_MAX ((size_t)1 << 20)

struct reader {
	const char *p;
	const char *end;
	unsigned line;
	dotenv_env_fn *env;
	void *ctx;
	struct arena *a;
	struct diag *d;
	struct dotenv_var *vars;
	size_t n;
	size_t cap;
};

/* A statement's parts as they were written; value is NULL without '='. */
struct statement {
	const char *key;
	size_t key_len;
	/* Unescaped. */
	const char *value;
	size_t value_len;
};

static bool
is_newline(char c)
{
	return c == '\n' || c == '\r';
}

/* Python's \s as far as it is ASCII. */
static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || is_newline(c) || c == '\f' || c == '\v';
}

static bool
is_blank(char c)
{
	return is_space(c) && !is_newline(c);
}

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static const char *
line_end(const char *p, const char *end)
{
	while (p < end && !is_newline(*p))
		p++;
	return p;
}

/* The closing quote of what opens at p, or NULL: the first that has no
 * backslash before it, else the last one. */
static const char *
find_quote(const char *p, const char *end)
{
	const char *last = NULL;
	char quote = *p;

	for (p++; p < end; p++) {
		if (*p != quote)
			continue;
		if (p[-1] != '\\')
			return p;
		last = p;
	}
	return last;
}

/* The value of an escape, or NUL when the backslash stays. */
static char
unescape(char c, char quote)
{
	static const char from[] = "\\'\"abfnrtv";
	static const char to[] = "\\'\"\a\b\f\n\r\t\v";
	const char *hit;

	if (quote == '\'')
		return c == '\\' || c == '\'' ? c : '\0';
	hit = c != '\0' ? strchr(from, c) : NULL;
	return hit != NULL ? to[hit - from] : '\0';
}

/* CRLF and CR count as LF, as in a text file. */
static const char *
quoted_value(struct reader *r, const char *p, const char *close, size_t *ret)
{
	char quote = *p;
	char *buf, c;
	size_t n = 0;

	buf = arena_alloc(r->a, (size_t)(close - p));
	if (buf == NULL)
		return NULL;
	for (p++; p < close; p++) {
		c = *p == '\\' && p + 1 < close ? unescape(p[1], quote) : '\0';
		if (c != '\0') {
			buf[n++] = c;
			p++;
		} else if (*p == '\r') {
			buf[n++] = '\n';
			if (p + 1 < close && p[1] == '\n')
				p++;
		} else {
			buf[n++] = *p;
		}
	}
	*ret = n;
	return buf;
}

/* Up to the end of the line, a blank followed by '#', or trailing blanks. */
static const char *
plain_value(const char *p, const char *end, struct statement *s)
{
	const char *q;

	end = line_end(p, end);
	for (q = p; q < end; q++) {
		if (is_space(*q) && q + 1 < end && q[1] == '#')
			break;
	}
	while (q > p && is_space(q[-1]))
		q--;
	s->value = p;
	s->value_len = (size_t)(q - p);
	return end;
}

/* Each scan_* moves *at on; false where the text is no statement. */
static bool
scan_key(const char **at, const char *end, struct statement *s)
{
	const char *p = *at, *q;

	s->key = p;
	if (p < end && *p == '\'') {
		q = memchr(p + 1, '\'', (size_t)(end - p) - 1);
		if (q == NULL || q == p + 1)
			return false;
		s->key = p + 1;
		s->key_len = (size_t)(q - p) - 1;
		*at = q + 1;
		return true;
	}
	for (q = p; q < end; q++) {
		if (*q == '=' || *q == '#' || is_space(*q))
			break;
	}
	s->key_len = (size_t)(q - p);
	*at = q;
	/* "export # comment" defines nothing and is no fault. */
	return q > p || (q < end && *q == '#');
}

static bool
scan_value(struct reader *r, const char **at, struct statement *s)
{
	const char *p = *at, *close;

	if (p == r->end || (*p != '\'' && *p != '"')) {
		*at = plain_value(p, r->end, s);
		return true;
	}
	close = find_quote(p, r->end);
	if (close == NULL)
		return false;
	s->value = quoted_value(r, p, close, &s->value_len);
	*at = close + 1;
	return true;
}

/* Skips "export" and blanks, when a blank is behind it. */
static const char *
skip_export(const char *p, const char *end)
{
	if (end - p > 6 && memcmp(p, "export", 6) == 0 && is_blank(p[6]))
		return skip_blanks(p + 6, end);
	return p;
}

static bool
scan_statement(struct reader *r, const char **at, struct statement *s)
{
	memset(s, 0, sizeof(*s));
	*at = skip_export(*at, r->end);
	if (!scan_key(at, r->end, s))
		return false;
	*at = skip_blanks(*at, r->end);
	if (*at < r->end && **at == '=') {
		*at = skip_blanks(*at + 1, r->end);
		if (!scan_value(r, at, s))
			return false;
	}
	*at = skip_blanks(*at, r->end);
	if (*at < r->end && **at == '#')
		*at = line_end(*at, r->end);
	return *at == r->end || is_newline(**at);
}

static const char *
look_up(const struct reader *r, const char *name)
{
	const char *value;
	size_t i;

	value = r->env != NULL ? r->env(name, r->ctx) : NULL;
	for (i = 0; value == NULL && i < r->n; i++) {
		if (strcmp(r->vars[i].name, name) == 0)
			value = r->vars[i].value;
	}
	return value;
}

/* Adds what ${NAME} or ${NAME:-default} at p stands for; its end, or NULL when
 * it is none. */
static const char *
add_reference(
    struct reader *r, struct strbuf *out, const char *p, const char *end)
{
	const char *name, *value, *q, *close;

	for (q = p + 2; q < end && *q != '}' && *q != ':'; q++)
		continue;
	if (q == end)
		return NULL;
	close = q;
	if (*q == ':') {
		if (end - q < 2 || q[1] != '-')
			return NULL;
		close = memchr(q, '}', (size_t)(end - q));
		if (close == NULL)
			return NULL;
	}
	name = arena_strndup(r->a, p + 2, (size_t)(q - p) - 2);
	if (name == NULL)
		return NULL;
	value = look_up(r, name);
	if (value != NULL)
		strbuf_adds(out, value);
	else if (close > q)
		strbuf_add(out, q + 2, (size_t)(close - q) - 2);
	return close + 1;
}

static const char *
expand(struct reader *r, const struct statement *s, struct error *e)
{
	const char *p, *end, *next;
	struct strbuf AUTO_STRBUF out;
	bool more = true;

	strbuf_init(&out, VALUE_MAX);
	p = s->value;
	end = p + s->value_len;
	while (p < end) {
		next = NULL;
		if (more && p[0] == '$' && end - p > 2 && p[1] == '{') {
			next = add_reference(r, &out, p, end);
			/* Without a brace ahead nothing is a reference. */
			if (next == NULL)
				more =
				    memchr(p, '}', (size_t)(end - p)) != NULL;
		}
		if (next == NULL) {
			strbuf_addc(&out, *p);
			next = p + 1;
		}
		p = next;
	}
	if (strbuf_check(&out, e) == -1)
		return NULL;
	p = arena_strndup(r->a, out.buf, out.len);
	if (p == NULL && arena_check(r->a, e) == 0)
		return NULL;
	return p;
}

static int
set(struct reader *r, const struct statement *s, struct error *e)
{
	struct dotenv_var *p;
	const char *name, *value;
	size_t i;

	value = expand(r, s, e);
	if (value == NULL)
		return -1;
	name = arena_strndup(r->a, s->key, s->key_len);
	if (name == NULL)
		return arena_check(r->a, e);
	for (i = 0; i < r->n; i++) {
		if (strcmp(r->vars[i].name, name) == 0) {
			r->vars[i].value = value;
			return 0;
		}
	}
	if (r->n == DOTENV_VARS_MAX)
		return error_set(
		    e, OVE_LIMIT, "more than %d variables", DOTENV_VARS_MAX);
	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 16 : r->cap * 2;
		p = arena_calloc(r->a, r->cap, sizeof(*p));
		if (p == NULL)
			return arena_check(r->a, e);
		if (r->n > 0)
			memcpy(p, r->vars, r->n * sizeof(*p));
		r->vars = p;
	}
	r->vars[r->n++] = (struct dotenv_var){ name, value };
	return 0;
}

/* Moves on to q, counting lines. */
static void
advance(struct reader *r, const char *q)
{
	for (; r->p < q; r->p++) {
		if (*r->p == '\n' ||
		    (*r->p == '\r' && !(r->p + 1 < r->end && r->p[1] == '\n')))
			r->line++;
	}
}

static int
read_statement(struct reader *r, struct error *e)
{
	const char *at = r->p;
	struct statement s;
	bool ok;

	ok = scan_statement(r, &at, &s);
	if (r->a->latch != OVE_NONE)
		return arena_check(r->a, e);
	if (!ok) {
		diag_warn(r->d, (struct diag_pos){ r->line, 0 }, "dotenv", NULL,
		    NULL, "not NAME=value, ignored");
		at = line_end(at, r->end);
	} else if (s.value != NULL && set(r, &s, e) == -1) {
		return -1;
	}
	advance(r, at);
	return 0;
}

int
dotenv_read(const char *text, size_t len, dotenv_env_fn *env, void *ctx,
    struct arena *a, struct dotenv_var **ret, size_t *ret_n, struct diag *d,
    struct error *e)
{
	struct reader r = { .line = 1, .env = env, .ctx = ctx, .a = a, .d = d };
	const char *q;

	if (len > DOTENV_LEN_MAX)
		return error_set(e, OVE_LIMIT, "larger than 1 MiB");
	if (!utf8_is_valid(text, len))
		return error_set(e, OVE_INVALID, "not UTF-8");
	if (memchr(text, '\0', len) != NULL)
		return error_set(e, OVE_INVALID, "holds a NUL character");
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	r.p = text;
	r.end = text + len;
	while (r.p < r.end) {
		/* Blank lines and comments. */
		for (q = r.p; q < r.end && is_space(*q); q++)
			continue;
		advance(&r, q);
		if (r.p == r.end)
			break;
		if (*r.p == '#')
			advance(&r, line_end(r.p, r.end));
		else if (read_statement(&r, e) == -1)
			return -1;
	}
	*ret = r.vars;
	*ret_n = r.n;
	return 0;
}
