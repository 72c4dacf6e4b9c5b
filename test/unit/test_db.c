/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The database: tables, snapshots, walks against a plain model, latched errors,
 * what it leaves open across exec, limits on address space, copies, failing
 * allocations.
 */
#include "test/unit/support/test.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rand.h"
#include "lib/store/db.h"
#include "test/unit/support/torture.h"

#ifdef __has_feature
#  if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#    define SANITIZED
#  endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#  define SANITIZED
#endif

enum {
	ONE,
	TWO
};
static const char *const tables[] = { "one", "two" };

static struct db_config
config(const char *dir)
{
	struct db_config c = { .dir = dir,
		.map_bytes = (size_t)1 << 26,
		.tables = tables,
		.tables_n = 2 };

	return c;
}

static struct db *
open_db(const char *dir)
{
	struct db_config c = config(dir);
	struct error e = ERROR_INIT;
	struct db *db = NULL;

	test_ok(db_open(&db, &c, &e), &e);
	return db;
}

static struct db_key
key(const char *s)
{
	struct db_key k;

	key_init(&k);
	key_str(&k, s);
	return k;
}

static struct db_val
val(const void *p, size_t len)
{
	struct db_val v = { p, len };

	return v;
}

static void
put(struct db *db, unsigned table, const char *name, const char *text)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct db_key k = key(name);
	struct error e = ERROR_INIT;

	test_ok(db_begin_write(db, &t, &e), &e);
	db_put(&t, table, val(k.buf, k.len), val(text, strlen(text)));
	test_ok(db_commit(&t, &e), &e);
}

static int
get(struct db_txn *t, unsigned table, const char *name, struct db_val *ret)
{
	struct db_key k = key(name);

	return db_get(t, table, &k, ret, NULL);
}

static void
values_come_back(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct db_txn t;
	struct db_val v;
	struct db *db;
	uint64_t n;

	db = open_db(d->path);
	put(db, ONE, "a", "text");
	put(db, TWO, "b", "");
	db = db_free(db);
	db = open_db(d->path);
	test_ok(db_begin_read(db, &t, &e), &e);
	assert_int_equal(get(&t, ONE, "a", &v), 0);
	assert_int_equal(v.len, 4);
	assert_memory_equal(v.p, "text", 4);
	assert_int_equal(get(&t, ONE, "b", &v), DB_NOTFOUND);
	assert_int_equal(get(&t, TWO, "b", &v), 0);
	assert_int_equal(v.len, 0);
	test_ok(db_count(&t, ONE, &n, &e), &e);
	assert_int_equal(n, 1);
	db_txn_end(&t);
	db_txn_end(&t);
	test_ok(db_reopen(db, &e), &e);
	test_ok(db_begin_read(db, &t, &e), &e);
	assert_int_equal(get(&t, ONE, "a", &v), 0);
	db_txn_end(&t);
	assert_false(db_is_stuck(db));
	db = db_free(db);
}

static void
snapshots_stand_still(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct db_txn t;
	struct db_val v;
	struct db *db;

	db = open_db(d->path);
	put(db, ONE, "a", "old");
	test_ok(db_begin_read(db, &t, &e), &e);
	put(db, ONE, "a", "newer");
	assert_int_equal(get(&t, ONE, "a", &v), 0);
	assert_memory_equal(v.p, "old", 3);
	db_txn_end(&t);
	test_ok(db_begin_read(db, &t, &e), &e);
	assert_int_equal(get(&t, ONE, "a", &v), 0);
	assert_int_equal(v.len, 5);
	db_txn_end(&t);
	db = db_free(db);
}

static void
errors_are_latched(void **state)
{
	const struct test_dir *d = *state;
	struct db_key k = key("a"), over;
	struct error e = ERROR_INIT;
	struct db_txn t;
	struct db_val v;
	struct db *db;

	db = open_db(d->path);
	test_ok(db_begin_write(db, &t, &e), &e);
	db_put(&t, ONE, val(k.buf, k.len), val("x", 1));
	db_put(&t, 7, val(k.buf, k.len), val("x", 1));
	db_put(&t, ONE, val(k.buf, k.len), val("y", 1));
	db_del(&t, ONE, val(k.buf, k.len));
	test_fails(db_commit(&t, &e), &e, OVE_INVALID);
	db_txn_end(&t);
	test_ok(db_begin_write(db, &t, &e), &e);
	db_put(&t, ONE, val("", 0), val("x", 1));
	test_fails(db_commit(&t, &e), &e, OVE_INVALID);
	/* Whole or absent; a missing key is fine to delete. */
	test_ok(db_begin_write(db, &t, &e), &e);
	db_del(&t, ONE, val(k.buf, k.len));
	test_ok(db_commit(&t, &e), &e);
	test_ok(db_begin_read(db, &t, &e), &e);
	assert_int_equal(get(&t, ONE, "a", &v), DB_NOTFOUND);
	over = k;
	over.over = true;
	test_fails(db_get(&t, ONE, &over, &v, &e), &e, OVE_INVALID);
	over.over = false;
	over.len = 0;
	test_fails(db_get(&t, ONE, &over, &v, &e), &e, OVE_INVALID);
	db_txn_end(&t);
	db = db_free(db);
}

/* Walks */

#define NAMES_MAX 300

struct walk {
	/* What is expected, in order. */
	const char *want[NAMES_MAX];
	size_t want_n;
	size_t n;
	size_t stop_at;
};

static bool
walk_entry(struct db_val k, struct db_val v, void *ctx)
{
	struct walk *w = ctx;

	assert_true(w->n < w->want_n);
	assert_memory_equal(k.p, w->want[w->n], k.len);
	assert_int_equal(v.len, k.len);
	w->n++;
	return w->n != w->stop_at;
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* The model of a walk: all names, sorted, that match. */
static void
expect(struct walk *w, char names[][8], size_t n, const char *prefix,
    const char *from, enum db_walk_dir dir)
{
	size_t i, at;

	(void)memset(w, 0, sizeof(*w));
	for (i = 0; i < n; i++) {
		at = dir == DB_FORWARDS ? i : n - 1 - i;
		if (at > 0 && strcmp(names[at], names[at - 1]) == 0)
			continue;
		if (prefix != NULL &&
		    strncmp(names[at], prefix, strlen(prefix)) != 0)
			continue;
		if (from != NULL && dir == DB_FORWARDS &&
		    strcmp(names[at], from) < 0)
			continue;
		if (from != NULL && dir == DB_BACKWARDS &&
		    strcmp(names[at], from) > 0)
			continue;
		w->want[w->want_n++] = names[at];
	}
}

static void
random_name(char name[8])
{
	size_t i, len;

	len = 1 + (size_t)rand_below(5);
	for (i = 0; i < len; i++)
		name[i] = "ab\xff"[rand_below(3)];
	name[len] = '\0';
}

static void
raw_key(struct db_key *k, const char *s)
{
	key_init(k);
	while (*s != '\0')
		key_u8(k, (uint8_t)*s++);
}

static void
walks_agree(void **state)
{
	static const char *const prefixes[] = { NULL, "", "a", "b", "\xff",
		"\xff\xff", "ab", "a\xff", "zz" };
	const struct test_dir *d = *state;
	static char names[NAMES_MAX][8];
	struct error e = ERROR_INIT;
	struct db_key prefix, from;
	const char *pre;
	char start[8];
	struct db_txn t;
	struct walk w;
	struct db *db;
	bool has_from;
	size_t i;

	db = open_db(d->path);
	test_ok(db_begin_write(db, &t, &e), &e);
	for (i = 0; i < NAMES_MAX; i++) {
		random_name(names[i]);
		db_put(&t, ONE, val(names[i], strlen(names[i])),
		    val(names[i], strlen(names[i])));
	}
	test_ok(db_commit(&t, &e), &e);
	qsort(names, NAMES_MAX, sizeof(names[0]), compare_names);
	test_ok(db_begin_read(db, &t, &e), &e);
	for (i = 0; i < 2000; i++) {
		enum db_walk_dir dir = i % 2 == 0 ? DB_FORWARDS : DB_BACKWARDS;

		pre = prefixes[rand_below(ARRAY_LEN(prefixes))];
		has_from = rand_below(2) == 0;
		random_name(start);
		/* From within the prefix, as the header has it. */
		if (has_from && pre != NULL &&
		    strncmp(start, pre, strlen(pre)) != 0)
			continue;
		expect(&w, names, NAMES_MAX, pre, has_from ? start : NULL, dir);
		if (rand_below(4) == 0 && w.want_n > 0)
			w.stop_at = 1 + (size_t)rand_below(w.want_n);
		raw_key(&prefix, pre != NULL ? pre : "");
		raw_key(&from, start);
		test_ok(db_walk(&t, ONE, pre != NULL ? &prefix : NULL,
			    has_from ? &from : NULL, dir, walk_entry, &w, &e),
		    &e);
		assert_int_equal(w.n, w.stop_at > 0 ? w.stop_at : w.want_n);
	}
	/* An empty table has nothing to walk. */
	(void)memset(&w, 0, sizeof(w));
	test_ok(
	    db_walk(&t, TWO, NULL, NULL, DB_BACKWARDS, walk_entry, &w, &e), &e);
	test_ok(
	    db_walk(&t, TWO, NULL, &from, DB_FORWARDS, walk_entry, &w, &e), &e);
	db_txn_end(&t);
	db = db_free(db);
}

static void
nothing_crosses_exec(void **state)
{
	const struct test_dir *d = *state;
	bool before[256];
	struct db *db;
	int fd, flags, n = 0;

	for (fd = 0; fd < 256; fd++)
		before[fd] = fcntl(fd, F_GETFD) != -1;
	db = open_db(d->path);
	for (fd = 0; fd < 256; fd++) {
		flags = fcntl(fd, F_GETFD);
		if (before[fd] || flags == -1)
			continue;
		n++;
		assert_true((flags & FD_CLOEXEC) != 0);
	}
	/* Data, data for the meta pages, lock. */
	assert_true(n >= 2);
	db = db_free(db);
}

static void
the_directory_is_private(void **state)
{
	const struct test_dir *d = *state;
	char path[300];
	struct stat st;
	struct db *db;

	(void)snprintf(path, sizeof(path), "%s/a/b", d->path);
	db = open_db(path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	db = db_free(db);
}

static void
a_limit_on_address_space_is_met(void **state)
{
	const struct test_dir *d = *state;
	struct db_config c = config(d->path);
	struct error e = ERROR_INIT;
	struct rlimit old, small;
	struct db *db = NULL;

	c.map_bytes = (size_t)64 << 30;
	db = NULL;
	test_ok(db_open(&db, &c, &e), &e);
	assert_true(db_map_bytes(db) == c.map_bytes);
	db = db_free(db);
#ifndef SANITIZED
	assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
	small = old;
	small.rlim_cur = (rlim_t)3 << 30;
	assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
	test_ok(db_open(&db, &c, &e), &e);
	assert_true(db_map_bytes(db) == (size_t)2 << 30);
	put(db, ONE, "a", "text");
	db = db_free(db);
	small.rlim_cur = 1 << 20;
	assert_int_equal(setrlimit(RLIMIT_AS, &small), 0);
	assert_int_equal(db_open(&db, &c, &e), -1);
	assert_int_equal(setrlimit(RLIMIT_AS, &old), 0);
	assert_int_equal(e.code, OVE_NOMEM);
#else
	(void)old;
	(void)small;
#endif
}

static void
bytes_are_counted(void **state)
{
	static char big[1 << 20];
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	uint64_t empty, full, after;
	struct db_key k = key("a");
	struct db_txn t;
	struct db *db;
	size_t visited;

	db = open_db(d->path);
	test_ok(db_used_bytes(db, &empty, NULL, &e), &e);
	test_ok(db_begin_write(db, &t, &e), &e);
	db_put(&t, ONE, val(k.buf, k.len), val(big, sizeof(big)));
	test_ok(db_commit(&t, &e), &e);
	test_ok(db_used_bytes(db, &full, NULL, &e), &e);
	assert_true(full >= empty + sizeof(big));
	assert_true(full < empty + sizeof(big) + 100000);
	test_ok(db_begin_write(db, &t, &e), &e);
	db_del(&t, ONE, val(k.buf, k.len));
	test_ok(db_commit(&t, &e), &e);
	test_ok(db_used_bytes(db, &after, &visited, &e), &e);
	assert_true(after < empty + 100000);
	assert_true(db_high_bytes(db) >= full);
	assert_true(visited > 0);
	db = db_free(db);
}

static void
copies_open(void **state)
{
	const struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	char path[300];
	struct db_txn t;
	struct db_val v;
	struct db *db;

	db = open_db(d->path);
	put(db, ONE, "a", "text");
	(void)snprintf(path, sizeof(path), "%s/copy", d->path);
	test_ok(db_backup(db, path, &e), &e);
	/* Not over another one. */
	test_fails(db_backup(db, path, &e), &e, OVE_EXISTS);
	db = db_free(db);
	db = open_db(path);
	test_ok(db_begin_read(db, &t, &e), &e);
	assert_int_equal(get(&t, ONE, "a", &v), 0);
	db_txn_end(&t);
	db = db_free(db);
}

static void
rubbish_is_refused(void **state)
{
	const struct test_dir *d = *state;
	struct db_config c = config(d->path);
	struct error e = ERROR_INIT;
	struct db *db = NULL;
	static char text[20000];

	(void)memset(text, 'x', sizeof(text) - 1);
	test_dir_put(d, "data.mdb", text);
	assert_int_equal(db_open(&db, &c, &e), -1);
	assert_true(e.code == OVE_CORRUPT || e.code == OVE_UNSUPPORTED);
	c.tables_n = DB_TABLES_MAX + 1;
	error_clear(&e);
	test_fails(db_open(&db, &c, &e), &e, OVE_LIMIT);
}

static int
refuse(struct db_txn *t, void *ctx, struct error *e)
{
	bool *refuses = ctx;

	db_put(t, ONE, val("k", 1), val("v", 1));
	return *refuses ? error_set(e, OVE_CONFLICT, "no") : 0;
}

static void
init_is_whole_or_absent(void **state)
{
	const struct test_dir *d = *state;
	struct db_config c = config(d->path);
	struct error e = ERROR_INIT;
	struct db *db = NULL;
	struct db_txn t;
	bool refuses = true;
	uint64_t n;

	c.init = refuse;
	c.init_ctx = &refuses;
	test_fails(db_open(&db, &c, &e), &e, OVE_CONFLICT);
	db = open_db(d->path);
	test_ok(db_begin_read(db, &t, &e), &e);
	test_ok(db_count(&t, ONE, &n, &e), &e);
	assert_int_equal(n, 0);
	db_txn_end(&t);
	db = db_free(db);
	refuses = false;
	error_clear(&e);
	test_ok(db_open(&db, &c, &e), &e);
	test_ok(db_begin_read(db, &t, &e), &e);
	test_ok(db_count(&t, ONE, &n, &e), &e);
	assert_int_equal(n, 1);
	db_txn_end(&t);
	db = db_free(db);
}

static int
torture_open(void *ctx, struct error *e)
{
	struct db_config c = config(ctx);
	AUTO(db) struct db *db = NULL;

	return db_open(&db, &c, e);
}

static void
allocations_may_fail(void **state)
{
	struct test_dir *d = *state;

	torture(torture_open, d->path);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(values_come_back),
	TEST_IN_DIR(snapshots_stand_still),
	TEST_IN_DIR(errors_are_latched),
	TEST_IN_DIR(walks_agree),
	TEST_IN_DIR(nothing_crosses_exec),
	TEST_IN_DIR(the_directory_is_private),
	TEST_IN_DIR(a_limit_on_address_space_is_met),
	TEST_IN_DIR(bytes_are_counted),
	TEST_IN_DIR(copies_open),
	TEST_IN_DIR(rubbish_is_refused),
	TEST_IN_DIR(init_is_whole_or_absent),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
