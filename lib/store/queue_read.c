/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looking at jobs. Records are read from one snapshot per call, so they show
 * what is on disk: a job with a change under way as it was. Lists walk the
 * records backwards, newest first, and copy what matches, without payloads,
 * into the caller's arena; a record that cannot be read fails the call and is
 * named. Ids, positions and counters come from memory.
 */

#include "lib/store/queue.h"

#include <string.h>

#include "lib/base/array.h"
#include "lib/store/queue_internal.h"

#define LIST_LOOK_MAX 100000

int
queue_get(struct queue *q, struct job_id id, struct arena *a, struct job *ret,
    struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct db_key k;
	struct db_val v;
	int rc;

	if (db_begin_read(store_db(q->store), &t, e) == -1)
		return -1;
	queue_id_key(&k, id.v);
	rc = db_get(&t, q->config.table_jobs, &k, &v, e);
	if (rc == DB_NOTFOUND)
		return QUEUE_NOTFOUND;
	if (rc == -1 || job_decode(v.p, v.len, a, ret, e) == -1)
		return error_wrap(e, "job %llu", (unsigned long long)id.v);
	return 0;
}

struct listing {
	const struct queue_filter *filter;
	struct arena *arena;
	struct arena scratch;
	/* Of struct job. */
	struct array found;
	size_t looked;
	struct error *e;
	bool failed;
};

/* Copies all but the payload. */
static int
copy_job(struct arena *a, const struct job *j, struct job *ret, struct error *e)
{
	struct job_step *s;
	void *result;
	size_t i;

	*ret = *j;
	ret->payload = NULL;
	ret->kind = arena_strdup(a, j->kind);
	ret->lane = arena_strdup(a, j->lane);
	ret->name = arena_strdup(a, j->name);
	ret->by = arena_strdup(a, j->by);
	ret->request_id = arena_strdup(a, j->request_id);
	ret->message = arena_strdup(a, j->message);
	result = arena_alloc(a, j->result_len > 0 ? j->result_len : 1);
	if (result != NULL && j->result_len > 0)
		memcpy(result, j->result, j->result_len);
	ret->result = result;
	ret->steps = NULL;
	if (j->steps_n > 0) {
		s = arena_calloc(a, j->steps_n, sizeof(*s));
		for (i = 0; s != NULL && i < j->steps_n; i++) {
			s[i] = j->steps[i];
			s[i].name = arena_strdup(a, j->steps[i].name);
			s[i].note = arena_strdup(a, j->steps[i].note);
		}
		ret->steps = s;
	}
	return arena_check(a, e);
}

static bool
list_matches(const struct queue_filter *f, const struct job *j)
{
	if (f->states != 0 && (f->states & 1u << j->state) == 0)
		return false;
	if (f->name != NULL && strcmp(f->name, j->name) != 0)
		return false;
	if (f->wants != NULL && !f->wants(j->name, f->wants_ctx))
		return false;
	return f->kind == NULL || strcmp(f->kind, j->kind) == 0;
}

static int
list_job(struct listing *l, struct db_val k, struct db_val v)
{
	struct job j, *slot;
	uint64_t id;

	id = 0;
	(void)key_get_be64(&k, &id);
	arena_reset(&l->scratch);
	if (job_decode_view(v.p, v.len, &l->scratch, &j, l->e) == -1)
		return error_wrap(l->e, "job %llu", (unsigned long long)id);
	if (!list_matches(l->filter, &j))
		return 0;
	slot = array_add(&l->found, l->e);
	if (slot == NULL)
		return -1;
	return copy_job(l->arena, &j, slot, l->e);
}

static bool
list_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct listing *l = ctx;

	l->failed = list_job(l, k, v) == -1;
	return !l->failed && l->found.n < l->filter->limit &&
	    ++l->looked < LIST_LOOK_MAX;
}

static int
list_walk(struct queue *q, struct listing *l)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	uint64_t before = l->filter->before;
	struct db_key from;

	if (db_begin_read(store_db(q->store), &t, l->e) == -1)
		return -1;
	queue_id_key(&from, before - 1);
	if (db_walk(&t, q->config.table_jobs, NULL, before > 0 ? &from : NULL,
		DB_BACKWARDS, list_entry, l, l->e) == -1)
		return -1;
	return l->failed ? -1 : 0;
}

int
queue_list(struct queue *q, const struct queue_filter *f, struct arena *a,
    struct job **ret, size_t *ret_n, struct error *e)
{
	struct listing l = { .filter = f, .arena = a, .e = e };
	struct job *jobs;
	int rc;

	*ret = NULL;
	*ret_n = 0;
	if (f->limit == 0)
		return 0;
	arena_init(&l.scratch, QUEUE_STEPS_BYTES_MAX);
	array_init(&l.found, sizeof(struct job), f->limit);
	rc = list_walk(q, &l);
	if (rc == 0 && l.found.n > 0) {
		jobs = arena_calloc(a, l.found.n, sizeof(*jobs));
		if (jobs != NULL) {
			memcpy(jobs, l.found.items, l.found.n * sizeof(*jobs));
			*ret = jobs;
			*ret_n = l.found.n;
		} else {
			rc = arena_check(a, e);
		}
	}
	array_fini(&l.found);
	arena_fini(&l.scratch);
	return rc;
}

struct collect {
	struct array *ret;
	unsigned states;
};

static int
collect_id(struct lanes_job *lj, void *ctx, struct error *e)
{
	struct collect *c = ctx;
	struct job_id *id;

	if (c->states != 0 && (c->states & 1u << lj->state) == 0)
		return 0;
	id = array_add(c->ret, e);
	if (id == NULL)
		return -1;
	id->v = lj->id;
	return 0;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct job_id *x = a, *y = b;

	return x->v < y->v ? -1 : x->v > y->v;
}

int
queue_active(struct queue *q, const char *lane, unsigned states,
    struct array *ret, struct error *e)
{
	struct collect c = { ret, states };

	if (lanes_each(&q->lanes, lane, collect_id, &c, e) == -1)
		return -1;
	if (lane != NULL && ret->n > 1)
		array_sort(ret, compare_ids);
	return 0;
}

size_t
queue_position(struct queue *q, struct job_id id)
{
	const struct lanes_job *lj;

	lj = lanes_find(&q->lanes, id.v);
	return lj != NULL ? lanes_position(lj) : 0;
}

void
queue_get_stats(const struct queue *q, struct queue_stats *ret)
{
	size_t i;

	for (i = 0; i < JOB_STATE_COUNT; i++)
		ret->by_state[i] = job_state_is_finished((enum job_state)i)
		    ? q->ended[i]
		    : q->lanes.by_state[i];
	ret->next_id = q->next_id;
}
