/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Commands whose output is an answer: what they are given, what is kept, how
 * they end, how many run at once, and that none stays.
 */
#include "test/unit/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/num.h"
#include "lib/event/capture.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

#define LONG_MS 60000
#define PATIENCE_MS 30000

struct told {
	unsigned n;
	enum capture_end end;
	int code;
	char out[4096];
	size_t out_len;
	bool cut;
	char err[1024];
	enum ove check;
	char why[512];
};

static struct loop *loop;
static struct capture *cap;
static struct timer tick;
static int64_t until_ms;
static bool (*ready)(void);
static struct told told[64];

static void
take(const struct capture_result *r, void *ctx)
{
	struct told *t = ctx;
	struct error e = ERROR_INIT;

	t->n++;
	t->end = r->end;
	t->code = r->code;
	t->cut = r->cut;
	t->out_len = r->out_len;
	assert_true(r->out_len < sizeof(t->out));
	memcpy(t->out, r->out, r->out_len + 1);
	(void)snprintf(t->err, sizeof(t->err), "%s", r->err);
	t->check = capture_check(r, &e) == 0 ? OVE_NONE : e.code;
	(void)snprintf(t->why, sizeof(t->why), "%s", e.text);
}

static void
on_tick(struct timer *t)
{
	if (ready() || clock_mono_ms() > until_ms)
		loop_stop(t->loop);
	else
		timer_arm(t, 2);
}

static void
wait_until(bool (*fn)(void))
{
	struct error e = ERROR_INIT;

	ready = fn;
	until_ms = clock_mono_ms() + PATIENCE_MS;
	timer_arm(&tick, 0);
	test_ok(loop_run(loop, &e), &e);
	assert_true(fn());
}

static bool
first_is_told(void)
{
	return told[0].n > 0;
}

static bool
nothing_is_left(void)
{
	siginfo_t si;

	return waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == -1 &&
	    errno == ECHILD;
}

static void
open_rig(unsigned max_running)
{
	struct error e = ERROR_INIT;

	memset(told, 0, sizeof(told));
	test_ok(loop_new(&loop, &e), &e);
	test_ok(timer_init(&tick, loop, on_tick, "tick", &e), &e);
	test_ok(capture_new(&cap, loop, max_running, &e), &e);
}

static void
close_rig(void)
{
	cap = capture_free(cap);
	timer_fini(&tick);
	loop = loop_free(loop);
}

static struct capture_id
start(struct told *t, const char *script, size_t out_max, int64_t timeout_ms)
{
	const char *const argv[] = { "sh", "-c", script, "x", NULL };
	const char *const envp[] = { "PATH=/usr/bin:/bin", "WORD=a b", NULL };
	const struct capture_request rq = {
		.path = "/bin/sh",
		.argv = argv,
		.envp = envp,
		.out_max = out_max,
		.timeout_ms = timeout_ms,
	};
	struct error e = ERROR_INIT;
	struct capture_id id;

	test_ok(capture_start(cap, &rq, take, t, &id, &e), &e);
	assert_int_equal(t->n, 0);
	return id;
}

static const struct told *
run(const char *script, size_t out_max, int64_t timeout_ms)
{
	memset(told, 0, sizeof(told));
	(void)start(&told[0], script, out_max, timeout_ms);
	wait_until(first_is_told);
	assert_int_equal(told[0].n, 1);
	return &told[0];
}

static void
output_is_kept(void **state)
{
	const struct told *t;

	(void)state;
	open_rig(4);
	t = run("printf 'a\\0b\\n'; echo \"$WORD$HOME\"; echo no >&2; cat", 100,
	    LONG_MS);
	assert_int_equal(t->end, CAPTURE_EXITED);
	assert_int_equal(t->code, 0);
	assert_int_equal(t->out_len, 8);
	assert_memory_equal(t->out, "a\0b\na b\n", 9);
	assert_string_equal(t->err, "no\n");
	assert_false(t->cut);
	assert_int_equal(t->check, OVE_NONE);
	close_rig();
}

static void
a_command_gets_three_descriptors_and_default_signals(void **state)
{
	sigset_t set, old;
	const struct told *t;
	int fd, high;

	(void)state;
	/* One that somebody forgot. */
	fd = open("/dev/null", O_RDONLY);
	assert_true(fd >= 0);
	high = fcntl(fd, F_DUPFD, 40);
	assert_true(high >= 40);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	assert_int_equal(sigprocmask(SIG_BLOCK, &set, &old), 0);
	open_rig(4);
	t = run("for i in 3 4 5 6 7 8 9; do (: <&$i) 2>/dev/null && echo $i;"
		" done; test -e /proc/$$/fd/40 && echo 40; readlink "
		"/proc/$$/fd/0; kill -TERM $$; echo no",
	    100, LONG_MS);
	assert_int_equal(t->end, CAPTURE_SIGNALLED);
	assert_int_equal(t->code, SIGTERM);
	assert_string_equal(t->out, "/dev/null\n");
	assert_int_equal(t->check, OVE_UNAVAILABLE);
	assert_string_equal(t->why, "it was ended by signal 15");
	close_rig();
	assert_int_equal(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	close(high);
	close(fd);
}

static void
a_status_and_a_reason(void **state)
{
	const struct told *t;

	(void)state;
	open_rig(4);
	t = run("echo 'no such jail' >&2; echo more >&2; exit 66", 10, LONG_MS);
	assert_int_equal(t->end, CAPTURE_EXITED);
	assert_int_equal(t->code, 66);
	assert_int_equal(t->check, OVE_UNAVAILABLE);
	assert_string_equal(t->why, "it ended with 66: no such jail");
	close_rig();
}

static void
too_much_is_cut_and_nobody_waits(void **state)
{
	const struct told *t;

	(void)state;
	open_rig(4);
	t = run("i=0; while [ $i -lt 3000 ]; do echo 0123456789012345678901234"
		"567890123456789012345678901234567890123456789; echo err >&2; "
		"i=$((i+1)); done",
	    1000, LONG_MS);
	assert_int_equal(t->end, CAPTURE_EXITED);
	assert_true(t->cut);
	assert_int_equal(t->out_len, 1000);
	assert_int_equal(strlen(t->err), 512);
	assert_int_equal(t->check, OVE_LIMIT);
	close_rig();
}

static void
one_that_takes_too_long_is_ended(void **state)
{
	const struct told *t;

	(void)state;
	open_rig(4);
	t = run("echo out; sleep 1000", 10, 30);
	assert_int_equal(t->end, CAPTURE_TIMEOUT);
	assert_int_equal(t->check, OVE_TIMEOUT);
	/* One that does not listen, and what it has started. */
	t = run("trap '' TERM; sleep 1000 & wait; wait; sleep 1000", 100, 30);
	assert_int_equal(t->end, CAPTURE_TIMEOUT);
	assert_true(nothing_is_left());
	close_rig();
}

static pid_t left;

static bool
left_is_gone(void)
{
	char path[64], text[256] = "";
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)left);
	f = fopen(path, "r");
	if (f == NULL)
		return true;
	if (fgets(text, sizeof(text), f) == NULL)
		text[0] = '\0';
	(void)fclose(f);
	return text[0] == '\0' || strstr(text, ") Z") != NULL;
}

static void
the_end_is_the_commands(void **state)
{
	struct error e = ERROR_INIT;
	const struct told *t;
	int64_t pid;

	(void)state;
	open_rig(4);
	/* A child holds the output; it is of the group, so it is killed. */
	t = run("sleep 1000 & printf $!", 100, LONG_MS);
	assert_int_equal(t->end, CAPTURE_EXITED);
	assert_int_equal(t->check, OVE_NONE);
	test_ok(num_i64(t->out, 1, INT32_MAX, &pid, &e), &e);
	left = (pid_t)pid;
	wait_until(left_is_gone);
	close_rig();
}

static unsigned
count_told(void)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		n += told[i].n;
	return n;
}

static bool
all_are_told(void)
{
	return count_told() == 12;
}

static void
no_more_than_so_many_at_once(void **state)
{
	const struct test_dir *d = *state;
	char script[700];

	open_rig(2);
	/* Each leaves a mark while it runs, and says how many there are. */
	(void)snprintf(script, sizeof(script),
	    "cd %s && : >m.$$ && set -- m.* && echo $# && sleep 0.02 && "
	    "set -- m.* && echo $# && rm m.$$",
	    d->path);
	for (size_t i = 0; i < 12; i++)
		(void)start(&told[i], script, 100, LONG_MS);
	wait_until(all_are_told);
	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(told[i].n, 1);
		assert_int_equal(told[i].check, OVE_NONE);
		assert_true(told[i].out[0] == '1' || told[i].out[0] == '2');
		assert_true(told[i].out[2] == '1' || told[i].out[2] == '2');
	}
	close_rig();
}

static void
a_cancelled_one_is_not_told(void **state)
{
	struct capture_id running, waiting, later;

	(void)state;
	open_rig(1);
	running = start(&told[1], "sleep 1000", 10, LONG_MS);
	waiting = start(&told[2], "echo no", 10, LONG_MS);
	later = start(&told[0], "echo yes", 10, LONG_MS);
	capture_cancel(cap, waiting);
	capture_cancel(cap, running);
	capture_cancel(cap, running);
	wait_until(first_is_told);
	assert_string_equal(told[0].out, "yes\n");
	capture_cancel(cap, later);
	/* One that runs already. */
	told[0].n = 0;
	running = start(&told[1], "echo ready; sleep 1000", 10, LONG_MS);
	(void)start(&told[0], "echo yes", 10, LONG_MS);
	ready = first_is_told;
	until_ms = clock_mono_ms() + 20;
	timer_arm(&tick, 0);
	test_ok(loop_run(loop, NULL), NULL);
	assert_int_equal(told[0].n, 0);
	capture_cancel(cap, running);
	wait_until(first_is_told);
	assert_int_equal(told[1].n, 0);
	assert_int_equal(told[2].n, 0);
	wait_until(nothing_is_left);
	close_rig();
}

static void
what_cannot_be_started_is_told(void **state)
{
	const char *const argv[] = { "x", NULL };
	const char *const envp[] = { NULL };
	const struct capture_request rq = {
		.path = "/nowhere/x",
		.argv = argv,
		.envp = envp,
		.out_max = 10,
		.timeout_ms = LONG_MS,
	};
	struct error e = ERROR_INIT;
	struct capture_id id;

	(void)state;
	open_rig(1);
	test_ok(capture_start(cap, &rq, take, &told[0], &id, &e), &e);
	assert_int_equal(told[0].n, 0);
	wait_until(first_is_told);
	assert_int_equal(told[0].end, CAPTURE_FAILED);
	assert_non_null(strstr(told[0].err, "'/nowhere/x'"));
	assert_int_equal(told[0].check, OVE_UNAVAILABLE);
	/* It took nobody's place. */
	(void)run("echo yes", 10, LONG_MS);
	assert_string_equal(told[0].out, "yes\n");
	close_rig();
}

static void
the_end_of_all_kills(void **state)
{
	(void)state;
	open_rig(1);
	(void)start(&told[1], "sleep 1000", 10, LONG_MS);
	(void)start(&told[2], "sleep 1000", 10, LONG_MS);
	ready = first_is_told;
	until_ms = clock_mono_ms() + 20;
	timer_arm(&tick, 0);
	test_ok(loop_run(loop, NULL), NULL);
	close_rig();
	assert_int_equal(count_told(), 0);
	/* It ends at once, so this does not wait. */
	assert_true(waitpid(-1, NULL, 0) > 0);
	assert_true(nothing_is_left());
}

struct torturer {
	struct loop *loop;
	bool done;
	struct error e;
};

static void
told_torturer(const struct capture_result *r, void *ctx)
{
	struct torturer *t = ctx;

	t->done = true;
	if (capture_check(r, &t->e) == 0 && strcmp(r->out, "x\n") != 0)
		(void)error_set(&t->e, OVE_CORRUPT, "not all of it");
	loop_stop(t->loop);
}

static int
torture_body(void *ctx, struct error *e)
{
	const char *const argv[] = { "echo", "x", NULL };
	const char *const envp[] = { NULL };
	const struct capture_request rq = { "/bin/echo", argv, envp, 10,
		LONG_MS };
	struct loop *l AUTO(loop) = NULL;
	struct capture *c AUTO(capture) = NULL;
	struct torturer t = { .done = false };
	struct capture_id id;

	(void)ctx;
	if (loop_new(&l, e) == -1 || capture_new(&c, l, 1, e) == -1)
		return -1;
	t.loop = l;
	if (capture_start(c, &rq, told_torturer, &t, &id, e) == -1)
		return -1;
	if (loop_run(l, e) == -1)
		return -1;
	assert_true(t.done);
	if (error_is_set(&t.e)) {
		*e = t.e;
		return -1;
	}
	return 0;
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(torture_body, NULL);
	assert_true(nothing_is_left());
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(output_is_kept),
	cmocka_unit_test(a_command_gets_three_descriptors_and_default_signals),
	cmocka_unit_test(a_status_and_a_reason),
	cmocka_unit_test(too_much_is_cut_and_nobody_waits),
	cmocka_unit_test(one_that_takes_too_long_is_ended),
	cmocka_unit_test(the_end_is_the_commands),
	TEST_IN_DIR(no_more_than_so_many_at_once),
	cmocka_unit_test(a_cancelled_one_is_not_told),
	cmocka_unit_test(what_cannot_be_started_is_told),
	cmocka_unit_test(the_end_of_all_kills),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
