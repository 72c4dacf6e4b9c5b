/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which places of two trees differ.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "proto/compare.h"
#include "test/unit/support/torture.h"

static void
add_value(struct strbuf *out, const struct node *n)
{
	if (n == NULL)
		strbuf_adds(out, "-");
	else
		json_write(out, n, JSON_COMPACT);
}

static void
differ(const char *path, const char *before, const char *after, const char *out)
{
	struct strbuf AUTO_STRBUF b;
	struct arena AUTO_ARENA a;
	struct compare c;

	strbuf_init(&b, 1 << 16);
	arena_init(&a, 1 << 20);
	compare_init(&c, &a);
	compare_add_json(&c, path, before, after);
	for (size_t i = 0; i < c.n; i++) {
		strbuf_addf(&b, "%s:", c.items[i].path);
		add_value(&b, c.items[i].before);
		strbuf_addc(&b, '>');
		add_value(&b, c.items[i].after);
		strbuf_addc(&b, ' ');
	}
	assert_string_equal(b.buf, out);
}

static void
test_trees(void **state)
{
	(void)state;
	differ(
	    "p", "{\"a\":1,\"b\":{\"c\":2}}", "{\"b\":{\"c\":2},\"a\":1}", "");
	differ("p", "{\"a\":1,\"x\":2}", "{\"b\":{\"c\":2},\"a\":\"1\"}",
	    "p.b:->{\"c\":2} p.a:1>\"1\" p.x:2>- ");
	differ("", "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2}}}",
	    "a.b.c:1>2 ");
	/* A list is one thing, but its items may have keys in any order. */
	differ("l", "[{\"a\":1,\"b\":2}]", "[{\"b\":2,\"a\":1}]", "");
	differ("l", "[1,2]", "[1,2,3]", "l:[1,2]>[1,2,3] ");
	differ("l", "[{\"a\":1}]", "[{\"a\":2}]", "l:[{\"a\":1}]>[{\"a\":2}] ");
	differ("m", "{}", "[]", "m:{}>[] ");
	/* Texts that are not JSON. */
	differ("t", "a: 1", "a: 1", "");
	differ("t", "a: 1", "{}", "t:\"a: 1\">\"{}\" ");
}

static void
test_full(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct compare c;

	(void)state;
	arena_init(&a, 64);
	compare_init(&c, &a);
	compare_add_json(&c, "p", "{\"a\":1,\"b\":2}", "{\"a\":3}");
	assert_int_equal(c.n, 0);
	test_fails(arena_check(&a, &e), &e, OVE_LIMIT);
}

static int
compare_some(void *ctx, struct error *e)
{
	struct arena AUTO_ARENA a;
	struct compare c;

	arena_init(&a, 1 << 20);
	compare_init(&c, &a);
	compare_add_json(&c, "p", ctx, "{\"a\":{\"b\":3}}");
	return arena_check(&a, e);
}

static void
test_torture(void **state)
{
	char text[] = "{\"a\":{\"b\":1},\"c\":2}";

	(void)state;
	torture(compare_some, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_trees),
	cmocka_unit_test(test_full),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
