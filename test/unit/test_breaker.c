/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The circuit breaker: the contract's timeline (rest-api.md 4.5), then every
 * sequence of events up to a length against rules that must always hold.
 */
#include "test/unit/support/test.h"

#include "lib/net/breaker.h"

static const struct breaker_config defaults = { 2, 60000, 60000, 1800000 };

static int
fail_at(struct breaker *b, const struct breaker_config *c, int64_t now)
{
	struct breaker_ticket t;
	int rc = breaker_step(b, c, BREAKER_ASK, &t, now);

	if (rc == 0)
		(void)breaker_step(b, c, BREAKER_FAILURE, &t, now);
	return rc;
}

static void
timeline_of_the_contract(void **state)
{
	static const struct {
		int64_t at_s;
		int refused;
		int64_t failures;
		int64_t increase_s;
		int64_t usable_s;
	} rows[] = {
		{ 0, 0, 1, 0, 0 },
		{ 5, 0, 2, 60, 125 },
		{ 30, 1, 2, 60, 125 },
		{ 100, 1, 2, 60, 125 },
		{ 130, 0, 3, 120, 310 },
		{ 305, 1, 3, 120, 310 },
	};
	struct breaker b = { 0 };
	struct breaker_ticket t;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_int_equal(fail_at(&b, &defaults, rows[i].at_s * 1000),
		    rows[i].refused);
		assert_int_equal(b.failures, rows[i].failures);
		assert_int_equal(b.increase_ms, rows[i].increase_s * 1000);
		if (rows[i].usable_s == 0) {
			assert_int_equal(
			    breaker_state(&b, &defaults, 1), BREAKER_CLOSED);
			continue;
		}
		assert_int_equal(breaker_half_open_at(&b, &defaults),
		    rows[i].usable_s * 1000);
		assert_int_equal(
		    breaker_state(&b, &defaults, rows[i].usable_s * 1000 - 1),
		    BREAKER_OPEN);
		assert_int_equal(
		    breaker_state(&b, &defaults, rows[i].usable_s * 1000),
		    BREAKER_HALF_OPEN);
	}
	assert_int_equal(
	    breaker_step(&b, &defaults, BREAKER_ASK, &t, 315000), 0);
	assert_true(t.probe);
	(void)breaker_step(&b, &defaults, BREAKER_SUCCESS, &t, 315000);
	assert_int_equal(b.failures, 0);
	assert_int_equal(breaker_state(&b, &defaults, 315000), BREAKER_CLOSED);
}

static void
one_probe_at_a_time(void **state)
{
	struct breaker b = { 0 };
	struct breaker_ticket probe, other, pass;

	(void)state;
	(void)fail_at(&b, &defaults, 0);
	(void)fail_at(&b, &defaults, 1);
	assert_int_equal(
	    breaker_step(&b, &defaults, BREAKER_ASK, &probe, 200000), 0);
	assert_int_equal(
	    breaker_step(&b, &defaults, BREAKER_ASK, &other, 200001),
	    BREAKER_REFUSED);
	assert_false(other.probe);
	/* A call that tells nothing frees the place. */
	(void)breaker_step(&b, &defaults, BREAKER_NEITHER, &probe, 200002);
	assert_int_equal(
	    breaker_step(&b, &defaults, BREAKER_ASK, &probe, 200003), 0);
	/* One that went out anyhow does not, whatever becomes of it. */
	(void)breaker_step(&b, &defaults, BREAKER_PASS, &pass, 200004);
	(void)breaker_step(&b, &defaults, BREAKER_NEITHER, &pass, 200005);
	assert_true(b.probing);
	(void)breaker_step(&b, &defaults, BREAKER_FAILURE, &probe, 200006);
	assert_false(b.probing);
	assert_int_equal(breaker_state(&b, &defaults, 200006), BREAKER_OPEN);
}

static void
late_failures_tell_nothing(void **state)
{
	struct breaker_ticket t[10];
	struct breaker b = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(
		    breaker_step(&b, &defaults, BREAKER_ASK, &t[i], 10), 0);
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		(void)breaker_step(
		    &b, &defaults, BREAKER_FAILURE, &t[i], 5000 + (int64_t)i);
	assert_int_equal(b.failures, 2);
	assert_int_equal(b.increase_ms, 60000);
	/* Not even when the window has passed meanwhile. */
	(void)breaker_step(&b, &defaults, BREAKER_FAILURE, &t[0], 900000);
	assert_int_equal(b.failures, 2);
}

static void
increase_is_clamped(void **state)
{
	const struct breaker_config c = { 1, 10, 40, 100 };
	struct breaker b = { 0 };
	int64_t now = 0;

	(void)state;
	for (int i = 0; i < 6; i++) {
		static const int64_t want[] = { 0, 40, 80, 100, 100, 100 };

		assert_int_equal(fail_at(&b, &c, now), 0);
		assert_int_equal(b.increase_ms, want[i]);
		now = breaker_half_open_at(&b, &c);
	}
}

/* Every sequence: ask, pass, an outcome for the oldest ticket that is out, and
 * two lengths of time. */
enum {
	DO_ASK,
	DO_PASS,
	DO_SUCCESS,
	DO_FAILURE,
	DO_NEITHER,
	DO_WAIT,
	DO_WAIT_LONG,
	DO_COUNT
};
#define DEPTH 7

struct world {
	struct breaker b;
	struct breaker_ticket out[DEPTH];
	size_t first, last;
	int64_t now;
};

static void
check_ask(struct world *w, const struct breaker_config *c)
{
	enum breaker_state s = breaker_state(&w->b, c, w->now);
	bool busy = w->b.probing;
	struct breaker_ticket t;
	int rc = breaker_step(&w->b, c, BREAKER_ASK, &t, w->now);
	bool want = s == BREAKER_OPEN || (s == BREAKER_HALF_OPEN && busy);

	assert_int_equal(rc, want ? BREAKER_REFUSED : 0);
	assert_int_equal(t.probe, rc == 0 && s == BREAKER_HALF_OPEN);
	if (rc == 0)
		w->out[w->last++] = t;
}

static void
check_outcome(
    struct world *w, const struct breaker_config *c, enum breaker_event event)
{
	struct breaker before = w->b;
	struct breaker_ticket *t = &w->out[w->first++];

	(void)breaker_step(&w->b, c, event, t, w->now);
	if (event == BREAKER_SUCCESS)
		assert_int_equal(w->b.failures, 0);
	if (event == BREAKER_NEITHER)
		assert_int_equal(w->b.failures, before.failures);
	if (event == BREAKER_FAILURE) {
		assert_in_range(
		    w->b.failures, before.failures, before.failures + 1);
		if (w->b.failures > before.failures && before.failures > 0)
			assert_true(w->b.increase_ms >= before.increase_ms);
	}
	if (t->probe)
		assert_false(w->b.probing);
}

static void
check_always(const struct world *w, const struct breaker_config *c)
{
	enum breaker_state s = breaker_state(&w->b, c, w->now);

	assert_in_range(w->b.increase_ms, 0, c->max_increase_ms);
	assert_int_equal(s == BREAKER_CLOSED, w->b.failures < c->failures);
	if (s != BREAKER_CLOSED)
		assert_int_equal(s == BREAKER_OPEN,
		    w->now - w->b.failed_ms <
			c->interval_ms + w->b.increase_ms);
}

static void
explore(const struct world *from, const struct breaker_config *c, int depth)
{
	check_always(from, c);
	if (depth == 0)
		return;
	for (int what = 0; what < DO_COUNT; what++) {
		struct world w = *from;
		bool outcome = what == DO_SUCCESS || what == DO_FAILURE ||
		    what == DO_NEITHER;

		if (outcome && w.first == w.last)
			continue;
		w.now++;
		if (what == DO_ASK)
			check_ask(&w, c);
		else if (what == DO_PASS)
			(void)breaker_step(
			    &w.b, c, BREAKER_PASS, &w.out[w.last++], w.now);
		else if (what == DO_SUCCESS)
			check_outcome(&w, c, BREAKER_SUCCESS);
		else if (what == DO_FAILURE)
			check_outcome(&w, c, BREAKER_FAILURE);
		else if (what == DO_NEITHER)
			check_outcome(&w, c, BREAKER_NEITHER);
		else
			w.now += what == DO_WAIT ? 30 : 1000;
		explore(&w, c, depth - 1);
	}
}

static void
every_sequence_keeps_the_rules(void **state)
{
	const struct breaker_config c = { 2, 50, 20, 30 };
	const struct breaker_config one = { 1, 50, 20, 30 };
	const struct world start = { .now = 1 };

	(void)state;
	explore(&start, &c, DEPTH);
	explore(&start, &one, DEPTH);
}

static void
states_have_names(void **state)
{
	(void)state;
	assert_string_equal(breaker_state_text(BREAKER_CLOSED), "closed");
	assert_string_equal(breaker_state_text(BREAKER_OPEN), "open");
	assert_string_equal(breaker_state_text(BREAKER_HALF_OPEN), "half-open");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(timeline_of_the_contract),
	cmocka_unit_test(one_probe_at_a_time),
	cmocka_unit_test(late_failures_tell_nothing),
	cmocka_unit_test(increase_is_clamped),
	cmocka_unit_test(every_sequence_keeps_the_rules),
	cmocka_unit_test(states_have_names),
};
TEST_MAIN(tests)
