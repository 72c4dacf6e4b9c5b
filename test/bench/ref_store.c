/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

#include "ref_store.h"

#include <string.h>

#include <lmdb.h>

#include "common.h"

#define MAP_BYTES ((size_t)64 << 30)

static MDB_env *env;
static MDB_dbi jobs, active, meta;

static void
check(int rc, const char *what)
{
	if (rc != 0)
		die("LMDB: %s: %s", what, mdb_strerror(rc));
}

void
ref_store_open(const char *dir)
{
	MDB_txn *txn;

	check(mdb_env_create(&env), "create");
	check(mdb_env_set_mapsize(env, MAP_BYTES), "map size");
	check(mdb_env_set_maxdbs(env, 16), "tables");
	check(mdb_env_open(env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0600), dir);
	check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	check(mdb_dbi_open(txn, "jobs", MDB_CREATE, &jobs), "jobs");
	check(mdb_dbi_open(txn, "active", MDB_CREATE, &active), "active");
	check(mdb_dbi_open(txn, "meta", MDB_CREATE, &meta), "meta");
	check(mdb_txn_commit(txn), "commit");
}

static void
put(MDB_txn *txn, MDB_dbi dbi, void *k, size_t k_len, void *v, size_t v_len)
{
	MDB_val mk = { k_len, k }, mv = { v_len, v };

	check(mdb_put(txn, dbi, &mk, &mv, 0), "put");
}

static void
put_record(MDB_txn *txn, unsigned long id, const char *value, size_t len)
{
	char entry[] = "\1\0filebrowser", next_id[] = "next_id", next[9] = "";
	unsigned char key[8];
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)(id >> (56 - 8 * i));
	memcpy(next + 1, &id, sizeof(id));
	put(txn, jobs, key, sizeof(key), (void *)(uintptr_t)value, len);
	put(txn, active, key, sizeof(key), entry, sizeof(entry));
	put(txn, meta, next_id, sizeof(next_id), next, sizeof(next));
}

void
ref_store_commit(
    unsigned long id, const char *value, size_t len, unsigned records)
{
	MDB_txn *txn;

	check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	while (records-- > 0)
		put_record(txn, id++, value, len);
	check(mdb_txn_commit(txn), "commit");
}

size_t
ref_store_newest(const char *dir)
{
	MDB_cursor *cursor;
	MDB_val k, v;
	MDB_txn *txn;

	check(mdb_env_create(&env), "create");
	check(mdb_env_set_mapsize(env, MAP_BYTES), "map size");
	check(mdb_env_set_maxdbs(env, 16), "tables");
	check(mdb_env_open(env, dir, MDB_RDONLY | MDB_NOTLS, 0600), dir);
	check(mdb_txn_begin(env, NULL, MDB_RDONLY, &txn), "begin");
	check(mdb_dbi_open(txn, "jobs", 0, &jobs), "jobs");
	check(mdb_cursor_open(txn, jobs, &cursor), "cursor");
	check(mdb_cursor_get(cursor, &k, &v, MDB_LAST), "last");
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return v.mv_size;
}

void
ref_store_close(void)
{
	mdb_env_close(env);
}
