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

/* In pieces of these lengths, in turn. */
static void
feed(struct strbuf *out, const char *text, size_t len, size_t a, size_t b)
{
	struct logtext t;
	size_t at = 0;

	strbuf_reset(out);
	logtext_init(&t);
	for (size_t i = 0; at < len; i++) {
		size_t n = i % 2 == 0 ? a : b;

		n = n < len - at ? n : len - at;
		logtext_feed(&t, out, text + at, n);
		at += n;
	}
	logtext_end(&t, out);
	logtext_fini(&t);
}

static void
pieces_make_the_text_of_the_whole(void **state)
{
	AUTO_STRBUF struct strbuf whole, b;

	(void)state;
	strbuf_init(&whole, 10000);
	strbuf_init(&b, 10000);
	/* Every two texts one after the other, cut everywhere. */
	for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(cases); i++) {
		size_t one = i % ARRAY_LEN(cases), two = i / ARRAY_LEN(cases);
		char text[200];
		size_t len = cases[one].in_len + cases[two].in_len;

		assert_true(len < sizeof(text));
		memcpy(text, cases[one].in, cases[one].in_len);
		memcpy(
		    text + cases[one].in_len, cases[two].in, cases[two].in_len);
		strbuf_reset(&whole);
		logtext_clean(&whole, text, len);
		for (size_t n = 1; n <= len; n++)
			for (size_t m = 1; m <= 3; m++) {
				feed(&b, text, len, n, m);
				assert_int_equal(b.len, whole.len);
				assert_memory_equal(b.buf, whole.buf, b.len);
			}
	}
}

/* A sequence that does not end is text, in pieces as in whole, and what is held
 * of it is bounded. */
static void
long_sequences_are_text(void **state)
{
	static const size_t lens[] = { 4000, 4093, 4094, 4095, 4096, 90000 };
	static const size_t cuts[] = { 1, 4095, 4096, 4097, 50000 };
	AUTO_STRBUF struct strbuf whole, b;

	(void)state;
	strbuf_init(&whole, 200000);
	strbuf_init(&b, 200000);
	for (size_t i = 0; i < ARRAY_LEN(lens); i++) {
		AUTO_FREE char *text = mem_alloc(lens[i] + 4);

		assert_non_null(text);
		memset(text, '1', lens[i] + 4);
		text[0] = '\x1b';
		text[1] = '[';
		text[2 + lens[i]] = 'm';
		text[3 + lens[i]] = 'x';
		strbuf_reset(&whole);
		logtext_clean(&whole, text, lens[i] + 4);
		assert_int_equal(
		    whole.len, lens[i] + 3 <= 4096 ? 1 : lens[i] + 4);
		for (size_t n = 0; n < ARRAY_LEN(cuts); n++) {
			feed(&b, text, lens[i] + 4, cuts[n], cuts[n]);
			assert_int_equal(b.len, whole.len);
			assert_memory_equal(b.buf, whole.buf, b.len);
		}
	}
}

static void
what_is_not_known_yet_is_held(void **state)
{
	AUTO_STRBUF struct strbuf b;
	struct logtext t;

	(void)state;
	strbuf_init(&b, 100);
	logtext_init(&t);
	logtext_feed(&t, &b, "a\x1b[3", 4);
	assert_int_equal(b.len, 1);
	logtext_feed(&t, &b, "1mb\n", 4);
	assert_int_equal(b.len, 2);
	logtext_feed(&t, &b, "c\xe2\x82", 3);
	assert_int_equal(b.len, 4);
	logtext_end(&t, &b);
	assert_memory_equal(b.buf, "ab\nc\xef\xbf\xbd\xef\xbf\xbd", b.len);
	assert_int_equal(b.len, 10);
	logtext_fini(&t);
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

static int
feed_body(void *ctx, struct error *e)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 100000);
	feed(&b, ctx, strlen(ctx), 3, 2);
	return strbuf_check(&b, e);
}

static void
allocations_may_fail(void **state)
{
	static char text[] = "x\xff\r\n\x1b[mabc";

	(void)state;
	torture(clean_body, text);
	torture(feed_body, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(texts_come_out_clean),
	cmocka_unit_test(every_start_of_a_text_is_read_to_its_end),
	cmocka_unit_test(pieces_make_the_text_of_the_whole),
	cmocka_unit_test(long_sequences_are_text),
	cmocka_unit_test(what_is_not_known_yet_is_held),
	cmocka_unit_test(what_does_not_fit_is_latched),
	cmocka_unit_test(allocations_may_fail),
};

TEST_MAIN(tests)
