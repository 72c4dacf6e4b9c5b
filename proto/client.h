/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Calls to a server's API: method and path come from the route table, the reply
 * is parsed, and what went wrong is one class and one text in the words of
 * cli.md (appendix H): "connection refused", "503: no such chain". A call ends
 * exactly once, from the loop, never within client_call().
 */
#pragma once

#include "lib/data/node.h"
#include "proto/route.h"

struct client;
struct httpc;
struct loop;

/* Whom to ask. Texts are borrowed while a call is under way. */
struct client_server {
	/* As the user calls it. */
	const char *name;
	const char *url;
	const char *token;
	/* Asked through no proxy, as it is on this machine; and the path of the
	 * Unix socket where it listens, NULL: as the URL says. */
	bool direct;
	const char *socket;
	/* NULL: the system's authorities. */
	const char *cacert;
	/* Milliseconds; <= 0: no limit. */
	int64_t connect_ms;
	int64_t read_ms;
	/* For a whole call. */
	int64_t total_ms;
};

enum client_class {
	/* 2xx with a JSON object (GET, POST, PUT), 204 (DELETE), 200 (HEAD). */
	CLIENT_OK,
	/* 404 */
	CLIENT_NOTFOUND,
	/* 401, 403 */
	CLIENT_DENIED,
	/* Other 4xx. */
	CLIENT_REFUSED,
	/* No reply, or 5xx. */
	CLIENT_UNAVAILABLE,
	/* A reply that is not understood; 1xx, 3xx. */
	CLIENT_GARBLED,
};

struct client_reply {
	enum client_class class;
	/* 0: there was no reply. */
	int status;
	/* A map; NULL when there is none. Good during the callback. */
	const struct node *body;
	/* What went wrong; "" when CLIENT_OK. */
	const char *text;
	int64_t took_ms;
};

typedef void client_done_fn(const struct client_reply *r, void *ctx);

struct client_call {
	const struct client_server *server;
	/* NULL: the server itself. */
	const char *chain;
	enum route_id route;
	/* The words in braces, in order. */
	const char *const *params;
	size_t params_n;
	/* After "?", encoded; NULL: none. */
	const char *query;
	/* NULL: no body. */
	const struct node *body;
	/* So that a request that arrives twice does one thing; NULL: none. */
	const char *idempotency_key;
	/* Of the last event that was seen; NULL: none. */
	const char *last_event_id;
};

int client_new(struct client **ret, struct loop *l, unsigned parallel,
    const char *user_agent, struct error *e);
/* Everything but what client_server says is copied. */
int client_call(struct client *c, const struct client_call *call,
    client_done_fn *done, void *ctx, struct error *e);

/* An answer that comes in pieces and may not end. */
struct client_stream {
	/* The server has begun to answer, with success. */
	void (*begun)(void *ctx);
	void (*piece)(const char *p, size_t len, void *ctx);
	/* It has ended (CLIENT_OK, no body), broke, or did not begin. */
	client_done_fn *done;
	/* Milliseconds without a byte; 0: no limit. */
	int64_t idle_ms;
};
struct client_id {
	uint64_t v;
};
/* Like client_call(), without limits on the time it may take once it has begun.
 * Callbacks may cancel it. */
int client_stream(struct client *c, const struct client_call *call,
    const struct client_stream *s, void *ctx, struct client_id *ret,
    struct error *e);
/* Nothing more is called. What is not under way is no fault. */
void client_cancel(struct client *c, struct client_id id);

/* Told of each request and reply, for -v and -vv: no token, but whatever the
 * bodies hold. sent is NULL when there was none. */
typedef void client_trace_fn(const char *method, const char *url,
    const struct node *sent, const struct client_reply *r, void *ctx);
void client_set_trace(struct client *c, client_trace_fn *fn, void *ctx);
/* Drops what is under way: no answer comes. Not from within an answer. */
void client_cancel_all(struct client *c);
struct client *client_free(struct client *c);
AUTO_DEFINE(client)

/* Texts of body[key], a list of strings; an absent list is empty. -1: it is
 * something else. Items lie in a. */
struct client_strs {
	const char **items;
	size_t n;
};
int client_get_strs(const struct node *body, const char *key, struct arena *a,
    struct client_strs *ret, struct error *e);
/* body["job_id"]; -1: it is not a positive integer. */
int client_get_job_id(const struct node *body, int64_t *ret, struct error *e);
/* The text of a metadata entry, in the words of either kind of server; NULL: it
 * is not understood. */
const char *client_get_entry(const struct node *body);
