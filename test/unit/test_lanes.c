/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The lanes without a disk: order over many lanes, coming back to one's place,
 * memory that is given back, sizes per job, failing allocations. The rules as a
 * whole are compared with a model in test_queue.c.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/rand.h"
#include "lib/store/lanes.h"
#include "test/unit/support/torture.h"

static struct lanes_job *
add(struct lanes *l, uint64_t id, const char *lane)
{
	struct error e = ERROR_INIT;
	struct lanes_job *j = NULL;

	test_ok(lanes_new(l, &j, id, lane, &e), &e);
	assert_null(lanes_find(l, id));
	lanes_add(l, j, JOB_QUEUED);
	assert_ptr_equal(lanes_find(l, id), j);
	return j;
}

static void
check(const struct lanes *l)
{
	struct error e = ERROR_INIT;

	test_ok(lanes_check(l, &e), &e);
}

static void
take(struct lanes *l, struct lanes_job *j)
{
	assert_ptr_equal(lanes_next(l), j);
	j->taken = true;
	lanes_settle(l, j);
}

static void
many_lanes_go_by_age(void **state)
{
	struct error e = ERROR_INIT;
	struct lanes_job *j;
	struct lanes l;
	char name[32];
	uint64_t id, last;
	size_t n;

	(void)state;
	test_ok(lanes_init(&l, SIZE_MAX, &e), &e);
	for (id = 1; id <= 5000; id++) {
		(void)snprintf(
		    name, sizeof(name), "lane %u", (unsigned)rand_below(700));
		(void)add(&l, id, name);
	}
	check(&l);
	/* Each lane's oldest, the oldest first. */
	last = 0;
	for (n = 0; (j = lanes_next(&l)) != NULL; n++) {
		assert_true(j->id > last);
		last = j->id;
		take(&l, j);
		if (n % 50 == 0)
			check(&l);
	}
	assert_int_equal(n, l.lanes_n);
	assert_int_equal(l.running_n, n);
	lanes_fini(&l);
}

static void
places_are_kept(void **state)
{
	struct error e = ERROR_INIT;
	struct lanes_job *j[10];
	struct lanes l;
	size_t i;

	(void)state;
	test_ok(lanes_init(&l, 1, &e), &e);
	for (i = 0; i < 10; i++)
		j[i] = add(&l, i + 1, "a");
	/* While one is in change the lane stands still. */
	j[5]->moving = true;
	lanes_settle(&l, j[5]);
	assert_null(lanes_next(&l));
	assert_int_equal(lanes_position(j[5]), 0);
	assert_int_equal(lanes_position(j[6]), 6);
	check(&l);
	/* It failed: back to its place. */
	j[5]->moving = false;
	lanes_settle(&l, j[5]);
	assert_int_equal(lanes_position(j[5]), 6);
	assert_ptr_equal(lanes_next(&l), j[0]);
	/* The last place, and the first. */
	for (i = 0; i < 10; i += 9) {
		j[i]->moving = true;
		lanes_settle(&l, j[i]);
		j[i]->moving = false;
		lanes_settle(&l, j[i]);
		assert_int_equal(lanes_position(j[i]), i + 1);
		check(&l);
	}
	take(&l, j[0]);
	lanes_drop(&l, j[0]);
	assert_null(lanes_find(&l, 1));
	take(&l, j[1]);
	check(&l);
	lanes_fini(&l);
}

static void
memory_comes_back(void **state)
{
	struct error e = ERROR_INIT;
	struct lanes_job *j;
	struct lanes l;
	uint64_t id;
	char name[32];

	(void)state;
	test_ok(lanes_init(&l, SIZE_MAX, &e), &e);
	for (id = 1; id <= 20000; id++) {
		(void)snprintf(
		    name, sizeof(name), "lane %u", (unsigned)(id % 7));
		(void)add(&l, id, name);
		if (id > 100) {
			j = lanes_find(&l, id - 100);
			lanes_drop(&l, j);
		}
		if (id % 1000 == 0)
			check(&l);
	}
	/* What is gone leaves no hole for ever. */
	assert_true(l.jobs_cap < 1000);
	assert_int_equal(l.lanes_n, 7);
	for (id = 19901; id <= 20000; id++)
		lanes_drop(&l, lanes_find(&l, id));
	assert_int_equal(l.lanes_n, 0);
	check(&l);
	/* One that never became known. */
	test_ok(lanes_new(&l, &j, 30000, "x", &e), &e);
	lanes_drop(&l, j);
	assert_int_equal(l.lanes_n, 0);
	lanes_fini(&l);
}

/* A million jobs that wait must be possible. */
static void
jobs_are_small(void **state)
{
	(void)state;
	assert_true(sizeof(struct lanes_job) <= 48);
	assert_true(sizeof(struct lanes_entry) <= 16);
}

static int
fill(void *ctx, struct error *e)
{
	struct lanes_job *j;
	struct lanes l;
	uint64_t id;
	char name[32];
	int rc;

	(void)ctx;
	rc = lanes_init(&l, 1, e);
	for (id = 1; rc == 0 && id <= 40; id++) {
		(void)snprintf(name, sizeof(name), "lane %u", (unsigned)id);
		rc = lanes_new(&l, &j, id, name, e);
		if (rc == 0)
			lanes_add(&l, j, JOB_QUEUED);
		else
			check(&l);
	}
	lanes_fini(&l);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(fill, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(many_lanes_go_by_age),
	cmocka_unit_test(places_are_kept),
	cmocka_unit_test(memory_comes_back),
	cmocka_unit_test(jobs_are_small),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
