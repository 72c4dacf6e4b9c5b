/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What numbers and strings of the source stand for.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_expr_internal.h"

#define NUMBER_LEN_MAX 400

static int
bad_number(
    const struct tmpl_expr_token *t, struct arena *a, struct tmpl_fault *f)
{
	return tmpl_syntax(f, a, t->pos, TMPL_SYNTAX_EXCEPTION,
	    "invalid number '%.*s'", t->len > 60 ? 60 : (int)t->len, t->s);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Copies a number without its underscores, each of which has to be between
 * digits (or behind the prefix); false when one is not. */
static bool
without_underscores(const struct tmpl_expr_token *t, char *out)
{
	size_t i, n = 0;
	char before, after;

	for (i = 0; i < t->len; i++) {
		if (t->s[i] != '_') {
			out[n++] = t->s[i];
			continue;
		}
		before = i > 0 ? t->s[i - 1] : '\0';
		after = i + 1 < t->len ? t->s[i + 1] : '\0';
		if (before == '_' || before == '.' || after == '_' ||
		    after == '.' || after == '\0')
			return false;
		if (!is_digit(after) &&
		    (t->s[0] != '0' || t->len < 2 || (t->s[1] | 0x20) != 'x'))
			return false;
	}
	out[n] = '\0';
	return true;
}

static int
integer(const char *s, unsigned base, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned d;
	bool large = false;

	if (*s == '\0')
		return 0;
	for (; *s != '\0'; s++) {
		if (is_digit(*s))
			d = (unsigned)(*s - '0');
		else
			d = (unsigned)((*s | 0x20) - 'a') + 10;
		if (d >= base)
			return 0;
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, d, &v))
			large = true;
	}
	*ret = v;
	return large || v > INT64_MAX ? -1 : 1;
}

/* digits [. digits] [e [sign] digits], with a digit before or behind the
 * point. */
static bool
is_float(const char *s)
{
	size_t whole, part = 0;

	whole = strspn(s, "0123456789");
	s += whole;
	if (*s == '.') {
		s++;
		part = strspn(s, "0123456789");
		s += part;
	}
	if (whole + part == 0)
		return false;
	if (*s == 'e' || *s == 'E') {
		s++;
		if (*s == '+' || *s == '-')
			s++;
		if (!is_digit(*s))
			return false;
		s += strspn(s, "0123456789");
	}
	return *s == '\0';
}

static unsigned
base_of(const char *s)
{
	switch (s[0] == '0' ? s[1] | 0x20 : '\0') {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 10;
	}
}

int
tmpl_literal_number(const struct tmpl_expr_token *t, struct arena *a,
    struct tmpl_value *ret, struct tmpl_fault *f)
{
	char text[NUMBER_LEN_MAX + 1];
	unsigned base;
	uint64_t i = 0;
	char last;
	int rc;

	if (t->len > NUMBER_LEN_MAX || !without_underscores(t, text))
		return bad_number(t, a, f);
	base = base_of(text);
	last = text[0] != '\0' ? text[strlen(text) - 1] : '\0';
	if (base == 10 && (last == 'j' || last == 'J'))
		return tmpl_syntax_unsupported(
		    f, a, t->pos, "a complex number");
	rc = integer(base == 10 ? text : text + 2, base, &i);
	/* "007" is none. */
	if (rc == 1 && base == 10 && text[0] == '0' && i != 0)
		return bad_number(t, a, f);
	if (rc == 1) {
		*ret = tmpl_int((int64_t)i);
		return 0;
	}
	if (rc == -1)
		return tmpl_syntax(
		    f, a, t->pos, TMPL_UNSUPPORTED, "integer overflow");
	if (base != 10 || !is_float(text))
		return bad_number(t, a, f);
	*ret = tmpl_float(strtod(text, NULL));
	return 0;
}

int
tmpl_literal_string(const struct tmpl_expr_token *t, struct arena *a,
    struct tmpl_string *ret, struct tmpl_fault *f)
{
	const char *p = t->s;
	size_t quotes = 1, prefix;
	bool unicode = false;

	*ret = (struct tmpl_string){ 0 };
	for (; *p != '"' && *p != '\''; p++) {
		switch (*p | 0x20) {
		case 'b':
			return tmpl_syntax_unsupported(
			    f, a, t->pos, "a bytes literal");
		case 'r':
			ret->raw = true;
			break;
		case 'f':
			ret->format = true;
			break;
		default:
			unicode = true;
			break;
		}
	}
	prefix = (size_t)(p - t->s);
	if (prefix > 1 &&
	    (unicode || ret->raw != ret->format ||
		(t->s[0] | 0x20) == (t->s[1] | 0x20)))
		return tmpl_syntax(
		    f, a, t->pos, TMPL_SYNTAX_EXCEPTION, "invalid syntax");
	if (t->len - prefix >= 6 && p[1] == *p && p[2] == *p)
		quotes = 3;
	ret->s = p + quotes;
	ret->len = t->len - prefix - 2 * quotes;
	ret->pos = t->pos;
	ret->pos.col += (unsigned)(prefix + quotes);
	return 0;
}

/* Up to `max` digits in base 8 or 16 at p; how many there are. */
static size_t
digits(const char *p, const char *end, unsigned base, size_t max, uint32_t *ret)
{
	size_t n;
	char c;

	*ret = 0;
	for (n = 0; n < max && p + n < end; n++) {
		c = p[n];
		if (c >= '0' && c < '0' + (base == 8 ? 8 : 10))
			*ret = *ret * base + (uint32_t)(c - '0');
		else if (base == 16 && (c | 0x20) >= 'a' && (c | 0x20) <= 'f')
			*ret = *ret * 16 + (uint32_t)((c | 0x20) - 'a') + 10;
		else
			break;
	}
	return n;
}

static int
add_char(const struct tmpl_string *s, struct arena *a, uint32_t c,
    struct strbuf *out, struct tmpl_fault *f)
{
	char text[4];

	if (c > TMPL_CHAR_MAX)
		return tmpl_syntax(f, a, s->pos, TMPL_SYNTAX_EXCEPTION,
		    "illegal Unicode character");
	if (c >= 0xd800 && c <= 0xdfff)
		return tmpl_syntax_unsupported(
		    f, a, s->pos, "a surrogate character");
	strbuf_add(out, text, tmpl_char_put(c, text));
	return 0;
}

/* "\xHH", "\uHHHH", "\UHHHHHHHH" at p; the end, or NULL. */
static const char *
hex_escape(const struct tmpl_string *s, struct arena *a, const char *p,
    const char *end, struct strbuf *out, struct tmpl_fault *f)
{
	size_t len = *p == 'x' ? 2 : *p == 'u' ? 4 : 8;
	uint32_t c;

	if (digits(p + 1, end, 16, len, &c) != len) {
		(void)tmpl_syntax(f, a, s->pos, TMPL_SYNTAX_EXCEPTION,
		    "truncated \\%c escape", *p);
		return NULL;
	}
	return add_char(s, a, c, out, f) == -1 ? NULL : p + 1 + len;
}

/* What is behind a backslash at p; the end of it, or NULL. */
static const char *
escape(const struct tmpl_string *s, struct arena *a, const char *p,
    const char *end, struct strbuf *out, struct tmpl_fault *f)
{
	static const char from[] = "\\'\"abfnrtv";
	static const char to[] = "\\'\"\a\b\f\n\r\t\v";
	const char *hit;
	uint32_t c;
	size_t n;

	/* A joined line. */
	if (*p == '\n')
		return p + 1;
	if (*p == '\r')
		return p + (p + 1 < end && p[1] == '\n' ? 2 : 1);
	n = digits(p, end, 8, 3, &c);
	if (n > 0)
		return add_char(s, a, c, out, f) == -1 ? NULL : p + n;
	if (*p == 'x' || *p == 'u' || *p == 'U')
		return hex_escape(s, a, p, end, out, f);
	if (*p == 'N') {
		(void)tmpl_syntax_unsupported(
		    f, a, s->pos, "a named character");
		return NULL;
	}
	hit = *p != '\0' ? strchr(from, *p) : NULL;
	if (hit != NULL) {
		strbuf_addc(out, to[hit - from]);
		return p + 1;
	}
	/* An unknown one is text. */
	strbuf_addc(out, '\\');
	return p;
}

int
tmpl_literal_unescape(const struct tmpl_string *s, struct arena *a,
    struct strbuf *out, struct tmpl_fault *f)
{
	const char *p = s->s, *end = s->s + s->len;

	while (p < end) {
		if (*p == '\\' && !s->raw && p + 1 < end) {
			p = escape(s, a, p + 1, end, out, f);
			if (p == NULL)
				return -1;
		} else if (*p == '\r') {
			/* Line ends of the source are LF. */
			strbuf_addc(out, '\n');
			p += p + 1 < end && p[1] == '\n' ? 2 : 1;
		} else {
			strbuf_addc(out, *p++);
		}
	}
	return 0;
}
