/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The strict request reader: see http1.h. Pure functions over bytes, in two
 * passes: scan() looks at each byte once, however slowly they come, refuses
 * what no line may hold (NUL, control characters, bare CR, bare LF) and finds
 * the blank line; then the lines are cut by the grammar of RFC 9112.
 *
 * Refused beyond the RFC, because two readers could differ about it: an empty
 * line before the request, any folded line, Content-Length more than once or
 * as a list even when the values agree, every transfer coding but `chunked`
 * alone (501), both framings together, framing by chunks in HTTP/1.0, bytes
 * over 0x7e in a target, more than one Host, every other version than 1.0 and
 * 1.1 (505), every other expectation than 100-continue (417).
 *
 * HTTP/1.0 is read and never kept alive. An absolute-form target is valid and
 * becomes a path that starts with no '/', so that no route matches it. The
 * method is any token: which ones are known is the router's business.
 */
#include "lib/net/http1.h"

#include <string.h>

#include "lib/base/num.h"

/* No known method has even a quarter of it. */
#define METHOD_MAX 32

enum {
	CH_TOKEN = 1,
	CH_HOST = 2,
	/* Inside the brackets of an IPv6 address. */
	CH_ADDRESS = 4,
	CH_TARGET = 8,
};

static const uint8_t classes[128] = {
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                /* */
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,                /* */
	0, 9, 8, 9, 9, 11, 9, 9, 8, 8, 9, 9, 8, 11, 15, 8,             /* ! */
	15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 12, 8, 8, 8, 8, 8,     /* 0 */
	8, 15, 15, 15, 15, 15, 15, 11, 11, 11, 11, 11, 11, 11, 11, 11, /* A */
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 8, 8, 8, 9, 11,    /* P */
	9, 15, 15, 15, 15, 15, 15, 11, 11, 11, 11, 11, 11, 11, 11, 11, /* a */
	11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 8, 9, 8, 11, 0,    /* p */
};

static bool
is_class(char c, unsigned class)
{
	unsigned char u = (unsigned char)c;

	return u < 128 && (classes[u] & class) != 0;
}

bool
http1_is_token(char c)
{
	return is_class(c, CH_TOKEN);
}

static size_t
span_class(const char *p, size_t len, unsigned class)
{
	size_t n = 0;

	while (n < len && is_class(p[n], class))
		n++;
	return n;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
http1_span_is(struct http1_span s, const char *text)
{
	return strlen(text) == s.len && memcmp(s.p, text, s.len) == 0;
}

bool
http1_span_is_nocase(struct http1_span s, const char *text)
{
	size_t i;

	if (strlen(text) != s.len)
		return false;
	for (i = 0; i < s.len; i++)
		if (lower(s.p[i]) != lower(text[i]))
			return false;
	return true;
}

const struct http1_header *
http1_find(const struct http1_head *h, const char *name, size_t nth)
{
	size_t i;

	for (i = 0; i < h->headers_n; i++)
		if (http1_span_is_nocase(h->headers[i].name, name) &&
		    nth-- == 0)
			return &h->headers[i];
	return NULL;
}

static enum http1_result
refuse(struct http1_refusal *why, int status, const char *text)
{
	why->status = status;
	why->why = text;
	return HTTP1_BAD;
}

/* Finds the end of the head from *seen on, over bytes that a head may have. */
static enum http1_result
scan(const char *buf, size_t len, size_t *seen, size_t *ret_end,
    struct http1_refusal *why)
{
	unsigned char c;
	size_t i;

	for (i = *seen; i < len; i++) {
		c = (unsigned char)buf[i];
		if ((c >= ' ' && c != 0x7f) || c == '\t')
			continue;
		if (c == '\n')
			return refuse(why, 400, "a line ends without CR");
		if (c != '\r')
			return refuse(why, 400, "control character in head");
		if (i + 1 == len)
			break;
		if (buf[i + 1] != '\n')
			return refuse(why, 400, "CR without LF");
		if (i == 0)
			return refuse(why, 400, "empty line before request");
		if (buf[i - 1] == '\n') {
			*ret_end = i + 2;
			return HTTP1_OK;
		}
		i++;
	}
	*seen = i;
	return HTTP1_MORE;
}

static enum http1_result
read_target(
    struct http1_span t, struct http1_head *h, struct http1_refusal *why)
{
	struct http1_span scheme;
	const char *q;

	if (t.len == 0 || span_class(t.p, t.len, CH_TARGET) != t.len)
		return refuse(why, 400, "invalid character in request target");
	h->target = h->path = t;
	h->query = (struct http1_span){ t.p + t.len, 0 };
	if (t.p[0] == '/') {
		q = memchr(t.p, '?', t.len);
		if (q != NULL) {
			h->path.len = (size_t)(q - t.p);
			h->query.p = q + 1;
			h->query.len = t.len - h->path.len - 1;
		}
		return HTTP1_OK;
	}
	if (http1_span_is(t, "*")) {
		if (!http1_span_is(h->method, "OPTIONS"))
			return refuse(why, 400, "'*' is for OPTIONS only");
		return HTTP1_OK;
	}
	scheme = (struct http1_span){ t.p, t.len > 8 ? 8 : t.len };
	if (http1_span_is_nocase(scheme, "https://"))
		return HTTP1_OK;
	scheme.len = scheme.len > 7 ? 7 : scheme.len;
	if (t.len > 7 && http1_span_is_nocase(scheme, "http://"))
		return HTTP1_OK;
	return refuse(why, 400, "request target is no path");
}

static enum http1_result
read_version(
    struct http1_span v, struct http1_head *h, struct http1_refusal *why)
{
	if (v.len != 8 || memcmp(v.p, "HTTP/", 5) != 0 || !is_digit(v.p[5]) ||
	    v.p[6] != '.' || !is_digit(v.p[7]))
		return refuse(why, 400, "malformed request line");
	if (v.p[5] != '1' || v.p[7] > '1')
		return refuse(why, 505, "HTTP version is not 1.0 or 1.1");
	h->minor = v.p[7] - '0';
	return HTTP1_OK;
}

static enum http1_result
read_request_line(
    struct http1_span line, struct http1_head *h, struct http1_refusal *why)
{
	struct http1_span target;
	enum http1_result res;
	const char *sp, *rest;
	size_t n, left;

	n = span_class(line.p, line.len, CH_TOKEN);
	if (n == 0 || n > METHOD_MAX || n == line.len || line.p[n] != ' ')
		return refuse(why, 400, "malformed method");
	h->method = (struct http1_span){ line.p, n };
	rest = line.p + n + 1;
	left = line.len - n - 1;
	sp = left > 0 ? memchr(rest, ' ', left) : NULL;
	if (sp == NULL)
		return refuse(why, 400, "malformed request line");
	target = (struct http1_span){ rest, (size_t)(sp - rest) };
	/* The version first: its 505 says more about an HTTP/2 preface. */
	res = read_version(
	    (struct http1_span){ sp + 1, left - target.len - 1 }, h, why);
	if (res != HTTP1_OK)
		return res;
	return read_target(target, h, why);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct http1_span
trim(struct http1_span s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* Cuts "Name: value". */
static enum http1_result
cut_header(
    struct http1_span line, struct http1_header *ret, struct http1_refusal *why)
{
	size_t n;

	if (line.len > 0 && is_blank(line.p[0]))
		return refuse(why, 400, "folded header line");
	n = span_class(line.p, line.len, CH_TOKEN);
	if (n < line.len && n > 0 && is_blank(line.p[n]))
		return refuse(why, 400, "blank in or after a header name");
	if (n == line.len)
		return refuse(why, 400, "header line without colon");
	if (line.p[n] != ':')
		return refuse(why, 400, "invalid character in header name");
	if (n == 0)
		return refuse(why, 400, "empty header name");
	ret->name = (struct http1_span){ line.p, n };
	ret->value =
	    trim((struct http1_span){ line.p + n + 1, line.len - n - 1 });
	return HTTP1_OK;
}

static bool
is_host(struct http1_span v)
{
	size_t n, digits;

	if (v.len > 0 && v.p[0] == '[') {
		n = 1 + span_class(v.p + 1, v.len - 1, CH_ADDRESS);
		if (n < 3 || n == v.len || v.p[n] != ']')
			return false;
		n++;
	} else {
		n = span_class(v.p, v.len, CH_HOST);
	}
	if (n == v.len)
		return true;
	if (n == 0 || v.p[n] != ':')
		return false;
	for (digits = 0; n + 1 + digits < v.len; digits++)
		if (!is_digit(v.p[n + 1 + digits]))
			return false;
	return digits <= 5;
}

/* How often the headers that may come once only have come. */
struct seen_headers {
	unsigned host;
	unsigned length;
	unsigned coding;
};

static void
read_connection(struct http1_span v, struct http1_head *h)
{
	struct http1_span item;
	const char *comma;

	while (v.len > 0) {
		comma = memchr(v.p, ',', v.len);
		item = v;
		if (comma != NULL)
			item.len = (size_t)(comma - v.p);
		v.p += item.len + (comma != NULL);
		v.len -= item.len + (comma != NULL);
		if (http1_span_is_nocase(trim(item), "close"))
			h->keep_alive = false;
	}
}

static enum http1_result
read_length(
    struct http1_span v, struct http1_head *h, struct http1_refusal *why)
{
	size_t i;

	for (i = 0; i < v.len; i++)
		if (!is_digit(v.p[i]))
			break;
	if (v.len == 0 || i < v.len ||
	    num_u64_len(v.p, v.len, 0, INT64_MAX, &h->content_length, NULL) ==
		-1)
		return refuse(why, 400, "invalid Content-Length");
	return HTTP1_OK;
}

/* Takes in the meaning of a header that has one here. */
static enum http1_result
read_header(const struct http1_header *f, struct http1_head *h,
    struct seen_headers *s, struct http1_refusal *why)
{
	switch (f->name.len) {
	case 4:
		if (!http1_span_is_nocase(f->name, "host"))
			break;
		if (s->host++ > 0)
			return refuse(why, 400, "more than one Host");
		if (!is_host(f->value))
			return refuse(why, 400, "invalid Host");
		break;
	case 6:
		if (!http1_span_is_nocase(f->name, "expect"))
			break;
		if (!http1_span_is_nocase(f->value, "100-continue"))
			return refuse(why, 417, "unknown expectation");
		h->expect_continue = true;
		break;
	case 10:
		if (http1_span_is_nocase(f->name, "connection"))
			read_connection(f->value, h);
		break;
	case 14:
		if (!http1_span_is_nocase(f->name, "content-length"))
			break;
		if (s->length++ > 0)
			return refuse(why, 400, "more than one Content-Length");
		return read_length(f->value, h, why);
	case 17:
		if (!http1_span_is_nocase(f->name, "transfer-encoding"))
			break;
		s->coding++;
		if (http1_span_is_nocase(f->value, "chunked"))
			h->body = HTTP1_BODY_CHUNKED;
		break;
	default:
		break;
	}
	return HTTP1_OK;
}

/* What the headers mean together. */
static enum http1_result
judge(const struct seen_headers *s, struct http1_head *h,
    struct http1_refusal *why)
{
	if (s->host == 0 && h->minor == 1)
		return refuse(why, 400, "no Host");
	if (s->coding > 0 && s->length > 0)
		return refuse(
		    why, 400, "both Transfer-Encoding and Content-Length");
	if (s->coding > 1)
		return refuse(why, 400, "more than one Transfer-Encoding");
	if (s->coding > 0 && h->minor == 0)
		return refuse(why, 400, "Transfer-Encoding in HTTP/1.0");
	if (s->coding > 0 && h->body != HTTP1_BODY_CHUNKED)
		return refuse(why, 501, "transfer coding is not 'chunked'");
	if (s->length > 0 && h->content_length > 0)
		h->body = HTTP1_BODY_LENGTH;
	if (h->minor == 0) {
		h->keep_alive = false;
		h->expect_continue = false;
	}
	return HTTP1_OK;
}

static struct http1_span
next_line(const char **p, const char *end)
{
	const char *cr = memchr(*p, '\r', (size_t)(end - *p));
	struct http1_span line = { *p, (size_t)(cr - *p) };

	*p = cr + 2;
	return line;
}

static enum http1_result
read_lines(const char *buf, size_t end, struct http1_head *h,
    struct http1_refusal *why)
{
	struct seen_headers s = { 0 };
	struct http1_header *f;
	struct http1_span line;
	enum http1_result res;
	const char *p = buf;

	res = read_request_line(next_line(&p, buf + end), h, why);
	if (res != HTTP1_OK)
		return res;
	for (;;) {
		line = next_line(&p, buf + end);
		if (line.len == 0)
			break;
		if (h->headers_n == HTTP1_HEADERS_MAX)
			return refuse(why, 431, "too many headers");
		f = &h->headers[h->headers_n];
		res = cut_header(line, f, why);
		if (res == HTTP1_OK)
			res = read_header(f, h, &s, why);
		if (res != HTTP1_OK)
			return res;
		h->headers_n++;
	}
	h->len = end;
	return judge(&s, h, why);
}

/* The array of headers is not cleared: headers_n says what is in it. */
static void
clear(struct http1_head *h)
{
	h->minor = 0;
	h->body = HTTP1_BODY_NONE;
	h->content_length = 0;
	h->keep_alive = true;
	h->expect_continue = false;
	h->headers_n = 0;
	h->len = 0;
}

/* Judges the request line of a head that is not whole yet, once, when its end
 * is among the new bytes: who sends HTTP/0.9 or a garbled line is waiting for
 * an answer, not about to send more. */
static enum http1_result
early(const char *buf, size_t old, size_t len, struct http1_head *h,
    struct http1_refusal *why)
{
	enum http1_result res;
	const char *lf;

	lf = len > old ? memchr(buf + old, '\n', len - old) : NULL;
	if (lf == NULL || memchr(buf, '\n', old) != NULL)
		return HTTP1_MORE;
	res = read_request_line(
	    (struct http1_span){ buf, (size_t)(lf - buf) - 1 }, h, why);
	return res == HTTP1_OK ? HTTP1_MORE : res;
}

enum http1_result
http1_read_head(const char *buf, size_t len, size_t head_max, size_t *seen,
    struct http1_head *ret, struct http1_refusal *why)
{
	enum http1_result res;
	size_t old = *seen, end;

	clear(ret);
	res = scan(buf, len < head_max ? len : head_max, seen, &end, why);
	if (res == HTTP1_OK)
		return read_lines(buf, end, ret, why);
	if (res == HTTP1_MORE && len >= head_max)
		return refuse(why, 431, "request head is too large");
	if (res == HTTP1_MORE)
		return early(buf, old, *seen, ret, why);
	return res;
}
