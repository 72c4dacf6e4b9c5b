/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the files of the HTTP client share: httpc.c (the life of calls and of
 * the client), httpc_pool.c (libcurl on the loop), httpc_setup.c (requests as
 * libcurl wants them), httpc_why.c (failures in words). The only file that
 * includes curl.
 */
#pragma once

#include <sys/queue.h>

#include <curl/curl.h>

#include "lib/base/strbuf.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"

/* All header lines of a reply, interim ones included. */
#define HTTPC_HEADER_MAX ((size_t)64 << 10)
#define HTTPC_TYPE_MAX 128
#define HTTPC_ORIGIN_MAX 256
#define HTTPC_BUCKETS 64

struct httpc_sock;

/* Connections with limits of their own. */
struct httpc_pool {
	struct httpc *h;
	/* 0: no limit. */
	unsigned max_calls;
	unsigned max_per_host;
	/* NULL unless started. */
	CURLM *multi;
	/* libcurl has run out of memory within: only httpc_pool_mend() may
	 * touch `multi` then. */
	bool spoilt;
	/* libcurl's one timer. */
	struct timer timer;
	LIST_HEAD(httpc_sock_list, httpc_sock) socks[HTTPC_BUCKETS];
};

struct httpc {
	struct loop *loop;
	/* Its header line; NULL: none. */
	char *user_agent;
	/* When libcurl was last called: what it tells meanwhile happens then.
	 */
	int64_t now_ms;
	struct httpc_pool ordinary;
	/* Started by the first stream. */
	struct httpc_pool streaming;
	/* Ends the calls that are broken, and makes spoilt pools anew. */
	struct defer mend;
	TAILQ_HEAD(httpc_list, httpc_call) calls;
	unsigned pending;
	unsigned streams;
	unsigned max_streams;
	uint64_t last_id;
	/* "http://host:port" of the last URL that libcurl has parsed. */
	char origin[HTTPC_ORIGIN_MAX];
	/* curl_global_init_mem() was called. */
	bool global;
	bool has_gzip;
	/* The system's bundle of certificates suffices. */
	bool has_bundle;
};

struct httpc_call {
	TAILQ_ENTRY(httpc_call) link;
	struct httpc *h;
	struct httpc_pool *pool;
	struct call_id id;
	/* Of an ordinary call only done is set. */
	struct httpc_stream fn;
	void *ctx;
	/* NULL when finished. */
	CURL *easy;
	struct curl_slist *headers;
	/* For the limits below; see call_arm(). */
	struct timer timer;
	/* Tells the user what there is to tell. */
	struct defer tell;
	int64_t connect_ms;
	int64_t read_ms;
	int64_t write_ms;
	int64_t total_ms;
	int64_t idle_ms;
	int64_t started_ms;
	/* When total_ms ends; a pause puts it off. 0: never. */
	int64_t due_ms;
	int64_t paused_ms;
	/* When a byte last went through. */
	int64_t moved_ms;
	curl_off_t moved;
	/* Of the body of the request: all, and what has gone. */
	curl_off_t to_send;
	curl_off_t sent;
	/* The connection stands: what was to be sent has begun to be. */
	bool sending;
	/* A socket of it could not be watched. */
	bool broken;
	/* Of an ordinary call: a longer reply may be given away in pieces. */
	size_t whole_max;
	bool body_is_here;
	/* It has a Content-Encoding. */
	bool packed;
	/* The body may be given away in pieces: of a stream, and of a reply
	 * that turned out to be long. Settled when the head is told. */
	bool open;
	bool head_is_here;
	bool head_is_told;
	bool pieces;
	/* By the user; and libcurl holds bytes that the window has no room
	 * for. */
	bool paused;
	bool held;
	size_t header_len;
	/* Collected, or waiting to be given away. */
	struct strbuf body;
	/* Its error is set only when finished. */
	struct httpc_failure failed;
	struct httpc_reply reply;
	/* Set when it is freed while the user is being called. */
	bool *gone;
	char content_type[HTTPC_TYPE_MAX];
	char why[CURL_ERROR_SIZE];
};

/* httpc.c */

/* Called by httpc_pool.c: libcurl is through with a call. */
void httpc_ended(struct httpc_call *c, CURLcode code);
/* It has a connection of its own. */
bool httpc_is_stream(const struct httpc_call *c);

/* httpc_pool.c */
/* Not more than max_calls at a time, max_per_host of them to one host; 0 = no
 * limit. */
int httpc_pool_init(struct httpc_pool *p, struct httpc *h, unsigned max_calls,
    unsigned max_per_host, struct error *e);
/* Unless it is. OVE_NOMEM */
int httpc_pool_start(struct httpc_pool *p, struct error *e);
/* If it is spoilt, it is not started after this. Its calls are gone. */
void httpc_pool_mend(struct httpc_pool *p);
/* Its calls are gone. */
void httpc_pool_fini(struct httpc_pool *p);

/* httpc_setup.c */
int httpc_check_request(
    struct httpc *h, const struct httpc_request *rq, struct error *e);
/* Makes c->easy and c->headers; callbacks are the caller's. */
int httpc_set_up(
    struct httpc_call *c, const struct httpc_request *rq, struct error *e);

/* httpc_why.c: they set c->failed. */
void httpc_fail(struct httpc_call *c, enum httpc_kind kind, const char *fmt,
    ...) CC_PRINTF(3, 4);
void httpc_explain(struct httpc_call *c, CURLcode code);
/* doing: " while connecting", or "". */
void httpc_timed_out(
    struct httpc_call *c, enum httpc_kind kind, int64_t ms, const char *doing);
