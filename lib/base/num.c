/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Numbers from text: see num.h. Digits are read by hand, because strtol() and
 * its kin take blanks, signs and prefixes that nobody asked for; strtod() is
 * called only for what has been found to be a plain decimal. It reads by the
 * "C" locale: no program of ours calls setlocale() for LC_NUMERIC.
 */
#include "lib/base/num.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How much of a refused text an error shows. */
#define SHOW_LEN 64

static int
not_a_number(const char *s, size_t len, const char *what, struct error *e)
{
	int show = (int)(len < SHOW_LEN ? len : SHOW_LEN);

	return error_set(e, OVE_INVALID, "'%.*s%s' is not %s", show, s,
	    len > SHOW_LEN ? "..." : "", what);
}

enum digits {
	DIGITS_OK,
	DIGITS_NONE,
	DIGITS_BIG
};

/* Reads all of s as decimal digits. */
static enum digits
read_digits(const char *s, size_t len, uint64_t *ret)
{
	enum digits rc = DIGITS_OK;
	uint64_t v = 0;
	size_t i;

	if (len == 0)
		return DIGITS_NONE;
	for (i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return DIGITS_NONE;
		if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(s[i] - '0'), &v))
			rc = DIGITS_BIG;
	}
	*ret = v;
	return rc;
}

int
num_u64_len(const char *s, size_t len, uint64_t min, uint64_t max,
    uint64_t *ret, struct error *e)
{
	uint64_t v = 0;
	enum digits d = read_digits(s, len, &v);

	if (d == DIGITS_NONE)
		return not_a_number(s, len, "a whole number", e);
	if (d == DIGITS_BIG || v < min || v > max) {
		return error_set(e, OVE_INVALID,
		    "'%.*s' is not between %" PRIu64 " and %" PRIu64,
		    (int)(len < SHOW_LEN ? len : SHOW_LEN), s, min, max);
	}
	*ret = v;
	return 0;
}

int
num_u64(
    const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct error *e)
{
	return num_u64_len(s, strlen(s), min, max, ret, e);
}

int
num_i64(const char *s, int64_t min, int64_t max, int64_t *ret, struct error *e)
{
	bool neg = s[0] == '-';
	size_t len = strlen(s);
	uint64_t v = 0;
	int64_t i = 0;
	bool big;
	enum digits d = read_digits(s + neg, len - neg, &v);

	if (d == DIGITS_NONE)
		return not_a_number(s, len, "a whole number", e);
	big = d == DIGITS_BIG;
	if (neg)
		big |= __builtin_sub_overflow((int64_t)0, v, &i);
	else
		big |= __builtin_add_overflow((int64_t)0, v, &i);
	if (big || i < min || i > max) {
		return error_set(e, OVE_INVALID,
		    "'%.*s' is not between %" PRId64 " and %" PRId64,
		    (int)(len < SHOW_LEN ? len : SHOW_LEN), s, min, max);
	}
	*ret = i;
	return 0;
}

int
num_double(const char *s, double *ret, struct error *e)
{
	size_t len = strlen(s);
	char *end;
	double v;

	/* Letters but E would be hexadecimal, infinity or not a number; a
	 * plus sign or a blank in front is not for us either. */
	if (len == 0 || strspn(s, "0123456789.eE+-") != len || s[0] == '+')
		return not_a_number(s, len, "a number", e);
	v = strtod(s, &end);
	if (*end != '\0' || end == s)
		return not_a_number(s, len, "a number", e);
	if (!isfinite(v))
		return not_a_number(s, len, "a number that can be kept", e);
	*ret = v;
	return 0;
}

int
num_duration_ms(const char *s, int64_t *ret_ms, struct error *e)
{
	/* From long to short: each at most once and in this order. */
	static const struct {
		char unit;
		int64_t ms;
	} units[] = {
		{ 'd', 86400000 },
		{ 'h', 3600000 },
		{ 'm', 60000 },
		{ 's', 1000 },
	};
	const char *p = s;
	size_t next = 0, i, n;
	int64_t sum = 0, part;
	uint64_t v = 0;
	bool big = false;

	do {
		n = strspn(p, "0123456789");
		/* A bare number is seconds, but only alone. */
		if (p == s && n > 0 && p[n] == '\0')
			i = ARRAY_LEN(units) - 1;
		else
			for (i = next; i < ARRAY_LEN(units); i++)
				if (units[i].unit == p[n])
					break;
		if (n == 0 || i == ARRAY_LEN(units))
			return not_a_number(s, strlen(s),
			    "a duration such as '90s' or '1h30m'", e);
		big |= read_digits(p, n, &v) == DIGITS_BIG;
		big |= __builtin_mul_overflow(v, units[i].ms, &part);
		big |= __builtin_add_overflow(sum, part, &sum);
		next = i + 1;
		p += n + (p[n] != '\0');
	} while (*p != '\0');
	if (big)
		return not_a_number(s, strlen(s), "a duration that fits", e);
	*ret_ms = sum;
	return 0;
}
