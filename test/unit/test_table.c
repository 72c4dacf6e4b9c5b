/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Tables: alignment, escapes, cutting; help texts within 80 columns are e2e. */

#include "test/unit/support/test.h"

#include <string.h>

#include "cli/table.h"
#include "cli/term.h"
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

static void
columns_of_characters(void **state)
{
	static const struct {
		const char *text;
		size_t width;
		/* Bytes that fit in three columns. */
		size_t cut;
	} rows[] = {
		{ "", 0, 0 },
		{ "abcd", 4, 3 },
		{ "\xc3\xa9\xc3\xa9", 2, 4 },
		{ "\xe6\x97\xa5\xe6\x9c\xac", 4, 3 },
		{ "e\xcc\x81x", 2, 4 },
		{ "\xf0\x9f\x9a\x80", 2, 4 },
		{ "\033[31mred\033[0m!", 4, 12 },
		{ "\xff\xff\xff\xff", 4, 3 },
		{ "\033[", 2, 2 },
		{ "\033[3", 0, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t len = strlen(rows[i].text);

		if (term_text_width(rows[i].text, len) != rows[i].width ||
		    term_text_cut(rows[i].text, len, 3) != rows[i].cut)
			fail_msg("row %zu: %zu, %zu", i,
			    term_text_width(rows[i].text, len),
			    term_text_cut(rows[i].text, len, 3));
	}
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
	cmocka_unit_test(columns_of_characters),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
