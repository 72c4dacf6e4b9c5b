/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A run directory: what the two descriptors say in every combination, and that
 * a failed making leaves nothing.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/event/proctab.h"
#include "lib/event/rundir.h"
#include "test/unit/support/faultio.h"
#include "test/unit/support/torture.h"

struct made {
	struct rundir dir;
	int writer;
	int lock;
};

static void
make(const struct test_dir *d, struct made *m)
{
	struct error e = ERROR_INIT;

	test_ok(rundir_make(
		    d->fd, "k", "spec", 4, &m->dir, &m->writer, &m->lock, &e),
	    &e);
}

static void
held_until_both_are_gone(void **state)
{
	struct test_dir *d = *state;
	struct made m;
	struct stat st;

	make(d, &m);
	assert_string_equal(test_dir_text(d, "k/spec.json"), "spec");
	assert_int_equal(fstatat(d->fd, "k/spec.json", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_true(m.writer > RUN_FD_LOCK && m.lock > RUN_FD_LOCK);
	assert_int_equal(fcntl(m.writer, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(m.lock, F_GETFD), FD_CLOEXEC);
	assert_int_equal(rundir_look(&m.dir), RUNDIR_HELD);
	close(m.writer);
	assert_int_equal(rundir_look(&m.dir), RUNDIR_CLOSING);
	close(m.lock);
	assert_int_equal(rundir_look(&m.dir), RUNDIR_FREE);
	rundir_close(&m.dir);
}

static void
the_other_order_and_another_reader(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct rundir other;
	struct made m;

	make(d, &m);
	test_ok(rundir_open(d->fd, "k", &other, &e), &e);
	close(m.lock);
	assert_int_equal(rundir_look(&other), RUNDIR_HELD);
	assert_int_equal(write(m.writer, "noise", 5), 5);
	assert_int_equal(rundir_look(&other), RUNDIR_HELD);
	close(m.writer);
	assert_int_equal(rundir_look(&other), RUNDIR_FREE);
	rundir_close(&other);
	/* One that comes after the writer has gone. */
	rundir_close(&m.dir);
	test_ok(rundir_open(d->fd, "k", &other, &e), &e);
	assert_int_equal(rundir_look(&other), RUNDIR_FREE);
	assert_true(rundir_has(&other, "spec.json"));
	assert_false(rundir_has(&other, "child"));
	rundir_close(&other);
}

static void
the_end_of_a_file_is_read(void **state)
{
	static const struct {
		size_t max;
		const char *text;
	} cases[] = { { 0, "" }, { 3, "789" }, { 9, "123456789" },
		{ 100, "123456789" } };
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct rundir r;
	size_t i, len;
	char *s;

	assert_int_equal(mkdirat(d->fd, "k", 0700), 0);
	assert_int_equal(mkdirat(d->fd, "k/dir", 0700), 0);
	test_dir_put(d, "k/stdout", "123456789");
	test_ok(rundir_open(d->fd, "k", &r, &e), &e);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		test_ok(
		    rundir_read_tail(&r, "stdout", cases[i].max, &s, &len, &e),
		    &e);
		assert_string_equal(s, cases[i].text);
		mem_free(s);
	}
	test_fails(
	    rundir_read_tail(&r, "none", 9, &s, &len, &e), &e, OVE_NOTFOUND);
	test_fails(
	    rundir_read_tail(&r, "dir", 9, &s, &len, &e), &e, OVE_CORRUPT);
	rundir_close(&r);
}

static void
odd_directories(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct rundir r;

	assert_int_equal(rundir_open(d->fd, "none", &r, &e), RUNDIR_NONE);
	test_dir_put(d, "file", "");
	assert_int_equal(rundir_open(d->fd, "file", &r, &e), RUNDIR_NONE);
	assert_int_equal(symlinkat("/tmp", d->fd, "link"), 0);
	test_fails(rundir_open(d->fd, "link", &r, &e), &e, OVE_DENIED);
	assert_int_equal(mkdirat(d->fd, "empty", 0700), 0);
	test_ok(rundir_open(d->fd, "empty", &r, &e), &e);
	assert_int_equal(rundir_look(&r), RUNDIR_FREE);
	/* Nothing may be concluded without a descriptor to look with. */
	faultio_fail(FAULTIO_OPENAT, 0, EMFILE);
	assert_int_equal(rundir_look(&r), RUNDIR_CLOSING);
	assert_true(faultio_clear());
	rundir_close(&r);
}

static int
body(void *ctx, struct error *e)
{
	struct test_dir *d = ctx;
	struct made m;

	if (rundir_make(d->fd, "t", "spec", 4, &m.dir, &m.writer, &m.lock, e) ==
	    -1) {
		assert_int_equal(faccessat(d->fd, "t", F_OK, 0), -1);
		return -1;
	}
	rundir_close(&m.dir);
	close(m.writer);
	close(m.lock);
	return 0;
}

static void
failing_leaves_nothing(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	unsigned n;

	for (n = 0;; n++) {
		error_clear(&e);
		faultio_fail(FAULTIO_OPENAT, n, EMFILE);
		if (body(d, &e) == 0)
			break;
		assert_true(faultio_clear());
		assert_true(error_is_set(&e));
	}
	(void)faultio_clear();
	/* Directory, spec, both ends, lock. */
	assert_true(n >= 5);
}

static void
without_memory(void **state)
{
	torture(body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(held_until_both_are_gone),
	TEST_IN_DIR(the_other_order_and_another_reader),
	TEST_IN_DIR(the_end_of_a_file_is_read),
	TEST_IN_DIR(odd_directories),
	TEST_IN_DIR(failing_leaves_nothing),
	TEST_IN_DIR(without_memory),
};
TEST_MAIN(tests)
