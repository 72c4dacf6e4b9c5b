/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Sizes of autoScale.rules and economy (deployment-files.md 5.4.3): one number,
 * with or without a word whose first letter is a unit. The original accepts
 * much as a word ("kx" is k), and so does this.
 */

#include "proto/spec.h"

#include <string.h>

#include "lib/base/num.h"

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* How many times 1024; -1: not a unit. */
static int
unit_of(const char *word, size_t len)
{
	static const char units[] = "bkmgtpezy";
	const char *p;
	char c;

	while (len > 0 && (word[len - 1] == 's' || word[len - 1] == 'S'))
		len--;
	if (len == 0)
		return -1;
	c = *word;
	if (c >= 'A' && c <= 'Z')
		c = (char)(c - 'A' + 'a');
	p = c != '\0' ? strchr(units, c) : NULL;
	return p != NULL ? (int)(p - units) : -1;
}

static int
scale_whole(const char *digits, size_t len, int power, int64_t *ret)
{
	uint64_t v;
	int i;

	if (num_u64_len(digits, len, 0, INT64_MAX, &v, NULL) == -1)
		return -1;
	for (i = 0; i < power; i++) {
		if (v > (uint64_t)INT64_MAX / 1024)
			return -1;
		v *= 1024;
	}
	*ret = (int64_t)v;
	return 0;
}

static int
scale_fraction(const char *digits, size_t len, int power, int64_t *ret)
{
	char text[64];
	double d;
	int i;

	if (len >= sizeof(text))
		return -1;
	memcpy(text, digits, len);
	text[len] = '\0';
	if (num_double(text, &d, NULL) == -1)
		return -1;
	for (i = 0; i < power; i++)
		d *= 1024;
	/* 2^63 */
	if (!(d < 9223372036854775808.0))
		return -1;
	*ret = (int64_t)d;
	return 0;
}

int
spec_parse_size(const char *text, size_t len, int64_t *ret)
{
	size_t i, start, end, word;
	bool fraction = false;
	int power = 0;

	for (start = 0; start < len && is_blank(text[start]); start++)
		continue;
	while (len > start && is_blank(text[len - 1]))
		len--;
	for (end = start; end < len && is_digit(text[end]); end++)
		continue;
	if (end == start)
		return -1;
	if (end + 1 < len && text[end] == '.' && is_digit(text[end + 1])) {
		fraction = true;
		for (end++; end < len && is_digit(text[end]); end++)
			continue;
	}
	for (word = end; word < len && is_blank(text[word]); word++)
		continue;
	for (i = word; i < len; i++) {
		if (is_digit(text[i]))
			return -1;
	}
	if (word < len)
		power = unit_of(text + word, len - word);
	if (power == -1)
		return -1;
	if (fraction)
		return scale_fraction(text + start, end - start, power, ret);
	return scale_whole(text + start, end - start, power, ret);
}
