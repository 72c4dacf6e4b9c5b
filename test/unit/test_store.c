/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The store: where it lies, schema versions old and new, check, backup, failing
 * allocations. What the writer does is in test_writer.c.
 */
#include "test/unit/support/store_kit.h"

#include <sys/stat.h>

#include <stdio.h>
#include <string.h>

#include "test/unit/support/torture.h"

static unsigned upgrades[8];
static unsigned upgrades_n;
static bool upgrade_fails;

static int
upgrade(struct db_txn *t, unsigned from, struct error *e)
{
	struct db_val k = { "upgraded", 9 }, v = { &from, sizeof(from) };

	upgrades[upgrades_n++] = from;
	db_put(t, KIT_OTHER, k, v);
	if (upgrade_fails && from == 3)
		return error_set(e, OVE_CORRUPT, "cannot");
	return 0;
}

static int
try_open(struct kit *k, const struct store_config *c, struct error *e)
{
	int rc;

	test_ok(loop_new(&k->loop, e), e);
	k->store = NULL;
	rc = store_open(&k->store, k->loop, c, e);
	if (rc == -1)
		kit_close(k);
	return rc;
}

static void
it_lies_in_its_place(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct store_stats st;
	struct stat sb;
	char path[300];
	struct kit k;

	c.map_bytes = 0;
	kit_open(&k, &c);
	(void)snprintf(path, sizeof(path), "%s/state", d->path);
	assert_int_equal(stat(path, &sb), 0);
	assert_int_equal(sb.st_mode & 07777, 0700);
	store_get_stats(k.store, &st);
	assert_true(st.map_bytes >= (size_t)16 << 20);
	assert_true(st.used_bytes > 0);
	assert_int_equal(kit_put(&k, KIT_OTHER, "a", "b", 1), OVE_NONE);
	kit_close(&k);
	kit_open(&k, &c);
	assert_int_equal(kit_get_len(&k, KIT_OTHER, "a"), 1);
	kit_close(&k);
}

static void
a_newer_schema_is_refused(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	char want[400];
	struct kit k;

	c.schema = 4;
	kit_open(&k, &c);
	assert_int_equal(kit_put(&k, KIT_OTHER, "a", "b", 1), OVE_NONE);
	kit_close(&k);
	c.schema = 3;
	c.upgrade = upgrade;
	test_fails(try_open(&k, &c, &e), &e, OVE_UNSUPPORTED);
	(void)snprintf(want, sizeof(want),
	    "open store %s/state: schema 4 is newer than this program's 3",
	    d->path);
	assert_string_equal(error_text(&e), want);
	c.schema = 4;
	kit_open(&k, &c);
	assert_int_equal(kit_get_len(&k, KIT_OTHER, "a"), 1);
	kit_close(&k);
}

static void
an_older_schema_is_upgraded(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct kit k;

	c.schema = 2;
	kit_open(&k, &c);
	kit_close(&k);
	c.schema = 5;
	test_fails(try_open(&k, &c, &e), &e, OVE_UNSUPPORTED);
	assert_non_null(strstr(error_text(&e), "schema 2 is older"));

	/* All steps or none. */
	c.upgrade = upgrade;
	upgrades_n = 0;
	upgrade_fails = true;
	test_fails(try_open(&k, &c, &e), &e, OVE_CORRUPT);
	assert_non_null(strstr(error_text(&e), "upgrade schema 3: cannot"));
	upgrades_n = 0;
	upgrade_fails = false;
	error_clear(&e);
	test_ok(try_open(&k, &c, &e), &e);
	assert_int_equal(upgrades_n, 3);
	assert_int_equal(upgrades[0], 2);
	assert_int_equal(upgrades[2], 4);
	assert_int_equal(
	    kit_get_len(&k, KIT_OTHER, "upgraded"), sizeof(unsigned));
	kit_close(&k);
	upgrades_n = 0;
	kit_open(&k, &c);
	assert_int_equal(upgrades_n, 0);
	kit_close(&k);
}

static void
a_damaged_schema_is_refused(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct kit k;

	kit_open(&k, &c);
	/* The store's own table comes after the user's. */
	assert_int_equal(
	    kit_put(&k, ARRAY_LEN(kit_tables), "schema", "x", 1), OVE_NONE);
	kit_close(&k);
	test_fails(try_open(&k, &c, &e), &e, OVE_CORRUPT);
}

static void
checks_and_copies(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	static char big[100000];
	char path[300], copy[300];
	struct kit k;
	unsigned i;

	kit_open(&k, &c);
	for (i = 0; i < 50; i++) {
		(void)snprintf(path, sizeof(path), "%u", i);
		assert_int_equal(
		    kit_put(&k, i % 4, path, big, i * 2000), OVE_NONE);
	}
	test_ok(store_check(k.store, &e), &e);
	(void)snprintf(path, sizeof(path), "%s/copy", d->path);
	(void)snprintf(copy, sizeof(copy), "%s/copy/state", d->path);
	test_ok(store_backup(k.store, copy, &e), &e);
	kit_close(&k);
	c.dir = path;
	kit_open(&k, &c);
	assert_int_equal(kit_get_len(&k, 1, "49"), 98000);
	test_ok(store_check(k.store, &e), &e);
	kit_close(&k);
}

static void
too_many_tables_are_refused(void **state)
{
	static const char *many[DB_TABLES_MAX];
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct kit k;

	c.tables = many;
	c.tables_n = DB_TABLES_MAX;
	test_fails(try_open(&k, &c, &e), &e, OVE_LIMIT);
}

struct opening {
	struct loop *loop;
	const char *dir;
};

static int
torture_open(void *ctx, struct error *e)
{
	struct opening *o = ctx;
	struct store_config c = kit_config(o->dir);
	AUTO(store) struct store *s = NULL;

	return store_open(&s, o->loop, &c, e);
}

static void
allocations_may_fail(void **state)
{
	struct test_dir *d = *state;
	struct opening o = { NULL, d->path };
	struct error e = ERROR_INIT;

	test_ok(loop_new(&o.loop, &e), &e);
	/* libevent keeps the tables that it grows. */
	test_ok(torture_open(&o, &e), &e);
	torture(torture_open, &o);
	o.loop = loop_free(o.loop);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(it_lies_in_its_place),
	TEST_IN_DIR(a_newer_schema_is_refused),
	TEST_IN_DIR(an_older_schema_is_upgraded),
	TEST_IN_DIR(a_damaged_schema_is_refused),
	TEST_IN_DIR(checks_and_copies),
	TEST_IN_DIR(too_many_tables_are_refused),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
