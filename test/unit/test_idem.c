/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Idempotency-Key: what is the same request, for how long, and that what is too
 * old goes away.
 */
#include "test/unit/support/store_kit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/idem.h"
#include "daemon/tables.h"
#include "test/unit/support/torture.h"

#define NOW INT64_C(1700000000500)

static void
open_store(struct kit *k, const char *dir)
{
	static const char *const names[TABLE_COUNT] = TABLE_NAMES;
	struct store_config c = kit_config(dir);

	c.tables = names;
	c.tables_n = TABLE_COUNT;
	kit_open(k, &c);
}

static struct idem_key
make(const char *a, const char *b, const char *body)
{
	const char *const parts[] = { a, b };
	struct idem_key k;

	idem_key_make(&k, parts, 2, body, strlen(body));
	return k;
}

static void
put(struct kit *k, const struct idem_key *key, int64_t now, uint64_t job)
{
	struct error e = ERROR_INIT;
	struct store_batch b;

	store_batch_init(&b);
	test_ok(
	    idem_put(k->store, &b, key, now, (struct job_id){ job }, &e), &e);
	assert_int_equal(kit_submit(k, &b), OVE_NONE);
}

static uint64_t
entries(struct kit *k)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct error e = ERROR_INIT;
	uint64_t n = 0;

	test_ok(db_begin_read(store_db(k->store), &t, &e), &e);
	test_ok(db_count(&t, TABLE_IDEM, &n, &e), &e);
	return n;
}

static void
keys_that_are_good(void **state)
{
	char longest[257];

	(void)state;
	memset(longest, 'x', sizeof(longest));
	longest[256] = '\0';
	assert_false(idem_key_ok(longest));
	longest[255] = '\0';
	assert_true(idem_key_ok(longest));
	assert_true(idem_key_ok("a b~"));
	assert_false(idem_key_ok(""));
	assert_false(idem_key_ok("a\n"));
	assert_false(idem_key_ok("\xc3\xa9"));
}

static void
parts_do_not_run_into_each_other(void **state)
{
	struct idem_key one = make("ab", "c", "body");
	struct idem_key two = make("a", "bc", "body");
	struct idem_key same = make("ab", "c", "other");

	(void)state;
	assert_string_not_equal(one.id, two.id);
	assert_string_equal(one.body, two.body);
	assert_string_equal(one.id, same.id);
	assert_string_not_equal(one.body, same.body);
	assert_int_equal(strlen(one.id), IDEM_DIGEST_LEN - 1);
}

static void
found_for_a_day(void **state)
{
	const struct test_dir *d = *state;
	struct idem_key key = make("a", "b", "body");
	struct idem_key other = make("a", "b", "other");
	struct job_id id = { 0 };
	struct error e = ERROR_INIT;
	struct kit k;

	open_store(&k, d->path);
	assert_int_equal(idem_find(k.store, &key, NOW, &id, &e), IDEM_NEW);
	put(&k, &key, NOW, 7);
	test_ok(idem_find(k.store, &key, NOW, &id, &e), &e);
	assert_int_equal(id.v, 7);
	assert_int_equal(idem_find(k.store, &other, NOW, &id, &e), IDEM_OTHER);
	/* A clock that went back is no reason for a second job. */
	test_ok(idem_find(k.store, &key, NOW - 1000, &id, &e), &e);
	test_ok(idem_find(k.store, &key, NOW + IDEM_KEEP_MS - 1, &id, &e), &e);
	assert_int_equal(
	    idem_find(k.store, &key, NOW + IDEM_KEEP_MS, &id, &e), IDEM_NEW);
	/* Used again after that: the old time does not take it away. */
	put(&k, &other, NOW + IDEM_KEEP_MS, 8);
	assert_int_equal(entries(&k), 2);
	test_ok(
	    idem_find(k.store, &other, NOW + IDEM_KEEP_MS + 1, &id, &e), &e);
	assert_int_equal(id.v, 8);
	kit_close(&k);
}

static void
old_ones_go(void **state)
{
	const struct test_dir *d = *state;
	struct job_id id;
	struct error e = ERROR_INIT;
	struct idem_key key;
	struct kit k;
	char name[16];

	open_store(&k, d->path);
	for (unsigned i = 0; i < 40; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		key = make(name, "", "");
		put(&k, &key, NOW + i, i + 1);
	}
	assert_int_equal(entries(&k), 80);
	key = make("new", "", "");
	put(&k, &key, NOW + IDEM_KEEP_MS + 29, 99);
	assert_int_equal(entries(&k), 80 - 32 + 2);
	put(&k, &key, NOW + IDEM_KEEP_MS + 29, 99);
	/* The other 14 of the first 30. */
	assert_int_equal(entries(&k), 20 + 2);
	key = make("30", "", "");
	test_ok(idem_find(k.store, &key, NOW + IDEM_KEEP_MS + 29, &id, &e), &e);
	assert_int_equal(id.v, 31);
	kit_close(&k);
}

static void
a_damaged_note(void **state)
{
	const struct test_dir *d = *state;
	struct idem_key key = make("a", "b", "");
	struct job_id id;
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct db_key k8;
	struct kit k;

	open_store(&k, d->path);
	store_batch_init(&b);
	key_init(&k8);
	key_u8(&k8, 0);
	key_str(&k8, key.id);
	store_batch_put(&b, TABLE_IDEM, &k8, "\x01", 1);
	assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	test_fails(idem_find(k.store, &key, NOW, &id, &e), &e, OVE_CORRUPT);
	kit_close(&k);
}

static int
all(void *ctx, struct error *e)
{
	struct kit *k = ctx;
	AUTO_BATCH struct store_batch b;
	struct idem_key key = make("0", "", "");
	struct job_id id;

	store_batch_init(&b);
	if (idem_find(k->store, &key, NOW, &id, e) < 0 ||
	    idem_put(k->store, &b, &key, NOW + IDEM_KEEP_MS,
		(struct job_id){ 1 }, e) < 0)
		return -1;
	return store_batch_check(&b, e);
}

static void
no_memory(void **state)
{
	const struct test_dir *d = *state;
	struct idem_key key = make("0", "", "");
	struct kit k;

	open_store(&k, d->path);
	put(&k, &key, NOW, 1);
	torture(all, &k);
	kit_close(&k);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(keys_that_are_good),
	cmocka_unit_test(parts_do_not_run_into_each_other),
	TEST_IN_DIR(found_for_a_day),
	TEST_IN_DIR(old_ones_go),
	TEST_IN_DIR(a_damaged_note),
	TEST_IN_DIR(no_memory),
};

TEST_MAIN(tests)
