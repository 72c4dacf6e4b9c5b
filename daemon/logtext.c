/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One pass over the bytes. An escape sequence is ESC [ (or U+009B as CP1252
 * readers know it, the single byte 0x9B, which is not valid UTF-8 on its own)
 * followed by parameter bytes, intermediate bytes and one final byte, all on
 * one line and within ESCAPE_MAX; anything else stays. Lines end at \n, \r\n or
 * \r. In pieces, what may become something else with the bytes to come is held.
 */
#include "daemon/logtext.h"

#include "lib/base/utf8.h"

/* None that a terminal knows is near it; what is longer is text. */
#define ESCAPE_MAX 4096
#define PIECE_MAX 16384

/* Length of an escape sequence at p, or 0; *open when bytes that follow might
 * still make it one. */
static size_t
escape_len(const unsigned char *p, size_t len, bool *open)
{
	size_t max = len < ESCAPE_MAX ? len : ESCAPE_MAX, i;

	*open = len == 1 && (p[0] == 0x1b || p[0] == 0xc2);
	if (len >= 2 && p[0] == 0x1b && p[1] == '[')
		i = 2;
	else if (len >= 2 && p[0] == 0xc2 && p[1] == 0x9b)
		i = 2;
	else
		return 0;
	while (i < max && p[i] >= 0x30 && p[i] <= 0x3f)
		i++;
	while (i < max && p[i] >= 0x20 && p[i] <= 0x2f)
		i++;
	*open = i == len && len < ESCAPE_MAX;
	return i < max && p[i] >= 0x40 && p[i] <= 0x7e ? i + 1 : 0;
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

/* Whether the bytes that follow decide what is at p. */
static bool
is_undecided(const unsigned char *p, size_t len)
{
	bool open;

	if (escape_len(p, len, &open) > 0)
		return false;
	/* The last line end is not shown. */
	return open || line_end_len(p, len) == len ||
	    (len < 4 && utf8_whole_len((const char *)p, len) == 0);
}

/* Up to the end, or to what may become something else with more. Returns how
 * much that was. */
static size_t
clean(struct strbuf *out, const char *text, size_t len, bool more)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t i = 0, n;
	bool open;

	while (i < len && !(more && is_undecided(p + i, len - i))) {
		if ((n = escape_len(p + i, len - i, &open)) > 0) {
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
	return i;
}

void
logtext_clean(struct strbuf *out, const char *text, size_t len)
{
	(void)clean(out, text, len, false);
}

void
logtext_init(struct logtext *t)
{
	strbuf_init(&t->held, ESCAPE_MAX + PIECE_MAX);
}

void
logtext_feed(
    struct logtext *t, struct strbuf *out, const char *text, size_t len)
{
	size_t n;

	for (; len > 0; text += n, len -= n) {
		n = len < PIECE_MAX ? len : PIECE_MAX;
		strbuf_add(&t->held, text, n);
		strbuf_consume(
		    &t->held, clean(out, t->held.buf, t->held.len, true));
	}
	if (t->held.latch != OVE_NONE && out->latch == OVE_NONE)
		out->latch = t->held.latch;
}

void
logtext_end(struct logtext *t, struct strbuf *out)
{
	(void)clean(out, t->held.buf, t->held.len, false);
	strbuf_reset(&t->held);
}

void
logtext_fini(struct logtext *t)
{
	strbuf_fini(&t->held);
}
