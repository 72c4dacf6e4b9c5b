/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The loop: the order within a turn, what may be cancelled and released from
 * within callbacks, signals, descriptors, and the histogram.
 */
#include "test/unit/support/test.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

struct world {
	struct loop *l;
	char trace[64];
	struct defer d[3];
	struct retire r;
	struct timer t[2];
	struct watch w;
	struct sigwatch s;
	int pipe[2];
	unsigned again;
};

static struct world w;

static int
setup(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	memset(&w, 0, sizeof(w));
	test_ok(loop_new(&w.l, &e), &e);
	assert_int_equal(pipe2(w.pipe, O_CLOEXEC | O_NONBLOCK), 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	watch_fini(&w.w);
	timer_fini(&w.t[0]);
	timer_fini(&w.t[1]);
	sigwatch_fini(&w.s);
	w.l = loop_free(w.l);
	close(w.pipe[0]);
	close(w.pipe[1]);
	return 0;
}

#define TEST_IN_LOOP(f) cmocka_unit_test_setup_teardown((f), setup, teardown)

static void
trace(char c)
{
	size_t len = strlen(w.trace);

	if (len < sizeof(w.trace) - 1)
		w.trace[len] = c;
}

static void
run(const char *expected)
{
	struct error e = ERROR_INIT;

	test_ok(loop_run(w.l, &e), &e);
	assert_string_equal(w.trace, expected);
}

static void
on_a(struct defer *d)
{
	(void)d;
	trace('a');
}

static void
on_b(struct defer *d)
{
	(void)d;
	trace('b');
}

static void
on_stop(struct defer *d)
{
	(void)d;
	trace('s');
	loop_stop(w.l);
}

static void
on_retire(struct retire *r)
{
	(void)r;
	trace('r');
}

static void
deferred_run_in_order_and_once(void **state)
{
	(void)state;
	defer_init(&w.d[0], on_a, "a");
	defer_init(&w.d[1], on_b, "b");
	defer_init(&w.d[2], on_stop, "stop");
	loop_defer(w.l, &w.d[0]);
	loop_defer(w.l, &w.d[1]);
	loop_defer(w.l, &w.d[0]);
	loop_defer(w.l, &w.d[2]);
	run("abs");
	assert_false(w.d[0].queued);
}

static void
on_again(struct defer *d)
{
	trace('g');
	if (++w.again < 3)
		loop_defer(w.l, d);
	if (w.again == 2)
		loop_defer(w.l, &w.d[1]);
	if (w.again == 3)
		loop_stop(w.l);
}

static void
deferred_while_draining_runs_in_the_next_turn(void **state)
{
	struct loop_stats st;

	(void)state;
	defer_init(&w.d[0], on_again, "again");
	defer_init(&w.d[1], on_b, "b");
	loop_defer(w.l, &w.d[0]);
	run("gggb");
	loop_get_stats(w.l, &st);
	assert_int_equal(st.turns, 3);
}

static void
on_cancel(struct defer *d)
{
	(void)d;
	trace('c');
	defer_cancel(&w.d[1]);
	defer_cancel(&w.d[1]);
}

static void
a_deferred_call_can_be_cancelled(void **state)
{
	(void)state;
	defer_init(&w.d[0], on_cancel, "cancel");
	defer_init(&w.d[1], on_b, "b");
	defer_init(&w.d[2], on_stop, "stop");
	loop_defer(w.l, &w.d[0]);
	loop_defer(w.l, &w.d[1]);
	loop_defer(w.l, &w.d[2]);
	run("cs");
}

static void
on_retire_self(struct defer *d)
{
	(void)d;
	loop_retire(w.l, &w.r, on_retire);
	trace('x');
	loop_defer(w.l, &w.d[1]);
	loop_stop(w.l);
}

static void
the_retired_go_after_the_deferred(void **state)
{
	(void)state;
	defer_init(&w.d[0], on_retire_self, "retire");
	defer_init(&w.d[1], on_b, "b");
	defer_init(&w.d[2], on_a, "a");
	loop_defer(w.l, &w.d[0]);
	loop_defer(w.l, &w.d[2]);
	/* b was deferred while draining: another pass, after the freeing. */
	run("xarb");
}

static void
on_for_ever(struct defer *d)
{
	loop_defer(w.l, d);
	loop_stop(w.l);
}

static void
a_call_that_defers_itself_cannot_prevent_the_stop(void **state)
{
	(void)state;
	defer_init(&w.d[0], on_for_ever, "for ever");
	loop_defer(w.l, &w.d[0]);
	run("");
}

static void
on_timer_a(struct timer *t)
{
	assert_false(t->armed);
	trace('a');
}

static void
on_timer_stop(struct timer *t)
{
	(void)t;
	trace('s');
	loop_stop(w.l);
}

static void
timers_fire_once_and_in_order(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(timer_init(&w.t[0], w.l, on_timer_a, "a", &e), &e);
	test_ok(timer_init(&w.t[1], w.l, on_timer_stop, "stop", &e), &e);
	timer_arm(&w.t[1], 30);
	timer_arm(&w.t[0], 0);
	assert_true(w.t[0].armed);
	run("as");
}

static void
a_timer_can_be_moved_and_stopped(void **state)
{
	struct error e = ERROR_INIT;
	int64_t start = clock_mono_ms();

	(void)state;
	test_ok(timer_init(&w.t[0], w.l, on_timer_a, "a", &e), &e);
	test_ok(timer_init(&w.t[1], w.l, on_timer_stop, "stop", &e), &e);
	timer_arm(&w.t[1], 3600000);
	timer_arm(&w.t[1], 20);
	timer_arm(&w.t[0], 5);
	timer_stop(&w.t[0]);
	assert_false(w.t[0].armed);
	run("s");
	/* Half: libevent's clock may be the coarse one. */
	assert_true(clock_mono_ms() - start >= 10);
}

static void
on_readable(struct watch *x, int what)
{
	char c;

	assert_int_equal(what, WATCH_READ);
	assert_int_equal(read(x->fd, &c, 1), 1);
	trace(c);
	if (c == '2')
		loop_stop(w.l);
}

static void
a_watch_is_level_triggered(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(watch_init(
		    &w.w, w.l, w.pipe[0], WATCH_READ, on_readable, "pipe", &e),
	    &e);
	test_ok(watch_start(&w.w, &e), &e);
	assert_int_equal(write(w.pipe[1], "012", 3), 3);
	run("012");
}

static void
on_release(struct watch *x, int what)
{
	(void)what;
	trace('f');
	watch_fini(x);
	loop_stop(w.l);
}

static void
a_watch_can_be_released_by_its_callback(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(watch_init(
		    &w.w, w.l, w.pipe[1], WATCH_WRITE, on_release, "pipe", &e),
	    &e);
	test_ok(watch_start(&w.w, &e), &e);
	run("f");
	watch_stop(&w.w);
}

static void
a_bad_descriptor_is_an_error(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(
	    watch_init(&w.w, w.l, 1000, WATCH_READ, on_readable, "none", &e),
	    &e);
	test_fails(watch_start(&w.w, &e), &e, OVE_IO);
}

static void
on_usr1(struct sigwatch *s)
{
	assert_int_equal(s->signo, SIGUSR1);
	trace('u');
	loop_stop(w.l);
}

static void
signals_come_through_the_loop(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(sigwatch_init(&w.s, w.l, SIGUSR1, on_usr1, "usr1", &e), &e);
	assert_int_equal(raise(SIGUSR1), 0);
	assert_string_equal(w.trace, "");
	run("u");
}

static void
on_busy(struct defer *d)
{
	int64_t until = clock_mono_ms() + 12;

	(void)d;
	while (clock_mono_ms() < until)
		;
	loop_stop(w.l);
}

static void
the_histogram_counts_callbacks(void **state)
{
	struct loop_stats st;
	uint64_t sum = 0;
	size_t i;

	(void)state;
	defer_init(&w.d[0], on_busy, "busy");
	defer_init(&w.d[1], on_b, "b");
	loop_defer(w.l, &w.d[0]);
	loop_defer(w.l, &w.d[1]);
	run("b");
	loop_get_stats(w.l, &st);
	for (i = 0; i < LOOP_HIST_N; i++)
		sum += st.hist[i];
	assert_int_equal(sum, 2);
	assert_true(st.hist[0] <= 1);
	assert_true(st.worst_ms >= 11);
}

static void
a_stop_before_the_run_still_drains(void **state)
{
	(void)state;
	defer_init(&w.d[0], on_a, "a");
	loop_defer(w.l, &w.d[0]);
	loop_stop(w.l);
	run("a");
}

static void
what_is_left_goes_with_the_loop(void **state)
{
	(void)state;
	defer_init(&w.d[0], on_a, "a");
	loop_defer(w.l, &w.d[0]);
	loop_retire(w.l, &w.r, on_retire);
	w.l = loop_free(w.l);
	assert_string_equal(w.trace, "r");
	assert_false(w.d[0].queued);
	w.l = loop_free(NULL);
}

static void
on_torture_stop(struct timer *t)
{
	loop_stop(t->loop);
}

static int
body(void *ctx, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct watch x CC_CLEANUP(watch_fini) = { .ev = NULL };
	struct timer t CC_CLEANUP(timer_fini) = { .ev = NULL };
	struct sigwatch s CC_CLEANUP(sigwatch_fini) = { .ev = NULL };

	(void)ctx;
	if (loop_new(&l, e) == -1 ||
	    watch_init(&x, l, w.pipe[0], WATCH_READ, on_readable, "x", e) ==
		-1 ||
	    watch_start(&x, e) == -1 ||
	    timer_init(&t, l, on_torture_stop, "t", e) == -1 ||
	    sigwatch_init(&s, l, SIGUSR1, on_usr1, "s", e) == -1)
		return -1;
	/* Cannot fail, and fires whatever happens. */
	timer_arm(&t, 1);
	return loop_run(l, e);
}

static void
without_memory(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_LOOP(deferred_run_in_order_and_once),
	TEST_IN_LOOP(deferred_while_draining_runs_in_the_next_turn),
	TEST_IN_LOOP(a_deferred_call_can_be_cancelled),
	TEST_IN_LOOP(the_retired_go_after_the_deferred),
	TEST_IN_LOOP(a_call_that_defers_itself_cannot_prevent_the_stop),
	TEST_IN_LOOP(timers_fire_once_and_in_order),
	TEST_IN_LOOP(a_timer_can_be_moved_and_stopped),
	TEST_IN_LOOP(a_watch_is_level_triggered),
	TEST_IN_LOOP(a_watch_can_be_released_by_its_callback),
	TEST_IN_LOOP(a_bad_descriptor_is_an_error),
	TEST_IN_LOOP(signals_come_through_the_loop),
	TEST_IN_LOOP(the_histogram_counts_callbacks),
	TEST_IN_LOOP(a_stop_before_the_run_still_drains),
	TEST_IN_LOOP(what_is_left_goes_with_the_loop),
	TEST_IN_LOOP(without_memory),
};
TEST_MAIN(tests)
