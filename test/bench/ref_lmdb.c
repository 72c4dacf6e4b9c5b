/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The limit for durable submissions: bare LMDB committing what queue_put()
 * commits, so many in each transaction, one thread, full sync.
 *
 *	ref_lmdb DIR SECONDS VALUE_BYTES RECORDS	records per second
 *	ref_lmdb DIR		bytes of the newest record of the node's store
 *				in DIR
 *
 * DIR must exist; the first makes an environment there or goes on with it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common.h"
#include "ref_store.h"

#define VALUE_MAX 1000000

int
main(int argc, char **argv)
{
	int64_t began, end, seconds;
	unsigned long first, n;
	unsigned records;
	size_t len;
	char *value;

	if (argc == 2) {
		printf("%zu\n", ref_store_newest(argv[1]));
		ref_store_close();
		return 0;
	}
	if (argc != 5) {
		fprintf(stderr,
		    "usage: ref_lmdb DIR [SECONDS VALUE_BYTES RECORDS]\n");
		return 64;
	}
	seconds = (int64_t)(number(argv[2], 0.01, 3600) * (double)NS_PER_S);
	len = (size_t)number(argv[3], 1, VALUE_MAX);
	records = (unsigned)number(argv[4], 1, 100000);
	value = malloc(len);
	if (value == NULL)
		die("no memory");
	memset(value, 'x', len);
	ref_store_open(argv[1]);
	began = now_ns();
	first = (unsigned long)began;
	n = 0;
	do {
		ref_store_commit(first + n, value, len, records);
		n += records;
		end = now_ns();
	} while (end - began < seconds);
	printf("%.1f\n", (double)n * (double)NS_PER_S / (double)(end - began));
	ref_store_close();
	free(value);
	return 0;
}
