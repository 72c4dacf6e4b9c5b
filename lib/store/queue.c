/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A job on disk: its record in the jobs table (be64 id -> job.c), and while it
 * has no end an entry in the active table (be64 id -> version, state, lane),
 * from which start-up reads without touching records of finished jobs. The meta
 * table holds the next id. A put is these three in one batch.
 *
 * A job in memory: lanes.c, unfinished jobs only. It shows what is on disk; a
 * change under way is a struct pending, and takes effect in its completion,
 * where nothing can fail: all memory was taken before the batch was submitted,
 * and the record that is told to the hooks is the batch's own copy. Completions
 * come in the order of submission, so new jobs become known in order of id.
 *
 * Finished jobs are forgotten by queue_trim.c, mostly with the batch that ends
 * one.
 *
 * What the queue does not do: run jobs, know payloads, or retry a failed write.
 */

#include "lib/store/queue.h"

#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/store/queue_internal.h"

/* Life */

static void
add_next_id(struct queue *q, struct store_batch *b, uint64_t next)
{
	unsigned char *p;
	struct db_key k;
	size_t i;

	queue_next_id_key(&k);
	p = store_batch_put_room(
	    b, q->config.table_meta, &k, QUEUE_NEXT_ID_LEN);
	if (p == NULL)
		return;
	p[0] = QUEUE_VALUE_VERSION;
	for (i = 0; i < 8; i++)
		p[1 + i] = (unsigned char)(next >> (8 * i));
}

static void
add_active(struct queue *q, struct store_batch *b, uint64_t id,
    enum job_state state, const char *lane)
{
	unsigned char *p;
	struct db_key k;
	size_t len;

	queue_id_key(&k, id);
	len = strlen(lane) + 1;
	p = store_batch_put_room(b, q->config.table_active, &k, 2 + len);
	if (p == NULL)
		return;
	p[0] = QUEUE_VALUE_VERSION;
	p[1] = (unsigned char)state;
	memcpy(p + 2, lane, len);
}

static void
on_ready(struct defer *d)
{
	struct queue *q = container_of(d, struct queue, ready);

	if (q->hooks.ready != NULL && lanes_next(&q->lanes) != NULL)
		q->hooks.ready(q->hooks.ctx);
}

int
queue_open(struct queue **ret, struct loop *l, struct store *s,
    const struct queue_config *c, const struct queue_hooks *h, struct error *e)
{
	AUTO(queue) struct queue *q = NULL;

	q = mem_calloc(1, sizeof(*q));
	if (q == NULL)
		return error_nomem(e);
	q->loop = l;
	q->store = s;
	q->config = *c;
	if (h != NULL)
		q->hooks = *h;
	TAILQ_INIT(&q->pending);
	defer_init(&q->ready, on_ready, "queue ready");
	if (lanes_init(&q->lanes, c->max_running, e) == -1)
		return -1;
	if (queue_read_all(q, e) == -1)
		return error_wrap(e, "read the queue");
	loop_defer(l, &q->ready);
	*ret = STEAL(q);
	return 0;
}

struct queue *
queue_free(struct queue *q)
{
	struct pending *p;

	if (q == NULL)
		return NULL;
	defer_cancel(&q->ready);
	while ((p = TAILQ_FIRST(&q->pending)) != NULL) {
		TAILQ_REMOVE(&q->pending, p, link);
		p->queue = NULL;
		if (p->from == JOB_STATE_COUNT)
			lanes_drop(&q->lanes, p->job);
		p->job = NULL;
	}
	lanes_fini(&q->lanes);
	mem_free(q);
	return NULL;
}

void
queue_set_limits(struct queue *q, unsigned max_running, size_t max_queued,
    const struct keep *keep)
{
	q->config.max_running = max_running;
	q->config.max_queued = max_queued;
	q->config.keep = *keep;
	q->lanes.max_running = max_running;
	loop_defer(q->loop, &q->ready);
}

int
queue_skip_ids(struct queue *q, uint64_t n, store_done_fn *done, void *ctx,
    struct error *e)
{
	AUTO_BATCH struct store_batch b;

	store_batch_init(&b);
	if (n > JOB_ID_MAX - q->next_id)
		return error_set(e, OVE_LIMIT, "there are no more job ids");
	add_next_id(q, &b, q->next_id + n);
	if (store_submit(q->store, &b, done, ctx, e) == -1)
		return -1;
	q->next_id += n;
	return 0;
}

/* Batches under way */

struct pending *
pending_free(struct pending *p)
{
	if (p == NULL)
		return NULL;
	arena_fini(&p->arena);
	mem_free(p);
	return NULL;
}

struct pending *
pending_new(struct queue *q, queue_done_fn *done, void *ctx)
{
	struct pending *p;

	p = mem_alloc(sizeof(*p));
	if (p == NULL)
		return NULL;
	p->queue = q;
	p->job = NULL;
	p->id = 0;
	p->from = p->to = JOB_STATE_COUNT;
	memset(&p->view, 0, sizeof(p->view));
	arena_init(&p->arena, QUEUE_STEPS_BYTES_MAX);
	p->trimmed_n = 0;
	p->trimmed_bytes = 0;
	p->done = done;
	p->ctx = ctx;
	return p;
}

/* Encodes into the batch and makes p->view of it. */
static int
add_record(struct queue *q, struct store_batch *b, struct pending *p,
    const struct job *j, struct error *e)
{
	unsigned char *room;
	struct db_key k;
	size_t len;

	if (job_encode_len(j, &len, e) == -1)
		return -1;
	queue_id_key(&k, j->id.v);
	room = store_batch_put_room(b, q->config.table_jobs, &k, len);
	if (room == NULL)
		return store_batch_check(b, e);
	job_encode_to(j, room);
	return job_decode_view(room, len, &p->arena, &p->view, e);
}

static void
tell(struct queue *q, struct pending *p, enum job_state to,
    const struct error *failed)
{
	struct job_id id = { p->id };

	if (failed != NULL && p->from == JOB_STATE_COUNT)
		id.v = 0;
	if (failed == NULL && to != JOB_STATE_COUNT && q->hooks.moved != NULL)
		q->hooks.moved(&p->view, p->from, q->hooks.ctx);
	if (p->done != NULL)
		p->done(id, failed, p->ctx);
}

/* After a batch that failed. */
static void
note_failure(struct queue *q, const struct error *failed)
{
	if (failed->code == OVE_NOSPACE)
		queue_make_room(q);
}

/* Puts */

static void
put_settle(struct queue *q, struct pending *p, const struct error *failed)
{
	q->puts_n--;
	if (failed != NULL) {
		lanes_drop(&q->lanes, p->job);
		note_failure(q, failed);
		return;
	}
	q->known_id = p->id;
	lanes_add(&q->lanes, p->job, JOB_QUEUED);
	loop_defer(q->loop, &q->ready);
}

static void
on_put(const struct error *failed, void *ctx)
{
	AUTO(pending) struct pending *p = ctx;
	struct queue *q = p->queue;

	if (q == NULL)
		return;
	TAILQ_REMOVE(&q->pending, p, link);
	put_settle(q, p, failed);
	tell(q, p, JOB_QUEUED, failed);
}

static int
put_job(struct queue *q, const struct job *fresh, struct store_batch *b,
    struct pending *p, struct error *e)
{
	struct job j;

	memset(&j, 0, sizeof(j));
	j.id.v = p->id;
	j.state = JOB_QUEUED;
	j.kind = fresh->kind;
	j.lane = fresh->lane != NULL ? fresh->lane : "";
	j.name = fresh->name;
	j.by = fresh->by;
	j.request_id = fresh->request_id;
	j.payload = fresh->payload;
	j.payload_len = fresh->payload_len;
	j.created_at = clock_wall_ms();
	if (add_record(q, b, p, &j, e) == -1)
		return -1;
	add_active(q, b, p->id, JOB_QUEUED, j.lane);
	add_next_id(q, b, p->id + 1);
	if (lanes_new(&q->lanes, &p->job, p->id, j.lane, e) == -1)
		return -1;
	if (store_submit(q->store, b, on_put, p, e) == 0)
		return 0;
	lanes_drop(&q->lanes, p->job);
	return -1;
}

/* The batch of a call: what the caller adds first. It is emptied in any case.
 */
static void
batch_of(struct store_batch *b, struct store_batch *more)
{
	store_batch_init(b);
	if (more != NULL)
		store_batch_join(b, more);
}

int
queue_put(struct queue *q, const struct job *fresh, struct store_batch *more,
    queue_done_fn *done, void *ctx, struct error *e)
{
	AUTO_BATCH struct store_batch b;
	AUTO(pending) struct pending *p = NULL;
	/* What takes no slot must not wait for one to become free: it may be
	 * what makes room. */
	bool slotless = fresh->lane == NULL || fresh->lane[0] == '\0';

	batch_of(&b, more);
	b.reserve = slotless;
	if (!slotless &&
	    q->lanes.by_state[JOB_QUEUED] + q->puts_n >= q->config.max_queued)
		return error_set(e, OVE_LIMIT,
		    "the queue is full: %zu jobs wait in it",
		    q->lanes.by_state[JOB_QUEUED] + q->puts_n);
	p = pending_new(q, done, ctx);
	if (p == NULL)
		return error_nomem(e);
	p->id = q->next_id;
	if (put_job(q, fresh, &b, p, e) == -1)
		return -1;
	q->next_id++;
	q->puts_n++;
	TAILQ_INSERT_TAIL(&q->pending, p, link);
	(void)STEAL(p);
	return 0;
}

/* Taking */

int
queue_take(struct queue *q, struct job_id *ret)
{
	struct lanes_job *lj;

	lj = lanes_next(&q->lanes);
	if (lj == NULL)
		return QUEUE_EMPTY;
	lj->taken = true;
	lanes_settle(&q->lanes, lj);
	ret->v = lj->id;
	return 0;
}

int
queue_give_back(struct queue *q, struct job_id id)
{
	struct lanes_job *lj;

	lj = lanes_find(&q->lanes, id.v);
	if (lj == NULL || !lj->taken || lj->moving)
		return QUEUE_NOTFOUND;
	lj->taken = false;
	lanes_settle(&q->lanes, lj);
	loop_defer(q->loop, &q->ready);
	return 0;
}

/* Changes */

static void
change_apply(struct queue *q, struct pending *p)
{
	struct lanes_job *lj = p->job;

	lj->moving = false;
	if (p->to == JOB_STATE_COUNT) {
		lanes_settle(&q->lanes, lj);
		return;
	}
	lj->taken = false;
	if (!job_state_is_finished(p->to)) {
		lanes_set_state(&q->lanes, lj, p->to);
		lanes_settle(&q->lanes, lj);
		return;
	}
	q->ended[p->to]++;
	if (p->id < q->trim_from)
		q->trim_from = p->id;
	lanes_drop(&q->lanes, lj);
}

static void
on_changed(const struct error *failed, void *ctx)
{
	AUTO(pending) struct pending *p = ctx;
	struct queue *q = p->queue;

	if (q == NULL)
		return;
	TAILQ_REMOVE(&q->pending, p, link);
	queue_trim_ended(q, p, failed != NULL);
	if (failed == NULL) {
		change_apply(q, p);
	} else {
		p->job->moving = false;
		lanes_settle(&q->lanes, p->job);
		note_failure(q, failed);
	}
	loop_defer(q->loop, &q->ready);
	tell(q, p, p->to, failed);
}

static int
change_steps(
    struct job *j, const struct job_change *c, struct arena *a, struct error *e)
{
	struct job_step *steps, *s;
	size_t i;

	if (c->step_end != NULL) {
		for (i = j->steps_n; i > 0; i--) {
			s = &j->steps[i - 1];
			if (s->attempt == c->step_end->attempt &&
			    strcmp(s->name, c->step_end->name) == 0)
				break;
		}
		if (i == 0)
			return error_set(e, OVE_CONFLICT,
			    "step '%s' of attempt %u has not begun",
			    c->step_end->name, c->step_end->attempt);
		s = &j->steps[i - 1];
		s->ended_at = c->step_end->ended_at;
		s->rc = c->step_end->rc;
		s->note = c->step_end->note;
	}
	if (c->step_begin == NULL)
		return 0;
	if (j->steps_n >= JOB_STEPS_MAX)
		return error_set(e, OVE_LIMIT, "a job has more than %d steps",
		    JOB_STEPS_MAX);
	steps = arena_calloc(a, j->steps_n + 1, sizeof(*steps));
	if (steps == NULL)
		return arena_check(a, e);
	if (j->steps_n > 0)
		memcpy(steps, j->steps, j->steps_n * sizeof(*steps));
	steps[j->steps_n] = *c->step_begin;
	j->steps = steps;
	j->steps_n++;
	return 0;
}

static void
change_state(struct job *j, const struct job_change *c)
{
	int64_t now;

	if (c->state == JOB_STATE_COUNT)
		return;
	now = clock_wall_ms();
	j->state = c->state;
	if (c->state == JOB_RUNNING) {
		j->ended_at = 0;
		if (c->next_attempt || j->started_at == 0)
			j->started_at = now;
		if (c->next_attempt)
			j->attempt++;
		return;
	}
	if (c->state != JOB_QUEUED)
		j->ended_at = now;
}

/* Reads the record, changes it, and adds what the change is to the batch. */
static int
change_batch(struct queue *q, struct store_batch *b, struct pending *p,
    const struct job_change *c, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct db_key k;
	struct job j;
	int rc;

	if (db_begin_read(store_db(q->store), &t, e) == -1)
		return -1;
	rc = queue_read_view(q, &t, p->id, &p->arena, &j, e);
	if (rc == QUEUE_NOTFOUND)
		return queue_corrupt(e, p->id, "active without a record");
	if (rc == -1 || change_steps(&j, c, &p->arena, e) == -1)
		return -1;
	change_state(&j, c);
	if (c->message != NULL)
		j.message = c->message;
	if (c->result != NULL) {
		j.result = c->result;
		j.result_len = c->result_len;
	}
	j.cancel_asked = j.cancel_asked || c->cancel_asked;
	if (add_record(q, b, p, &j, e) == -1)
		return -1;
	if (c->state == JOB_STATE_COUNT)
		return 0;
	if (!job_state_is_finished(c->state)) {
		add_active(q, b, p->id, c->state, j.lane);
		return 0;
	}
	queue_id_key(&k, p->id);
	store_batch_del(b, q->config.table_active, &k);
	return queue_trim(q, &t, b, p, e);
}

static int
change_check(
    const struct lanes_job *lj, const struct job_change *c, struct error *e)
{
	enum job_state from = (enum job_state)lj->state;

	if (c->state == JOB_STATE_COUNT)
		return c->next_attempt ? error_set(e, OVE_INVALID,
					     "an attempt begins with a move to "
					     "running only")
				       : 0;
	if (!job_move_ok(from, c->state))
		return error_set(e, OVE_CONFLICT,
		    "job %llu cannot go from %s to %s",
		    (unsigned long long)lj->id, job_state_to_string(from),
		    job_state_to_string(c->state));
	if (c->state == JOB_RUNNING && !lj->taken)
		return error_set(e, OVE_CONFLICT, "job %llu waits for its turn",
		    (unsigned long long)lj->id);
	return 0;
}

static int
change_submit(struct queue *q, struct lanes_job *lj, const struct job_change *c,
    struct store_batch *b, struct pending *p, struct error *e)
{
	p->job = lj;
	p->id = lj->id;
	p->from = (enum job_state)lj->state;
	p->to = c->state;
	if (change_batch(q, b, p, c, e) == -1 ||
	    store_submit(q->store, b, on_changed, p, e) == -1) {
		if (p->trimmed_n > 0)
			q->trim_from = 0;
		return -1;
	}
	queue_trim_begun(q, p);
	lj->moving = true;
	lanes_settle(&q->lanes, lj);
	TAILQ_INSERT_TAIL(&q->pending, p, link);
	return 0;
}

int
queue_change(struct queue *q, struct job_id id, const struct job_change *c,
    struct store_batch *more, queue_done_fn *done, void *ctx, struct error *e)
{
	AUTO_BATCH struct store_batch b;
	AUTO(pending) struct pending *p = NULL;
	struct lanes_job *lj;

	batch_of(&b, more);
	/* What is there must be able to begin and to end in a full store, or
	 * it would stay full. */
	b.reserve = true;
	lj = lanes_find(&q->lanes, id.v);
	if (lj == NULL)
		return QUEUE_NOTFOUND;
	if (lj->moving)
		return QUEUE_BUSY;
	if (change_check(lj, c, e) == -1)
		return -1;
	p = pending_new(q, done, ctx);
	if (p == NULL)
		return error_nomem(e);
	if (change_submit(q, lj, c, &b, p, e) == -1)
		return -1;
	(void)STEAL(p);
	return 0;
}
