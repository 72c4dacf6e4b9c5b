/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Revoked tokens: in force before they are on disk, taken back when that fails,
 * there after a restart, damaged records, failing allocations.
 */
#include "test/unit/support/store_kit.h"

#include <string.h>

#include "daemon/revoked.h"
#include "daemon/tables.h"
#include "lib/base/arena.h"
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

static void
add(struct kit *k, struct revoked *r, const char *id)
{
	struct kit_wait w = { .loop = k->loop };
	struct error e = ERROR_INIT;

	test_ok(revoked_add(r, id, "me", NULL, kit_done, &w, &e), &e);
	assert_true(revoked_has(r, id));
	kit_wait(&w, 1);
	assert_int_equal(w.failed_n, 0);
	assert_true(revoked_has(r, id));
}

static void
in_force_and_kept(void **state)
{
	const struct test_dir *d = *state;
	AUTO(revoked) struct revoked *r = NULL;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct node *list;
	struct kit k;

	arena_init(&a, 1 << 20);
	open_store(&k, d->path);
	test_ok(revoked_new(&r, k.store, &e), &e);
	add(&k, r, "c");
	add(&k, r, "a");
	add(&k, r, "b");
	assert_int_equal(
	    revoked_add(r, "a", "me", NULL, NULL, NULL, &e), REVOKED_BEFORE);
	assert_false(revoked_has(r, "d"));
	assert_false(revoked_has(r, ""));
	r = revoked_free(r);
	test_ok(revoked_new(&r, k.store, &e), &e);
	assert_true(revoked_has(r, "a") && revoked_has(r, "c"));
	assert_false(revoked_has(r, "d"));
	test_ok(revoked_list(r, &a, &list, &e), &e);
	assert_int_equal(list->u.list.n, 3);
	assert_string_equal(
	    node_text(node_get(list->u.list.items[0], "id")), "a");
	assert_string_equal(
	    node_text(node_get(list->u.list.items[2], "by")), "me");
	kit_close(&k);
}

static void
ids_that_are_none(void **state)
{
	const struct test_dir *d = *state;
	AUTO(revoked) struct revoked *r = NULL;
	struct error e = ERROR_INIT;
	char id[66];
	struct kit k;

	open_store(&k, d->path);
	test_ok(revoked_new(&r, k.store, &e), &e);
	memset(id, 'x', sizeof(id));
	id[65] = '\0';
	test_fails(
	    revoked_add(r, id, "me", NULL, NULL, NULL, &e), &e, OVE_INVALID);
	error_clear(&e);
	test_fails(
	    revoked_add(r, "", "me", NULL, NULL, NULL, &e), &e, OVE_INVALID);
	assert_false(revoked_has(r, id));
	id[64] = '\0';
	add(&k, r, id);
	kit_close(&k);
}

/* Twice at once; the first fails, with what was joined to it. */
static void
one_of_two_fails(void **state)
{
	const struct test_dir *d = *state;
	AUTO(revoked) struct revoked *r = NULL;
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct db_key key;
	struct kit k;

	open_store(&k, d->path);
	test_ok(revoked_new(&r, k.store, &e), &e);
	store_batch_init(&b);
	key_init(&key);
	/* Latches the batch. */
	store_batch_put(&b, TABLE_STATUS, &key, "x", 1);
	test_fails(
	    revoked_add(r, "a", "me", &b, NULL, NULL, &e), &e, OVE_INVALID);
	assert_false(revoked_has(r, "a"));
	struct kit_wait w = { .loop = k.loop };
	error_clear(&e);
	test_ok(revoked_add(r, "a", "me", NULL, kit_done, &w, &e), &e);
	store_batch_init(&b);
	store_batch_put(&b, TABLE_STATUS, &key, "x", 1);
	test_fails(
	    revoked_add(r, "a", "me", &b, NULL, NULL, &e), &e, OVE_INVALID);
	assert_true(revoked_has(r, "a"));
	kit_wait(&w, 1);
	assert_true(revoked_has(r, "a"));
	kit_close(&k);
}

static void
gone_while_under_way(void **state)
{
	const struct test_dir *d = *state;
	AUTO(revoked) struct revoked *r = NULL;
	struct error e = ERROR_INIT;
	struct kit_wait w;
	struct kit k;

	open_store(&k, d->path);
	test_ok(revoked_new(&r, k.store, &e), &e);
	w = (struct kit_wait){ .loop = k.loop };
	test_ok(revoked_add(r, "a", "me", NULL, kit_done, &w, &e), &e);
	r = revoked_free(r);
	kit_close(&k);
	assert_int_equal(w.n, 0);
	open_store(&k, d->path);
	test_ok(revoked_new(&r, k.store, &e), &e);
	assert_true(revoked_has(r, "a"));
	kit_close(&k);
}

static int
all(void *ctx, struct error *e)
{
	struct kit *k = ctx;
	AUTO(revoked) struct revoked *r = NULL;
	AUTO_ARENA struct arena arena;
	struct kit_wait w = { .loop = k->loop };
	struct node *list;

	arena_init(&arena, 1 << 20);
	if (revoked_new(&r, k->store, e) < 0 ||
	    revoked_list(r, &arena, &list, e) < 0)
		return -1;
	if (revoked_add(r, "b", "me", NULL, kit_done, &w, e) != 0) {
		assert_false(revoked_has(r, "b"));
		return -1;
	}
	kit_wait(&w, 1);
	return w.failed_n > 0 ? error_nomem(e) : 0;
}

static void
no_memory(void **state)
{
	const struct test_dir *d = *state;
	AUTO(revoked) struct revoked *r = NULL;
	struct error e = ERROR_INIT;
	struct kit k;

	open_store(&k, d->path);
	test_ok(revoked_new(&r, k.store, &e), &e);
	add(&k, r, "a");
	torture(all, &k);
	kit_close(&k);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(in_force_and_kept),
	TEST_IN_DIR(ids_that_are_none),
	TEST_IN_DIR(one_of_two_fails),
	TEST_IN_DIR(gone_while_under_way),
	TEST_IN_DIR(no_memory),
};

TEST_MAIN(tests)
