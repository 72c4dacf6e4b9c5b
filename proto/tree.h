/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Finds out which chains there are below some entry points, by the requests of
 * the original (GET chains at each one), in parallel. The result is a list in
 * the order that the original would have found (cli.md 2.1): entry points in
 * order, each followed by its subtree, depth first, children as the server gave
 * them. Labels come along where a server tells of all below it in one answer;
 * else they are not asked for here: who knows which chains matter does.
 *
 * A server may name a chain that leads back to it, and chains cannot be
 * compared; so a branch ends at TREE_DEPTH_MAX levels, and a tree at
 * TREE_NODES_MAX chains, each with a fault.
 */
#pragma once

#include "lib/base/arena.h"
#include "proto/client.h"

#define TREE_DEPTH_MAX 64
#define TREE_NODES_MAX 10000

struct tree_entry {
	const struct client_server *server;
	/* Start chain; NULL: the server itself. */
	const char *chain;
};

struct tree_node {
	const struct client_server *server;
	/* Full path; NULL: the server itself. */
	const char *chain;
	/* Which entry point found it. */
	size_t entry;
	/* The entry point itself. */
	bool is_start;
	/* Why its subtree is not known; NULL: it is. */
	const char *fault;
	enum client_class class;
	/* Of the reply; 0: there was none. */
	int status;
	/* Its version; NULL: it did not say. */
	const char *version;
	/* The server above knows that it fails, and does not ask it: no list of
	 * chains has it. It has a fault. */
	bool is_left_alone;
	/* items is NULL when they are not known. */
	struct client_strs labels;
};

struct tree {
	struct tree_node *nodes;
	size_t n;
};

struct tree_search;
typedef void tree_done_fn(const struct tree *t, void *ctx);

/* entries and their texts, and a, are borrowed until done is called or the
 * search is freed; what is found lies in a. */
int tree_discover(struct tree_search **ret, struct client *c,
    const struct tree_entry *entries, size_t n, struct arena *a,
    tree_done_fn *done, void *ctx, struct error *e);
/* After done, or together with the client. */
struct tree_search *tree_search_free(struct tree_search *s);
AUTO_DEFINE(tree_search)
