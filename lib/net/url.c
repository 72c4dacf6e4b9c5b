/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * URL pieces: see url.h. Text is decoded exactly once: "%252e" becomes "%2e"
 * and stays so. What is decoded is still text from outside: it may hold '/' and
 * "..", and whoever makes a path of it checks it first.
 */
#include "lib/net/url.h"

#include <string.h>

#include "lib/base/utf8.h"

static bool
is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '~' ||
	    c == '-';
}

void
url_add_segment(struct strbuf *out, const char *s)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char u;

	for (; *s != '\0'; s++) {
		if (is_unreserved(*s)) {
			strbuf_addc(out, *s);
			continue;
		}
		u = (unsigned char)*s;
		strbuf_addc(out, '%');
		strbuf_addc(out, digits[u >> 4]);
		strbuf_addc(out, digits[u & 15]);
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* The next character, decoded; NUL for a broken escape. */
static char
next_char(const char *s, size_t len, size_t *used)
{
	int hi, lo;

	if (s[0] != '%') {
		*used = 1;
		return s[0];
	}
	hi = len >= 3 ? hex_value(s[1]) : -1;
	lo = hi >= 0 ? hex_value(s[2]) : -1;
	*used = 3;
	return (char)(lo >= 0 ? hi * 16 + lo : 0);
}

static int
decode(const char *s, size_t len, bool plus, struct arena *a, char **ret,
    struct error *e)
{
	size_t i, used, n = 0;
	char *p, c;

	p = arena_alloc(a, len + 1);
	if (p == NULL)
		return arena_check(a, e);
	for (i = 0; i < len; i += used) {
		c = next_char(s + i, len - i, &used);
		if (c == '\0')
			return error_set(
			    e, OVE_INVALID, "invalid percent-encoding");
		p[n++] = plus && s[i] == '+' ? ' ' : c;
	}
	p[n] = '\0';
	if (!utf8_is_valid(p, n))
		return error_set(e, OVE_INVALID, "not valid UTF-8");
	*ret = p;
	return 0;
}

int
url_decode(
    const char *s, size_t len, struct arena *a, char **ret, struct error *e)
{
	return decode(s, len, false, a, ret, e);
}

static bool
key_is(const char *s, size_t len, const char *name)
{
	size_t i, used;
	char c;

	for (i = 0; i < len; i += used) {
		c = next_char(s + i, len - i, &used);
		if (c == '\0' || (s[i] == '+' ? ' ' : c) != *name++)
			return false;
	}
	return *name == '\0';
}

int
url_query_get(const char *query, size_t len, const char *name, struct arena *a,
    char **ret, struct error *e)
{
	const char *p = query, *end = query + len, *amp, *eq, *value;
	size_t left;

	*ret = NULL;
	while (p < end) {
		left = (size_t)(end - p);
		amp = memchr(p, '&', left);
		if (amp == NULL)
			amp = end;
		eq = memchr(p, '=', (size_t)(amp - p));
		if (eq == NULL)
			eq = amp;
		if (key_is(p, (size_t)(eq - p), name)) {
			value = eq < amp ? eq + 1 : amp;
			return decode(
			    value, (size_t)(amp - value), true, a, ret, e);
		}
		p = amp + 1;
	}
	return 0;
}
