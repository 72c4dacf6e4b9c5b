/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The cache: values and their times against a plain model, room, sweeping, what
 * outlives a crash of the process and of the machine, files that are damaged in
 * any way, failing allocations.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/store/cache.h"
#include "test/unit/support/clock_hand.h"
#include "test/unit/support/torture.h"

#define BYTES_MAX ((uint64_t)4 << 20)

static struct error why;

/* 0 or CACHE_ANEW, with `why`. */
static int
try_open(const struct test_dir *d, const char *boot, struct cache **ret)
{
	char dir[300];
	const struct cache_config c = { dir, BYTES_MAX, boot };
	struct error e = ERROR_INIT;
	int rc;

	(void)snprintf(dir, sizeof(dir), "%s/cache", d->path);
	error_clear(&why);
	rc = cache_open(ret, &c, &why, &e);
	if (rc < 0)
		fail_msg("%s", e.text);
	assert_int_equal(error_is_set(&why), rc == CACHE_ANEW);
	test_ok(cache_check(*ret, &e), &e);
	return rc;
}

static struct cache *
open_as(const struct test_dir *d, const char *boot, int want)
{
	struct cache *cache = NULL;

	assert_int_equal(try_open(d, boot, &cache), want);
	return cache;
}

static struct cache *
open_cache(const struct test_dir *d)
{
	return open_as(d, "boot", 0);
}

static struct db_key
key(const char *s)
{
	struct db_key k;

	key_init(&k);
	key_str(&k, s);
	return k;
}

static void
put(struct cache *c, const char *name, const char *text, int64_t ttl_ms)
{
	AUTO_CACHE_TXN struct cache_txn t = { .cache = NULL };
	struct error e = ERROR_INIT;
	struct db_key k = key(name);

	test_ok(cache_begin(c, &t, &e), &e);
	cache_put(&t, &k, ttl_ms, text, strlen(text));
	test_ok(cache_commit(&t, &e), &e);
}

/* Its text, or "-"; good until the next call. */
static const char *
get(struct cache *c, const char *name)
{
	static char got[1000];
	AUTO_CACHE_TXN struct cache_txn t = { .cache = NULL };
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	struct db_key k = key(name);

	strbuf_init(&b, sizeof(got) - 1);
	test_ok(cache_begin(c, &t, &e), &e);
	switch (cache_get(&t, &k, &b, &e)) {
	case 0:
		(void)snprintf(got, sizeof(got), "%s", b.buf);
		return got;
	case CACHE_NONE:
		return "-";
	default:
		fail_msg("%s", e.text);
	}
	return NULL;
}

static size_t
sweep(struct cache *c, size_t max)
{
	AUTO_CACHE_TXN struct cache_txn t = { .cache = NULL };
	struct error e = ERROR_INIT;
	size_t n;

	test_ok(cache_begin(c, &t, &e), &e);
	n = cache_sweep(&t, max);
	test_ok(cache_commit(&t, &e), &e);
	return n;
}

static uint64_t
entries(const struct cache *c)
{
	struct cache_stats st;

	cache_get_stats(c, &st);
	return st.entries;
}

static void
values_have_their_time(void **state)
{
	struct cache *c = open_cache(*state);
	struct error e = ERROR_INIT;

	assert_string_equal(get(c, "a"), "-");
	put(c, "a", "1", 1000);
	put(c, "b", "", 500);
	put(c, "c", "never", INT64_MAX);
	assert_string_equal(get(c, "a"), "1");
	assert_string_equal(get(c, "b"), "");
	clock_hand_advance(499);
	/* What the wall clock does is of no account. */
	clock_hand_set_wall(clock_wall_ms() + INT64_C(86400000));
	assert_string_equal(get(c, "b"), "");
	clock_hand_advance(1);
	assert_string_equal(get(c, "b"), "-");
	put(c, "a", "2", 2000);
	clock_hand_advance(1000);
	assert_string_equal(get(c, "a"), "2");
	clock_hand_advance(INT64_C(1) << 40);
	assert_string_equal(get(c, "a"), "-");
	assert_string_equal(get(c, "c"), "never");
	assert_int_equal(entries(c), 3);
	assert_int_equal(sweep(c, 1), 1);
	assert_int_equal(sweep(c, 10), 1);
	assert_int_equal(sweep(c, 10), 0);
	assert_int_equal(entries(c), 1);
	test_ok(cache_check(c, &e), &e);
	c = cache_free(c);
}

static void
a_transaction_is_whole_or_absent(void **state)
{
	struct cache *c = open_cache(*state);
	struct cache_txn t;
	struct error e = ERROR_INIT;
	struct db_key k = key("a");
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 100);
	put(c, "a", "1", 1000);
	test_ok(cache_begin(c, &t, &e), &e);
	cache_put(&t, &k, 1000, "2", 1);
	/* It sees its own changes. */
	test_ok(cache_get(&t, &k, &b, &e), &e);
	assert_string_equal(b.buf, "2");
	cache_del(&t, &k);
	assert_int_equal(cache_get(&t, &k, &b, &e), CACHE_NONE);
	cache_end(&t);
	assert_string_equal(get(c, "a"), "1");
	assert_int_equal(entries(c), 1);
	test_ok(cache_check(c, &e), &e);
	c = cache_free(c);
}

/* As it should be. */
struct model {
	bool there;
	int64_t until_ms;
	char text[64];
};

static void
it_is_what_a_plain_model_is(void **state)
{
	static struct model model[40];
	struct cache *c = open_cache(*state);
	struct error e = ERROR_INIT;
	char name[16];

	memset(model, 0, sizeof(model));
	for (int i = 0; i < 3000; i++) {
		uint64_t n = rand_below(40);
		struct model *m = &model[n];

		(void)snprintf(name, sizeof(name), "k%d", (int)n);
		if (rand_below(3) == 0) {
			AUTO_CACHE_TXN struct cache_txn t = { .cache = NULL };
			struct db_key k = key(name);

			test_ok(cache_begin(c, &t, &e), &e);
			cache_del(&t, &k);
			test_ok(cache_commit(&t, &e), &e);
			m->there = false;
		} else {
			int64_t ttl = (int64_t)rand_below(2000);

			(void)snprintf(m->text, sizeof(m->text), "%d %*s", i,
			    (int)rand_below(40), "");
			m->there = true;
			m->until_ms = clock_mono_ms() + ttl;
			put(c, name, m->text, ttl);
		}
		clock_hand_advance((int64_t)rand_below(50));
		if (i % 100 == 0)
			(void)sweep(c, 5);
		if (i % 500 == 0) {
			c = cache_free(c);
			c = open_cache(*state);
		}
		n = rand_below(40);
		m = &model[n];
		(void)snprintf(name, sizeof(name), "k%d", (int)n);
		assert_string_equal(get(c, name),
		    m->there && m->until_ms > clock_mono_ms() ? m->text : "-");
	}
	test_ok(cache_check(c, &e), &e);
	c = cache_free(c);
}

static void
what_ends_first_makes_room(void **state)
{
	static char text[100001];
	struct cache *c = open_cache(*state);
	struct cache_stats st;
	struct error e = ERROR_INIT;
	char name[16];

	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 400; i++) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		/* Every other one is to live longer. */
		put(c, name, text, i % 2 == 0 ? 1000000 : 1000);
	}
	cache_get_stats(c, &st);
	assert_true(st.bytes <= BYTES_MAX && st.bytes > BYTES_MAX / 2);
	assert_true(st.evicted + st.entries == 400);
	for (int i = 1; i < 300; i += 2) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		assert_string_equal(get(c, name), "-");
	}
	test_ok(cache_check(c, &e), &e);
	/* What is larger than all of it is not kept, and nothing goes for it.
	 */
	AUTO_FREE char *huge = mem_calloc(1, BYTES_MAX + 1);
	memset(huge, 'x', BYTES_MAX);
	put(c, "huge", huge, 1000);
	assert_string_equal(get(c, "huge"), "-");
	assert_int_equal(entries(c), st.entries);
	c = cache_free(c);
}

/* As a process that dies leaves it: no mark, no last sync. */
static void
crash(const struct test_dir *d, struct cache *c)
{
	c = cache_free(c);
	assert_int_equal(unlinkat(d->fd, "cache/clean", 0), 0);
}

static void
a_crash_of_the_process_costs_nothing(void **state)
{
	const struct test_dir *d = *state;
	struct cache *c = open_cache(d);

	put(c, "a", "1", 1000);
	crash(d, c);
	clock_hand_advance(400);
	c = open_as(d, "boot", 0);
	assert_string_equal(get(c, "a"), "1");
	crash(d, c);
	clock_hand_advance(600);
	c = open_as(d, "boot", 0);
	assert_string_equal(get(c, "a"), "-");
	c = cache_free(c);
}

static void
a_crash_of_the_machine_costs_all(void **state)
{
	const struct test_dir *d = *state;
	struct cache *c = open_cache(d);

	put(c, "a", "1", 1000);
	crash(d, c);
	c = open_as(d, "another boot", CACHE_ANEW);
	assert_string_equal(get(c, "a"), "-");
	put(c, "a", "2", 1000);
	/* The mark is for one start only. */
	c = cache_free(c);
	c = open_as(d, "a third", 0);
	assert_string_equal(get(c, "a"), "2");
	crash(d, c);
	c = open_as(d, "a fourth", CACHE_ANEW);
	c = cache_free(c);
}

static void
the_clock_goes_on_over_boots(void **state)
{
	const struct test_dir *d = *state;
	struct cache *c = open_cache(d);
	int64_t wall;

	put(c, "a", "1", 10000);
	put(c, "b", "1", 100000);
	c = cache_free(c);
	/* Down for 20 s; the monotonic clock of the tests goes on, that of a
	 * machine begins anew: nothing may depend on it. */
	wall = clock_wall_ms();
	clock_hand_set_wall(wall + 20000);
	c = open_as(d, "2", 0);
	assert_string_equal(get(c, "a"), "-");
	assert_string_equal(get(c, "b"), "1");
	c = cache_free(c);
	/* Set back: no time has passed. */
	clock_hand_set_wall(wall);
	c = open_as(d, "3", 0);
	assert_string_equal(get(c, "b"), "1");
	clock_hand_advance(79999);
	assert_string_equal(get(c, "b"), "1");
	clock_hand_advance(1);
	assert_string_equal(get(c, "b"), "-");
	c = cache_free(c);
}

static void
fill(const struct test_dir *d)
{
	struct cache *c = open_as(d, "boot", 0);
	char name[16], text[200];

	for (int i = 0; i < 300; i++) {
		(void)snprintf(name, sizeof(name), "k%d", i);
		(void)snprintf(text, sizeof(text), "%0*d", i % 150 + 1, i);
		put(c, name, text, 100000 + i);
	}
	c = cache_free(c);
}

static off_t
file_size(const struct test_dir *d)
{
	struct stat st;

	assert_int_equal(fstatat(d->fd, "cache/data.mdb", &st, 0), 0);
	return st.st_size;
}

static void
cut(const struct test_dir *d, off_t len)
{
	int fd = openat(d->fd, "cache/data.mdb", O_RDWR);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, len), 0);
	(void)close(fd);
}

static void
a_file_that_is_cut_off_is_thrown_away(void **state)
{
	const struct test_dir *d = *state;
	struct cache *c = NULL;
	off_t size;
	int rc;

	for (unsigned part = 0; part < 8; part++) {
		fill(d);
		size = file_size(d);
		cut(d, size * part / 8 + (part % 2 == 0 ? 0 : 100));
		if (part % 3 == 0)
			(void)unlinkat(d->fd, "cache/clean", 0);
		rc = try_open(d, "boot", &c);
		/* An empty file is none, and what is cut off may be of no use
		 * to anybody. */
		if (part == 0)
			assert_int_equal(rc, 0);
		else if (part < 6)
			assert_int_equal(rc, CACHE_ANEW);
		assert_string_equal(
		    get(c, "k1"), rc == CACHE_ANEW || part == 0 ? "-" : "01");
		put(c, "a", "1", 1000);
		assert_string_equal(get(c, "a"), "1");
		c = cache_free(c);
		(void)unlinkat(d->fd, "cache/data.mdb", 0);
	}
}

static void
a_file_that_is_damaged_does_no_harm(void **state)
{
	static unsigned char junk[4096];
	const struct test_dir *d = *state;
	unsigned anew = 0;

	for (unsigned i = 0; i < 40; i++) {
		struct cache *c = NULL;
		uint64_t at;
		int fd;

		fill(d);
		at = rand_below((uint64_t)file_size(d));
		rand_bytes(junk, sizeof(junk));
		fd = openat(d->fd, "cache/data.mdb", O_RDWR);
		/* A byte here and there, and whole pages. */
		assert_true(pwrite(fd, junk, i % 2 == 0 ? 3 : sizeof(junk),
				i % 2 == 0 ? (off_t)at
					   : (off_t)(at / 4096 * 4096)) > 0);
		(void)close(fd);
		anew += try_open(d, "boot", &c) == CACHE_ANEW;
		/* It may have been a free page. */
		assert_true(strcmp(get(c, "k7"), "-") == 0 ||
		    strcmp(get(c, "k7"), "00000007") == 0);
		put(c, "a", "1", 1000);
		c = cache_free(c);
		(void)unlinkat(d->fd, "cache/data.mdb", 0);
	}
	/* Half of the file is in use, and half of the rest is not hit. */
	assert_true(anew > 0);
}

static void
what_is_no_cache_is_thrown_away(void **state)
{
	const struct test_dir *d = *state;
	struct cache *c;

	assert_int_equal(mkdirat(d->fd, "cache", 0700), 0);
	test_dir_put(d, "cache/data.mdb", "this is no database");
	test_dir_put(d, "cache/notes", "nor is this");
	c = open_as(d, "boot", CACHE_ANEW);
	c = cache_free(c);
	assert_string_equal(test_dir_text(d, "cache/notes"), "nor is this");
}

static void
a_place_that_cannot_be_is_an_error(void **state)
{
	const struct test_dir *d = *state;
	char dir[300];
	const struct cache_config cc = { dir, BYTES_MAX, "boot" };
	struct cache *c = NULL;
	struct error e = ERROR_INIT;

	test_dir_put(d, "cache", "a file");
	(void)snprintf(dir, sizeof(dir), "%s/cache", d->path);
	assert_int_equal(cache_open(&c, &cc, &why, &e), -1);
	assert_non_null(strstr(e.text, "open cache"));
	assert_null(c);
}

static int
body(void *ctx, struct error *e)
{
	const struct cache_config cc = { ctx, BYTES_MAX, "boot" };
	AUTO(cache) struct cache *c = NULL;
	AUTO_CACHE_TXN struct cache_txn t = { .cache = NULL };
	struct error mine = ERROR_INIT;
	struct db_key k = key("a");
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 100);
	if (cache_open(&c, &cc, &mine, e) < 0 || cache_begin(c, &t, e) < 0)
		return -1;
	cache_put(&t, &k, 1000, "1", 1);
	if (cache_commit(&t, e) < 0 || cache_begin(c, &t, e) < 0)
		return -1;
	return cache_get(&t, &k, &b, e);
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;
	char dir[300];

	(void)snprintf(dir, sizeof(dir), "%s/cache", d->path);
	torture(body, dir);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(values_have_their_time),
	TEST_IN_DIR(a_transaction_is_whole_or_absent),
	TEST_IN_DIR(it_is_what_a_plain_model_is),
	TEST_IN_DIR(what_ends_first_makes_room),
	TEST_IN_DIR(a_crash_of_the_process_costs_nothing),
	TEST_IN_DIR(a_crash_of_the_machine_costs_all),
	TEST_IN_DIR(the_clock_goes_on_over_boots),
	TEST_IN_DIR(a_file_that_is_cut_off_is_thrown_away),
	TEST_IN_DIR(a_file_that_is_damaged_does_no_harm),
	TEST_IN_DIR(what_is_no_cache_is_thrown_away),
	TEST_IN_DIR(a_place_that_cannot_be_is_an_error),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
