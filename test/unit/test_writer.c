/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The writer: groups, order, one bad batch among good ones; room by the size
 * limit, by a small map and by a file size limit; a write or a sync of LMDB
 * that fails at the n-th call, for each n. The system calls of LMDB are reached
 * by functions of their names in this program: the dynamic linker finds them
 * before libc's.
 */
#include "test/unit/support/store_kit.h"

#include <sys/resource.h>
#include <sys/uio.h>

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "test/unit/support/torture.h"

/* Failing calls. They are made on the writer's thread: armed while it idles. */

enum call {
	CALL_NONE,
	CALL_WRITE,
	CALL_META,
	CALL_SYNC
};
/* The write of a meta page is the only one of less than a page. */
#define META_MAX 1024

static enum call armed;
static unsigned countdown;
static int armed_sys;
static bool fired;

static void
fail_at(enum call call, unsigned n, int sys)
{
	armed = call;
	countdown = n;
	armed_sys = sys;
	fired = false;
}

static bool
fails_now(enum call call)
{
	if (armed != call || countdown-- > 0)
		return false;
	armed = CALL_NONE;
	fired = true;
	errno = armed_sys;
	return true;
}

static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

/* With 64-bit offsets the headers make another name of it, LMDB does not. */
ssize_t plain_pwrite(int fd, const void *p, size_t len, off_t at) __asm__(
    "pwrite");

ssize_t
plain_pwrite(int fd, const void *p, size_t len, off_t at)
{
	static ssize_t (*next)(int, const void *, size_t, off_t);

	if (next == NULL)
		*(void **)&next = real("pwrite");
	if (fails_now(len < META_MAX ? CALL_META : CALL_WRITE))
		return -1;
	return next(fd, p, len, at);
}

ssize_t
writev(int fd, const struct iovec *v, int n)
{
	static ssize_t (*next)(int, const struct iovec *, int);

	if (next == NULL)
		*(void **)&next = real("writev");
	if (fails_now(CALL_WRITE))
		return -1;
	return next(fd, v, n);
}

static int
sync_call(int fd, const char *name)
{
	int (*next)(int);

	*(void **)&next = real(name);
	if (fails_now(CALL_SYNC))
		return -1;
	return next(fd);
}

int
fdatasync(int fd)
{
	return sync_call(fd, "fdatasync");
}

int
fsync(int fd)
{
	return sync_call(fd, "fsync");
}

/* Cases */

static void
add(struct store_batch *b, unsigned table, unsigned n, const void *v,
    size_t len)
{
	struct db_key k;
	char name[32];

	(void)snprintf(name, sizeof(name), "%u", n);
	key_init(&k);
	key_str(&k, name);
	store_batch_put(b, table, &k, v, len);
}

static uint64_t
count(struct kit *k, unsigned table)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct error e = ERROR_INIT;
	uint64_t n = 0;

	test_ok(db_begin_read(store_db(k->store), &t, &e), &e);
	test_ok(db_count(&t, table, &n, &e), &e);
	return n;
}

struct ordered {
	struct kit_wait *w;
	size_t n;
};

static void
on_ordered(const struct error *failed, void *ctx)
{
	struct ordered *o = ctx;

	assert_int_equal(o->w->n, o->n);
	kit_count(o->w, failed);
}

static void
waiting_batches_are_one_commit(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	static struct ordered order[2000];
	struct error e = ERROR_INIT;
	struct kit_wait w = { 0 };
	struct store_stats st;
	struct store_batch b;
	struct kit k;
	unsigned i;

	kit_open(&k, &c);
	w.loop = k.loop;
	store_batch_init(&b);
	for (i = 0; i < 2000; i++) {
		order[i] = (struct ordered){ &w, i };
		add(&b, KIT_OTHER, i, "value", 5);
		test_ok(
		    store_submit(k.store, &b, on_ordered, &order[i], &e), &e);
	}
	store_get_stats(k.store, &st);
	assert_int_equal(st.waiting, 2000);
	/* Never inside of what submits it. */
	assert_int_equal(w.n, 0);
	kit_wait(&w, 2000);
	assert_int_equal(w.failed_n, 0);
	store_get_stats(k.store, &st);
	assert_int_equal(st.batches, 2000);
	assert_true(st.commits < 2000 && st.groups[0] < st.commits);
	assert_int_equal(st.committed, 2000);
	assert_int_equal(st.waiting, 0);
	assert_int_equal(count(&k, KIT_OTHER), 2000);
	/* An empty one has nothing to commit, and completes. */
	assert_int_equal(kit_submit(&k, &b), OVE_NONE);
	test_ok(store_check(k.store, &e), &e);
	kit_close(&k);
}

static void
on_code(const struct error *failed, void *ctx)
{
	enum ove *code = ctx;

	*code = failed != NULL ? failed->code : OVE_NONE;
}

static void
a_bad_batch_fails_alone(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct store_batch b;
	enum ove codes[64];
	struct kit k;
	unsigned i;

	kit_open(&k, &c);
	store_batch_init(&b);
	for (i = 0; i < ARRAY_LEN(codes); i++) {
		codes[i] = OVE_COUNT;
		add(&b, KIT_OTHER, i, "value", 5);
		/* A table that is not there; the batch is whole or absent. */
		if (i % 8 == 5)
			add(&b, 9, i, "value", 5);
		test_ok(store_submit(k.store, &b, on_code, &codes[i], &e), &e);
	}
	assert_int_equal(kit_put(&k, KIT_JOBS, "last", "x", 1), OVE_NONE);
	for (i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(codes[i], i % 8 == 5 ? OVE_INVALID : OVE_NONE);
	assert_int_equal(count(&k, KIT_OTHER), 56);
	kit_close(&k);
}

static void
on_refused(const struct error *failed, void *ctx)
{
	struct kit *k = ctx;
	struct error e = ERROR_INIT;
	struct store_batch b;

	assert_null(failed);
	store_batch_init(&b);
	add(&b, KIT_OTHER, 1, "x", 1);
	test_fails(
	    store_submit(k->store, &b, on_refused, k, &e), &e, OVE_UNAVAILABLE);
	assert_true(STAILQ_EMPTY(&b.ops));
}

static void
closing_waits_and_refuses(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct store_batch b;
	struct kit k;

	kit_open(&k, &c);
	store_batch_init(&b);
	add(&b, KIT_OTHER, 0, "x", 1);
	test_ok(store_submit(k.store, &b, on_refused, &k, &e), &e);
	kit_close(&k);
	kit_open(&k, &c);
	assert_int_equal(count(&k, KIT_OTHER), 1);
	kit_close(&k);
}

static void
waiting_is_bounded(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct kit_wait w = { 0 };
	struct store_batch b;
	struct kit k;
	size_t n;
	int rc = 0;

	kit_open(&k, &c);
	w.loop = k.loop;
	store_batch_init(&b);
	for (n = 0; n < 100000; n++) {
		add(&b, KIT_OTHER, 1, "x", 1);
		rc = store_submit(k.store, &b, kit_done, &w, &e);
		if (rc == -1)
			break;
	}
	test_fails(rc, &e, OVE_BUSY);
	assert_true(n > 1000);
	kit_wait(&w, n);
	assert_int_equal(w.failed_n, 0);
	assert_int_equal(kit_put(&k, KIT_OTHER, "2", "x", 1), OVE_NONE);
	kit_close(&k);
}

/* Fills with values of some length until there is no room; how many fitted. */
static unsigned
fill(struct kit *k, size_t len)
{
	AUTO_FREE char *v = mem_calloc(1, len);
	struct store_batch b;
	enum ove code;
	unsigned n;

	assert_non_null(v);
	store_batch_init(&b);
	for (n = 0; n < 100000; n++) {
		add(&b, KIT_OTHER, n, v, len);
		code = kit_submit(k, &b);
		if (code != OVE_NONE)
			break;
	}
	assert_int_equal(code, OVE_NOSPACE);
	assert_int_equal(count(k, KIT_OTHER), n);
	return n;
}

/* A few in one batch, as the queue does: each page a batch touches is copied.
 */
static enum ove
delete_some(struct kit *k, unsigned from, unsigned to)
{
	enum ove code = OVE_NONE;
	struct store_batch b;
	struct db_key dk;
	char name[32];
	unsigned i;

	store_batch_init(&b);
	while (from < to && code == OVE_NONE) {
		for (i = 0; i < 8 && from < to; i++, from++) {
			(void)snprintf(name, sizeof(name), "%u", from);
			key_init(&dk);
			key_str(&dk, name);
			store_batch_del(&b, KIT_OTHER, &dk);
		}
		code = kit_submit(k, &b);
	}
	return code;
}

static void
full_and_on(struct kit *k, size_t len)
{
	struct error e = ERROR_INIT;
	struct store_stats st;
	unsigned n, last, round;

	n = fill(k, len);
	assert_true(n > 8);
	store_get_stats(k->store, &st);
	assert_true(st.nospace > 0 && !st.read_only);
	for (round = 0; round < 3; round++) {
		assert_int_equal(delete_some(k, 0, n), OVE_NONE);
		assert_int_equal(count(k, KIT_OTHER), 0);
		/* About as much fits again: nothing leaks. */
		last = n;
		n = fill(k, len);
		assert_true(n > last / 2);
	}
	test_ok(store_check(k->store, &e), &e);
}

static void
the_size_limit_is_kept(void **state)
{
	static const size_t lens[] = { 300, 3000, 20000 };
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct store_batch b;
	struct kit k;
	uint64_t used;
	size_t i;

	c.size_max = 400000;
	kit_open(&k, &c);
	for (i = 0; i < ARRAY_LEN(lens); i++) {
		full_and_on(&k, lens[i]);
		test_ok(
		    db_used_bytes(store_db(k.store), &used, NULL, NULL), NULL);
		assert_true(used > 200000 && used <= c.size_max + 40000);
		/* What ends something may take a little more. */
		store_batch_init(&b);
		add(&b, KIT_JOBS, 1, "0123456789", 10);
		b.reserve = true;
		assert_int_equal(kit_submit(&k, &b), OVE_NONE);
		assert_int_equal(delete_some(&k, 0, 2000), OVE_NONE);
	}
	kit_close(&k);
	/* A limit below what is there: reading and deleting go on. */
	kit_open(&k, &c);
	(void)fill(&k, 1000);
	kit_close(&k);
	c.size_max = 100000;
	kit_open(&k, &c);
	assert_int_equal(kit_put(&k, KIT_JOBS, "x", "x", 1), OVE_NOSPACE);
	assert_int_equal(delete_some(&k, 0, 2000), OVE_NONE);
	assert_int_equal(kit_put(&k, KIT_JOBS, "x", "x", 1), OVE_NONE);
	kit_close(&k);
}

static void
a_large_one_fails_alone(void **state)
{
	static char big[600000];
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct store_batch b;
	enum ove codes[16];
	struct kit k;
	unsigned i;

	c.size_max = 400000;
	kit_open(&k, &c);
	store_batch_init(&b);
	for (i = 0; i < ARRAY_LEN(codes); i++) {
		add(&b, KIT_OTHER, i, big, i == 7 ? sizeof(big) : 10);
		test_ok(store_submit(k.store, &b, on_code, &codes[i], &e), &e);
	}
	assert_int_equal(kit_put(&k, KIT_JOBS, "last", "x", 1), OVE_NONE);
	for (i = 0; i < ARRAY_LEN(codes); i++)
		assert_int_equal(codes[i], i == 7 ? OVE_NOSPACE : OVE_NONE);
	kit_close(&k);
}

static void
a_small_map_is_full_in_time(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct kit k;

	c.map_bytes = 1 << 20;
	kit_open(&k, &c);
	full_and_on(&k, 1000);
	assert_int_equal(delete_some(&k, 0, 2000), OVE_NONE);
	full_and_on(&k, 50000);
	kit_close(&k);
}

static void
a_file_limit_is_no_space(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct error e = ERROR_INIT;
	struct rlimit old, small;
	struct kit k;
	unsigned n;

	/* As every daemon of ours does. */
	struct sigaction ign = { .sa_handler = SIG_IGN }, was;
	assert_int_equal(sigaction(SIGXFSZ, &ign, &was), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	kit_open(&k, &c);
	small = old;
	small.rlim_cur = 300000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	n = fill(&k, 5000);
	assert_true(n > 8 && n < 60);
	assert_int_equal(delete_some(&k, 0, 4), OVE_NONE);
	assert_int_equal(kit_put(&k, KIT_OTHER, "0", "x", 1), OVE_NONE);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(sigaction(SIGXFSZ, &was, NULL), 0);
	assert_int_equal(delete_some(&k, 0, n), OVE_NONE);
	/* There is room: it goes on by itself. */
	for (n = 0; n < 100; n++)
		assert_int_equal(
		    kit_put(&k, KIT_OTHER, "0", &k, sizeof(k)), OVE_NONE);
	test_ok(store_check(k.store, &e), &e);
	kit_close(&k);
}

struct broken {
	unsigned n;
	struct error e;
};

static void
on_broken(const struct error *why, void *ctx)
{
	struct broken *b = ctx;

	b->n++;
	b->e = *why;
}

/* Puts 1 to 20 with the n-th call failing; the number of the failed put. */
static unsigned
put_under_fault(
    struct kit *k, enum call call, unsigned n, int sys, enum ove *ret)
{
	unsigned i, failed = 0;
	struct store_batch b;
	enum ove code;

	store_batch_init(&b);
	fail_at(call, n, sys);
	for (i = 1; i <= 20; i++) {
		add(&b, KIT_OTHER, i, "value", 5);
		add(&b, KIT_JOBS, i, "value", 5);
		code = kit_submit(k, &b);
		if (code != OVE_NONE && failed == 0) {
			failed = i;
			*ret = code;
		}
	}
	armed = CALL_NONE;
	return failed;
}

static void
failing_calls_lose_nothing(void **state)
{
	static const struct {
		enum call call;
		int sys;
		bool latches;
	} rows[] = {
		{ CALL_WRITE, EIO, true },
		{ CALL_META, EIO, true },
		{ CALL_SYNC, EIO, true },
		{ CALL_WRITE, ENOSPC, false },
		{ CALL_META, ENOSPC, false },
		{ CALL_SYNC, ENOSPC, false },
		{ CALL_WRITE, EDQUOT, false },
	};
	const struct test_dir *d = *state;
	struct store_config c;
	struct error e = ERROR_INIT;
	struct store_stats st;
	struct broken broken;
	char path[300];
	enum ove code = OVE_NONE;
	struct kit k;
	unsigned n, failed;
	size_t row;

	for (row = 0; row < ARRAY_LEN(rows); row++) {
		for (n = 0;; n++) {
			(void)snprintf(
			    path, sizeof(path), "%s/%zu.%u", d->path, row, n);
			c = kit_config(path);
			broken = (struct broken){ 0 };
			c.broken = on_broken;
			c.broken_ctx = &broken;
			kit_open(&k, &c);
			failed = put_under_fault(
			    &k, rows[row].call, n, rows[row].sys, &code);
			if (!fired) {
				assert_int_equal(failed, 0);
				kit_close(&k);
				break;
			}
			store_get_stats(k.store, &st);
			assert_int_equal(st.read_only, rows[row].latches);
			assert_int_equal(broken.n, rows[row].latches);
			if (rows[row].latches) {
				assert_int_equal(code, OVE_UNAVAILABLE);
				/* Reading goes on. */
				assert_int_equal(
				    count(&k, KIT_OTHER), failed - 1);
				assert_int_equal(
				    kit_put(&k, KIT_OTHER, "a", "x", 1),
				    OVE_UNAVAILABLE);
			} else if (failed != 0) {
				assert_int_equal(code, OVE_NOSPACE);
				assert_int_equal(
				    kit_put(&k, KIT_OTHER, "a", "x", 1),
				    OVE_NONE);
			}
			kit_close(&k);
			/* What was acknowledged is there, and a restart makes
			 * it good. */
			kit_open(&k, &c);
			test_ok(store_check(k.store, &e), &e);
			if (rows[row].latches)
				assert_true(count(&k, KIT_OTHER) == failed - 1);
			else
				assert_true(count(&k, KIT_OTHER) >= 19);
			assert_int_equal(
			    kit_put(&k, KIT_OTHER, "b", "x", 1), OVE_NONE);
			kit_close(&k);
		}
		/* The fault was met at all. */
		assert_true(n > 10);
	}
}

static int
torture_submit(void *ctx, struct error *e)
{
	AUTO_BATCH struct store_batch b;
	struct kit_wait w = { 0 };
	struct kit *k = ctx;

	w.loop = k->loop;
	store_batch_init(&b);
	add(&b, KIT_OTHER, 1, "value", 5);
	if (store_submit(k->store, &b, kit_done, &w, e) == -1)
		return -1;
	kit_wait(&w, 1);
	return w.failed_n > 0 ? error_set(e, w.e.code, "failed") : 0;
}

static void
allocations_may_fail(void **state)
{
	const struct test_dir *d = *state;
	struct store_config c = kit_config(d->path);
	struct kit k;

	kit_open(&k, &c);
	assert_int_equal(torture_submit(&k, NULL), 0);
	torture(torture_submit, &k);
	kit_close(&k);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(waiting_batches_are_one_commit),
	TEST_IN_DIR(a_bad_batch_fails_alone),
	TEST_IN_DIR(closing_waits_and_refuses),
	TEST_IN_DIR(waiting_is_bounded),
	TEST_IN_DIR(the_size_limit_is_kept),
	TEST_IN_DIR(a_large_one_fails_alone),
	TEST_IN_DIR(a_small_map_is_full_in_time),
	TEST_IN_DIR(a_file_limit_is_no_space),
	TEST_IN_DIR(failing_calls_lose_nothing),
	TEST_IN_DIR(allocations_may_fail),
};
TEST_MAIN(tests)
