/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Failing allocations. A test program gets torture_mem.c in place of
 * lib/base/mem.c unless its row in meson.build says 'plain'; that one counts
 * live allocations and can be told to fail the n-th.
 *
 *	static int
 *	load(void *ctx, struct error *e)
 *	{
 *		struct thing *t AUTO(thing) = NULL;
 *
 *		return thing_new(ctx, &t, e);
 *	}
 *	...
 *	torture(load, "some input");
 *
 * torture() calls the body with the first allocation failing, then the second
 * and so on, until a call has fewer. Each time it asserts: the body returned 0
 * or more, or -1 with an error text; and what it allocated is freed. The call
 * without a failure must return 0. A body may succeed although an allocation
 * failed, where the code does without. What the body keeps on purpose (a cache
 * in ctx that grows) has to be there before.
 *
 * Only memory from mem_*() counts; libraries that call malloc do not fail.
 */
#pragma once

#include "lib/base/error.h"

typedef int torture_fn(void *ctx, struct error *e);

void torture(torture_fn *fn, void *ctx);

/* The counters below torture(); for tests that fail one call by hand. */
/* The n-th allocation from now fails, counting from 0; once. */
void torture_mem_fail_at(unsigned n);
/* Stops that; true when it has failed one. */
bool torture_mem_disarm(void);
/* Allocations that are not freed. */
long torture_mem_live(void);

/* Whether this allocation is to fail: torture_count.c, and for a whole daemon
 * torture_site.c. */
bool torture_mem_fails(void);
