/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML to tree.  The contract's vectors run in test_vectors.py; here are the
 * words and positions of faults, the limits, and what the vectors leave out.
 * Allocations of libyaml's own do not fail here: it is a shared library, which
 * the linker cannot wrap.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "test/unit/support/torture.h"

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "A") == 0 ? "alpha" : NULL;
}

static const struct yaml_options options = { .env = env,
	.env_hint = "set it in .env" };

static void
test_faults(void **state)
{
	static const struct {
		const char *text;
		/* As printed, without "p: f:". */
		const char *said;
	} cases[] = {
		{ "a:\n\tb: 1",
		    "2:1: not YAML: found a tab where indentation was "
		    "expected\n" },
		{ "\ta: 1",
		    "1:1: not YAML: found a tab where indentation was "
		    "expected\n" },
		{ "a: b: c",
		    "1:5: not YAML: found ':' where no key can stand; a text "
		    "with ': ' needs quotes\n" },
		{ "a: l1\nl2",
		    "2:1: not YAML: found no ':' behind this key\n" },
		{ "a: 'x\n",
		    "1:4: not YAML: the quote opened here is not closed\n" },
		{ "a: @x",
		    "1:4: not YAML: a value cannot begin with '@'\n"
		    "  hint: put it in quotes\n" },
		{ "a: \"\\q\"",
		    "1:5: not YAML: '\\q' is not an escape\n"
		    "  hint: double the backslash, or use single quotes\n" },
		{ "a: [1, 2\nb: 3",
		    "2:2: not YAML: expected ',' or ']' in a list in "
		    "brackets\n" },
		{ "a: {b: [}}", "1:9: not YAML: expected a value\n" },
		{ "a:\n  - 1\n b: 2",
		    "3:2: not YAML: found something that is no key of the "
		    "mapping at this indentation\n" },
		{ "%YAML 2.0\n---\na",
		    "1:1: not YAML: reading it: found "
		    "incompatible YAML document\n" },
		{ "a: 1\n---\nb: 1",
		    "2:1: a second document begins here, only one is "
		    "allowed\n" },
		{ "\xc3\xa9: \xc3\xa9\x07",
		    "1:5: not YAML: the character U+0007 is not allowed\n" },
		{ "a: 1\r\nb:\xff",
		    "2:3: not YAML: the text is not UTF-8 (byte \\xff)\n" },
		{ "a: *b", "1:4: a: unknown alias 'b'\n" },
		{ "a: &b [*b]",
		    "1:8: a[0]: the alias 'b' stands inside of what "
		    "it names\n" },
		{ "a: &b 1\nc: &b 2",
		    "2:4: c: the anchor 'b' is there twice\n" },
		{ "a:\n  - x\n  - !Env x",
		    "3:5: a[1]: unknown tag '!Env'\n"
		    "  hint: did you mean '!ENV'?\n" },
		{ "a.b: {\"c d\": !!foo x}",
		    "1:14: \"a.b\".\"c d\": unknown tag '!!foo'\n" },
		{ "a: !ENV [x]",
		    "1:4: a: the tag '!ENV' needs a scalar, found a list\n"
		    "  hint: put the tag before each text in it\n" },
		{ "a: !!int {x: 1}",
		    "1:4: a: the tag '!!int' needs a scalar, found a "
		    "mapping\n" },
		{ "a: !!map [x]",
		    "1:4: a: the tag '!!map' needs a mapping, "
		    "found a list\n" },
		{ "a: !!seq {x: 1}",
		    "1:4: a: the tag '!!seq' needs a list, "
		    "found a mapping\n" },
		{ "a: !!set x",
		    "1:4: a: the tag '!!set' needs a mapping, found "
		    "a scalar\n" },
		{ "a: !!omap x",
		    "1:4: a: the tag '!!omap' needs a list, found a "
		    "scalar\n" },
		{ "a: !!omap [x: 1, b]",
		    "1:18: a: expected a mapping with one key\n" },
		{ "a: !foo {x: 1}", "1:4: a: unknown tag '!foo'\n" },
		{ "a: =",
		    "1:4: a: '=' cannot be a value\n"
		    "  hint: put it in quotes\n" },
		{ "a: !!int x", "1:4: a: 'x' is not an integer\n" },
		{ "a: 2001-02-30",
		    "1:4: a: '2001-02-30' is not a date: day is out of range "
		    "for month\n" },
		{ "a: !ENV tag:yaml.org,2002:int ${A}",
		    "1:4: a: 'alpha' is not an integer\n" },
		{ "a: {<<: 5}",
		    "1:9: a: '<<' needs a mapping or a list of "
		    "mappings, found an integer\n" },
		{ "a: {<<: [x]}",
		    "1:10: a: '<<' needs mappings in its list, found a "
		    "string\n" },
		{ "? {a: 1}\n: x", "1:3: a mapping cannot be a key\n" },
		/* All of them. */
		{ "a: !x 1\nb: *y\nc: [!z 1]",
		    "1:4: a: unknown tag '!x'\n"
		    "p: f:2:4: b: unknown alias 'y'\n"
		    "p: f:3:5: c[0]: unknown tag '!z'\n" },
	};
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *n;
	struct diag d;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		diag_init(&d, &a, "f");
		test_fails(yaml_read(cases[i].text, strlen(cases[i].text),
			       &options, &a, &n, &d, &e),
		    &e, OVE_INVALID);
		strbuf_reset(&out);
		diag_print(&d, "p", NULL, false, &out);
		assert_true(out.len > 5);
		assert_string_equal(out.buf + 5, cases[i].said);
	}
}

static void
read_ok(const char *text, struct arena *a, struct node **ret, struct diag *d)
{
	struct error e = ERROR_INIT;

	diag_init(d, a, "f");
	test_ok(yaml_read(text, strlen(text), &options, a, ret, d, &e), &e);
}

static void
test_positions(void **state)
{
	struct arena AUTO_ARENA a;
	struct node *n, *list;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 20);
	read_ok("\xef\xbb\xbf\xc3\xa9: \xc3\xa9\nb:\n  - x\n  - {c: !ENV 1}\n",
	    &a, &n, &d);
	assert_int_equal(n->line, 1);
	assert_int_equal(n->col, 1);
	assert_int_equal(node_get(n, "\xc3\xa9")->col, 4);
	assert_int_equal(n->u.map.pairs[1].key->line, 2);
	list = node_get(n, "b");
	assert_int_equal(list->line, 3);
	assert_int_equal(list->col, 3);
	n = list->u.list.items[1];
	assert_int_equal(n->line, 4);
	assert_int_equal(n->col, 5);
	n = node_get(n, "c");
	assert_int_equal(n->col, 9);
	assert_string_equal(node_text(n), "1");
}

static void
test_values(void **state)
{
	static const struct {
		const char *text;
		const char *json;
	} cases[] = {
		{ "null", "null" },
		{ "---", "null" },
		{ "a: [0644, 1:30, .5, yes, ~, '0644', 2001-01-01]",
		    "{\"a\": [420, 90, 0.5, true, null, \"0644\", "
		    "\"2001-01-01\"]}" },
		{ "x: &x {a: 1, b: 2}\ny: {b: 3, <<: *x, c: 4}\nz: *x",
		    "{\"x\": {\"a\": 1, \"b\": 2}, "
		    "\"y\": {\"a\": 1, \"b\": 3, \"c\": 4}, "
		    "\"z\": {\"a\": 1, \"b\": 2}}" },
		{ "{<<: [{a: 1}, {a: 2, b: 2}], <<: {b: 3}}",
		    "{\"a\": 1, \"b\": 3}" },
		/* An alias of a merge key is a text. */
		{ "? &m <<\n: {a: 1}\nb: *m", "{\"a\": 1, \"b\": \"<<\"}" },
		{ "!!set {<<: {a: 1}, b}", "{\"a\": null, \"b\": null}" },
		{ "!!pairs [a: 1, a: 2]", "[[\"a\", 1], [\"a\", 2]]" },
		{ "!!omap []", "[]" },
		{ "- &a x\n- *a\n- !ENV '${A}'", "[\"x\", \"x\", \"alpha\"]" },
		{ "? !ENV '${A}'\n: 1", "{\"alpha\": 1}" },
		{ "1: a\ntrue: b\n\"1\": c", "{\"1\": \"b\", \"1\": \"c\"}" },
	};
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *n;
	struct diag d;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		read_ok(cases[i].text, &a, &n, &d);
		strbuf_reset(&out);
		json_write(&out, n, JSON_PYTHON);
		assert_string_equal(out.buf, cases[i].json);
	}
	read_ok("", &a, &n, &d);
	assert_null(n);
	read_ok("# only this\n", &a, &n, &d);
	assert_null(n);
	/* Without an environment the tag is unknown. */
	diag_init(&d, &a, "f");
	test_fails(
	    yaml_read("!ENV x", 6, &(struct yaml_options){ 0 }, &a, &n, &d, &e),
	    &e, OVE_INVALID);
}

static void
test_unset(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct node *n;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	read_ok(
	    "datacenters:\n  main:\n    entrypoint: !ENV '${X}'\n", &a, &n, &d);
	diag_print(&d, "overlord", NULL, false, &out);
	assert_string_equal(out.buf,
	    "overlord: f:3:17: datacenters.main.entrypoint: warning: X is not "
	    "set, '' is used\n  hint: set it in .env\n");
}

static char *
repeat(const char *what, size_t times, size_t *ret_len)
{
	size_t i, len = strlen(what);
	char *p;

	p = mem_alloc(len * times + 1);
	assert_non_null(p);
	for (i = 0; i < times; i++)
		memcpy(p + i * len, what, len);
	p[len * times] = '\0';
	*ret_len = len * times;
	return p;
}

static void
refused(const char *text, size_t len, const char *why)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;
	struct diag d;

	/* None of these may cost more than its values. */
	arena_init(&a, 128 << 20);
	diag_init(&d, &a, "f");
	test_fails(
	    yaml_read(text, len, &options, &a, &n, &d, &e), &e, OVE_INVALID);
	if (strstr(e.text, why) == NULL)
		fail_msg("%s", e.text);
}

static void
test_bombs(void **state)
{
	static const struct {
		const char *what;
		const char *why;
	} bombs[] = {
		{ "[", "nested deeper than 100 levels" },
		{ "- ", "nested deeper than 100 levels" },
		{ "{a: ", "nested deeper than 100 levels" },
		{ "? ", "nested deeper than 100 levels" },
		{ "[\n", "nested deeper than 100 levels" },
	};
	size_t i, len;
	char *text;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bombs); i++) {
		len = strlen(bombs[i].what);
		text = repeat(bombs[i].what, (1 << 20) / len, &len);
		refused(text, len, bombs[i].why);
		mem_free(text);
	}
}

static void
test_alias_bombs(void **state)
{
	struct strbuf AUTO_STRBUF b;
	struct arena AUTO_ARENA a;
	struct node *n;
	struct diag d;
	unsigned i, k;

	(void)state;
	strbuf_init(&b, 64 << 20);
	/* Nine levels of nine. */
	strbuf_adds(&b, "- &a0 [x, x, x, x, x, x, x, x, x]\n");
	for (i = 1; i < 9; i++) {
		strbuf_addf(&b, "- &a%u [", i);
		for (k = 0; k < 9; k++)
			strbuf_addf(&b, "*a%u, ", i - 1);
		strbuf_adds(&b, "]\n");
	}
	refused(b.buf, b.len, "more than 1000000 values");

	/* A tower: no level of the text is deep. */
	strbuf_reset(&b);
	strbuf_adds(&b, "- &a0 [x]\n");
	for (i = 1; i < 200; i++)
		strbuf_addf(&b, "- &a%u [*a%u]\n", i, i - 1);
	refused(b.buf, b.len, "nested deeper than 100 levels");

	/* Merges of merges. */
	strbuf_reset(&b);
	strbuf_adds(&b, "- &a0 {a: 1, b: 2, c: 3, d: 4}\n");
	for (i = 1; i < 20; i++)
		strbuf_addf(&b, "- &a%u {<<: [*a%u, *a%u, *a%u]}\n", i, i - 1,
		    i - 1, i - 1);
	refused(b.buf, b.len, "more than 1000000 values");

	/* Many anchors. */
	strbuf_reset(&b);
	for (i = 0; i <= YAML_ANCHORS_MAX; i++)
		strbuf_addf(&b, "- &a%u x\n", i);
	refused(b.buf, b.len, "more than 10000 anchors");

	/* Just allowed, and found again. */
	strbuf_reset(&b);
	for (i = 0; i < YAML_ANCHORS_MAX; i++)
		strbuf_addf(&b, "- &a%u %u\n", i, i);
	strbuf_adds(&b, "- *a1234\n");
	arena_init(&a, 16 << 20);
	read_ok(b.buf, &a, &n, &d);
	assert_int_equal(n->u.list.items[YAML_ANCHORS_MAX]->u.i, 1234);
}

static void
test_limits(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;
	struct diag d;
	size_t len;
	char *text;

	(void)state;
	/* 100 levels, and one million values. */
	text = repeat("[", 200, &len);
	memset(text + 100, ']', 100);
	arena_init(&a, 256 << 20);
	read_ok(text, &a, &n, &d);
	mem_free(text);
	text = repeat("- x\n", 1000000, &len);
	refused(text, len, "more than 1000000 values");
	mem_free(text);
	refused("", YAML_LEN_MAX + 1, "larger than 64 MiB");

	/* A full arena is not the text's fault. */
	arena_fini(&a);
	arena_init(&a, 1000);
	text = repeat("- x\n", 1000, &len);
	diag_init(&d, &a, "f");
	test_fails(
	    yaml_read(text, len, &options, &a, &n, &d, &e), &e, OVE_LIMIT);
	mem_free(text);
}

static void
test_many_keys(void **state)
{
	struct strbuf AUTO_STRBUF b;
	struct arena AUTO_ARENA a;
	struct node *n;
	struct diag d;
	unsigned i;

	(void)state;
	strbuf_init(&b, 64 << 20);
	arena_init(&a, 64 << 20);
	for (i = 0; i < 50000; i++)
		strbuf_addf(&b, "k%u: %u\n", i, i);
	strbuf_adds(&b, "k3: last\n");
	read_ok(b.buf, &a, &n, &d);
	assert_int_equal(n->u.map.n, 50000);
	assert_string_equal(n->u.map.pairs[3].value->u.str.s, "last");
}

static int
read_some(void *ctx, struct error *e)
{
	struct arena AUTO_ARENA a;
	struct node *n;
	struct diag d;

	arena_init(&a, 1 << 20);
	diag_init(&d, &a, "f");
	if (yaml_read(ctx, strlen(ctx), &options, &a, &n, &d, e) == -1)
		return -1;
	return arena_check(&a, e);
}

static void
test_torture(void **state)
{
	struct strbuf AUTO_STRBUF b;
	unsigned i;

	(void)state;
	strbuf_init(&b, 1 << 20);
	strbuf_adds(&b, "a: &a {x: 1, y: 2}\nb: {<<: *a, z: 3}\n");
	for (i = 0; i < 20; i++)
		strbuf_addf(
		    &b, "&k%u k%u: !ENV 'some ${A} text, ${X}'\n", i, i);
	strbuf_adds(&b,
	    "l: !!pairs [a: 1, b: 2]\ns: !!set {a, b}\n"
	    "n: [0x10, 1.5, 2001-01-01, yes, ~]\n");
	torture(read_some, b.buf);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_faults),
	cmocka_unit_test(test_positions),
	cmocka_unit_test(test_values),
	cmocka_unit_test(test_unset),
	cmocka_unit_test(test_bombs),
	cmocka_unit_test(test_alias_bombs),
	cmocka_unit_test(test_limits),
	cmocka_unit_test(test_many_keys),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
