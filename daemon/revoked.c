/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * On disk: id -> version, time (be64 milliseconds), who asked. In memory: the
 * ids, sorted. A row that is not on disk yet counts those that wait for it; it
 * goes when all of them have failed.
 */
#include "daemon/revoked.h"

#include <sys/queue.h>

#include <string.h>

#include "daemon/tables.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"

#define VALUE_VERSION 1
#define ID_LEN 65

struct row {
	char id[ID_LEN];
	bool stored;
	size_t waiting;
};

struct revoked {
	struct store *store;
	/* Of struct row, by id. */
	struct array rows;
	TAILQ_HEAD(, change) changes;
};

struct change {
	TAILQ_ENTRY(change) link;
	/* NULL when it has gone. */
	struct revoked *revoked;
	char id[ID_LEN];
	store_done_fn *done;
	void *ctx;
};

static int
row_cmp(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->id, ((const struct row *)b)->id);
}

static struct row *
find(const struct revoked *r, const char *id)
{
	struct row key = { .stored = false };

	if (strlen(id) >= sizeof(key.id))
		return NULL;
	memcpy(key.id, id, strlen(id));
	return array_search(&r->rows, &key, row_cmp);
}

bool
revoked_has(const struct revoked *r, const char *id)
{
	return find(r, id) != NULL;
}

/* Reading */

struct reading {
	struct revoked *revoked;
	struct error *e;
	bool failed;
};

static bool
read_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct reading *g = ctx;
	struct row *row = array_add(&g->revoked->rows, g->e);
	const char *id;

	(void)v;
	g->failed = true;
	if (row == NULL)
		return false;
	if (!key_get_str(&k, &id) || strlen(id) >= sizeof(row->id)) {
		(void)error_set(g->e, OVE_CORRUPT, "a revoked token has no id");
		return false;
	}
	memcpy(row->id, id, strlen(id));
	row->stored = true;
	g->failed = false;
	return true;
}

static int
walk(struct revoked *r, db_walk_fn *fn, void *ctx, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };

	if (db_begin_read(store_db(r->store), &t, e) < 0)
		return -1;
	return db_walk(&t, TABLE_REVOKED, NULL, NULL, DB_FORWARDS, fn, ctx, e);
}

int
revoked_new(struct revoked **ret, struct store *s, struct error *e)
{
	AUTO(revoked) struct revoked *r = mem_calloc(1, sizeof(*r));
	struct reading g = { .revoked = r, .e = e };

	if (r == NULL)
		return error_nomem(e);
	r->store = s;
	TAILQ_INIT(&r->changes);
	array_init(&r->rows, sizeof(struct row), REVOKED_MAX);
	if (walk(r, read_entry, &g, e) < 0 || g.failed)
		return error_wrap(e, "read the revoked tokens");
	array_sort(&r->rows, row_cmp);
	*ret = STEAL(r);
	return 0;
}

/* Adding */

static void
on_stored(const struct error *failed, void *ctx)
{
	struct change *c = ctx;
	struct row *row;

	if (c->revoked == NULL) {
		mem_free(c);
		return;
	}
	TAILQ_REMOVE(&c->revoked->changes, c, link);
	row = find(c->revoked, c->id);
	if (row != NULL) {
		row->waiting--;
		row->stored = row->stored || failed == NULL;
		if (!row->stored && row->waiting == 0)
			array_remove(&c->revoked->rows,
			    (size_t)(row -
				(struct row *)c->revoked->rows.items));
	}
	if (c->done != NULL)
		c->done(failed, c->ctx);
	mem_free(c);
}

static void
put_record(struct store_batch *b, const char *id, const char *by)
{
	struct db_key k, v;

	key_init(&k);
	key_str(&k, id);
	key_init(&v);
	key_u8(&v, VALUE_VERSION);
	key_be64(&v, (uint64_t)clock_wall_ms());
	key_str(&v, by);
	store_batch_put(b, TABLE_REVOKED, &k, v.buf, v.len);
}

/* The row of id, made when there is none. */
static struct row *
row_of(struct revoked *r, const char *id, struct error *e)
{
	struct row *row = find(r, id);

	if (row != NULL)
		return row;
	row = array_add(&r->rows, e);
	if (row == NULL)
		return NULL;
	memcpy(row->id, id, strlen(id));
	array_sort(&r->rows, row_cmp);
	return find(r, id);
}

static int
submit(
    struct revoked *r, struct store_batch *b, struct change *c, struct error *e)
{
	struct row *row = row_of(r, c->id, e);

	if (row == NULL)
		return -1;
	if (store_submit(r->store, b, on_stored, c, e) < 0) {
		if (!row->stored && row->waiting == 0)
			array_remove(&r->rows,
			    (size_t)(row - (struct row *)r->rows.items));
		return -1;
	}
	row->waiting++;
	TAILQ_INSERT_TAIL(&r->changes, c, link);
	return 0;
}

int
revoked_add(struct revoked *r, const char *id, const char *by,
    struct store_batch *more, store_done_fn *done, void *ctx, struct error *e)
{
	AUTO_BATCH struct store_batch b;
	const struct row *row = find(r, id);
	struct change *c;

	store_batch_init(&b);
	if (more != NULL)
		store_batch_join(&b, more);
	/* Takes rights away: also in a full store. */
	b.reserve = true;
	if (row != NULL && row->stored)
		return REVOKED_BEFORE;
	if (id[0] == '\0' || strlen(id) >= ID_LEN)
		return error_set(e, OVE_INVALID, "this is no id of a token");
	c = mem_calloc(1, sizeof(*c));
	if (c == NULL)
		return error_nomem(e);
	c->revoked = r;
	memcpy(c->id, id, strlen(id));
	c->done = done;
	c->ctx = ctx;
	put_record(&b, id, by);
	if (submit(r, &b, c, e) == 0)
		return 0;
	mem_free(c);
	return -1;
}

/* Listing */

struct listing {
	struct arena *arena;
	struct node *list;
};

static bool
list_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct listing *l = ctx;
	struct node *n = node_new(l->arena, NODE_MAP);
	const char *id = "", *by = "";
	uint64_t at = 0;
	uint8_t version = 0;

	(void)key_get_str(&k, &id);
	if (key_get_u8(&v, &version) && version == VALUE_VERSION &&
	    key_get_be64(&v, &at))
		(void)key_get_str(&v, &by);
	node_set(l->arena, n, "id", node_str(l->arena, id));
	node_set(l->arena, n, "revoked_at",
	    node_float(l->arena, (double)at / 1000.0));
	node_set(l->arena, n, "by", node_str(l->arena, by));
	node_add(l->arena, l->list, n);
	return true;
}

int
revoked_list(
    struct revoked *r, struct arena *a, struct node **ret, struct error *e)
{
	struct listing l = { a, node_new(a, NODE_LIST) };

	if (walk(r, list_entry, &l, e) < 0 || arena_check(a, e) < 0)
		return -1;
	*ret = l.list;
	return 0;
}

struct revoked *
revoked_free(struct revoked *r)
{
	struct change *c;

	if (r == NULL)
		return NULL;
	while ((c = TAILQ_FIRST(&r->changes)) != NULL) {
		TAILQ_REMOVE(&r->changes, c, link);
		c->revoked = NULL;
	}
	array_fini(&r->rows);
	mem_free(r);
	return NULL;
}
