/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The records of a run directory: the first byte says which one.  What can be
 * read is written and read again, and must then be the same text.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "lib/base/mem.h"
#include "proto/runrec.h"

#define ARENA_MAX ((size_t)64 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
try_spec(const char *text, size_t len)
{
	struct arena a AUTO_ARENA = { .head = NULL };
	char *once AUTO_FREE = NULL;
	char *twice AUTO_FREE = NULL;
	struct run_spec s;
	size_t n, m;

	arena_init(&a, ARENA_MAX);
	if (runrec_spec_read(text, len, &a, &s, NULL) == -1 ||
	    runrec_spec_write(&s, &once, &n, NULL) == -1)
		return;
	assert(runrec_spec_read(once, n, &a, &s, NULL) == 0);
	assert(runrec_spec_write(&s, &twice, &m, NULL) == 0);
	assert(n == m && memcmp(once, twice, n) == 0);
}

static void
try_child(const char *text, size_t len)
{
	char *once AUTO_FREE = NULL;
	char *twice AUTO_FREE = NULL;
	struct run_child c;
	size_t n, m;

	if (runrec_child_read(text, len, &c, NULL) == -1)
		return;
	assert(c.pid > 1 && c.helper > 1);
	assert(runrec_child_write(&c, &once, &n, NULL) == 0);
	assert(runrec_child_read(once, n, &c, NULL) == 0);
	assert(runrec_child_write(&c, &twice, &m, NULL) == 0);
	assert(n == m && memcmp(once, twice, n) == 0);
}

static void
try_result(const char *text, size_t len)
{
	char *once AUTO_FREE = NULL;
	char *twice AUTO_FREE = NULL;
	struct run_result r;
	size_t n, m;

	if (runrec_result_read(text, len, &r, NULL) == -1)
		return;
	assert(runrec_result_write(&r, &once, &n, NULL) == 0);
	assert(runrec_result_read(once, n, &r, NULL) == 0);
	assert(runrec_result_write(&r, &twice, &m, NULL) == 0);
	assert(n == m && memcmp(once, twice, n) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	switch (data[0]) {
	case 's':
		try_spec(text, size - 1);
		break;
	case 'c':
		try_child(text, size - 1);
		break;
	default:
		try_result(text, size - 1);
		break;
	}
	return 0;
}
