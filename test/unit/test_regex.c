/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Patterns: found anywhere, Unicode, faults with their offset, a limit. */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/regex.h"
#include "test/unit/support/torture.h"

static const struct {
	const char *pattern;
	const char *text;
	bool found;
} rows[] = {
	{ "b", "abc", true },
	{ "^b", "abc", false },
	{ "", "abc", true },
	{ "c$", "abc\n", true },
	{ "\\w", "\xc3\xa9", true },
	{ "[\\p{Cc}\\p{Zl}]", "\xe2\x80\xa8", true },
	{ "[\\p{Cc}\\p{Zl}]", "\xe4\xb8\xad", false },
	{ "(?i)ABC", "xabcx", true },
};

static void
texts_are_searched(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct regex *r AUTO(regex) = NULL;

		test_ok(regex_new(&r, rows[i].pattern, &e), &e);
		if (regex_search(r, rows[i].text, strlen(rows[i].text)) !=
		    rows[i].found)
			fail_msg("'%s' in '%s'", rows[i].pattern, rows[i].text);
	}
}

static void
faults_have_an_offset(void **state)
{
	struct regex *r AUTO(regex) = NULL;
	struct error e = ERROR_INIT;

	(void)state;
	test_fails(regex_new(&r, "(", &e), &e, OVE_INVALID);
	assert_string_equal(
	    error_text(&e), "missing closing parenthesis at offset 1");
	assert_null(r);
}

/* As Python's re reads them; the offset is that of the person's text. */
static void
patterns_of_python(void **state)
{
	static const struct {
		const char *pattern;
		const char *text;
		bool found;
	} python[] = {
		{ "a\\Z", "a", true },
		{ "a\\Z", "a\n", false },
		{ "a\\\\Z", "a\\Z", true },
		{ "^\\u00e9$", "\xc3\xa9", true },
		{ "^\\U0001F600$", "\xf0\x9f\x98\x80", true },
		{ "(?P<n>a)(?P=n)", "xaax", true },
		{ "a(?=b)(?!bc)", "abd", true },
		{ "\\.log$", "a/b.log\n", true },
	};
	static const char *const faulty[][2] = {
		{ "\\u00e9(", "missing closing parenthesis at offset 7" },
		{ "\\Z[",
		    "missing terminating ] for character class at offset "
		    "3" },
		{ "\\", "\\ at end of pattern at offset 1" },
	};
	struct error e = ERROR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(python); i++) {
		struct regex *r AUTO(regex) = NULL;

		test_ok(regex_new_python(&r, python[i].pattern, &e), &e);
		if (regex_search(r, python[i].text, strlen(python[i].text)) !=
		    python[i].found)
			fail_msg(
			    "'%s' in '%s'", python[i].pattern, python[i].text);
	}
	for (size_t i = 0; i < ARRAY_LEN(faulty); i++) {
		struct regex *r AUTO(regex) = NULL;

		test_fails(
		    regex_new_python(&r, faulty[i][0], &e), &e, OVE_INVALID);
		assert_string_equal(error_text(&e), faulty[i][1]);
		error_clear(&e);
	}
}

static void
no_pattern_hangs(void **state)
{
	static const char text[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!";
	struct regex *r AUTO(regex) = NULL;
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(regex_new(&r, "^(([a-z])+.)+[A-Z]([a-z])+$", &e), &e);
	assert_false(regex_search(r, text, sizeof(text) - 1));
}

static int
body(void *ctx, struct error *e)
{
	struct regex *r AUTO(regex) = NULL;

	if (regex_new_python(&r, ctx, e) < 0)
		return -1;
	(void)regex_search(r, "text", 4);
	return 0;
}

static void
memory_may_fail(void **state)
{
	char pattern[] = "(a|b)+\\p{L}";

	(void)state;
	torture(body, pattern);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(texts_are_searched),
	cmocka_unit_test(faults_have_an_offset),
	cmocka_unit_test(patterns_of_python),
	cmocka_unit_test(no_pattern_hangs),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
