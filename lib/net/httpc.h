/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP client: curl-multi on the loop. A call has an id; its completion
 * comes once, deferred, unless it was cancelled. Redirects are not followed.
 * Replies are bounded: an ordinary call collects the body and gives it with its
 * completion, a stream gives it away in pieces as it comes, and takes no more
 * of it from the network than its user does.
 */
#pragma once

#include "lib/base/error.h"

struct loop;
struct httpc;

struct call_id {
	uint64_t v;
};

struct httpc_request {
	const char *method;
	const char *url;
	/* "Name: value" lines, NULL-terminated; NULL for none. A request with a
	 * body wants a Content-Type among them: none is made up. */
	const char *const *headers;
	const void *body;
	size_t body_len;
	/* Milliseconds; 0 = no limit. */
	int64_t connect_ms;
	/* Without a byte of the reply / of the request going through. */
	int64_t read_ms;
	/* Instead of that while a body is being sent; 0 = as read_ms, less:
	 * no limit. */
	int64_t write_ms;
	/* From call to end, waiting for a place included. */
	int64_t total_ms;
	/* The connection is not to be used again; else not after it has been
	 * idle for so long, in whole seconds; 0 = libcurl's 118 s. */
	bool close;
	int64_t keep_ms;
	/* PEM file that replaces the system's store; NULL for the system's. */
	const char *cacert;
	/* PEM file with the client's certificate and its key; NULL for none. */
	const char *certkey;
	/* Through no proxy, whatever the environment says. */
	bool direct;
	/* Path of a Unix socket to connect to, whatever the URL says; NULL for
	 * none. */
	const char *socket;
	/* Of a body that is collected. */
	size_t reply_max;
};

struct httpc_reply {
	int status;
	/* NUL-terminated; valid during the callback. Empty where the body is
	 * not collected. */
	const char *body;
	size_t body_len;
	/* "" when it has none. */
	const char *content_type;
	/* Bytes of the body, as announced; -1: not, not yet, or it is packed.
	 */
	int64_t length;
	/* Value of Retry-After in seconds, or -1. */
	int64_t retry_after;
	int64_t took_ms;
};

/* What went wrong, for programs. */
enum httpc_kind {
	/* Refused, unreachable, name not known, TLS: nothing was sent. */
	HTTPC_UNREACHED,
	HTTPC_CONNECT_TIMEOUT,
	/* Connected or waiting for a place. */
	HTTPC_TIMEOUT,
	/* Not all was taken. */
	HTTPC_WRITE_TIMEOUT,
	HTTPC_BROKE,
	/* Not HTTP, or no reply at all. */
	HTTPC_GARBLED,
	HTTPC_TOO_LONG,
	HTTPC_NOMEM,
	HTTPC_KINDS
};

struct httpc_failure {
	enum httpc_kind kind;
	/* Its text is for people ("connection refused", "timed out after 10s
	 * while connecting", "name not known", "certificate not trusted:
	 * REASON"), its code one of UNAVAILABLE, TIMEOUT, UPSTREAM (broke or
	 * garbled), LIMIT or NOMEM, as the kind is. */
	struct error error;
};

/* failed is set (and r NULL) when there was no whole reply. It may call,
 * cancel, and free the client. */
typedef void httpc_done_fn(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx);

/* What the user of a stream is told, each deferred; like its completion they
 * may call, cancel this one or others, and free the client. */
struct httpc_stream {
	/* The head is here; r has no body yet, that of a long reply its first
	 * HTTPC_PEEK bytes at least. true: the body comes in pieces. false: it
	 * is collected and comes with done, like that of an ordinary call and
	 * within the same limits. */
	bool (*head)(struct call_id id, const struct httpc_reply *r, void *ctx);
	/* The next piece of the body, at most HTTPC_WINDOW; valid during the
	 * callback, even after a cancel. */
	void (*piece)(struct call_id id, const char *p, size_t len, void *ctx);
	/* After the last piece. */
	httpc_done_fn *done;
	/* While the body comes in pieces, in place of read_ms and total_ms:
	 * milliseconds without a byte, pauses apart; 0 = no limit. Not of a
	 * long reply: its limits stay, pauses apart. */
	int64_t idle_ms;
	/* Of httpc_call_long(): HTTPC_WINDOW at least. */
	size_t whole_max;
};
#define HTTPC_PEEK ((size_t)1024)
/* What is taken from the network before the user of a stream has it. */
#define HTTPC_WINDOW ((size_t)64 << 10)

struct httpc_config {
	const char *user_agent;
	/* At the same time, over all and per host; more wait. */
	unsigned max_calls;
	unsigned max_per_host;
	/* Streams at the same time, which take no place of a call; more are
	 * refused. */
	unsigned max_streams;
};

/* OVE_UNSUPPORTED when libcurl would look up names on the loop. */
int httpc_new(struct httpc **ret, struct loop *l, const struct httpc_config *c,
    struct error *e);
/* Everything in the request is copied. -1: OVE_INVALID for a URL that is not
 * one, or neither http nor https, a method that is not capitals, a header with
 * a line break; OVE_NOMEM. Every other failure comes through done. */
int httpc_call(struct httpc *h, const struct httpc_request *rq,
    httpc_done_fn *done, void *ctx, struct call_id *ret, struct error *e);
/* The same; a reply that announces more than whole_max bytes, and is not
 * packed, may come in pieces. Of others, and of one that fails before, only
 * done is called. */
int httpc_call_long(struct httpc *h, const struct httpc_request *rq,
    const struct httpc_stream *s, void *ctx, struct call_id *ret,
    struct error *e);
/* As httpc_call(), and OVE_LIMIT: there are too many streams. The body is not
 * asked for in gzip. Each stream has a connection of its own. */
int httpc_stream(struct httpc *h, const struct httpc_request *rq,
    const struct httpc_stream *s, void *ctx, struct call_id *ret,
    struct error *e);
/* No piece comes before httpc_resume(), nor, when there are some left, done. A
 * window's worth is taken from the network, then the sender has to wait. Both
 * are idempotent, and do nothing to what is not a stream under way. */
void httpc_pause(struct httpc *h, struct call_id id);
void httpc_resume(struct httpc *h, struct call_id id);
/* Idempotent; nothing more is called. */
void httpc_cancel(struct httpc *h, struct call_id id);
/* Calls and streams. */
unsigned httpc_pending(const struct httpc *h);
struct httpc *httpc_free(struct httpc *h);
AUTO_DEFINE(httpc)
