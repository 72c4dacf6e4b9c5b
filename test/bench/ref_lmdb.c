/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The limit for durable submissions: bare LMDB committing what queue_put()
 * commits, one transaction for each, one thread, full sync.
 *
 *	ref_lmdb DIR SECONDS VALUE_BYTES
 *
 * Puts a record of VALUE_BYTES, an entry of the active index and the next id
 * into three tables of a new environment in DIR, which must exist, and prints
 * the commits per second.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <lmdb.h>

#define MAP_BYTES ((size_t)64 << 30)
#define VALUE_MAX 1000000

static MDB_env *env;
static MDB_dbi jobs, active, meta;

static void
check(int rc, const char *what)
{
	if (rc == 0)
		return;
	fprintf(stderr, "ref_lmdb: %s: %s\n", what, mdb_strerror(rc));
	exit(1);
}

static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
open_env(const char *dir)
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
commit_one(unsigned long id, char *value, size_t len)
{
	char entry[] = "\1\0filebrowser", next_id[] = "next_id", next[9] = "";
	unsigned char key[8];
	MDB_txn *txn;
	size_t i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = (unsigned char)(id >> (56 - 8 * i));
	memcpy(next + 1, &id, sizeof(id));
	check(mdb_txn_begin(env, NULL, 0, &txn), "begin");
	put(txn, jobs, key, sizeof(key), value, len);
	put(txn, active, key, sizeof(key), entry, sizeof(entry));
	put(txn, meta, next_id, sizeof(next_id), next, sizeof(next));
	check(mdb_txn_commit(txn), "commit");
}

static double
number(const char *text, double max)
{
	char *end;
	double v;

	v = strtod(text, &end);
	if (*text == '\0' || *end != '\0' || !(v > 0 && v <= max)) {
		fprintf(
		    stderr, "ref_lmdb: '%s' is not in 0 to %.0f\n", text, max);
		exit(64);
	}
	return v;
}

int
main(int argc, char **argv)
{
	double began, end, seconds;
	unsigned long n;
	size_t len;
	char *value;

	if (argc != 4) {
		fprintf(stderr, "usage: ref_lmdb DIR SECONDS VALUE_BYTES\n");
		return 64;
	}
	seconds = number(argv[2], 3600);
	len = (size_t)number(argv[3], VALUE_MAX);
	value = malloc(len);
	if (value == NULL)
		return 71;
	memset(value, 'x', len);
	open_env(argv[1]);
	began = now();
	n = 0;
	do {
		commit_one(++n, value, len);
		end = now();
	} while (end - began < seconds);
	printf("%.1f\n", (double)n / (end - began));
	mdb_env_close(env);
	free(value);
	return 0;
}
