/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The array: adding, removing, order, the maximum, failing allocations.
 */
#include "test/unit/support/test.h"

#include "lib/base/array.h"
#include "test/unit/support/torture.h"

static int
cmp_int(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
put(struct array *a, int v)
{
	struct error e = ERROR_INIT;
	int *item = array_add(a, &e);

	test_ok(item != NULL ? 0 : -1, &e);
	assert_int_equal(*item, 0);
	*item = v;
}

static int
at(const struct array *a, size_t i)
{
	const int *p = array_at(a, i);

	return *p;
}

static void
items_stay_in_order(void **state)
{
	struct array a AUTO_ARRAY;
	int i;

	(void)state;
	array_init(&a, sizeof(int), 1000);
	for (i = 0; i < 1000; i++)
		put(&a, i);
	assert_int_equal(a.n, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(at(&a, (size_t)i), i);
	array_remove(&a, 999);
	array_remove(&a, 0);
	array_remove(&a, 1);
	assert_int_equal(a.n, 997);
	assert_int_equal(at(&a, 0), 1);
	assert_int_equal(at(&a, 1), 3);
	assert_int_equal(at(&a, 996), 998);
	array_reset(&a);
	assert_int_equal(a.n, 0);
	put(&a, 5);
	assert_int_equal(at(&a, 0), 5);
}

static void
maximum_is_kept(void **state)
{
	struct array a AUTO_ARRAY;
	struct error e = ERROR_INIT;
	size_t max;
	int i;

	(void)state;
	for (max = 0; max < 20; max++) {
		array_init(&a, sizeof(int), max);
		for (i = 0; (size_t)i < max; i++)
			put(&a, i);
		assert_true(a.cap <= max);
		assert_null(array_add(&a, &e));
		assert_int_equal(e.code, OVE_LIMIT);
		assert_int_equal(a.n, max);
		array_fini(&a);
	}
	assert_string_equal(error_text(&e), "more than 19 items");
}

static void
sorted_is_searched(void **state)
{
	struct array a AUTO_ARRAY;
	int key, i, *found;

	(void)state;
	array_init(&a, sizeof(int), 100);
	array_sort(&a, cmp_int);
	key = 1;
	assert_null(array_search(&a, &key, cmp_int));
	for (i = 0; i < 100; i++)
		put(&a, (i * 37) % 100 * 2);
	array_sort(&a, cmp_int);
	for (i = 0; i < 200; i++) {
		found = array_search(&a, &i, cmp_int);
		if (i % 2 == 0)
			assert_int_equal(*found, i);
		else
			assert_null(found);
	}
}

static void
huge_items_are_no_memory(void **state)
{
	struct array a AUTO_ARRAY;
	struct error e = ERROR_INIT;

	(void)state;
	array_init(&a, SIZE_MAX / 4, SIZE_MAX);
	assert_null(array_add(&a, &e));
	assert_int_equal(e.code, OVE_NOMEM);
}

static int
fill(void *ctx, struct error *e)
{
	struct array a AUTO_ARRAY;
	size_t i, n;

	(void)ctx;
	array_init(&a, sizeof(int), 100);
	for (i = 0; i < 100; i++) {
		n = a.n;
		if (array_add(&a, e) != NULL)
			continue;
		/* What was there stays, and it works on. */
		assert_int_equal(a.n, n);
		put(&a, 1);
		assert_int_equal(a.n, n + 1);
		return -1;
	}
	return 0;
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(fill, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(items_stay_in_order),
	cmocka_unit_test(maximum_is_kept),
	cmocka_unit_test(sorted_is_searched),
	cmocka_unit_test(huge_items_are_no_memory),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
