/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Values that can be found again, each with a time at which it is forgotten: an
 * LMDB environment that is never flushed. A crash of the process costs nothing.
 * After a crash of the machine (the boot is another one, and it was not closed)
 * it is thrown away, and so is one that does not hold together, whatever made
 * it so: nothing in it can be worth a crash.
 *
 * Its clock is the monotonic one, carried on over boots: a value may live
 * longer when the wall clock was set back meanwhile, never shorter than asked
 * for by a step of it. What does not fit makes room for itself: what is to be
 * forgotten first goes.
 *
 * One thread at a time may use it, whichever.
 */
#pragma once

#include "lib/store/db.h"

struct cache;
struct strbuf;

struct cache_config {
	/* The directory, made with mode 0700 when missing. */
	const char *dir;
	/* Of keys and values; the file may become four times as large. */
	uint64_t bytes_max;
	/* Names this boot of the machine. */
	const char *boot_id;
};

/* CACHE_ANEW: it begins empty, since what was there is not to be used; *ret_why
 * says why. Starts a process for a moment. */
enum {
	CACHE_ANEW = 1,
	CACHE_NONE = 2
};
int cache_open(struct cache **ret, const struct cache_config *c,
    struct error *ret_why, struct error *e);
/* Flushes it and marks it as whole. */
struct cache *cache_free(struct cache *c);
AUTO_DEFINE(cache)

/* A transaction, on the stack of one function; sees its own changes. */
struct cache_txn {
	struct cache *cache;
	struct db_txn t;
	bool changed;
	/* On the cache's clock. */
	int64_t now_ms;
	/* What the changes make of the cache's. */
	uint64_t bytes;
	uint64_t entries;
	uint64_t evicted;
};
int cache_begin(struct cache *c, struct cache_txn *t, struct error *e);
/* Adds the value to out: 0, CACHE_NONE (unknown, or its time is over), -1. */
int cache_get(struct cache_txn *t, const struct db_key *k, struct strbuf *out,
    struct error *e);
/* What fails is told by the commit. */
void cache_put(struct cache_txn *t, const struct db_key *k, int64_t ttl_ms,
    const void *p, size_t len);
void cache_del(struct cache_txn *t, const struct db_key *k);
/* Removes what is over, at most so many; how many that were. */
size_t cache_sweep(struct cache_txn *t, size_t max);
/* Without changes nothing is written. On -1 nothing has changed. */
int cache_commit(struct cache_txn *t, struct error *e) CC_MUST_CHECK;
/* Ends without effect; harmless after a commit. */
void cache_end(struct cache_txn *t);
#define AUTO_CACHE_TXN CC_CLEANUP(cache_end)

struct cache_stats {
	uint64_t entries;
	uint64_t bytes;
	/* Thrown out for others, since it was opened. */
	uint64_t evicted;
};
void cache_get_stats(const struct cache *c, struct cache_stats *ret);
/* Values and the index by time say the same, and the sums are right. */
int cache_check(struct cache *c, struct error *e);
