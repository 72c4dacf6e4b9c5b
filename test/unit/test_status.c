/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Error codes as HTTP statuses and exit codes. */

#include "proto/status.h"

#include "support/test.h"

static void
each_code_has_a_status_and_an_exit_code(void **state)
{
	(void)state;
	for (int c = OVE_INVALID; c < OVE_COUNT; c++) {
		assert_in_range(status_http((enum ove)c), 400, 599);
		assert_true(status_exit((enum ove)c) >= EXIT_CODE_USAGE);
	}
}

static void
the_contract_rows_hold(void **state)
{
	(void)state;
	assert_int_equal(status_http(OVE_NOSPACE), 507);
	assert_int_equal(status_http(OVE_UNAVAILABLE), 503);
	assert_int_equal(status_http(OVE_LIMIT), 429);
	assert_int_equal(status_http(OVE_INVALID), 400);
	assert_int_equal(status_exit(OVE_NOTFOUND), EXIT_CODE_NOINPUT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_code_has_a_status_and_an_exit_code),
	cmocka_unit_test(the_contract_rows_hold),
};
TEST_MAIN(tests)
