/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Batches: copies in order, the first error latched, joining, failing
 * allocations.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/store/batch.h"
#include "test/unit/support/torture.h"

static struct db_key
key(const char *s)
{
	struct db_key k;

	key_init(&k);
	key_str(&k, s);
	return k;
}

static void
operations_are_copies(void **state)
{
	char text[] = "value";
	struct db_key k = key("k");
	AUTO_BATCH struct store_batch b;
	const struct store_op *op;
	unsigned char *room;

	(void)state;
	store_batch_init(&b);
	store_batch_put(&b, 3, &k, text, 5);
	text[0] = 'X';
	store_batch_del(&b, 1, &k);
	room = store_batch_put_room(&b, 0, &k, 2);
	assert_non_null(room);
	(void)memcpy(room, "zz", 2);
	test_ok(store_batch_check(&b, NULL), NULL);
	assert_int_equal(b.bytes, 2 + 5 + 2 + 2);
	assert_true(b.has_put);

	op = STAILQ_FIRST(&b.ops);
	assert_int_equal(op->table, 3);
	assert_false(op->del);
	assert_int_equal(op->key_len, 2);
	assert_memory_equal(op->key, "k\0value", 7);
	op = STAILQ_NEXT(op, link);
	assert_true(op->del);
	assert_int_equal(op->len, 0);
	op = STAILQ_NEXT(op, link);
	assert_memory_equal(op->key, "k\0zz", 4);
	assert_null(STAILQ_NEXT(op, link));
}

static void
joining_moves(void **state)
{
	struct db_key k = key("k");
	AUTO_BATCH struct store_batch a;
	AUTO_BATCH struct store_batch b;

	(void)state;
	store_batch_init(&a);
	store_batch_init(&b);
	store_batch_del(&a, 0, &k);
	assert_false(a.has_put);
	store_batch_put(&b, 1, &k, "v", 1);
	store_batch_join(&a, &b);
	assert_true(STAILQ_EMPTY(&b.ops));
	assert_int_equal(b.bytes, 0);
	assert_true(a.has_put);
	assert_int_equal(STAILQ_NEXT(STAILQ_FIRST(&a.ops), link)->table, 1);
	/* Both can be used on. */
	store_batch_put(&b, 2, &k, "v", 1);
	store_batch_join(&a, &b);
	assert_int_equal(a.bytes, 6);
}

static void
errors_are_latched(void **state)
{
	struct db_key good = key("k"), empty, over;
	struct error e = ERROR_INIT;
	AUTO_BATCH struct store_batch a;
	AUTO_BATCH struct store_batch b;

	(void)state;
	store_batch_init(&a);
	store_batch_init(&b);
	key_init(&empty);
	over = good;
	over.over = true;
	store_batch_put(&a, 0, &empty, "", 0);
	store_batch_put(&a, 0, &good, "", 0);
	assert_true(STAILQ_EMPTY(&a.ops));
	test_fails(store_batch_check(&a, &e), &e, OVE_INVALID);
	store_batch_fini(&a);
	test_ok(store_batch_check(&a, &e), &e);
	store_batch_del(&a, 0, &over);
	test_fails(store_batch_check(&a, &e), &e, OVE_INVALID);
	store_batch_fini(&a);
	store_batch_del(&a, DB_TABLES_MAX, &good);
	test_fails(store_batch_check(&a, &e), &e, OVE_INVALID);
	store_batch_fini(&a);
	store_batch_put(&a, 0, &good, "", STORE_VALUE_MAX + 1);
	test_fails(store_batch_check(&a, &e), &e, OVE_LIMIT);
	/* It goes along. */
	store_batch_join(&b, &a);
	test_ok(store_batch_check(&a, &e), &e);
	test_fails(store_batch_check(&b, &e), &e, OVE_LIMIT);
}

static int
fill(void *ctx, struct error *e)
{
	struct db_key k = key("k");
	AUTO_BATCH struct store_batch b;

	(void)ctx;
	store_batch_init(&b);
	store_batch_put(&b, 0, &k, "v", 1);
	store_batch_del(&b, 0, &k);
	(void)store_batch_put_room(&b, 0, &k, 100);
	return store_batch_check(&b, e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(fill, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(operations_are_copies),
	cmocka_unit_test(joining_moves),
	cmocka_unit_test(errors_are_latched),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
