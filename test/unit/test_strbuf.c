/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The string buffer: additions, the maximum, the latch, escaping, and failing
 * allocations.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "test/unit/support/torture.h"

static void
empty_is_a_string(void **state)
{
	struct strbuf b AUTO_STRBUF;
	struct error e = ERROR_INIT;
	char *text;
	size_t len;

	(void)state;
	strbuf_init(&b, 10);
	assert_string_equal(b.buf, "");
	strbuf_add(&b, NULL, 0);
	strbuf_adds(&b, "");
	strbuf_addf(&b, "%s", "");
	strbuf_truncate(&b, 0);
	strbuf_consume(&b, 0);
	assert_string_equal(b.buf, "");
	test_ok(strbuf_take(&b, &text, &len, &e), &e);
	assert_string_equal(text, "");
	assert_int_equal(len, 0);
	mem_free(text);
}

static void
additions_add(void **state)
{
	struct strbuf b AUTO_STRBUF;
	size_t i;
	char *p;

	(void)state;
	strbuf_init(&b, 100000);
	strbuf_adds(&b, "one ");
	strbuf_add(&b, "two-and", 3);
	strbuf_addc(&b, ' ');
	strbuf_addf(&b, "%d-%s", 3, "x");
	assert_string_equal(b.buf, "one two 3-x");
	assert_int_equal(b.len, 11);
	p = strbuf_reserve(&b, 100);
	assert_non_null(p);
	memcpy(p, "abc", 3);
	strbuf_commit(&b, 3);
	assert_string_equal(b.buf, "one two 3-xabc");
	strbuf_consume(&b, 4);
	assert_string_equal(b.buf, "two 3-xabc");
	strbuf_truncate(&b, 3);
	assert_string_equal(b.buf, "two");
	strbuf_reset(&b);
	for (i = 0; i < 10000; i++)
		strbuf_addf(&b, "%05zu", i);
	assert_int_equal(b.len, 50000);
	assert_int_equal(strlen(b.buf), 50000);
	assert_string_equal(b.buf + 49990, "0999809999");
}

static void
maximum_latches(void **state)
{
	struct strbuf b AUTO_STRBUF;
	struct error e = ERROR_INIT;
	char *text = NULL;

	(void)state;
	strbuf_init(&b, 5);
	strbuf_adds(&b, "12345");
	test_ok(strbuf_check(&b, &e), &e);
	assert_true(b.cap <= 6);
	strbuf_addc(&b, '6');
	assert_string_equal(b.buf, "12345");
	strbuf_truncate(&b, 0);
	strbuf_addc(&b, '1');
	strbuf_addf(&b, "x");
	assert_null(strbuf_reserve(&b, 1));
	strbuf_commit(&b, 1);
	assert_string_equal(b.buf, "");
	test_fails(strbuf_check(&b, &e), &e, OVE_LIMIT);
	assert_string_equal(error_text(&e), "more than 5 bytes");
	test_fails(strbuf_take(&b, &text, NULL, &e), &e, OVE_LIMIT);
	assert_null(text);
	strbuf_reset(&b);
	strbuf_addf(&b, "%s", "abcde");
	test_ok(strbuf_take(&b, &text, NULL, &e), &e);
	assert_string_equal(text, "abcde");
	assert_string_equal(b.buf, "");
	mem_free(text);
}

static void
huge_sizes_latch(void **state)
{
	struct strbuf b AUTO_STRBUF;

	(void)state;
	strbuf_init(&b, SIZE_MAX);
	strbuf_adds(&b, "x");
	assert_null(strbuf_reserve(&b, SIZE_MAX - 1));
	assert_int_equal(b.latch, OVE_LIMIT);
	strbuf_reset(&b);
	assert_non_null(strbuf_reserve(&b, 1));
	strbuf_fini(&b);
	strbuf_init(&b, 0);
	strbuf_addc(&b, 'x');
	assert_int_equal(b.latch, OVE_LIMIT);
}

static void
escaping_by_table(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{ "", 0, "" },
		{ "plain \"text\" \\", 14, "plain \"text\" \\" },
		{ "a\nb\tc", 5, "a\\x0ab\\x09c" },
		{ "a\0b", 3, "a\\x00b" },
		{ "\x1b[31m", 5, "\\x1b[31m" },
		{ "\x7f", 1, "\\x7f" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9,
		    "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "\xc2\x9b"
		  "x",
		    3, "\\xc2\\x9bx" },
		{ "\xff\xfe", 2, "\\xff\\xfe" },
		{ "\xe2\x82", 2, "\\xe2\\x82" },
		{ "\xe2\x82\xac", 2, "\\xe2\\x82" },
		{ "\xed\xa0\x80", 3, "\\xed\\xa0\\x80" },
	};
	struct strbuf b AUTO_STRBUF;
	size_t i;

	(void)state;
	strbuf_init(&b, 100);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		strbuf_reset(&b);
		strbuf_add_escaped(&b, rows[i].in, rows[i].len);
		assert_string_equal(b.buf, rows[i].out);
	}
}

/* Also asserts that the buffer works on after a failure. */
static int
build(void *ctx, struct error *e)
{
	struct strbuf b AUTO_STRBUF;
	char *text AUTO_FREE = NULL;
	size_t i;

	strbuf_init(&b, 10000);
	for (i = 0; i < 100; i++) {
		strbuf_adds(&b, ctx);
		strbuf_addf(&b, " %zu", i);
		strbuf_add_escaped(&b, "\n", 1);
	}
	if (strbuf_check(&b, e) < 0) {
		strbuf_reset(&b);
		strbuf_adds(&b, "again");
		assert_string_equal(b.buf, "again");
		return -1;
	}
	return strbuf_take(&b, &text, NULL, e);
}

static int
take_empty(void *ctx, struct error *e)
{
	struct strbuf b AUTO_STRBUF;
	char *text AUTO_FREE = NULL;

	(void)ctx;
	strbuf_init(&b, 10);
	return strbuf_take(&b, &text, NULL, e);
}

static void
allocations_may_fail(void **state)
{
	char text[] = "some text";

	(void)state;
	torture(build, text);
	torture(take_empty, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(empty_is_a_string),
	cmocka_unit_test(additions_add),
	cmocka_unit_test(maximum_latches),
	cmocka_unit_test(huge_sizes_latch),
	cmocka_unit_test(escaping_by_table),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
