/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where a valid UTF-8 character ends: see utf8.h. One small decoder by ranges
 * (the table of RFC 3629 section 4) that keeps nothing; all else is built from
 * it.
 */
#include "lib/base/utf8.h"

static bool
is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t
utf8_char_len(const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n, i;

	if (len == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] >= 0xc2 && u[0] <= 0xdf)
		n = 2;
	else if (u[0] >= 0xe0 && u[0] <= 0xef)
		n = 3;
	else if (u[0] >= 0xf0 && u[0] <= 0xf4)
		n = 4;
	else
		return 0;
	/* The first bytes after which not every second byte is allowed. */
	if (u[0] == 0xe0)
		lo = 0xa0;
	else if (u[0] == 0xed)
		hi = 0x9f;
	else if (u[0] == 0xf0)
		lo = 0x90;
	else if (u[0] == 0xf4)
		hi = 0x8f;
	if (len < n || u[1] < lo || u[1] > hi)
		return 0;
	for (i = 2; i < n; i++) {
		if (!is_tail(u[i]))
			return 0;
	}
	return n;
}

unsigned
utf8_decode(const char *p, size_t n)
{
	const unsigned char *u = (const unsigned char *)p;

	switch (n) {
	case 1:
		return u[0];
	case 2:
		return (u[0] & 0x1fU) << 6 | (u[1] & 0x3fU);
	case 3:
		return (u[0] & 0x0fU) << 12 | (u[1] & 0x3fU) << 6 |
		    (u[2] & 0x3fU);
	default:
		return (u[0] & 0x07U) << 18 | (u[1] & 0x3fU) << 12 |
		    (u[2] & 0x3fU) << 6 | (u[3] & 0x3fU);
	}
}

bool
utf8_is_valid(const char *p, size_t len)
{
	size_t n;

	while (len > 0) {
		n = utf8_char_len(p, len);
		if (n == 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

size_t
utf8_print_len(const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t n = utf8_char_len(p, len);

	if (n == 1 && (u[0] < 0x20 || u[0] == 0x7f))
		return 0;
	if (n == 2 && u[0] == 0xc2 && u[1] < 0xa0)
		return 0;
	return n;
}

size_t
utf8_whole_len(const char *p, size_t len)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t back = 0;

	while (back < 3 && back < len && is_tail(u[len - back - 1]))
		back++;
	if (back == len || u[len - back - 1] < 0xc0)
		return len;
	/* The last first byte and its tail: a character, or cut in it. */
	if (utf8_char_len(p + len - back - 1, back + 1) > 0)
		return len;
	return len - back - 1;
}
