/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The real mem.c: sizes of zero, overflow, copies, wiping.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"

static void
zero_is_not_null(void **state)
{
	void *p[4];
	size_t i;

	(void)state;
	p[0] = mem_alloc(0);
	p[1] = mem_calloc(0, 8);
	p[2] = mem_realloc(NULL, 0);
	p[3] = mem_dup("x", 0);
	for (i = 0; i < ARRAY_LEN(p); i++) {
		assert_non_null(p[i]);
		mem_free(p[i]);
	}
	mem_free(NULL);
}

static void
calloc_zeroes_and_checks(void **state)
{
	unsigned char *p = mem_calloc(3, 100);
	volatile size_t half = SIZE_MAX / 2 + 1;
	size_t i;

	(void)state;
	assert_non_null(p);
	for (i = 0; i < 300; i++)
		assert_int_equal(p[i], 0);
	mem_free(p);
	assert_null(mem_calloc(half, 2));
	assert_null(mem_strndup("x", half + (half - 1)));
}

static void
copies(void **state)
{
	char *s = mem_strdup("hello"), *n = mem_strndup("hello", 3);
	char *d = mem_dup("a\0b", 3);

	(void)state;
	assert_string_equal(s, "hello");
	assert_string_equal(n, "hel");
	assert_memory_equal(d, "a\0b", 3);
	s = mem_realloc(s, 4096);
	assert_string_equal(s, "hello");
	mem_free(s);
	mem_free(n);
	mem_free(d);
}

static void
wipe_zeroes(void **state)
{
	char secret[8] = "1234567";

	(void)state;
	mem_wipe(secret, 0);
	assert_string_equal(secret, "1234567");
	mem_wipe(secret, 7);
	assert_memory_equal(secret, "\0\0\0\0\0\0\0", 7);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(zero_is_not_null),
	cmocka_unit_test(calloc_zeroes_and_checks),
	cmocka_unit_test(copies),
	cmocka_unit_test(wipe_zeroes),
};
TEST_MAIN(tests)
