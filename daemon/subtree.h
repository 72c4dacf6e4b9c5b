/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The events of this node and of all below it as one stream (design.md 3.9).
 * There is one subscription to each child, shared by all readers: opened when
 * the first one joins, closed some time after the last has left. The events of
 * a child come here with the child's name before their chain path, those of
 * this node with an empty one.
 *
 * A child whose stream breaks is called again, with the last id that it has
 * given; what its readers cannot know is told to them as an event of type
 * "chain" (changes.h). A child that is an original is polled.
 */
#pragma once

#include <sys/queue.h>

#include "lib/base/error.h"

struct chain;
struct config;
struct events;
struct loop;
struct subtree;

/* A reader of subtree_events(): it keeps the subscriptions alive. */
struct subtree_member {
	LIST_ENTRY(subtree_member) link;
	/* NULL: it has not joined. */
	struct subtree *subtree;
	/* It stays no longer (monotonic). */
	int64_t until_ms;
};

/* How long a subscription of another node lasts, at most: where servers list
 * each other, they would keep each other's alive for ever. */
#define SUBTREE_LEASE_MS 600000

/* Borrows all. local: the events of this node. */
int subtree_new(struct subtree **ret, struct loop *l, struct events *local,
    struct chain *ch, struct error *e);
/* After each chain_configure(); borrows both until the next call. */
void subtree_configure(
    struct subtree *st, const struct config *c, const char *serverid);
/* What is to be read, by whoever has joined. When nobody has for a while, all
 * ids that were given become unknown ones. */
struct events *subtree_events(struct subtree *st);
void subtree_join(struct subtree *st, struct subtree_member *m);
/* Idempotent; harmless on a zeroed one. */
void subtree_leave(struct subtree_member *m);
/* Nobody reads any more. */
struct subtree *subtree_free(struct subtree *st);
AUTO_DEFINE(subtree)
