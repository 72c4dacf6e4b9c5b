/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * For the tests of lib/store: a loop with a store in a test's directory, and
 * waiting for a completion by running the loop. A completion that is waited for
 * is kit_done() with the address of a struct kit_wait; the callbacks of the
 * queue have their own and call kit_count().
 */
#pragma once

#include "test/unit/support/test.h"

#include "lib/event/loop.h"
#include "lib/store/store.h"

enum {
	KIT_JOBS,
	KIT_ACTIVE,
	KIT_QUEUE,
	KIT_OTHER
};
static const char *const kit_tables[] = { "jobs", "active", "queue", "other" };

struct kit {
	struct loop *loop;
	struct store *store;
};

struct kit_wait {
	struct loop *loop;
	size_t n;
	size_t failed_n;
	struct error e;
};

static inline struct store_config
kit_config(const char *dir)
{
	struct store_config c = { .dir = dir,
		.tables = kit_tables,
		.tables_n = ARRAY_LEN(kit_tables),
		.map_bytes = (size_t)1 << 30,
		.schema = 1 };

	return c;
}

static inline void
kit_open(struct kit *k, const struct store_config *c)
{
	struct error e = ERROR_INIT;

	test_ok(loop_new(&k->loop, &e), &e);
	test_ok(store_open(&k->store, k->loop, c, &e), &e);
}

static inline void
kit_close(struct kit *k)
{
	k->store = store_free(k->store);
	k->loop = loop_free(k->loop);
}

static inline void
kit_count(struct kit_wait *w, const struct error *failed)
{
	w->n++;
	if (failed != NULL) {
		w->failed_n++;
		w->e = *failed;
	}
	loop_stop(w->loop);
}

CC_UNUSED static void
kit_done(const struct error *failed, void *ctx)
{
	kit_count(ctx, failed);
}

/* Runs the loop until w has counted n. */
static inline void
kit_wait(struct kit_wait *w, size_t n)
{
	struct error e = ERROR_INIT;

	while (w->n < n)
		test_ok(loop_run(w->loop, &e), &e);
}

/* Submits and waits; the code of the outcome. */
static inline enum ove
kit_submit(struct kit *k, struct store_batch *b)
{
	struct kit_wait w = { .loop = k->loop };
	struct error e = ERROR_INIT;

	if (store_submit(k->store, b, kit_done, &w, &e) == -1)
		return e.code;
	kit_wait(&w, 1);
	return w.failed_n > 0 ? w.e.code : OVE_NONE;
}

static inline enum ove
kit_put(
    struct kit *k, unsigned table, const char *key, const void *v, size_t len)
{
	struct store_batch b;
	struct db_key dk;

	store_batch_init(&b);
	key_init(&dk);
	key_str(&dk, key);
	store_batch_put(&b, table, &dk, v, len);
	return kit_submit(k, &b);
}

static inline enum ove
kit_del(struct kit *k, unsigned table, const char *key)
{
	struct store_batch b;
	struct db_key dk;

	store_batch_init(&b);
	key_init(&dk);
	key_str(&dk, key);
	store_batch_del(&b, table, &dk);
	return kit_submit(k, &b);
}

/* Length of a value, or -1 when there is none. */
static inline long
kit_get_len(struct kit *k, unsigned table, const char *key)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct error e = ERROR_INIT;
	struct db_key dk;
	struct db_val v;
	int rc;

	test_ok(db_begin_read(store_db(k->store), &t, &e), &e);
	key_init(&dk);
	key_str(&dk, key);
	rc = db_get(&t, table, &dk, &v, &e);
	if (rc == DB_NOTFOUND)
		return -1;
	test_ok(rc, &e);
	return (long)v.len;
}
