/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Randomness: lengths, bounds, forms; and that two draws differ.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/rand.h"

static void
bytes_fill_all(void **state)
{
	unsigned char buf[1000], seen[1000] = { 0 };
	size_t round, i;

	(void)state;
	buf[999] = 0;
	rand_bytes(buf, 0);
	for (round = 0; round < 8; round++) {
		memset(buf, 0, sizeof(buf));
		rand_bytes(buf, sizeof(buf) - 1);
		assert_int_equal(buf[999], 0);
		for (i = 0; i < sizeof(buf); i++)
			seen[i] |= buf[i];
	}
	/* That a byte is 0 eight times happens once in 2^64. */
	for (i = 0; i < sizeof(buf) - 1; i++)
		assert_int_not_equal(seen[i], 0);
	assert_true(rand_u64() != rand_u64());
}

static void
below_is_below_and_reaches_all(void **state)
{
	unsigned seen = 0, i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		assert_int_equal(rand_below(1), 0);
		assert_true(rand_below(UINT64_MAX) < UINT64_MAX);
		seen |= 1U << rand_below(7);
	}
	assert_int_equal(seen, 0x7f);
}

static void
hex_has_length(void **state)
{
	static const size_t lens[] = { 0, 1, 8, 32, 33, 64, 99 };
	char buf[101];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		memset(buf, '!', sizeof(buf));
		rand_hex(buf, lens[i]);
		assert_int_equal(strspn(buf, "0123456789abcdef"), lens[i]);
		assert_int_equal(buf[lens[i]], '\0');
		assert_int_equal(buf[lens[i] + 1], '!');
	}
}

static void
uuid_has_form(void **state)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
	char a[RAND_UUID_LEN], b[RAND_UUID_LEN];
	size_t i;

	(void)state;
	rand_uuid(a);
	rand_uuid(b);
	assert_string_not_equal(a, b);
	assert_int_equal(strlen(a), sizeof(form) - 1);
	for (i = 0; i < sizeof(form) - 1; i++) {
		if (form[i] == 'x')
			assert_non_null(strchr("0123456789abcdef", a[i]));
		else if (form[i] == 'y')
			assert_non_null(strchr("89ab", a[i]));
		else
			assert_int_equal(a[i], form[i]);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bytes_fill_all),
	cmocka_unit_test(below_is_below_and_reaches_all),
	cmocka_unit_test(hex_has_length),
	cmocka_unit_test(uuid_has_form),
};
TEST_MAIN(tests)
