/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What makes a db and a writer a store: the place (DIR/state), the schema
 * version and its upgrades, and the closing order. The version stands in the
 * table "meta", which comes after the user's tables, and is looked at in the
 * same transaction that makes missing tables: a store that is refused has not
 * been touched. A new store gets the program's version, an older one is
 * upgraded step by step in that transaction, so that there is no half-upgraded
 * store.
 *
 * Only one process may have the store open; the lock that ensures it is the
 * daemon's.
 */

#include "lib/store/store.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/store/writer.h"

#define MAP_BYTES_DEFAULT ((size_t)64 << 30)
#define PATH_BYTES_MAX 4096
#define SCHEMA_VALUE_VERSION 1
#define SCHEMA_VALUE_LEN 5

struct store {
	struct db *db;
	struct writer *writer;
};

/* The schema's version */

struct schema {
	const struct store_config *config;
	unsigned table;
};

static void
schema_key(struct db_key *k)
{
	key_init(k);
	key_str(k, "schema");
}

static int
schema_get(struct db_txn *t, unsigned table, unsigned *ret, struct error *e)
{
	const unsigned char *p;
	struct db_key k;
	struct db_val v;
	int rc;

	schema_key(&k);
	rc = db_get(t, table, &k, &v, e);
	if (rc != 0)
		return rc;
	p = v.p;
	if (v.len != SCHEMA_VALUE_LEN || p[0] != SCHEMA_VALUE_VERSION)
		return error_set(
		    e, OVE_CORRUPT, "the schema version is not readable");
	*ret = (unsigned)p[1] | (unsigned)p[2] << 8 | (unsigned)p[3] << 16 |
	    (unsigned)p[4] << 24;
	return 0;
}

static void
schema_put(struct db_txn *t, unsigned table, unsigned version)
{
	unsigned char buf[SCHEMA_VALUE_LEN];
	struct db_key k;

	buf[0] = SCHEMA_VALUE_VERSION;
	buf[1] = (unsigned char)version;
	buf[2] = (unsigned char)(version >> 8);
	buf[3] = (unsigned char)(version >> 16);
	buf[4] = (unsigned char)(version >> 24);
	schema_key(&k);
	db_put(t, table, (struct db_val){ k.buf, k.len },
	    (struct db_val){ buf, sizeof(buf) });
}

static int
schema_upgrade(struct db_txn *t, const struct store_config *c, unsigned have,
    struct error *e)
{
	unsigned v;

	if (c->upgrade == NULL)
		return error_set(e, OVE_UNSUPPORTED,
		    "schema %u is older than this program's %u, which cannot "
		    "upgrade it",
		    have, c->schema);
	for (v = have; v < c->schema; v++)
		if (c->upgrade(t, v, e) == -1)
			return error_wrap(e, "upgrade schema %u", v);
	return 0;
}

static int
schema_init(struct db_txn *t, void *ctx, struct error *e)
{
	const struct schema *s = ctx;
	const struct store_config *c = s->config;
	unsigned have;
	int rc;

	rc = schema_get(t, s->table, &have, e);
	if (rc == -1)
		return -1;
	if (rc == 0 && have == c->schema)
		return 0;
	if (rc == 0 && have > c->schema)
		return error_set(e, OVE_UNSUPPORTED,
		    "schema %u is newer than this program's %u", have,
		    c->schema);
	if (rc == 0 && schema_upgrade(t, c, have, e) == -1)
		return -1;
	schema_put(t, s->table, c->schema);
	return 0;
}

/* Life */

static int
open_db(struct store *s, const struct store_config *c, const char *path,
    struct error *e)
{
	const char *tables[DB_TABLES_MAX];
	struct schema schema = { c, (unsigned)c->tables_n };
	struct db_config dc = { .dir = path, .tables = tables };

	if (c->tables_n >= DB_TABLES_MAX)
		return error_set(
		    e, OVE_LIMIT, "more than %d tables", DB_TABLES_MAX - 1);
	memcpy(tables, c->tables, c->tables_n * sizeof(tables[0]));
	tables[c->tables_n] = "meta";
	dc.tables_n = c->tables_n + 1;
	dc.map_bytes = c->map_bytes != 0 ? c->map_bytes : MAP_BYTES_DEFAULT;
	dc.init = schema_init;
	dc.init_ctx = &schema;
	return db_open(&s->db, &dc, e);
}

int
store_open(struct store **ret, struct loop *l, const struct store_config *c,
    struct error *e)
{
	struct writer_config wc = { c->size_max, c->broken, c->broken_ctx };
	AUTO(store) struct store *s = NULL;
	AUTO_STRBUF struct strbuf path;

	strbuf_init(&path, PATH_BYTES_MAX);
	strbuf_addf(&path, "%s/state", c->dir);
	if (strbuf_check(&path, e) == -1)
		return -1;
	s = mem_calloc(1, sizeof(*s));
	if (s == NULL)
		return error_nomem(e);
	if (open_db(s, c, path.buf, e) == -1 ||
	    writer_new(&s->writer, l, s->db, &wc, e) == -1)
		return error_wrap(e, "open store %s", path.buf);
	*ret = STEAL(s);
	return 0;
}

struct store *
store_free(struct store *s)
{
	if (s == NULL)
		return NULL;
	s->writer = writer_free(s->writer);
	s->db = db_free(s->db);
	mem_free(s);
	return NULL;
}

struct db *
store_db(struct store *s)
{
	return s->db;
}

int
store_submit(struct store *s, struct store_batch *b, store_done_fn *done,
    void *ctx, struct error *e)
{
	return writer_submit(s->writer, b, done, ctx, e);
}

void
store_get_stats(const struct store *s, struct store_stats *ret)
{
	writer_get_stats(s->writer, ret);
}

/* Checks and copies */

struct check {
	struct db_key last;
	uint64_t n;
	/* So that every page of a value is read. */
	unsigned sum;
	bool bad;
};

static bool
check_entry(struct db_val k, struct db_val v, void *ctx)
{
	const unsigned char *p = v.p;
	struct check *c = ctx;
	size_t i, min;
	int cmp;

	if (k.len == 0 || k.len > DB_KEY_MAX) {
		c->bad = true;
		return false;
	}
	if (c->n > 0) {
		min = k.len < c->last.len ? k.len : c->last.len;
		cmp = memcmp(c->last.buf, k.p, min);
		if (cmp > 0 || (cmp == 0 && c->last.len >= k.len)) {
			c->bad = true;
			return false;
		}
	}
	memcpy(c->last.buf, k.p, k.len);
	c->last.len = k.len;
	for (i = 0; i < v.len; i += 4096)
		c->sum += p[i];
	c->n++;
	return true;
}

int
store_check(struct store *s, struct error *e)
{
	AUTO_TXN struct db_txn t = { .txn = NULL };
	struct check c;
	uint64_t n;
	unsigned table;

	if (db_begin_read(s->db, &t, e) == -1)
		return -1;
	for (table = 0; table < db_tables_n(s->db); table++) {
		memset(&c, 0, sizeof(c));
		if (db_walk(&t, table, NULL, NULL, DB_FORWARDS, check_entry, &c,
			e) == -1 ||
		    db_count(&t, table, &n, e) == -1)
			return error_wrap(e, "check table %u", table);
		if (c.bad || c.n != n)
			return error_set(e, OVE_CORRUPT,
			    "table %u: entry %llu of %llu is out of order",
			    table, (unsigned long long)c.n,
			    (unsigned long long)n);
	}
	return 0;
}

int
store_backup(struct store *s, const char *dir, struct error *e)
{
	return db_backup(s->db, dir, e);
}
