/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * queue_check(): the promises of the queue as code. In one snapshot each record
 * decodes, stands under its own id, and has an entry in the active table if and
 * only if it has no end, with the same state and lane; and memory knows the
 * same jobs in the same states. What is under way may be ahead on disk: such
 * jobs are compared in all but their state.
 */

#include "lib/store/queue.h"

#include <string.h>

#include "lib/store/queue_internal.h"

struct check {
	struct queue *queue;
	struct db_txn *txn;
	struct arena scratch;
	uint64_t unfinished;
	struct error *e;
	bool failed;
};

static int
check_record(struct check *c, struct db_val k, struct db_val v)
{
	struct db_key key;
	struct db_val entry;
	const char *lane;
	enum job_state state;
	struct job j;
	uint64_t id;
	int rc;

	if (!key_get_be64(&k, &id) || k.len != 0)
		return queue_corrupt(c->e, 0, "a key of a job is damaged");
	arena_reset(&c->scratch);
	if (job_decode_view(v.p, v.len, &c->scratch, &j, c->e) == -1)
		return error_wrap(c->e, "job %llu", (unsigned long long)id);
	if (j.id.v != id)
		return queue_corrupt(c->e, id, "the record is another job's");
	queue_id_key(&key, id);
	rc = db_get(c->txn, c->queue->config.table_active, &key, &entry, c->e);
	if (rc == -1)
		return -1;
	if (job_state_is_finished(j.state))
		return rc == DB_NOTFOUND
		    ? 0
		    : queue_corrupt(c->e, id, "ended, but active");
	if (rc == DB_NOTFOUND)
		return queue_corrupt(c->e, id, "not ended, and not active");
	if (!queue_read_active((struct db_val){ key.buf, key.len }, entry, &id,
		&state, &lane) ||
	    state != j.state || strcmp(lane, j.lane) != 0)
		return queue_corrupt(
		    c->e, id, "record and active entry differ");
	c->unfinished++;
	return 0;
}

static bool
check_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct check *c = ctx;

	c->failed = check_record(c, k, v) == -1;
	return !c->failed;
}

/* Memory against disk; what is under way may be ahead there. */
static int
check_known(struct lanes_job *lj, void *ctx, struct error *e)
{
	struct check *c = ctx;
	struct db_key key;
	struct db_val entry;
	enum job_state state;
	const char *lane;
	uint64_t id;
	int rc;

	queue_id_key(&key, lj->id);
	rc = db_get(c->txn, c->queue->config.table_active, &key, &entry, e);
	if (rc == -1)
		return -1;
	if (rc == 0)
		c->unfinished--;
	if (lj->moving)
		return 0;
	if (rc == DB_NOTFOUND)
		return queue_corrupt(e, lj->id, "in memory, but not active");
	if (!queue_read_active((struct db_val){ key.buf, key.len }, entry, &id,
		&state, &lane) ||
	    state != lj->state || strcmp(lane, lanes_name(lj)) != 0)
		return queue_corrupt(
		    e, lj->id, "memory and active entry differ");
	return 0;
}

static int
check_disk(struct check *c, struct error *e)
{
	struct queue *q = c->queue;
	uint64_t active;

	active = 0;
	if (db_walk(c->txn, q->config.table_jobs, NULL, NULL, DB_FORWARDS,
		check_entry, c, e) == -1 ||
	    c->failed ||
	    db_count(c->txn, q->config.table_active, &active, e) == -1)
		return -1;
	if (active != c->unfinished)
		return error_set(e, OVE_CORRUPT,
		    "%llu jobs are active, but %llu have no end",
		    (unsigned long long)active,
		    (unsigned long long)c->unfinished);
	if (lanes_each(&q->lanes, NULL, check_known, c, e) == -1)
		return -1;
	/* What is left are puts whose completion has not run. */
	if (c->unfinished > q->puts_n)
		return error_set(e, OVE_CORRUPT,
		    "%llu active jobs are not in memory",
		    (unsigned long long)c->unfinished);
	return 0;
}

int
queue_check(struct queue *q, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct check c = { .queue = q, .txn = &t, .e = e };
	int rc;

	if (lanes_check(&q->lanes, e) == -1 ||
	    db_begin_read(store_db(q->store), &t, e) == -1)
		return -1;
	arena_init(&c.scratch, QUEUE_STEPS_BYTES_MAX);
	rc = check_disk(&c, e);
	arena_fini(&c.scratch);
	return rc;
}
