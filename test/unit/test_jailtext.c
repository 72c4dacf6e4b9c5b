/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Texts of AppJail: small files, config.conf and template.conf, and what
 * commands about jails print.
 */
#include "test/unit/support/test.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/jailtext.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/data/schema.h"
#include "test/unit/support/torture.h"

#define BAD "\xef\xbf\xbd"
/* A text with its length, so that it may hold NUL. */
#define T(s) s, sizeof(s) - 1

struct row {
	const char *text;
	size_t len;
	const char *key;
	/* NULL: NULL. */
	const char *wanted;
};

typedef char *text_fn(
    struct arena *a, const char *text, size_t len, const char *key);

static void
check(text_fn *fn, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_ARENA struct arena a;
		struct error e = ERROR_INIT;
		char *got;

		arena_init(&a, (size_t)16 << 20);
		got = fn(&a, rows[i].text, rows[i].len, rows[i].key);
		test_ok(arena_check(&a, &e), &e);
		if (rows[i].wanted == NULL)
			assert_null(got);
		else if (got == NULL)
			fail_msg("row %zu is NULL", i);
		else
			assert_string_equal(got, rows[i].wanted);
	}
}

static char *
line(struct arena *a, const char *text, size_t len, const char *key)
{
	(void)key;
	return jailtext_line(a, text, len);
}

static void
a_line_is_the_first_and_trimmed(void **state)
{
	static const struct row rows[] = {
		{ T(""), NULL, "" },
		{ T("\n"), NULL, "" },
		{ T("a"), NULL, "a" },
		{ T("a\nb"), NULL, "a" },
		{ T("\nb"), NULL, "" },
		{ T(" \t a  \t b  \r\n"), NULL, "a b" },
		{ T("a\rb"), NULL, "a\rb" },
		{ T("a\0b"), NULL, "a" BAD "b" },
		{ T("\xff\xc3\xa9\xc3"), NULL, BAD "\xc3\xa9" BAD },
		{ T("*?[a-z]"), NULL, "*?[a-z]" },
	};

	(void)state;
	check(line, rows, ARRAY_LEN(rows));
}

static char *
whole(struct arena *a, const char *text, size_t len, const char *key)
{
	(void)key;
	return jailtext_whole(a, text, len);
}

static void
the_whole_is_less_one_newline(void **state)
{
	static const struct row rows[] = {
		{ T(""), NULL, NULL },
		{ T("\n"), NULL, NULL },
		{ T("\n\n"), NULL, "\n" },
		{ T("a"), NULL, "a" },
		{ T(" a \n b \n"), NULL, " a \n b " },
		{ T("a\r\n"), NULL, "a\r" },
		{ T("\0\x80\n"), NULL, BAD BAD },
	};

	(void)state;
	check(whole, rows, ARRAY_LEN(rows));
}

static void
a_value_is_that_of_the_first_line_with_the_key(void **state)
{
	static const struct row rows[] = {
		{ T(""), "k", NULL },
		{ T("k: v"), "k", "v" },
		{ T("k:v\nk: w"), "k", "v" },
		{ T("# k: no\n  #k: no\n\nk: v"), "k", "v" },
		{ T("*k: v"), "k", "v" },
		{ T(" * k + : v  w "), "k", "v w" },
		{ T("k+: v"), "k", "v" },
		{ T("k"), "k", NULL },
		{ T("k v"), "k", NULL },
		{ T("kk: v\nk.k: v\nk-k: v\nK: v"), "k", NULL },
		{ T("k:"), "k", "" },
		{ T("k: \"v\" # x\r\n"), "k", "\"v\" # x" },
		{ T("$k: v\n${k}: v"), "k", NULL },
		{ T("host.hostname: h"), "host.hostname", "h" },
		{ T(":\n+\n*\n : x\nk: \xff"), "k", BAD },
	};

	(void)state;
	check(jailtext_value, rows, ARRAY_LEN(rows));
}

static void
columns_are_words_of_all_lines(void **state)
{
	static const struct row rows[] = {
		{ T(""), "k", "" },
		{ T("x: 1"), "k", "" },
		{ T("k:"), "k", "" },
		{ T("k: a"), "k", "a" },
		{ T("k: a  b\tc \nx: no\n*k+: d"), "k", "a,b,c,d" },
		{ T("k: \"a b\" 'c d'"), "k", "a b,c d" },
		{ T("k: a\"b c\"d"), "k", "ab cd" },
		{ T("k: \"a'b\" 'c\"d'"), "k", "a'b,c\"d" },
		{ T("k: \\\"a \\'b \\\\c \\d"), "k", "\"a,'b,\\c,\\d" },
		{ T("k: \"a\\\"b\""), "k", "a\"b" },
		{ T("k: \"a b"), "k", "a b" },
		{ T("k: \"\" x"), "k", ",x" },
		{ T("k: a\\"), "k", "a\\" },
		{ T("k: a,b"), "k", "a,b" },
		{ T("k: \0\xff"), "k", BAD BAD },
	};

	(void)state;
	check(jailtext_columns, rows, ARRAY_LEN(rows));
}

static char *
cpus(struct arena *a, const char *text, size_t len, const char *key)
{
	(void)key;
	return jailtext_cpus(a, text, len);
}

static void
cpus_are_numbers(void **state)
{
	static const struct row rows[] = {
		{ T(""), NULL, NULL },
		{ T("\n0"), NULL, NULL },
		{ T("0"), NULL, "0" },
		{ T("0, 1, 2\n"), NULL, "0, 1, 2" },
		{ T("0,1 ,  2\r\nx"), NULL, "0, 1, 2" },
		{ T("65535"), NULL, "65535" },
		{ T("65536"), NULL, NULL },
		{ T("0, 1,"), NULL, "0, 1" },
		{ T("0,, 1"), NULL, NULL },
		{ T("0-3"), NULL, NULL },
		{ T("-1"), NULL, NULL },
		{ T("0 1"), NULL, NULL },
		{ T("none"), NULL, NULL },
		{ T("1\0"), NULL, NULL },
	};

	(void)state;
	check(cpus, rows, ARRAY_LEN(rows));
}

static char *
osreldate(struct arena *a, const char *text, size_t len, const char *key)
{
	(void)key;
	return jailtext_osreldate(a, text, len);
}

static void
a_version_is_defined(void **state)
{
	static const struct row rows[] = {
		{ T(""), NULL, NULL },
		{ T("#define __FreeBSD_version 1500042\t/* x */"), NULL,
		    "1500042" },
		{ T("#undef __FreeBSD_version\n#define\t__FreeBSD_version\t15"),
		    NULL, "15" },
		{ T("#define __FreeBSD_version x\n"
		    "#define __FreeBSD_version 2\r\n"),
		    NULL, "2" },
		{ T("#define __FreeBSD_version"), NULL, NULL },
		{ T("#define __FreeBSD_versions 1"), NULL, NULL },
		{ T("#defined __FreeBSD_version 1"), NULL, NULL },
		{ T(" #define __FreeBSD_version 1"), NULL, NULL },
	};

	(void)state;
	check(osreldate, rows, ARRAY_LEN(rows));
}

static void
usage_is_numbers_by_name(void **state)
{
	static const char *words[] = { "pcpu", "memoryuse", "nthr", "pcpu" };
	static const struct schema_strs some = { words, ARRAY_LEN(words) };
	static const struct row rows[] = {
		{ T(""), NULL, "{}" },
		{ T("memoryuse=1\npcpu=2\nother=3\n"), NULL,
		    "{\"pcpu\":2,\"memoryuse\":1}" },
		{ T("memoryuse=1,pcpu=2"), NULL,
		    "{\"pcpu\":2,\"memoryuse\":1}" },
		{ T("memoryuse=1\r\n pcpu=2 \n"), NULL,
		    "{\"pcpu\":2,\"memoryuse\":1}" },
		{ T("nthr=1\nnthr=2"), NULL, "{\"nthr\":1}" },
		{ T("nthr=18446744073709551615"), NULL,
		    "{\"nthr\":9223372036854775807}" },
		{ T("nthr=18446744073709551616"), NULL, "{}" },
		{ T("nthr=\npcpu=-1\nmemoryuse=1.5"), NULL, "{}" },
		{ T("nthr\nnthr =1\nxnthr=1\n=1\n,,"), NULL, "{}" },
		{ T("nthr=1\0"), NULL, "{}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO_ARENA struct arena a;
		AUTO_STRBUF struct strbuf shown;

		arena_init(&a, (size_t)1 << 20);
		strbuf_init(&shown, 10000);
		json_write(&shown,
		    jailtext_usage(&a, rows[i].text, rows[i].len, &some),
		    JSON_COMPACT);
		assert_string_equal(shown.buf, rows[i].wanted);
	}
}

static int
body(void *ctx, struct error *e)
{
	static const char *words[] = { "pcpu" };
	static const struct schema_strs some = { words, 1 };
	AUTO_ARENA struct arena a;

	(void)ctx;
	arena_init(&a, (size_t)1 << 20);
	(void)jailtext_line(&a, T(" a  b \n"));
	(void)jailtext_whole(&a, T("a\nb"));
	(void)jailtext_value(&a, T("k: v"), "k");
	(void)jailtext_columns(&a, T("k: 'a b' c"), "k");
	(void)jailtext_cpus(&a, T("0, 1"));
	(void)jailtext_osreldate(&a, T("#define __FreeBSD_version 1"));
	(void)jailtext_usage(&a, T("pcpu=1"), &some);
	return arena_check(&a, e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(body, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_line_is_the_first_and_trimmed),
	cmocka_unit_test(the_whole_is_less_one_newline),
	cmocka_unit_test(a_value_is_that_of_the_first_line_with_the_key),
	cmocka_unit_test(columns_are_words_of_all_lines),
	cmocka_unit_test(cpus_are_numbers),
	cmocka_unit_test(a_version_is_defined),
	cmocka_unit_test(usage_is_numbers_by_name),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
