/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is sent to the Data Plane API for a server, and the id of a transaction
 * in what it says.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "daemon/haproxy.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

static const struct node *
labels(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

static void
server_has_what_labels_set(void **state)
{
	static const struct {
		const char *labels;
		const char *body;
	} rows[] = {
		{ "{\"overlord.load-balancer.set.check\": \"\\\"enabled\\\"\", "
		  "\"overlord.load-balancer.set.weight\": \"10\"}",
		    "{\"check\": \"enabled\", \"weight\": 10, \"name\": "
		    "\"srv1\", \"address\": \"10.0.0.5\", \"port\": 8080}" },
		{ "{}",
		    "{\"name\": \"srv1\", \"address\": \"10.0.0.5\", \"port\": "
		    "8080}" },
		/* Ours win, in their place or not. */
		{ "{\"overlord.load-balancer.set.port\": \"1\", "
		  "\"overlord.load-balancer.set.x\": \"{\\\"a\\\": [1.5]}\", "
		  "\"overlord.load-balancer.set.\": \"1\", "
		  "\"overlord.load-balancer.set.none\": null, "
		  "\"overlord.load-balancer.settle\": \"1\"}",
		    "{\"port\": 8080, \"x\": {\"a\": [1.5]}, \"name\": "
		    "\"srv1\", \"address\": \"10.0.0.5\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		struct error e = ERROR_INIT;
		struct special s = { .project = "p", .service = "s" };
		const char *label = NULL;
		char *body;

		arena_init(&a, 1 << 20);
		s.labels = labels(&a, rows[i].labels);
		body = haproxy_server(
		    &s, "srv1", "10.0.0.5", 8080, &a, &label, &e);
		if (body == NULL)
			fail_msg("%s", e.text);
		assert_string_equal(body, rows[i].body);
	}
}

static void
server_names_the_label_that_is_no_json(void **state)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct special s = { .project = "p", .service = "s" };
	const char *label = NULL;

	(void)state;
	arena_init(&a, 1 << 20);
	s.labels = labels(&a,
	    "{\"overlord.load-balancer.set.a\": \"1\", "
	    "\"overlord.load-balancer.set.b\": \"enabled\"}");
	assert_null(
	    haproxy_server(&s, "srv1", "10.0.0.5", 8080, &a, &label, &e));
	assert_true(error_is_set(&e));
	assert_string_equal(label, "overlord.load-balancer.set.b");
}

static void
server_is_whole_or_nothing(void **state)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct special s = { .project = "p", .service = "s" };
	struct node *labels_long;
	const char *label = NULL;
	char *text;

	(void)state;
	arena_init(&a, 4 << 20);
	text = arena_alloc(&a, 300003);
	memset(text, '1', 300002);
	text[0] = text[300001] = '"';
	labels_long = node_new(&a, NODE_MAP);
	node_set(&a, labels_long, "overlord.load-balancer.set.a",
	    node_str(&a, text));
	s.labels = labels_long;
	assert_null(
	    haproxy_server(&s, "srv1", "10.0.0.5", 8080, &a, &label, &e));
	assert_int_equal(e.code, OVE_LIMIT);
	assert_null(label);
	assert_int_equal(a.latch, OVE_NONE);
}

static void
transaction_is_an_id(void **state)
{
	static const struct {
		const char *text;
		const char *id;
	} rows[] = {
		{ "{\"_version\": 1, \"id\": \"ab-cd\", \"status\": "
		  "\"in_progress\"}",
		    "ab-cd" },
		{ "{\"id\": \"\"}", NULL },
		{ "{\"id\": 7}", NULL },
		{ "{}", NULL },
		{ "[]", NULL },
		{ "<html>", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		const char *id;

		arena_init(&a, 1 << 20);
		id =
		    haproxy_transaction(rows[i].text, strlen(rows[i].text), &a);
		if ((id == NULL) != (rows[i].id == NULL) ||
		    (id != NULL && strcmp(id, rows[i].id) != 0))
			fail_msg("%s", rows[i].text);
	}
}

/* Labels that are right, and some of which each lacks something. */
static int
plan_and_server(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct special s = { .project = "p", .service = "s" };
	struct haproxy_plan plan;
	const char *label = NULL;
	struct node *read;

	arena_init(&a, 1 << 20);
	if (json_read(ctx, strlen(ctx), &a, &read, e) < 0)
		return -1;
	s.labels = read;
	/* It must not be taken for right because there is no message. */
	if (haproxy_check(&s, &a, &plan) == NULL && arena_check(&a, e) == 0)
		fail_msg("nothing is wrong with %s", (const char *)ctx);
	if (arena_check(&a, e) < 0)
		return -1;
	return haproxy_server(&s, "srv1", "10.0.0.5", 8080, &a, &label, e) ==
		NULL
	    ? -1
	    : 0;
}

static void
allocations_may_fail(void **state)
{
	char text[] = "{\"overlord.load-balancer.interface\": \"lo\", "
		      "\"overlord.load-balancer.set.x\": \"[1, {}]\"}";

	(void)state;
	torture(plan_and_server, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(server_has_what_labels_set),
	cmocka_unit_test(server_names_the_label_that_is_no_json),
	cmocka_unit_test(server_is_whole_or_nothing),
	cmocka_unit_test(transaction_is_an_id),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
