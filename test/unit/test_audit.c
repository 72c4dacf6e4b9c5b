/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The audit trail: order, pages, the bound, what a restart finds, gaps of
 * failed batches, failing allocations; and a store of the tables of before.
 */
#include "test/unit/support/store_kit.h"

#include <stdio.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/tables.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "test/unit/support/torture.h"

static void
open_store(struct kit *k, const char *dir)
{
	static const char *const names[TABLE_COUNT] = TABLE_NAMES;
	struct store_config c = kit_config(dir);

	c.tables = names;
	c.tables_n = TABLE_COUNT;
	kit_open(k, &c);
}

static struct audit_entry
entry(const char *path)
{
	return (struct audit_entry){ .at = 1700000000500,
		.status = 200,
		.token = "ci",
		.address = "::1",
		.request_id = "r",
		.method = "PUT",
		.path = path };
}

static void
put(struct kit *k, struct audit *a, unsigned n)
{
	struct store_batch b;
	char path[32];

	store_batch_init(&b);
	(void)snprintf(path, sizeof(path), "/%u", n);
	struct audit_entry x = entry(path);
	audit_put(a, &b, &x);
	assert_int_equal(kit_submit(k, &b), OVE_NONE);
}

/* Ids of the list as "3 2 1 ". */
static void
expect(struct audit *a, size_t limit, uint64_t before, const char *ids)
{
	AUTO_ARENA struct arena arena;
	struct error e = ERROR_INIT;
	struct node *list;
	char text[256] = "";
	size_t len = 0;

	arena_init(&arena, 1 << 20);
	test_ok(audit_list(a, limit, before, &arena, &list, &e), &e);
	for (size_t i = 0; i < list->u.list.n; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%d ",
		    (int)node_get(list->u.list.items[i], "id")->u.i);
	assert_string_equal(text, ids);
}

static void
newest_first_and_in_pages(void **state)
{
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	AUTO_ARENA struct arena arena;
	struct error e = ERROR_INIT;
	struct node *list, *n;
	struct kit k;

	arena_init(&arena, 1 << 20);
	open_store(&k, d->path);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 100 }, &e), &e);
	expect(a, 10, 0, "");
	for (unsigned i = 1; i <= 4; i++)
		put(&k, a, i);
	expect(a, 10, 0, "4 3 2 1 ");
	expect(a, 2, 0, "4 3 ");
	expect(a, 2, 3, "2 1 ");
	expect(a, 2, 1, "");
	test_ok(audit_list(a, 1, 0, &arena, &list, &e), &e);
	n = list->u.list.items[0];
	assert_string_equal(node_text(node_get(n, "token")), "ci");
	assert_string_equal(node_text(node_get(n, "address")), "::1");
	assert_string_equal(node_text(node_get(n, "request_id")), "r");
	assert_string_equal(node_text(node_get(n, "method")), "PUT");
	assert_string_equal(node_text(node_get(n, "path")), "/4");
	assert_int_equal(node_get(n, "status")->u.i, 200);
	assert_true(node_get(n, "at")->u.f == 1700000000.5);
	kit_close(&k);
}

static void
bounded_also_after_a_restart(void **state)
{
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	struct error e = ERROR_INIT;
	struct kit k;

	open_store(&k, d->path);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	for (unsigned i = 1; i <= 5; i++)
		put(&k, a, i);
	expect(a, 10, 0, "5 4 3 ");
	a = audit_free(a);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	put(&k, a, 6);
	expect(a, 10, 0, "6 5 4 ");
	audit_set_keep(a, &(struct keep){ .n = 1 });
	put(&k, a, 7);
	expect(a, 10, 0, "7 ");
	kit_close(&k);
}

/* Until there is no more. */
static void
tidy_all(struct kit *k, struct audit *a)
{
	struct error e = ERROR_INIT;
	int rc;

	while ((rc = audit_tidy(a, &e)) == 0)
		assert_int_equal(
		    kit_put(k, TABLE_STATUS, "a", "b", 1), OVE_NONE);
	assert_int_equal(rc, AUDIT_TIDY);
}

static void
what_is_too_old_or_too_much_goes(void **state)
{
	static char path[20000];
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	struct audit_entry x = entry(path);
	struct keep keep = { .n = 1000 };
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct kit k;

	open_store(&k, d->path);
	test_ok(audit_new(&a, k.store, &keep, &e), &e);
	for (unsigned i = 1; i <= 500; i++)
		put(&k, a, i);
	(void)memset(path, 'x', sizeof(path) - 1);
	x.at = clock_wall_ms();
	for (unsigned i = 0; i < 4; i++) {
		store_batch_init(&b);
		audit_put(a, &b, &x);
		assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	}
	tidy_all(&k, a);
	expect(a, 5, 0, "504 503 502 501 500 ");
	keep.ms = 3600000;
	audit_set_keep(a, &keep);
	tidy_all(&k, a);
	expect(a, 10, 0, "504 503 502 501 ");
	keep.bytes = 50000;
	audit_set_keep(a, &keep);
	tidy_all(&k, a);
	expect(a, 10, 0, "504 503 ");
	keep.n = 1;
	audit_set_keep(a, &keep);
	tidy_all(&k, a);
	expect(a, 10, 0, "504 ");
	put(&k, a, 505);
	expect(a, 10, 0, "505 ");
	kit_close(&k);
}

static void
a_batch_that_is_dropped_leaves_a_gap(void **state)
{
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	struct audit_entry x = entry("/lost");
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct kit k;

	open_store(&k, d->path);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	put(&k, a, 1);
	store_batch_init(&b);
	audit_put(a, &b, &x);
	store_batch_fini(&b);
	put(&k, a, 3);
	expect(a, 10, 0, "3 1 ");
	put(&k, a, 4);
	expect(a, 10, 0, "4 3 ");
	kit_close(&k);
}

static void
what_another_version_wrote_is_passed_over(void **state)
{
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct db_key key;
	struct kit k;

	open_store(&k, d->path);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	put(&k, a, 1);
	store_batch_init(&b);
	key_init(&key);
	key_be64(&key, 2);
	store_batch_put(&b, TABLE_AUDIT, &key, "\x02", 1);
	assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	expect(a, 10, 0, "1 ");
	kit_close(&k);
}

/* The schema stays 1: what an older program made opens, what it had stays, and
 * it opens what we made. */
static void
a_store_with_fewer_tables(void **state)
{
	static const char *const names[] = { "jobs", "active", "queue",
		"status" };
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	struct store_config c = kit_config(d->path);
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct db_val v;
	struct db_key key;
	struct kit k;

	c.tables = names;
	c.tables_n = ARRAY_LEN(names);
	kit_open(&k, &c);
	store_batch_init(&b);
	key_init(&key);
	key_str(&key, "x");
	store_batch_put(&b, TABLE_STATUS, &key, "y", 1);
	assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	kit_close(&k);

	open_store(&k, d->path);
	test_ok(store_check(k.store, &e), &e);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	put(&k, a, 1);
	kit_close(&k);

	kit_open(&k, &c);
	test_ok(store_check(k.store, &e), &e);
	test_ok(db_begin_read(store_db(k.store), &t, &e), &e);
	test_ok(db_get(&t, TABLE_STATUS, &key, &v, &e), &e);
	assert_memory_equal(v.p, "y", v.len);
	db_txn_end(&t);
	kit_close(&k);

	open_store(&k, d->path);
	a = audit_free(a);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	expect(a, 10, 0, "1 ");
	kit_close(&k);
}

static int
all(void *ctx, struct error *e)
{
	struct kit *k = ctx;
	AUTO(audit) struct audit *a = NULL;
	AUTO_ARENA struct arena arena;
	AUTO_BATCH struct store_batch b;
	struct audit_entry x = entry("/");
	struct node *list;

	arena_init(&arena, 1 << 20);
	store_batch_init(&b);
	if (audit_new(&a, k->store, &(struct keep){ .n = 3 }, e) < 0)
		return -1;
	audit_put(a, &b, &x);
	if (store_batch_check(&b, e) < 0)
		return -1;
	return audit_list(a, 10, 0, &arena, &list, e);
}

static void
no_memory(void **state)
{
	const struct test_dir *d = *state;
	AUTO(audit) struct audit *a = NULL;
	struct error e = ERROR_INIT;
	struct kit k;

	open_store(&k, d->path);
	test_ok(audit_new(&a, k.store, &(struct keep){ .n = 3 }, &e), &e);
	put(&k, a, 1);
	torture(all, &k);
	kit_close(&k);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(newest_first_and_in_pages),
	TEST_IN_DIR(bounded_also_after_a_restart),
	TEST_IN_DIR(what_is_too_old_or_too_much_goes),
	TEST_IN_DIR(a_batch_that_is_dropped_leaves_a_gap),
	TEST_IN_DIR(what_another_version_wrote_is_passed_over),
	TEST_IN_DIR(a_store_with_fewer_tables),
	TEST_IN_DIR(no_memory),
};

TEST_MAIN(tests)
