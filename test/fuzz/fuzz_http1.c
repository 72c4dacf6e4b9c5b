/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP/1.1 reader. The input is a connection's bytes: a head, and if that
 * announces chunks, the body after it. Each part is read whole and again in
 * pieces, whose sizes come from the input's last byte; both must end the same
 * way. What is accepted is checked against the few things that no accepted head
 * may be.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/http1.h"

#define HEAD_MAX 4096
#define BODY_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
require(bool ok)
{
	if (!ok)
		abort();
}

static bool
within(struct http1_span s, const char *buf, size_t len)
{
	return s.p >= buf && s.p + s.len <= buf + len;
}

static size_t
count(const struct http1_head *h, const char *name)
{
	size_t n = 0;

	while (http1_find(h, name, n) != NULL)
		n++;
	return n;
}

static void
check_head(const struct http1_head *h, const char *buf, size_t len)
{
	size_t i, lengths = count(h, "Content-Length");
	size_t codings = count(h, "Transfer-Encoding");

	require(h->len <= len && h->len <= HEAD_MAX && h->len >= 4);
	require(memcmp(buf + h->len - 4, "\r\n\r\n", 4) == 0);
	require(memchr(buf, '\0', h->len) == NULL);
	require(within(h->method, buf, h->len) && h->method.len > 0);
	require(within(h->path, buf, h->len) && h->path.len > 0);
	require(within(h->query, buf, h->len));
	require(h->headers_n <= HTTP1_HEADERS_MAX);
	for (i = 0; i < h->headers_n; i++) {
		require(within(h->headers[i].name, buf, h->len));
		require(within(h->headers[i].value, buf, h->len));
		require(h->headers[i].name.len > 0);
		/* What follows a value can become its NUL. */
		require(h->headers[i].value.p + h->headers[i].value.len <
		    buf + h->len);
	}
	require(h->minor == 0 || count(h, "Host") == 1);
	require(lengths + codings <= 1);
	require((h->body == HTTP1_BODY_CHUNKED) == (codings == 1));
	require(h->body != HTTP1_BODY_LENGTH || lengths == 1);
}

static enum http1_result
read_head(
    const char *buf, size_t len, size_t step, struct http1_head *h, int *status)
{
	struct http1_refusal why = { 0 };
	enum http1_result res = HTTP1_MORE;
	size_t n = 0, seen = 0;

	do {
		n = len - n < step ? len : n + step;
		res = http1_read_head(buf, n, HEAD_MAX, &seen, h, &why);
		require(seen <= n);
	} while (res == HTTP1_MORE && n < len);
	require((res == HTTP1_BAD) == (why.status != 0));
	*status = why.status;
	return res;
}

static enum http1_result
read_chunks(const char *buf, size_t len, size_t step, struct strbuf *out,
    size_t *ret_used)
{
	struct http1_refusal why = { 0 };
	struct http1_chunked c;
	enum http1_result res = HTTP1_MORE;
	size_t at = 0, n, used;

	http1_chunked_init(&c);
	while (res == HTTP1_MORE && at < len) {
		n = len - at < step ? len - at : step;
		res = http1_chunked_feed(&c, buf + at, n, &used, out, &why);
		require(used <= n && (res != HTTP1_MORE || used == n));
		at += used;
	}
	require((res == HTTP1_BAD) == (why.status != 0));
	*ret_used = at;
	return res;
}

static void
try_chunks(const char *buf, size_t len, size_t step)
{
	struct strbuf a AUTO_STRBUF, b AUTO_STRBUF;
	enum http1_result res_a, res_b;
	size_t used_a, used_b;

	strbuf_init(&a, BODY_MAX);
	strbuf_init(&b, BODY_MAX);
	res_a = read_chunks(buf, len, len, &a, &used_a);
	res_b = read_chunks(buf, len, step, &b, &used_b);
	require(res_a == res_b && used_a == used_b && a.len == b.len);
	require(memcmp(a.buf, b.buf, a.len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http1_head a, b;
	const char *buf = (const char *)data;
	enum http1_result res;
	size_t step;
	int status_a, status_b;

	if (size == 0)
		return 0;
	step = 1 + data[size - 1] % 32;
	res = read_head(buf, size, size, &a, &status_a);
	require(read_head(buf, size, step, &b, &status_b) == res);
	/* Refused earlier, a long head may have another reason. */
	require(size > HEAD_MAX || step > 1 || status_a == status_b ||
	    status_b == 400 || status_b == 505);
	if (res == HTTP1_OK) {
		check_head(&a, buf, size);
		require(a.len == b.len && a.headers_n == b.headers_n);
		if (a.body == HTTP1_BODY_CHUNKED)
			try_chunks(buf + a.len, size - a.len, step);
	}
	try_chunks(buf, size, step);
	return 0;
}
