/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * JSON: what is accepted, what is refused and where, numbers, the styles.
 */

#include "test/unit/support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "test/unit/support/torture.h"

/* Read and written compactly, NULL: refused. */
static const struct {
	const char *in;
	const char *out;
} accepted[] = {
	{ "{}", "{}" },
	{ "[]", "[]" },
	{ " [ ] ", "[]" },
	{ "\xef\xbb\xbf[]", "[]" },
	{ "\t\r\n null \n", "null" },
	{ "true", "true" },
	{ "[true,false,null]", "[true,false,null]" },
	{ "0", "0" },
	{ "-0", "0" },
	{ "-1", "-1" },
	{ "1.0", "1.0" },
	{ "1e2", "100.0" },
	{ "-0.0", "-0.0" },
	{ "1E+2", "100.0" },
	{ "1.5e-7", "1.5e-07" },
	{ "0.1", "0.1" },
	{ "9223372036854775807", "9223372036854775807" },
	{ "-9223372036854775808", "-9223372036854775808" },
	{ "9223372036854775808", "9223372036854775808" },
	{ "123456789012345678901234567890", "123456789012345678901234567890" },
	{ "9007199254740993", "9007199254740993" },
	{ "1e-400", "0.0" },
	{ "\"\"", "\"\"" },
	{ "\"a\\u0062\\n\\/\\\\\\\"\\b\\f\\r\\t\"",
	    "\"ab\\n/\\\\\\\"\\b\\f\\r\\t\"" },
	{ "\"\\u00e9\\u4e2d\\ud83d\\ude00\"",
	    "\"\xc3\xa9\xe4\xb8\xad\xf0\x9f\x98\x80\"" },
	{ "\"\xc3\xa9\x7f\"", "\"\xc3\xa9\x7f\"" },
	{ "\"\\u001f\\uFFFF\"", "\"\\u001f\xef\xbf\xbf\"" },
	{ "{\"a\":{\"b\":[1,{\"c\":[]},2]},\"A\":3}",
	    "{\"a\":{\"b\":[1,{\"c\":[]},2]},\"A\":3}" },
	{ "[[],{},[[]],{\"\":{}}]", "[[],{},[[]],{\"\":{}}]" },
};

static const struct {
	const char *in;
	/* 0: strlen(in) */
	size_t len;
	const char *text;
} refused[] = {
	{ "", 0, "line 1, column 1: the text ends where a value was" },
	{ " ", 0, "line 1, column 2: the text ends" },
	{ "[", 0, "line 1, column 2: the text ends" },
	{ "[1", 0, "where ',' or ']' was expected" },
	{ "[1,", 0, "the text ends where a value" },
	{ "[1,]", 0, "line 1, column 4: found ']' where a value" },
	{ "[,1]", 0, "found ',' where a value" },
	{ "[1 2]", 0, "found '2' where ',' or ']'" },
	{ "[1}", 0, "found '}' where ',' or ']'" },
	{ "{\"a\":1]", 0, "found ']' where ',' or '}'" },
	{ "{", 0, "where a key in double quotes" },
	{ "{a:1}", 0, "found 'a' where a key in double quotes" },
	{ "{'a':1}", 0, "where a key in double quotes" },
	{ "{\"a\"}", 0, "found '}' where ':'" },
	{ "{\"a\":}", 0, "found '}' where a value" },
	{ "{\"a\":1,}", 0, "found '}' where a key" },
	{ "{1:1}", 0, "found '1' where a key" },
	{ "{\"a\" 1}", 0, "found '1' where ':'" },
	{ "{\"a\":1 \"b\":2}", 0, "found '\"' where ',' or '}'" },
	{ "[] x", 0, "line 1, column 4: found 'x' where the end" },
	{ "[][]", 0, "where the end" },
	{ "1 2", 0, "where the end" },
	{ "]", 0, "where a value" },
	{ "nul", 0, "where a value" },
	{ "True", 0, "where a value" },
	{ "NaN", 0, "where a value" },
	{ "[Infinity]", 0, "where a value" },
	{ "[-Infinity]", 0, "found 'I' where a digit" },
	{ "truex", 0, "where the end" },
	{ "01", 0, "a number must not begin with 0" },
	{ "-01", 0, "a number must not begin with 0" },
	{ "-", 0, "where a digit" },
	{ "+1", 0, "where a value" },
	{ "1.", 0, "where a digit" },
	{ ".5", 0, "where a value" },
	{ "1.e1", 0, "where a digit" },
	{ "1e", 0, "where a digit" },
	{ "1e+", 0, "where a digit" },
	{ "0x1", 0, "where the end" },
	{ "1e999", 0, "line 1, column 1: a number that is too large" },
	{ "[1,-1e400]", 0, "line 1, column 4: a number that is too large" },
	{ "0.0000000000000000000000000000000000000000000000000000000000000001",
	    0, "more than 63 characters" },
	{ "\"", 0, "where the end of a string" },
	{ "\"a", 0, "where the end of a string" },
	{ "\"\\", 0, "the rest of an escape" },
	{ "\"\\x41\"", 0, "not an escape" },
	{ "\"\\u12\"", 0, "four hexadecimal digits" },
	{ "\"\\u12g4\"", 0, "four hexadecimal digits" },
	{ "\"\\u0000\"", 0, "U+0000" },
	{ "\"\\ud800\"", 0, "surrogate" },
	{ "\"\\ud800x\"", 0, "surrogate" },
	{ "\"\\ud800\\n\"", 0, "surrogate" },
	{ "\"\\ud800\\ud800\"", 0, "surrogate" },
	{ "\"\\udc00\"", 0, "surrogate" },
	{ "\"a\nb\"", 0, "line 1, column 3: a control character" },
	{ "\"\t\"", 0, "a control character" },
	{ "\"\0\"", 3, "a control character" },
	{ "[1]\0", 4, "found byte \\x00 where the end" },
	{ "\"\xff\"", 0, "not UTF-8" },
	{ "\"\xc3\"", 0, "not UTF-8" },
	{ "\"\xc0\x80\"", 0, "not UTF-8" },
	{ "\"\xed\xa0\x80\"", 0, "not UTF-8" },
	{ "\"\xf4\x90\x80\x80\"", 0, "not UTF-8" },
	{ "[\xef\xbb\xbf]", 0, "where a value" },
	{ "[\xc2\xa0]", 0, "where a value" },
	{ "/* x */ 1", 0, "where a value" },
	{ "[1, // x\n2]", 0, "where a value" },
	{ "{\"a\":1,\"a\":2}", 0,
	    "line 1, column 8: the key 'a' is there twice" },
	{ "{\n \"b\":1,\n \"\\u0062\":2}", 0,
	    "line 3, column 2: the key 'b' is there twice" },
	{ "[\n\"\xc3\xa9\xc3\xa9\", x]", 0, "line 2, column 7: found 'x'" },
};

static void
test_accepted(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *n;
	size_t i, len;
	char *exact;

	(void)state;
	strbuf_init(&out, 1 << 20);
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(accepted); i++) {
		len = strlen(accepted[i].in);
		exact = mem_dup(accepted[i].in, len);
		assert_non_null(exact);
		if (json_read(exact, len, &a, &n, &e) != 0)
			fail_msg("%s: %s", accepted[i].in, error_text(&e));
		mem_free(exact);
		strbuf_reset(&out);
		json_write(&out, n, JSON_COMPACT);
		assert_string_equal(out.buf, accepted[i].out);
	}
}

static void
test_refused(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e;
	struct node *n;
	size_t i, len;
	char *exact;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(refused); i++) {
		e = (struct error)ERROR_INIT;
		len =
		    refused[i].len > 0 ? refused[i].len : strlen(refused[i].in);
		exact = mem_dup(refused[i].in, len);
		assert_non_null(exact);
		if (json_read(exact, len, &a, &n, &e) != -1)
			fail_msg("accepted: %s", refused[i].in);
		mem_free(exact);
		assert_int_equal(e.code, OVE_INVALID);
		if (strstr(e.text, refused[i].text) == NULL)
			fail_msg("%s: %s", refused[i].in, e.text);
	}
	/* The caller need not ask why. */
	assert_int_equal(json_read("[", 1, &a, &n, NULL), -1);
	assert_int_equal(json_read("[1e999]", 7, &a, &n, NULL), -1);
}

static void
test_positions(void **state)
{
	static const char text[] = "{\n  \"\xc3\xa9\": [10,\n\t2.50]}";
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n, *list;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(json_read(text, strlen(text), &a, &n, &e), 0);
	assert_int_equal(n->line, 1);
	assert_int_equal(n->col, 1);
	assert_int_equal(n->u.map.pairs[0].key->line, 2);
	assert_int_equal(n->u.map.pairs[0].key->col, 3);
	list = node_get(n, "\xc3\xa9");
	assert_int_equal(list->col, 8);
	assert_int_equal(list->u.list.items[0]->col, 9);
	assert_int_equal(list->u.list.items[0]->type, NODE_INT);
	assert_string_equal(list->u.list.items[0]->raw, "10");
	assert_int_equal(list->u.list.items[1]->line, 3);
	assert_int_equal(list->u.list.items[1]->col, 2);
	assert_int_equal(list->u.list.items[1]->type, NODE_FLOAT);
	assert_string_equal(list->u.list.items[1]->raw, "2.50");
	assert_true(list->u.list.items[1]->u.f == 2.5);
}

static void
test_numbers(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(json_read("-9223372036854775808", 20, &a, &n, &e), 0);
	assert_false(n->big);
	assert_true(n->u.i == INT64_MIN);
	assert_int_equal(json_read("9223372036854775808", 19, &a, &n, &e), 0);
	assert_true(n->big);
	assert_string_equal(n->raw, "9223372036854775808");
	/* Values end where they end, not at the next separator. */
	assert_int_equal(json_read("[1]+", 3, &a, &n, &e), 0);
	assert_string_equal(n->u.list.items[0]->raw, "1");
	assert_int_equal(json_read("12", 1, &a, &n, &e), 0);
	assert_int_equal(n->u.i, 1);
}

static char *
repeat(const char *what, size_t times)
{
	size_t len = strlen(what);
	char *p;
	size_t i;

	p = mem_alloc(len * times + 1);
	assert_non_null(p);
	for (i = 0; i < times; i++)
		memcpy(p + i * len, what, len);
	p[len * times] = '\0';
	return p;
}

static void
test_limits(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;
	char *p;

	(void)state;
	arena_init(&a, 64 << 20);
	p = repeat("[", 128);
	memset(p + 64, ']', 64);
	assert_int_equal(json_read(p, 128, &a, &n, &e), 0);
	mem_free(p);
	p = repeat("[", 1 << 20);
	assert_int_equal(json_read(p, 1 << 20, &a, &n, &e), -1);
	assert_string_equal(
	    e.text, "line 1, column 65: nested deeper than 64 levels");
	mem_free(p);
	p = repeat("{\"a\":", 100000);
	assert_int_equal(json_read(p, 500000, &a, &n, &e), -1);
	assert_int_equal(e.code, OVE_INVALID);
	mem_free(p);

	p = repeat("0,", JSON_VALUES_MAX);
	p[0] = '[';
	p[1] = ' ';
	p[2 * JSON_VALUES_MAX - 1] = ']';
	assert_int_equal(json_read(p, 2 * JSON_VALUES_MAX, &a, &n, &e), 0);
	assert_int_equal(n->u.list.n, JSON_VALUES_MAX - 1);
	mem_free(p);
	p = repeat("0,", 4 << 20);
	p[0] = '[';
	p[1] = ' ';
	assert_int_equal(json_read(p, 8 << 20, &a, &n, &e), -1);
	assert_non_null(strstr(e.text, "more than 65536 values"));
	mem_free(p);

	arena_fini(&a);
	arena_init(&a, 1000);
	p = repeat("0,", 100);
	p[0] = '[';
	p[1] = ' ';
	p[199] = ']';
	assert_int_equal(json_read(p, 200, &a, &n, &e), -1);
	assert_int_equal(e.code, OVE_LIMIT);
	mem_free(p);
}

static void
test_many_keys(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF b;
	struct error e = ERROR_INIT;
	struct node *n;
	unsigned i;

	(void)state;
	arena_init(&a, 64 << 20);
	strbuf_init(&b, 64 << 20);
	strbuf_adds(&b, "{\"k0\":0");
	for (i = 1; i < 60000; i++)
		strbuf_addf(&b, ",\"k%u\":%u", i, i);
	strbuf_adds(&b, "}");
	assert_int_equal(json_read(b.buf, b.len, &a, &n, &e), 0);
	assert_int_equal(n->u.map.n, 60000);
	strbuf_truncate(&b, b.len - 1);
	strbuf_adds(&b, ",\"k3\":1}");
	assert_int_equal(json_read(b.buf, b.len, &a, &n, &e), -1);
	assert_non_null(strstr(e.text, "the key 'k3' is there twice"));
}

static void
test_styles(void **state)
{
	static const char text[] = "{\"a\": 1, \"b\": [1, 2.0, {}, []],"
				   " \"c\": \"\xc3\xa9\xf0\x9f\x98\x80\x7f\"}";
	static const struct {
		enum json_style style;
		const char *out;
	} cases[] = {
		{ JSON_COMPACT,
		    "{\"a\":1,\"b\":[1,2.0,{},[]],"
		    "\"c\":\"\xc3\xa9\xf0\x9f\x98\x80\x7f\"}" },
		{ JSON_INDENT2,
		    "{\n  \"a\": 1,\n  \"b\": [\n    1,\n    2.0,\n    {},\n"
		    "    []\n  ],\n"
		    "  \"c\": \"\xc3\xa9\xf0\x9f\x98\x80\x7f\"\n}" },
		{ JSON_INDENT4_ASCII,
		    "{\n    \"a\": 1,\n    \"b\": [\n        1,\n"
		    "        2.0,\n        {},\n        []\n    ],\n"
		    "    \"c\": \"\\u00e9\\ud83d\\ude00\x7f\"\n}" },
		{ JSON_PYTHON,
		    "{\"a\": 1, \"b\": [1, 2.0, {}, []], "
		    "\"c\": \"\\u00e9\\ud83d\\ude00\x7f\"}" },
	};
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *n, *again;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	assert_int_equal(json_read(text, strlen(text), &a, &n, &e), 0);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&out);
		json_write(&out, n, cases[i].style);
		assert_string_equal(out.buf, cases[i].out);
		assert_int_equal(
		    json_read(out.buf, out.len, &a, &again, &e), 0);
		assert_true(node_equal(n, again));
	}
}

static void
test_write_by_hand(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct node *map;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	map = node_new(&a, NODE_MAP);
	node_add_pair(&a, map, node_int(&a, 1), node_int(&a, INT64_MIN));
	node_add_pair(&a, map, node_bool(&a, true), node_bool(&a, false));
	node_add_pair(&a, map, node_null(&a), node_null(&a));
	node_add_pair(
	    &a, map, node_float(&a, 1), node_float(&a, (double)INFINITY));
	node_add_pair(&a, map, node_str(&a, "s"), node_strn(&a, "\0x", 2));
	json_write(&out, map, JSON_COMPACT);
	assert_string_equal(out.buf,
	    "{\"1\":-9223372036854775808,\"true\":false,\"null\":null,"
	    "\"1.0\":null,\"s\":\"\\u0000x\"}");
	strbuf_reset(&out);
	json_write_str(&out, "a\xff\xc3\xa9\xe4\xb8\x1f", 7);
	assert_string_equal(out.buf,
	    "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\\u001f\"");
	strbuf_reset(&out);
	json_write(&out, node_str(&a, "\xff"), JSON_PYTHON);
	assert_string_equal(out.buf, "\"\\ufffd\"");
}

static void
test_text_is_whole_or_nothing(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;

	(void)state;
	arena_init(&a, 100);
	n = node_str(&a, "1234567890");
	assert_string_equal(
	    json_text(n, JSON_COMPACT, 12, &a, &e), "\"1234567890\"");
	assert_null(json_text(n, JSON_COMPACT, 11, &a, &e));
	assert_int_equal(e.code, OVE_LIMIT);
	/* Which is nothing to the arena. */
	error_clear(&e);
	test_ok(arena_check(&a, &e), &e);
	a.latch = OVE_NOMEM;
	assert_null(json_text(n, JSON_COMPACT, 12, &a, &e));
	assert_int_equal(e.code, OVE_NOMEM);
}

static int
read_and_write(void *ctx, struct error *e)
{
	const char *text = ctx;
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct node *n;

	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	if (json_read(text, strlen(text), &a, &n, e) == -1)
		return -1;
	json_write(&out, n, JSON_INDENT4_ASCII);
	return strbuf_check(&out, e);
}

static void
test_torture(void **state)
{
	struct strbuf AUTO_STRBUF b;
	unsigned i;

	(void)state;
	strbuf_init(&b, 1 << 20);
	strbuf_adds(&b, "{\"list\": [1, 2.5, \"text\", null, true]");
	for (i = 0; i < 100; i++)
		strbuf_addf(&b, ", \"key%u\": {\"a\": %u}", i, i);
	strbuf_addc(&b, '}');
	torture(read_and_write, b.buf);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_accepted),
	cmocka_unit_test(test_refused),
	cmocka_unit_test(test_positions),
	cmocka_unit_test(test_numbers),
	cmocka_unit_test(test_limits),
	cmocka_unit_test(test_many_keys),
	cmocka_unit_test(test_styles),
	cmocka_unit_test(test_write_by_hand),
	cmocka_unit_test(test_text_is_whole_or_nothing),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
