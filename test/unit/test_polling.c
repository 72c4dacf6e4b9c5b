/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Adaptive polling: the timeline of the contract, and rules at their ends.
 */
#include "test/unit/support/test.h"

#include <limits.h>

#include "daemon/polling.h"

#define S INT64_C(1000)

static const struct polling_rules defaults = {
	.window_ms = 180 * S,
	.idle_ms = 900 * S,
	.penalty_ms = 900 * S,
	.limit_ms = 86400 * S,
};

/* Looks every 12 s from `from` up to below `to`; how often it was due. */
static unsigned
looks(
    struct polling *p, const struct polling_rules *r, int64_t from, int64_t to)
{
	unsigned n = 0;

	for (int64_t t = from; t < to; t += 12)
		n += polling_is_due(p, r, t * S);
	return n;
}

static void
the_timeline_of_the_contract(void **state)
{
	struct polling p = { 0 };
	int64_t at = 900;

	(void)state;
	polling_read(&p, 0);
	/* Every wake in the window, none after it. */
	assert_int_equal(looks(&p, &defaults, 0, 180), 15);
	assert_int_equal(looks(&p, &defaults, 180, 900), 0);
	/* Then once each 900 s. */
	for (unsigned k = 1; k <= 94; k++, at += 900) {
		assert_int_equal(looks(&p, &defaults, at, at + 900), 1);
		assert_int_equal(p.penalties, k);
	}
	assert_int_equal(at, 85500);
	assert_true(polling_is_due(&p, &defaults, at * S));
	assert_int_equal(p.penalties, 95);
	/* The limit is the greatest: in the next wake all begins anew. */
	at += 12;
	assert_true(polling_is_due(&p, &defaults, at * S));
	assert_int_equal(looks(&p, &defaults, at + 12, at + 180), 14);
	assert_int_equal(p.penalties, 0);
	assert_int_equal(looks(&p, &defaults, at + 180, at + 900), 0);
	assert_int_equal(looks(&p, &defaults, at + 900, at + 1800), 1);
}

static void
a_read_opens_the_window(void **state)
{
	struct polling p = { 0 };

	(void)state;
	polling_read(&p, 0);
	assert_false(polling_is_due(&p, &defaults, 500 * S));
	assert_true(polling_is_due(&p, &defaults, 900 * S));
	assert_false(polling_is_due(&p, &defaults, 901 * S));
	polling_read(&p, 902 * S);
	assert_true(polling_is_due(&p, &defaults, 902 * S));
	assert_int_equal(p.penalties, 0);
	/* Whole seconds. */
	assert_true(polling_is_due(&p, &defaults, 902 * S + 179999));
	assert_false(polling_is_due(&p, &defaults, 902 * S + 180000));
}

static void
what_was_never_read_is_looked_at(void **state)
{
	struct polling p = { 0 };

	(void)state;
	assert_true(polling_is_due(&p, &defaults, 5 * S));
	assert_int_equal(looks(&p, &defaults, 17, 185), 14);
	assert_false(polling_is_due(&p, &defaults, 200 * S));
}

static void
rules_may_be_extreme(void **state)
{
	const struct polling_rules nothing = { 0, 0, 0, 1 };
	const struct polling_rules huge = { INT64_MAX, INT64_MAX, INT64_MAX,
		INT64_MAX };
	const struct polling_rules grows = { 0, 1, INT64_MAX, INT64_MAX };
	struct polling p = { 0 };

	(void)state;
	polling_read(&p, 0);
	for (int i = 0; i < 10; i++)
		assert_true(polling_is_due(&p, &nothing, i * S));
	polling_read(&p, 0);
	assert_true(polling_is_due(&p, &huge, INT64_C(1) << 50));
	p.penalties = UINT_MAX;
	polling_read(&p, 0);
	/* The limit at once: it begins anew. */
	assert_true(polling_is_due(&p, &grows, 10 * S));
	assert_int_equal(p.read_ms, 10 * S);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_timeline_of_the_contract),
	cmocka_unit_test(a_read_opens_the_window),
	cmocka_unit_test(what_was_never_read_is_looked_at),
	cmocka_unit_test(rules_may_be_extreme),
};
TEST_MAIN(tests)
