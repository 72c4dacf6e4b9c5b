/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Three tables: `values`, key -> header and value; `times`, expiry and key ->
 * nothing, from whose front things go; `meta`, where the clock stands. Beside
 * them a file `clean`, which names the boot in which the cache was closed: it
 *is written when everything else is on disk and removed when the cache is
 *opened.
 *
 *	of this boot		used: only the process can have crashed
 *	of another, clean	used, the clock goes on
 *	of another, not clean	thrown away
 *
 * LMDB trusts its file: a damaged one ends the process that reads it, by a wild
 * pointer, or by SIGBUS where the file ends too early, perhaps much later. So
 * what was there is never used as it is: a child process of ours reads all of
 * it and writes the values, whose sums must be right, into a new file. If it
 * comes back, that one takes the place of the old; if not, nothing does.
 *
 * Bytes and entries are counted in memory, and counted anew at the start.
 */
#include "lib/store/cache.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"

enum {
	VALUES,
	TIMES,
	META,
	TABLES
};
static const char *const tables[TABLES] = { "values", "times", "meta" };

#define DATA "data.mdb"
#define LOCK "lock.mdb"
#define CLEAN "clean"
/* A directory. */
#define NEW "new"
#define PATH_BYTES_MAX 4096
/* Before the value: version, expiry, sum. */
#define VERSION 2
#define HEADER_LEN 17
/* Room for pages that are not full, and for what an eviction frees later. */
#define MAP_FACTOR 4
/* What an entry costs beside key and value, its place in the index included. */
#define ENTRY_BYTES 64
/* What the child may take. */
#define RENEW_SECONDS 20

struct cache {
	struct db *db;
	char *dir;
	char *boot_id;
	uint64_t bytes_max;
	/* From the monotonic clock to ours. */
	int64_t offset_ms;
	uint64_t bytes;
	uint64_t entries;
	uint64_t evicted;
};

/* Bytes */

static uint64_t
sum_of(struct db_val k, const void *p, size_t len)
{
	return hash_add(hash_add(HASH_INIT, k.p, k.len), p, len);
}

/* What stands before a value; false when that is none of ours. */
static bool
read_header(struct db_val v, int64_t *ret_expires, uint64_t *ret_sum)
{
	uint64_t expires;
	uint8_t version;

	if (!key_get_u8(&v, &version) || version != VERSION ||
	    !key_get_be64(&v, &expires) || !key_get_be64(&v, ret_sum))
		return false;
	*ret_expires = (int64_t)expires;
	return *ret_expires >= 0;
}

/* Whether this is one of ours, whole; then when its time is over. */
static bool
is_value(struct db_val k, struct db_val v, int64_t *ret_expires)
{
	uint64_t sum;

	return read_header(v, ret_expires, &sum) &&
	    sum ==
	    sum_of(k, (const char *)v.p + HEADER_LEN, v.len - HEADER_LEN);
}

/* In the index: expiry, then the key as it is. False when it does not fit. */
static bool
time_key(struct db_key *ret, int64_t expires, struct db_val k)
{
	key_init(ret);
	key_be64(ret, (uint64_t)expires);
	if (k.len > sizeof(ret->buf) - ret->len)
		return false;
	memcpy(ret->buf + ret->len, k.p, k.len);
	ret->len += k.len;
	return true;
}

static struct db_val
val_of(const struct db_key *k)
{
	return (struct db_val){ k->buf, k->len };
}

/* Of a value with its header. */
static uint64_t
cost_of(size_t key_len, size_t len)
{
	return ENTRY_BYTES + 2 * key_len + len;
}

/* Looking at all of it */

struct look {
	struct db_txn *t;
	/* Of what the child has written they are right. */
	bool sums;
	uint64_t entries;
	uint64_t bytes;
	bool bad;
};

static bool
look_at_value(struct db_val k, struct db_val v, void *ctx)
{
	struct look *l = ctx;
	struct db_key at;
	struct db_val found;
	int64_t expires;
	uint64_t sum;

	l->bad = !read_header(v, &expires, &sum) ||
	    (l->sums && !is_value(k, v, &expires)) ||
	    !time_key(&at, expires, k) ||
	    db_get(l->t, TIMES, &at, &found, NULL) != 0;
	l->entries++;
	l->bytes += cost_of(k.len, v.len);
	return !l->bad;
}

/* With the index; what is in it goes to *ret. */
static int
look_through(struct db *db, bool sums, struct look *ret, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	uint64_t times = 0;

	*ret = (struct look){ .t = &t, .sums = sums };
	if (db_begin_read(db, &t, e) < 0 ||
	    db_walk(&t, VALUES, NULL, NULL, DB_FORWARDS, look_at_value, ret,
		e) < 0 ||
	    db_count(&t, TIMES, &times, e) < 0)
		return -1;
	if (ret->bad || times != ret->entries)
		return error_set(e, OVE_CORRUPT,
		    "its %llu values do not fit their sums or times",
		    (unsigned long long)ret->entries);
	return 0;
}

/* The clock */

static void
clock_key(struct db_key *k)
{
	key_init(k);
	key_str(k, "clock");
}

static int64_t
cache_now(const struct cache *c)
{
	return clock_mono_ms() + c->offset_ms;
}

/* version, offset, ours when it was closed, wall then, id of the boot. */
static void
clock_put(struct cache *c, struct db_txn *t)
{
	struct db_key k, v;

	clock_key(&k);
	key_init(&v);
	key_u8(&v, VERSION);
	key_be64(&v, (uint64_t)c->offset_ms);
	key_be64(&v, (uint64_t)cache_now(c));
	key_be64(&v, (uint64_t)clock_wall_ms());
	key_str(&v, c->boot_id);
	db_put(t, META, val_of(&k), val_of(&v));
}

/* Goes on where the clock stood, and by what the wall clock says has passed. */
static int64_t
offset_after(uint64_t was, uint64_t wall)
{
	int64_t passed = clock_wall_ms() - (int64_t)wall;

	return (int64_t)was + (passed > 0 ? passed : 0) - clock_mono_ms();
}

/* Sets the clock by what is in db. 0, CACHE_NONE when nothing is, CACHE_ANEW
 * when the machine has crashed since, -1. */
static int
clock_take(struct cache *c, struct db *db, bool clean, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	uint64_t offset, was, wall;
	const char *boot_id;
	uint8_t version;
	struct db_key k;
	struct db_val v;
	int rc;

	clock_key(&k);
	if (db_begin_read(db, &t, e) < 0)
		return -1;
	rc = db_get(&t, META, &k, &v, e);
	if (rc != 0)
		return rc < 0 ? -1 : CACHE_NONE;
	if (!key_get_u8(&v, &version) || version != VERSION ||
	    !key_get_be64(&v, &offset) || !key_get_be64(&v, &was) ||
	    !key_get_be64(&v, &wall) || !key_get_str(&v, &boot_id))
		return error_set(e, OVE_CORRUPT, "its clock is not readable");
	if (strcmp(boot_id, c->boot_id) == 0)
		c->offset_ms = (int64_t)offset;
	else if (clean)
		c->offset_ms = offset_after(was, wall);
	else
		return CACHE_ANEW;
	return 0;
}

/* From an old file to a new one */

static struct db_config
db_config_of(const char *dir, uint64_t bytes_max, int flags)
{
	return (struct db_config){
		.dir = dir,
		.map_bytes = (size_t)bytes_max * MAP_FACTOR,
		.tables = tables,
		.tables_n = TABLES,
		.flags = flags,
	};
}

struct copying {
	struct db_txn *to;
	bool bad;
};

static bool
copy_value(struct db_val k, struct db_val v, void *ctx)
{
	struct copying *c = ctx;
	struct db_key at;
	int64_t expires;

	c->bad = !is_value(k, v, &expires) || !time_key(&at, expires, k);
	if (c->bad)
		return false;
	db_put(c->to, VALUES, k, v);
	db_put(c->to, TIMES, val_of(&at), (struct db_val){ "", 0 });
	return true;
}

static int
copy_all(struct cache *c, struct db *from, struct db *to, struct error *e)
{
	AUTO_TXN struct db_txn r = { .txn = NULL };
	AUTO_TXN struct db_txn w = { .txn = NULL };
	struct copying copying = { .to = &w };

	if (db_begin_read(from, &r, e) < 0 || db_begin_write(to, &w, e) < 0 ||
	    db_walk(&r, VALUES, NULL, NULL, DB_FORWARDS, copy_value, &copying,
		e) < 0)
		return -1;
	if (copying.bad)
		return error_set(e, OVE_CORRUPT, "a value has another sum");
	clock_put(c, &w);
	return db_commit(&w, e);
}

/* 0, CACHE_ANEW when the machine has crashed since, -1. */
static int
renew(struct cache *c, bool clean, struct error *e)
{
	struct db_config old = db_config_of(c->dir, c->bytes_max, DB_READ_ONLY);
	AUTO(db) struct db *from = NULL;
	AUTO(db) struct db *to = NULL;
	AUTO_STRBUF struct strbuf path;
	struct db_config fresh;
	int rc;

	strbuf_init(&path, PATH_BYTES_MAX);
	strbuf_addf(&path, "%s/" NEW, c->dir);
	fresh = db_config_of(path.buf, c->bytes_max, DB_NOSYNC);
	if (strbuf_check(&path, e) < 0 || db_open(&from, &old, e) < 0)
		return -1;
	rc = clock_take(c, from, clean, e);
	if (rc != 0)
		return rc == CACHE_ANEW ? CACHE_ANEW : -1;
	if (db_open(&to, &fresh, e) < 0)
		return -1;
	return copy_all(c, from, to, e);
}

enum {
	CHILD_DONE,
	CHILD_CRASHED_MACHINE,
	CHILD_FAILED,
};

/* In a child: dies of a damaged file. */
CC_NORETURN static void
renew_and_exit(struct cache *c, bool clean)
{
	static const int deadly[] = { SIGALRM, SIGSEGV, SIGBUS, SIGABRT, SIGFPE,
		SIGILL, SIGTERM, SIGINT, SIGHUP };
	const struct rlimit no_core = { 0, 0 };
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int null;

	/* What libraries have to say about it is of no use to anybody. */
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null != -1)
		(void)dup2(null, STDERR_FILENO);
	(void)setrlimit(RLIMIT_CORE, &no_core);
	/* Whoever handles them in this program means the program. */
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		(void)sigaction(deadly[i], &sa, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)alarm(RENEW_SECONDS);
	switch (renew(c, clean, NULL)) {
	case 0:
		_exit(CHILD_DONE);
	case CACHE_ANEW:
		_exit(CHILD_CRASHED_MACHINE);
	default:
		_exit(CHILD_FAILED);
	}
}

/* What is there goes into a new file: 0, CACHE_ANEW with *ret_why, -1. */
static int
renew_in_child(
    struct cache *c, bool clean, struct error *ret_why, struct error *e)
{
	int status;
	pid_t pid = fork();

	if (pid == -1)
		return error_set_errno(e, errno, "start a process");
	if (pid == 0)
		renew_and_exit(c, clean);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return error_set_errno(e, errno, "wait for a process");
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_DONE)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == CHILD_CRASHED_MACHINE)
		(void)error_set(ret_why, OVE_CONFLICT,
		    "the machine has gone down without closing it");
	else if (WIFSIGNALED(status))
		(void)error_set(ret_why, OVE_CORRUPT,
		    "its file is damaged: who reads it dies of signal %d",
		    WTERMSIG(status));
	else
		(void)error_set(ret_why, OVE_CORRUPT, "its file is damaged");
	return CACHE_ANEW;
}

/* Life */

/* Whether there is a file, and whether it was closed; the mark goes, and what a
 * start that did not end has left. */
static int
look_around(int dir, bool *ret_there, bool *ret_clean, struct error *e)
{
	struct stat st;

	*ret_there =
	    fstatat(dir, DATA, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0;
	*ret_clean = fstatat(dir, CLEAN, &st, AT_SYMLINK_NOFOLLOW) == 0;
	return file_remove(dir, CLEAN, e) < 0 ||
		file_remove_tree(dir, NEW, e) < 0
	    ? -1
	    : 0;
}

/* The new file takes the place of the old one; without a new one, none does.
 * What else stands in the directory is not ours. */
static int
take_place(int dir, bool renewed, struct error *e)
{
	if (file_remove(dir, LOCK, e) < 0)
		return -1;
	if (!renewed)
		return file_remove(dir, DATA, e);
	if (renameat(dir, NEW "/" DATA, dir, DATA) == -1)
		return error_set_errno(e, errno, "rename " NEW "/" DATA);
	return file_remove_tree(dir, NEW, e);
}

/* 0, CACHE_ANEW, -1. */
static int
prepare(struct cache *c, struct error *ret_why, struct error *e)
{
	AUTO_FD int dir = -1;
	bool there, clean;
	int rc = CACHE_NONE;

	if (file_mkdirs(c->dir, 0700, e) < 0 ||
	    file_open_dir(c->dir, &dir, e) < 0 ||
	    look_around(dir, &there, &clean, e) < 0)
		return -1;
	if (there && (rc = renew_in_child(c, clean, ret_why, e)) < 0)
		return -1;
	if (take_place(dir, rc == 0, e) < 0)
		return -1;
	return rc == CACHE_ANEW ? CACHE_ANEW : 0;
}

static int
open_db(struct cache *c, struct error *e)
{
	struct db_config dc = db_config_of(c->dir, c->bytes_max, DB_NOSYNC);
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct look found;

	if (db_open(&c->db, &dc, e) < 0 || clock_take(c, c->db, false, e) < 0 ||
	    look_through(c->db, false, &found, e) < 0 ||
	    db_begin_write(c->db, &t, e) < 0)
		return -1;
	c->bytes = found.bytes;
	c->entries = found.entries;
	clock_put(c, &t);
	return db_commit(&t, e);
}

int
cache_open(struct cache **ret, const struct cache_config *cc,
    struct error *ret_why, struct error *e)
{
	AUTO(cache) struct cache *c = mem_calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return error_nomem(e);
	c->bytes_max = cc->bytes_max;
	c->boot_id = mem_strdup(cc->boot_id);
	c->dir = mem_strdup(cc->dir);
	if (c->boot_id == NULL || c->dir == NULL)
		return error_nomem(e);
	rc = prepare(c, ret_why, e);
	if (rc < 0 || open_db(c, e) < 0) {
		c->db = db_free(c->db);
		return error_wrap(e, "open cache %s", cc->dir);
	}
	*ret = STEAL(c);
	return rc;
}

/* What fails here makes the next start begin anew, at worst. */
static void
close_clean(struct cache *c)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	AUTO_FD int fd = -1;

	if (db_begin_write(c->db, &t, NULL) < 0)
		return;
	clock_put(c, &t);
	if (db_commit(&t, NULL) < 0 || db_sync(c->db, NULL) < 0 ||
	    file_open_dir(c->dir, &fd, NULL) < 0)
		return;
	(void)file_replace(
	    fd, CLEAN, c->boot_id, strlen(c->boot_id), 0600, FILE_SYNC, NULL);
}

struct cache *
cache_free(struct cache *c)
{
	if (c == NULL)
		return NULL;
	if (c->db != NULL)
		close_clean(c);
	c->db = db_free(c->db);
	mem_free(c->boot_id);
	mem_free(c->dir);
	mem_free(c);
	return NULL;
}

/* Transactions */

int
cache_begin(struct cache *c, struct cache_txn *t, struct error *e)
{
	*t = (struct cache_txn){
		.cache = c,
		.now_ms = cache_now(c),
		.bytes = c->bytes,
		.entries = c->entries,
	};
	return db_begin_write(c->db, &t->t, e);
}

int
cache_get(struct cache_txn *t, const struct db_key *k, struct strbuf *out,
    struct error *e)
{
	struct db_val v;
	int64_t expires;
	uint64_t sum;
	int rc = db_get(&t->t, VALUES, k, &v, e);

	if (rc != 0)
		return rc < 0 ? -1 : CACHE_NONE;
	if (!read_header(v, &expires, &sum) || expires <= t->now_ms)
		return CACHE_NONE;
	strbuf_add(out, (const char *)v.p + HEADER_LEN, v.len - HEADER_LEN);
	return strbuf_check(out, e);
}

/* What is stored under this key goes. */
static void
remove_entry(struct cache_txn *t, struct db_val k, struct db_val v)
{
	struct db_key at;
	int64_t expires;
	uint64_t sum, cost = cost_of(k.len, v.len);

	if (read_header(v, &expires, &sum) && time_key(&at, expires, k))
		db_del(&t->t, TIMES, val_of(&at));
	db_del(&t->t, VALUES, k);
	t->bytes -= cost < t->bytes ? cost : t->bytes;
	t->entries -= t->entries > 0;
	t->changed = true;
}

void
cache_del(struct cache_txn *t, const struct db_key *k)
{
	struct db_val v;

	if (db_get(&t->t, VALUES, k, &v, NULL) == 0)
		remove_entry(t, val_of(k), v);
}

struct front {
	/* Only what is over then. */
	int64_t until_ms;
	struct db_key key;
	bool found;
};

static bool
take_front(struct db_val k, struct db_val v, void *ctx)
{
	struct front *f = ctx;
	uint64_t expires;

	(void)v;
	if (!key_get_be64(&k, &expires) || (int64_t)expires > f->until_ms)
		return false;
	key_init(&f->key);
	memcpy(f->key.buf, k.p, k.len);
	f->key.len = k.len;
	f->found = true;
	return false;
}

/* Removes the one that is to go first; false when there is none. */
static bool
remove_front(struct cache_txn *t, int64_t until_ms)
{
	struct front f = { .until_ms = until_ms };

	if (db_walk(&t->t, TIMES, NULL, NULL, DB_FORWARDS, take_front, &f,
		NULL) < 0 ||
	    !f.found || error_is_set(&t->t.e))
		return false;
	cache_del(t, &f.key);
	return true;
}

size_t
cache_sweep(struct cache_txn *t, size_t max)
{
	size_t n = 0;

	while (n < max && remove_front(t, t->now_ms))
		n++;
	return n;
}

static int64_t
expiry(const struct cache_txn *t, int64_t ttl_ms)
{
	int64_t sum;

	if (__builtin_add_overflow(t->now_ms, ttl_ms, &sum))
		return INT64_MAX;
	return sum;
}

void
cache_put(struct cache_txn *t, const struct db_key *k, int64_t ttl_ms,
    const void *p, size_t len)
{
	int64_t expires = expiry(t, ttl_ms > 0 ? ttl_ms : 0);
	uint64_t cost = cost_of(k->len, HEADER_LEN + len);
	unsigned char *buf;
	struct db_key at, head;

	cache_del(t, k);
	/* Too much for any cache: as if it had been thrown out at once. */
	if (cost > t->cache->bytes_max || k->over || k->len == 0 ||
	    !time_key(&at, expires, val_of(k))) {
		t->evicted++;
		return;
	}
	while (
	    t->bytes + cost > t->cache->bytes_max && remove_front(t, INT64_MAX))
		t->evicted++;
	buf = mem_alloc(HEADER_LEN + len);
	if (buf == NULL) {
		(void)error_nomem(&t->t.e);
		return;
	}
	key_init(&head);
	key_u8(&head, VERSION);
	key_be64(&head, (uint64_t)expires);
	key_be64(&head, sum_of(val_of(k), p, len));
	memcpy(buf, head.buf, HEADER_LEN);
	if (len > 0)
		memcpy(buf + HEADER_LEN, p, len);
	db_put(
	    &t->t, VALUES, val_of(k), (struct db_val){ buf, HEADER_LEN + len });
	db_put(&t->t, TIMES, val_of(&at), (struct db_val){ "", 0 });
	mem_free(buf);
	t->bytes += cost;
	t->entries++;
	t->changed = true;
}

int
cache_commit(struct cache_txn *t, struct error *e)
{
	if (!t->changed && !error_is_set(&t->t.e)) {
		cache_end(t);
		t->cache->evicted += t->evicted;
		return 0;
	}
	if (db_commit(&t->t, e) < 0)
		return -1;
	t->cache->bytes = t->bytes;
	t->cache->entries = t->entries;
	t->cache->evicted += t->evicted;
	return 0;
}

void
cache_end(struct cache_txn *t)
{
	db_txn_end(&t->t);
}

void
cache_get_stats(const struct cache *c, struct cache_stats *ret)
{
	*ret = (struct cache_stats){
		.entries = c->entries,
		.bytes = c->bytes,
		.evicted = c->evicted,
	};
}

int
cache_check(struct cache *c, struct error *e)
{
	struct look found;

	if (look_through(c->db, true, &found, e) < 0)
		return -1;
	if (found.entries != c->entries || found.bytes != c->bytes)
		return error_set(e, OVE_CORRUPT,
		    "%llu values of %llu bytes were counted as %llu of %llu",
		    (unsigned long long)found.entries,
		    (unsigned long long)found.bytes,
		    (unsigned long long)c->entries,
		    (unsigned long long)c->bytes);
	return 0;
}
