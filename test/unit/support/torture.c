/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The loop over failing allocations: see torture.h. The end is a run in which
 * no allocation was made to fail; a body that never gets there is endless.
 */
#include "test/unit/support/torture.h"

#include "test/unit/support/test.h"

#define ROUNDS_MAX 100000U

static void
complain(unsigned n, int rc, const struct error *e, const char *what)
{
	print_error("allocation %u failed, returned %d, error '%s': %s\n", n,
	    rc, error_text(e), what);
	fail();
}

void
torture(torture_fn *fn, void *ctx)
{
	struct error e;
	bool failed;
	unsigned n;
	long live;
	int rc;

	for (n = 0; n < ROUNDS_MAX; n++) {
		error_clear(&e);
		live = torture_mem_live();
		torture_mem_fail_at(n);
		rc = fn(ctx, &e);
		failed = torture_mem_disarm();
		if (torture_mem_live() != live)
			complain(n, rc, &e, "leaks");
		if (rc < 0 && (!error_is_set(&e) || e.text[0] == '\0'))
			complain(n, rc, &e, "fails without an error");
		if (failed)
			continue;
		if (rc != 0)
			complain(n, rc, &e, "fails without cause");
		return;
	}
	complain(n, 0, &e, "never ends");
}
