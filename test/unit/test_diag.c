/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Findings: order, the maximum, printing, suggestions.
 */

#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/diag.h"
#include "test/unit/support/torture.h"

static void
test_print(void **state)
{
	static const char source[] = "a: 1\r\nb:\t\xc3\xa9 bad\nc: 3\n";
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	diag_init(&d, &a, "web.yml");
	assert_int_equal(diag_check(&d, &e), 0);
	diag_error(&d, (struct diag_pos){ 3, 1 }, "unknown-key", "x.c",
	    "did you mean 'd'?", "unknown key");
	diag_warn(&d, (struct diag_pos){ 2, 6 }, "env", "b", NULL,
	    "X is not set, '%s' is used", "");
	diag_error(&d, (struct diag_pos){ 0, 0 }, "required", NULL, NULL,
	    "'vm\nName' is missing");
	diag_print(&d, "overlord", source, false, &out);
	assert_string_equal(out.buf,
	    "overlord: web.yml: 'vm\\x0aName' is missing\n"
	    "overlord: web.yml:2:6: b: warning: X is not set, '' is used\n"
	    "overlord: web.yml:3:1: x.c: unknown key\n"
	    "  hint: did you mean 'd'?\n");
	strbuf_reset(&out);
	diag_print(&d, "overlord", source, true, &out);
	assert_string_equal(out.buf,
	    "overlord: web.yml: 'vm\\x0aName' is missing\n"
	    "overlord: web.yml:2:6: b: warning: X is not set, '' is used\n"
	    "    b: \xc3\xa9 bad\n"
	    "         ^\n"
	    "overlord: web.yml:3:1: x.c: unknown key\n"
	    "    c: 3\n"
	    "    ^\n"
	    "  hint: did you mean 'd'?\n");
	assert_int_equal(diag_check(&d, &e), -1);
	assert_int_equal(e.code, OVE_INVALID);
	assert_string_equal(
	    e.text, "web.yml: 'vm\\x0aName' is missing (and 1 more)");
	assert_int_equal(d.errors, 2);
	assert_int_equal(d.warnings, 1);
}

static void
test_body(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct diag d;

	(void)state;
	arena_init(&a, 1 << 20);
	diag_init(&d, &a, NULL);
	diag_warn(&d, (struct diag_pos){ 1, 1 }, "w", "w", NULL, "a warning");
	assert_int_equal(diag_check(&d, &e), 0);
	diag_error(
	    &d, (struct diag_pos){ 9, 9 }, "type", "a.b", NULL, "bad type");
	assert_int_equal(diag_check(&d, &e), -1);
	assert_string_equal(e.text, "a.b: bad type");
}

static void
test_maximum(void **state)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct diag d;
	unsigned i;

	(void)state;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	diag_init(&d, &a, "f");
	for (i = 100; i > 60; i--)
		diag_warn(
		    &d, (struct diag_pos){ i, 1 }, "w", NULL, NULL, "w%u", i);
	assert_int_equal(d.n, DIAG_MAX);
	assert_int_equal(d.items[0].line, 61);
	assert_int_equal(d.items[DIAG_MAX - 1].line, 80);
	/* Errors push out warnings, the last first. */
	for (i = 200; i > 190; i--)
		diag_error(
		    &d, (struct diag_pos){ i, 1 }, "e", NULL, NULL, "e%u", i);
	assert_int_equal(d.items[9].line, 70);
	assert_int_equal(d.items[10].line, 191);
	for (i = 1; i <= 30; i++)
		diag_error(
		    &d, (struct diag_pos){ i, 1 }, "e", NULL, NULL, "e%u", i);
	diag_warn(&d, (struct diag_pos){ 1, 1 }, "w", NULL, NULL, "w");
	assert_int_equal(d.n, DIAG_MAX);
	for (i = 0; i < DIAG_MAX; i++) {
		assert_false(d.items[i].warning);
		assert_int_equal(d.items[i].line, i + 1);
	}
	diag_print(&d, "p", NULL, true, &out);
	assert_non_null(strstr(out.buf, "\np: f:20:1: e20\n"));
	assert_non_null(strstr(out.buf, "\xe2\x80\xa6 and 61 more\n"));
}

static void
test_no_memory(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct diag d;

	(void)state;
	arena_init(&a, 1);
	diag_init(&d, &a, "f");
	diag_error(&d, (struct diag_pos){ 1, 1 }, "e", "path", "hint", "why");
	assert_int_equal(diag_check(&d, &e), -1);
	assert_null(diag_suggest(&a, "kindd", (const char *[]){ "kind" }, 1));
	assert_string_equal(diag_quote(&a, "x", 1), "''");
}

static void
test_quote(void **state)
{
	char text[200];
	struct arena AUTO_ARENA a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_string_equal(diag_quote(&a, "", 0), "''");
	assert_string_equal(diag_quote(&a, "a\nb", 3), "'a\\x0ab'");
	memset(text, 'x', sizeof(text));
	assert_int_equal(strlen(diag_quote(&a, text, 60)), 62);
	assert_int_equal(strlen(diag_quote(&a, text, 61)), 65);
	assert_int_equal(strlen(diag_quote(&a, text, sizeof(text))), 65);
}

static void
test_suggest(void **state)
{
	static const char *const keys[] = { "kind", "projectName",
		"projectFile", "datacenters", "deployIn", "maximumDeployments",
		"labels", "label", "lab", "a", "up", "apply", "apple" };
	static const struct {
		const char *word;
		const char *text;
	} cases[] = {
		{ "projectname", "did you mean 'projectName'?" },
		{ "project-name", "did you mean 'projectName'?" },
		{ "projectNam", "did you mean 'projectName'?" },
		{ "datacentres", "did you mean 'datacenters'?" },
		{ "knid", "did you mean 'kind'?" },
		{ "knd", "did you mean 'kind'?" },
		{ "knt", NULL },
		{ "labl", "did you mean 'lab' or 'label'?" },
		{ "lable", "did you mean 'label', 'lab' or 'labels'?" },
		{ "aply", "did you mean 'apply'?" },
		{ "appl", "did you mean 'apple' or 'apply'?" },
		{ "zzz", NULL },
		{ "", NULL },
		{ "--", NULL },
	};
	struct arena AUTO_ARENA a;
	const char *text;
	size_t i;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		text = diag_suggest(&a, cases[i].word, keys, ARRAY_LEN(keys));
		if (cases[i].text == NULL) {
			assert_null(text);
			continue;
		}
		assert_non_null(text);
		assert_string_equal(text, cases[i].text);
	}
	/* Not words. */
	assert_null(diag_suggest(&a,
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    keys, ARRAY_LEN(keys)));
}

static int
find_and_print(void *ctx, struct error *e)
{
	struct arena AUTO_ARENA a;
	struct strbuf AUTO_STRBUF out;
	struct error found = ERROR_INIT;
	struct diag d;
	unsigned i;

	(void)ctx;
	arena_init(&a, 1 << 20);
	strbuf_init(&out, 1 << 20);
	diag_init(&d, &a, "f");
	for (i = 0; i < 30; i++)
		diag_error(&d, (struct diag_pos){ i, 1 }, "r", "a.path",
		    diag_suggest(&a, "knid", (const char *[]){ "kind" }, 1),
		    "%s is no kind", diag_quote(&a, "knid", 4));
	/* A fault is a fault, whatever memory says. */
	assert_int_equal(diag_check(&d, &found), -1);
	assert_int_equal(found.code, OVE_INVALID);
	diag_print(&d, "p", "text\n", true, &out);
	if (strbuf_check(&out, e) == -1)
		return -1;
	return arena_check(&a, e);
}

static void
test_torture(void **state)
{
	(void)state;
	torture(find_and_print, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_print),
	cmocka_unit_test(test_body),
	cmocka_unit_test(test_maximum),
	cmocka_unit_test(test_no_memory),
	cmocka_unit_test(test_quote),
	cmocka_unit_test(test_suggest),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
