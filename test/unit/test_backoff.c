/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The waits between retries (rest-api.md 3.5.5).
 */
#include "test/unit/support/test.h"

#include "lib/net/backoff.h"

struct row {
	struct backoff b;
	unsigned n;
	double dice;
	int64_t ms;
};

static const struct row rows[] = {
	/* The defaults, longest waits. */
	{ { 10000, 200, 1 }, 1, 1, 400 },
	{ { 10000, 200, 1 }, 2, 1, 800 },
	{ { 10000, 200, 1 }, 5, 1, 6400 },
	{ { 10000, 200, 1 }, 6, 1, 10000 },
	{ { 10000, 200, 1 }, 4000000000u, 1, 10000 },
	/* Shortest. */
	{ { 10000, 200, 1 }, 1, 0, 0 },
	{ { 10000, 200, 1 }, 4000000000u, 0, 0 },
	{ { 10000, 200, 0.5 }, 1, 0, 200 },
	{ { 10000, 200, 0.5 }, 1, 0.5, 300 },
	{ { 10000, 200, 0 }, 1, 0, 400 },
	{ { 10000, 200, 0.5 }, 6, 0, 6400 },
	/* No wait at all. */
	{ { 10000, 0, 1 }, 6, 1, 0 },
	{ { 0, 200, 0 }, 1, 1, 0 },
	{ { INT64_MAX, 200, 0 }, 0, 1, 200 },
	{ { INT64_MAX, INT64_MAX, 0 }, 60, 1, INT64_MAX },
};

static void
waits_by_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (backoff_ms(&rows[i].b, rows[i].n, rows[i].dice) !=
		    rows[i].ms)
			fail_msg("row %zu: %lld", i,
			    (long long)backoff_ms(
				&rows[i].b, rows[i].n, rows[i].dice));
}

static void
grows_and_stays_in_bounds(void **state)
{
	const struct backoff b = { 10000, 200, 1 };

	(void)state;
	for (int d = 0; d <= 20; d++) {
		int64_t last = 0;

		for (unsigned n = 0; n < 100; n++) {
			int64_t ms = backoff_ms(&b, n, d / 20.0);

			assert_true(ms >= last && ms <= 10000);
			last = ms;
		}
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(waits_by_table),
	cmocka_unit_test(grows_and_stays_in_bounds),
};
TEST_MAIN(tests)
