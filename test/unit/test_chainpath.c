/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Chain paths and entry points: text to names and back. */

#include "proto/chainpath.h"

#include <stdio.h>
#include <string.h>

#include "support/test.h"
#include "test/unit/support/torture.h"

static const struct {
	const char *text;
	/* NULL: refused with this code. */
	const char *joined;
	enum ove code;
} rows[] = {
	{ "alpha", "alpha", OVE_NONE },
	{ " main . alpha\t", "main.alpha", OVE_NONE },
	{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p",
	    OVE_NONE },
	{ "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", NULL, OVE_LIMIT },
	{ "", NULL, OVE_INVALID },
	{ " ", NULL, OVE_INVALID },
	{ "main.", NULL, OVE_INVALID },
	{ ".a", NULL, OVE_INVALID },
	{ "main..alpha", NULL, OVE_INVALID },
	{ "bad chain", NULL, OVE_INVALID },
	{ "-a", NULL, OVE_INVALID },
};

static void
test_parse(void **state)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct chainpath p;
	size_t i;
	int rc;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		error_clear(&e);
		rc = chainpath_parse(rows[i].text, &a, &p, &e);
		if (rc != (rows[i].joined != NULL ? 0 : -1) ||
		    e.code != rows[i].code)
			fail_msg(
			    "'%s': %d %s", rows[i].text, rc, error_text(&e));
		if (rc == 0)
			assert_string_equal(
			    chainpath_join(&p, &a), rows[i].joined);
	}
	assert_int_equal(chainpath_parse("bad chain", &a, &p, &e), -1);
	assert_string_equal(error_text(&e),
	    "'bad chain' is not a chain (letters, digits, _ and -, joined by "
	    "dots)");
}

static void
test_entrypoint(void **state)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct chainpath p;
	const char *dc;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_int_equal(
	    chainpath_parse_entrypoint("main", &a, &dc, &p, &e), 0);
	assert_string_equal(dc, "main");
	assert_int_equal(p.n, 0);
	assert_null(chainpath_join(&p, &a));
	assert_int_equal(
	    chainpath_parse_entrypoint("main. b.c", &a, &dc, &p, &e), 0);
	assert_string_equal(dc, "main");
	assert_string_equal(chainpath_join(&p, &a), "b.c");
	assert_int_equal(
	    chainpath_parse_entrypoint(
		"m.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p", &a, &dc, &p, &e),
	    0);
	assert_int_equal(p.n, CHAINPATH_MAX);
}

static void
test_split(void **state)
{
	const char *rest;
	size_t len;

	(void)state;
	rest = chainpath_split("alpha.b.c", &len);
	assert_int_equal(len, 5);
	assert_string_equal(rest, "b.c");
	assert_null(chainpath_split("tail", &len));
	assert_int_equal(len, 4);
}

/* A full arena is an error, not a short path. */
static void
test_limit(void **state)
{
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct chainpath p;

	(void)state;
	arena_init(&a, 8);
	assert_int_equal(
	    chainpath_parse("alpha.bravo.charlie", &a, &p, &e), -1);
	assert_int_equal(e.code, OVE_LIMIT);
}

static int
parse_and_join(void *ctx, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct chainpath p;
	const char *datacenter;

	arena_init(&a, 1 << 20);
	if (chainpath_parse_entrypoint(ctx, &a, &datacenter, &p, e) < 0)
		return -1;
	return chainpath_join(&p, &a) == NULL ? arena_check(&a, e) : 0;
}

static void
allocations_may_fail(void **state)
{
	char text[] = "main.a.b.c";

	(void)state;
	torture(parse_and_join, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_parse),
	cmocka_unit_test(test_entrypoint),
	cmocka_unit_test(test_split),
	cmocka_unit_test(test_limit),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
