/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Gives a daemon's store another schema version, as an overlordd of the future
 * would leave it, for the end-to-end tests:
 *
 *	store_schema STATEDIR VERSION
 *
 * Upgrades to that version by doing nothing. No daemon may use the store.
 */
#include <stdio.h>

#include "daemon/tables.h"
#include "lib/base/num.h"
#include "lib/event/loop.h"
#include "lib/store/store.h"

static int
nothing(struct db_txn *t, unsigned from, struct error *e)
{
	(void)t;
	(void)from;
	(void)e;
	return 0;
}

static int
change(const char *dir, unsigned version, struct error *e)
{
	static const char *const names[TABLE_COUNT] = TABLE_NAMES;
	const struct store_config c = {
		.dir = dir,
		.tables = names,
		.tables_n = TABLE_COUNT,
		.schema = version,
		.upgrade = nothing,
	};
	AUTO(loop) struct loop *l = NULL;
	AUTO(store) struct store *s = NULL;

	if (loop_new(&l, e) < 0)
		return -1;
	return store_open(&s, l, &c, e);
}

int
main(int argc, char **argv)
{
	struct error e = ERROR_INIT;
	uint64_t version;

	if (argc != 3) {
		(void)fputs("usage: store_schema STATEDIR VERSION\n", stderr);
		return 64;
	}
	if (num_u64(argv[2], 1, UINT32_MAX, &version, &e) < 0 ||
	    change(argv[1], (unsigned)version, &e) < 0) {
		(void)fprintf(stderr, "store_schema: %s\n", e.text);
		return 1;
	}
	return 0;
}
