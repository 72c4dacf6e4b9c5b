/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The servers below this one: one HTTP client with its connections, and for
 * each chain of the configuration a circuit breaker and what the heartbeat has
 * found. A request that is forwarded has an id; it is sent, repeated as the
 * chain's `retry` says and the time that its caller has left allows, and its
 * outcome comes once, never inside chain_forward(), unless it was cancelled.
 *
 * What the original calls its errors (rest-api.md 3.5.3) is decided here, what
 * they look like is not.
 */
#pragma once

#include "lib/base/arena.h"

struct chain;
struct config;
struct events;
struct loop;
struct node;

/* When a caller does not say how long it waits: originals give up at 10 s. */
#define CHAIN_DEADLINE_MS 8000
#define CHAIN_DEADLINE_MAX_MS 600000
/* Replies up to this many bytes are collected and read before anything is said
 * of them. */
#define CHAIN_WHOLE_MAX ((size_t)256 << 10)

struct forward_id {
	uint64_t v;
};

struct chain_request {
	/* The next hop. */
	const char *entrypoint;
	/* It is the last: its breaker decides, and learns. */
	bool tail;
	const char *method;
	/* From "/v1" on, with the query. */
	const char *path;
	/* JSON; NULL: none. */
	const char *body;
	/* What we hand down; NULL: nothing. */
	const char *request_id;
	const char *via;
	const char *idempotency_key;
	const char *last_event_id;
	/* Of a subscription (subtree.h), ms; 0: none. */
	int64_t lease_ms;
	/* How long the caller waits. */
	int64_t left_ms;
	/* Not to be repeated, whatever `retry` says. */
	bool once;
};

/* Valid during the callback. */
struct chain_reply {
	/* NULL: there is a reply, of any status; else the original's name for
	 * what went wrong. */
	const char *error;
	const char *message;
	int status;
	/* The reply's object; NULL: it had none. */
	const struct node *body;
	const char *url;
};
typedef void chain_done_fn(const struct chain_reply *r, void *ctx);

int chain_new(struct chain **ret, struct loop *l, struct error *e);
/* Borrows both until the next call. Breakers of chains that are still there
 * stay as they are. On failure some chains have no breaker and are unknown. */
int chain_configure(struct chain *ch, const struct config *c,
    const char *serverid, struct error *e);
/* Where what changes from now on is told; borrowed. */
void chain_set_events(struct chain *ch, struct events *ev);
bool chain_has(const struct chain *ch, const char *entrypoint);
/* OVE_NOTFOUND: no such chain. Everything in rq is copied. */
int chain_forward(struct chain *ch, const struct chain_request *rq,
    chain_done_fn *done, void *ctx, struct forward_id *ret, struct error *e);

/* For a reply that comes as it is made, or is long. */
struct chain_stream {
	/* How the Content-Type of one that comes as it is made begins; any
	 * other one is collected, as by chain_forward(). NULL: none does. */
	const char *type;
	/* How JSON begins that may be handed on unseen if it has more than
	 * CHAIN_WHOLE_MAX bytes; NULL: none. */
	const char *opening;
	/* Milliseconds without a byte, pauses apart; 0 = no limit. Up to the
	 * head the request's time counts. */
	int64_t idle_ms;
	/* The head is here: status 200 and the type, or the opening. From now
	 * on nothing is repeated. length: of the body; -1: nobody knows. */
	void (*begun)(int64_t length, void *ctx);
	/* At most HTTPC_WINDOW, valid during the callback. */
	void (*piece)(const char *p, size_t len, void *ctx);
};
/* As chain_forward(); after begun() the outcome has no body, and no error when
 * the reply is whole. All of them may cancel. */
int chain_stream(struct chain *ch, const struct chain_request *rq,
    const struct chain_stream *s, chain_done_fn *done, void *ctx,
    struct forward_id *ret, struct error *e);
/* Of a stream that has begun: no piece comes, and the sender has to wait.
 * Idempotent. */
void chain_pause(struct chain *ch, struct forward_id id);
void chain_resume(struct chain *ch, struct forward_id id);

/* Idempotent; done will not be called. */
void chain_cancel(struct chain *ch, struct forward_id id);
/* Whether the reply is that of a server that does not know the route: of an
 * original, if the route is ours. */
bool chain_reply_is_no_route(const struct chain_reply *r);
/* What a child has shown itself to be: forgotten when it fails, after a while,
 * and when the configuration is read again. */
void chain_note_original(struct chain *ch, const char *name);
bool chain_is_original(const struct chain *ch, const char *name);
/* All children that are not disabled, in order; skipped: left alone, as they
 * fail, and so not in chain_list(). false: out of memory. */
struct chain_child {
	const char *name;
	bool skipped;
};
bool chain_children(const struct chain *ch, struct arena *a,
    struct chain_child **ret, size_t *ret_n);
/* Names of the chains that are shown. */
struct node *chain_list(const struct chain *ch, struct arena *a);
/* NAME: state, counts, next probe. */
struct node *chain_breakers(const struct chain *ch, struct arena *a);
/* Every forward is cancelled. */
struct chain *chain_free(struct chain *ch);
AUTO_DEFINE(chain)
