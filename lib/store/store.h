/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The durable store: DIR/state, an LMDB environment of our tables with a schema
 * version, written by one worker thread that commits all waiting batches as one
 * transaction (group commit). A batch (batch.h) is a list of puts and deletes
 * as copies, built on the loop and submitted once; it is whole or absent, and
 * its completion comes once, deferred. Nothing that depends on a batch may be
 * told to anybody before that.
 *
 * A full disk or a full map is OVE_NOSPACE: nothing is lost and writing goes on
 * when there is room. A sync that fails with an I/O error makes the store
 * read-only until a restart (OVE_UNAVAILABLE to every batch), loudly. The
 * program must ignore SIGXFSZ, so that a file size limit is an error as well.
 */
#pragma once

#include "lib/store/batch.h"
#include "lib/store/db.h"
#include "lib/store/writer.h"

struct loop;
struct store;

struct store_config {
	/* The state directory; DIR/state is made below it. */
	const char *dir;
	/* Address space to reserve; 0 = 64 GiB. */
	size_t map_bytes;
	/* Bytes in use beyond which puts are refused; deletes still work, and
	 * batches with `reserve` may take an eighth more. 0: what the map
	 * holds. */
	uint64_t size_max;
	/* The user's tables, at most DB_TABLES_MAX - 1. The store adds one of
	 * its own, "meta". */
	const char *const *tables;
	size_t tables_n;
	/* Newer than this on disk: refused with both versions named. Older:
	 * upgrade runs for each step, all in one transaction; NULL refuses. */
	unsigned schema;
	int (*upgrade)(struct db_txn *t, unsigned from, struct error *e);
	/* Called once, on the loop, when the store becomes read-only. May be
	 * NULL. */
	store_broken_fn *broken;
	void *broken_ctx;
};

int store_open(struct store **ret, struct loop *l, const struct store_config *c,
    struct error *e);
/* Waits for what was submitted, runs the completions, closes. Submitting from
 * these completions fails. */
struct store *store_free(struct store *s);
AUTO_DEFINE(store)
/* For snapshots: db_begin_read(store_db(s), ...). */
struct db *store_db(struct store *s);

/* takes the operations; b is empty afterwards, also on failure. -1: latched
 * batch, too many waiting (OVE_BUSY), read-only (OVE_UNAVAILABLE); then done is
 * not called. done is store_done_fn (writer.h); completions come in the order
 * of submission. */
int store_submit(struct store *s, struct store_batch *b, store_done_fn *done,
    void *ctx, struct error *e) CC_MUST_CHECK;

/* struct store_stats: writer.h. */
void store_get_stats(const struct store *s, struct store_stats *ret);
/* Checks what can be checked without knowing the users' values: keys in order,
 * as many as counted, every value readable. */
int store_check(struct store *s, struct error *e);
int store_backup(struct store *s, const char *dir, struct error *e);
