/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One pass over the bytes. An escape sequence is ESC [ (or U+009B as CP1252
 * readers know it, the single byte 0x9B, which is not valid UTF-8 on its own)
 * followed by parameter bytes, intermediate bytes and one final byte, all on
 * one line; anything else stays. Lines end at \n, \r\n or \r.
 */
#include "daemon/logtext.h"

#include "lib/base/utf8.h"

/* Length of an escape sequence at p, or 0. */
static size_t
escape_len(const unsigned char *p, size_t len)
{
	size_t i;

	if (len >= 2 && p[0] == 0x1b && p[1] == '[')
		i = 2;
	else if (len >= 2 && p[0] == 0xc2 && p[1] == 0x9b)
		i = 2;
	else
		return 0;
	while (i < len && p[i] >= 0x30 && p[i] <= 0x3f)
		i++;
	while (i < len && p[i] >= 0x20 && p[i] <= 0x2f)
		i++;
	return i < len && p[i] >= 0x40 && p[i] <= 0x7e ? i + 1 : 0;
}

/* Length of a line end at p, or 0. */
static size_t
line_end_len(const unsigned char *p, size_t len)
{
	if (p[0] == '\n')
		return 1;
	if (p[0] != '\r')
		return 0;
	return len >= 2 && p[1] == '\n' ? 2 : 1;
}

void
logtext_clean(struct strbuf *out, const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0, n;

	while (i < len) {
		if ((n = escape_len(p + i, len - i)) > 0) {
			i += n;
			continue;
		}
		if ((n = line_end_len(p + i, len - i)) > 0) {
			i += n;
			if (i < len)
				strbuf_addc(out, '\n');
			continue;
		}
		n = utf8_char_len(text + i, len - i);
		if (n == 0) {
			strbuf_adds(out, "\xef\xbf\xbd");
			i++;
			continue;
		}
		strbuf_add(out, text + i, n);
		i += n;
	}
}
