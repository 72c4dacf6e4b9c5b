/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The strict HTTP/1.1 reader and the reply writer. Each head of the tables is
 * read whole and byte by byte; both must end the same way.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/net/http1.h"
#include "test/unit/support/torture.h"

#define HEAD_MAX 512
#define H "Host: h\r\n"
#define END H "\r\n"

struct bad_row {
	const char *head;
	/* 0: strlen(head). */
	size_t len;
	int status;
};

/* clang-format off */
#define BYTES(s) (s), sizeof(s) - 1

static const struct bad_row bad_rows[] = {
	/* Request line. */
	{ BYTES("\r\n"), 400 },
	{ BYTES("\r\nGET / HTTP/1.1\r\n" END), 400 },
	{ BYTES("\nGET / HTTP/1.1\r\n" END), 400 },
	{ BYTES(" GET / HTTP/1.1\r\n" END), 400 },
	{ BYTES("\tGET / HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET\r\n" END), 400 },
	{ BYTES("GET \r\n" END), 400 },
	{ BYTES("GET /\r\n"), 400 },
	{ BYTES("GET / \r\n" END), 400 },
	{ BYTES("GET  / HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET /  HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET\t/ HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET /\tHTTP/1.1\r\n" END), 400 },
	{ BYTES("GET / HTTP/1.1 \r\n" END), 400 },
	{ BYTES("GET / HTTP/1.1\t\r\n" END), 400 },
	{ BYTES("GET /a b HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET /\xc3\xa9 HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET /\0 HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET /\x7f HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET v1/ping HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET h:80 HTTP/1.1\r\n" END), 400 },
	{ BYTES("CONNECT h:80 HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET http:/ HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET http:// HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET ftp://h/ HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET * HTTP/1.1\r\n" END), 400 },
	{ BYTES("OPTIONS ** HTTP/1.1\r\n" END), 400 },
	{ BYTES("G(T / HTTP/1.1\r\n" END), 400 },
	{ BYTES("G\xc9T / HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET: / HTTP/1.1\r\n" END), 400 },
	{ BYTES("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA / HTTP/1.1\r\n" END), 400 },
	{ BYTES("GET / HTTP\r\n" END), 400 },
	{ BYTES("GET / HTTP/1\r\n" END), 400 },
	{ BYTES("GET / HTTP/1.\r\n" END), 400 },
	{ BYTES("GET / HTTP/11\r\n" END), 400 },
	{ BYTES("GET / HTTP/1.10\r\n" END), 400 },
	{ BYTES("GET / HTTP/01.1\r\n" END), 400 },
	{ BYTES("GET / HTTP/+1.1\r\n" END), 400 },
	{ BYTES("GET / http/1.1\r\n" END), 400 },
	{ BYTES("GET / HTTP/1,1\r\n" END), 400 },
	{ BYTES("GET / HTTPS/1.1\r\n" END), 400 },
	{ BYTES("GET / HTTP/0.9\r\n" END), 505 },
	{ BYTES("GET / HTTP/1.2\r\n" END), 505 },
	{ BYTES("GET / HTTP/2.0\r\n" END), 505 },
	{ BYTES("GET / HTTP/9.9\r\n" END), 505 },
	{ BYTES("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
	{ BYTES("\x16\x03\x01\x02\x01"), 400 },
	/* Line ends. */
	{ BYTES("GET / HTTP/1.1\n" H "\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "\n"), 400 },
	{ BYTES("GET / HTTP/1.1\rHost: h\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\r\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: h\rX: y\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "\rX"), 400 },
	/* Header names and values. */
	{ BYTES("GET / HTTP/1.1\r\n" H ": v\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X : v\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X\t: v\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X Y: v\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X@: v\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "\xc3\xa9: v\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X: a\r\n b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X: a\r\n\tb\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n X: a\r\n" END), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X: a\0b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X\0: b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X: a\x01\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X: a\x7f\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "X: \x0b" "b\r\n\r\n"), 400 },
	/* Host. */
	{ BYTES("GET / HTTP/1.1\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nX: y\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H END), 400 },
	{ BYTES("GET / HTTP/1.1\r\n" H "HOST: i\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.0\r\n" H END), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: http://a\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a:80:80\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: a:123456\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: :80\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: []\r\n\r\n"), 400 },
	{ BYTES("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n"), 400 },
	/* Content-Length. */
	{ BYTES("POST / HTTP/1.1\r\nContent-Length:\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: +5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: -5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: 0x5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: 5, 5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: 5 5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: 5.0\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: 5e1\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length: five\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Content-Length: 99999999999999999999\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Content-Length: 18446744073709551621\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Content-Length: 5\r\nContent-Length: 6\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Content-Length: 5\r\ncontent-length: 5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nContent-Length : 5\r\n" END), 400 },
	/* Transfer-Encoding. */
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding:\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: identity\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: chunkedx\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: gzip, chunked\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: identity, chunked\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: chunked, gzip\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: chunked, chunked\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: chunked;q=1\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: \"chunked\"\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: chunked,\r\n" END), 501 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding: \x0b" "chunked\r\n" END),
	    400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n" END),
	    400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n" END),
	    400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n"
	    "Content-Length: 5\r\nTransfer-Encoding: xchunked\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n" END), 400 },
	{ BYTES("POST / HTTP/1.1\r\n Transfer-Encoding: chunked\r\n" END), 400 },
	/* Other. */
	{ BYTES("POST / HTTP/1.1\r\nExpect: 200-ok\r\n" END), 417 },
};
/* clang-format on */

static void
check_bad(const struct bad_row *row, size_t step)
{
	struct http1_refusal why = { 0 };
	struct http1_head *h = mem_calloc(1, sizeof(*h));
	enum http1_result res = HTTP1_MORE;
	size_t len, seen = 0;

	assert_non_null(h);
	for (len = step; res == HTTP1_MORE && len < row->len + step;
	     len += step) {
		res = http1_read_head(row->head,
		    len < row->len ? len : row->len, HEAD_MAX, &seen, h, &why);
	}
	mem_free(h);
	if (res != HTTP1_BAD || why.status != row->status || why.why == NULL)
		fail_msg("result %d, status %d of: %s", (int)res, why.status,
		    row->head);
}

static void
malformed_heads_are_refused(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad_rows); i++) {
		check_bad(&bad_rows[i], bad_rows[i].len);
		check_bad(&bad_rows[i], 1);
	}
}

struct good_row {
	const char *head;
	const char *method;
	const char *path;
	const char *query;
	int minor;
	enum http1_body body;
	uint64_t length;
	bool keep_alive;
	bool expect;
	size_t headers_n;
};

static const struct good_row good_rows[] = {
	{ "GET / HTTP/1.1\r\n" END, "GET", "/", "", 1, HTTP1_BODY_NONE, 0, true,
	    false, 1 },
	{ "GET /a/b?c=d?e#f HTTP/1.1\r\n" END, "GET", "/a/b", "c=d?e#f", 1,
	    HTTP1_BODY_NONE, 0, true, false, 1 },
	{ "GET /? HTTP/1.1\r\n" END, "GET", "/", "", 1, HTTP1_BODY_NONE, 0,
	    true, false, 1 },
	{ "GET /#x HTTP/1.1\r\n" END, "GET", "/#x", "", 1, HTTP1_BODY_NONE, 0,
	    true, false, 1 },
	{ "OPTIONS * HTTP/1.1\r\n" END, "OPTIONS", "*", "", 1, HTTP1_BODY_NONE,
	    0, true, false, 1 },
	{ "GET http://h/v1?x HTTP/1.1\r\n" END, "GET", "http://h/v1?x", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 1 },
	{ "GET HTTPS://h HTTP/1.1\r\n" END, "GET", "HTTPS://h", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 1 },
	{ "get / HTTP/1.0\r\n\r\n", "get", "/", "", 0, HTTP1_BODY_NONE, 0,
	    false, false, 0 },
	{ "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "GET", "/", "", 0,
	    HTTP1_BODY_NONE, 0, false, false, 1 },
	{ "GET / HTTP/1.1\r\nConnection: x ,\tClose\r\n" END, "GET", "/", "", 1,
	    HTTP1_BODY_NONE, 0, false, false, 2 },
	{ "GET / HTTP/1.1\r\nConnection: closed\r\n" END, "GET", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 2 },
	{ "HEAD / HTTP/1.1\r\nContent-Length: 5\r\n" END, "HEAD", "/", "", 1,
	    HTTP1_BODY_LENGTH, 5, true, false, 2 },
	{ "POST / HTTP/1.1\r\ncontent-length:007 \r\n" END, "POST", "/", "", 1,
	    HTTP1_BODY_LENGTH, 7, true, false, 2 },
	{ "POST / HTTP/1.1\r\nContent-Length: 0\r\n" END, "POST", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 2 },
	{ "POST / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n" END,
	    "POST", "/", "", 1, HTTP1_BODY_LENGTH, INT64_MAX, true, false, 2 },
	{ "POST / HTTP/1.1\r\nTransfer-Encoding:\t Chunked \r\n" END, "POST",
	    "/", "", 1, HTTP1_BODY_CHUNKED, 0, true, false, 2 },
	{ "POST / HTTP/1.1\r\nExpect: 100-Continue\r\n" END, "POST", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, true, 2 },
	{ "POST / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", "POST", "/", "", 0,
	    HTTP1_BODY_NONE, 0, false, false, 1 },
	{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET", "/", "", 1, HTTP1_BODY_NONE,
	    0, true, false, 1 },
	{ "GET / HTTP/1.1\r\nHost: a.b-c_d:8888\r\n\r\n", "GET", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 1 },
	{ "GET / HTTP/1.1\r\nHost: [fe80::1]:80\r\n\r\n", "GET", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 1 },
	{ "GET / HTTP/1.1\r\nX:\xc3\xa9\ty\r\nX:\r\n" END, "GET", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 3 },
	{ "GET / HTTP/1.1\r\nContent_Length: 5\r\n" END, "GET", "/", "", 1,
	    HTTP1_BODY_NONE, 0, true, false, 2 },
};

static void
check_good(const struct good_row *row, size_t step)
{
	struct http1_refusal why = { 0 };
	struct http1_head *h = mem_calloc(1, sizeof(*h));
	enum http1_result res = HTTP1_MORE;
	size_t len, all = strlen(row->head), seen = 0;

	assert_non_null(h);
	for (len = step; res == HTTP1_MORE && len < all + step; len += step)
		res = http1_read_head(
		    row->head, len < all ? len : all, HEAD_MAX, &seen, h, &why);
	if (res != HTTP1_OK)
		fail_msg("result %d (%s) of: %s", (int)res,
		    why.why != NULL ? why.why : "", row->head);
	assert_int_equal(h->len, all);
	assert_true(http1_span_is(h->method, row->method));
	assert_true(http1_span_is(h->path, row->path));
	assert_true(http1_span_is(h->query, row->query));
	assert_int_equal(h->minor, row->minor);
	assert_int_equal(h->body, row->body);
	assert_int_equal(h->content_length, row->length);
	assert_int_equal(h->keep_alive, row->keep_alive);
	assert_int_equal(h->expect_continue, row->expect);
	assert_int_equal(h->headers_n, row->headers_n);
	mem_free(h);
}

static void
valid_heads_are_read(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(good_rows); i++) {
		check_good(&good_rows[i], strlen(good_rows[i].head));
		check_good(&good_rows[i], 1);
	}
}

static void
headers_are_found(void **state)
{
	static const char text[] =
	    "GET / HTTP/1.1\r\nX-A:  one \r\n" H "x-a: two\r\n\r\nGET";
	static struct http1_head h;
	struct http1_refusal why;
	const struct http1_header *f;
	size_t seen = 0;

	(void)state;
	assert_int_equal(
	    http1_read_head(text, sizeof(text) - 1, HEAD_MAX, &seen, &h, &why),
	    HTTP1_OK);
	assert_int_equal(h.len, sizeof(text) - 4);
	f = http1_find(&h, "X-a", 0);
	assert_non_null(f);
	assert_true(http1_span_is(f->value, "one"));
	f = http1_find(&h, "x-a", 1);
	assert_non_null(f);
	assert_true(http1_span_is(f->value, "two"));
	assert_null(http1_find(&h, "x-a", 2));
	assert_null(http1_find(&h, "x-b", 0));
	assert_true(http1_span_is_nocase(f->name, "X-A"));
	assert_false(http1_span_is_nocase(f->name, "X-"));
	assert_false(http1_span_is(f->name, "X-A"));
}

static void
sizes_are_limited(void **state)
{
	static struct http1_head h;
	struct http1_refusal why;
	struct strbuf b AUTO_STRBUF;
	size_t i, seen = 0;

	(void)state;
	strbuf_init(&b, 100000);
	strbuf_adds(&b, "GET / HTTP/1.1\r\n" H);
	for (i = 1; i < HTTP1_HEADERS_MAX; i++)
		strbuf_adds(&b, "X: y\r\n");
	strbuf_adds(&b, "\r\n");
	assert_int_equal(
	    http1_read_head(b.buf, b.len, b.len, &seen, &h, &why), HTTP1_OK);
	assert_int_equal(h.headers_n, HTTP1_HEADERS_MAX);
	/* One byte less is over the limit; so is one header more. */
	seen = 0;
	assert_int_equal(
	    http1_read_head(b.buf, b.len, b.len - 1, &seen, &h, &why),
	    HTTP1_BAD);
	assert_int_equal(why.status, 431);
	strbuf_truncate(&b, b.len - 2);
	seen = 0;
	assert_int_equal(
	    http1_read_head(b.buf, b.len, b.len + 1, &seen, &h, &why),
	    HTTP1_MORE);
	assert_int_equal(
	    http1_read_head(b.buf, b.len, b.len, &seen, &h, &why), HTTP1_BAD);
	assert_int_equal(why.status, 431);
	strbuf_adds(&b, "X: y\r\n\r\n");
	seen = 0;
	assert_int_equal(
	    http1_read_head(b.buf, b.len, 100000, &seen, &h, &why), HTTP1_BAD);
	assert_int_equal(why.status, 431);
}

struct chunk_row {
	const char *body;
	size_t len;
	/* What it holds, or NULL. */
	const char *data;
	/* 0: more bytes are needed. */
	int status;
};

/* clang-format off */
static const struct chunk_row chunk_rows[] = {
	{ BYTES("0\r\n\r\n"), "", 0 },
	{ BYTES("3\r\nabc\r\n0\r\n\r\n"), "abc", 0 },
	{ BYTES("3\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\n"), "abc0123456789", 0 },
	{ BYTES("a\r\n\r\n\0GET / H\r\n0\r\n\r\n"), "\r\n", 0 },
	{ BYTES("0000000000000003\r\nabc\r\n0\r\n\r\n"), "abc", 0 },
	{ BYTES("3;a=b;c=\"d e\"\r\nabc\r\n0;x\r\n\r\n"), "abc", 0 },
	{ BYTES("3\r\nabc\r\n0\r\nX-T: v\r\nY:\r\n\r\n"), "abc", 0 },
	{ BYTES(""), NULL, 0 },
	{ BYTES("3\r\nabc\r\n0\r\n"), NULL, 0 },
	{ BYTES("3\r\nabc\r\n0\r\n\r"), NULL, 0 },
	{ BYTES("5\r\nabc"), NULL, 0 },
	{ BYTES("\r\n"), NULL, 400 },
	{ BYTES(";a\r\n"), NULL, 400 },
	{ BYTES("0x3\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("+3\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("-3\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES(" 3\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3 \r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3 ;a\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\t\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3h\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("g\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\rabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\r\nabc\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\r\nabc0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\r\nabcd\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\r\nab\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3\r\nabc\rx"), NULL, 400 },
	{ BYTES("3;a\n\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("3;a\0\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("00000000000000003\r\nabc\r\n0\r\n\r\n"), NULL, 400 },
	{ BYTES("10000000000000000\r\n"), NULL, 400 },
	{ BYTES("ffffffffffffffff\r\nabc"), NULL, 413 },
	{ BYTES("41\r\n"), NULL, 413 },
	{ BYTES("0\r\n X: y\r\n\r\n"), NULL, 400 },
	{ BYTES("0\r\n: y\r\n\r\n"), NULL, 400 },
	{ BYTES("0\r\nX : y\r\n\r\n"), NULL, 400 },
	{ BYTES("0\r\nX: y\n\r\n"), NULL, 400 },
	{ BYTES("0\r\nX: \0\r\n\r\n"), NULL, 400 },
	{ BYTES("0\r\nX: y\r\n z\r\n\r\n"), NULL, 400 },
	{ BYTES("0\r\nGET / HTTP/1.1\r\n\r\n"), NULL, 400 },
	{ BYTES("0\r\n\rX"), NULL, 400 },
	{ BYTES("0\n\n"), NULL, 400 },
};
/* clang-format on */

static void
check_chunks(const struct chunk_row *row, size_t step)
{
	struct http1_chunked c;
	struct http1_refusal why = { 0 };
	struct strbuf out AUTO_STRBUF;
	enum http1_result res = HTTP1_MORE;
	size_t at = 0, used, n;

	strbuf_init(&out, 64);
	http1_chunked_init(&c);
	while (res == HTTP1_MORE && at < row->len) {
		n = row->len - at < step ? row->len - at : step;
		res = http1_chunked_feed(
		    &c, row->body + at, n, &used, &out, &why);
		assert_true(used <= n);
		assert_true(res != HTTP1_MORE || used == n);
		at += used;
	}
	if (row->data != NULL) {
		if (res != HTTP1_OK || at != row->len ||
		    strcmp(out.buf, row->data) != 0 || c.total != out.len)
			fail_msg("%d after %zu: %s", res, at, row->body);
	} else if (row->status == 0) {
		if (res != HTTP1_MORE)
			fail_msg("%d after %zu: %s", res, at, row->body);
	} else if (res != HTTP1_BAD || why.status != row->status) {
		fail_msg("%d, status %d: %s", res, why.status, row->body);
	}
}

static void
chunks_by_table(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(chunk_rows); i++) {
		check_chunks(&chunk_rows[i], 100);
		check_chunks(&chunk_rows[i], 1);
	}
}

static void
chunks_end_where_they_end(void **state)
{
	static const char text[] = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
	struct http1_chunked c;
	struct http1_refusal why;
	struct strbuf out AUTO_STRBUF;
	size_t used;

	(void)state;
	strbuf_init(&out, 64);
	http1_chunked_init(&c);
	assert_int_equal(
	    http1_chunked_feed(&c, text, sizeof(text) - 1, &used, &out, &why),
	    HTTP1_OK);
	assert_int_equal(used, 11);
	/* After the end nothing is consumed. */
	assert_int_equal(
	    http1_chunked_feed(&c, "x", 1, &used, &out, &why), HTTP1_OK);
	assert_int_equal(used, 0);
}

static void
lines_around_chunks_are_limited(void **state)
{
	struct http1_chunked c;
	struct http1_refusal why;
	struct strbuf in AUTO_STRBUF, out AUTO_STRBUF;
	size_t i, used;

	(void)state;
	strbuf_init(&in, 100000);
	strbuf_init(&out, 64);
	http1_chunked_init(&c);
	strbuf_adds(&in, "1;");
	for (i = 0; i < 300; i++)
		strbuf_addc(&in, 'x');
	assert_int_equal(
	    http1_chunked_feed(&c, in.buf, in.len, &used, &out, &why),
	    HTTP1_BAD);
	strbuf_reset(&in);
	strbuf_adds(&in, "0\r\n");
	for (i = 0; i < 1000; i++)
		strbuf_adds(&in, "X: y\r\n");
	http1_chunked_init(&c);
	assert_int_equal(
	    http1_chunked_feed(&c, in.buf, in.len, &used, &out, &why),
	    HTTP1_BAD);
	assert_int_equal(why.status, 431);
}

static int
feed(void *ctx, struct error *e)
{
	static const char text[] = "3\r\nabc\r\n0\r\n\r\n";
	struct http1_chunked c;
	struct http1_refusal why = { 0 };
	struct strbuf out AUTO_STRBUF;
	size_t used;

	(void)ctx;
	strbuf_init(&out, 64);
	http1_chunked_init(&c);
	if (http1_chunked_feed(&c, text, sizeof(text) - 1, &used, &out, &why) ==
	    HTTP1_OK)
		return 0;
	assert_int_equal(why.status, 503);
	return error_set(e, OVE_NOMEM, "%s", why.why);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(feed, NULL);
}

static void
replies_are_written(void **state)
{
	struct strbuf b AUTO_STRBUF;

	(void)state;
	strbuf_init(&b, 1000);
	http1_write_status(&b, 200);
	http1_write_header(&b, "A", "b c");
	http1_write_header(&b, "E", "");
	http1_write_header(&b, "X", "a\r\nSet: \x7fy");
	assert_string_equal(
	    b.buf, "HTTP/1.1 200 OK\r\nA: b c\r\nE: \r\nX: a  Set:  y\r\n");
	strbuf_reset(&b);
	http1_write_status(&b, 299);
	assert_string_equal(b.buf, "HTTP/1.1 299 Unknown\r\n");
	assert_string_equal(http1_reason(507), "Insufficient Storage");
	assert_string_equal(http1_reason(299), "Unknown");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(malformed_heads_are_refused),
	cmocka_unit_test(valid_heads_are_read),
	cmocka_unit_test(headers_are_found),
	cmocka_unit_test(sizes_are_limited),
	cmocka_unit_test(chunks_by_table),
	cmocka_unit_test(chunks_end_where_they_end),
	cmocka_unit_test(lines_around_chunks_are_limited),
	cmocka_unit_test(allocations_may_fail),
	cmocka_unit_test(replies_are_written),
};
TEST_MAIN(tests)
