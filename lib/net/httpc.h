/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP client: curl-multi on the loop. A call has an id; its completion
 * comes once, deferred, unless it was cancelled. Redirects are not followed.
 * Replies are bounded. The only file that includes curl.
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
	/* From call to end, waiting for a place included. */
	int64_t total_ms;
	/* PEM file that replaces the system's store; NULL for the system's. */
	const char *cacert;
	size_t reply_max;
};

struct httpc_reply {
	int status;
	/* NUL-terminated; valid during the callback. */
	const char *body;
	size_t body_len;
	/* "" when it has none. */
	const char *content_type;
	/* Value of Retry-After in seconds, or -1. */
	int64_t retry_after;
	int64_t took_ms;
};

/* failed is set (and r NULL) when there was no whole reply; its text is for
 * people ("connection refused", "timed out after 10s while connecting", "name
 * not known", "certificate not trusted: REASON"), its code one of UNAVAILABLE
 * (refused, unreachable, name, TLS), TIMEOUT, UPSTREAM (broke, not HTTP), LIMIT
 * or NOMEM. It may call, cancel, and free the client. */
typedef void httpc_done_fn(struct call_id id, const struct httpc_reply *r,
    const struct error *failed, void *ctx);

struct httpc_config {
	const char *user_agent;
	/* At the same time, over all and per host; more wait. */
	unsigned max_calls;
	unsigned max_per_host;
};

/* OVE_UNSUPPORTED when libcurl would look up names on the loop. */
int httpc_new(struct httpc **ret, struct loop *l, const struct httpc_config *c,
    struct error *e);
/* Everything in the request is copied. -1: OVE_INVALID for a URL that is not
 * one, or neither http nor https, a method that is not capitals, a header with
 * a line break; OVE_NOMEM. Every other failure comes through done. */
int httpc_call(struct httpc *h, const struct httpc_request *rq,
    httpc_done_fn *done, void *ctx, struct call_id *ret, struct error *e);
/* Idempotent; done will not be called. */
void httpc_cancel(struct httpc *h, struct call_id id);
unsigned httpc_pending(const struct httpc *h);
struct httpc *httpc_free(struct httpc *h);
AUTO_DEFINE(httpc)
