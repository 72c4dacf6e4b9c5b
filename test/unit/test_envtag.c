/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The text behind !ENV.  The contract's vectors run in test_vectors.py; here
 * are the limits, unset variables and what the vectors leave out.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/envtag.h"
#include "test/unit/support/torture.h"

static const char *
env(const char *name, void *ctx)
{
	const char *big = ctx;

	if (strcmp(name, "A") == 0)
		return "alpha";
	if (strcmp(name, "NUM") == 0)
		return "42";
	if (strcmp(name, "REF") == 0)
		return "${NUM}";
	return strcmp(name, "BIG") == 0 ? big : NULL;
}

static void
unset(const char *name, void *ctx)
{
	struct strbuf *names = ctx;

	strbuf_addf(names, "%s;", name);
}

static void
test_expand(void **state)
{
	static const struct {
		const char *in;
		/* NULL: refused. */
		const char *out;
		const char *unset;
	} cases[] = {
		{ "", "", "" },
		{ "x${A}y", "xalphay", "" },
		{ "${REF}${NUM}", "4242", "" },
		{ "${NUM}${REF}", "42${NUM}", "" },
		{ "${X}${X}${Y}", "", "X;Y;" },
		{ "${X:d}${X:d}", "dd", "" },
		{ "${X:}${${A}}", "${X:}${alpha}", "" },
		{ "${X:a", "${X:a", "" },
		{ "${a${A}", "${aalpha", "" },
		{ "$", "$", "" },
		{ "${", "${", "" },
		{ "tag:yaml.org,2002:int ${NUM}", "42", "" },
		{ "tag:yaml.org,2002:int\t${NUM}", "42", "" },
		{ "tag:yaml.org,2002:int${A}", "tag:yaml.org,2002:intalpha",
		    "" },
		{ "tag:yaml.org,2002: ${A}", "tag:yaml.org,2002: alpha", "" },
		{ "tag:yaml.org,2002:int 5", "5", "" },
		{ "tag:yaml.org,2002:foo 5", "5", "" },
		{ "tag:yaml.org,2002:foo ${NUM}", NULL, "" },
		{ "tag:yaml.org,2002:int ${A}", NULL, "" },
		{ "tag:yaml.org,2002:int tag:yaml.org,2002:int ${NUM}", NULL,
		    "" },
	};
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF names;
	struct envtag_options o = {
		.env = env, .unset = unset, .unset_ctx = &names
	};
	struct error e = ERROR_INIT;
	char buf[NODE_FLOAT_LEN];
	struct node *n;
	size_t i;
	int rc;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&names, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		strbuf_reset(&names);
		rc = envtag_expand(
		    cases[i].in, strlen(cases[i].in), &o, &a, &n, &e);
		if (cases[i].out == NULL) {
			test_fails(rc, &e, OVE_INVALID);
			continue;
		}
		test_ok(rc, &e);
		assert_string_equal(node_scalar_text(n, buf), cases[i].out);
		assert_string_equal(names.buf, cases[i].unset);
	}
	/* Nobody needs to be told. */
	o.unset = NULL;
	test_ok(envtag_expand("${X}", 4, &o, &a, &n, &e), &e);
}

static void
test_limits(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF text;
	struct envtag_options o = { .env = env };
	struct error e = ERROR_INIT;
	struct node *n;
	char *big;
	unsigned i;

	(void)state;
	arena_init(&a, 64 << 20);
	strbuf_init(&text, 1 << 20);
	for (i = 0; i < 1000; i++)
		strbuf_addf(&text, "${V%u}", i);
	test_ok(envtag_expand(text.buf, text.len, &o, &a, &n, &e), &e);
	assert_int_equal(n->u.str.len, 0);
	strbuf_adds(&text, "${A}");
	test_fails(
	    envtag_expand(text.buf, text.len, &o, &a, &n, &e), &e, OVE_LIMIT);

	big = mem_alloc((1 << 20) + 1);
	assert_non_null(big);
	memset(big, 'x', 1 << 20);
	big[1 << 20] = '\0';
	o.env_ctx = big;
	strbuf_reset(&text);
	for (i = 0; i < 17; i++)
		strbuf_adds(&text, "${BIG}");
	test_fails(
	    envtag_expand(text.buf, text.len, &o, &a, &n, &e), &e, OVE_LIMIT);
	mem_free(big);
}

static int
expand_some(void *ctx, struct error *e)
{
	static const struct envtag_options o = { .env = env };
	struct arena AUTO_ARENA a;
	struct node *n;

	arena_init(&a, 1 << 20);
	if (envtag_expand(ctx, strlen(ctx), &o, &a, &n, e) == -1)
		return -1;
	return arena_check(&a, e);
}

static void
test_torture(void **state)
{
	char text[] = "tag:yaml.org,2002:str a ${A} b ${REF} c ${X:d}";

	(void)state;
	torture(expand_some, text);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_expand),
	cmocka_unit_test(test_limits),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
