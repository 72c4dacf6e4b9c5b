/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Events: order, filters, going on behind an id, ids that are none, readers
 * that are too slow, what is kept, readers that close within a wake, failing
 * allocations.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/events.h"
#include "test/unit/support/torture.h"

struct kit {
	struct loop *loop;
	struct events *ev;
	struct timer end;
};

struct reader {
	struct events_reader r;
	unsigned woken;
	/* Closed by the first wake of this one; NULL: none. */
	struct events_reader *closes;
};

static struct kit the_kit;

static void
on_end(struct timer *t)
{
	loop_stop(t->loop);
}

static struct kit *
start(size_t count, size_t bytes)
{
	const struct events_limits l = { count, bytes };
	struct kit *k = &the_kit;
	struct error e = ERROR_INIT;

	*k = (struct kit){ 0 };
	test_ok(loop_new(&k->loop, &e), &e);
	test_ok(timer_init(&k->end, k->loop, on_end, "end", &e), &e);
	test_ok(events_new(&k->ev, k->loop, &l, &e), &e);
	return k;
}

static int
stop(void **state)
{
	(void)state;
	the_kit.ev = events_free(the_kit.ev);
	timer_fini(&the_kit.end);
	the_kit.loop = loop_free(the_kit.loop);
	return 0;
}

static void
turn(struct kit *k)
{
	struct error e = ERROR_INIT;

	timer_arm(&k->end, 0);
	test_ok(loop_run(k->loop, &e), &e);
}

static void
on_wake(struct events_reader *r)
{
	struct reader *x = container_of(r, struct reader, r);

	x->woken++;
	if (x->closes != NULL)
		events_close(x->closes);
}

static bool
sees_even(struct events_reader *r, const char *project)
{
	(void)r;
	return strcmp(project, "even") == 0;
}

static const struct reader fresh = { .r = { .wake = on_wake } };

static void
publish(struct kit *k, unsigned from, unsigned to)
{
	char data[32];

	for (unsigned i = from; i <= to; i++) {
		(void)snprintf(data, sizeof(data), "{\"n\":%u}", i);
		events_publish(k->ev, i % 3 == 0 ? EVENT_PROJECT : EVENT_JOB,
		    i % 2 == 0 ? "even" : "odd", data);
	}
}

/* The numbers of what it reads, and how it ends. */
static const char *
read_all(struct reader *x)
{
	static char out[512];
	const struct event *ev;
	int rc;

	out[0] = '\0';
	while ((rc = events_next(&x->r, &ev)) == 0) {
		size_t len = strlen(out);

		(void)snprintf(
		    out + len, sizeof(out) - len, "%u ", (unsigned)ev->seq);
	}
	(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), "%s",
	    rc == EVENTS_LOST ? "lost" : "none");
	return out;
}

static void
readers_see_all_that_comes(void **state)
{
	struct kit *k = start(100, 100000);
	struct reader a = fresh, b = fresh;
	const struct event *x;
	char id[EVENTS_ID_LEN], want[100];

	(void)state;
	publish(k, 1, 2);
	assert_int_equal(events_open(k->ev, &a.r, NULL), 0);
	assert_string_equal(read_all(&a), "none");
	publish(k, 3, 4);
	assert_int_equal(a.woken, 0);
	turn(k);
	/* Once for both. */
	assert_int_equal(a.woken, 1);
	assert_int_equal(events_lag(&a.r), 2);
	assert_int_equal(events_next(&a.r, &x), 0);
	assert_int_equal(x->seq, 3);
	events_newest(k->ev, id);
	(void)snprintf(want, sizeof(want),
	    "id: %.17s3\nevent: project\ndata: {\"n\":3}\n\n", id);
	assert_string_equal(x->text, want);
	assert_int_equal(x->text_len, strlen(want));
	assert_string_equal(read_all(&a), "4 none");
	assert_int_equal(events_lag(&a.r), 0);
	/* Behind the one that it has. */
	id[17] = '1';
	assert_int_equal(events_open(k->ev, &b.r, id), 0);
	assert_string_equal(read_all(&b), "2 3 4 none");
	events_close(&a.r);
	events_close(&a.r);
	events_close(&b.r);
}

static void
filters_leave_out(void **state)
{
	static const struct {
		const char *project;
		unsigned types;
		const char *seen;
	} rows[] = {
		{ NULL, 0, "1 2 3 4 5 6 7 none" },
		{ "even", 0, "2 4 6 none" },
		{ NULL, 1u << EVENT_PROJECT, "3 6 none" },
		{ "odd", 1u << EVENT_PROJECT, "3 none" },
		{ "odd", 1u << EVENT_PROJECT | 1u << EVENT_JOB,
		    "1 3 5 7 none" },
		{ "none", 0, "none" },
		{ NULL, 1u << EVENT_STEP, "none" },
	};
	struct kit *k = start(100, 100000);
	struct reader r[ARRAY_LEN(rows)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r[i] = fresh;
		r[i].r.project = rows[i].project;
		r[i].r.types = rows[i].types;
		assert_int_equal(events_open(k->ev, &r[i].r, NULL), 0);
	}
	publish(k, 1, 7);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_string_equal(read_all(&r[i]), rows[i].seen);
		events_close(&r[i].r);
	}
}

static void
types_have_words(void **state)
{
	enum event_type t;

	(void)state;
	for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
		assert_true(event_type_from_string(
		    event_type_to_string((enum event_type)i), &t));
		assert_int_equal(t, i);
	}
	assert_false(event_type_from_string("", &t));
	assert_false(event_type_from_string("jobs", &t));
	assert_string_equal(event_type_to_string(EVENT_TYPE_COUNT), "none");
}

static void
unknown_ids_begin_anew(void **state)
{
	struct kit *k = start(4, 100000);
	char id[EVENTS_ID_LEN], bad[EVENTS_ID_LEN + 8];
	static const char *const ends[] = { "7", "x", "", "-1", "1x", " 1",
		"18446744073709551616", "18446744073709551615", "1" };

	(void)state;
	publish(k, 1, 6);
	events_newest(k->ev, id);
	id[17] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct reader r = fresh;

		(void)snprintf(bad, sizeof(bad), "%s%s", id, ends[i]);
		assert_int_equal(events_open(k->ev, &r.r, bad), EVENTS_RESET);
		assert_string_equal(read_all(&r), "none");
		events_close(&r.r);
	}
	for (size_t i = 0; i < 17; i++) {
		struct reader r = fresh;

		/* Another start, or cut short. */
		(void)snprintf(bad, sizeof(bad), "%s6", id);
		bad[i] = i % 2 == 0 ? '\0' : '!';
		assert_int_equal(events_open(k->ev, &r.r, bad), EVENTS_RESET);
		events_close(&r.r);
	}
	/* The oldest id behind which nothing is missing: 3 to 6 are kept. */
	for (unsigned i = 2; i <= 6; i++) {
		struct reader r = fresh;

		(void)snprintf(bad, sizeof(bad), "%s%u", id, i);
		assert_int_equal(events_open(k->ev, &r.r, bad), 0);
		events_close(&r.r);
	}
}

static void
slow_readers_lose(void **state)
{
	struct kit *k = start(4, 100000);
	struct reader slow = fresh, quick = fresh;

	(void)state;
	(void)events_open(k->ev, &slow.r, NULL);
	(void)events_open(k->ev, &quick.r, NULL);
	publish(k, 1, 4);
	assert_string_equal(read_all(&quick), "1 2 3 4 none");
	publish(k, 5, 5);
	assert_string_equal(read_all(&quick), "5 none");
	assert_string_equal(read_all(&slow), "lost");
	events_close(&slow.r);
	events_close(&quick.r);
}

static void
bytes_are_bounded(void **state)
{
	struct kit *k = start(1000, 400);
	struct reader r = fresh;

	(void)state;
	(void)events_open(k->ev, &r.r, NULL);
	publish(k, 1, 5);
	assert_string_equal(read_all(&r), "1 2 3 4 5 none");
	publish(k, 6, 16);
	assert_string_equal(read_all(&r), "lost");
	events_close(&r.r);
}

static void
readers_may_close_in_a_wake(void **state)
{
	struct kit *k = start(10, 1000);
	struct reader r[4];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		r[i] = fresh;
		(void)events_open(k->ev, &r[i].r, NULL);
	}
	r[0].closes = &r[1].r;
	r[2].closes = &r[2].r;
	r[3].closes = &r[0].r;
	publish(k, 1, 1);
	turn(k);
	assert_int_equal(r[0].woken, 1);
	assert_int_equal(r[1].woken, 0);
	assert_int_equal(r[2].woken, 1);
	assert_int_equal(r[3].woken, 1);
	publish(k, 2, 2);
	turn(k);
	assert_int_equal(r[0].woken, 1);
	assert_int_equal(r[3].woken, 2);
	events_close(&r[3].r);
}

/* Without memory for one, nobody is left to believe that there was none. */
static int
publish_some(void *ctx, struct error *e)
{
	const struct events_limits l = { 10, 10000 };
	struct kit k = { 0 };
	struct reader r = fresh;
	const struct event *x;
	int rc, n = 0;

	(void)ctx;
	rc = loop_new(&k.loop, e);
	if (rc == 0)
		rc = events_new(&k.ev, k.loop, &l, e);
	if (rc == 0) {
		(void)events_open(k.ev, &r.r, NULL);
		publish(&k, 1, 3);
		while ((rc = events_next(&r.r, &x)) == 0)
			n++;
		if (rc == EVENTS_NONE)
			assert_int_equal(n, 3);
		rc = rc == EVENTS_LOST ? error_nomem(e) : 0;
		events_close(&r.r);
	}
	k.ev = events_free(k.ev);
	k.loop = loop_free(k.loop);
	return rc;
}

/* What is of no project is for all, and keeps its data. */
static void
events_of_no_project(void **state)
{
	struct kit *k = start(100, 100000);
	struct reader odd = fresh, even = fresh, typed = fresh;
	const struct event *x;

	(void)state;
	odd.r.project = "odd";
	even.r.sees = sees_even;
	typed.r.types = 1u << EVENT_JOB;
	assert_int_equal(events_open(k->ev, &odd.r, NULL), 0);
	assert_int_equal(events_open(k->ev, &even.r, NULL), 0);
	assert_int_equal(events_open(k->ev, &typed.r, NULL), 0);
	publish(k, 1, 2);
	events_publish(k->ev, EVENT_CHAIN, "", "{\"name\":\"a\"}");
	assert_string_equal(read_all(&odd), "1 3 none");
	assert_string_equal(read_all(&typed), "1 2 none");
	assert_int_equal(events_next(&even.r, &x), 0);
	assert_int_equal(events_next(&even.r, &x), 0);
	assert_int_equal(x->type, EVENT_CHAIN);
	assert_int_equal(x->data_len, strlen("{\"name\":\"a\"}"));
	assert_memory_equal(x->data, "{\"name\":\"a\"}", x->data_len);
	/* A job that does not say whose it is, is not everybody's. */
	events_publish(k->ev, EVENT_JOB, "", "{\"job\":7}");
	assert_string_equal(read_all(&odd), "none");
	assert_string_equal(read_all(&typed), "4 none");
	events_close(&odd.r);
	events_close(&even.r);
	events_close(&typed.r);
}

/* Ids of before mean nothing, readers of before have lost something. */
static void
begun_anew(void **state)
{
	struct kit *k = start(100, 100000);
	char before[EVENTS_ID_LEN], after[EVENTS_ID_LEN];
	struct reader a = fresh, b = fresh, c = fresh;

	(void)state;
	assert_int_equal(events_open(k->ev, &a.r, NULL), 0);
	publish(k, 1, 3);
	events_newest(k->ev, before);
	events_restart(k->ev);
	events_newest(k->ev, after);
	assert_string_not_equal(before, after);
	turn(k);
	assert_int_equal(a.woken, 1);
	assert_string_equal(read_all(&a), "lost");
	assert_int_equal(events_open(k->ev, &b.r, before), EVENTS_RESET);
	assert_int_equal(events_open(k->ev, &c.r, after), 0);
	publish(k, 1, 1);
	assert_string_equal(read_all(&b), "5 none");
	assert_string_equal(read_all(&c), "5 none");
	events_close(&a.r);
	events_close(&b.r);
	events_close(&c.r);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(publish_some, NULL);
}

#define TEST(f) cmocka_unit_test_teardown((f), stop)
static const struct CMUnitTest tests[] = {
	TEST(readers_see_all_that_comes),
	TEST(filters_leave_out),
	cmocka_unit_test(types_have_words),
	TEST(unknown_ids_begin_anew),
	TEST(slow_readers_lose),
	TEST(bytes_are_bounded),
	TEST(readers_may_close_in_a_wake),
	TEST(events_of_no_project),
	TEST(begun_anew),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
