/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Watching a directory: what is told, what is not, one that comes and goes, one
 * that is replaced, a flood, and failing allocations.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/event/dirwatch.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

/* How long nothing is waited for, and something. */
#define QUIET_MS 30
#define PATIENCE_MS 30000

static struct loop *loop;
static struct dirwatch *dw;
static struct timer limit;
static unsigned told;

static void
on_change(void *ctx)
{
	(void)ctx;
	told++;
	loop_stop(loop);
}

static void
on_limit(struct timer *t)
{
	loop_stop(t->loop);
}

static void
open_watch(const struct test_dir *d, const char *below)
{
	struct error e = ERROR_INIT;
	char path[400];

	told = 0;
	(void)snprintf(path, sizeof(path), "%s%s", d->path, below);
	test_ok(loop_new(&loop, &e), &e);
	test_ok(timer_init(&limit, loop, on_limit, "limit", &e), &e);
	test_ok(dirwatch_new(&dw, loop, path, on_change, NULL, &e), &e);
}

static void
close_watch(void)
{
	dw = dirwatch_free(dw);
	timer_fini(&limit);
	loop = loop_free(loop);
}

/* Whether a change is told before the time is over. */
static bool
is_told(int64_t ms)
{
	struct error e = ERROR_INIT;

	told = 0;
	timer_arm(&limit, ms);
	test_ok(loop_run(loop, &e), &e);
	timer_stop(&limit);
	return told > 0;
}

static void
expect_told(void)
{
	assert_true(is_told(PATIENCE_MS));
	/* Once: it does not spin. */
	while (is_told(QUIET_MS))
		;
}

static void
entries_are_told(void **state)
{
	const struct test_dir *d = *state;

	assert_int_equal(mkdirat(d->fd, "top", 0755), 0);
	open_watch(d, "/top");
	assert_false(is_told(QUIET_MS));
	assert_int_equal(mkdirat(d->fd, "top/a", 0755), 0);
	expect_told();
	assert_int_equal(renameat(d->fd, "top/a", d->fd, "top/b"), 0);
	expect_told();
	assert_int_equal(renameat(d->fd, "top/b", d->fd, "b"), 0);
	expect_told();
	assert_int_equal(renameat(d->fd, "b", d->fd, "top/c"), 0);
	expect_told();
	test_dir_put(d, "top/file", "1");
	expect_told();
	assert_int_equal(unlinkat(d->fd, "top/file", 0), 0);
	expect_told();
	/* What is in an entry is not. */
	test_dir_put(d, "top/c/file", "1");
	assert_false(is_told(QUIET_MS));
	assert_int_equal(unlinkat(d->fd, "top/c/file", 0), 0);
	assert_int_equal(unlinkat(d->fd, "top/c", AT_REMOVEDIR), 0);
	expect_told();
	close_watch();
}

static void
who_asks_need_not_wait(void **state)
{
	const struct test_dir *d = *state;

	open_watch(d, "");
	assert_false(dirwatch_poll(dw));
	assert_int_equal(mkdirat(d->fd, "a", 0755), 0);
	assert_true(dirwatch_poll(dw));
	assert_false(dirwatch_poll(dw));
	assert_false(is_told(QUIET_MS));
	close_watch();
}

static void
a_directory_that_is_not_there_is_waited_for(void **state)
{
	const struct test_dir *d = *state;

	open_watch(d, "/a/b/c");
	/* Above it, nothing of that concerns anybody. */
	assert_int_equal(mkdirat(d->fd, "other", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "a", 0755), 0);
	test_dir_put(d, "a/b", "no directory");
	assert_false(is_told(QUIET_MS));
	assert_int_equal(unlinkat(d->fd, "a/b", 0), 0);
	assert_int_equal(mkdirat(d->fd, "a/b", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "a/b/c", 0755), 0);
	expect_told();
	assert_int_equal(mkdirat(d->fd, "a/b/c/jail", 0755), 0);
	expect_told();
	close_watch();
}

static void
one_that_goes_may_come_again(void **state)
{
	const struct test_dir *d = *state;

	assert_int_equal(mkdirat(d->fd, "top", 0755), 0);
	open_watch(d, "/top");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(unlinkat(d->fd, "top", AT_REMOVEDIR), 0);
		expect_told();
		assert_int_equal(mkdirat(d->fd, "top", 0755), 0);
		expect_told();
		test_dir_put(d, "top/x", "");
		expect_told();
		assert_int_equal(unlinkat(d->fd, "top/x", 0), 0);
		expect_told();
	}
	close_watch();
}

static void
one_that_is_replaced_is_followed(void **state)
{
	const struct test_dir *d = *state;

	assert_int_equal(mkdirat(d->fd, "top", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "new", 0755), 0);
	open_watch(d, "/top");
	assert_int_equal(renameat(d->fd, "top", d->fd, "old"), 0);
	assert_int_equal(renameat(d->fd, "new", d->fd, "top"), 0);
	expect_told();
	test_dir_put(d, "old/x", "");
	assert_false(is_told(QUIET_MS));
	test_dir_put(d, "top/x", "");
	expect_told();
	close_watch();
}

static void
one_that_is_lost_is_found_again(void **state)
{
	const struct test_dir *d = *state;

	assert_int_equal(mkdirat(d->fd, "a", 0755), 0);
	assert_int_equal(mkdirat(d->fd, "a/top", 0755), 0);
	assert_int_equal(symlinkat("a", d->fd, "b"), 0);
	open_watch(d, "/a/top");
	/* There is no way there, so nobody knows. */
	assert_int_equal(renameat(d->fd, "a/top", d->fd, "top"), 0);
	assert_int_equal(unlinkat(d->fd, "a", AT_REMOVEDIR), 0);
	assert_int_equal(renameat(d->fd, "b", d->fd, "a"), 0);
	assert_true(dirwatch_poll(dw));
	assert_true(dirwatch_is_lost(dw));
	assert_true(dirwatch_poll(dw));
	assert_int_equal(unlinkat(d->fd, "a", 0), 0);
	assert_int_equal(mkdirat(d->fd, "a", 0755), 0);
	assert_int_equal(renameat(d->fd, "top", d->fd, "a/top"), 0);
	assert_true(dirwatch_poll(dw));
	assert_false(dirwatch_is_lost(dw));
	assert_false(dirwatch_poll(dw));
	test_dir_put(d, "a/top/x", "");
	expect_told();
	close_watch();
}

static void
a_flood_is_a_change(void **state)
{
	const struct test_dir *d = *state;
	char name[32];

	open_watch(d, "");
	/* More than the kernel queues by default. */
	for (int i = 0; i < 10000; i++) {
		(void)snprintf(name, sizeof(name), "%d", i % 100);
		if (i / 100 % 2 == 0)
			assert_int_equal(mkdirat(d->fd, name, 0755), 0);
		else
			assert_int_equal(
			    unlinkat(d->fd, name, AT_REMOVEDIR), 0);
	}
	expect_told();
	assert_int_equal(mkdirat(d->fd, "last", 0755), 0);
	expect_told();
	close_watch();
}

static void
a_path_must_be_absolute(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(loop_new(&loop, &e), &e);
	test_fails(dirwatch_new(&dw, loop, "etc", on_change, NULL, &e), &e,
	    OVE_INVALID);
	loop = loop_free(loop);
}

static int
body(void *ctx, struct error *e)
{
	const struct test_dir *d = ctx;
	struct dirwatch *one = NULL;
	int rc;

	if (loop_new(&loop, e) < 0)
		return -1;
	rc = dirwatch_new(&one, loop, d->path, on_change, NULL, e);
	one = dirwatch_free(one);
	loop = loop_free(loop);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	torture(body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(entries_are_told),
	TEST_IN_DIR(who_asks_need_not_wait),
	TEST_IN_DIR(a_directory_that_is_not_there_is_waited_for),
	TEST_IN_DIR(one_that_goes_may_come_again),
	TEST_IN_DIR(one_that_is_replaced_is_followed),
	TEST_IN_DIR(one_that_is_lost_is_found_again),
	TEST_IN_DIR(a_flood_is_a_change),
	cmocka_unit_test(a_path_must_be_absolute),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
