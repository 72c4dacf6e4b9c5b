/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The locals that free and close themselves when they go out of scope.
 */
#include "test/unit/support/test.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "test/unit/support/torture.h"

static void
auto_free_frees_and_keeps_errno(void **state)
{
	long live = torture_mem_live();

	(void)state;
	errno = EDOM;
	{
		char *p AUTO_FREE = mem_strdup("x");
		char *none AUTO_FREE = NULL;

		assert_non_null(p);
		assert_null(none);
		assert_int_equal(torture_mem_live(), live + 1);
	}
	assert_int_equal(torture_mem_live(), live);
	assert_int_equal(errno, EDOM);
}

static void
auto_fd_closes(void **state)
{
	int copy;

	(void)state;
	{
		int fd AUTO_FD = open("/dev/null", O_RDONLY | O_CLOEXEC);
		int none AUTO_FD = -1;

		assert_true(fd >= 0);
		assert_int_equal(none, -1);
		copy = fd;
		errno = EDOM;
	}
	assert_int_equal(errno, EDOM);
	assert_int_equal(fcntl(copy, F_GETFD), -1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(auto_free_frees_and_keeps_errno),
	cmocka_unit_test(auto_fd_closes),
};
TEST_MAIN(tests)
