/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The neutral tree: making, changing, comparing, equal keys, floats as text.
 */

#include "test/unit/support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

static void
test_build(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *map, *list, *copy;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	map = node_new(&a, NODE_MAP);
	list = node_new(&a, NODE_LIST);
	for (i = 0; i < 100; i++)
		node_add(&a, list, node_int(&a, (int64_t)i));
	node_set(&a, map, "list", list);
	node_set(&a, map, "text", node_str(&a, "x"));
	node_set(&a, map, "float", node_float(&a, 1.5));
	node_set(&a, map, "nan", node_float(&a, (double)NAN));
	node_set(&a, map, "bool", node_bool(&a, true));
	node_set(&a, map, "null", node_null(&a));
	node_replace(&a, map, "text", node_str(&a, "y"));
	node_replace(&a, map, "new", node_strn(&a, "zzz", 1));
	/* What could not be made is left out. */
	node_add(&a, list, NULL);
	node_add(&a, NULL, list);
	node_set(&a, map, "void", NULL);
	node_set(&a, NULL, "void", list);
	node_replace(&a, map, "void", NULL);
	assert_int_equal(arena_check(&a, &e), 0);

	assert_int_equal(map->u.map.n, 7);
	assert_int_equal(list->u.list.n, 100);
	assert_int_equal(list->u.list.items[99]->u.i, 99);
	assert_string_equal(node_text(node_get(map, "text")), "y");
	assert_string_equal(node_text(node_get(map, "new")), "z");
	assert_null(node_get(map, "void"));
	assert_null(node_get(list, "void"));
	assert_null(node_get(NULL, "void"));
	assert_null(node_text(node_get(map, "float")));
	assert_null(node_text(NULL));

	copy = node_copy(&a, map);
	assert_true(node_equal(map, copy));
	copy->u.map.pairs[0].value->u.list.items[7] = node_float(&a, 7);
	assert_false(node_equal(map, copy));
	assert_false(node_equal(map, NULL));
	assert_true(node_equal(NULL, NULL));
	assert_null(node_copy(&a, NULL));
}

static void
test_full_arena(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *list;
	size_t i;

	(void)state;
	arena_init(&a, 4000);
	list = node_new(&a, NODE_LIST);
	for (i = 0; i < 1000; i++)
		node_add(&a, list, node_str(&a, "some text"));
	assert_int_equal(arena_check(&a, &e), -1);
	assert_int_equal(e.code, OVE_LIMIT);
	assert_true(list->u.list.n < 100);
	assert_null(node_str(&a, "x"));
	assert_null(node_int(&a, 1));
	assert_null(node_copy(&a, list));
}

static void
test_fold(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	const struct node *dup;
	struct node *map;
	char key[16];
	size_t i, round;

	(void)state;
	for (round = 0; round < 2; round++) {
		arena_init(&a, 1 << 20);
		map = node_new(&a, NODE_MAP);
		node_add_pair(&a, map, node_int(&a, 1), node_str(&a, "int"));
		node_add_pair(&a, map, node_str(&a, "1"), node_str(&a, "s"));
		node_add_pair(
		    &a, map, node_float(&a, 1.5), node_str(&a, "float"));
		node_add_pair(&a, map, node_null(&a), node_str(&a, "null"));
		/* More than are compared one by one. */
		for (i = 0; i < round * 200; i++) {
			(void)snprintf(key, sizeof(key), "k%zu", i * 7 % 200);
			node_set(&a, map, key, node_int(&a, (int64_t)i));
		}
		assert_int_equal(node_map_fold(map, &dup, &e), 0);
		assert_null(dup);
		assert_int_equal(map->u.map.n, 4 + round * 200);

		node_add_pair(&a, map, node_bool(&a, true), node_int(&a, 10));
		node_add_pair(&a, map, node_float(&a, 1), node_int(&a, 11));
		node_add_pair(&a, map, node_null(&a), node_int(&a, 12));
		node_add_pair(&a, map, node_float(&a, 2), node_int(&a, 13));
		assert_int_equal(node_map_fold(map, &dup, &e), 0);
		assert_non_null(dup);
		assert_int_equal(dup->type, NODE_BOOL);
		assert_int_equal(map->u.map.n, 5 + round * 200);
		assert_int_equal(map->u.map.pairs[0].value->u.i, 11);
		assert_int_equal(map->u.map.pairs[0].key->type, NODE_INT);
		assert_int_equal(map->u.map.pairs[3].value->u.i, 12);
		arena_fini(&a);
	}
	arena_init(&a, 1 << 20);
}

static void
test_float_text(void **state)
{
	static const struct {
		double f;
		const char *text;
	} cases[] = {
		{ 0.0, "0.0" },
		{ -0.0, "-0.0" },
		{ 1, "1.0" },
		{ -1.5, "-1.5" },
		{ 0.1, "0.1" },
		{ 100, "100.0" },
		{ 123.456, "123.456" },
		{ 1e15, "1000000000000000.0" },
		{ 1e16, "1e+16" },
		{ 123456789012345680.0, "1.2345678901234568e+17" },
		{ 9007199254740993.0, "9007199254740992.0" },
		{ 1e-4, "0.0001" },
		{ 1.5e-4, "0.00015" },
		{ 1e-5, "1e-05" },
		{ 1e100, "1e+100" },
		{ 1.7976931348623157e308, "1.7976931348623157e+308" },
		{ 2.2250738585072014e-308, "2.2250738585072014e-308" },
		{ 5e-324, "5e-324" },
		{ 1e-310, "1e-310" },
		/* Below powers of two numbers are closer than above. */
		{ 0x1p-44, "5.684341886080802e-14" },
		{ -0x1p-44, "-5.684341886080802e-14" },
		{ 0x1p-1022, "2.2250738585072014e-308" },
		{ 0.30000000000000004, "0.30000000000000004" },
		{ 2.5, "2.5" },
		{ (double)INFINITY, "inf" },
		{ -(double)INFINITY, "-inf" },
		{ (double)NAN, "nan" },
	};
	char buf[NODE_FLOAT_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++)
		assert_string_equal(
		    node_float_text(cases[i].f, buf), cases[i].text);
}

static void
test_words(void **state)
{
	static const struct {
		enum node_type type;
		const char *article;
		const char *python;
		const char *text;
	} cases[] = {
		{ NODE_NULL, "null", "NoneType", "null" },
		{ NODE_BOOL, "a boolean", "bool", "false" },
		{ NODE_INT, "an integer", "int", "0" },
		{ NODE_FLOAT, "a number with a fraction", "float", "0.0" },
		{ NODE_STR, "a string", "str", "" },
		{ NODE_TIME, "a date", "date", "" },
		{ NODE_BYTES, "binary data", "bytes", "" },
		{ NODE_LIST, "a list", "list", NULL },
		{ NODE_MAP, "a mapping", "dict", NULL },
		{ NODE_SET, "a set", "set", NULL },
	};
	char buf[NODE_FLOAT_LEN];
	struct node n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		memset(&n, 0, sizeof(n));
		n.type = cases[i].type;
		if (n.type == NODE_STR || n.type == NODE_TIME ||
		    n.type == NODE_BYTES)
			n.u.str.s = "";
		assert_string_equal(node_type_article(&n), cases[i].article);
		assert_string_equal(node_type_python(&n), cases[i].python);
		if (cases[i].text == NULL)
			assert_null(node_scalar_text(&n, buf));
		else
			assert_string_equal(
			    node_scalar_text(&n, buf), cases[i].text);
		assert_true(node_equal(&n, &n));
	}
	n = (struct node){ .type = NODE_TIME,
		.u.str = { "2001-01-01T00:00:00", 19 } };
	assert_string_equal(node_type_python(&n), "datetime");
	assert_string_equal(node_type_article(&n), "a date and time");
}

static void
test_sort(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct strbuf AUTO_STRBUF out;
	struct node *map, *inner, *list;
	char key[8];
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	inner = node_new(&a, NODE_MAP);
	node_set(&a, inner, "\xc3\xa9", node_int(&a, 1));
	node_set(&a, inner, "z", node_int(&a, 2));
	node_set(&a, inner, "zz", node_int(&a, 3));
	node_set(&a, inner, "Z", node_int(&a, 4));
	node_add_pair(&a, inner, node_int(&a, 10), node_int(&a, 5));
	node_add_pair(&a, inner, node_int(&a, 9), node_int(&a, 6));
	list = node_new(&a, NODE_LIST);
	node_add(&a, list, inner);
	map = node_new(&a, NODE_MAP);
	node_set(&a, map, "b", list);
	node_set(&a, map, "a", node_null(&a));
	test_ok(node_sort(map, &e), &e);
	json_write(&out, map, JSON_COMPACT);
	assert_string_equal(out.buf,
	    "{\"a\":null,\"b\":[{\"9\":6,\"10\":5,\"Z\":4,\"z\":2,"
	    "\"zz\":3,\"\xc3\xa9\":1}]}");

	map = node_new(&a, NODE_MAP);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "%03zu", i * 7 % 1000);
		node_set(&a, map, key, node_int(&a, (int64_t)i));
	}
	test_ok(node_sort(map, &e), &e);
	for (i = 0; i < 1000; i++) {
		(void)snprintf(key, sizeof(key), "%03zu", i);
		assert_string_equal(map->u.map.pairs[i].key->u.str.s, key);
		assert_int_equal(
		    map->u.map.pairs[i].value->u.i * 7 % 1000, (int64_t)i);
	}
}

static int
build_and_fold(void *ctx, struct error *e)
{
	struct arena AUTO_ARENA a;
	struct node *map, *list;
	const struct node *dup;
	size_t i;

	(void)ctx;
	arena_init(&a, 1 << 20);
	map = node_new(&a, NODE_MAP);
	list = node_new(&a, NODE_LIST);
	for (i = 0; i < 60; i++) {
		node_add(&a, list, node_str(&a, "a text of some length"));
		node_add_pair(&a, map, node_int(&a, (int64_t)i % 40),
		    node_copy(&a, list));
	}
	node_replace(&a, map, "k", node_bool(&a, true));
	if (arena_check(&a, e) == -1)
		return -1;
	if (node_map_fold(map, &dup, e) == -1)
		return -1;
	return node_sort(map, e);
}

static void
test_torture(void **state)
{
	(void)state;
	torture(build_and_fold, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_build),
	cmocka_unit_test(test_full_arena),
	cmocka_unit_test(test_fold),
	cmocka_unit_test(test_sort),
	cmocka_unit_test(test_float_text),
	cmocka_unit_test(test_words),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
