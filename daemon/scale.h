/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The autoscaler (runtime.md 5): for each metadata overlord.autoscale.PROJECT a
 * round every polling.autoscale seconds, and soon after something has happened
 * that may matter: the metadata has changed, a job of the project has ended,
 * one of its jails has gone, a server below is heard or not.
 *
 * It is a client like any other: what it knows and does goes through the API of
 * this server, with a token of its own, "autoscaler" in the audit trail.
 */
#pragma once

#include "lib/base/error.h"

struct config;
struct events;
struct loop;
struct metrics;
struct scale;
struct store;
struct subtree;
struct token_key;

struct scale_deps {
	struct loop *loop;
	struct store *store;
	/* Of this server and of those below. */
	struct subtree *subtree;
	struct metrics *metrics;
	struct token_key *key;
	/* Where the API of this server listens: "127.0.0.1:8888",
	 * "unix:/path"; copied. */
	const char *address;
	/* Directory, absolute; copied. */
	const char *metadata;
};

int scale_new(struct scale **ret, const struct scale_deps *deps,
    const struct config *c, struct error *e);
/* Borrows c until the next call. */
void scale_configure(struct scale *s, const struct config *c);
/* What servers were asked to do, they do; whatever is under way here ends. */
struct scale *scale_free(struct scale *s);
AUTO_DEFINE(scale)
