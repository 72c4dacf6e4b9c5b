/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The queue: order and lanes, every move against the table, limits, trimming,
 * lists, restarts; a random walk compared with a simple model, with
 * queue_check() after each step and reopening in between; a child that is
 * killed while it submits, against a ledger of what it was told; failing
 * allocations.
 */
#include "test/unit/support/store_kit.h"

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/store/queue.h"
#include "test/unit/support/torture.h"

struct rig {
	struct kit kit;
	struct queue *q;
	struct kit_wait put;
	struct kit_wait changed;
	struct job_id last;
	size_t ready_n;
	size_t moved_n;
	enum job_state from;
	enum job_state to;
	char moved_name[64];
	char moved_payload[64];
};

static struct queue_config
default_config(void)
{
	struct queue_config c = { .table_jobs = KIT_JOBS,
		.table_active = KIT_ACTIVE,
		.table_meta = KIT_QUEUE,
		.max_running = 2,
		.max_queued = 1000,
		.keep = { .n = 1000 } };

	return c;
}

static void
on_ready(void *ctx)
{
	struct rig *r = ctx;

	r->ready_n++;
}

static void
on_moved(const struct job *j, enum job_state from, void *ctx)
{
	struct rig *r = ctx;

	r->moved_n++;
	r->from = from;
	r->to = j->state;
	(void)memset(r->moved_name, 0, sizeof(r->moved_name));
	(void)memset(r->moved_payload, 0, sizeof(r->moved_payload));
	(void)strncpy(r->moved_name, j->name, sizeof(r->moved_name) - 1);
	if (j->payload_len < sizeof(r->moved_payload))
		(void)memcpy(r->moved_payload, j->payload, j->payload_len);
}

static void
on_put(struct job_id id, const struct error *failed, void *ctx)
{
	struct rig *r = ctx;

	r->last = id;
	kit_count(&r->put, failed);
}

static void
on_changed(struct job_id id, const struct error *failed, void *ctx)
{
	struct rig *r = ctx;

	r->last = id;
	kit_count(&r->changed, failed);
}

static int
rig_try_open(struct rig *r, const char *dir, const struct queue_config *c,
    struct error *e)
{
	struct queue_hooks h = { on_ready, on_moved, r };
	struct store_config sc = kit_config(dir);

	(void)memset(r, 0, sizeof(*r));
	kit_open(&r->kit, &sc);
	r->put.loop = r->changed.loop = r->kit.loop;
	return queue_open(&r->q, r->kit.loop, r->kit.store, c, &h, e);
}

static void
rig_open(struct rig *r, const char *dir, const struct queue_config *c)
{
	struct error e = ERROR_INIT;

	test_ok(rig_try_open(r, dir, c, &e), &e);
}

static void
rig_close(struct rig *r)
{
	r->q = queue_free(r->q);
	kit_close(&r->kit);
}

static void
check(struct rig *r)
{
	struct error e = ERROR_INIT;

	test_ok(queue_check(r->q, &e), &e);
}

static int
put_start(struct rig *r, const char *lane, const char *name, const char *text,
    struct error *e)
{
	struct job fresh = { .kind = "create",
		.lane = lane,
		.name = name,
		.by = "token",
		.request_id = "req-1",
		.payload = text,
		.payload_len = strlen(text) };

	return queue_put(r->q, &fresh, NULL, on_put, r, e);
}

static uint64_t
put(struct rig *r, const char *lane)
{
	struct error e = ERROR_INIT;
	size_t n = r->put.n;

	test_ok(put_start(r, lane, lane, "payload", &e), &e);
	kit_wait(&r->put, n + 1);
	assert_int_equal(r->put.failed_n, 0);
	return r->last.v;
}

static uint64_t
take(struct rig *r)
{
	struct job_id id;

	return queue_take(r->q, &id) == 0 ? id.v : 0;
}

/* 0, an outcome, or -1 with the code of what failed. */
static int
change(struct rig *r, uint64_t id, const struct job_change *c, enum ove *code)
{
	struct error e = ERROR_INIT;
	size_t n = r->changed.n, failed = r->changed.failed_n;
	int rc;

	rc = queue_change(
	    r->q, (struct job_id){ id }, c, NULL, on_changed, r, &e);
	if (rc != 0) {
		if (code != NULL)
			*code = e.code;
		return rc;
	}
	kit_wait(&r->changed, n + 1);
	assert_int_equal(r->last.v, id);
	if (r->changed.failed_n == failed)
		return 0;
	if (code != NULL)
		*code = r->changed.e.code;
	return -1;
}

static int
move(struct rig *r, uint64_t id, enum job_state to)
{
	struct job_change c = JOB_CHANGE_INIT;

	c.state = to;
	c.next_attempt = to == JOB_RUNNING;
	return change(r, id, &c, NULL);
}

static struct job
get(struct rig *r, uint64_t id, struct arena *a)
{
	struct error e = ERROR_INIT;
	struct job j;

	(void)memset(&j, 0, sizeof(j));
	test_ok(queue_get(r->q, (struct job_id){ id }, a, &j, &e), &e);
	return j;
}

/* Cases */

static void
a_job_goes_through(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct job_change c = JOB_CHANGE_INIT;
	struct job_step step = { .name = "up", .attempt = 1, .started_at = 5 };
	struct arena a AUTO_ARENA;
	struct rig r;
	struct job j;
	uint64_t id;

	arena_init(&a, (size_t)1 << 20);
	rig_open(&r, d->path, &qc);
	id = put(&r, "web");
	assert_int_equal(id, 1);
	assert_int_equal(r.moved_n, 1);
	assert_int_equal(r.from, JOB_STATE_COUNT);
	assert_int_equal(r.to, JOB_QUEUED);
	assert_string_equal(r.moved_name, "web");
	assert_string_equal(r.moved_payload, "payload");
	assert_int_equal(queue_position(r.q, (struct job_id){ id }), 1);
	check(&r);

	assert_int_equal(take(&r), id);
	assert_int_equal(queue_position(r.q, (struct job_id){ id }), 0);
	assert_int_equal(take(&r), 0);
	assert_int_equal(move(&r, id, JOB_RUNNING), 0);
	assert_int_equal(r.from, JOB_QUEUED);
	assert_int_equal(r.to, JOB_RUNNING);
	c.step_begin = &step;
	assert_int_equal(change(&r, id, &c, NULL), 0);
	assert_int_equal(r.moved_n, 2);
	check(&r);

	step.ended_at = 9;
	step.rc = 3;
	step.note = "noted";
	c.step_begin = NULL;
	c.step_end = &step;
	c.state = JOB_INCOMPLETE;
	c.message = "done, mostly";
	c.result = "{}";
	c.result_len = 2;
	c.cancel_asked = true;
	assert_int_equal(change(&r, id, &c, NULL), 0);
	check(&r);

	j = get(&r, id, &a);
	assert_int_equal(j.state, JOB_INCOMPLETE);
	assert_int_equal(j.attempt, 1);
	assert_true(j.cancel_asked);
	assert_true(j.created_at > 0 && j.started_at >= j.created_at);
	assert_true(j.ended_at >= j.started_at);
	assert_string_equal(j.message, "done, mostly");
	assert_string_equal(j.by, "token");
	assert_string_equal(j.request_id, "req-1");
	assert_memory_equal(j.payload, "payload", 7);
	assert_int_equal(j.result_len, 2);
	assert_int_equal(j.steps_n, 1);
	assert_string_equal(j.steps[0].name, "up");
	assert_int_equal(j.steps[0].started_at, 5);
	assert_int_equal(j.steps[0].ended_at, 9);
	assert_int_equal(j.steps[0].rc, 3);
	assert_string_equal(j.steps[0].note, "noted");
	/* It has ended: no more changes. */
	c.state = JOB_STATE_COUNT;
	assert_int_equal(change(&r, id, &c, NULL), QUEUE_NOTFOUND);
	rig_close(&r);
}

static void
lanes_run_in_order(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	uint64_t a1, a2, b1, c1, f1, f2;
	struct rig r;

	rig_open(&r, d->path, &qc);
	a1 = put(&r, "a");
	a2 = put(&r, "a");
	b1 = put(&r, "b");
	c1 = put(&r, "c");
	assert_int_equal(queue_position(r.q, (struct job_id){ a2 }), 2);
	/* The oldest of each lane, two at once; a2 waits for a1. */
	assert_int_equal(take(&r), a1);
	assert_int_equal(take(&r), b1);
	assert_int_equal(take(&r), 0);
	/* No lane: no slot needed. */
	f1 = put(&r, "");
	f2 = put(&r, "");
	assert_int_equal(take(&r), f1);
	assert_int_equal(take(&r), f2);
	assert_int_equal(take(&r), 0);
	check(&r);
	assert_int_equal(move(&r, a1, JOB_RUNNING), 0);
	assert_int_equal(move(&r, b1, JOB_RUNNING), 0);
	assert_int_equal(move(&r, a1, JOB_INTERRUPTED), 0);
	/* An interrupted job holds its lane and no slot. */
	assert_int_equal(take(&r), c1);
	assert_int_equal(take(&r), 0);
	assert_int_equal(move(&r, a1, JOB_QUEUED), 0);
	assert_int_equal(move(&r, b1, JOB_COMPLETED), 0);
	check(&r);
	/* Back at the head of its lane. */
	assert_int_equal(take(&r), a1);
	assert_int_equal(queue_give_back(r.q, (struct job_id){ a1 }), 0);
	assert_int_equal(
	    queue_give_back(r.q, (struct job_id){ a1 }), QUEUE_NOTFOUND);
	assert_int_equal(
	    queue_give_back(r.q, (struct job_id){ 99 }), QUEUE_NOTFOUND);
	assert_int_equal(take(&r), a1);
	assert_int_equal(move(&r, a1, JOB_CANCELLED), 0);
	assert_int_equal(take(&r), a2);
	/* More room: nothing is left to take. */
	queue_set_limits(r.q, 10, 10, &(struct keep){ .n = 10 });
	assert_int_equal(take(&r), 0);
	check(&r);
	rig_close(&r);
}

static void
ready_is_told(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	uint64_t id;
	struct rig r;

	rig_open(&r, d->path, &qc);
	id = put(&r, "a");
	/* Deferred: the next completion is behind it. */
	(void)put(&r, "a");
	assert_true(r.ready_n > 0);
	assert_int_equal(take(&r), id);
	r.ready_n = 0;
	assert_int_equal(move(&r, id, JOB_RUNNING), 0);
	(void)put(&r, "a");
	(void)put(&r, "a");
	/* The lane is busy. */
	assert_int_equal(r.ready_n, 0);
	assert_int_equal(move(&r, id, JOB_COMPLETED), 0);
	(void)put(&r, "a");
	assert_true(r.ready_n > 0);
	rig_close(&r);
}

/* Brings a fresh job into a state on legal ways. */
static uint64_t
job_in(struct rig *r, enum job_state s)
{
	uint64_t id;

	id = put(r, "lane");
	if (s == JOB_QUEUED)
		return id;
	assert_int_equal(take(r), id);
	assert_int_equal(move(r, id, JOB_RUNNING), 0);
	if (s != JOB_RUNNING)
		assert_int_equal(move(r, id, s), 0);
	return id;
}

static void
moves_follow_the_table(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct job_change c = JOB_CHANGE_INIT;
	unsigned from, to;
	enum ove code;
	struct rig r;
	uint64_t id;
	int rc;

	rig_open(&r, d->path, &qc);
	for (from = 0; from < JOB_STATE_COUNT; from++) {
		for (to = 0; to < JOB_STATE_COUNT; to++) {
			id = job_in(&r, from);
			if (to == JOB_RUNNING && from == JOB_QUEUED)
				assert_int_equal(take(&r), id);
			c.state = to;
			rc = change(&r, id, &c, &code);
			if (job_state_is_finished(from)) {
				assert_int_equal(rc, QUEUE_NOTFOUND);
				assert_false(job_move_ok(from, to));
			} else if (job_move_ok(from, to)) {
				assert_int_equal(rc, 0);
			} else {
				assert_int_equal(rc, -1);
				assert_int_equal(code, OVE_CONFLICT);
			}
			check(&r);
			/* Empty the lane. */
			(void)move(&r, id, JOB_CANCELLED);
		}
	}
	id = job_in(&r, JOB_QUEUED);
	assert_int_equal(move(&r, id, JOB_RUNNING), -1);
	rig_close(&r);
}

static void
one_change_at_a_time(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct job_change c = JOB_CHANGE_INIT;
	struct error e = ERROR_INIT;
	struct job_id id;
	struct rig r;

	rig_open(&r, d->path, &qc);
	id.v = put(&r, "a");
	(void)put(&r, "a");
	c.state = JOB_CANCELLED;
	test_ok(queue_change(r.q, id, &c, NULL, on_changed, &r, &e), &e);
	assert_int_equal(r.changed.n, 0);
	assert_int_equal(
	    queue_change(r.q, id, &c, NULL, on_changed, &r, &e), QUEUE_BUSY);
	/* Neither it nor its lane can be taken. */
	assert_int_equal(take(&r), 0);
	kit_wait(&r.changed, 1);
	assert_int_equal(take(&r), 2);
	assert_int_equal(queue_change(r.q, id, &c, NULL, on_changed, &r, &e),
	    QUEUE_NOTFOUND);
	rig_close(&r);
}

static void
bad_changes_are_refused(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct job_step step = { .name = "up", .attempt = 1 };
	struct job_change c = JOB_CHANGE_INIT;
	enum ove code;
	struct rig r;
	uint64_t id;
	int i;

	rig_open(&r, d->path, &qc);
	id = put(&r, "a");
	c.next_attempt = true;
	assert_int_equal(change(&r, id, &c, &code), -1);
	assert_int_equal(code, OVE_INVALID);
	c.next_attempt = false;
	c.step_end = &step;
	assert_int_equal(change(&r, id, &c, &code), -1);
	assert_int_equal(code, OVE_CONFLICT);
	c.step_end = NULL;
	c.step_begin = &step;
	for (i = 0; i < JOB_STEPS_MAX; i++)
		assert_int_equal(change(&r, id, &c, &code), 0);
	assert_int_equal(change(&r, id, &c, &code), -1);
	assert_int_equal(code, OVE_LIMIT);
	check(&r);
	assert_int_equal(take(&r), id);
	rig_close(&r);
}

static void
a_full_queue_refuses(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct error e = ERROR_INIT;
	struct rig r;
	int i;

	qc.max_queued = 3;
	rig_open(&r, d->path, &qc);
	/* What is under way counts as well. */
	for (i = 0; i < 3; i++)
		test_ok(put_start(&r, "a", "a", "x", &e), &e);
	test_fails(put_start(&r, "a", "a", "x", &e), &e, OVE_LIMIT);
	kit_wait(&r.put, 3);
	error_clear(&e);
	test_fails(put_start(&r, "a", "a", "x", &e), &e, OVE_LIMIT);
	/* What has no lane waits for nothing: a cancel gets in. */
	error_clear(&e);
	test_ok(put_start(&r, "", "a", "x", &e), &e);
	kit_wait(&r.put, 4);
	assert_int_equal(take(&r), 4);
	assert_int_equal(take(&r), 1);
	assert_int_equal(move(&r, 1, JOB_RUNNING), 0);
	assert_int_equal(move(&r, 4, JOB_RUNNING), 0);
	assert_int_equal(put(&r, "a"), 5);
	rig_close(&r);
}

static void
what_is_added_goes_along(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct job fresh = { .kind = "create", .lane = "a" };
	struct job_change c = JOB_CHANGE_INIT;
	struct error e = ERROR_INIT;
	struct store_batch more;
	struct db_key k;
	struct rig r;

	rig_open(&r, d->path, &qc);
	key_init(&k);
	key_str(&k, "status");
	store_batch_init(&more);
	store_batch_put(&more, KIT_OTHER, &k, "abc", 3);
	test_ok(queue_put(r.q, &fresh, &more, on_put, &r, &e), &e);
	assert_true(STAILQ_EMPTY(&more.ops));
	kit_wait(&r.put, 1);
	assert_int_equal(kit_get_len(&r.kit, KIT_OTHER, "status"), 3);
	store_batch_del(&more, KIT_OTHER, &k);
	c.state = JOB_CANCELLED;
	test_ok(queue_change(
		    r.q, (struct job_id){ 1 }, &c, &more, on_changed, &r, &e),
	    &e);
	kit_wait(&r.changed, 1);
	assert_int_equal(kit_get_len(&r.kit, KIT_OTHER, "status"), -1);
	/* Emptied also when it is refused. */
	store_batch_put(&more, KIT_OTHER, &k, "abc", 3);
	assert_int_equal(queue_change(r.q, (struct job_id){ 1 }, &c, &more,
			     on_changed, &r, &e),
	    QUEUE_NOTFOUND);
	assert_true(STAILQ_EMPTY(&more.ops));
	rig_close(&r);
}

static void
finished_jobs_are_trimmed(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct queue_filter f = { .limit = 1000 };
	struct error e = ERROR_INIT;
	struct arena a AUTO_ARENA;
	struct job *jobs;
	struct rig r;
	uint64_t old;
	size_t n;
	int i;

	arena_init(&a, (size_t)1 << 20);
	qc.keep.n = 10;
	rig_open(&r, d->path, &qc);
	/* Stays queued, and old. */
	old = put(&r, "old");
	for (i = 0; i < 30; i++) {
		(void)job_in(&r, JOB_QUEUED);
		assert_int_equal(move(&r, r.last.v, JOB_CANCELLED), 0);
		check(&r);
	}
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 11);
	assert_int_equal(jobs[0].id.v, 31);
	assert_int_equal(jobs[9].id.v, 22);
	assert_int_equal(jobs[10].id.v, old);
	/* Ends after younger ones were trimmed: its turn comes. */
	assert_int_equal(move(&r, old, JOB_CANCELLED), 0);
	for (i = 0; i < 2; i++) {
		(void)job_in(&r, JOB_QUEUED);
		assert_int_equal(move(&r, r.last.v, JOB_CANCELLED), 0);
	}
	assert_int_equal(
	    queue_get(r.q, (struct job_id){ old }, &a, &jobs[0], &e),
	    QUEUE_NOTFOUND);
	/* A lower limit is reached little by little, ids are not reused. */
	queue_set_limits(r.q, 2, 1000, &(struct keep){ .n = 2 });
	for (i = 0; i < 3; i++) {
		(void)job_in(&r, JOB_QUEUED);
		assert_int_equal(move(&r, r.last.v, JOB_CANCELLED), 0);
		check(&r);
	}
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 2);
	rig_close(&r);
	rig_open(&r, d->path, &qc);
	assert_int_equal(put(&r, "a"), 37);
	rig_close(&r);
}

/* Ends a job with so much to say. */
static void
end_one(struct rig *r, char *text, size_t len)
{
	struct job_change c = JOB_CHANGE_INIT;

	c.state = JOB_CANCELLED;
	c.result = text;
	c.result_len = len;
	assert_int_equal(change(r, job_in(r, JOB_QUEUED), &c, NULL), 0);
	check(r);
}

/* Until there is no more; the number of jobs that are left. */
static size_t
tidy_all(struct rig *r, struct arena *a)
{
	struct queue_filter f = { .limit = 1000 };
	struct error e = ERROR_INIT;
	struct job *jobs;
	size_t n;
	int rc;

	while ((rc = queue_tidy(r->q, &e)) != QUEUE_EMPTY) {
		test_ok(rc, &e);
		assert_int_equal(queue_tidy(r->q, &e), QUEUE_BUSY);
		check(r);
		/* One after the other. */
		assert_int_equal(
		    kit_put(&r->kit, KIT_OTHER, "a", "b", 1), OVE_NONE);
	}
	arena_reset(a);
	test_ok(queue_list(r->q, &f, a, &jobs, &n, &e), &e);
	check(r);
	return n;
}

static void
finished_jobs_have_a_size(void **state)
{
	static char text[30000];
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct arena a AUTO_ARENA;
	struct rig r;
	int i;

	arena_init(&a, (size_t)8 << 20);
	(void)memset(text, 'x', sizeof(text));
	qc.keep.bytes = (size_t)400 << 10;
	rig_open(&r, d->path, &qc);
	for (i = 0; i < 40; i++)
		end_one(&r, text, sizeof(text));
	/* With the batches that ended jobs. */
	assert_in_range(tidy_all(&r, &a), 9, 13);
	qc.keep.bytes = (size_t)100 << 10;
	queue_set_limits(r.q, 2, 1000, &qc.keep);
	assert_in_range(tidy_all(&r, &a), 1, 3);
	rig_close(&r);
}

static void
finished_jobs_have_an_age(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct arena a AUTO_ARENA;
	char text[] = "x";
	struct rig r;
	int64_t ended;
	int i;

	arena_init(&a, (size_t)8 << 20);
	qc.keep.ms = 3600000;
	rig_open(&r, d->path, &qc);
	/* Stays queued, and old. */
	(void)put(&r, "old");
	/* More than goes at once. */
	for (i = 0; i < 600; i++)
		end_one(&r, text, 1);
	ended = clock_wall_ms();
	assert_int_equal(tidy_all(&r, &a), 601);
	qc.keep.ms = 1;
	queue_set_limits(r.q, 2, 1000, &qc.keep);
	while (clock_wall_ms() < ended + 10)
		continue;
	assert_int_equal(tidy_all(&r, &a), 1);
	rig_close(&r);
}

static void
ids_can_be_skipped(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct kit_wait w = { 0 };
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, d->path, &qc);
	assert_int_equal(put(&r, "a"), 1);
	w.loop = r.kit.loop;
	test_ok(queue_skip_ids(r.q, 1000, kit_done, &w, &e), &e);
	kit_wait(&w, 1);
	assert_int_equal(w.failed_n, 0);
	check(&r);
	rig_close(&r);
	rig_open(&r, d->path, &qc);
	assert_int_equal(put(&r, "a"), 1002);
	test_fails(queue_skip_ids(r.q, JOB_ID_MAX - 1002, kit_done, &w, &e), &e,
	    OVE_LIMIT);
	assert_int_equal(put(&r, "a"), 1003);
	rig_close(&r);
}

static void
lists_are_filtered(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct queue_filter f = { .limit = 1000 };
	struct error e = ERROR_INIT;
	struct arena a AUTO_ARENA;
	struct array ids AUTO_ARRAY;
	struct queue_stats st;
	struct job *jobs;
	struct rig r;
	size_t n;
	int i;

	arena_init(&a, (size_t)1 << 20);
	array_init(&ids, sizeof(struct job_id), 100);
	rig_open(&r, d->path, &qc);
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 0);
	for (i = 0; i < 20; i++)
		(void)put(&r, i % 2 == 0 ? "even" : "odd");
	assert_int_equal(move(&r, 3, JOB_CANCELLED), 0);
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 20);
	assert_int_equal(jobs[0].id.v, 20);
	assert_null(jobs[0].payload);
	assert_int_equal(jobs[0].payload_len, 7);
	assert_string_equal(jobs[0].name, "odd");
	f.name = "even";
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 10);
	f.states = 1u << JOB_CANCELLED;
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 1);
	assert_int_equal(jobs[0].id.v, 3);
	f.kind = "destroy";
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 0);
	f = (struct queue_filter){ .limit = 5, .before = 8 };
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 5);
	assert_int_equal(jobs[0].id.v, 7);
	assert_int_equal(jobs[4].id.v, 3);
	f.before = 1;
	test_ok(queue_list(r.q, &f, &a, &jobs, &n, &e), &e);
	assert_int_equal(n, 0);

	assert_int_equal(take(&r), 1);
	test_ok(queue_active(r.q, "even", 0, &ids, &e), &e);
	assert_int_equal(ids.n, 9);
	assert_int_equal(((struct job_id *)array_at(&ids, 0))->v, 1);
	assert_int_equal(((struct job_id *)array_at(&ids, 1))->v, 5);
	array_reset(&ids);
	test_ok(queue_active(r.q, NULL, 1u << JOB_QUEUED, &ids, &e), &e);
	assert_int_equal(ids.n, 19);
	array_reset(&ids);
	test_ok(queue_active(r.q, "none", 0, &ids, &e), &e);
	assert_int_equal(ids.n, 0);
	queue_get_stats(r.q, &st);
	assert_int_equal(st.by_state[JOB_QUEUED], 19);
	assert_int_equal(st.by_state[JOB_CANCELLED], 1);
	assert_int_equal(st.next_id, 21);
	rig_close(&r);
}

static void
restarts_keep_everything(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct error e = ERROR_INIT;
	struct array ids AUTO_ARRAY;
	struct rig r;

	array_init(&ids, sizeof(struct job_id), 100);
	rig_open(&r, d->path, &qc);
	(void)put(&r, "a");
	(void)put(&r, "a");
	(void)put(&r, "b");
	assert_int_equal(take(&r), 1);
	assert_int_equal(move(&r, 1, JOB_RUNNING), 0);
	/* Taken, and not yet running: waits again. */
	assert_int_equal(take(&r), 3);
	rig_close(&r);

	rig_open(&r, d->path, &qc);
	check(&r);
	test_ok(queue_active(r.q, NULL, 1u << JOB_RUNNING, &ids, &e), &e);
	assert_int_equal(ids.n, 1);
	assert_int_equal(((struct job_id *)array_at(&ids, 0))->v, 1);
	assert_int_equal(take(&r), 3);
	assert_int_equal(take(&r), 0);
	assert_int_equal(put(&r, "b"), 4);
	rig_close(&r);
}

static void
leaving_early_is_safe(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct job_change c = JOB_CHANGE_INIT;
	struct error e = ERROR_INIT;
	struct rig r;

	rig_open(&r, d->path, &qc);
	(void)put(&r, "a");
	c.state = JOB_CANCELLED;
	test_ok(queue_change(
		    r.q, (struct job_id){ 1 }, &c, NULL, on_changed, &r, &e),
	    &e);
	test_ok(put_start(&r, "a", "a", "x", &e), &e);
	rig_close(&r);
	assert_int_equal(r.put.n, 1);
	assert_int_equal(r.changed.n, 0);
	/* It went to disk all the same. */
	rig_open(&r, d->path, &qc);
	assert_int_equal(take(&r), 2);
	check(&r);
	rig_close(&r);
}

static void
damage_is_named(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct queue_filter f = { .limit = 10 };
	struct error e = ERROR_INIT;
	struct arena a AUTO_ARENA;
	struct store_batch b;
	struct job *jobs, j;
	struct db_key k;
	struct rig r;
	size_t n;

	arena_init(&a, (size_t)1 << 20);
	rig_open(&r, d->path, &qc);
	(void)put(&r, "a");
	(void)put(&r, "a");
	store_batch_init(&b);
	key_init(&k);
	key_be64(&k, 2);
	store_batch_put(&b, KIT_JOBS, &k, "\001rubbish", 8);
	assert_int_equal(kit_submit(&r.kit, &b), OVE_NONE);
	test_fails(queue_check(r.q, &e), &e, OVE_CORRUPT);
	test_fails(
	    queue_get(r.q, (struct job_id){ 2 }, &a, &j, &e), &e, OVE_CORRUPT);
	test_fails(queue_list(r.q, &f, &a, &jobs, &n, &e), &e, OVE_CORRUPT);
	rig_close(&r);
	test_fails(rig_try_open(&r, d->path, &qc, &e), &e, OVE_CORRUPT);
	assert_non_null(strstr(error_text(&e), "job 2"));
	store_batch_del(&b, KIT_JOBS, &k);
	assert_int_equal(kit_submit(&r.kit, &b), OVE_NONE);
	rig_close(&r);
	test_fails(rig_try_open(&r, d->path, &qc, &e), &e, OVE_CORRUPT);
	assert_string_equal(
	    error_text(&e), "read the queue: job 2: active without a record");
	rig_close(&r);
}

static void
a_full_store_goes_on(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct store_config sc = kit_config(d->path);
	struct queue_hooks h = { NULL, NULL, NULL };
	struct error e = ERROR_INIT;
	AUTO_FREE char *big = NULL;
	struct arena a AUTO_ARENA;
	struct rig r;
	struct job j;
	size_t n;
	int tries;

	arena_init(&a, (size_t)1 << 20);
	(void)memset(&r, 0, sizeof(r));
	sc.size_max = 1 << 20;
	kit_open(&r.kit, &sc);
	r.put.loop = r.changed.loop = r.kit.loop;
	test_ok(queue_open(&r.q, r.kit.loop, r.kit.store, &qc, &h, &e), &e);
	big = mem_calloc(1, 100001);
	assert_non_null(big);
	(void)memset(big, 'x', 100000);
	for (n = 1; n < 30; n++) {
		test_ok(put_start(&r, "a", "a", big, &e), &e);
		kit_wait(&r.put, n);
		check(&r);
		if (r.put.failed_n > 0)
			break;
	}
	assert_int_equal(r.put.e.code, OVE_NOSPACE);
	assert_int_equal(r.last.v, 0);
	assert_true(n > 5 && n < 12);
	/* What is there can begin, end and be cancelled. */
	assert_int_equal(take(&r), 1);
	assert_int_equal(move(&r, 1, JOB_RUNNING), 0);
	assert_int_equal(move(&r, 1, JOB_COMPLETED), 0);
	assert_int_equal(move(&r, 2, JOB_CANCELLED), 0);
	check(&r);
	/* That makes room: `keep` allows more, but those who wait come first.
	 */
	for (tries = 0; tries < 20; tries++) {
		r.put.failed_n = 0;
		test_ok(put_start(&r, "a", "a", big, &e), &e);
		kit_wait(&r.put, r.put.n + 1);
		if (r.put.failed_n == 0)
			break;
	}
	assert_int_equal(r.put.failed_n, 0);
	assert_int_equal(
	    queue_get(r.q, (struct job_id){ 1 }, &a, &j, &e), QUEUE_NOTFOUND);
	assert_int_equal(get(&r, 3, &a).state, JOB_QUEUED);
	check(&r);
	rig_close(&r);
}

/* The model: the same rules, written plainly. */

#define MODEL_MAX 400
static const char *const model_lanes[] = { "", "a", "b", "c", "d" };

struct model_job {
	enum job_state state;
	bool taken;
	const char *lane;
	unsigned attempt;
};

struct model {
	/* By id; 0 is not used. */
	struct model_job jobs[MODEL_MAX];
	uint64_t n;
	unsigned max_running;
};

static bool
model_held(const struct model_job *j)
{
	return j->taken || j->state == JOB_RUNNING ||
	    j->state == JOB_INTERRUPTED;
}

static uint64_t
model_take(struct model *m)
{
	bool busy[ARRAY_LEN(model_lanes)] = { false };
	unsigned running = 0;
	const struct model_job *j;
	size_t lane;
	uint64_t id;

	for (id = 1; id <= m->n; id++) {
		j = &m->jobs[id];
		if (*j->lane == '\0' && j->state == JOB_QUEUED && !j->taken)
			return id;
	}
	for (id = 1; id <= m->n; id++) {
		j = &m->jobs[id];
		for (lane = 0; model_lanes[lane] != j->lane; lane++)
			;
		if (model_held(j))
			busy[lane] = true;
		if (*j->lane != '\0' && (j->taken || j->state == JOB_RUNNING))
			running++;
	}
	if (running >= m->max_running)
		return 0;
	for (id = 1; id <= m->n; id++) {
		j = &m->jobs[id];
		for (lane = 0; model_lanes[lane] != j->lane; lane++)
			;
		if (j->state == JOB_QUEUED && !j->taken && !busy[lane])
			return id;
	}
	return 0;
}

static void
model_compare(struct rig *r, struct model *m)
{
	struct queue_stats st;
	struct job_id id;
	uint64_t i, by_state[JOB_STATE_COUNT] = { 0 };
	size_t before, pos;

	for (i = 1; i <= m->n; i++)
		by_state[m->jobs[i].state]++;
	queue_get_stats(r->q, &st);
	for (i = 0; i <= JOB_INTERRUPTED; i++)
		assert_int_equal(st.by_state[i], by_state[i]);
	id.v = rand_below(m->n + 1);
	if (id.v == 0)
		return;
	before = 1;
	for (i = 1; i < id.v; i++)
		if (m->jobs[i].lane == m->jobs[id.v].lane &&
		    m->jobs[i].state == JOB_QUEUED && !m->jobs[i].taken)
			before++;
	pos = queue_position(r->q, id);
	if (m->jobs[id.v].state == JOB_QUEUED && !m->jobs[id.v].taken)
		assert_int_equal(pos, before);
	else
		assert_int_equal(pos, 0);
}

static void
model_put(struct rig *r, struct model *m)
{
	const char *lane = model_lanes[rand_below(ARRAY_LEN(model_lanes))];

	if (m->n + 1 >= MODEL_MAX)
		return;
	m->n++;
	m->jobs[m->n] = (struct model_job){ .lane = lane };
	assert_int_equal(put(r, lane), m->n);
}

static void
model_move(struct rig *r, struct model *m)
{
	struct job_change c = JOB_CHANGE_INIT;
	struct model_job *j;
	enum job_state to;
	enum ove code;
	uint64_t id;
	bool ok;
	int rc;

	if (m->n == 0)
		return;
	id = 1 + rand_below(m->n);
	j = &m->jobs[id];
	to = (enum job_state)rand_below(JOB_STATE_COUNT);
	ok = job_move_ok(j->state, to) && (to != JOB_RUNNING || j->taken);
	c.state = to;
	c.next_attempt = to == JOB_RUNNING;
	rc = change(r, id, &c, &code);
	if (job_state_is_finished(j->state)) {
		assert_int_equal(rc, QUEUE_NOTFOUND);
	} else if (!ok) {
		assert_int_equal(rc, -1);
		assert_int_equal(code, OVE_CONFLICT);
	} else {
		assert_int_equal(rc, 0);
		assert_int_equal(r->from, j->state);
		assert_int_equal(r->to, to);
		j->state = to;
		j->taken = false;
		j->attempt += c.next_attempt;
	}
}

static void
model_reopen(struct rig *r, struct model *m, const char *dir,
    const struct queue_config *qc)
{
	uint64_t id;

	rig_close(r);
	rig_open(r, dir, qc);
	for (id = 1; id <= m->n; id++)
		m->jobs[id].taken = false;
}

static void
random_walk_agrees(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct arena a AUTO_ARENA;
	static struct model m;
	struct rig r;
	uint64_t id, want;
	unsigned i;

	arena_init(&a, (size_t)1 << 20);
	qc.max_running = m.max_running = 3;
	(void)memset(&m, 0, sizeof(m));
	m.max_running = 3;
	rig_open(&r, d->path, &qc);
	for (i = 0; i < 3000; i++) {
		switch (rand_below(10)) {
		case 0:
		case 1:
			model_put(&r, &m);
			break;
		case 2:
		case 3:
		case 4:
			want = model_take(&m);
			assert_int_equal(take(&r), want);
			if (want != 0)
				m.jobs[want].taken = true;
			break;
		case 5:
			if (rand_below(20) == 0)
				model_reopen(&r, &m, d->path, &qc);
			break;
		default:
			model_move(&r, &m);
			break;
		}
		model_compare(&r, &m);
		check(&r);
	}
	for (id = 1; id <= m.n; id++) {
		arena_reset(&a);
		assert_int_equal(get(&r, id, &a).state, m.jobs[id].state);
		assert_int_equal(get(&r, id, &a).attempt, m.jobs[id].attempt);
	}
	rig_close(&r);
}

/* With changes under way. */
static void
reopen_under_way(struct rig *r, const char *dir, const struct queue_config *qc,
    size_t *puts, size_t *changes)
{
	rig_close(r);
	rig_open(r, dir, qc);
	*puts = *changes = 0;
	check(r);
}

/* Starts a change of some known job; 1 when one is under way then. */
static size_t
start_some_change(struct rig *r, const struct array *ids)
{
	static const enum job_state to[] = { JOB_RUNNING, JOB_INTERRUPTED,
		JOB_QUEUED, JOB_COMPLETED, JOB_FAILED, JOB_CANCELLED,
		JOB_STATE_COUNT };
	struct job_change c = JOB_CHANGE_INIT;
	const struct job_id *id;

	if (ids->n == 0)
		return 0;
	id = array_at(ids, (size_t)rand_below(ids->n));
	c.state = to[rand_below(ARRAY_LEN(to))];
	c.message = "changed";
	return queue_change(r->q, *id, &c, NULL, on_changed, r, NULL) == 0;
}

static void
checks_hold_under_way(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct error e = ERROR_INIT;
	struct array ids AUTO_ARRAY;
	struct queue_stats st;
	size_t puts = 0, changes = 0;
	struct rig r;
	unsigned round, i;

	array_init(&ids, sizeof(struct job_id), 10000);
	qc.keep.n = 20;
	qc.max_running = 8;
	rig_open(&r, d->path, &qc);
	for (round = 0; round < 400; round++) {
		array_reset(&ids);
		test_ok(queue_active(r.q, NULL, 0, &ids, &e), &e);
		for (i = 0; i < 12; i++) {
			if (i % 4 == 0 && ids.n < 60) {
				test_ok(
				    put_start(&r, model_lanes[rand_below(5)],
					"x", "payload", &e),
				    &e);
				puts++;
			} else {
				(void)take(&r);
				changes += start_some_change(&r, &ids);
			}
			check(&r);
		}
		/* Sometimes all, sometimes what has come by then. */
		if (round % 3 == 0) {
			kit_wait(&r.put, puts);
			kit_wait(&r.changed, changes);
		} else {
			kit_wait(&r.put, puts - (puts > 0 ? rand_below(2) : 0));
		}
		check(&r);
		if (round % 100 == 99)
			reopen_under_way(&r, d->path, &qc, &puts, &changes);
	}
	kit_wait(&r.put, puts);
	kit_wait(&r.changed, changes);
	assert_int_equal(r.put.failed_n + r.changed.failed_n, 0);
	check(&r);
	queue_get_stats(r.q, &st);
	assert_true(st.next_id > 400);
	rig_close(&r);
}

/* A child submits and writes each acknowledged id to a pipe, until it is
 * killed; what the parent has read must be there. */

struct child {
	struct rig rig;
	int fd;
	unsigned open_n;
};

static void child_put(struct child *c);

static void
child_done(struct job_id id, const struct error *failed, void *ctx)
{
	struct child *c = ctx;

	if (failed != NULL || write(c->fd, &id.v, sizeof(id.v)) < 0)
		_exit(1);
	child_put(c);
}

static void
child_put(struct child *c)
{
	struct job fresh = { .kind = "create",
		.lane = c->open_n++ % 2 == 0 ? "a" : "b",
		.payload = "payload",
		.payload_len = 7 };

	if (queue_put(c->rig.q, &fresh, NULL, child_done, c, NULL) == -1)
		_exit(2);
}

static void
child_main(const char *dir, int fd)
{
	struct queue_config qc = default_config();
	static struct child c;
	int i;

	qc.max_queued = 1000000;
	c.fd = fd;
	rig_open(&c.rig, dir, &qc);
	for (i = 0; i < 8; i++)
		child_put(&c);
	(void)loop_run(c.rig.kit.loop, NULL);
	_exit(3);
}

/* Reads ids into the ledger until `until` have come (then kills), and on to the
 * end: what is in the pipe was acknowledged. */
static size_t
ledger_read(int fd, pid_t pid, size_t until, struct array *ledger)
{
	struct error e = ERROR_INIT;
	uint64_t *slot, id;
	size_t got = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, &id, sizeof(id));
		if (n == 0)
			return got;
		assert_int_equal(n, sizeof(id));
		slot = array_add(ledger, &e);
		test_ok(slot != NULL ? 0 : -1, &e);
		*slot = id;
		if (++got == until)
			assert_int_equal(kill(pid, SIGKILL), 0);
	}
}

static void
run_child(const char *dir, struct array *ledger)
{
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		child_main(dir, fds[1]);
	}
	close(fds[1]);
	(void)ledger_read(fds[0], pid, 1 + rand_below(200), ledger);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
acknowledged_survives_a_kill(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct arena a AUTO_ARENA;
	struct array ledger AUTO_ARRAY;
	uint64_t last;
	struct rig r;
	size_t i;
	int round;

	arena_init(&a, (size_t)1 << 20);
	array_init(&ledger, sizeof(uint64_t), 1000000);
	qc.max_queued = 1000000;
	for (round = 0; round < 10; round++) {
		run_child(d->path, &ledger);
		rig_open(&r, d->path, &qc);
		check(&r);
		last = 0;
		for (i = 0; i < ledger.n; i++) {
			const uint64_t *id = array_at(&ledger, i);

			arena_reset(&a);
			assert_int_equal(get(&r, *id, &a).state, JOB_QUEUED);
			/* In order, and never the same twice. */
			assert_true(*id > last);
			last = *id;
		}
		rig_close(&r);
	}
}

/* Failing allocations */

static int
torture_put(void *ctx, struct error *e)
{
	struct rig *r = ctx;
	size_t n = r->put.n, failed = r->put.failed_n;

	if (put_start(r, "torture lane", "name", "payload", e) == -1)
		return -1;
	kit_wait(&r->put, n + 1);
	if (r->put.failed_n == failed)
		return 0;
	*e = r->put.e;
	return -1;
}

static int
torture_change(void *ctx, struct error *e)
{
	struct job_step step = { .name = "up", .attempt = 1 };
	struct job_change c = JOB_CHANGE_INIT;
	struct rig *r = ctx;
	size_t n = r->changed.n;
	int rc;

	c.step_begin = &step;
	rc = queue_change(
	    r->q, (struct job_id){ 1 }, &c, NULL, on_changed, r, e);
	if (rc != 0)
		return rc;
	kit_wait(&r->changed, n + 1);
	return 0;
}

static int
torture_read(void *ctx, struct error *e)
{
	struct queue_filter f = { .limit = 10 };
	struct arena a AUTO_ARENA;
	struct array ids AUTO_ARRAY;
	struct rig *r = ctx;
	struct job *jobs, j;
	size_t n;

	arena_init(&a, (size_t)1 << 20);
	array_init(&ids, sizeof(struct job_id), 100);
	if (queue_list(r->q, &f, &a, &jobs, &n, e) == -1 ||
	    queue_active(r->q, NULL, 0, &ids, e) == -1)
		return -1;
	return queue_get(r->q, (struct job_id){ 1 }, &a, &j, e);
}

static int
torture_open(void *ctx, struct error *e)
{
	struct queue_config qc = default_config();
	struct rig *r = ctx;
	AUTO(queue) struct queue *q = NULL;

	return queue_open(&q, r->kit.loop, r->kit.store, &qc, NULL, e);
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;
	struct queue_config qc = default_config();
	struct rig r;
	int i;

	qc.max_running = 10;
	rig_open(&r, d->path, &qc);
	(void)put(&r, "a");
	torture(torture_change, &r);
	torture(torture_read, &r);
	torture(torture_open, &r);
	check(&r);
	rig_close(&r);
	/* Each put that succeeds keeps a job, so torture() cannot count. */
	rig_open(&r, d->path, &qc);
	for (i = 0; i < 20; i++) {
		struct error e = ERROR_INIT;
		int rc;

		torture_mem_fail_at((unsigned)i);
		rc = torture_put(&r, &e);
		if (!torture_mem_disarm()) {
			test_ok(rc, &e);
			break;
		}
		if (rc == -1)
			assert_true(error_is_set(&e));
		check(&r);
	}
	assert_true(i > 5 && i < 20);
	rig_close(&r);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(a_job_goes_through),
	TEST_IN_DIR(lanes_run_in_order),
	TEST_IN_DIR(ready_is_told),
	TEST_IN_DIR(moves_follow_the_table),
	TEST_IN_DIR(one_change_at_a_time),
	TEST_IN_DIR(bad_changes_are_refused),
	TEST_IN_DIR(a_full_queue_refuses),
	TEST_IN_DIR(what_is_added_goes_along),
	TEST_IN_DIR(finished_jobs_are_trimmed),
	TEST_IN_DIR(finished_jobs_have_a_size),
	TEST_IN_DIR(finished_jobs_have_an_age),
	TEST_IN_DIR(ids_can_be_skipped),
	TEST_IN_DIR(lists_are_filtered),
	TEST_IN_DIR(restarts_keep_everything),
	TEST_IN_DIR(leaving_early_is_safe),
	TEST_IN_DIR(damage_is_named),
	TEST_IN_DIR(a_full_store_goes_on),
	TEST_IN_DIR(random_walk_agrees),
	TEST_IN_DIR(checks_hold_under_way),
	TEST_IN_DIR(acknowledged_survives_a_kill),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
