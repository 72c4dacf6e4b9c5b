/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Two sides meet here. The loop's side takes batches, bounds what waits, calls
 * the completions and keeps the counters. The thread's side (struct side) sees
 * items only: it applies them, commits, and leaves its verdict in each item, so
 * that the two share no variable.
 *
 * Room is judged before a put is applied. As long as the last page ever used is
 * below the limit nothing is counted; beyond that `used` is pages less free
 * list, counted from time to time and before something is refused, plus what
 * was put since. Three thresholds: ordinary puts, puts of batches that end or
 * free something (`reserve`), and the map itself, whose last part is left to
 * deletes, because a delete copies pages before it frees any.
 *
 * After a failed group each batch is tried alone, unless the failure was IO:
 * then nothing is known about the disk any more, the thread latches, and every
 * batch fails from there on. A failure of the last write of a commit (for want
 * of space on a copy-on-write file system, say) leaves LMDB stuck: it refuses
 * even to read. The environment is then opened again, on the loop while the
 * thread idles.
 */

#include "lib/store/writer.h"

#include "lib/base/mem.h"
#include "lib/event/worker.h"

/* What may wait before a submission is refused. */
#define WAITING_MAX 65536
#define WAITING_BYTES_MAX ((size_t)512 << 20)
/* One transaction; a larger batch gets one of its own. */
#define GROUP_BYTES_MAX ((size_t)64 << 20)
/* Values from about half a page on have pages of their own. */
#define PAGE_BYTES 4096
/* LMDB's node, and a share of the page that it is on. */
#define NODE_BYTES 64
/* After puts of this part of the limit the bytes in use are counted again. */
#define RECOUNT_PARTS 64

struct item {
	struct work work;
	struct writer *writer;
	struct store_op_list ops;
	size_t bytes;
	bool has_put;
	bool reserve;
	store_done_fn *done;
	void *ctx;

	/* The thread's verdict. */
	struct error e;
	/* Refused or failed before or outside the group. */
	bool decided;
	/* Batches in the commit that this item closed; 0: it closed none. */
	unsigned group;
	uint64_t used;
	/* LMDB refuses to go on without being reopened. */
	bool reopen;
	bool broken;
};

/* Touched by the thread only, once it runs. */
struct side {
	struct db *db;
	uint64_t soft_max;
	uint64_t hard_max;
	/* Bytes in use: counted, or what they are at most, plus what was put
	 * since as far as it can be judged. */
	uint64_t used;
	/* That part of used. */
	uint64_t uncounted;
	/* Nothing was committed since used was counted. */
	bool exact;
	/* A sync failed; text of why. */
	struct error broken;
	/* LMDB waits to be reopened after a failure for want of space. */
	bool stuck;
};

struct writer {
	struct worker *worker;
	struct db *db;
	struct side side;
	bool closing;
	bool reopen;
	store_broken_fn *broken;
	void *broken_ctx;
	size_t waiting_bytes;
	struct store_stats stats;
};

/* The thread's side */

static uint64_t
op_cost(const struct store_op *op)
{
	size_t len;

	if (op->del)
		return 0;
	len = op->key_len + op->len;
	if (len >= PAGE_BYTES / 2 - NODE_BYTES)
		return (len / PAGE_BYTES + 2) * PAGE_BYTES;
	/* Pages are seldom full. */
	return 2 * (len + NODE_BYTES);
}

static uint64_t
item_cost(const struct item *it)
{
	const struct store_op *op;
	uint64_t cost;

	cost = 0;
	STAILQ_FOREACH (op, &it->ops, link)
		cost += op_cost(op);
	return cost;
}

static void
recount(struct side *s)
{
	uint64_t used;

	if (s->exact || db_used_bytes(s->db, &used, NULL, NULL) == -1)
		return;
	s->used = used;
	s->uncounted = 0;
	s->exact = true;
}

/* Reserves room for an item's puts, or decides it. pending: what the open group
 * has reserved, which a recount does not see. */
static void
admit(struct side *s, struct item *it, uint64_t *pending)
{
	uint64_t cost, max;

	if (!it->has_put)
		return;
	cost = item_cost(it);
	max = it->reserve ? s->hard_max : s->soft_max;
	if (s->used + *pending + cost > max)
		recount(s);
	if (s->used + *pending + cost > max) {
		(void)error_set(&it->e, OVE_NOSPACE,
		    "the store is full: %llu bytes of %llu are in use",
		    (unsigned long long)(s->used + *pending),
		    (unsigned long long)max);
		it->decided = true;
		return;
	}
	*pending += cost;
}

static void
apply(struct db_txn *t, const struct item *it)
{
	const struct store_op *op;
	struct db_val k, v;

	STAILQ_FOREACH (op, &it->ops, link) {
		k.p = op->key;
		k.len = op->key_len;
		v.p = op->key + op->key_len;
		v.len = op->len;
		if (op->del)
			db_del(t, op->table, k);
		else
			db_put(t, op->table, k, v);
	}
}

static bool
is_open(const struct item *it)
{
	return !it->decided && !STAILQ_EMPTY(&it->ops);
}

/* Commits the items from first up to end (not included) that are not decided
 * yet as one transaction. */
static int
commit_range(struct side *s, struct item *first, struct item *end,
    unsigned *ret_n, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct work *w;
	struct item *it;
	unsigned n;

	if (db_begin_write(s->db, &t, e) == -1)
		return -1;
	n = 0;
	for (w = &first->work; w != NULL; w = TAILQ_NEXT(w, link)) {
		it = container_of(w, struct item, work);
		if (it == end)
			break;
		if (!is_open(it))
			continue;
		apply(&t, it);
		n++;
	}
	*ret_n = n;
	if (n == 0)
		return 0;
	return db_commit(&t, e);
}

static void
count_commit(struct side *s, struct item *it, unsigned n, uint64_t pending)
{
	uint64_t high;

	s->used += pending;
	s->uncounted += pending;
	s->exact = false;
	high = db_high_bytes(s->db);
	if (high <= s->used || high <= s->soft_max) {
		s->used = high;
		s->uncounted = 0;
	} else if (s->uncounted > s->soft_max / RECOUNT_PARTS) {
		recount(s);
	}
	it->group = n;
}

/* What a failed commit means for those that follow. */
static void
latch(struct side *s, struct item *it, struct error *e)
{
	if (e->code != OVE_NOSPACE && e->code != OVE_IO)
		return;
	if (db_is_stuck(s->db)) {
		it->reopen = true;
		/* Stuck by the failure before this one. */
		if (s->stuck)
			e->code = OVE_NOSPACE;
		s->stuck = e->code == OVE_NOSPACE;
	}
	if (e->code == OVE_IO) {
		s->broken = *e;
		it->broken = true;
	}
}

static void
refuse_broken(struct side *s, struct item *it)
{
	(void)error_set(&it->e, OVE_UNAVAILABLE,
	    "the store is read-only until a restart: %s",
	    error_text(&s->broken));
	it->decided = true;
}

static void
run_alone(struct side *s, struct item *it)
{
	struct work *next;
	uint64_t pending;
	unsigned n;

	pending = 0;
	if (!is_open(it))
		return;
	if (error_is_set(&s->broken)) {
		refuse_broken(s, it);
		return;
	}
	admit(s, it, &pending);
	if (it->decided)
		return;
	next = TAILQ_NEXT(&it->work, link);
	if (commit_range(s, it,
		next != NULL ? container_of(next, struct item, work) : NULL, &n,
		&it->e) == 0) {
		count_commit(s, it, n, pending);
		return;
	}
	latch(s, it, &it->e);
	if (error_is_set(&s->broken))
		refuse_broken(s, it);
	it->decided = true;
}

/* One group: first up to end, not included; last is the one before end. */
static void
run_group(
    struct side *s, struct item *first, struct item *last, struct item *end)
{
	struct error e = ERROR_INIT;
	uint64_t pending;
	struct work *w;
	struct item *it;
	unsigned n;

	if (first == last) {
		run_alone(s, first);
		return;
	}
	pending = 0;
	for (w = &first->work; w != NULL; w = TAILQ_NEXT(w, link)) {
		it = container_of(w, struct item, work);
		if (it == end)
			break;
		if (error_is_set(&s->broken))
			refuse_broken(s, it);
		else
			admit(s, it, &pending);
	}
	if (error_is_set(&s->broken))
		return;
	if (commit_range(s, first, end, &n, &e) == 0) {
		if (n > 0)
			count_commit(s, last, n, pending);
		return;
	}
	latch(s, last, &e);
	for (w = &first->work; w != NULL; w = TAILQ_NEXT(w, link)) {
		it = container_of(w, struct item, work);
		if (it == end)
			break;
		run_alone(s, it);
	}
}

static void
run(struct work_list *all, void *ctx)
{
	struct side *s = &((struct writer *)ctx)->side;
	struct work *w;
	struct item *first, *last, *it;
	size_t bytes;

	first = last = NULL;
	bytes = 0;
	for (w = TAILQ_FIRST(all); w != NULL; w = TAILQ_NEXT(w, link)) {
		it = container_of(w, struct item, work);
		if (first != NULL && bytes + it->bytes > GROUP_BYTES_MAX) {
			run_group(s, first, last, it);
			first = NULL;
			bytes = 0;
		}
		if (first == NULL)
			first = it;
		last = it;
		bytes += it->bytes;
	}
	if (first != NULL)
		run_group(s, first, last, NULL);
	if (last != NULL)
		last->used = s->used;
}

/* The loop's side */

static void
item_free(struct item *it)
{
	struct store_op *op;

	while ((op = STAILQ_FIRST(&it->ops)) != NULL) {
		STAILQ_REMOVE_HEAD(&it->ops, link);
		mem_free(op);
	}
	mem_free(it);
}

const int64_t store_groups_max[STORE_GROUPS_N - 1] = { 1, 2, 4, 8, 16, 64, 256,
	1024 };

static void
count_group(struct store_stats *st, unsigned n)
{
	size_t i = 0;

	if (n == 0)
		return;
	while (i < ARRAY_LEN(store_groups_max) && n > store_groups_max[i])
		i++;
	st->groups[i]++;
	st->commits++;
	st->committed += n;
}

static void
count_item(struct writer *w, const struct item *it)
{
	struct store_stats *st = &w->stats;

	w->waiting_bytes -= it->bytes;
	st->batches++;
	count_group(st, it->group);
	if (it->e.code == OVE_NOSPACE)
		st->nospace++;
	if (it->used != 0)
		st->used_bytes = it->used;
	if (it->reopen)
		w->reopen = true;
}

static void
become_read_only(struct writer *w, const struct error *why)
{
	if (w->stats.read_only)
		return;
	w->stats.read_only = true;
	if (w->broken != NULL)
		w->broken(why, w->broken_ctx);
}

/* The thread idles, and no snapshot crosses a callback, so nothing holds the
 * environment. */
static void
reopen(struct writer *w)
{
	struct error e = ERROR_INIT;

	w->reopen = false;
	w->side.stuck = false;
	if (db_reopen(w->db, &e) == 0)
		return;
	w->side.broken = e;
	become_read_only(w, &e);
}

static void
on_done(struct work *work)
{
	struct item *it = container_of(work, struct item, work);
	struct writer *w = it->writer;

	count_item(w, it);
	if (it->broken)
		become_read_only(w, &w->side.broken);
	if (w->reopen && worker_pending(w->worker) == 0 && !w->closing)
		reopen(w);
	it->done(error_is_set(&it->e) ? &it->e : NULL, it->ctx);
	item_free(it);
}

int
writer_submit(struct writer *w, struct store_batch *b, store_done_fn *done,
    void *ctx, struct error *e)
{
	AUTO_BATCH struct store_batch mine;
	struct item *it;

	store_batch_init(&mine);
	mine.reserve = b->reserve;
	store_batch_join(&mine, b);
	if (store_batch_check(&mine, e) == -1)
		return -1;
	if (w->stats.read_only)
		return error_set(e, OVE_UNAVAILABLE,
		    "the store is read-only until a restart");
	if (w->closing)
		return error_set(e, OVE_UNAVAILABLE, "the store is closing");
	if (worker_pending(w->worker) >= WAITING_MAX ||
	    w->waiting_bytes + mine.bytes > WAITING_BYTES_MAX)
		return error_set(
		    e, OVE_BUSY, "too many changes wait for the disk");
	it = mem_alloc(sizeof(*it));
	if (it == NULL)
		return error_nomem(e);
	it->work.done = on_done;
	it->writer = w;
	STAILQ_INIT(&it->ops);
	STAILQ_CONCAT(&it->ops, &mine.ops);
	it->bytes = mine.bytes;
	it->has_put = mine.has_put;
	it->reserve = mine.reserve;
	it->done = done;
	it->ctx = ctx;
	it->e.code = OVE_NONE;
	it->decided = it->reopen = it->broken = false;
	it->group = 0;
	it->used = 0;
	w->waiting_bytes += it->bytes;
	worker_submit(w->worker, &it->work);
	return 0;
}

/* The map's last part is left to deletes. */
static void
set_limits(struct side *s, uint64_t size_max)
{
	uint64_t map;

	map = db_map_bytes(s->db);
	s->soft_max = map - map / 8;
	s->hard_max = map - map / 16;
	if (size_max != 0 && size_max < s->soft_max) {
		s->soft_max = size_max;
		if (size_max + size_max / 8 < s->hard_max)
			s->hard_max = size_max + size_max / 8;
	}
	s->used = db_high_bytes(s->db);
}

int
writer_new(struct writer **ret, struct loop *l, struct db *db,
    const struct writer_config *c, struct error *e)
{
	AUTO(writer) struct writer *w = NULL;

	w = mem_calloc(1, sizeof(*w));
	if (w == NULL)
		return error_nomem(e);
	w->db = db;
	w->broken = c->broken;
	w->broken_ctx = c->broken_ctx;
	w->side.db = db;
	set_limits(&w->side, c->size_max);
	w->stats.used_bytes = w->side.used;
	w->stats.size_max = w->side.soft_max;
	w->stats.map_bytes = db_map_bytes(db);
	if (worker_new(&w->worker, l, "store writer", run, w, e) == -1)
		return -1;
	*ret = STEAL(w);
	return 0;
}

void
writer_get_stats(const struct writer *w, struct store_stats *ret)
{
	*ret = w->stats;
	ret->waiting = worker_pending(w->worker);
}

struct writer *
writer_free(struct writer *w)
{
	if (w == NULL)
		return NULL;
	w->closing = true;
	if (w->worker != NULL)
		w->worker = worker_free(w->worker);
	mem_free(w);
	return NULL;
}
