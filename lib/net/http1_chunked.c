/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A body in chunks: see http1.h. A machine over single bytes, except for the
 * data itself, which is copied in blocks. Strict where readers differ: a size
 * is 1 to 16 hexadecimal digits and nothing else (no sign, no blank, no 0x), a
 * line ends in CR LF, the data of a chunk is followed by CR LF at once.
 *
 * Chunk extensions are legal and mean nothing here: they are read as visible
 * text after ';' up to the end of the line and ignored. Trailers must be valid
 * header lines, are bounded together, and are discarded.
 */
#include "lib/net/http1.h"

/* Size line with its extension; all trailer lines together. */
#define SIZE_LINE_MAX 256
#define TRAILER_MAX 4096

enum {
	AT_SIZE_FIRST,
	AT_SIZE,
	AT_EXTENSION,
	AT_SIZE_LF,
	AT_DATA,
	AT_DATA_CR,
	AT_DATA_LF,
	AT_TRAILER_FIRST,
	AT_TRAILER_NAME,
	AT_TRAILER_VALUE,
	AT_TRAILER_LF,
	AT_END_LF,
	AT_END,
};

void
http1_chunked_init(struct http1_chunked *c)
{
	*c = (struct http1_chunked){ .state = AT_SIZE_FIRST };
}

static enum http1_result
refuse(struct http1_refusal *why, int status, const char *text)
{
	why->status = status;
	why->why = text;
	return HTTP1_BAD;
}

static int
hex_value(char ch)
{
	if (ch >= '0' && ch <= '9')
		return ch - '0';
	if (ch >= 'a' && ch <= 'f')
		return ch - 'a' + 10;
	if (ch >= 'A' && ch <= 'F')
		return ch - 'A' + 10;
	return -1;
}

static bool
is_text(char ch)
{
	unsigned char u = (unsigned char)ch;

	return (u >= ' ' && u != 0x7f) || u == '\t';
}

/* The size is read: does it fit? */
static enum http1_result
start_data(struct http1_chunked *c, const struct strbuf *out,
    struct http1_refusal *why)
{
	c->line_len = 0;
	if (c->left == 0) {
		c->state = AT_TRAILER_FIRST;
		return HTTP1_MORE;
	}
	if (c->left > out->max - out->len)
		return refuse(why, 413, "request body is too large");
	c->total += c->left;
	c->state = AT_DATA;
	return HTTP1_MORE;
}

static enum http1_result
size_byte(struct http1_chunked *c, char ch, struct http1_refusal *why)
{
	int digit = hex_value(ch);

	if (digit >= 0 && c->left > UINT64_MAX >> 4)
		return refuse(why, 400, "chunk size is too large");
	if (digit >= 0) {
		if (c->line_len > 16)
			return refuse(why, 400, "chunk size is too long");
		c->left = c->left << 4 | (unsigned)digit;
		c->state = AT_SIZE;
		return HTTP1_MORE;
	}
	if (c->state == AT_SIZE && ch == '\r') {
		c->state = AT_SIZE_LF;
		return HTTP1_MORE;
	}
	if (c->state == AT_SIZE && ch == ';') {
		c->state = AT_EXTENSION;
		return HTTP1_MORE;
	}
	return refuse(why, 400, "invalid chunk size");
}

/* One byte of the lines after the last chunk. */
static enum http1_result
trailer_byte(struct http1_chunked *c, char ch, struct http1_refusal *why)
{
	switch (c->state) {
	case AT_TRAILER_FIRST:
		if (ch == '\r') {
			c->state = AT_END_LF;
			return HTTP1_MORE;
		}
		if (!http1_is_token(ch))
			return refuse(why, 400, "invalid trailer");
		c->state = AT_TRAILER_NAME;
		return HTTP1_MORE;
	case AT_TRAILER_NAME:
		if (ch == ':')
			c->state = AT_TRAILER_VALUE;
		else if (!http1_is_token(ch))
			return refuse(why, 400, "invalid trailer");
		return HTTP1_MORE;
	case AT_TRAILER_VALUE:
		if (ch == '\r')
			c->state = AT_TRAILER_LF;
		else if (!is_text(ch))
			return refuse(why, 400, "invalid trailer");
		return HTTP1_MORE;
	default:
		if (ch != '\n')
			return refuse(why, 400, "CR without LF");
		c->state = c->state == AT_END_LF ? AT_END : AT_TRAILER_FIRST;
		return c->state == AT_END ? HTTP1_OK : HTTP1_MORE;
	}
}

static enum http1_result
frame_byte(struct http1_chunked *c, char ch, const struct strbuf *out,
    struct http1_refusal *why)
{
	if (c->state >= AT_TRAILER_FIRST) {
		if (++c->line_len > TRAILER_MAX)
			return refuse(why, 431, "trailers are too large");
		return trailer_byte(c, ch, why);
	}
	if (++c->line_len > SIZE_LINE_MAX)
		return refuse(why, 400, "chunk extension is too long");
	switch (c->state) {
	case AT_SIZE_FIRST:
	case AT_SIZE:
		return size_byte(c, ch, why);
	case AT_EXTENSION:
		if (ch == '\r')
			c->state = AT_SIZE_LF;
		else if (!is_text(ch))
			return refuse(why, 400, "invalid chunk extension");
		return HTTP1_MORE;
	case AT_SIZE_LF:
		if (ch != '\n')
			return refuse(why, 400, "CR without LF");
		return start_data(c, out, why);
	case AT_DATA_CR:
		if (ch != '\r')
			return refuse(
			    why, 400, "chunk is longer than its size");
		c->state = AT_DATA_LF;
		return HTTP1_MORE;
	default:
		if (ch != '\n')
			return refuse(why, 400, "CR without LF");
		c->line_len = 0;
		c->state = AT_SIZE_FIRST;
		return HTTP1_MORE;
	}
}

static enum http1_result
data_bytes(struct http1_chunked *c, const char *buf, size_t len, size_t *used,
    struct strbuf *out, struct http1_refusal *why)
{
	size_t n = c->left < len ? (size_t)c->left : len;

	strbuf_add(out, buf, n);
	if (out->latch == OVE_LIMIT)
		return refuse(why, 413, "request body is too large");
	if (out->latch != OVE_NONE)
		return refuse(why, 503, "out of memory");
	*used += n;
	c->left -= n;
	if (c->left == 0) {
		c->line_len = 0;
		c->state = AT_DATA_CR;
	}
	return HTTP1_MORE;
}

enum http1_result
http1_chunked_feed(struct http1_chunked *c, const char *buf, size_t len,
    size_t *used, struct strbuf *out, struct http1_refusal *why)
{
	enum http1_result res = c->state == AT_END ? HTTP1_OK : HTTP1_MORE;

	*used = 0;
	while (*used < len && res == HTTP1_MORE) {
		if (c->state == AT_DATA)
			res = data_bytes(
			    c, buf + *used, len - *used, used, out, why);
		else
			res = frame_byte(c, buf[(*used)++], out, why);
	}
	return res;
}
