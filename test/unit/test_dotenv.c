/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * .env files.  The contract's vectors run in test_vectors.py; here are the
 * warnings and their lines, the limits, and what the vectors leave out.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/base/strbuf.h"
#include "lib/data/dotenv.h"
#include "test/unit/support/torture.h"

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	return strcmp(name, "HOME") == 0 ? "/root" : NULL;
}

static void
test_read(void **state)
{
	static const struct {
		const char *text;
		/* "NAME=value;" for each. */
		const char *vars;
		/* "line;" for each warning. */
		const char *lines;
	} cases[] = {
		{ "", "", "" },
		{ "\n\n  \n", "", "" },
		{ "A=1\nB=${A}${HOME}${NO:-x}", "A=1;B=1/rootx;", "" },
		{ "A=1\nB=2\nA=3", "A=3;B=2;", "" },
		{ "A='x\r\ny\rz'", "A=x\ny\nz;", "" },
		{ "export # nothing\nA=1", "A=1;", "" },
		{ "export\nA=1", "A=1;", "" },
		{ "'it=1\nA=1", "A=1;", "1;" },
		{ "''=1\nA=1", "A=1;", "1;" },
		{ "=1\n\n\n=2\r\n=3\r=4\nA=1", "A=1;", "1;4;5;6;" },
		{ "A=\"x\nB=2\nC=3", "B=2;C=3;", "1;" },
		{ "A=\"x\ny\"z\nB=2", "B=2;", "1;" },
		{ "A=\"x\nB=\"2\nC=3", "C=3;", "1;" },
		{ "A='\\\\'", "A=\\;", "" },
		{ "A='\\'", "A=\\;", "" },
		{ "A=\"x\\\"", "A=x\\;", "" },
		{ "A=\"\\x\\q\"", "A=\\x\\q;", "" },
		{ "A=${HOME", "A=${HOME;", "" },
		{ "A=${a:b}${HOME}", "A=${a:b}/root;", "" },
		{ "A=${a:-b", "A=${a:-b;", "" },
		{ "A=$", "A=$;", "" },
		{ "A=b \t# c", "A=b;", "" },
		{ "A=\"b\" c", "", "1;" },
		{ "\xef\xbb\xbf\xc3\xa9=\xc3\xa9", "\xc3\xa9=\xc3\xa9;", "" },
	};
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF got;
	struct error e = ERROR_INIT;
	struct dotenv_var *vars;
	struct diag d;
	size_t i, k, n;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&got, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		diag_init(&d, &a, ".env");
		test_ok(dotenv_read(cases[i].text, strlen(cases[i].text), env,
			    NULL, &a, &vars, &n, &d, &e),
		    &e);
		strbuf_reset(&got);
		for (k = 0; k < n; k++)
			strbuf_addf(
			    &got, "%s=%s;", vars[k].name, vars[k].value);
		assert_string_equal(got.buf, cases[i].vars);
		strbuf_reset(&got);
		for (k = 0; k < d.n; k++) {
			assert_true(d.items[k].warning);
			strbuf_addf(&got, "%u;", d.items[k].line);
		}
		assert_string_equal(got.buf, cases[i].lines);
	}
	strbuf_reset(&got);
	diag_init(&d, &a, ".env");
	test_ok(dotenv_read("A B", 3, NULL, NULL, &a, &vars, &n, &d, &e), &e);
	diag_print(&d, "overlord", NULL, false, &got);
	assert_string_equal(
	    got.buf, "overlord: .env:1: warning: not NAME=value, ignored\n");
}

static void
test_refused(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF text;
	struct error e = ERROR_INIT;
	struct dotenv_var *vars;
	struct diag d;
	unsigned i;
	size_t n;

	(void)state;
	arena_init(&a, 64 << 20);
	diag_init(&d, &a, ".env");
	strbuf_init(&text, 4 << 20);
	test_fails(dotenv_read("A=\xff", 3, env, NULL, &a, &vars, &n, &d, &e),
	    &e, OVE_INVALID);
	test_fails(dotenv_read("A=\0", 3, env, NULL, &a, &vars, &n, &d, &e), &e,
	    OVE_INVALID);
	for (i = 0; i < 1001; i++)
		strbuf_addf(&text, "V%u=\n", i);
	test_fails(
	    dotenv_read(text.buf, text.len, env, NULL, &a, &vars, &n, &d, &e),
	    &e, OVE_LIMIT);
	/* Doubling. */
	strbuf_reset(&text);
	strbuf_adds(&text, "A=xx\n");
	for (i = 0; i < 30; i++)
		strbuf_adds(&text, "A=${A}${A}\n");
	test_fails(
	    dotenv_read(text.buf, text.len, env, NULL, &a, &vars, &n, &d, &e),
	    &e, OVE_LIMIT);
	strbuf_reset(&text);
	for (i = 0; i < (1 << 20); i++)
		strbuf_adds(&text, "# ");
	test_fails(
	    dotenv_read(text.buf, text.len, env, NULL, &a, &vars, &n, &d, &e),
	    &e, OVE_LIMIT);
	arena_fini(&a);
	arena_init(&a, 8);
	test_fails(dotenv_read("A='abcdefghijkl'", 16, env, NULL, &a, &vars, &n,
		       &d, &e),
	    &e, OVE_LIMIT);
}

static int
read_some(void *ctx, struct error *e)
{
	struct arena AUTO_ARENA a;
	struct dotenv_var *vars;
	struct diag d;
	size_t n;

	arena_init(&a, 1 << 20);
	diag_init(&d, &a, ".env");
	if (dotenv_read(ctx, strlen(ctx), env, NULL, &a, &vars, &n, &d, e) ==
	    -1)
		return -1;
	assert_int_equal(n, 20);
	return arena_check(&a, e);
}

static void
test_torture(void **state)
{
	struct strbuf AUTO_STRBUF text;
	unsigned i;

	(void)state;
	strbuf_init(&text, 1 << 20);
	for (i = 0; i < 20; i++)
		strbuf_addf(&text,
		    "V%u='a ${V0} b ${HOME} of some length, so that the "
		    "arena needs more than one block'\nbad line\n",
		    i);
	torture(read_some, text.buf);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_read),
	cmocka_unit_test(test_refused),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
