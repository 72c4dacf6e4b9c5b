/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How the queue finds its things on disk, and start-up. The active table names
 * every job without an end; for each the record is read once and must agree,
 * and a job that does not fails the opening by its id: to run or to forget it
 * would be a guess. Finished jobs are not looked at, so a long history costs
 * nothing. The next id is what was stored, or one more than the last record's.
 */

#include "lib/store/queue.h"

#include <string.h>

#include "lib/store/queue_internal.h"

void
queue_id_key(struct db_key *k, uint64_t id)
{
	key_init(k);
	key_be64(k, id);
}

void
queue_next_id_key(struct db_key *k)
{
	key_init(k);
	key_str(k, "next_id");
}

bool
queue_read_active(struct db_val k, struct db_val v, uint64_t *ret_id,
    enum job_state *ret_state, const char **ret_lane)
{
	uint8_t version, state;

	if (!key_get_be64(&k, ret_id) || k.len != 0 || *ret_id == 0 ||
	    *ret_id > JOB_ID_MAX)
		return false;
	if (!key_get_u8(&v, &version) || version != QUEUE_VALUE_VERSION ||
	    !key_get_u8(&v, &state) || !key_get_str(&v, ret_lane) || v.len != 0)
		return false;
	if (state >= JOB_STATE_COUNT ||
	    job_state_is_finished((enum job_state)state))
		return false;
	*ret_state = (enum job_state)state;
	return true;
}

int
queue_corrupt(struct error *e, uint64_t id, const char *what)
{
	return error_set(
	    e, OVE_CORRUPT, "job %llu: %s", (unsigned long long)id, what);
}

int
queue_read_view(struct queue *q, struct db_txn *t, uint64_t id, struct arena *a,
    struct job *ret, struct error *e)
{
	struct db_key k;
	struct db_val v;
	int rc;

	queue_id_key(&k, id);
	rc = db_get(t, q->config.table_jobs, &k, &v, e);
	if (rc == DB_NOTFOUND)
		return QUEUE_NOTFOUND;
	if (rc == -1)
		return -1;
	if (job_decode_view(v.p, v.len, a, ret, e) == -1)
		return error_wrap(e, "job %llu", (unsigned long long)id);
	if (ret->id.v != id)
		return queue_corrupt(e, id, "the record is another job's");
	return 0;
}

struct opening {
	struct queue *queue;
	struct db_txn *txn;
	struct arena scratch;
	struct error *e;
	bool failed;
};

static int
open_job(struct opening *o, struct db_val k, struct db_val v)
{
	struct queue *q = o->queue;
	struct lanes_job *lj;
	enum job_state state;
	const char *lane;
	struct job j;
	uint64_t id;
	int rc;

	if (!queue_read_active(k, v, &id, &state, &lane))
		return error_set(o->e, OVE_CORRUPT,
		    "an entry of the active jobs is not readable");
	arena_reset(&o->scratch);
	rc = queue_read_view(q, o->txn, id, &o->scratch, &j, o->e);
	if (rc == -1)
		return -1;
	if (rc == QUEUE_NOTFOUND)
		return queue_corrupt(o->e, id, "active without a record");
	if (j.state != state || strcmp(j.lane, lane) != 0)
		return queue_corrupt(
		    o->e, id, "record and active entry differ");
	if (lanes_new(&q->lanes, &lj, id, lane, o->e) == -1)
		return -1;
	lanes_add(&q->lanes, lj, state);
	q->known_id = id;
	return 0;
}

static bool
open_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct opening *o = ctx;

	o->failed = open_job(o, k, v) == -1;
	return !o->failed;
}

static bool
last_entry(struct db_val k, struct db_val v, void *ctx)
{
	uint64_t *last = ctx;

	(void)v;
	(void)key_get_be64(&k, last);
	return false;
}

static int
open_next_id(struct queue *q, struct db_txn *t, struct error *e)
{
	const unsigned char *p;
	struct db_key k;
	struct db_val v;
	uint64_t last;
	size_t i;
	int rc;

	queue_next_id_key(&k);
	q->next_id = 0;
	rc = db_get(t, q->config.table_meta, &k, &v, e);
	if (rc == -1)
		return -1;
	if (rc == 0) {
		p = v.p;
		if (v.len != QUEUE_NEXT_ID_LEN || p[0] != QUEUE_VALUE_VERSION)
			return error_set(
			    e, OVE_CORRUPT, "the next job id is not readable");
		for (i = 0; i < 8; i++)
			q->next_id |= (uint64_t)p[1 + i] << (8 * i);
	}
	last = 0;
	if (db_walk(t, q->config.table_jobs, NULL, NULL, DB_BACKWARDS,
		last_entry, &last, e) == -1)
		return -1;
	if (q->next_id <= last)
		q->next_id = last + 1;
	return 0;
}

int
queue_read_all(struct queue *q, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct opening o = { .queue = q, .txn = &t, .e = e };
	int rc;

	if (db_begin_read(store_db(q->store), &t, e) == -1 ||
	    open_next_id(q, &t, e) == -1)
		return -1;
	arena_init(&o.scratch, QUEUE_STEPS_BYTES_MAX);
	rc = db_walk(&t, q->config.table_active, NULL, NULL, DB_FORWARDS,
	    open_entry, &o, e);
	arena_fini(&o.scratch);
	if (rc == -1 || o.failed)
		return -1;
	if (q->known_id >= q->next_id)
		return queue_corrupt(e, q->known_id, "active without a record");
	q->known_id = q->next_id - 1;
	return 0;
}
