/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Forgetting finished jobs, from the oldest on. Those beyond the number and the
 * size that are kept go with the batch that ends a job, a few at a time, so
 * that a busy queue needs no batch of its own for that. queue_tidy() makes one,
 * for what has become too old and for limits that were lowered. When a batch
 * finds no room, an eighth of the store is cleared in the same way: a history
 * must not keep a node from working.
 *
 * trim_from remembers where the last one stopped, and goes back when an older
 * job ends later, or when a batch with deletes fails. The age is that of the
 * end; one that is to stay keeps those behind it, which ended earlier only if
 * they did not run as long.
 */

#include "lib/store/queue.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/store/queue_internal.h"

/* Finished jobs that one batch deletes, and keys it looks at for them. */
#define TRIM_MAX 16
#define TRIM_LOOK_MAX 256
/* The same for a batch of its own. */
#define TIDY_MAX 256
#define TIDY_LOOK_MAX 4096
/* The part of the store that is cleared when there is no room. */
#define ROOM_PARTS 8

struct trim {
	struct queue *queue;
	struct store_batch *batch;
	/* What is too much: jobs, bytes of records, and what ended before. */
	uint64_t jobs;
	uint64_t bytes;
	int64_t before;
	size_t delete_max;
	size_t look_max;
	size_t looked;
	size_t deleted_n;
	uint64_t deleted_bytes;
	/* Where the next one begins. */
	uint64_t from;
};

static void
trim_delete(struct trim *t, uint64_t id, size_t len)
{
	struct db_key key;

	queue_id_key(&key, id);
	store_batch_del(t->batch, t->queue->config.table_jobs, &key);
	t->deleted_n++;
	t->deleted_bytes += len;
	if (t->jobs > 0)
		t->jobs--;
	t->bytes -= len < t->bytes ? len : t->bytes;
}

static bool
trim_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct trim *t = ctx;
	uint64_t id;

	if (!key_get_be64(&k, &id) || id > t->queue->known_id)
		return false;
	if (lanes_find(&t->queue->lanes, id) == NULL) {
		if (t->jobs == 0 && t->bytes == 0 &&
		    job_peek_ended_at(v.p, v.len) >= t->before)
			return false;
		trim_delete(t, id, v.len);
	}
	t->from = id + 1;
	return t->deleted_n < t->delete_max && ++t->looked < t->look_max;
}

/* Adds the deletes. */
static int
trim_walk(struct queue *q, struct db_txn *txn, struct trim *t,
    struct pending *p, struct error *e)
{
	struct db_key from;

	t->queue = q;
	t->from = q->trim_from;
	queue_id_key(&from, q->trim_from);
	if (db_walk(txn, q->config.table_jobs, NULL, &from, DB_FORWARDS,
		trim_entry, t, e) == -1)
		return -1;
	q->trim_from = t->from;
	p->trimmed_n = t->deleted_n;
	p->trimmed_bytes = t->deleted_bytes;
	return 0;
}

/* What is too much in number and size, when `more` jobs have ended as well. */
static int
measure(struct queue *q, struct db_txn *txn, uint64_t more, struct trim *t,
    struct error *e)
{
	const struct keep *k = &q->config.keep;
	uint64_t all, active, bytes;

	all = active = bytes = 0;
	if (db_count(txn, q->config.table_jobs, &all, e) == -1 ||
	    db_count(txn, q->config.table_active, &active, e) == -1 ||
	    db_bytes(txn, q->config.table_jobs, &bytes, e) == -1)
		return -1;
	t->jobs = keep_excess(all - active + more, k->n + q->trimming_n);
	if (k->bytes > 0)
		t->bytes = keep_excess(bytes, k->bytes + q->trimming_bytes);
	return 0;
}

int
queue_trim(struct queue *q, struct db_txn *txn, struct store_batch *b,
    struct pending *p, struct error *e)
{
	struct trim t = {
		.batch = b,
		.before = INT64_MIN,
		.delete_max = TRIM_MAX,
		.look_max = TRIM_LOOK_MAX,
	};

	if (measure(q, txn, 1, &t, e) == -1)
		return -1;
	if (t.jobs == 0 && t.bytes == 0)
		return 0;
	return trim_walk(q, txn, &t, p, e);
}

void
queue_trim_begun(struct queue *q, const struct pending *p)
{
	q->trimming_n += p->trimmed_n;
	q->trimming_bytes += p->trimmed_bytes;
}

void
queue_trim_ended(struct queue *q, const struct pending *p, bool failed)
{
	q->trimming_n -= p->trimmed_n;
	q->trimming_bytes -= p->trimmed_bytes;
	if (failed && p->trimmed_n > 0)
		q->trim_from = 0;
}

/* Batches of their own */

static void
on_tidied(const struct error *failed, void *ctx)
{
	AUTO(pending) struct pending *p = ctx;
	struct queue *q = p->queue;

	if (q == NULL)
		return;
	TAILQ_REMOVE(&q->pending, p, link);
	q->tidying = false;
	queue_trim_ended(q, p, failed != NULL);
}

/* Deletes what t says is too much. 0, or QUEUE_EMPTY: nothing is. */
static int
tidy(struct queue *q, struct db_txn *txn, struct trim *t, struct error *e)
{
	AUTO_BATCH struct store_batch b;
	AUTO(pending) struct pending *p = NULL;

	store_batch_init(&b);
	p = pending_new(q, NULL, NULL);
	if (p == NULL)
		return error_nomem(e);
	t->batch = &b;
	t->delete_max = TIDY_MAX;
	t->look_max = TIDY_LOOK_MAX;
	/* No job of its own, new or old. */
	p->from = JOB_QUEUED;
	if (trim_walk(q, txn, t, p, e) == -1)
		return -1;
	if (p->trimmed_n == 0)
		return QUEUE_EMPTY;
	if (store_submit(q->store, &b, on_tidied, p, e) == -1) {
		q->trim_from = 0;
		return -1;
	}
	queue_trim_begun(q, p);
	q->tidying = true;
	TAILQ_INSERT_TAIL(&q->pending, p, link);
	(void)STEAL(p);
	return 0;
}

int
queue_tidy(struct queue *q, struct error *e)
{
	AUTO_TXN struct db_txn txn = { .txn = NULL };
	const struct keep *k = &q->config.keep;
	struct trim t = { .before = INT64_MIN };

	if (q->tidying)
		return QUEUE_BUSY;
	if (db_begin_read(store_db(q->store), &txn, e) == -1 ||
	    measure(q, &txn, 0, &t, e) == -1)
		return -1;
	if (k->ms > 0)
		t.before = clock_wall_ms() - k->ms;
	return tidy(q, &txn, &t, e);
}

void
queue_make_room(struct queue *q)
{
	AUTO_TXN struct db_txn txn = { .txn = NULL };
	struct trim t = { .before = INT64_MIN };
	struct store_stats st;

	store_get_stats(q->store, &st);
	/* A disk that others have filled is no reason to forget anything. */
	if (q->tidying || st.used_bytes < st.size_max / 2 ||
	    db_begin_read(store_db(q->store), &txn, NULL) == -1)
		return;
	t.bytes = st.size_max / ROOM_PARTS;
	/* Whoever found no room tries again, and so do we. */
	(void)tidy(q, &txn, &t, NULL);
}
