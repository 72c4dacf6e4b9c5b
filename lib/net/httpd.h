/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP server: listeners, connections, limits and deadlines on bufferevents
 * around http1. Each request is answered exactly once, also later: whoever
 * waits across a gap keeps the req_id and looks it up. Pipelined requests are
 * answered in order, one at a time. No limit can be off. Refused requests get
 * the user's error body (on_refuse) and a close. TLS is the same from the first
 * byte of a request on.
 *
 * The life of a request: on_head when the head is read (decide: reply at once,
 * httpd_accept_body(), or httpd_hold()), on_request when the body is whole (at
 * once when there is none), on_gone when it will not be answered: the client
 * went away, or the body was refused (the request is dead after that call). A
 * client that shuts its sending side before an answer that takes time has gone,
 * too.
 *
 * An answer may be streamed: http_req_stream_start(), pieces as they come up,
 * http_req_stream_end(). What the client does not take is queued here, up to
 * HTTPD_STREAM_MAX; whoever streams looks at http_req_stream_queued() and goes
 * on when on_drained says so. A stream whose queue does not get empty within
 * write_ms is cut off; so is every stream by httpd_drain(). One that is cut off
 * has no last chunk, and its request gets on_gone.
 *
 * The program must ignore SIGPIPE.
 */
#pragma once

#include "lib/net/http1.h"

struct loop;
struct tls;
struct httpd;
struct http_req;
struct http_reply_header;
struct arena;

struct req_id {
	uint64_t v;
};

/* Bytes of a stream that may wait for the client. */
#define HTTPD_STREAM_MAX ((size_t)256 << 10)

/* All greater than 0. */
struct httpd_limits {
	size_t head_bytes;
	unsigned connections;
	unsigned connections_per_address;
	int64_t idle_ms;
	/* From the first byte (or the connection) to the whole head. */
	int64_t head_ms;
	/* From the head to the whole body. */
	int64_t body_ms;
	/* From the reply to its last byte taken by the client; of a stream, how
	 * long its queue may be in use without getting empty. */
	int64_t write_ms;
};

struct httpd_handler {
	void (*on_head)(struct http_req *r, void *ctx);
	void (*on_request)(struct http_req *r, void *ctx);
	void (*on_gone)(struct http_req *r, void *ctx);
	/* The client has taken all that was queued of a stream. May be NULL. */
	void (*on_drained)(struct http_req *r, void *ctx);
	/* Writes the body for a refusal (malformed request, too large, too
	 * slow); its content type is the same as for other replies. */
	void (*on_refuse)(
	    int status, const char *why, struct strbuf *body, void *ctx);
	/* One call per answered or refused request, for log and metrics; for a
	 * stream when it has ended or was cut off. The request of a refused
	 * head is empty: method and path are "". */
	void (*on_done)(const struct http_req *r, int status, size_t body_len,
	    int64_t took_ms, void *ctx);
	void *ctx;
	/* Headers of a refusal beside Content-Type, which is application/json;
	 * borrowed. */
	const struct http_reply_header *refuse_headers;
	size_t refuse_headers_n;
};

int httpd_new(struct httpd **ret, struct loop *l,
    const struct httpd_limits *limits, const struct httpd_handler *h,
    struct error *e);
/* "127.0.0.1:8888", "[::1]:0", "*:8888" (every address, IPv4 and IPv6),
 * "unix:/path". *ret_port (may be NULL): the port it got. */
int httpd_listen(
    struct httpd *d, const char *address, uint16_t *ret_port, struct error *e);
/* The same with TLS, as soon as there is a context. The handshake counts as a
 * part of the first head. */
int httpd_listen_tls(
    struct httpd *d, const char *address, uint16_t *ret_port, struct error *e);
/* What new connections get; those that are open keep theirs. Borrowed until the
 * next call. */
void httpd_set_tls(struct httpd *d, const struct tls *t);
/* As in the handler; borrowed until the next call. */
void httpd_set_refuse_headers(
    struct httpd *d, const struct http_reply_header *h, size_t n);
void httpd_set_limits(struct httpd *d, const struct httpd_limits *limits);
/* Stops accepting; connections without a request close, the others after their
 * reply; streams are cut off. */
void httpd_drain(struct httpd *d);
unsigned httpd_connections(const struct httpd *d);
/* Requests that are read or being handled. */
unsigned httpd_in_flight(const struct httpd *d);
/* No request is read or handled, and no reply waits for its client. */
bool httpd_is_idle(const struct httpd *d);
/* Closes everything; requests under way get on_gone. Not from a handler. */
struct httpd *httpd_free(struct httpd *d);
AUTO_DEFINE(httpd)

struct req_id http_req_id(const struct http_req *r);
/* NULL when it has been answered (a stream: ended) or its client is gone. */
struct http_req *httpd_find(struct httpd *d, struct req_id id);
const struct http1_head *http_req_head(const struct http_req *r);
/* NUL-terminated copies, valid as long as the request. */
const char *http_req_path(const struct http_req *r);
const char *http_req_method(const struct http_req *r);
const char *http_req_header(const struct http_req *r, const char *name);
/* The descriptor, to ask the system about it only. */
int http_req_socket(const struct http_req *r);
/* "127.0.0.1", "::1", "unix". */
const char *http_req_peer(const struct http_req *r);
/* X-Request-Id as sent when it is 1 to 64 of [A-Za-z0-9._-], else made here. */
const char *http_req_request_id(const struct http_req *r);
/* For what is parsed for this request; freed with it. */
struct arena *http_req_arena(struct http_req *r);
/* The handler's ctx. */
void *http_req_handler_ctx(const struct http_req *r);
/* The user's pointer. */
void http_req_set_ctx(struct http_req *r, void *ctx);
void *http_req_ctx(const struct http_req *r);

/* In on_head only: read the body, of at most max bytes, then on_request. A
 * longer one is refused with 413. */
void httpd_accept_body(struct http_req *r, size_t max);
/* In on_head only: it will be answered later, without its body being read; no
 * on_request. */
void httpd_hold(struct http_req *r);
/* The whole body, NUL-terminated; in and after on_request. */
struct http1_span http_req_body(const struct http_req *r);

struct http_reply_header {
	const char *name;
	const char *value;
};
struct http_reply {
	int status;
	/* Added to those that every reply has. */
	const struct http_reply_header *headers;
	size_t headers_n;
	/* NULL: no Content-Type. */
	const char *content_type;
	const void *body;
	size_t body_len;
	/* For HEAD: Content-Length of the body, and no body. */
	bool head_only;
	bool close;
	/* Of a stream: it will have body_len bytes. */
	bool sized;
};
/* Answers; the request is not to be used any more. A reply in on_head to a
 * request with a body closes the connection after it unless the body has a
 * length and is here already. body is copied or sent before this returns, and
 * may live in the request's arena. Calls on_done. */
void http_req_reply(struct http_req *r, const struct http_reply *reply);

/* Answers with a body that comes in pieces: as body_len says if it is `sized`,
 * else in chunks, or for HTTP/1.0 up to the end of the connection. body is not
 * looked at. false: there is nothing to stream, the request is not to be used
 * any more (head_only was set, or the connection broke: no on_gone). */
bool http_req_stream_start(struct http_req *r, const struct http_reply *reply);
/* Whether that was called, and was true. */
bool http_req_is_stream(const struct http_req *r);
/* Sends a piece; what the client does not take at once is copied. false: more
 * than HTTPD_STREAM_MAX would wait, or the connection broke; on_gone has been
 * called, the request is not to be used any more. */
bool http_req_stream_send(struct http_req *r, const void *data, size_t len);
/* Bytes that wait for the client. */
size_t http_req_stream_queued(const struct http_req *r);
/* The body is whole. The request is not to be used any more; calls on_done. One
 * that is sized and is not whole is cut off. */
void http_req_stream_end(struct http_req *r);
/* Cuts it off: on_gone, and the client sees that the body is not whole. */
void http_req_stream_cut(struct http_req *r);
