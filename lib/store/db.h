/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * LMDB under our rules: one environment, named tables, read snapshots that live
 * for one function, typed keys whose order is the order of their values. Writing
 * transactions exist in the store's writer only. The only file that includes
 * lmdb.h. Key building is by typed functions into a fixed buffer: key_u8,
 * key_be64, key_str; a latched overflow makes the operation fail.
 */
#pragma once

#include "lib/base/error.h"

struct db;

#define DB_KEY_MAX 511
#define DB_TABLES_MAX 16

enum { DB_NOTFOUND = 1 };

struct db_val {
	const void *p;
	size_t len;
};

struct db_key {
	size_t len;
	bool over;
	unsigned char buf[DB_KEY_MAX];
};
void key_init(struct db_key *k);
void key_u8(struct db_key *k, uint8_t v);
void key_be64(struct db_key *k, uint64_t v);
/* The text and a NUL, so that prefixes sort first; s holds no NUL. */
void key_str(struct db_key *k, const char *s);
/* Inverses: take from the front of *v; false when it does not hold one. */
bool key_get_u8(struct db_val *v, uint8_t *ret);
bool key_get_be64(struct db_val *v, uint64_t *ret);
bool key_get_str(struct db_val *v, const char **ret);

struct db_config {
	/* The directory, made with mode 0700 when missing. */
	const char *dir;
	/* Address space to reserve; less is tried, with a notice, when the
	 * limit on address space is lower. */
	size_t map_bytes;
	const char *const *tables;
	size_t tables_n;
};
int db_open(struct db **ret, const struct db_config *c, struct error *e);
struct db *db_free(struct db *db);
AUTO_DEFINE(db)

/* One snapshot or one writing transaction; on the stack, first error latched.
 * Values read are valid until db_txn_end(). */
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
/* Commits (writing) with the latched error, if any. */
int db_commit(struct db_txn *t, struct error *e) CC_MUST_CHECK;
/* Ends without effect; harmless after a commit. */
void db_txn_end(struct db_txn *t);
#define AUTO_TXN CC_CLEANUP(db_txn_end)
/* Entries of a table. */
int db_count(struct db_txn *t, unsigned table, uint64_t *ret, struct error *e);

/* Walks the keys that start with a prefix, forwards or backwards; fn returns
 * false to stop. from (may be NULL): begin at this key, itself included. */
enum db_walk_dir { DB_FORWARDS, DB_BACKWARDS };
typedef bool db_walk_fn(struct db_val k, struct db_val v, void *ctx);
int db_walk(struct db_txn *t, unsigned table, const struct db_key *prefix,
    const struct db_key *from, enum db_walk_dir dir, db_walk_fn *fn, void *ctx,
    struct error *e);

/* Bytes in use: pages less the free list. */
int db_used_bytes(struct db *db, uint64_t *ret, struct error *e);
/* Copies the live environment to a directory. */
int db_backup(struct db *db, const char *dir, struct error *e);
