/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Numbers from text: every type by a table, with what is refused.
 */
#include "test/unit/support/test.h"

#include <inttypes.h>
#include <string.h>

#include "lib/base/num.h"

static void
u64_by_table(void **state)
{
	static const struct {
		const char *s;
		uint64_t min, max;
		int rc;
		uint64_t v;
	} rows[] = {
		{ "0", 0, 9, 0, 0 },
		{ "007", 0, 9, 0, 7 },
		{ "18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", 0, UINT64_MAX, -1, 0 },
		{ "99999999999999999999999", 0, UINT64_MAX, -1, 0 },
		{ "10", 0, 9, -1, 0 },
		{ "0", 1, 9, -1, 0 },
		{ "", 0, 9, -1, 0 },
		{ " 1", 0, 9, -1, 0 },
		{ "1 ", 0, 9, -1, 0 },
		{ "+1", 0, 9, -1, 0 },
		{ "-1", 0, UINT64_MAX, -1, 0 },
		{ "0x1", 0, 9, -1, 0 },
		{ "1e0", 0, 9, -1, 0 },
	};
	struct error e;
	uint64_t v;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		v = 77;
		if (rows[i].rc < 0) {
			test_fails(num_u64(rows[i].s, rows[i].min, rows[i].max,
				       &v, &e),
			    &e, OVE_INVALID);
			assert_int_equal(v, 77);
			continue;
		}
		test_ok(
		    num_u64(rows[i].s, rows[i].min, rows[i].max, &v, &e), &e);
		assert_true(v == rows[i].v);
	}
}

static void
u64_len_reads_a_part(void **state)
{
	struct error e = ERROR_INIT;
	uint64_t v = 0;

	(void)state;
	test_ok(num_u64_len("123abc", 3, 0, 999, &v, &e), &e);
	assert_int_equal(v, 123);
	test_fails(num_u64_len("123abc", 4, 0, 999, &v, &e), &e, OVE_INVALID);
	assert_string_equal(error_text(&e), "'123a' is not a whole number");
	test_fails(num_u64_len("1\0002", 3, 0, 999, &v, &e), &e, OVE_INVALID);
	test_fails(num_u64_len("123abc", 0, 0, 999, &v, &e), &e, OVE_INVALID);
	test_fails(num_u64("11", 1, 10, &v, &e), &e, OVE_INVALID);
	assert_string_equal(error_text(&e), "'11' is not between 1 and 10");
}

static void
i64_by_table(void **state)
{
	static const struct {
		const char *s;
		int64_t min, max;
		int rc;
		int64_t v;
	} rows[] = {
		{ "-5", -9, 9, 0, -5 },
		{ "5", -9, 9, 0, 5 },
		{ "-0", -9, 9, 0, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
		{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, -1, 0 },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, -1, 0 },
		{ "-99999999999999999999", INT64_MIN, INT64_MAX, -1, 0 },
		{ "-10", -9, 9, -1, 0 },
		{ "10", -9, 9, -1, 0 },
		{ "", -9, 9, -1, 0 },
		{ "-", -9, 9, -1, 0 },
		{ "--1", -9, 9, -1, 0 },
		{ "+1", -9, 9, -1, 0 },
		{ "- 1", -9, 9, -1, 0 },
	};
	struct error e;
	int64_t v = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].rc < 0) {
			test_fails(num_i64(rows[i].s, rows[i].min, rows[i].max,
				       &v, &e),
			    &e, OVE_INVALID);
			continue;
		}
		test_ok(
		    num_i64(rows[i].s, rows[i].min, rows[i].max, &v, &e), &e);
		assert_true(v == rows[i].v);
	}
}

static void
double_by_table(void **state)
{
	static const struct {
		const char *s;
		int rc;
		double v;
	} rows[] = {
		{ "0", 0, 0 },
		{ "1.5", 0, 1.5 },
		{ "-1.5e3", 0, -1500 },
		{ "1E-2", 0, 0.01 },
		{ ".5", 0, 0.5 },
		{ "5.", 0, 5 },
		{ "", -1, 0 },
		{ ".", -1, 0 },
		{ "-", -1, 0 },
		{ "e5", -1, 0 },
		{ "1e", -1, 0 },
		{ "1.2.3", -1, 0 },
		{ "+1", -1, 0 },
		{ " 1", -1, 0 },
		{ "1 ", -1, 0 },
		{ "0x10", -1, 0 },
		{ "inf", -1, 0 },
		{ "nan", -1, 0 },
		{ "1e999", -1, 0 },
	};
	struct error e;
	double v = 0;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].rc < 0) {
			test_fails(
			    num_double(rows[i].s, &v, &e), &e, OVE_INVALID);
			continue;
		}
		test_ok(num_double(rows[i].s, &v, &e), &e);
		assert_float_equal(v, rows[i].v, 1e-12);
	}
}

static void
duration_by_table(void **state)
{
	static const struct {
		const char *s;
		int64_t ms;
	} rows[] = {
		{ "0", 0 },
		{ "90", 90000 },
		{ "90s", 90000 },
		{ "5m", 300000 },
		{ "1h30m", 5400000 },
		{ "2d", 172800000 },
		{ "1d2h3m4s", 93784000 },
		{ "9223372036854775", 9223372036854775000 },
		{ "9223372036854776", -1 },
		{ "99999999999999999999999999d", -1 },
		{ "106751991167d", 9223372036828800000 },
		{ "106751991167d999999999d", -1 },
		{ "", -1 },
		{ "s", -1 },
		{ "1h30", -1 },
		{ "30m1h", -1 },
		{ "1m1m", -1 },
		{ "1x", -1 },
		{ "1ms", -1 },
		{ "-1s", -1 },
		{ " 1s", -1 },
		{ "1s ", -1 },
		{ "1.5h", -1 },
		{ "1hh", -1 },
	};
	struct error e;
	int64_t v = 0;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		error_clear(&e);
		rc = num_duration_ms(rows[i].s, &v, &e);
		if (rows[i].ms < 0) {
			test_fails(rc, &e, OVE_INVALID);
			continue;
		}
		test_ok(rc, &e);
		if (v != rows[i].ms)
			fail_msg("'%s': %" PRId64, rows[i].s, v);
	}
}

static void
long_text_is_not_repeated(void **state)
{
	char text[300];
	struct error e = ERROR_INIT;
	uint64_t v;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	test_fails(num_u64(text, 0, 1, &v, &e), &e, OVE_INVALID);
	assert_true(strlen(error_text(&e)) < 100);
	assert_non_null(strstr(error_text(&e), "...'"));
}

static void
sizes_are_checked(void **state)
{
	size_t v;

	(void)state;
	assert_true(num_add_size(1, 2, &v));
	assert_int_equal(v, 3);
	assert_false(num_add_size(SIZE_MAX, 1, &v));
	assert_true(num_mul_size(3, 4, &v));
	assert_int_equal(v, 12);
	assert_false(num_mul_size(SIZE_MAX, 2, &v));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(u64_by_table),
	cmocka_unit_test(u64_len_reads_a_part),
	cmocka_unit_test(i64_by_table),
	cmocka_unit_test(double_by_table),
	cmocka_unit_test(duration_by_table),
	cmocka_unit_test(long_text_is_not_repeated),
	cmocka_unit_test(sizes_are_checked),
};
TEST_MAIN(tests)
