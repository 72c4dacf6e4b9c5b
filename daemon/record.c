/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Records are JSON text under ("up" | "down" | "vm" | "autoscale" | "spec" |
 * "scale", name); our last command is two big-endian numbers under
 * ("run", project), when something was seen to go one under
 * ("gone" | "gone jail", name).
 */
#include "daemon/record.h"

#include "daemon/tables.h"
#include "lib/base/clock.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

#define RECORD_MAX ((size_t)64 << 20)

static const char *const kind_words[] = {
	[RECORD_UP] = "up",
	[RECORD_DOWN] = "down",
	[RECORD_VM] = "vm",
	[RECORD_AUTOSCALE] = "autoscale",
};

const char *
record_kind_text(enum record_kind kind)
{
	return kind_words[kind];
}

static void
record_key(struct db_key *k, const char *word, const char *project)
{
	key_init(k);
	key_str(k, word);
	key_str(k, project);
}

struct node *
record_to_node(const struct record *r, int64_t now_ms, struct arena *a)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "operation", node_str(a, r->operation));
	if (r->exception_type != NULL) {
		struct node *x = node_new(a, NODE_MAP);

		node_set(a, x, "type", node_str(a, r->exception_type));
		node_set(a, x, "message", node_str(a, r->exception_message));
		node_set(a, n, "exception", x);
	}
	if (r->message != NULL)
		node_set(a, n, "message", node_str(a, r->message));
	if (r->output != NULL)
		node_set(a, n, "output", r->output);
	node_set(a, n, "last_update", node_float(a, (double)now_ms / 1000.0));
	node_set(a, n, "job_id", node_int(a, (int64_t)r->job.v));
	if (r->has_restarted)
		node_set(a, n, "restarted", node_bool(a, r->restarted));
	if (r->labels != NULL)
		node_set(a, n, "labels", r->labels);
	return n;
}

static int
put_text(struct store_batch *b, const char *word, const char *project,
    const struct node *record, struct error *e)
{
	AUTO_STRBUF struct strbuf text;
	struct db_key k;

	strbuf_init(&text, RECORD_MAX);
	json_write(&text, record, JSON_COMPACT);
	if (strbuf_check(&text, e) < 0)
		return -1;
	record_key(&k, word, project);
	store_batch_put(b, TABLE_STATUS, &k, text.buf, text.len);
	return 0;
}

int
record_put(struct store_batch *b, enum record_kind kind, const char *project,
    const struct node *record, struct error *e)
{
	return put_text(b, kind_words[kind], project, record, e);
}

int
record_put_spec(struct store_batch *b, const char *project,
    const struct node *spec, struct error *e)
{
	return put_text(b, "spec", project, spec, e);
}

static int
get_text(struct store *s, const char *word, const char *project,
    struct arena *a, struct node **ret, struct error *e)
{
	AUTO_TXN struct db_txn t = { 0 };
	struct db_val v;
	struct db_key k;
	int r;

	record_key(&k, word, project);
	if (db_begin_read(store_db(s), &t, e) < 0)
		return -1;
	if ((r = db_get(&t, TABLE_STATUS, &k, &v, e)) != 0)
		return r < 0 ? -1 : RECORD_NONE;
	if (json_read(v.p, v.len, a, ret, e) < 0)
		return error_wrap(e, "record of project '%s'", project);
	return 0;
}

int
record_get(struct store *s, enum record_kind kind, const char *project,
    struct arena *a, struct node **ret, struct error *e)
{
	return get_text(s, kind_words[kind], project, a, ret, e);
}

int
record_get_spec(struct store *s, const char *project, struct arena *a,
    struct node **ret, struct error *e)
{
	return get_text(s, "spec", project, a, ret, e);
}

int
record_put_scale(struct store_batch *b, const char *project,
    const struct node *kept, struct error *e)
{
	return put_text(b, "scale", project, kept, e);
}

int
record_get_scale(struct store *s, const char *project, struct arena *a,
    struct node **ret, struct error *e)
{
	return get_text(s, "scale", project, a, ret, e);
}

void
record_del_scale(struct store_batch *b, const char *project)
{
	struct db_key k;

	record_key(&k, "scale", project);
	store_batch_del(b, TABLE_STATUS, &k);
}

/* Far enough from the ends of what milliseconds hold. */
#define SECONDS_MAX 1e15

/* Milliseconds of a time in a record, 0 for what is before 1970 or none. */
static int64_t
ms_of(const struct node *n)
{
	double s = n->type == NODE_INT ? (double)n->u.i : n->u.f;

	if (!(s > 0))
		return 0;
	return (int64_t)((s < SECONDS_MAX ? s : SECONDS_MAX) * 1000.0 + 0.5);
}

void
record_age(struct node *record, int64_t now_ms, struct arena *a)
{
	const struct node *at = node_get(record, "last_update");
	int64_t age;

	if (at == NULL || (at->type != NODE_FLOAT && at->type != NODE_INT))
		return;
	age = now_ms - ms_of(at);
	node_replace(a, record, "last_update",
	    node_float(a, (double)(age > 0 ? age : 0) / 1000.0));
}

int
record_add_all(struct store *s, const char *project, struct node *info,
    struct arena *a, struct error *e)
{
	static const enum record_kind kinds[] = { RECORD_UP, RECORD_DOWN };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct node *rec;
		int r = record_get(s, kinds[i], project, a, &rec, e);

		if (r < 0)
			return -1;
		if (r != 0)
			continue;
		record_age(rec, clock_wall_ms(), a);
		node_set(a, info, kind_words[kinds[i]], rec);
	}
	return arena_check(a, e);
}

void
record_put_run(
    struct store_batch *b, const char *project, const struct record_run *run)
{
	struct db_key k, v;

	record_key(&k, "run", project);
	key_init(&v);
	key_be64(&v, (uint64_t)run->began_at);
	key_be64(&v, (uint64_t)run->ended_at);
	store_batch_put(b, TABLE_STATUS, &k, v.buf, v.len);
}

int
record_get_run(struct store *s, const char *project, struct record_run *ret,
    struct error *e)
{
	AUTO_TXN struct db_txn t = { 0 };
	uint64_t began, ended;
	struct db_val v;
	struct db_key k;
	int r;

	*ret = (struct record_run){ 0 };
	record_key(&k, "run", project);
	if (db_begin_read(store_db(s), &t, e) < 0)
		return -1;
	if ((r = db_get(&t, TABLE_STATUS, &k, &v, e)) != 0)
		return r < 0 ? -1 : 0;
	if (!key_get_be64(&v, &began) || !key_get_be64(&v, &ended) ||
	    v.len != 0)
		return error_set(
		    e, OVE_CORRUPT, "run of project '%s'", project);
	ret->began_at = (int64_t)began;
	ret->ended_at = (int64_t)ended;
	return 0;
}

/* What has gone */

static const struct {
	const char *word;
	/* What is kept of it. */
	const char *kept[6];
} gone[] = {
	[RECORD_GONE_PROJECT] = { "gone",
	    { "up", "down", "autoscale", "spec", "run", NULL } },
	[RECORD_GONE_JAIL] = { "gone jail", { "vm", NULL } },
};

void
record_note_gone(struct store_batch *b, enum record_gone what, const char *name,
    int64_t now_ms)
{
	struct db_key k, v;

	record_key(&k, gone[what].word, name);
	key_init(&v);
	key_be64(&v, (uint64_t)now_ms);
	store_batch_put(b, TABLE_STATUS, &k, v.buf, v.len);
}

void
record_note_back(struct store_batch *b, enum record_gone what, const char *name)
{
	struct db_key k;

	record_key(&k, gone[what].word, name);
	store_batch_del(b, TABLE_STATUS, &k);
}

void
record_forget(struct store_batch *b, enum record_gone what, const char *name)
{
	record_note_back(b, what, name);
	for (size_t i = 0; gone[what].kept[i] != NULL; i++) {
		struct db_key k;

		record_key(&k, gone[what].kept[i], name);
		store_batch_del(b, TABLE_STATUS, &k);
	}
}

bool
record_is_kept(struct store *s, enum record_gone what, const char *name)
{
	AUTO_TXN struct db_txn t = { 0 };

	if (db_begin_read(store_db(s), &t, NULL) < 0)
		return true;
	for (size_t i = 0; gone[what].kept[i] != NULL; i++) {
		struct db_val v;
		struct db_key k;

		record_key(&k, gone[what].kept[i], name);
		if (db_get(&t, TABLE_STATUS, &k, &v, NULL) != DB_NOTFOUND)
			return true;
	}
	return false;
}

struct each_gone {
	enum record_gone what;
	record_gone_fn *fn;
	void *ctx;
	bool go_on;
};

static bool
tell_gone(struct db_val k, struct db_val v, void *ctx)
{
	struct each_gone *each = ctx;
	const char *word, *name;
	uint64_t at;

	if (key_get_str(&k, &word) && key_get_str(&k, &name) &&
	    key_get_be64(&v, &at))
		each->go_on =
		    each->fn(each->what, name, (int64_t)at, each->ctx);
	return each->go_on;
}

int
record_each_gone(
    struct store *s, record_gone_fn *fn, void *ctx, struct error *e)
{
	AUTO_TXN struct db_txn t = { 0 };
	struct each_gone each = { .fn = fn, .ctx = ctx, .go_on = true };

	if (db_begin_read(store_db(s), &t, e) < 0)
		return -1;
	for (size_t i = 0; each.go_on && i < ARRAY_LEN(gone); i++) {
		struct db_key prefix;

		each.what = (enum record_gone)i;
		key_init(&prefix);
		key_str(&prefix, gone[i].word);
		if (db_walk(&t, TABLE_STATUS, &prefix, NULL, DB_FORWARDS,
			tell_gone, &each, e) < 0)
			return -1;
	}
	return 0;
}
