/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What chain.c (the hops and their health), chain_forward.c (one request on its
 * way) and chain_judge.c (what came of it) share. A forward keeps the name of
 * its hop, not the hop: a reload may remove it meanwhile.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/chain.h"
#include "lib/event/loop.h"
#include "lib/net/breaker.h"
#include "lib/net/httpc.h"
#include "proto/config.h"

struct hop {
	TAILQ_ENTRY(hop) link;
	struct chain *chain;
	char *name;
	const struct config_chain *config;
	struct breaker breaker;
	/* By the heartbeat; checked_ms is 0 before its first result. */
	bool sick;
	int64_t checked_ms;
	/* Of the heartbeat's request under way; 0: none. */
	struct forward_id ping;
	/* Until then it counts as an original; 0: not. */
	int64_t original_until_ms;
	/* Still in the configuration. */
	bool kept;
	/* The state of the breaker that was told last. */
	enum breaker_state told;
	/* Since the start. */
	uint64_t calls;
	uint64_t failed;
	uint64_t refused;
};

/* Calls at the same time, to all hops and to one. */
#define CHAIN_CALLS_MAX 256
#define CHAIN_HOP_CALLS_MAX 64

struct chain {
	struct loop *loop;
	struct httpc *httpc;
	const struct config *config;
	const char *serverid;
	/* NULL: nobody is told. */
	struct events *events;
	TAILQ_HEAD(hop_list, hop) hops;
	TAILQ_HEAD(forward_list, forward) forwards;
	uint64_t last_id;
	struct timer heartbeat;
};

/* Also one that is disabled. */
struct hop *chain_hop_any(const struct chain *ch, const char *name);
/* The hop that can be used; NULL: not in the configuration, or disabled. */
struct hop *chain_hop(const struct chain *ch, const char *name);
/* Whether the heartbeat says that it cannot be used. */
bool chain_hop_is_sick(const struct hop *h);
bool chain_hop_is_open(const struct hop *h);
struct breaker_config chain_breaker_config(const struct chain *ch);
/* After each step of its breaker. */
void chain_hop_tell(struct hop *h);
/* The heartbeat, or a call that succeeds, says so; a change is told. */
void chain_hop_set_sick(struct hop *h, bool sick);
/* One request on its way. */
#define HEADERS_MAX 12

struct forward {
	TAILQ_ENTRY(forward) link;
	struct chain *chain;
	struct forward_id id;
	chain_done_fn *done;
	void *ctx;
	/* What it was made of: names, headers, body. */
	struct arena arena;
	const char *hop;
	const char *method;
	const char *url;
	const char *body;
	const char *cacert;
	const char *headers[HEADERS_MAX];
	size_t headers_n;
	struct config_timeouts t;
	struct config_retry retry;
	unsigned retries;
	unsigned attempt;
	int64_t given_ms;
	int64_t deadline_ms;
	bool tail;
	/* Its reply may come in pieces, and does. */
	struct chain_stream stream;
	bool begun;
	/* The breaker waits for it. */
	bool ticketed;
	struct breaker_ticket ticket;
	/* Between attempts, and before an outcome that is known at once. */
	struct timer timer;
	bool ending;
	/* It waits for others to end; until then, 0: it does not. */
	int64_t place_due_ms;
	struct call_id call;
	/* Of the last attempt. */
	struct arena outcome;
	struct chain_reply reply;
	int64_t retry_after;
};

/* A request of the heartbeat: no breaker judges it, none learns of it. */
int forward_ping(struct hop *h, chain_done_fn *done, struct forward_id *ret,
    struct error *e);
void forward_cancel_all(struct chain *ch);

/* chain_judge.c */

/* The errors of a forward that has found its own kind in the way, or no memory,
 * and not the child: these, and no copies of them. */
extern const char forward_no_place[];
extern const char forward_no_memory[];
/* What came of an attempt, into f->reply. */
void forward_take_reply(struct forward *f, const struct httpc_reply *r);
void forward_take_failure(
    struct forward *f, const struct httpc_failure *failed);
/* Whether another attempt may be made, and after which pause. */
bool forward_may_repeat(const struct forward *f);
int64_t forward_wait_ms(const struct forward *f);
/* What it says of the hop. */
enum breaker_event forward_verdict(const struct forward *f);
