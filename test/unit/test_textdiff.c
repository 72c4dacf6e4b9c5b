/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Differences of texts: hunks, counts, and texts too large for the fewest.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/textdiff.h"
#include "test/unit/support/torture.h"

static void
test_hunks(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		const char *out;
		size_t removed;
		size_t added;
	} cases[] = {
		{ "", "", "", 0, 0 },
		{ "a\nb\n", "a\nb\n", "", 0, 0 },
		{ "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n", 0, 2 },
		{ "a\n", "", "@@ -1,1 +0,0 @@\n-a\n", 1, 0 },
		{ "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n",
		    1, 1 },
		{ "a", "a\n",
		    "@@ -1,1 +1,1 @@\n-a\n\\ No newline at end of file\n"
		    "+a\n",
		    1, 1 },
		/* The fewest lines, and two hunks. */
		{ "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n",
		    "1\nx\n2\n3\n4\n5\n6\n7\n8\n9\n10\n12\n",
		    "@@ -1,4 +1,5 @@\n 1\n+x\n 2\n 3\n 4\n"
		    "@@ -8,5 +9,4 @@\n 8\n 9\n 10\n-11\n 12\n",
		    1, 1 },
		/* Six lines between two changes: one hunk. */
		{ "x\n1\n2\n3\n4\n5\n6\ny\n", "1\n2\n3\n4\n5\n6\n",
		    "@@ -1,8 +1,6 @@\n-x\n 1\n 2\n 3\n 4\n 5\n 6\n"
		    "-y\n",
		    2, 0 },
		{ "\x1b[0m\n", "b\n", "@@ -1,1 +1,1 @@\n-\\x1b[0m\n+b\n", 1,
		    1 },
	};
	struct error e = ERROR_INIT;
	struct textdiff_count n;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		struct strbuf AUTO_STRBUF out;

		strbuf_init(&out, 1 << 16);
		test_ok(textdiff(&out, cases[i].before, cases[i].after, &n, &e),
		    &e);
		assert_string_equal(out.buf, cases[i].out);
		assert_int_equal(n.removed, cases[i].removed);
		assert_int_equal(n.added, cases[i].added);
		test_ok(textdiff(NULL, cases[i].after, cases[i].before, &n, &e),
		    &e);
		assert_int_equal(n.removed, cases[i].added);
	}
}

static void
test_large(void **state)
{
	struct strbuf AUTO_STRBUF a;
	struct strbuf AUTO_STRBUF b;
	struct error e = ERROR_INIT;
	struct textdiff_count n;
	size_t i;

	(void)state;
	strbuf_init(&a, 1 << 20);
	strbuf_init(&b, 1 << 20);
	for (i = 0; i < 5000; i++) {
		strbuf_addf(&a, "%zu\n", i);
		strbuf_addf(&b, "%zu\n", i == 1 || i == 4998 ? 9 : i);
	}
	test_ok(textdiff(NULL, a.buf, b.buf, &n, &e), &e);
	assert_int_equal(n.removed, 4998);
	assert_int_equal(n.added, 4998);
}

static int
diff_some(void *ctx, struct error *e)
{
	struct textdiff_count n;

	return textdiff(NULL, "a\nb\n", ctx, &n, e);
}

static void
test_torture(void **state)
{
	char text[] = "a\nc\nd\n";

	(void)state;
	torture(diff_some, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_hunks),
	cmocka_unit_test(test_large),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
