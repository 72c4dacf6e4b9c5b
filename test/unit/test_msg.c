/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Request bodies: types, defaults, and the contract's words for what is wrong
 * (rest-api.md 1.9, 3.3). */

#include "proto/msg.h"

#include <string.h>

#include "lib/data/json.h"
#include "support/test.h"

static const struct {
	const char *body;
	const char *message;
} bad[] = {
	{ "{}", "`director_file` is required but hasn't been specified." },
	{ "{\"director_file\":null}",
	    "`director_file` is required but hasn't been specified." },
	{ "{\"director_file\":5}",
	    "'director_file' has an unexpected value type: expected string, "
	    "given number." },
	{ "{\"director_file\":\"x\",\"environment\":[]}",
	    "'environment' has an unexpected value type: expected object, "
	    "given "
	    "array." },
	{ "{\"director_file\":\"x\",\"environment\":{\"PORT\":8080}}",
	    "Invalid environment name (PORT) or value (8080)." },
	{ "{\"director_file\":\"x\",\"environment\":{\"A=B\":\"1\"}}",
	    "Invalid environment name ('A=B')." },
	{ "{\"director_file\":\"x\",\"environment\":{\"\":\"1\"}}",
	    "Invalid environment name ('')." },
	{ "{\"director_file\":\"x\",\"restart\":\"no\"}",
	    "'restart' has an unexpected value type: expected boolean, given "
	    "string." },
	{ "{\"director_file\":\"x\",\"reserve_port\":{\"em0\":5}}",
	    "Invalid network address (5)." },
};

static void
faults_are_told_in_the_contracts_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct error e = ERROR_INIT;
		AUTO_ARENA struct arena a;
		struct node *n;
		struct msg_up up;

		arena_init(&a, 65536);
		test_ok(json_read(bad[i].body, strlen(bad[i].body), &a, &n, &e),
		    &e);
		test_fails(
		    msg_bind(&msg_up_schema, n, &a, &up, &e), &e, OVE_INVALID);
		assert_string_equal(e.text, bad[i].message);
	}
}

static void
defaults_and_unknown_members(void **state)
{
	static const char body[] =
	    "{\"director_file\":\"x\",\"restart\":null,\"more\":1,"
	    "\"environment\":{\"A\":\"1\",\"B\":\"\"}}";
	struct error e = ERROR_INIT;
	AUTO_ARENA struct arena a;
	struct msg_down down;
	struct node *n;
	struct msg_up up;

	(void)state;
	arena_init(&a, 65536);
	test_ok(json_read(body, strlen(body), &a, &n, &e), &e);
	test_ok(msg_bind(&msg_up_schema, n, &a, &up, &e), &e);
	assert_string_equal(up.director_file, "x");
	assert_false(up.restart);
	assert_int_equal(up.environment.n, 2);
	assert_string_equal(up.environment.keys[1], "B");
	assert_int_equal(up.reserve_port.n, 0);
	test_ok(msg_bind(&msg_down_schema, NULL, &a, &down, &e), &e);
	assert_false(down.force);
}

static void
tables_hold_together(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(schema_verify(&msg_up_schema, &e), &e);
	test_ok(schema_verify(&msg_down_schema, &e), &e);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(faults_are_told_in_the_contracts_words),
	cmocka_unit_test(defaults_and_unknown_members),
	cmocka_unit_test(tables_hold_together),
};
TEST_MAIN(tests)
