/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tree to YAML: the style of each kind of value, and that all is read back.
 * test_yaml.py compares the same with PyYAML, for trees made at random.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_write.h"
#include "test/unit/support/torture.h"

static const struct yaml_options options = { .env = NULL };

static struct node *
from_json(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n;

	test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

/* Writes n, compares, and reads it back. */
static void
writes(struct arena *a, const struct node *n, unsigned flags, const char *yaml)
{
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *back;
	struct diag d;

	strbuf_init(&out, 1 << 20);
	yaml_write(&out, n, flags);
	test_ok(strbuf_check(&out, &e), &e);
	assert_string_equal(out.buf, yaml);
	diag_init(&d, a, "f");
	test_ok(yaml_read(out.buf, out.len, &options, a, &back, &d, &e), &e);
	assert_true(node_equal(n, back));
}

static void
test_structure(void **state)
{
	static const struct {
		const char *json;
		const char *yaml;
	} cases[] = {
		{ "{}", "{}\n" },
		{ "[]", "[]\n" },
		{ "null", "null\n" },
		{ "\"a\"", "a\n" },
		{ "{\"b\":1,\"a\":[]}", "b: 1\na: []\n" },
		{ "{\"a\":[1,{\"b\":2,\"c\":3}]}",
		    "a:\n- 1\n- b: 2\n  c: 3\n" },
		{ "[[1,[2]],[],{}]", "- - 1\n  - - 2\n- []\n- {}\n" },
		{ "{\"a\":{\"b\":{\"c\":true}}}", "a:\n  b:\n    c: true\n" },
		{ "{\"a b\":{\"c: d\":null}}", "a b:\n  'c: d': null\n" },
		/* No reader takes these as keys of one line. */
		{ "{\"\":1,\"a\\nb\":[2],\"c\":{\"\":{\"d\":3}}}",
		    "? ''\n: 1\n? 'a\n\n  b'\n: - 2\nc:\n  ? ''\n"
		    "  : d: 3\n" },
		{ "[1.0,1e20,1.5e300,-0.0,1e-7]",
		    "- 1.0\n- 1.0e+20\n- 1.5e+300\n- -0.0\n- 1.0e-07\n" },
		{ "[9223372036854775807,123456789012345678901234567890]",
		    "- 9223372036854775807\n"
		    "- 123456789012345678901234567890\n" },
	};
	struct arena AUTO_ARENA a;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++)
		writes(&a, from_json(&a, cases[i].json), 0, cases[i].yaml);
}

/* Written as they are, and in single quotes: what YAML 1.1 or 1.2 would take
 * for something else, and what is syntax. */
static void
test_quotes(void **state)
{
	static const char *const plain[] = { "a", "a b", "a:b", "a#b", ":a",
		"-a", "?a", "a'b", "a\"b", "0x", "1.2.3", "12:61", "<<<", "~a",
		"nulls", "1e", "0o9", "v1.0", "a,b", "a]" };
	static const char *const quoted[] = { "yes", "No", "TRUE", "off", "~",
		"null", "0644", "08", "1:30", "1_000", ".5", "1.", "-.inf",
		".nan", "2001-01-01", "2001-01-01 10:00:00", "=", "<<", "0o17",
		"1e3", "1.0e3", "-.5", "2001", "+12e03", "0b1", "0x1F", "- a",
		"-", "?", "? a", ": a", ":", "# a", "a: b", "a #b", "a:", ",a",
		"[a", "]", "{a", "}", "&a", "*a", "!a", "|a", ">a", "\"a", "%a",
		"@a", "`a", "---", "---a", "...", " a", "a " };
	struct arena AUTO_ARENA a;
	char text[64];
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(plain); i++) {
		(void)snprintf(text, sizeof(text), "%s\n", plain[i]);
		writes(&a, node_str(&a, plain[i]), 0, text);
	}
	for (i = 0; i < ARRAY_LEN(quoted); i++) {
		(void)snprintf(text, sizeof(text), "'%s'\n", quoted[i]);
		writes(&a, node_str(&a, quoted[i]), 0, text);
	}
	writes(&a, node_str(&a, ""), 0, "''\n");
	writes(&a, node_str(&a, "'a'"), 0, "'''a'''\n");
}

static void
test_escapes(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *yaml;
	} cases[] = {
		{ "a\nb", 3, "'a\n\n  b'\n" },
		{ "a\n", 2, "'a\n\n  '\n" },
		{ "a\n b", 4, "\"a\\n b\"\n" },
		{ "a \nb", 4, "\"a \\nb\"\n" },
		{ "\ta", 2, "\"\\ta\"\n" },
		{ "\"\\\x01\x7f\r\x1b", 6, "\"\\\"\\\\\\x01\\x7F\\r\\e\"\n" },
		{ "a\0b", 3, "\"a\\0b\"\n" },
		{ "\xc2\x85\xc2\xa0\xc3\xa9\xe2\x80\xa8\xef\xbb\xbf", 12,
		    "\"\\N\\_\\xE9\\L\\uFEFF\"\n" },
		{ "\xf0\x9f\x98\x80", 4, "\"\\U0001F600\"\n" },
	};
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++)
		writes(&a, node_strn(&a, cases[i].text, cases[i].len), 0,
		    cases[i].yaml);
	/* What is no text is not kept, but is readable. */
	yaml_write(&out, node_strn(&a, "a\xff z", 4), YAML_LITERAL);
	assert_string_equal(out.buf, "\"a\\uFFFD z\"\n");
}

static void
test_folding(void **state)
{
#define TEN "aaaa bbbb "
#define EIGHTY TEN TEN TEN TEN TEN TEN TEN TEN
	static const struct {
		const char *json;
		const char *yaml;
	} cases[] = {
		{ "\"" EIGHTY "a b  c d\"", EIGHTY "a\n  b  c d\n" },
		{ "[[\"" EIGHTY "c: d e\"]]",
		    "- - '" TEN TEN TEN TEN TEN TEN TEN
		    "aaaa bbbb\n    c: d e'\n" },
		/* Neither a key nor a run of blanks is cut. */
		{ "{\"" EIGHTY "c d\":1}", EIGHTY "c d: 1\n" },
		{ "\"" EIGHTY "c  d\"", EIGHTY "c  d\n" },
		{ "\"" EIGHTY "\\t b c\"", "\"" EIGHTY "\\t\\\n  \\ b c\"\n" },
		{ "\"" EIGHTY "cc d\\t\"", "\"" EIGHTY "cc\\\n  \\ d\\t\"\n" },
	};
	struct arena AUTO_ARENA a;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++)
		writes(&a, from_json(&a, cases[i].json), 0, cases[i].yaml);
}

static void
test_literal(void **state)
{
	static const struct {
		const char *json;
		const char *yaml;
	} cases[] = {
		{ "{\"a\":\"b\\n  c\\n\",\"d\":1}",
		    "a: |\n  b\n    c\nd: 1\n" },
		{ "{\"a\":\"b\\n\\nc\"}", "a: |-\n  b\n\n  c\n" },
		{ "{\"a\":\"b\\n\\n\",\"c\":1}", "a: |+\n  b\n\nc: 1\n" },
		{ "[[\"b\\n \\tc \\n  \"]]",
		    "- - |-\n    b\n     \tc \n      \n" },
		{ "\"\\u00e9:\\n- #\\n\"", "|\n  \xc3\xa9:\n  - #\n" },
		{ "{\"a\\nb\":1}", "? |-\n  a\n  b\n: 1\n" },
		/* What a block cannot hold, and one line. */
		{ "\" a\\nb\"", "' a\n\n  b'\n" },
		{ "\"\\na\"", "'\n\n  a'\n" },
		{ "\"a\\r\\nb\"", "\"a\\r\\nb\"\n" },
		{ "\"a\\u2028\\nb\"", "\"a\\L\\nb\"\n" },
		{ "\"a\"", "a\n" },
	};
	struct arena AUTO_ARENA a;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++)
		writes(&a, from_json(&a, cases[i].json), YAML_LITERAL,
		    cases[i].yaml);
}

/* Types that JSON has not. */
static void
test_types(void **state)
{
	static const struct {
		const char *in;
		const char *out;
	} cases[] = {
		{ "[.inf, -.inf, .nan]", "- .inf\n- -.inf\n- .nan\n" },
		{ "{2: a, yes: b, ~: c, 1.5: d}",
		    "2: a\ntrue: b\nnull: c\n1.5: d\n" },
		{ "2001-1-2t3:04:05.6+5:30",
		    "2001-01-02 03:04:05.600000+05:30\n" },
		{ "2001-01-02", "2001-01-02\n" },
		{ "[!!binary '', !!binary YQ==, !!binary YWJjZA==]",
		    "- !!binary \"\"\n- !!binary \"YQ==\"\n"
		    "- !!binary \"YWJjZA==\"\n" },
		{ "!!set {a, b}", "!!set\na: null\nb: null\n" },
		{ "[!!set {a}, {k: !!set {b}}, !!set {}]",
		    "- !!set\n  a: null\n- k: !!set\n    b: null\n"
		    "- !!set {}\n" },
	};
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;
	struct diag d;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		diag_init(&d, &a, "f");
		test_ok(yaml_read(cases[i].in, strlen(cases[i].in), &options,
			    &a, &n, &d, &e),
		    &e);
		writes(&a, n, YAML_LITERAL, cases[i].out);
	}
}

static int
write_some(void *ctx, struct error *e)
{
	struct strbuf AUTO_STRBUF out;

	strbuf_init(&out, 1 << 20);
	yaml_write(&out, ctx, YAML_LITERAL);
	return strbuf_check(&out, e);
}

static void
test_torture(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *n;

	(void)state;
	arena_init(&a, 1 << 20);
	n = from_json(
	    &a, "{\"a\":[1,2.5,\"x\\ny\",{\"b\":\"" EIGHTY EIGHTY "\\t\"}]}");
	torture(write_some, n);
	strbuf_init(&out, 20);
	yaml_write(&out, n, 0);
	test_fails(strbuf_check(&out, &e), &e, OVE_LIMIT);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_structure),
	cmocka_unit_test(test_quotes),
	cmocka_unit_test(test_escapes),
	cmocka_unit_test(test_folding),
	cmocka_unit_test(test_literal),
	cmocka_unit_test(test_types),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
