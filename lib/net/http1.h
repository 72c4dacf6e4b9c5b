/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The strict HTTP/1.1 request reader and reply writer over byte buffers: no
 * I/O, no libevent, fuzzed. One grammar, one meaning: what is not plainly valid
 * is refused with 400, 413, 417, 431, 501 or 505 (503 when memory ran out) and
 * the connection must be closed. RFC 9112; what is refused beyond it is listed
 * in http1.c.
 */
#pragma once

#include "lib/base/strbuf.h"

#define HTTP1_HEADERS_MAX 100

struct http1_span {
	const char *p;
	size_t len;
};

struct http1_header {
	struct http1_span name;
	/* Without blanks around it. */
	struct http1_span value;
};

enum http1_body {
	HTTP1_BODY_NONE,
	HTTP1_BODY_LENGTH,
	HTTP1_BODY_CHUNKED,
};

struct http1_head {
	struct http1_span method;
	/* Raw, as sent: starting with '/', or "*" for OPTIONS, or an absolute
	 * form, which is a path that no route matches; the path without the
	 * query, and the query ("" when there is none). */
	struct http1_span target;
	struct http1_span path;
	struct http1_span query;
	/* 0 or 1. */
	int minor;
	enum http1_body body;
	uint64_t content_length;
	/* The client asks to go on after the reply; never for minor 0. */
	bool keep_alive;
	/* Expect: 100-continue. */
	bool expect_continue;
	struct http1_header headers[HTTP1_HEADERS_MAX];
	size_t headers_n;
	/* Bytes of the head, blank line included. */
	size_t len;
};

enum http1_result {
	/* The head is whole and valid. */
	HTTP1_OK,
	/* More bytes are needed. */
	HTTP1_MORE,
	/* Refuse with *status and close. */
	HTTP1_BAD,
};

struct http1_refusal {
	int status;
	/* A constant: what is wrong. */
	const char *why;
};

/* Reads a request head from the start of a buffer; spans point into it. seen:
 * bytes already looked at in an earlier call (0 at first; kept by the caller),
 * so that slow heads cost linear time. head_max: bytes of the whole head. A
 * broken request line is refused as soon as it has ended. */
enum http1_result http1_read_head(const char *buf, size_t len, size_t head_max,
    size_t *seen, struct http1_head *ret, struct http1_refusal *why);
/* A character of a method or a header name. */
bool http1_is_token(char c);
/* Case-insensitive; NULL when absent. n-th occurrence from 0. */
const struct http1_header *http1_find(
    const struct http1_head *h, const char *name, size_t nth);
bool http1_span_is(struct http1_span s, const char *text);
bool http1_span_is_nocase(struct http1_span s, const char *text);

/* A body in chunks: feed it what arrives. */
struct http1_chunked {
	int state;
	uint64_t left;
	uint64_t total;
	size_t line_len;
};
void http1_chunked_init(struct http1_chunked *c);
/* Consumes from buf, adds data to out (its maximum bounds the body: HTTP1_BAD
 * with 413). *used: bytes consumed. HTTP1_OK: the body is whole. */
enum http1_result http1_chunked_feed(struct http1_chunked *c, const char *buf,
    size_t len, size_t *used, struct strbuf *out, struct http1_refusal *why);

/* The standard phrase; "Unknown" for others. */
const char *http1_reason(int status);
/* "HTTP/1.1 200 OK\r\n"; then add headers; then the blank line. Control
 * characters in a value become blanks. */
void http1_write_status(struct strbuf *out, int status);
void http1_write_header(
    struct strbuf *out, const char *name, const char *value);
