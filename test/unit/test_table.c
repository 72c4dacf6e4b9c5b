/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Tables: alignment, escapes, cutting; help texts within 80 columns are e2e. */

#include "test/unit/support/test.h"

#include "cli/table.h"
#include "test/unit/support/torture.h"

static const struct table_column columns[] = {
	{ "NAME", false },
	{ "N", true },
	{ "TEXT", false },
	{ NULL, false },
};

static void
fill(struct table *t, struct arena *a)
{
	table_init(t, columns, a);
	table_add(t, (const char *const[]){ "a", "1", "x\x1b[31m" });
	table_add(t, (const char *const[]){ "longer", "100", "" });
	table_add(t, (const char *const[]){ "\xc3\xa9", NULL, "a long text" });
}

static void
plain(void **state)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;
	struct table t;

	(void)state;
	arena_init(&a, 100000);
	strbuf_init(&b, 100000);
	fill(&t, &a);
	table_print(&t, true, 0, false, &b);
	assert_string_equal(b.buf,
	    "NAME      N  TEXT\n"
	    "a         1  x\\x1b[31m\n"
	    "longer  100  -\n"
	    "\xc3\xa9         -  a long text\n");
	strbuf_reset(&b);
	table_print(&t, false, 18, false, &b);
	assert_string_equal(b.buf,
	    "a         1  x\\x1\xe2\x80\xa6\n"
	    "longer  100  -\n"
	    "\xc3\xa9         -  a lo\xe2\x80\xa6\n");
}

static int
body(void *ctx, struct error *e)
{
	struct arena a AUTO_ARENA;
	struct strbuf b AUTO_STRBUF;
	struct table t;

	(void)ctx;
	arena_init(&a, 100000);
	strbuf_init(&b, 100000);
	fill(&t, &a);
	table_print(&t, true, 0, false, &b);
	if (arena_check(&a, e) < 0)
		return -1;
	return strbuf_check(&b, e);
}

static void
memory_may_fail(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(plain),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
