/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The durable store: DIR/state, an LMDB environment of our tables with a schema
 * version, written by one worker thread that commits all waiting batches as one
 * transaction (group commit). A batch is a list of puts and deletes as copies,
 * built on the loop and submitted once; it is whole or absent, and its
 * completion comes once, deferred. Nothing that depends on a batch may be told
 * to anybody before that.
 *
 * A full disk or a full map is OVE_NOSPACE: nothing is lost and writing goes on
 * when there is room. A sync that fails with an I/O error makes the store
 * read-only until a restart (OVE_UNAVAILABLE to every batch), loudly.
 */
#pragma once

#include "lib/store/db.h"

struct loop;
struct store;

struct store_config {
	/* The state directory; DIR/state is made below it. */
	const char *dir;
	/* Address space to reserve; 0 = 64 GiB. */
	size_t map_bytes;
	/* Bytes in use beyond which puts are refused; deletes still work. */
	uint64_t size_max;
	/* The user's tables. The store adds one of its own, "meta". */
	const char *const *tables;
	size_t tables_n;
	/* Newer than this on disk: refused with both versions named. Older:
	 * upgrade (may be NULL) runs for each step in one transaction. */
	unsigned schema;
	int (*upgrade)(struct db_txn *t, unsigned from, struct error *e);
};

int store_open(struct store **ret, struct loop *l, const struct store_config *c,
    struct error *e);
/* Waits for what was submitted, runs the completions, closes. */
struct store *store_free(struct store *s);
AUTO_DEFINE(store)
/* For snapshots: db_begin_read(store_db(s), ...). */
struct db *store_db(struct store *s);

struct store_op;
struct store_batch {
	struct store_op *head;
	struct store_op **tail;
	size_t bytes;
	enum ove latch;
};
void store_batch_init(struct store_batch *b);
/* Copies key and value; a value may be up to 64 MiB. */
void store_batch_put(struct store_batch *b, unsigned table,
    const struct db_key *k, const void *v, size_t len);
void store_batch_del(struct store_batch *b, unsigned table,
    const struct db_key *k);
/* Moves all operations of `from` behind those of b; from is empty then. */
void store_batch_join(struct store_batch *b, struct store_batch *from);
void store_batch_fini(struct store_batch *b);
#define AUTO_BATCH CC_CLEANUP(store_batch_fini)

/* failed is NULL when the batch is on disk. */
typedef void store_done_fn(const struct error *failed, void *ctx);
/* takes the operations; b is empty afterwards, also on failure. -1: latched
 * batch, too many waiting (OVE_BUSY), read-only (OVE_UNAVAILABLE); then done is
 * not called. */
int store_submit(struct store *s, struct store_batch *b, store_done_fn *done,
    void *ctx, struct error *e) CC_MUST_CHECK;

struct store_stats {
	uint64_t commits;
	uint64_t batches;
	uint64_t nospace;
	/* Batches in the largest commit. */
	uint64_t group_max;
	bool read_only;
};
void store_get_stats(const struct store *s, struct store_stats *ret);
/* Checks what can be checked without knowing the users' values. */
int store_check(struct store *s, struct error *e);
int store_backup(struct store *s, const char *dir, struct error *e);
