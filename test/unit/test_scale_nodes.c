/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How servers fare with a project (runtime.md 5.3): each row of the contract's
 * table, and trees with holes.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "daemon/scale_nodes.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

static const char *all[] = { "all", "web" };
static const struct schema_strs labels = { all, 2 };

static void
take(const char *tree, struct arena *a, struct scale_nodes *ret)
{
	struct error e = ERROR_INIT;
	struct node *n;

	test_ok(json_read(tree, strlen(tree), a, &n, &e), &e);
	test_ok(scale_nodes_take(n, "p", &labels, a, ret, &e), &e);
}

#define SERVER(members)                                                        \
  "{\"labels\": [\"x\", \"all\"], \"chains\": [], " members "}"
#define HAS "\"projects\": [\"p\"], "
#define SERVICE(status)                                                        \
  "{\"name\": \"s\", \"status\": " status ", \"jail\": \"j\"}"

static void
project_row_by_row(void **state)
{
	static const struct {
		const char *server;
		enum scale_health health;
		const char *context;
		bool exists;
	} rows[] = {
		{ SERVER("\"projects\": [], \"info\": {}"), SCALE_BAD,
		    "existence", false },
		{ SERVER("\"projects\": [\"q\"], \"info\": {\"p\": {\"up\": "
			 "{}}}"),
		    SCALE_BAD, "existence", false },
		{ SERVER(HAS "\"info\": {\"p\": {\"state\": \"UNFINISHED\"}}"),
		    SCALE_GOOD, "state", true },
		{ SERVER(HAS "\"info\": {\"p\": {\"state\": \"FAILED\"}}"),
		    SCALE_BAD, "state", true },
		{ SERVER(HAS "\"info\": {}"), SCALE_BAD, "state", true },
		{ SERVER(HAS
		      "\"info\": {\"p\": {\"state\": \"DONE\", "
		      "\"services\": [" SERVICE("0") ", " SERVICE("1") "]}}"),
		    SCALE_BAD, "service-status", true },
		{ SERVER(HAS "\"info\": {\"p\": {\"state\": \"DONE\", "
			     "\"services\": [{\"status\": 0}]}}"),
		    SCALE_BAD, "service-existence", true },
		{ SERVER(HAS "\"info\": {}, \"error\": {\"error\": \"x\"}"),
		    SCALE_LOST, "exception", true },
		{ SERVER(HAS "\"info\": {}, \"truncated\": [\"info\"]"),
		    SCALE_LOST, "exception", true },
		{ SERVER("\"info\": {}"), SCALE_LOST, "exception", false },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scale_nodes n;

		take(rows[i].server, &a, &n);
		assert_int_equal(n.n, 1);
		assert_false(n.items[0].is_open);
		assert_int_equal(n.items[0].health, rows[i].health);
		assert_string_equal(n.items[0].context, rows[i].context);
		assert_int_equal(n.items[0].exists, rows[i].exists);
		assert_int_equal(n.fails, rows[i].health == SCALE_LOST);
	}
}

static const char done[] = SERVER(
    HAS "\"info\": {\"p\": {\"state\": \"DONE\", \"services\": [" SERVICE(
	"0") "], \"up\": {\"operation\": \"RUNNING\", \"job_id\": 7}, "
	     "\"down\": {\"operation\": \"COMPLETED\", \"job_id\": 3}}}");

static void
jail_row_by_row(void **state)
{
	static const struct {
		struct scale_service said;
		const char *checks;
		enum scale_health health;
		const char *context;
	} rows[] = {
		{ { 0 }, "[]", SCALE_GOOD, "health" },
		{ { 0 }, "{}", SCALE_GOOD, "health" },
		{ { 0 }, "[{\"status\": null}, {}, {\"status\": \"failing\"}]",
		    SCALE_GOOD, "health" },
		{ { 0 }, "[{}, {\"status\": \"unhealthy\"}]", SCALE_SICK,
		    "healthcheckers" },
		{ { .is_unknown = true }, "[]", SCALE_BAD,
		    "service-existence" },
		{ { .is_dirty = true }, "[{\"status\": \"unhealthy\"}]",
		    SCALE_BAD, "service-dirty" },
		{ { .is_lost = true }, "[]", SCALE_LOST, "exception" },
	};
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct error e = ERROR_INIT;
		struct scale_nodes n;
		struct node *checks;

		take(done, &a, &n);
		assert_true(n.items[0].is_open);
		assert_int_equal(n.items[0].services_n, 1);
		assert_string_equal(n.items[0].services[0].jail, "j");
		assert_int_equal(n.items[0].up.job, 7);
		assert_true(n.items[0].up.is_running);
		assert_int_equal(n.items[0].down.job, 3);
		assert_true(n.items[0].down.is_completed);
		test_ok(json_read(rows[i].checks, strlen(rows[i].checks), &a,
			    &checks, &e),
		    &e);
		n.items[0].services[0] = rows[i].said;
		n.items[0].services[0].checks = checks;
		scale_node_judge(&n.items[0]);
		assert_false(n.items[0].is_open);
		assert_int_equal(n.items[0].health, rows[i].health);
		assert_string_equal(n.items[0].context, rows[i].context);
	}
}

static void
order_labels_and_holes(void **state)
{
#define BARE(name, more)                                                       \
  "{\"chain\": \"" name "\", \"labels\": [\"web\"], \"projects\": [], "        \
  "\"info\": {}, " more "}"
	static const char tree[] =
	    "{\"labels\": [\"all\"], \"projects\": [], \"info\": {}, "
	    "\"chains\": [" BARE("b",
		"\"chains\": [" BARE("x",
		    "\"chains\": []") "]") ", "
					   /* Not ours, but one below it is. */
					   "{\"chain\": \"a\", \"labels\": "
					   "[\"db\"], \"chains\": [" BARE("y",
					       "\"chains\": []") "]}, "
								 /* Nothing is
								    known of it.
								  */
								 "{\"chain\": "
								 "\"c\", "
								 "\"error\": "
								 "{\"error\": "
								 "\"ConnectErro"
								 "r\"}}, "
	    /* Nothing is known of what is below. */
	    BARE("d", "\"truncated\": [\"chains\"]") ", {\"labels\": []}]}";
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf b;
	struct scale_nodes n;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&b, 1000);
	take(tree, &a, &n);
	for (size_t i = 0; i < n.n; i++)
		strbuf_addf(&b, "%s ",
		    n.items[i].chain != NULL ? n.items[i].chain : "-");
	assert_string_equal(b.buf, "- b b.x a.y d ");
	assert_int_equal(n.fails, 2);
}

static int
take_two(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct scale_nodes n;

	arena_init(&a, 1 << 20);
	if (scale_nodes_take(ctx, "p", &labels, &a, &n, e) < 0)
		return -1;
	assert_int_equal(n.n, 2);
	return arena_check(&a, e);
}

static void
allocations_may_fail(void **state)
{
	static const char tree[] =
	    "{\"labels\": [\"all\"], \"projects\": [], \"info\": {}, "
	    "\"chains\": [{\"chain\": \"b\", \"labels\": [\"all\"], "
	    "\"chains\": [], \"projects\": [\"p\"], \"info\": {\"p\": "
	    "{\"state\": \"DONE\", \"services\": [" SERVICE("0") "]}}}]}";
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	test_ok(json_read(tree, strlen(tree), &a, &n, &e), &e);
	torture(take_two, n);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(project_row_by_row),
	cmocka_unit_test(jail_row_by_row),
	cmocka_unit_test(order_labels_and_holes),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
