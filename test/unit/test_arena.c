/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The arena: alignment, zeroes, the maximum, reset, failing allocations.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/arena.h"
#include "test/unit/support/torture.h"

static void
objects_are_aligned_zeroed_apart(void **state)
{
	struct arena a AUTO_ARENA;
	unsigned char *p, *last = NULL;
	size_t i, k;

	(void)state;
	arena_init(&a, 1000000);
	for (i = 0; i < 2000; i++) {
		p = arena_alloc(&a, i % 200);
		assert_non_null(p);
		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		assert_ptr_not_equal(p, last);
		for (k = 0; k < i % 200; k++)
			assert_int_equal(p[k], 0);
		memset(p, 0xff, i % 200);
		last = p;
	}
	assert_true(a.used <= a.max);
}

static void
texts_are_copied(void **state)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 1000000);
	assert_string_equal(arena_strdup(&a, "hello"), "hello");
	assert_string_equal(arena_strndup(&a, "hello", 2), "he");
	assert_string_equal(arena_strndup(&a, "", 0), "");
	assert_string_equal(arena_printf(&a, "%d-%s", 7, "x"), "7-x");
	assert_non_null(arena_alloc(&a, 200000));
	assert_non_null(arena_calloc(&a, 10, 10));
	test_ok(arena_check(&a, &e), &e);
}

static void
maximum_latches(void **state)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	(void)state;
	arena_init(&a, 64);
	assert_non_null(arena_alloc(&a, 64));
	assert_int_equal(a.used, 64);
	test_ok(arena_check(&a, &e), &e);
	assert_null(arena_alloc(&a, 1));
	test_fails(arena_check(&a, &e), &e, OVE_LIMIT);
	assert_string_equal(error_text(&e), "more than 64 bytes");
	arena_reset(&a);
	assert_non_null(arena_alloc(&a, 1));
	assert_null(arena_strdup(&a,
	    "this text is longer than what is left of the sixty-four bytes"));
	assert_null(arena_printf(&a, "x"));
	assert_null(arena_calloc(&a, 1, 1));
	test_fails(arena_check(&a, &e), &e, OVE_LIMIT);
}

static void
huge_sizes_latch(void **state)
{
	struct arena a AUTO_ARENA;

	(void)state;
	arena_init(&a, SIZE_MAX);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_int_equal(a.latch, OVE_LIMIT);
	arena_reset(&a);
	assert_null(arena_calloc(&a, SIZE_MAX, 2));
	assert_int_equal(a.latch, OVE_LIMIT);
	arena_reset(&a);
	assert_null(arena_strndup(&a, "x", SIZE_MAX));
	assert_int_equal(a.latch, OVE_LIMIT);
	arena_reset(&a);
	/* More than the address space has, and not too much for max. */
	assert_null(arena_alloc(&a, SIZE_MAX - 15));
	assert_int_equal(a.latch, OVE_NOMEM);
}

static void
reset_keeps_one_block(void **state)
{
	struct arena a AUTO_ARENA;
	long before = torture_mem_live();
	unsigned char *p;
	size_t i;

	(void)state;
	arena_init(&a, 1000000);
	for (i = 0; i < 100; i++)
		memset(arena_alloc(&a, 5000), 0xff, 5000);
	assert_true(torture_mem_live() > before + 1);
	arena_reset(&a);
	assert_int_equal(torture_mem_live(), before + 1);
	assert_int_equal(a.used, 0);
	p = arena_alloc(&a, 5000);
	for (i = 0; i < 5000; i++)
		assert_int_equal(p[i], 0);
	assert_int_equal(torture_mem_live(), before + 1);
	arena_fini(&a);
	assert_int_equal(torture_mem_live(), before);
}

static int
fill(void *ctx, struct error *e)
{
	struct arena a AUTO_ARENA;
	size_t i;

	arena_init(&a, 1000000);
	for (i = 0; i < 50; i++) {
		(void)arena_printf(&a, "%s %zu", (const char *)ctx, i);
		(void)arena_alloc(&a, 3000);
	}
	if (arena_check(&a, e) < 0) {
		arena_reset(&a);
		assert_string_equal(arena_strdup(&a, "again"), "again");
		return -1;
	}
	return 0;
}

static void
allocations_may_fail(void **state)
{
	char text[] = "text";

	(void)state;
	torture(fill, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(objects_are_aligned_zeroed_apart),
	cmocka_unit_test(texts_are_copied),
	cmocka_unit_test(maximum_latches),
	cmocka_unit_test(huge_sizes_latch),
	cmocka_unit_test(reset_keeps_one_block),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
