/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Statistics of HAProxy (runtime.md 5.6): what its page says in JSON of one
 * frontend or backend, and how that goes on where HAProxy has begun to count
 * anew. Pure but for the question itself.
 *
 * The page has some 15 values for each of a hundred figures of each server: it
 * is not read as a whole but piece by piece.
 */
#pragma once

#include "lib/data/node.h"
#include "lib/net/httpc.h"

struct config_service;

/* Asks for the page; its text is for haproxy_stats_read(). -1: OVE_UNSUPPORTED
 * when the configuration has no place to ask. */
int haproxy_stats_ask(struct httpc *h, const struct config_service *c,
    httpc_done_fn *done, void *ctx, struct call_id *ret, struct error *e);

/* object: "Frontend" or "Backend". {figure: {"value", "type"}}, type being its
 * nature; HAPROXY_STATS_NONE: there is no such proxy. -1: OVE_UPSTREAM, the
 * text is something else. */
enum {
	HAPROXY_STATS_NONE = 1
};
int haproxy_stats_read(const char *text, size_t len, const char *object,
    const char *name, struct arena *a, struct node **ret, struct error *e);

/* The figures as they would be if HAProxy had never begun anew: `old` is what
 * this made the last time, or what the original keeps; NULL: nothing is known.
 * Counters also get "base" and "last", for the next time. */
struct node *haproxy_stats_go_on(
    const struct node *old, const struct node *now, struct arena *a);
