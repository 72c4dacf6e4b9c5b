/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The real clock moves and does not go back; wall time as text.
 */
#include "test/unit/support/test.h"

#include "lib/base/clock.h"

static void
mono_does_not_go_back(void **state)
{
	int64_t ms = clock_mono_ms(), ns = clock_mono_ns();

	(void)state;
	assert_true(ms > 0);
	assert_true(ns / 1000000 >= ms);
	assert_true(clock_mono_ns() >= ns);
	/* After 2020, before 2200. */
	assert_true(clock_wall_ms() > 1577836800000);
	assert_true(clock_wall_ms() < 7258118400000);
}

static void
text_by_table(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1795501800123, "2026-11-24T06:30:00.123Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
	};
	char buf[CLOCK_TEXT_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		assert_string_equal(
		    clock_wall_text(rows[i].ms, buf), rows[i].text);
	/* What cannot be a date still ends in the buffer. */
	assert_non_null(clock_wall_text(INT64_MAX, buf));
	assert_non_null(clock_wall_text(INT64_MIN, buf));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(mono_does_not_go_back),
	cmocka_unit_test(text_by_table),
};
TEST_MAIN(tests)
