/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Status records: their members (rest-api.md annex B), in the store and back,
 * ages, the start of our last command, failing allocations.
 */
#include "test/unit/support/store_kit.h"

#include <math.h>
#include <string.h>

#include "daemon/record.h"
#include "daemon/tables.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

#define NOW 1700000000500

/* The tables of the daemon, of which record.c uses one by its number. */
static void
open_store(struct kit *k, const char *dir)
{
	static const char *const names[TABLE_COUNT] = TABLE_NAMES;
	struct store_config c = kit_config(dir);

	c.tables = names;
	c.tables_n = TABLE_COUNT;
	kit_open(k, &c);
}

static const char *
text_of(const struct node *n, struct strbuf *b)
{
	strbuf_reset(b);
	json_write(b, n, JSON_COMPACT);
	return b->buf;
}

static void
members_are_those_that_are_there(void **state)
{
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct record r = { .operation = "RUNNING", .job = { 7 } };

	(void)state;
	arena_init(&a, 65536);
	strbuf_init(&b, 65536);
	assert_string_equal(text_of(record_to_node(&r, NOW, &a), &b),
	    "{\"operation\":\"RUNNING\",\"last_update\":1700000000.5,"
	    "\"job_id\":7}");
	r.operation = "FAILED";
	r.exception_type = "OSError";
	r.exception_message = "no";
	r.message = "text";
	r.has_restarted = true;
	r.output = node_new(&a, NODE_MAP);
	r.labels = node_new(&a, NODE_MAP);
	assert_string_equal(text_of(record_to_node(&r, NOW, &a), &b),
	    "{\"operation\":\"FAILED\","
	    "\"exception\":{\"type\":\"OSError\",\"message\":\"no\"},"
	    "\"message\":\"text\",\"output\":{},"
	    "\"last_update\":1700000000.5,\"job_id\":7,"
	    "\"restarted\":false,\"labels\":{}}");
}

static void
put(struct kit *k, enum record_kind kind, const char *project,
    const struct node *n)
{
	struct error e = ERROR_INIT;
	struct store_batch b;

	store_batch_init(&b);
	test_ok(record_put(&b, kind, project, n, &e), &e);
	assert_int_equal(kit_submit(k, &b), OVE_NONE);
}

static void
each_kind_and_project_has_its_own(void **state)
{
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct node *n, *got;
	struct kit k;

	arena_init(&a, 65536);
	open_store(&k, d->path);
	n = node_new(&a, NODE_MAP);
	node_set(&a, n, "operation", node_str(&a, "\xc3\xa9\n"));
	assert_int_equal(
	    record_get(k.store, RECORD_UP, "web", &a, &got, &e), RECORD_NONE);
	put(&k, RECORD_UP, "web", n);
	test_ok(record_get(k.store, RECORD_UP, "web", &a, &got, &e), &e);
	assert_true(node_equal(n, got));
	for (int kind = RECORD_DOWN; kind <= RECORD_AUTOSCALE; kind++)
		assert_int_equal(record_get(k.store, (enum record_kind)kind,
				     "web", &a, &got, &e),
		    RECORD_NONE);
	assert_int_equal(
	    record_get(k.store, RECORD_UP, "we", &a, &got, &e), RECORD_NONE);
	assert_int_equal(
	    record_get(k.store, RECORD_UP, "webs", &a, &got, &e), RECORD_NONE);
	/* The next one replaces it whole. */
	n = node_new(&a, NODE_MAP);
	put(&k, RECORD_UP, "web", n);
	test_ok(record_get(k.store, RECORD_UP, "web", &a, &got, &e), &e);
	assert_int_equal(got->u.map.n, 0);
	kit_close(&k);
}

static void
what_is_no_record_is_told(void **state)
{
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct node *got;
	struct db_key key;
	struct kit k;
	struct record_run run;

	arena_init(&a, 65536);
	open_store(&k, d->path);
	store_batch_init(&b);
	key_init(&key);
	key_str(&key, "up");
	key_str(&key, "web");
	store_batch_put(&b, TABLE_STATUS, &key, "{", 1);
	key_init(&key);
	key_str(&key, "run");
	key_str(&key, "web");
	store_batch_put(&b, TABLE_STATUS, &key, "x", 1);
	assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	assert_int_equal(
	    record_get(k.store, RECORD_UP, "web", &a, &got, &e), -1);
	assert_non_null(strstr(e.text, "'web'"));
	error_clear(&e);
	test_fails(record_get_run(k.store, "web", &run, &e), &e, OVE_CORRUPT);
	kit_close(&k);
}

static void
last_commands_are_kept(void **state)
{
	const struct record_run put = { NOW, NOW + 7 };
	struct record_run run = { 5, 5 };
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct kit k;

	open_store(&k, d->path);
	test_ok(record_get_run(k.store, "web", &run, &e), &e);
	assert_int_equal(run.began_at, 0);
	store_batch_init(&b);
	record_put_run(&b, "web", &put);
	assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	test_ok(record_get_run(k.store, "web", &run, &e), &e);
	assert_int_equal(run.began_at, NOW);
	assert_int_equal(run.ended_at, NOW + 7);
	test_ok(record_get_run(k.store, "other", &run, &e), &e);
	assert_int_equal(run.began_at, 0);
	kit_close(&k);
}

static double
age(struct arena *a, struct node *at)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "last_update", at);
	record_age(n, NOW, a);
	assert_int_equal(n->u.map.n, 1);
	n = node_get(n, "last_update");
	return n->type == NODE_FLOAT ? n->u.f : -1;
}

static void
ages_are_seconds_and_never_below_zero(void **state)
{
	AUTO_ARENA struct arena a;
	struct node *n;

	(void)state;
	arena_init(&a, 65536);
	assert_true(age(&a, node_float(&a, 1700000000.5)) == 0);
	assert_true(fabs(age(&a, node_float(&a, 1699999998.25)) - 2.25) < 1e-6);
	assert_true(fabs(age(&a, node_int(&a, 1699999990)) - 10.5) < 1e-6);
	/* The clock was set back. */
	assert_true(age(&a, node_float(&a, 1800000000.0)) == 0);
	/* What is no time stays. */
	assert_true(age(&a, node_str(&a, "x")) < 0);
	n = node_new(&a, NODE_MAP);
	record_age(n, NOW, &a);
	assert_int_equal(n->u.map.n, 0);
}

static void
ages_of_nonsense_are_some_number(void **state)
{
	static const double odd[] = { 1e300, -1e300, INFINITY, -INFINITY, NAN,
		-5 };
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 65536);
	for (size_t i = 0; i < ARRAY_LEN(odd); i++)
		assert_true(age(&a, node_float(&a, odd[i])) >= 0);
	assert_true(age(&a, node_int(&a, INT64_MAX)) >= 0);
	assert_true(age(&a, node_int(&a, INT64_MIN)) >= 0);
}

static int
write_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	AUTO_BATCH struct store_batch b;
	struct record r = {
		.operation = "FAILED",
		.exception_type = "t",
		.exception_message = "m",
		.has_restarted = true,
	};
	struct node *n;

	(void)ctx;
	arena_init(&a, 65536);
	store_batch_init(&b);
	n = record_to_node(&r, NOW, &a);
	if (arena_check(&a, e) < 0)
		return -1;
	record_put_run(&b, "web", &(struct record_run){ NOW, 0 });
	return record_put(&b, RECORD_UP, "web", n, e);
}

static int
read_body(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct node *n;

	arena_init(&a, 65536);
	if (record_get(ctx, RECORD_UP, "web", &a, &n, e) < 0)
		return -1;
	record_age(n, NOW, &a);
	return arena_check(&a, e);
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;
	AUTO_ARENA struct arena a;
	struct record r = { .operation = "RUNNING" };
	struct kit k;

	arena_init(&a, 65536);
	torture(write_body, NULL);
	open_store(&k, d->path);
	put(&k, RECORD_UP, "web", record_to_node(&r, NOW, &a));
	torture(read_body, k.store);
	kit_close(&k);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(members_are_those_that_are_there),
	TEST_IN_DIR(each_kind_and_project_has_its_own),
	TEST_IN_DIR(what_is_no_record_is_told),
	TEST_IN_DIR(last_commands_are_kept),
	cmocka_unit_test(ages_are_seconds_and_never_below_zero),
	cmocka_unit_test(ages_of_nonsense_are_some_number),
	TEST_IN_DIR(allocations_may_fail),
};

TEST_MAIN(tests)
