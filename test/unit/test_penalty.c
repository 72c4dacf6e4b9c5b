/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Who guesses tokens waits; who does not, does not.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/penalty.h"
#include "test/unit/support/torture.h"

#define FREE 3
#define WAIT_MS INT64_C(2000)
#define FORGET_MS INT64_C(60000)

static const struct penalty_limits limits = { FREE, WAIT_MS, FORGET_MS };

static int64_t
left(const struct penalty *p, const char *peer, const char *token, int64_t now)
{
	return penalty_left(p, peer, token, strlen(token), now);
}

static struct penalty_verdict
wrong(struct penalty *p, const char *peer, const char *token, int64_t now)
{
	return penalty_wrong(p, peer, token, strlen(token), now);
}

/* So many different ones at this time; the last verdict. */
static struct penalty_verdict
guess(struct penalty *p, const char *peer, unsigned n, int64_t now)
{
	struct penalty_verdict v = { 0 };
	static unsigned serial;
	char token[24];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(token, sizeof(token), "guess%u", serial++);
		v = wrong(p, peer, token, now);
	}
	return v;
}

static struct penalty *
fresh(void)
{
	struct penalty *p = NULL;
	struct error e = ERROR_INIT;

	test_ok(penalty_new(&p, &limits, &e), &e);
	return p;
}

static void
waits_grow_up_to_a_bound(void **state)
{
	static const int64_t waits[] = { 0, 0, 0, 125, 250, 500, 1000, 2000,
		2000, 2000 };
	AUTO(penalty) struct penalty *p = fresh();
	int64_t now = 1000;

	(void)state;
	assert_int_equal(left(p, "192.0.2.1", "x", now), 0);
	for (size_t i = 0; i < ARRAY_LEN(waits); i++) {
		struct penalty_verdict v = guess(p, "192.0.2.1", 1, now);

		assert_true(v.counted);
		assert_int_equal(v.n, i + 1);
		assert_int_equal(v.wait_ms, waits[i]);
		assert_int_equal(left(p, "192.0.2.1", "x", now), waits[i]);
		if (waits[i] > 0)
			assert_int_equal(
			    left(p, "192.0.2.1", "x", now + waits[i] - 1), 1);
		now += waits[i];
		assert_int_equal(left(p, "192.0.2.1", "x", now), 0);
	}
}

static void
others_are_not_meant(void **state)
{
	AUTO(penalty) struct penalty *p = fresh();

	(void)state;
	assert_true(guess(p, "192.0.2.1", 20, 0).wait_ms == WAIT_MS);
	assert_int_equal(left(p, "192.0.2.2", "x", 0), 0);
	assert_int_equal(left(p, "::1", "x", 0), 0);
	assert_int_equal(left(p, "unix", "x", 0), 0);
}

static void
a_unix_socket_never_waits(void **state)
{
	AUTO(penalty) struct penalty *p = fresh();
	struct penalty_verdict v = guess(p, "unix", 100, 0);

	(void)state;
	assert_true(v.counted);
	assert_int_equal(v.wait_ms, 0);
	assert_int_equal(left(p, "unix", "x", 0), 0);
}

static void
of_ipv6_the_network_counts(void **state)
{
	AUTO(penalty) struct penalty *p = fresh();
	char peer[64];

	(void)state;
	for (unsigned i = 0; i <= FREE; i++) {
		(void)snprintf(
		    peer, sizeof(peer), "2001:db8:0:1:%x::%x", i + 1, i);
		assert_int_equal(guess(p, peer, 1, 0).n, i + 1);
	}
	assert_int_equal(left(p, "2001:db8:0:1::77", "x", 0), 125);
	assert_int_equal(left(p, "2001:db8:0:2::77", "x", 0), 0);
	/* The first 8 bytes of these are the same. */
	assert_int_equal(left(p, "32.1.13.184", "x", 0), 0);
}

static void
the_same_again_is_no_guess(void **state)
{
	AUTO(penalty) struct penalty *p = fresh();
	struct penalty_verdict v = wrong(p, "192.0.2.1", "expired", 0);

	(void)state;
	assert_true(v.counted);
	for (int64_t now = 1; now < 1000; now++) {
		v = wrong(p, "192.0.2.1", "expired", now);
		assert_false(v.counted);
		assert_int_equal(v.n, 1);
		assert_int_equal(v.wait_ms, 0);
	}
	/* While others of that address have to wait, it gets its answer. */
	assert_int_equal(guess(p, "192.0.2.1", 5, 1000).n, 6);
	assert_true(left(p, "192.0.2.1", "x", 1000) > 0);
	assert_int_equal(left(p, "192.0.2.1", "expired", 1000), 0);
}

static void
who_stops_is_forgotten(void **state)
{
	AUTO(penalty) struct penalty *p = fresh();

	(void)state;
	assert_int_equal(guess(p, "192.0.2.1", 9, 0).n, 9);
	assert_int_equal(guess(p, "192.0.2.1", 1, FORGET_MS - 1).n, 10);
	assert_int_equal(guess(p, "192.0.2.1", 1, 2 * FORGET_MS - 1).n, 1);
	assert_int_equal(left(p, "192.0.2.1", "x", 2 * FORGET_MS - 1), 0);
}

static void
limits_may_change(void **state)
{
	const struct penalty_limits strict = { 1, 100, FORGET_MS };
	AUTO(penalty) struct penalty *p = fresh();

	(void)state;
	assert_int_equal(guess(p, "192.0.2.1", 2, 0).wait_ms, 0);
	penalty_configure(p, &strict);
	assert_int_equal(guess(p, "192.0.2.1", 1, 0).wait_ms, 100);
}

/* However many addresses there are, the memory is the same, and who has just
 * been wrong is still known. */
static void
many_addresses(void **state)
{
	AUTO(penalty) struct penalty *p = fresh();
	char peer[64];

	(void)state;
	for (unsigned i = 0; i < 100000; i++) {
		(void)snprintf(peer, sizeof(peer), "10.%u.%u.%u", i >> 16,
		    i >> 8 & 255, i & 255);
		assert_int_equal(guess(p, peer, 1, i).n, 1);
		assert_int_equal(guess(p, peer, FREE, i).wait_ms, 125);
		assert_int_equal(left(p, peer, "x", i), 125);
	}
	assert_int_equal(left(p, "10.0.0.1", "x", 100000), 0);
}

static int
make(void *ctx, struct error *e)
{
	AUTO(penalty) struct penalty *p = NULL;

	(void)ctx;
	return penalty_new(&p, &limits, e);
}

static void
needs_memory(void **state)
{
	(void)state;
	torture(make, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(waits_grow_up_to_a_bound),
	cmocka_unit_test(others_are_not_meant),
	cmocka_unit_test(a_unix_socket_never_waits),
	cmocka_unit_test(of_ipv6_the_network_counts),
	cmocka_unit_test(the_same_again_is_no_guess),
	cmocka_unit_test(who_stops_is_forgotten),
	cmocka_unit_test(limits_may_change),
	cmocka_unit_test(many_addresses),
	cmocka_unit_test(needs_memory),
};
TEST_MAIN(tests)
