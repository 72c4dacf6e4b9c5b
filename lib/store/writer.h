/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The store's writer: a worker thread that applies batches to a db. All that
 * wait become one transaction (group commit); when that fails each is tried
 * alone, so that one batch does not fail the others. Part of the store; nobody
 * else uses it.
 */
#pragma once

#include "lib/store/batch.h"

struct loop;
struct writer;

/* failed is NULL when the batch is on disk. */
typedef void store_done_fn(const struct error *failed, void *ctx);
/* The store has just become read-only, and why. */
typedef void store_broken_fn(const struct error *why, void *ctx);

/* Commits by the batches in them: at most so many; the last place of the
 * histogram is for the rest. */
#define STORE_GROUPS_N 9
extern const int64_t store_groups_max[STORE_GROUPS_N - 1];
struct store_stats {
	uint64_t commits;
	uint64_t groups[STORE_GROUPS_N];
	/* Batches that were committed; those that ended in any way. */
	uint64_t committed;
	uint64_t batches;
	uint64_t nospace;
	bool read_only;
	/* Submitted, not yet completed. */
	size_t waiting;
	/* Bytes in use as the writer knows them: never too low, and exact near
	 * the limit. */
	uint64_t used_bytes;
	/* Bytes in use beyond which ordinary puts are refused. */
	uint64_t size_max;
	/* Address space reserved: less than asked for where it is limited. */
	uint64_t map_bytes;
};

struct writer_config {
	/* Bytes in use beyond which puts are refused; 0 = what the map holds.
	 */
	uint64_t size_max;
	/* May be NULL. */
	store_broken_fn *broken;
	void *broken_ctx;
};

int writer_new(struct writer **ret, struct loop *l, struct db *db,
    const struct writer_config *c, struct error *e);
/* As store_submit(). */
int writer_submit(struct writer *w, struct store_batch *b, store_done_fn *done,
    void *ctx, struct error *e) CC_MUST_CHECK;
void writer_get_stats(const struct writer *w, struct store_stats *ret);
/* Waits for what was submitted, runs the completions (which cannot submit
 * any more). */
struct writer *writer_free(struct writer *w);
AUTO_DEFINE(writer)
