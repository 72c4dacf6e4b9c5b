/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * LMDB as the rest of lib/store sees it. A struct db owns the environment and
 * the handles of its tables, both fixed after db_open(), so that the loop may
 * read while the writer's thread writes: LMDB keeps the two apart. Full sync
 * durability, the default, is kept: a commit that returned 0 is on disk.
 *
 * Errors of LMDB become ours in one place, set_rc(): a full map and a full disk
 * are NOSPACE, what the disk refuses for another reason is IO. A transaction
 * remembers its first error, later changes do nothing, and the commit reports
 * it; db_commit() ends the transaction whatever comes out.
 *
 * What this file does not do: keep a transaction beyond the caller's function,
 * lock the directory against a second process, or know what a value means.
 */

#include "lib/store/db.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <lmdb.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

/* Below this the fallback for a limit on address space gives up. */
#define MAP_BYTES_MIN ((size_t)16 << 20)
/* The loop, a backup beside it, and slots that a killed process left. */
#define READERS_MAX 32
/* What must fit on a disk that is not full. */
#define PROBE_BYTES ((size_t)1 << 20)

struct db {
	/* NULL when closed by a failed db_reopen(). */
	MDB_env *env;
	char *dir;
	size_t map_bytes;
	unsigned page_bytes;
	int flags;
	size_t tables_n;
	char *names[DB_TABLES_MAX];
	MDB_dbi dbis[DB_TABLES_MAX];
};

/* LMDB takes keys and values without const and leaves them alone. */
static MDB_val
val_of(struct db_val v)
{
	MDB_val m;

	m.mv_size = v.len;
	m.mv_data = (void *)(uintptr_t)v.p;
	return m;
}

static struct db_val
db_val_of(const MDB_val *m)
{
	struct db_val v = { m->mv_data, m->mv_size };

	return v;
}

static enum ove
code_of(int rc)
{
	switch (rc) {
	case MDB_MAP_FULL:
	case EFBIG:
		return OVE_NOSPACE;
	case MDB_TXN_FULL:
		return OVE_LIMIT;
	case MDB_READERS_FULL:
		return OVE_BUSY;
	case MDB_VERSION_MISMATCH:
	case MDB_INCOMPATIBLE:
		return OVE_UNSUPPORTED;
	case MDB_CORRUPTED:
	case MDB_PAGE_NOTFOUND:
	case MDB_INVALID:
		return OVE_CORRUPT;
	case MDB_PANIC:
		return OVE_IO;
	case MDB_BAD_VALSIZE:
		return OVE_INVALID;
	default:
		return OVE_INTERNAL;
	}
}

static int
set_rc(struct error *e, int rc, const char *what)
{
	if (rc == EFBIG)
		return error_set(e, OVE_NOSPACE, "%s: %s", what, strerror(rc));
	if (rc > 0)
		return error_set_errno(e, rc, "%s", what);
	return error_set(e, code_of(rc), "%s: %s", what, mdb_strerror(rc));
}

static int
key_check(const struct db_key *k, struct error *e)
{
	if (k->over)
		return error_set(e, OVE_INVALID,
		    "a key is longer than %d bytes", DB_KEY_MAX);
	if (k->len == 0)
		return error_set(e, OVE_INVALID, "a key is empty");
	return 0;
}

/* Environment */

/* LMDB opens its data file without O_CLOEXEC: a command that inherits it would
 * keep the file, and could write to it. */
static int
set_cloexec(MDB_env *env, struct error *e)
{
	int fd, rc, flags;

	rc = mdb_env_get_fd(env, &fd);
	if (rc != 0)
		return set_rc(e, rc, "data descriptor");
	flags = fcntl(fd, F_GETFD);
	if (flags == -1 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) == -1)
		return error_set_errno(e, errno, "data descriptor");
	return 0;
}

/* One try; ENOMEM is told apart because it may be the limit on address space.
 */
static int
env_try(struct db *db, size_t map_bytes, struct error *e)
{
	unsigned flags = MDB_NOTLS | MDB_NORDAHEAD;
	MDB_env *env;
	int rc;

	if ((db->flags & DB_NOSYNC) != 0)
		flags |= MDB_NOSYNC;
	if ((db->flags & DB_READ_ONLY) != 0)
		flags |= MDB_RDONLY | MDB_NOLOCK;
	rc = mdb_env_create(&env);
	if (rc != 0) {
		(void)set_rc(e, rc, "new environment");
		return rc;
	}
	rc = mdb_env_set_mapsize(env, map_bytes);
	if (rc == 0)
		rc = mdb_env_set_maxdbs(env, DB_TABLES_MAX);
	if (rc == 0)
		rc = mdb_env_set_maxreaders(env, READERS_MAX);
	if (rc == 0)
		rc = mdb_env_open(env, db->dir, flags, 0600);
	if (rc != 0) {
		mdb_env_close(env);
		(void)set_rc(e, rc, "open environment");
		return rc;
	}
	db->env = env;
	db->map_bytes = map_bytes;
	return 0;
}

static int
env_open(struct db *db, size_t map_bytes, struct error *e)
{
	MDB_stat st;
	int rc, dead;

	for (;;) {
		rc = env_try(db, map_bytes, e);
		if (rc != ENOMEM || map_bytes / 2 < MAP_BYTES_MIN)
			break;
		map_bytes /= 2;
	}
	if (rc != 0)
		return -1;
	error_clear(e);
	if (set_cloexec(db->env, e) == -1)
		return -1;
	/* A reader of a killed process would pin pages for ever. */
	rc = mdb_reader_check(db->env, &dead);
	if (rc == 0)
		rc = mdb_env_stat(db->env, &st);
	if (rc != 0)
		return set_rc(e, rc, "check environment");
	db->page_bytes = st.ms_psize;
	return 0;
}

static int begin(
    struct db *db, struct db_txn *t, unsigned flags, struct error *e);

static int
tables_open(struct db *db, const struct db_config *c, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	bool read_only = (db->flags & DB_READ_ONLY) != 0;
	size_t i;
	int rc;

	if (begin(db, &t, read_only ? MDB_RDONLY : 0, e) == -1)
		return -1;
	for (i = 0; i < db->tables_n; i++) {
		rc = mdb_dbi_open(t.txn, db->names[i],
		    read_only ? 0 : MDB_CREATE, &db->dbis[i]);
		if (rc == MDB_NOTFOUND)
			rc = MDB_CORRUPTED;
		if (rc != 0)
			return set_rc(e, rc, db->names[i]);
	}
	if (c != NULL && c->init != NULL && c->init(&t, c->init_ctx, e) == -1)
		return -1;
	return db_commit(&t, e);
}

int
db_open(struct db **ret, const struct db_config *c, struct error *e)
{
	AUTO(db) struct db *db = NULL;
	size_t i;

	if (c->tables_n > DB_TABLES_MAX)
		return error_set(
		    e, OVE_LIMIT, "more than %d tables", DB_TABLES_MAX);
	db = mem_calloc(1, sizeof(*db));
	if (db == NULL)
		return error_nomem(e);
	db->dir = mem_strdup(c->dir);
	if (db->dir == NULL)
		return error_nomem(e);
	for (i = 0; i < c->tables_n; i++) {
		db->names[i] = mem_strdup(c->tables[i]);
		if (db->names[i] == NULL)
			return error_nomem(e);
		db->tables_n++;
	}
	db->flags = c->flags;
	if (((c->flags & DB_READ_ONLY) == 0 &&
		file_mkdirs(c->dir, 0700, e) == -1) ||
	    env_open(db, c->map_bytes, e) == -1 || tables_open(db, c, e) == -1)
		return -1;
	*ret = STEAL(db);
	return 0;
}

bool
db_is_stuck(struct db *db)
{
	MDB_txn *txn;
	int rc;

	if (db->env == NULL)
		return false;
	rc = mdb_txn_begin(db->env, NULL, MDB_RDONLY, &txn);
	if (rc == 0)
		mdb_txn_abort(txn);
	return rc == MDB_PANIC;
}

int
db_reopen(struct db *db, struct error *e)
{
	if (db->env != NULL)
		mdb_env_close(db->env);
	db->env = NULL;
	if (env_open(db, db->map_bytes, e) == 0 &&
	    tables_open(db, NULL, e) == 0)
		return 0;
	if (db->env != NULL)
		mdb_env_close(db->env);
	db->env = NULL;
	return error_wrap(e, "open %s again", db->dir);
}

struct db *
db_free(struct db *db)
{
	size_t i;

	if (db == NULL)
		return NULL;
	if (db->env != NULL)
		mdb_env_close(db->env);
	for (i = 0; i < db->tables_n; i++)
		mem_free(db->names[i]);
	mem_free(db->dir);
	mem_free(db);
	return NULL;
}

/* Transactions */

static int
begin(struct db *db, struct db_txn *t, unsigned flags, struct error *e)
{
	MDB_txn *txn;
	int rc;

	t->db = db;
	t->txn = NULL;
	t->writing = (flags & MDB_RDONLY) == 0;
	t->e.code = OVE_NONE;
	if (db->env == NULL)
		return error_set(e, OVE_UNAVAILABLE, "the store is closed");
	rc = mdb_txn_begin(db->env, NULL, flags, &txn);
	/* For a moment, until who writes has noticed. */
	if (rc == MDB_PANIC && !t->writing)
		return error_set(e, OVE_UNAVAILABLE,
		    "the store has to be opened again after a failed write");
	if (rc != 0)
		return set_rc(e, rc, "begin transaction");
	t->txn = txn;
	return 0;
}

int
db_begin_read(struct db *db, struct db_txn *t, struct error *e)
{
	return begin(db, t, MDB_RDONLY, e);
}

int
db_begin_write(struct db *db, struct db_txn *t, struct error *e)
{
	return begin(db, t, 0, e);
}

int
db_get(struct db_txn *t, unsigned table, const struct db_key *k,
    struct db_val *ret, struct error *e)
{
	struct db_val kv = { k->buf, k->len };
	MDB_val mk, mv;
	int rc;

	if (key_check(k, e) == -1)
		return -1;
	mk = val_of(kv);
	rc = mdb_get(t->txn, t->db->dbis[table], &mk, &mv);
	if (rc == MDB_NOTFOUND)
		return DB_NOTFOUND;
	if (rc != 0)
		return set_rc(e, rc, "read");
	*ret = db_val_of(&mv);
	return 0;
}

/* LMDB would take an unknown handle for a fault of the system. */
static bool
table_ok(struct db_txn *t, unsigned table)
{
	if (error_is_set(&t->e))
		return false;
	if (table >= t->db->tables_n)
		(void)error_set(
		    &t->e, OVE_INVALID, "there is no table %u", table);
	return table < t->db->tables_n;
}

void
db_put(struct db_txn *t, unsigned table, struct db_val k, struct db_val v)
{
	MDB_val mk, mv;
	int rc;

	if (!table_ok(t, table))
		return;
	mk = val_of(k);
	mv = val_of(v);
	rc = mdb_put(t->txn, t->db->dbis[table], &mk, &mv, 0);
	if (rc != 0)
		(void)set_rc(&t->e, rc, "put");
}

void
db_del(struct db_txn *t, unsigned table, struct db_val k)
{
	MDB_val mk;
	int rc;

	if (!table_ok(t, table))
		return;
	mk = val_of(k);
	rc = mdb_del(t->txn, t->db->dbis[table], &mk, NULL);
	if (rc != 0 && rc != MDB_NOTFOUND)
		(void)set_rc(&t->e, rc, "delete");
}

/* LMDB makes EIO of a short write, and a disk that becomes full makes short
 * writes. So the data file is made longer for a moment: that tells them apart,
 * and finds a file size limit and a quota as well. */
static bool
is_full(const struct db *db)
{
	static char zeros[PROBE_BYTES];
	struct stat st;
	ssize_t n;
	int fd;

	if (mdb_env_get_fd(db->env, &fd) != 0 || fstat(fd, &st) == -1)
		return false;
	do
		n = pwrite(fd, zeros, sizeof(zeros), st.st_size);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		return errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
	if (n < (ssize_t)sizeof(zeros))
		return true;
	/* When it stays longer, LMDB does not mind. */
	return ftruncate(fd, st.st_size) == -1 && errno == ENOSPC;
}

int
db_commit(struct db_txn *t, struct error *e)
{
	int rc;

	if (error_is_set(&t->e)) {
		if (e != NULL)
			*e = t->e;
		db_txn_end(t);
		return -1;
	}
	rc = mdb_txn_commit(t->txn);
	/* The handle is gone, also after a failure. */
	t->txn = NULL;
	if (rc == EIO && is_full(t->db))
		rc = ENOSPC;
	if (rc != 0)
		return set_rc(e, rc, "commit");
	return 0;
}

void
db_txn_end(struct db_txn *t)
{
	if (t->txn != NULL)
		mdb_txn_abort(t->txn);
	t->txn = NULL;
}

static int
table_stat(struct db_txn *t, unsigned table, MDB_stat *ret, struct error *e)
{
	int rc = mdb_stat(t->txn, t->db->dbis[table], ret);

	return rc != 0 ? set_rc(e, rc, "count") : 0;
}

int
db_count(struct db_txn *t, unsigned table, uint64_t *ret, struct error *e)
{
	MDB_stat st;

	if (table_stat(t, table, &st, e) == -1)
		return -1;
	*ret = st.ms_entries;
	return 0;
}

int
db_bytes(struct db_txn *t, unsigned table, uint64_t *ret, struct error *e)
{
	MDB_stat st;

	if (table_stat(t, table, &st, e) == -1)
		return -1;
	*ret = ((uint64_t)st.ms_branch_pages + st.ms_leaf_pages +
		   st.ms_overflow_pages) *
	    st.ms_psize;
	return 0;
}

/* Walking */

/* The smallest key above all that start with the prefix; false when there is
 * none (no prefix, or 0xff only). */
static bool
key_after(const struct db_key *prefix, struct db_key *ret)
{
	size_t len;

	if (prefix == NULL)
		return false;
	for (len = prefix->len; len > 0; len--)
		if (prefix->buf[len - 1] != 0xff)
			break;
	if (len == 0)
		return false;
	memcpy(ret->buf, prefix->buf, len);
	ret->buf[len - 1]++;
	ret->len = len;
	return true;
}

static int
seek_forwards(MDB_cursor *c, const struct db_key *start, MDB_val *k, MDB_val *v)
{
	struct db_val kv;

	if (start == NULL || start->len == 0)
		return mdb_cursor_get(c, k, v, MDB_FIRST);
	kv.p = start->buf;
	kv.len = start->len;
	*k = val_of(kv);
	return mdb_cursor_get(c, k, v, MDB_SET_RANGE);
}

/* To the last key that is at most (inclusive) or below start. */
static int
seek_backwards(MDB_cursor *c, const struct db_key *start, bool inclusive,
    MDB_val *k, MDB_val *v)
{
	int rc;

	rc = seek_forwards(c, start, k, v);
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c, k, v, MDB_LAST);
	if (rc != 0)
		return rc;
	if (inclusive && k->mv_size == start->len &&
	    memcmp(k->mv_data, start->buf, start->len) == 0)
		return 0;
	return mdb_cursor_get(c, k, v, MDB_PREV);
}

static int
seek(MDB_cursor *c, const struct db_key *prefix, const struct db_key *from,
    enum db_walk_dir dir, MDB_val *k, MDB_val *v)
{
	struct db_key after;

	if (dir == DB_FORWARDS)
		return seek_forwards(c, from != NULL ? from : prefix, k, v);
	if (from != NULL)
		return seek_backwards(c, from, true, k, v);
	if (key_after(prefix, &after))
		return seek_backwards(c, &after, false, k, v);
	return mdb_cursor_get(c, k, v, MDB_LAST);
}

static bool
has_prefix(const MDB_val *k, const struct db_key *prefix)
{
	if (prefix == NULL)
		return true;
	return k->mv_size >= prefix->len &&
	    memcmp(k->mv_data, prefix->buf, prefix->len) == 0;
}

int
db_walk(struct db_txn *t, unsigned table, const struct db_key *prefix,
    const struct db_key *from, enum db_walk_dir dir, db_walk_fn *fn, void *ctx,
    struct error *e)
{
	MDB_cursor *c;
	MDB_val k, v;
	int rc;

	if ((prefix != NULL && prefix->over) || (from != NULL && from->over))
		return error_set(e, OVE_INVALID,
		    "a key is longer than %d bytes", DB_KEY_MAX);
	rc = mdb_cursor_open(t->txn, t->db->dbis[table], &c);
	if (rc != 0)
		return set_rc(e, rc, "walk");
	rc = seek(c, prefix, from, dir, &k, &v);
	while (rc == 0 && has_prefix(&k, prefix)) {
		if (!fn(db_val_of(&k), db_val_of(&v), ctx))
			break;
		rc = mdb_cursor_get(
		    c, &k, &v, dir == DB_FORWARDS ? MDB_NEXT : MDB_PREV);
	}
	mdb_cursor_close(c);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return set_rc(e, rc, "walk");
	return 0;
}

/* Size and copies */

uint64_t
db_high_bytes(struct db *db)
{
	MDB_envinfo info;

	if (db->env == NULL || mdb_env_info(db->env, &info) != 0)
		return 0;
	return ((uint64_t)info.me_last_pgno + 1) * db->page_bytes;
}

/* A record of the free list is an array of page numbers after their count. */
static int
count_free(
    struct db_txn *t, uint64_t *ret_pages, size_t *ret_visited, struct error *e)
{
	MDB_cursor *c;
	MDB_val k, v;
	uint64_t pages;
	size_t n, visited;
	int rc;

	/* 0 is the free list; lmdb.h does not name it, mdb_stat(1) reads it. */
	rc = mdb_cursor_open(t->txn, 0, &c);
	if (rc != 0)
		return set_rc(e, rc, "free list");
	pages = 0;
	visited = 0;
	while ((rc = mdb_cursor_get(c, &k, &v, MDB_NEXT)) == 0) {
		if (v.mv_size >= sizeof(n)) {
			memcpy(&n, v.mv_data, sizeof(n));
			pages += n;
		}
		visited++;
	}
	mdb_cursor_close(c);
	if (rc != MDB_NOTFOUND)
		return set_rc(e, rc, "free list");
	*ret_pages = pages;
	*ret_visited = visited;
	return 0;
}

int
db_used_bytes(
    struct db *db, uint64_t *ret, size_t *ret_visited, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	uint64_t high, pages = 0;
	size_t visited = 0;

	if (db_begin_read(db, &t, e) == -1 ||
	    count_free(&t, &pages, &visited, e) == -1)
		return -1;
	high = db_high_bytes(db);
	pages *= db->page_bytes;
	*ret = pages < high ? high - pages : 0;
	if (ret_visited != NULL)
		*ret_visited = visited;
	return 0;
}

int
db_sync(struct db *db, struct error *e)
{
	int rc = mdb_env_sync(db->env, 1);

	return rc != 0 ? set_rc(e, rc, "sync") : 0;
}

size_t
db_map_bytes(const struct db *db)
{
	return db->map_bytes;
}

size_t
db_tables_n(const struct db *db)
{
	return db->tables_n;
}

int
db_backup(struct db *db, const char *dir, struct error *e)
{
	int rc;

	if (file_mkdirs(dir, 0700, e) == -1)
		return -1;
	if (db->env == NULL)
		return error_set(e, OVE_UNAVAILABLE, "the store is closed");
	rc = mdb_env_copy(db->env, dir);
	if (rc == EEXIST)
		return error_set(
		    e, OVE_EXISTS, "%s already holds a backup", dir);
	if (rc != 0) {
		(void)set_rc(e, rc, "copy");
		return error_wrap(e, "back up to %s", dir);
	}
	return 0;
}
