/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Expected values are those of Python's shlex. */

#include "lib/base/shellword.h"

#include <string.h>

#include "support/test.h"
#include "support/torture.h"

static void
words_are_quoted_where_they_must(void **state)
{
	static const char *const cases[][2] = {
		{ "", "''" },
		{ "a", "a" },
		{ "A=1", "A=1" },
		{ "_@%+=:,./-", "_@%+=:,./-" },
		{ "a b", "'a b'" },
		{ "~", "'~'" },
		{ "$x", "'$x'" },
		{ "it's", "'it'\"'\"'s'" },
		{ "'", "''\"'\"''" },
		{ "a\nb", "'a\nb'" },
		{ "\xc3\xa4", "'\xc3\xa4'" },
	};
	struct strbuf b AUTO_STRBUF;

	(void)state;
	strbuf_init(&b, 1024);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&b);
		shellword_quote(&b, cases[i][0]);
		assert_int_equal(strbuf_check(&b, NULL), 0);
		assert_string_equal(b.buf, cases[i][1]);
	}
}

static void
text_is_split_as_a_shell_does(void **state)
{
	static const struct {
		const char *text;
		const char *words[6];
	} cases[] = {
		{ "", { NULL } },
		{ " \t\r\n ", { NULL } },
		{ "-o R,L=cidata", { "-o", "R,L=cidata" } },
		{ "  a  b\n", { "a", "b" } },
		{ "'a b' \"c d\"", { "a b", "c d" } },
		{ "a'b'\"c\"d", { "abcd" } },
		{ "'' \"\" x''", { "", "", "x" } },
		{ "a\\ b \\' \\\\", { "a b", "'", "\\" } },
		{ "'\\' x", { "\\", "x" } },
		{ "\"\\\" \\\\ \\n \\$\"", { "\" \\ \\n \\$" } },
		{ "a#b # c", { "a#b", "#", "c" } },
		{ "a;b|c $x `y`", { "a;b|c", "$x", "`y`" } },
		{ "a\\\nb", { "a\nb" } },
		{ "a b c d e", { "a", "b", "c", "d", "e" } },
	};
	struct error e = ERROR_INIT;
	struct arena a AUTO_ARENA;
	const char *const *words;
	size_t n, k;

	(void)state;
	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		test_ok(shellword_split(cases[i].text, &a, &words, &n, &e), &e);
		for (k = 0; k < n && cases[i].words[k] != NULL; k++)
			assert_string_equal(words[k], cases[i].words[k]);
		assert_int_equal(k, n);
		assert_null(cases[i].words[k]);
		assert_null(words[n]);
	}
}

static void
text_that_is_not_whole_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "a 'b", "No closing quotation" },
		{ "\"", "No closing quotation" },
		{ "\"a\\\"", "No closing quotation" },
		{ "a\\", "No escaped character" },
	};
	struct arena a AUTO_ARENA;
	const char *const *words;
	size_t n;

	(void)state;
	arena_init(&a, 1 << 16);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error e = ERROR_INIT;

		test_fails(shellword_split(cases[i][0], &a, &words, &n, &e), &e,
		    OVE_INVALID);
		assert_string_equal(e.text, cases[i][1]);
	}
}

static void
what_was_quoted_is_split_again(void **state)
{
	struct error e = ERROR_INIT;
	struct strbuf b AUTO_STRBUF;
	struct arena a AUTO_ARENA;
	const char *const *words;
	char text[4] = "";
	size_t n;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&b, 1024);
	for (int c = 1; c < 256; c++) {
		text[0] = text[2] = (char)c;
		text[1] = 'x';
		strbuf_reset(&b);
		shellword_quote(&b, text);
		test_ok(shellword_split(b.buf, &a, &words, &n, &e), &e);
		assert_int_equal(n, 1);
		assert_string_equal(words[0], text);
	}
}

static int
split(void *ctx, struct error *e)
{
	struct arena a AUTO_ARENA;
	const char *const *words;
	size_t n;

	arena_init(&a, 1 << 16);
	return shellword_split(ctx, &a, &words, &n, e);
}

static void
failing_memory(void **state)
{
	char text[] = "a 'b c' d";

	(void)state;
	torture(split, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(words_are_quoted_where_they_must),
	cmocka_unit_test(text_is_split_as_a_shell_does),
	cmocka_unit_test(text_that_is_not_whole_is_refused),
	cmocka_unit_test(what_was_quoted_is_split_again),
	cmocka_unit_test(failing_memory),
};
TEST_MAIN(tests)
