/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Characters: their bytes, what they are, and their cases.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/utf8.h"
#include "lib/data/tmpl_char.h"

static void
test_bytes(void **state)
{
	uint32_t c;
	char text[4];
	size_t len;

	(void)state;
	for (c = 0; c <= TMPL_CHAR_MAX; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		len = tmpl_char_put(c, text);
		if (utf8_char_len(text, len) != len ||
		    tmpl_char_len(text) != len || tmpl_char_at(text) != c)
			fail_msg("U+%04X", (unsigned)c);
	}
}

static void
test_classes(void **state)
{
	static const struct {
		uint32_t c;
		unsigned classes;
	} cases[] = {
		{ 0, 0 },
		{ '\n', 0 },
		{ ' ', TMPL_CHAR_PRINT },
		{ '7',
		    TMPL_CHAR_DECIMAL | TMPL_CHAR_DIGIT | TMPL_CHAR_NUMERIC |
			TMPL_CHAR_PRINT },
		{ 'A', TMPL_CHAR_ALPHA | TMPL_CHAR_UPPER | TMPL_CHAR_PRINT },
		{ 'z', TMPL_CHAR_ALPHA | TMPL_CHAR_LOWER | TMPL_CHAR_PRINT },
		{ 0xad, 0 },
		{ 0xb2, TMPL_CHAR_DIGIT | TMPL_CHAR_NUMERIC | TMPL_CHAR_PRINT },
		{ 0xe9, TMPL_CHAR_ALPHA | TMPL_CHAR_LOWER | TMPL_CHAR_PRINT },
		/* In a run where cases alternate. */
		{ 0x100, TMPL_CHAR_ALPHA | TMPL_CHAR_UPPER | TMPL_CHAR_PRINT },
		{ 0x101, TMPL_CHAR_ALPHA | TMPL_CHAR_LOWER | TMPL_CHAR_PRINT },
		{ 0x1c5, TMPL_CHAR_ALPHA | TMPL_CHAR_TITLE | TMPL_CHAR_PRINT },
		{ 0x200b, 0 },
		{ 0x4e00,
		    TMPL_CHAR_ALPHA | TMPL_CHAR_NUMERIC | TMPL_CHAR_PRINT },
		{ 0x1f600, TMPL_CHAR_PRINT },
		{ 0x10ffff, 0 },
	};
	size_t i;
	unsigned bit;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		for (bit = 1; bit <= TMPL_CHAR_PRINT; bit <<= 1) {
			if (tmpl_char_is(cases[i].c, bit) !=
			    ((cases[i].classes & bit) != 0))
				fail_msg(
				    "U+%04X: %x", (unsigned)cases[i].c, bit);
		}
	}
	assert_true(tmpl_char_is_space(0x3000));
	assert_true(tmpl_char_is_space(0x1f));
	assert_false(tmpl_char_is_space(0x200b));
	assert_true(tmpl_char_is_break(0x2028));
	assert_true(tmpl_char_is_break(0x1c));
	assert_false(tmpl_char_is_break(0x1f));
}

static void
test_case(void **state)
{
	static const struct {
		uint32_t c;
		enum tmpl_case to;
		const char *text;
	} cases[] = {
		{ 'a', TMPL_UPPER, "A" },
		{ 'A', TMPL_LOWER, "a" },
		{ '7', TMPL_UPPER, "7" },
		{ 0xe9, TMPL_UPPER, "\xc3\x89" },
		{ 0xdf, TMPL_UPPER, "SS" },
		{ 0xdf, TMPL_TITLE, "Ss" },
		{ 0xdf, TMPL_LOWER, "\xc3\x9f" },
		{ 0xdf, TMPL_FOLD, "ss" },
		{ 'A', TMPL_FOLD, "a" },
		{ 0xff, TMPL_UPPER, "\xc5\xb8" },
		{ 0x101, TMPL_UPPER, "\xc4\x80" },
		{ 0x100, TMPL_UPPER, "\xc4\x80" },
		/* Its title case is neither. */
		{ 0x1c6, TMPL_TITLE, "\xc7\x85" },
		{ 0x1c6, TMPL_UPPER, "\xc7\x84" },
		{ 0x10d0, TMPL_TITLE, "\xe1\x83\x90" },
		{ 0x10428, TMPL_UPPER, "\xf0\x90\x90\x80" },
		{ 0x130, TMPL_LOWER, "i\xcc\x87" },
	};
	char text[TMPL_CASE_LEN + 1];
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		len = tmpl_char_case(cases[i].c, cases[i].to, text);
		text[len] = '\0';
		assert_string_equal(text, cases[i].text);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_bytes),
	cmocka_unit_test(test_classes),
	cmocka_unit_test(test_case),
};

TEST_MAIN(tests)
