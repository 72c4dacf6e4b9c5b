/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Whether a jail runs, as far as a machine without jails can tell: by the mark
 * that the stand-ins leave (jail_linux.c). Not built on FreeBSD, where the
 * kernel is asked.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <string.h>

#include "daemon/jail.h"

static void
what_does_not_run_does_not(void **state)
{
	const struct test_dir *d = *state;
	char name[5000];

	assert_false(jail_is_running(d->path, "nope"));
	assert_int_equal(mkdirat(d->fd, "j", 0755), 0);
	assert_false(jail_is_running(d->path, "j"));
	assert_false(jail_is_running("/nowhere", "j"));
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_false(jail_is_running(d->path, name));
	assert_false(jail_is_running(name, "j"));
}

static void
a_mark_says_that_it_runs(void **state)
{
	const struct test_dir *d = *state;

	assert_int_equal(mkdirat(d->fd, "j", 0755), 0);
	test_dir_put(d, "j/up", "");
	assert_true(jail_is_running(d->path, "j"));
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(what_does_not_run_does_not),
	TEST_IN_DIR(a_mark_says_that_it_runs),
};

TEST_MAIN(tests)
