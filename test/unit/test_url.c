/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Percent-encoding of a segment, decoding once, and the query.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/net/url.h"
#include "test/unit/support/torture.h"

static void
segments_are_encoded(void **state)
{
	struct strbuf b AUTO_STRBUF;

	(void)state;
	strbuf_init(&b, 100);
	url_add_segment(&b, "aZ09._~-");
	url_add_segment(&b, "/ %?\xc3\xa9");
	assert_string_equal(b.buf, "aZ09._~-%2F%20%25%3F%C3%A9");
}

struct decode_row {
	const char *in;
	/* NULL: refused. */
	const char *out;
};

static const struct decode_row decode_rows[] = {
	{ "", "" },
	{ "abc", "abc" },
	{ "a+b", "a+b" },
	{ "%41%2fB%2F", "A/B/" },
	{ "%252e", "%2e" },
	{ "..%2F", "../" },
	{ "%C3%A9", "\xc3\xa9" },
	{ "%", NULL },
	{ "%4", NULL },
	{ "a%4", NULL },
	{ "%4g", NULL },
	{ "%g4", NULL },
	{ "% 4", NULL },
	{ "%+4", NULL },
	{ "%00", NULL },
	{ "a%00b", NULL },
	{ "%C3", NULL },
	{ "%ff", NULL },
	{ "%C0%AE", NULL },
	{ "%ED%A0%80", NULL },
};

static void
decoding_by_table(void **state)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;
	const struct decode_row *row;
	char *text;
	size_t i;
	int rc;

	(void)state;
	arena_init(&a, 100000);
	for (i = 0; i < ARRAY_LEN(decode_rows); i++) {
		row = &decode_rows[i];
		rc = url_decode(row->in, strlen(row->in), &a, &text, &e);
		if (row->out == NULL) {
			if (rc != -1 || e.code != OVE_INVALID)
				fail_msg("'%s' is taken", row->in);
			error_clear(&e);
		} else {
			test_ok(rc, &e);
			assert_string_equal(text, row->out);
		}
	}
}

struct query_row {
	const char *query;
	const char *name;
	/* NULL: absent. */
	const char *value;
};

static const struct query_row query_rows[] = {
	{ "", "a", NULL },
	{ "a", "a", "" },
	{ "a=", "a", "" },
	{ "a=1", "a", "1" },
	{ "ab=1&a=2", "a", "2" },
	{ "a=1&a=2", "a", "1" },
	{ "&&a=1", "a", "1" },
	{ "b&a=x%3dy=z", "a", "x=y=z" },
	{ "a=x+y%2B", "a", "x y+" },
	{ "%61=1", "a", "1" },
	{ "a%=1&a=2", "a", "2" },
	{ "b=a=1", "a", NULL },
};

static void
queries_by_table(void **state)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;
	const struct query_row *row;
	char *text;
	size_t i;

	(void)state;
	arena_init(&a, 100000);
	for (i = 0; i < ARRAY_LEN(query_rows); i++) {
		row = &query_rows[i];
		test_ok(url_query_get(row->query, strlen(row->query), row->name,
			    &a, &text, &e),
		    &e);
		if (row->value == NULL && text != NULL)
			fail_msg("'%s' has a value", row->query);
		if (row->value != NULL)
			assert_string_equal(text, row->value);
	}
	test_fails(
	    url_query_get("a=%", 3, "a", &a, &text, &e), &e, OVE_INVALID);
}

static int
decode(void *ctx, struct error *e)
{
	struct arena a AUTO_ARENA;
	char *text;

	(void)ctx;
	arena_init(&a, 100000);
	if (url_decode("a%20b", 5, &a, &text, e) == -1)
		return -1;
	return url_query_get("a=b", 3, "a", &a, &text, e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(decode, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(segments_are_encoded),
	cmocka_unit_test(decoding_by_table),
	cmocka_unit_test(queries_by_table),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
