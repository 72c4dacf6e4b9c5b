/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * LMDB under our rules: one environment, named tables, read snapshots that live
 * for one function, typed keys whose order is the order of their values.
 * Writing transactions exist in the store's writer only. The only file that
 * includes lmdb.h. Key building is by typed functions into a fixed buffer:
 * key_u8, key_be64, key_str; a latched overflow makes the operation fail.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/store/key.h"

struct db;

#define DB_TABLES_MAX 16

enum {
	DB_NOTFOUND = 1
};

struct db_txn;
enum db_flags {
	/* Nothing is flushed: a crash of the machine may leave anything, one of
	 * the process nothing. See db_sync(). */
	DB_NOSYNC = 1,
	/* Nothing is made, locked or changed: for looking at one that nobody
	 * uses. A table that is missing is OVE_CORRUPT. */
	DB_READ_ONLY = 2,
};
struct db_config {
	/* The directory, made with mode 0700 when missing. */
	const char *dir;
	/* Address space to reserve; halves of it are tried where the limit on
	 * address space is lower (db_map_bytes() tells). */
	size_t map_bytes;
	const char *const *tables;
	size_t tables_n;
	/* Of enum db_flags. */
	int flags;
	/* Called in the writing transaction that makes missing tables, before
	 * it is committed; -1 leaves everything as it was. May be NULL. */
	int (*init)(struct db_txn *t, void *ctx, struct error *e);
	void *init_ctx;
};
int db_open(struct db **ret, const struct db_config *c, struct error *e);
struct db *db_free(struct db *db);
AUTO_DEFINE(db)

/* One snapshot or one writing transaction; on the stack, first error latched.
 * Values read are valid until db_txn_end(), in a writing one until the next
 * change. */
struct db_txn {
	struct db *db;
	/* NULL when not begun or when ended. */
	void *txn;
	bool writing;
	struct error e;
};
int db_begin_read(struct db *db, struct db_txn *t, struct error *e);
int db_begin_write(struct db *db, struct db_txn *t, struct error *e);
/* 0, DB_NOTFOUND, -1. table: index into db_config.tables. */
int db_get(struct db_txn *t, unsigned table, const struct db_key *k,
    struct db_val *ret, struct error *e);
void db_put(struct db_txn *t, unsigned table, struct db_val k, struct db_val v);
/* A missing key is fine. */
void db_del(struct db_txn *t, unsigned table, struct db_val k);
/* Commits (writing) with the latched error, if any. The code of a failed commit
 * says what happened: NOSPACE (full disk, full map), NOMEM, LIMIT (too large a
 * transaction), IO (nothing can be trusted any more), CORRUPT. */
int db_commit(struct db_txn *t, struct error *e) CC_MUST_CHECK;
/* Ends without effect; harmless after a commit. */
void db_txn_end(struct db_txn *t);
#define AUTO_TXN CC_CLEANUP(db_txn_end)
/* Entries of a table; bytes of the pages that they take. */
int db_count(struct db_txn *t, unsigned table, uint64_t *ret, struct error *e);
int db_bytes(struct db_txn *t, unsigned table, uint64_t *ret, struct error *e);

/* Walks the keys that start with a prefix (NULL: all), forwards or backwards;
 * fn returns false to stop. from (may be NULL): begin at this key, itself
 * included. */
enum db_walk_dir {
	DB_FORWARDS,
	DB_BACKWARDS
};
typedef bool db_walk_fn(struct db_val k, struct db_val v, void *ctx);
int db_walk(struct db_txn *t, unsigned table, const struct db_key *prefix,
    const struct db_key *from, enum db_walk_dir dir, db_walk_fn *fn, void *ctx,
    struct error *e);

/* Bytes up to the last page ever used: never less than db_used_bytes(), and
 * free to ask. */
uint64_t db_high_bytes(struct db *db);
/* Bytes in use: pages less the free list. Visits each record of the free list;
 * ret_visited (may be NULL) says how many that were. */
int db_used_bytes(
    struct db *db, uint64_t *ret, size_t *ret_visited, struct error *e);
/* Flushes one with DB_NOSYNC. */
int db_sync(struct db *db, struct error *e);
/* What was reserved in the end. */
size_t db_map_bytes(const struct db *db);
size_t db_tables_n(const struct db *db);
/* A failed commit has left the environment such that even reading fails, until
 * db_reopen(). */
bool db_is_stuck(struct db *db);
/* Closes and opens the environment again; no transaction may be open. On
 * failure the environment is closed and everything else fails. */
int db_reopen(struct db *db, struct error *e);
/* Copies the live environment to a directory, made when missing. */
int db_backup(struct db *db, const char *dir, struct error *e);
