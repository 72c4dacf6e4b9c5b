/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Orphans: the end is told once, a cancel and a deadline send TERM first and
 * KILL after the grace, and it works without a descriptor to watch.
 */
#include "test/unit/support/test.h"

#include <sys/wait.h>

#include <signal.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/event/loop.h"
#include "lib/event/orphan.h"
#include "lib/event/reap.h"
#include "test/unit/support/torture.h"

struct world {
	struct loop *l;
	struct orphan o;
	struct orphan_who who;
	unsigned gone;
};

static struct world w;

static void
on_gone(struct orphan *o)
{
	struct world *x = container_of(o, struct world, o);

	x->gone++;
	loop_stop(x->l);
}

/* A child in a session of its own. */
static void
start_child(bool stubborn)
{
	struct error e = ERROR_INIT;
	int ready[2];
	char c;

	assert_int_equal(pipe(ready), 0);
	w.who.pid = fork();
	if (w.who.pid == 0) {
		struct sigaction sa = { .sa_handler = SIG_IGN };

		(void)setsid();
		if (stubborn)
			(void)sigaction(SIGTERM, &sa, NULL);
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	w.who.session = w.who.pid;
	w.who.grace_ms = 50;
	test_ok(reap_start_time(w.who.pid, &w.who.start, &e), &e);
}

static int
setup(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	w = (struct world){ .gone = 0 };
	test_ok(loop_new(&w.l, &e), &e);
	test_ok(orphan_init(&w.o, w.l, on_gone, &e), &e);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	orphan_fini(&w.o);
	w.l = loop_free(w.l);
	return 0;
}

/* Until fn; then what ended the child. */
static int
run(void)
{
	struct error e = ERROR_INIT;
	int status;

	test_ok(loop_run(w.l, &e), &e);
	assert_int_equal(w.gone, 1);
	assert_int_equal(waitpid(w.who.pid, &status, 0), w.who.pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
its_end_is_told(void **state)
{
	(void)state;
	start_child(false);
	assert_int_equal(orphan_start(&w.o, &w.who), 0);
	assert_int_equal(kill(w.who.pid, SIGUSR1), 0);
	assert_int_equal(run(), SIGUSR1);
	assert_false(w.o.timed_out);
	assert_int_equal(orphan_start(&w.o, &w.who), ORPHAN_GONE);
}

static void
another_start_is_another_process(void **state)
{
	(void)state;
	start_child(false);
	w.who.start++;
	assert_int_equal(orphan_start(&w.o, &w.who), ORPHAN_GONE);
	assert_int_equal(kill(w.who.pid, SIGKILL), 0);
	assert_int_equal(waitpid(w.who.pid, NULL, 0), w.who.pid);
}

static void
cancel_is_a_term(void **state)
{
	(void)state;
	start_child(false);
	w.who.grace_ms = 3600000;
	assert_int_equal(orphan_start(&w.o, &w.who), 0);
	orphan_cancel(&w.o);
	orphan_cancel(&w.o);
	assert_int_equal(run(), SIGTERM);
	assert_false(w.o.timed_out);
}

static void
grace_ends_with_kill(void **state)
{
	(void)state;
	start_child(true);
	assert_int_equal(orphan_start(&w.o, &w.who), 0);
	orphan_cancel(&w.o);
	assert_int_equal(run(), SIGKILL);
}

static void
the_deadline_holds(void **state)
{
	(void)state;
	start_child(false);
	w.who.deadline_ms = clock_mono_ms() + 50;
	assert_int_equal(orphan_start(&w.o, &w.who), 0);
	assert_int_equal(run(), SIGTERM);
	assert_true(w.o.timed_out);
}

static void
it_works_without_memory_for_a_watch(void **state)
{
	(void)state;
	start_child(true);
	torture_mem_fail_at(0);
	assert_int_equal(orphan_start(&w.o, &w.who), 0);
	assert_true(torture_mem_disarm());
	assert_int_equal(w.o.fd, -1);
	orphan_cancel(&w.o);
	assert_int_equal(run(), SIGKILL);
}

static int
body(void *ctx, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct orphan o CC_CLEANUP(orphan_fini) = { .fd = -1 };

	(void)ctx;
	if (loop_new(&l, e) == -1 || orphan_init(&o, l, on_gone, e) == -1)
		return -1;
	orphan_fini(&o);
	o.loop = NULL;
	return 0;
}

static void
without_memory(void **state)
{
	(void)state;
	torture(body, NULL);
}

#define TEST_IN_WORLD(f) cmocka_unit_test_setup_teardown((f), setup, teardown)

static const struct CMUnitTest tests[] = {
	TEST_IN_WORLD(its_end_is_told),
	TEST_IN_WORLD(another_start_is_another_process),
	TEST_IN_WORLD(cancel_is_a_term),
	TEST_IN_WORLD(grace_ends_with_kill),
	TEST_IN_WORLD(the_deadline_holds),
	TEST_IN_WORLD(it_works_without_memory_for_a_watch),
	cmocka_unit_test(without_memory),
};
TEST_MAIN(tests)
