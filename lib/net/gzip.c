/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See gzip.h. The only file that includes zlib.
 *
 * The window and the tables are no bigger than the text needs: for the usual
 * reply of a few KiB, clearing the tables of the default would take longer than
 * the compression.
 */
#include "lib/net/gzip.h"

#include <string.h>
#include <strings.h>

#define ZLIB_CONST
#include <zlib.h>

#include "lib/base/mem.h"

#define LEVEL 1
/* Added to the window's bits: a gzip header and trailer. */
#define GZIP_FORMAT 16
#define WINDOW_MIN 10
#define WINDOW_MAX 15

/* Accept-Encoding */

static size_t
skip_blanks(const char *s)
{
	return strspn(s, " \t");
}

/* Whether a parameter list (";q=0.5") leaves the quality above 0. What is no
 * quality is 0: nobody gets what he cannot read. */
static bool
has_quality(const char *s, size_t len)
{
	const char *end = s + len;

	s += skip_blanks(s);
	if (s >= end)
		return true;
	if (*s != ';')
		return false;
	s++;
	s += skip_blanks(s);
	if (end - s < 3 || (*s != 'q' && *s != 'Q') || s[1] != '=')
		return false;
	s += 2;
	if (*s == '1')
		return true;
	if (s[0] != '0' || end - s < 2 || s[1] != '.')
		return false;
	for (s += 2; s < end && *s >= '0' && *s <= '9'; s++)
		if (*s != '0')
			return true;
	return false;
}

bool
gzip_is_accepted(const char *value)
{
	size_t len;

	for (;;) {
		value += strspn(value, " \t,");
		if (*value == '\0')
			return false;
		len = strcspn(value, ",");
		if (len >= 4 && strncasecmp(value, "gzip", 4) == 0 &&
		    (len == 4 || strchr(" \t;", value[4]) != NULL))
			return has_quality(value + 4, len - 4);
		value += len;
	}
}

/* Compression */

static voidpf
take(voidpf ctx, uInt n, uInt size)
{
	(void)ctx;
	return mem_calloc(n, size);
}

static void
give_back(voidpf ctx, voidpf p)
{
	(void)ctx;
	mem_free(p);
}

static int
window_bits(size_t len)
{
	int bits = WINDOW_MIN;

	while (bits < WINDOW_MAX && ((size_t)1 << bits) < len)
		bits++;
	return bits;
}

int
gzip_pack(const void *p, size_t len, struct strbuf *out, struct error *e)
{
	z_stream z = { .zalloc = take, .zfree = give_back };
	int bits = window_bits(len), rc;
	uLong room;
	char *to;

	if (len > (size_t)1 << 30)
		return error_set(e, OVE_LIMIT, "too long to be compressed");
	/* Tables of an eighth of the window, as the default's are. */
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, bits + GZIP_FORMAT, bits - 7,
		Z_DEFAULT_STRATEGY) != Z_OK)
		return error_nomem(e);
	room = deflateBound(&z, (uLong)len);
	to = strbuf_reserve(out, room);
	if (to == NULL) {
		(void)deflateEnd(&z);
		return strbuf_check(out, e);
	}
	z.next_in = p;
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)to;
	z.avail_out = (uInt)room;
	rc = deflate(&z, Z_FINISH);
	(void)deflateEnd(&z);
	if (rc != Z_STREAM_END)
		return error_set(e, OVE_INTERNAL, "compression failed");
	strbuf_commit(out, room - z.avail_out);
	return 0;
}
