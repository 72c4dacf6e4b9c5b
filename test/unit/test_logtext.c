/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Text of logs: escape sequences, line ends, what is not UTF-8; every start of
 * a text is cleaned without reading beyond it.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "daemon/logtext.h"
#include "lib/base/mem.h"
#include "lib/base/utf8.h"
#include "test/unit/support/torture.h"

/* clang-format off */
#define T(in, out) { in, sizeof(in) - 1, out, sizeof(out) - 1 }
/* clang-format on */

static const struct {
	const char *in;
	size_t in_len;
	const char *out;
	size_t out_len;
} cases[] = {
	T("", ""),
	T("x", "x"),
	T("x\n", "x"),
	T("\n", ""),
	T("\n\n", "\n"),
	T("a\nb\r\nc\rd\r\n", "a\nb\nc\nd"),
	T("\r\n\r\n", "\n"),
	T("\n\r", "\n"),
	T("a\x0b\x0c\x1c"
	  "b",
	    "a\x0b\x0c\x1c"
	    "b"),
	T("\x1b[1;31mred\x1b[0m", "red"),
	T("\x1b[m\x1b[m", ""),
	T("\x1b[ !/~x", "x"),
	T("\x1b[?25h\n\x1b[K", "\n"),
	T("\xc2\x9b"
	  "31mx",
	    "x"),
	T("\x1b", "\x1b"),
	T("\x1b[", "\x1b["),
	T("\x1b[12", "\x1b[12"),
	T("\x1b[1\nm", "\x1b[1\nm"),
	T("\x1b[1\x7fm", "\x1b[1\x7fm"),
	T("\x1b[\x1b[mx", "\x1b[x"),
	T("\x1b]0;t\x07", "\x1b]0;t\x07"),
	T("\x9b", "\xef\xbf\xbd"),
	T("a\xff\xc3(\xe2\x82",
	    "a\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef"
	    "\xbf\xbd"),
	T("a\0b\n\0", "a\0b\n\0"),
	T("\xe2\x82\xac\xf0\x9f\x98\x80", "\xe2\x82\xac\xf0\x9f\x98\x80"),
};

static void
texts_come_out_clean(void **state)
{
	AUTO_STRBUF struct strbuf b;

	(void)state;
	strbuf_init(&b, 1000);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&b);
		logtext_clean(&b, cases[i].in, cases[i].in_len);
		assert_int_equal(b.len, cases[i].out_len);
		assert_memory_equal(b.buf, cases[i].out, b.len);
	}
}

/* In a buffer of its own each time, so that a sanitizer sees an excess. */
static void
every_start_of_a_text_is_read_to_its_end(void **state)
{
	static const char text[] = "a\x1b[1;2mb\r\n\xe2\x82\xac\xc2\x9b"
				   "3 qx\xf0\x9f\x98\x80\r\x1b[";
	AUTO_STRBUF struct strbuf b;

	(void)state;
	strbuf_init(&b, 1000);
	for (size_t len = 0; len < sizeof(text); len++) {
		AUTO_FREE char *copy = mem_alloc(len + (len == 0));

		assert_non_null(copy);
		memcpy(copy, text, len);
		strbuf_reset(&b);
		logtext_clean(&b, copy, len);
		assert_true(utf8_is_valid(b.buf, b.len));
	}
}

static void
what_does_not_fit_is_latched(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;

	(void)state;
	strbuf_init(&b, 4);
	logtext_clean(&b, "12345", 5);
	test_fails(strbuf_check(&b, &e), &e, OVE_LIMIT);
}

static int
clean_body(void *ctx, struct error *e)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 100000);
	for (int i = 0; i < 1000; i++)
		logtext_clean(&b, ctx, strlen(ctx));
	return strbuf_check(&b, e);
}

static void
allocations_may_fail(void **state)
{
	static char text[] = "x\xff\r\n\x1b[mabc";

	(void)state;
	torture(clean_body, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(texts_come_out_clean),
	cmocka_unit_test(every_start_of_a_text_is_read_to_its_end),
	cmocka_unit_test(what_does_not_fit_is_latched),
	cmocka_unit_test(allocations_may_fail),
};

TEST_MAIN(tests)
