/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * int(), float() and round(), and the digits of numbers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

#define INT_END 9223372036854775808.0

int
tmpl_float_to_int(struct tmpl_run *r, double f, int64_t *ret)
{
	if (isnan(f))
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "cannot convert float NaN to integer");
	if (isinf(f))
		return tmpl_raise(r, TMPL_OVERFLOW_ERROR,
		    "cannot convert float infinity to integer");
	if (f < -INT_END || f >= INT_END)
		return tmpl_overflow(r);
	*ret = (int64_t)f;
	return 0;
}

/* The text without white space around it. */
static void
trim(const struct tmpl_str *s, const char **ret, size_t *ret_len)
{
	const char *p = s->s, *end = s->s + s->len, *q;

	while (p < end && tmpl_char_is_space(tmpl_char_at(p)))
		p += tmpl_char_len(p);
	while (end > p) {
		q = tmpl_char_back(end);
		if (!tmpl_char_is_space(tmpl_char_at(q)))
			break;
		end = q;
	}
	*ret = p;
	*ret_len = (size_t)(end - p);
}

static int
digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'Z')
		return c - 'A' + 10;
	return 36;
}

/* The base that a prefix of the text names, 0 when it has none. */
static unsigned
prefix_base(const char *s, size_t len)
{
	if (len < 2 || s[0] != '0')
		return 0;
	switch (s[1] | 0x20) {
	case 'x':
		return 16;
	case 'o':
		return 8;
	case 'b':
		return 2;
	default:
		return 0;
	}
}

/* What became of a text: 1 for a number, 0 for none, -1 for one too large. */
static int
read_digits(const char *s, size_t len, unsigned base, bool underscore,
    bool negative, int64_t *ret)
{
	uint64_t v = 0, limit;
	bool digit = underscore, large = false;
	size_t i;
	int d;

	limit = negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
	if (len == 0)
		return 0;
	for (i = 0; i < len; i++) {
		if (s[i] == '_' && digit && i + 1 < len) {
			digit = false;
			continue;
		}
		d = digit_of(s[i]);
		if (d >= (int)base)
			return 0;
		digit = true;
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (unsigned)d, &v) || v > limit)
			large = true;
	}
	if (large)
		return -1;
	*ret = negative ? (int64_t)-v : (int64_t)v;
	return 1;
}

static int
read_int(const char *s, size_t len, unsigned base, int64_t *ret)
{
	bool negative = false, prefixed, zero;
	unsigned named;
	size_t i;

	if (len > 0 && (*s == '+' || *s == '-')) {
		negative = *s == '-';
		s++;
		len--;
	}
	named = prefix_base(s, len);
	prefixed = named != 0 && (base == 0 || base == named);
	if (prefixed) {
		base = named;
		s += 2;
		len -= 2;
	} else if (base == 0) {
		/* "010" says nothing, "00" is zero. */
		zero = len > 1 && s[0] == '0';
		for (i = 1; zero && i < len; i++) {
			if (s[i] != '0' && s[i] != '_')
				return 0;
		}
		base = 10;
	}
	return read_digits(s, len, base, prefixed, negative, ret);
}

static int
bad_literal(struct tmpl_run *r, const struct tmpl_str *s, unsigned base)
{
	struct strbuf AUTO_STRBUF text;
	size_t i, n;

	tmpl_buf_init(&text);
	if (tmpl_repr(r, tmpl_str_value(s), &text) == -1)
		return -1;
	/* As much as Python shows of it. */
	for (i = n = 0; i < text.len && n < 200; n++)
		i += tmpl_char_len(text.buf + i);
	strbuf_truncate(&text, i);
	return tmpl_raise(r, TMPL_VALUE_ERROR,
	    "invalid literal for int() with base %u: %s", base, text.buf);
}

/* Decimal digits of other scripts count as ours. */
static const char *
plain_digits(struct tmpl_run *r, const char *s, size_t *len)
{
	uint32_t c, zero;
	size_t i, n = 0;
	char *text;

	for (i = 0; i < *len && (s[i] & 0x80) == 0; i++)
		continue;
	if (i == *len)
		return s;
	text = arena_alloc(r->a, *len + 1);
	if (text == NULL) {
		(void)tmpl_raise_nomem(r);
		return NULL;
	}
	for (i = 0; i < *len; i += tmpl_char_len(s + i)) {
		c = tmpl_char_at(s + i);
		zero = c;
		while (c >= 0x80 && zero > c - 9 &&
		    tmpl_char_is(zero, TMPL_CHAR_DECIMAL) &&
		    tmpl_char_is(zero - 1, TMPL_CHAR_DECIMAL))
			zero--;
		if (c < 0x80)
			text[n++] = (char)c;
		else if (tmpl_char_is(c, TMPL_CHAR_DECIMAL))
			text[n++] = (char)('0' + (c - zero));
		else
			text[n++] = '?';
	}
	*len = n;
	text[n] = '\0';
	return text;
}

static int
int_of_str(struct tmpl_run *r, const struct tmpl_str *str, unsigned base,
    struct tmpl_value *ret)
{
	const char *s;
	size_t len;
	int64_t i = 0;
	int rc;

	if (tmpl_charge(r, str->len) == -1)
		return -1;
	trim(str, &s, &len);
	s = plain_digits(r, s, &len);
	if (s == NULL)
		return -1;
	rc = read_int(s, len, base, &i);
	if (rc == 0)
		return bad_literal(r, str, base);
	if (rc == -1)
		return tmpl_overflow(r);
	*ret = tmpl_int(i);
	return 0;
}

int
tmpl_int_of(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value base,
    struct tmpl_value *ret)
{
	int64_t i = 0, b = 10;

	if (base.type != TMPL_ABSENT) {
		if (tmpl_need_int(r, base, &b) == -1)
			return -1;
		if (v.type != TMPL_STR)
			return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
			    "int() can't convert non-string with explicit "
			    "base");
		if (b != 0 && (b < 2 || b > 36))
			return tmpl_raise(r, TMPL_VALUE_ERROR,
			    "int() base must be >= 2 and <= 36, or 0");
	}
	if (v.type == TMPL_STR)
		return int_of_str(r, v.u.str, (unsigned)b, ret);
	if (v.type == TMPL_FLOAT) {
		if (tmpl_float_to_int(r, v.u.f, &i) == -1)
			return -1;
		*ret = tmpl_int(i);
		return 0;
	}
	if (!tmpl_is_int(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "int() argument must be a string, a bytes-like object or "
		    "a real number, not '%s'",
		    tmpl_type_name(v));
	*ret = tmpl_int(tmpl_as_int(v));
	return 0;
}

/* Digits with single underscores between them. */
static size_t
float_digits(const char *s, size_t len, char *out, size_t *n)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] >= '0' && s[i] <= '9')
			out[(*n)++] = s[i];
		else if (s[i] != '_' || i == 0 || s[i - 1] == '_' ||
		    i + 1 == len || s[i + 1] < '0' || s[i + 1] > '9')
			break;
	}
	return i;
}

/* Copies [sign] digits [. digits] [e [sign] digits] for strtod; false for
 * anything else. */
static bool
plain_float(const char *s, size_t len, char *out)
{
	size_t i = 0, n = 0, whole, part = 0;

	if (i < len && (s[i] == '+' || s[i] == '-'))
		out[n++] = s[i++];
	whole = float_digits(s + i, len - i, out, &n);
	i += whole;
	if (i < len && s[i] == '.') {
		out[n++] = '.';
		i++;
		part = float_digits(s + i, len - i, out, &n);
		i += part;
	}
	if (whole + part == 0)
		return false;
	if (i < len && (s[i] == 'e' || s[i] == 'E')) {
		out[n++] = 'e';
		i++;
		if (i < len && (s[i] == '+' || s[i] == '-'))
			out[n++] = s[i++];
		part = float_digits(s + i, len - i, out, &n);
		if (part == 0)
			return false;
		i += part;
	}
	out[n] = '\0';
	return i == len;
}

static bool
named_float(const char *s, size_t len, double *ret)
{
	static const struct {
		const char *name;
		double f;
	} names[] = {
		{ "inf", (double)INFINITY },
		{ "infinity", (double)INFINITY },
		{ "nan", (double)NAN },
	};
	bool negative;
	size_t i;

	negative = len > 0 && *s == '-';
	if (len > 0 && (*s == '+' || *s == '-')) {
		s++;
		len--;
	}
	for (i = 0; i < ARRAY_LEN(names); i++) {
		if (strlen(names[i].name) == len &&
		    strncasecmp(names[i].name, s, len) == 0) {
			*ret = negative ? -names[i].f : names[i].f;
			return true;
		}
	}
	return false;
}

static int
float_of_str(
    struct tmpl_run *r, const struct tmpl_str *str, struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF shown;
	const char *s;
	char *text;
	size_t len;
	double f;

	tmpl_buf_init(&shown);
	if (tmpl_charge(r, str->len) == -1)
		return -1;
	trim(str, &s, &len);
	s = plain_digits(r, s, &len);
	if (s == NULL)
		return -1;
	text = arena_alloc(r->a, len + 2);
	if (text == NULL)
		return tmpl_raise_nomem(r);
	if (plain_float(s, len, text)) {
		*ret = tmpl_float(strtod(text, NULL));
		return 0;
	}
	if (named_float(s, len, &f)) {
		*ret = tmpl_float(f);
		return 0;
	}
	if (tmpl_repr(r, tmpl_str_value(str), &shown) == -1)
		return -1;
	return tmpl_raise(r, TMPL_VALUE_ERROR,
	    "could not convert string to float: %s", shown.buf);
}

int
tmpl_float_of(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value *ret)
{
	if (v.type == TMPL_STR)
		return float_of_str(r, v.u.str, ret);
	if (!tmpl_is_number(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "float() argument must be a string or a real number, not "
		    "'%s'",
		    tmpl_type_name(v));
	*ret = tmpl_float(tmpl_as_float(v));
	return 0;
}

/* Rounding: halves go to the even side. */

/* Rounds to a multiple of 10^digits. */
static int
round_int(struct tmpl_run *r, int64_t i, int64_t digits, int64_t *ret)
{
	uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i, unit = 1, rest;
	int64_t n;

	for (n = 0; n < digits && n < 19; n++)
		unit *= 10;
	/* Half of 10^19 is more than any. */
	if (digits > 19 || (digits == 19 && u < unit / 2)) {
		*ret = 0;
		return 0;
	}
	rest = u % unit;
	u -= rest;
	if (rest > unit / 2 ||
	    (unit > 1 && rest == unit / 2 && u / unit % 2 == 1)) {
		if (__builtin_add_overflow(u, unit, &u))
			return tmpl_overflow(r);
	}
	if (u > (uint64_t)INT64_MAX + (i < 0))
		return tmpl_overflow(r);
	*ret = i < 0 ? (int64_t)-u : (int64_t)u;
	return 0;
}

/* f rounded to a power of ten above 1: the digits before the point as text. */
static double
round_up_float(double f, size_t digits)
{
	char text[400];
	size_t len, keep, i;
	bool up, more;

	(void)snprintf(text + 1, sizeof(text) - 1, "%.0f", trunc(fabs(f)));
	text[0] = '0';
	len = strlen(text);
	if (digits >= len)
		return copysign(0, f);
	keep = len - digits;
	more = f != trunc(f);
	for (i = keep + 1; i < len; i++)
		more = more || text[i] != '0';
	up = text[keep] > '5' ||
	    (text[keep] == '5' && (more || (text[keep - 1] - '0') % 2 == 1));
	for (i = keep; i < len; i++)
		text[i] = '0';
	for (i = keep; up && i > 0; i--) {
		up = text[i - 1] == '9';
		text[i - 1] = up ? '0' : (char)(text[i - 1] + 1);
	}
	return copysign(strtod(text, NULL), f);
}

static double
round_float(double f, int64_t digits)
{
	char text[800];

	if (!isfinite(f) || digits > 323)
		return f;
	if (digits < -308)
		return copysign(0, f);
	if (digits < 0)
		return round_up_float(f, (size_t)-digits);
	(void)snprintf(text, sizeof(text), "%.*f", (int)digits, f);
	return strtod(text, NULL);
}

int
tmpl_round(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value digits,
    struct tmpl_value *ret)
{
	bool whole = digits.type == TMPL_ABSENT || digits.type == TMPL_NONE;
	int64_t i = 0, n = 0;
	double f;

	if (!tmpl_is_number(v))
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "type %s doesn't define __round__ method",
		    tmpl_type_name(v));
	if (!whole && tmpl_need_int(r, digits, &n) == -1)
		return -1;
	if (v.type == TMPL_FLOAT) {
		if (!whole) {
			f = round_float(v.u.f, n);
			if (isinf(f) && isfinite(v.u.f))
				return tmpl_raise(r, TMPL_OVERFLOW_ERROR,
				    "rounded value too large to represent");
			*ret = tmpl_float(f);
			return 0;
		}
		if (tmpl_float_to_int(r, rint(v.u.f), &i) == -1)
			return -1;
		*ret = tmpl_int(i);
		return 0;
	}
	i = tmpl_as_int(v);
	if (n < 0 && round_int(r, i, n == INT64_MIN ? 20 : -n, &i) == -1)
		return -1;
	*ret = tmpl_int(i);
	return 0;
}

/* Digits */

void
tmpl_int_digits(int64_t i, unsigned base, bool upper, struct strbuf *out)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	uint64_t u = i < 0 ? -(uint64_t)i : (uint64_t)i;
	char text[64];
	size_t n = sizeof(text);

	do {
		text[--n] = digits[u % base];
		u /= base;
	} while (u > 0);
	strbuf_add(out, text + n, sizeof(text) - n);
}

static void
add_float(struct strbuf *out, double f, char type, int digits, bool alternate)
{
	switch (type) {
	case 'e':
		strbuf_addf(out, alternate ? "%#.*e" : "%.*e", digits, f);
		break;
	case 'E':
		strbuf_addf(out, alternate ? "%#.*E" : "%.*E", digits, f);
		break;
	case 'g':
		strbuf_addf(out, alternate ? "%#.*g" : "%.*g", digits, f);
		break;
	case 'G':
		strbuf_addf(out, alternate ? "%#.*G" : "%.*G", digits, f);
		break;
	default:
		strbuf_addf(out, alternate ? "%#.*f" : "%.*f", digits, f);
		break;
	}
}

int
tmpl_float_digits(struct tmpl_run *r, double f, char type, size_t digits,
    bool alternate, struct strbuf *out)
{
	bool upper = type >= 'A' && type <= 'Z';

	if (digits > TMPL_OUT_MAX)
		return tmpl_raise(r, TMPL_LIMIT, "a precision above 16 MiB");
	if (tmpl_charge(r, digits) == -1)
		return -1;
	if (isnan(f))
		strbuf_adds(out, upper ? "NAN" : "nan");
	else if (isinf(f))
		strbuf_adds(out, upper ? "INF" : "inf");
	else
		add_float(out, fabs(f), type, (int)digits, alternate);
	return tmpl_check(r, out);
}
