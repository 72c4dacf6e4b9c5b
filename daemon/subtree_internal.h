/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What subtree.c (who reads, and the branches that are open for them),
 * subtree_branch.c (one child and its stream) and subtree_poll.c (one child
 * that is an original) share.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/chain.h"
#include "daemon/events.h"
#include "daemon/subtree.h"
#include "lib/event/loop.h"
#include "lib/net/sse.h"

struct arena;
struct node;
struct poll;
struct subtree;

struct branch {
	TAILQ_ENTRY(branch) link;
	struct subtree *subtree;
	char *name;
	/* Still in the configuration. */
	bool kept;
	/* Under way; 0: none. */
	struct forward_id stream;
	/* It has begun, when, and what it has brought so far. */
	bool begun;
	int64_t begun_ms;
	struct sse sse;
	/* Calls again. */
	struct timer again;
	/* In a row without a stream that lasted. */
	unsigned failed;
	/* "" when nothing can be gone on from. */
	char last_id[SSE_ID_MAX + 1];
	/* The readers know that nothing comes. */
	bool lost;
	/* NULL unless it is an original. */
	struct poll *poll;
};

struct subtree {
	struct loop *loop;
	struct chain *chain;
	const struct config *config;
	const char *serverid;
	struct events *local;
	struct events *all;
	/* Subscriptions are open. */
	bool awake;
	struct events_reader reader;
	LIST_HEAD(, subtree_member) members;
	TAILQ_HEAD(branch_list, branch) branches;
	/* Puts them to sleep. */
	struct timer linger;
};

/* subtree.c */

/* change_chain(), at once. */
void subtree_tell(struct subtree *st, const char *name, const char *state);

/* How long somebody is going to read, from now on, at most a lease. */
int64_t subtree_life_ms(const struct subtree *st);

/* subtree_branch.c */

int branch_new(
    struct branch **ret, struct subtree *st, const char *name, struct error *e);
/* Opens its stream, if it is not open. */
void branch_open(struct branch *b);
/* Closes it and forgets where it stood. */
void branch_close(struct branch *b);
struct branch *branch_free(struct branch *b);
AUTO_DEFINE(branch)
/* Its state to those who read: "lost", "back", "reset". */
void branch_tell(struct branch *b, const char *state);
/* An event of this branch: data is a map as its node has told it. -1: it is
 * not one that can be passed on. */
int branch_publish(struct branch *b, enum event_type type,
    const struct node *data, struct arena *a);

/* subtree_poll.c: asks one original again and again, until freed. */
struct poll *poll_new(struct branch *b);
struct poll *poll_free(struct poll *p);
