/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What an autoscaler remembers of servers and of itself.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "daemon/scale_memory.h"
#include "test/unit/support/torture.h"

#define I INT64_C(10000)

struct world {
	struct scale_memory m;
	struct scale_node node;
	struct scale_nodes nodes;
};

static void
begin(struct world *w, const char *chain)
{
	*w = (struct world){ .node = { .chain = chain, .health = SCALE_BAD } };
	w->nodes = (struct scale_nodes){ .items = &w->node, .n = 1 };
	scale_memory_init(&w->m);
	w->m.interval_ms = I;
}

/* Looks at the server as it is now. */
static void
look(struct world *w, int64_t now)
{
	w->node.is_rising = w->node.is_going = w->node.is_resting = false;
	w->node.failures = 0;
	scale_memory_apply(&w->m, &w->nodes, now);
}

static void
note(struct world *w, bool up, uint64_t job, int64_t now)
{
	struct error e = ERROR_INIT;

	test_ok(scale_memory_note(&w->m, w->node.chain, up, job, now, &e), &e);
}

static void
ends(struct scale_job *j, uint64_t job, bool well)
{
	*j = (struct scale_job){ .job = job, .is_completed = well };
}

static void
a_deployment_is_on_the_way_until_it_ends(void **state)
{
	struct world w;

	(void)state;
	begin(&w, NULL);
	note(&w, true, 7, 0);
	/* The record of another, and our own that has begun. */
	ends(&w.node.up, 6, false);
	look(&w, 1);
	assert_true(w.node.is_rising);
	w.node.up = (struct scale_job){ .job = 7, .is_running = true };
	look(&w, 2);
	assert_true(w.node.is_rising);
	ends(&w.node.up, 7, true);
	w.node.health = SCALE_GOOD;
	look(&w, 3);
	assert_false(w.node.is_rising);
	assert_int_equal(w.m.notes.n, 1);
	look(&w, 3 + I);
	assert_int_equal(w.m.notes.n, 0);
	scale_memory_fini(&w.m);
}

static void
who_fails_rests_longer_and_longer(void **state)
{
	static const int64_t rests[] = { 1, 2, 4, 8, 8 };
	struct world w;
	int64_t now = 0;

	(void)state;
	begin(&w, "a");
	for (unsigned i = 0; i < ARRAY_LEN(rests); i++) {
		note(&w, true, i + 1, now);
		ends(&w.node.up, i + 1, false);
		look(&w, now);
		assert_true(w.node.is_resting);
		assert_int_equal(w.node.failures, i + 1);
		look(&w, now + rests[i] * I - 1);
		assert_true(w.node.is_resting);
		now += rests[i] * I;
		look(&w, now);
		assert_false(w.node.is_resting);
		assert_int_equal(w.node.failures, i + 1);
	}
	/* It works, after all. */
	w.node.health = SCALE_GOOD;
	look(&w, now);
	assert_int_equal(w.m.notes.n, 0);
	scale_memory_fini(&w.m);
}

static void
what_breaks_at_once_has_failed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "a");
	note(&w, true, 1, 0);
	ends(&w.node.up, 1, true);
	w.node.health = SCALE_GOOD;
	look(&w, 1);
	w.node.health = SCALE_BAD;
	look(&w, 2);
	assert_true(w.node.is_resting);
	assert_int_equal(w.node.failures, 1);
	scale_memory_fini(&w.m);
}

/* Nobody has looked since the interval was over: it did not break at once. */
static void
what_breaks_later_has_not_failed(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "a");
	note(&w, true, 1, 0);
	ends(&w.node.up, 1, true);
	w.node.health = SCALE_GOOD;
	look(&w, 1);
	w.node.health = SCALE_BAD;
	look(&w, 1 + I);
	assert_false(w.node.is_resting);
	assert_int_equal(w.node.failures, 0);
	assert_int_equal(w.m.notes.n, 0);
	scale_memory_fini(&w.m);
}

static void
an_end_is_on_the_way_until_it_is_gone(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "a");
	w.node.health = SCALE_GOOD;
	w.node.exists = true;
	note(&w, false, 2, 0);
	look(&w, 1);
	assert_true(w.node.is_going);
	w.node.health = SCALE_BAD;
	w.node.exists = false;
	look(&w, 2);
	assert_false(w.node.is_going);
	assert_int_equal(w.m.notes.n, 0);
	/* It has ended, and the project is still there. */
	w.node.exists = true;
	note(&w, false, 3, 3);
	ends(&w.node.down, 3, true);
	look(&w, 4);
	assert_false(w.node.is_going);
	assert_true(w.node.is_resting);
	scale_memory_fini(&w.m);
}

static void
servers_that_cannot_be_told(void **state)
{
	struct world w;

	(void)state;
	begin(&w, "a");
	note(&w, true, 1, 0);
	w.node.health = SCALE_LOST;
	look(&w, 1);
	/* Not one to count on; but what is on the way is not forgotten. */
	assert_false(w.node.is_rising);
	w.nodes.n = 0;
	look(&w, 2);
	w.nodes.n = 1;
	w.node.health = SCALE_BAD;
	look(&w, 3);
	assert_true(w.node.is_rising);
	/* Nobody ever tells what became of it. */
	look(&w, SCALE_JOB_MS);
	assert_false(w.node.is_rising);
	w.nodes.n = 0;
	look(&w, SCALE_JOB_MS + I);
	assert_int_equal(w.m.notes.n, 0);
	scale_memory_fini(&w.m);
}

static void
sizes_settle(void **state)
{
	struct world w;
	int64_t now = I;

	(void)state;
	begin(&w, NULL);
	assert_true(scale_memory_may_help(&w.m, now));
	assert_true(scale_memory_may_shrink(&w.m, now));
	scale_memory_grew(&w.m, true, now);
	assert_false(scale_memory_may_help(&w.m, now + I - 1));
	assert_true(scale_memory_may_help(&w.m, now + I));
	assert_false(scale_memory_may_shrink(&w.m, now + 3 * I - 1));
	now += 3 * I;
	assert_true(scale_memory_may_shrink(&w.m, now));
	/* It was too early: twice as long, up to a limit. */
	for (unsigned want = 6; want <= 2 * SCALE_SETTLE_MAX; want *= 2) {
		scale_memory_shrank(&w.m, now);
		assert_false(scale_memory_may_shrink(&w.m, now + I - 1));
		now += I;
		scale_memory_grew(&w.m, true, now);
		assert_int_equal(w.m.settle,
		    want < SCALE_SETTLE_MAX ? want : SCALE_SETTLE_MAX);
		now += w.m.settle * I;
		assert_true(scale_memory_may_shrink(&w.m, now));
	}
	/* It was not: the load is another one. */
	scale_memory_shrank(&w.m, now);
	scale_memory_grew(&w.m, true, now + SCALE_SETTLE_MAX * I);
	assert_int_equal(w.m.settle, SCALE_SETTLE_MIN);
	/* What dies is no load. */
	scale_memory_grew(&w.m, false, now + SCALE_SETTLE_MAX * I);
	assert_int_equal(w.m.settle, SCALE_SETTLE_MIN);
	scale_memory_fini(&w.m);
}

static int
note_many(void *ctx, struct error *e)
{
	struct world w;
	char name[] = "a";
	int rc = 0;

	(void)ctx;
	begin(&w, NULL);
	for (; name[0] <= 'z' && rc == 0; name[0]++)
		rc = scale_memory_note(&w.m, name, true, 1, 0, e);
	scale_memory_fini(&w.m);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(note_many, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_deployment_is_on_the_way_until_it_ends),
	cmocka_unit_test(who_fails_rests_longer_and_longer),
	cmocka_unit_test(what_breaks_at_once_has_failed),
	cmocka_unit_test(what_breaks_later_has_not_failed),
	cmocka_unit_test(an_end_is_on_the_way_until_it_is_gone),
	cmocka_unit_test(servers_that_cannot_be_told),
	cmocka_unit_test(sizes_settle),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
