/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * On disk: be64 number -> version, time (be64 milliseconds), status (be64), and
 * the texts, each with its NUL. A number is taken when a record is made, so
 * one whose batch fails leaves a gap.
 */
#include "daemon/audit.h"

#include <string.h>

#include "daemon/tables.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"

#define VALUE_VERSION 1
/* Old records that go with a new one. */
#define TRIM_MAX 16
/* The same for a batch of its own. */
#define TIDY_MAX 256

struct audit {
	struct store *store;
	struct keep keep;
	/* Those from first to before next are there, but for gaps. */
	uint64_t first;
	uint64_t next;
};

static void
number_key(struct db_key *k, uint64_t number)
{
	key_init(k);
	key_be64(k, number);
}

static bool
end_entry(struct db_val k, struct db_val v, void *ctx)
{
	(void)v;
	(void)key_get_be64(&k, ctx);
	return false;
}

int
audit_new(struct audit **ret, struct store *s, const struct keep *keep,
    struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	AUTO(audit) struct audit *a = mem_calloc(1, sizeof(*a));
	uint64_t last = 0;

	if (a == NULL)
		return error_nomem(e);
	a->store = s;
	a->keep = *keep;
	a->first = 1;
	if (db_begin_read(store_db(s), &t, e) < 0 ||
	    db_walk(&t, TABLE_AUDIT, NULL, NULL, DB_FORWARDS, end_entry,
		&a->first, e) < 0 ||
	    db_walk(&t, TABLE_AUDIT, NULL, NULL, DB_BACKWARDS, end_entry, &last,
		e) < 0)
		return error_wrap(e, "read the audit trail");
	a->next = last + 1;
	*ret = STEAL(a);
	return 0;
}

void
audit_set_keep(struct audit *a, const struct keep *keep)
{
	a->keep = *keep;
}

static void
add_u64(unsigned char **p, uint64_t v)
{
	struct db_key k;

	number_key(&k, v);
	memcpy(*p, k.buf, k.len);
	*p += k.len;
}

void
audit_put(struct audit *a, struct store_batch *b, const struct audit_entry *x)
{
	const char *const texts[] = { x->token, x->address, x->request_id,
		x->method, x->path };
	size_t len = 1 + 8 + 8;
	unsigned char *p;
	struct db_key k;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		len += strlen(texts[i]) + 1;
	number_key(&k, a->next);
	p = store_batch_put_room(b, TABLE_AUDIT, &k, len);
	if (p == NULL)
		return;
	a->next++;
	*p++ = VALUE_VERSION;
	add_u64(&p, (uint64_t)x->at);
	add_u64(&p, x->status);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		len = strlen(texts[i]) + 1;
		memcpy(p, texts[i], len);
		p += len;
	}
	for (size_t i = 0; i < TRIM_MAX && a->next - a->first > a->keep.n;
	     i++) {
		number_key(&k, a->first++);
		store_batch_del(b, TABLE_AUDIT, &k);
	}
}

/* Tidying */

struct tidying {
	struct store_batch batch;
	const struct keep *keep;
	/* What is too much: records, bytes, and what is of before. */
	uint64_t records;
	uint64_t bytes;
	int64_t now;
	size_t n;
	/* The first that stays. */
	uint64_t first;
};

/* Of a record; what a newer version wrote is not old. */
static int64_t
made_at(struct db_val v)
{
	uint64_t at = 0;
	uint8_t version;

	if (!key_get_u8(&v, &version) || version != VALUE_VERSION ||
	    !key_get_be64(&v, &at))
		return INT64_MAX;
	return (int64_t)at;
}

static bool
tidy_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct tidying *t = ctx;
	uint64_t number, len = k.len + v.len;
	struct db_key key;

	if (!key_get_be64(&k, &number) ||
	    (t->records == 0 && t->bytes == 0 &&
		!keep_is_over(t->keep, made_at(v), t->now)))
		return false;
	number_key(&key, number);
	store_batch_del(&t->batch, TABLE_AUDIT, &key);
	t->records -= t->records > 0;
	t->bytes -= len < t->bytes ? len : t->bytes;
	t->first = number + 1;
	return ++t->n < TIDY_MAX;
}

static int
find_old(struct audit *a, struct tidying *t, struct error *e)
{
	AUTO_TXN struct db_txn txn = { .txn = NULL };
	uint64_t n, bytes;

	if (db_begin_read(store_db(a->store), &txn, e) < 0 ||
	    db_count(&txn, TABLE_AUDIT, &n, e) < 0 ||
	    db_bytes(&txn, TABLE_AUDIT, &bytes, e) < 0)
		return -1;
	t->records = keep_excess(n, a->keep.n);
	if (a->keep.bytes > 0)
		t->bytes = keep_excess(bytes, a->keep.bytes);
	return db_walk(
	    &txn, TABLE_AUDIT, NULL, NULL, DB_FORWARDS, tidy_entry, t, e);
}

/* What stays after a failure is found again by the next look. */
static void
was_tidied(const struct error *failed, void *ctx)
{
	(void)failed;
	(void)ctx;
}

int
audit_tidy(struct audit *a, struct error *e)
{
	struct tidying t = { .keep = &a->keep, .now = clock_wall_ms() };
	int r;

	store_batch_init(&t.batch);
	r = find_old(a, &t, e);
	if (r == 0 && t.n == 0)
		r = AUDIT_TIDY;
	if (r == 0)
		r = store_submit(a->store, &t.batch, was_tidied, NULL, e);
	if (r == 0 && a->first < t.first)
		a->first = t.first;
	store_batch_fini(&t.batch);
	return r;
}

/* Listing */

struct listing {
	struct arena *arena;
	struct node *list;
	size_t limit;
};

static struct node *
entry_node(struct arena *a, struct db_val k, struct db_val v)
{
	static const char *const names[] = { "token", "address", "request_id",
		"method", "path" };
	struct node *n = node_new(a, NODE_MAP);
	uint64_t number = 0, at = 0, status = 0;
	const char *text;
	uint8_t version;

	if (!key_get_be64(&k, &number) || !key_get_u8(&v, &version) ||
	    version != VALUE_VERSION || !key_get_be64(&v, &at) ||
	    !key_get_be64(&v, &status))
		return NULL;
	node_set(a, n, "id", node_int(a, (int64_t)number));
	node_set(a, n, "at", node_float(a, (double)at / 1000.0));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (!key_get_str(&v, &text))
			return NULL;
		node_set(a, n, names[i], node_str(a, text));
	}
	node_set(a, n, "status", node_int(a, (int64_t)status));
	return n;
}

static bool
list_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct listing *l = ctx;
	struct node *n = entry_node(l->arena, k, v);

	/* One that a newer version wrote is passed over. */
	if (n != NULL)
		node_add(l->arena, l->list, n);
	return l->list != NULL && l->list->u.list.n < l->limit;
}

int
audit_list(struct audit *a, size_t limit, uint64_t before, struct arena *arena,
    struct node **ret, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct listing l = { arena, node_new(arena, NODE_LIST), limit };
	struct db_key from;

	number_key(&from, before - 1);
	if (db_begin_read(store_db(a->store), &t, e) < 0 ||
	    db_walk(&t, TABLE_AUDIT, NULL, before > 0 ? &from : NULL,
		DB_BACKWARDS, list_entry, &l, e) < 0 ||
	    arena_check(arena, e) < 0)
		return -1;
	*ret = l.list;
	return 0;
}

struct audit *
audit_free(struct audit *a)
{
	mem_free(a);
	return NULL;
}
