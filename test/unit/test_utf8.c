/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where UTF-8 characters end, by the table of RFC 3629.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/utf8.h"

static void
char_len_by_table(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "a", 1 },
		{ "\x7f", 1 },
		{ "\x80", 0 },
		{ "\xc0\x80", 0 },
		{ "\xc1\xbf", 0 },
		{ "\xc2\x80", 2 },
		{ "\xc2", 0 },
		{ "\xc2"
		  "a",
		    0 },
		{ "\xdf\xbf", 2 },
		{ "\xe0\x9f\xbf", 0 },
		{ "\xe0\xa0\x80", 3 },
		{ "\xe2\x82", 0 },
		{ "\xe2\x82\xac", 3 },
		{ "\xed\x9f\xbf", 3 },
		{ "\xed\xa0\x80", 0 },
		{ "\xef\xbf\xbf", 3 },
		{ "\xf0\x8f\xbf\xbf", 0 },
		{ "\xf0\x90\x80\x80", 4 },
		{ "\xf0\x90\x80", 0 },
		{ "\xf0\x90\x80"
		  "a",
		    0 },
		{ "\xf4\x8f\xbf\xbf", 4 },
		{ "\xf4\x90\x80\x80", 0 },
		{ "\xf5\x80\x80\x80", 0 },
		{ "\xff", 0 },
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		len = strlen(rows[i].text);
		if (utf8_char_len(rows[i].text, len) != rows[i].len)
			fail_msg("row %zu", i);
		if (utf8_is_valid(rows[i].text, len) != (rows[i].len == len))
			fail_msg("row %zu: valid", i);
	}
}

static void
print_len_refuses_controls(void **state)
{
	(void)state;
	assert_int_equal(utf8_print_len(" ", 1), 1);
	assert_int_equal(utf8_print_len("\0", 1), 0);
	assert_int_equal(utf8_print_len("\x1f", 1), 0);
	assert_int_equal(utf8_print_len("\x7f", 1), 0);
	assert_int_equal(utf8_print_len("\xc2\x9b", 2), 0);
	assert_int_equal(utf8_print_len("\xc2\xa0", 2), 2);
	assert_int_equal(utf8_print_len("\xff", 1), 0);
}

static void
decode_by_length(void **state)
{
	(void)state;
	assert_int_equal(utf8_decode("\x7f", 1), 0x7f);
	assert_int_equal(utf8_decode("\xc2\x80", 2), 0x80);
	assert_int_equal(utf8_decode("\xdf\xbf", 2), 0x7ff);
	assert_int_equal(utf8_decode("\xe2\x82\xac", 3), 0x20ac);
	assert_int_equal(utf8_decode("\xef\xbf\xbf", 3), 0xffff);
	assert_int_equal(utf8_decode("\xf0\x90\x80\x80", 4), 0x10000);
	assert_int_equal(utf8_decode("\xf4\x8f\xbf\xbf", 4), 0x10ffff);
}

static void
whole_len_cuts_between(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} rows[] = {
		{ "", 0 },
		{ "ab", 2 },
		{ "a\xc3\xa4", 3 },
		{ "a\xc3", 1 },
		{ "a\xe2\x82", 1 },
		{ "\xf0\x90\x80", 0 },
		{ "\xf0\x90\x80\x80", 4 },
		/* Not cut but invalid: left to others. */
		{ "\x80\x80\x80\x80", 4 },
		{ "a\x80", 2 },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		if (utf8_whole_len(rows[i].text, strlen(rows[i].text)) !=
		    rows[i].len)
			fail_msg("row %zu", i);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(char_len_by_table),
	cmocka_unit_test(print_len_refuses_controls),
	cmocka_unit_test(decode_by_length),
	cmocka_unit_test(whole_len_cuts_between),
};
TEST_MAIN(tests)
