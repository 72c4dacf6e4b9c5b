/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The worker: order, batches, no lost wake-up in ping-pong or in bulk, and an
 * end that loses nothing. Also run under the thread sanitizer.
 */
#include "test/unit/support/test.h"

#include <stdint.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/event/loop.h"
#include "lib/event/worker.h"
#include "test/unit/support/torture.h"

#define ITEMS 20000
#define ROUNDS 2000

struct item {
	struct work work;
	unsigned in;
	unsigned out;
};

struct world {
	struct loop *l;
	struct worker *k;
	struct item *items;
	/* The thread's. */
	unsigned batches;
	/* The loop's. */
	unsigned done;
	unsigned submitted;
	/* When not -1: the thread waits for a byte before it runs a batch. */
	int gate[2];
	struct defer more;
};

static void
on_run(struct work_list *all, void *ctx)
{
	struct world *w = ctx;
	struct item *it;
	struct work *x;
	char c;

	if (w->gate[0] != -1)
		assert_int_equal(read(w->gate[0], &c, 1), 1);
	w->batches++;
	TAILQ_FOREACH (x, all, link) {
		it = container_of(x, struct item, work);
		it->out = it->in * 2 + 1;
	}
}

static struct world *world;

static void
on_done(struct work *x)
{
	struct item *it = container_of(x, struct item, work);

	/* In order, and handled. */
	assert_int_equal(it->in, world->done);
	assert_int_equal(it->out, it->in * 2 + 1);
	world->done++;
	assert_int_equal(
	    worker_pending(world->k), world->submitted - world->done);
	if (world->done == ITEMS)
		loop_stop(world->l);
}

static void
submit(struct world *w, work_done_fn *done)
{
	struct item *it = &w->items[w->submitted];

	it->in = w->submitted++;
	it->work.done = done;
	worker_submit(w->k, &it->work);
}

static int
setup(void **state)
{
	static struct world w;
	struct error e = ERROR_INIT;

	w = (struct world){ .gate = { -1, -1 } };
	w.items = mem_calloc(ITEMS, sizeof(*w.items));
	assert_non_null(w.items);
	test_ok(loop_new(&w.l, &e), &e);
	world = &w;
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	w->k = worker_free(w->k);
	loop_free(w->l);
	mem_free(w->items);
	return 0;
}

static void
start(struct world *w)
{
	struct error e = ERROR_INIT;

	test_ok(worker_new(&w->k, w->l, "test", on_run, w, &e), &e);
}

/* Some now, some in the next turn: the thread runs meanwhile. */
static void
on_more(struct defer *d)
{
	struct world *w = container_of(d, struct world, more);
	unsigned i;

	for (i = 0; i < 37 && w->submitted < ITEMS; i++)
		submit(w, on_done);
	if (w->submitted < ITEMS)
		loop_defer(w->l, d);
}

static void
bulk_keeps_order(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;

	start(w);
	defer_init(&w->more, on_more, "more");
	loop_defer(w->l, &w->more);
	test_ok(loop_run(w->l, &e), &e);
	assert_int_equal(w->done, ITEMS);
	assert_int_equal(worker_pending(w->k), 0);
}

static void
on_pong(struct work *x)
{
	(void)x;
	world->done++;
	if (world->submitted < ROUNDS)
		submit(world, on_pong);
	else
		loop_stop(world->l);
}

static void
ping_pong_loses_no_wakeup(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;

	start(w);
	submit(w, on_pong);
	test_ok(loop_run(w->l, &e), &e);
	assert_int_equal(w->done, ROUNDS);
}

static void
on_tenth(struct work *x)
{
	(void)x;
	if (++world->done == 10)
		loop_stop(world->l);
}

static void
what_waits_is_one_batch(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	int i;

	assert_int_equal(pipe(w->gate), 0);
	start(w);
	/* The first is at the gate, or with the rest, when they come. */
	for (i = 0; i < 10; i++)
		submit(w, on_tenth);
	assert_int_equal(worker_pending(w->k), 10);
	assert_int_equal(write(w->gate[1], "12", 2), 2);
	test_ok(loop_run(w->l, &e), &e);
	w->k = worker_free(w->k);
	assert_in_range(w->batches, 1, 2);
	close(w->gate[0]);
	close(w->gate[1]);
}

static void
on_count(struct work *x)
{
	(void)x;
	world->done++;
}

static void
free_finishes_all(void **state)
{
	struct world *w = *state;
	int i;

	start(w);
	for (i = 0; i < 1000; i++)
		submit(w, on_count);
	assert_int_equal(w->done, 0);
	w->k = worker_free(w->k);
	assert_int_equal(w->done, 1000);
	w->k = worker_free(NULL);
}

static int
body(void *ctx, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct worker *k AUTO(worker) = NULL;

	if (loop_new(&l, e) == -1)
		return -1;
	return worker_new(&k, l, "test", on_run, ctx, e);
}

static void
without_memory(void **state)
{
	torture(body, *state);
}

#define TEST_IN_WORLD(f) cmocka_unit_test_setup_teardown((f), setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST_IN_WORLD(bulk_keeps_order),
	TEST_IN_WORLD(ping_pong_loses_no_wakeup),
	TEST_IN_WORLD(what_waits_is_one_batch),
	TEST_IN_WORLD(free_finishes_all),
	TEST_IN_WORLD(without_memory),
};
TEST_MAIN(tests)
