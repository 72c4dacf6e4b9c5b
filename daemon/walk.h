/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Finds out, with the original's requests, what GET /v1/tree would have said:
 * for a server below that does not know that route. Each server is asked for
 * its chains first; when it answers, for what is wanted of it, and its children
 * for theirs, a bounded number of requests at the same time. Who does not
 * answer is in the result with its error. The result comes once, in time, never
 * inside walk_start(), unless the walk was freed.
 */
#pragma once

#include "daemon/treenode.h"

struct chain;
struct loop;
struct walk;

struct walk_request {
	/* The next hop, and the chain path after it ("": that one itself). */
	const char *entrypoint;
	const char *rest;
	struct tree_wish wish;
	/* Levels below it. */
	unsigned depth;
	/* What we hand down; NULL: nothing. */
	const char *request_id;
	const char *via;
	/* Monotonic. */
	int64_t due_ms;
};

/* said: the server as treenode_take() wants it; or failed: how the first
 * request ended when that one failed, valid during the callback. The walk may
 * be freed in it. */
typedef void walk_done_fn(
    const struct node *said, const struct chain_reply *failed, void *ctx);

/* The request's texts and a are borrowed until it is freed. */
int walk_start(struct walk **ret, struct chain *ch, struct loop *l,
    const struct walk_request *rq, struct arena *a, walk_done_fn *done,
    void *ctx, struct error *e);
/* Whatever is under way is cancelled. */
struct walk *walk_free(struct walk *w);
AUTO_DEFINE(walk)
