/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML 1.1 scalars: what a plain text is, and what a tagged one becomes.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/data/scalar.h"
#include "test/unit/support/torture.h"

#define STR SCALAR_STR
#define NUL SCALAR_NULL
#define BOOL SCALAR_BOOL
#define INT SCALAR_INT
#define FLOAT SCALAR_FLOAT
#define TIME SCALAR_TIME
#define BIN SCALAR_BINARY

static const struct {
	const char *text;
	enum scalar_kind kind;
	/* As text; NULL: not to be converted. */
	const char *value;
} plain[] = {
	{ "yes", BOOL, "true" },
	{ "Off", BOOL, "false" },
	{ "y", STR, "y" },
	{ "yEs", STR, "yEs" },
	{ "1.", FLOAT, "1.0" },
	{ ".5", FLOAT, "0.5" },
	{ "-.5", STR, "-.5" },
	{ "1e3", STR, "1e3" },
	{ "1.0e3", STR, "1.0e3" },
	{ "1.0e+3", FLOAT, "1000.0" },
	{ "1.0e+", STR, "1.0e+" },
	{ ".5e-1", FLOAT, "0.05" },
	{ ".5e1", STR, ".5e1" },
	{ "1.2.3", STR, "1.2.3" },
	{ "._5", STR, "._5" },
	{ "1:2:3.5", FLOAT, "3723.5" },
	{ "-1:30.5", FLOAT, "-90.5" },
	{ "1:75.5", STR, "1:75.5" },
	{ "1:.5", STR, "1:.5" },
	{ ".inf", FLOAT, "inf" },
	{ "-.INF", FLOAT, "-inf" },
	{ "+.Inf", FLOAT, "inf" },
	{ ".iNf", STR, ".iNf" },
	{ ".nan", FLOAT, "nan" },
	{ "-.nan", STR, "-.nan" },
	{ "1.7e+999", FLOAT, "inf" },
	{ "0", INT, "0" },
	{ "-0", INT, "0" },
	{ "0644", INT, "420" },
	{ "08", STR, "08" },
	{ "0o17", STR, "0o17" },
	{ "0x1F", INT, "31" },
	{ "0X1F", STR, "0X1F" },
	{ "0x", STR, "0x" },
	{ "0x_", INT, NULL },
	{ "0b101", INT, "5" },
	{ "0b", STR, "0b" },
	{ "0b2", STR, "0b2" },
	{ "0_", INT, "0" },
	{ "1_000", INT, "1000" },
	{ "_1", STR, "_1" },
	{ "-12", INT, "-12" },
	{ "+12", INT, "12" },
	{ "+", STR, "+" },
	{ "1:30", INT, "90" },
	{ "12:30:45", INT, "45045" },
	{ "0:30", STR, "0:30" },
	{ "01:30", STR, "01:30" },
	{ "1:60", STR, "1:60" },
	{ "1:", STR, "1:" },
	{ "9223372036854775807", INT, "9223372036854775807" },
	{ "9223372036854775808", INT, "9223372036854775808" },
	{ "-9223372036854775808", INT, "-9223372036854775808" },
	{ "-9223372036854775809", INT, "-9223372036854775809" },
	{ "0xffffffffffffffffffffffff", INT, "79228162514264337593543950335" },
	{ "100000000000000000000:59", INT, "6000000000000000000059" },
	{ "", NUL, "null" },
	{ "~", NUL, "null" },
	{ "NULL", NUL, "null" },
	{ "nULL", STR, "nULL" },
	{ "<<", SCALAR_MERGE, "<<" },
	{ "=", SCALAR_VALUE, "=" },
	{ "2001-12-14", TIME, "2001-12-14" },
	{ "2001-1-14", STR, "2001-1-14" },
	{ "2001-12-14x", STR, "2001-12-14x" },
	{ "2001-12-14t21:59:43.10-05:00", TIME,
	    "2001-12-14T21:59:43.100000-05:00" },
	{ "2001-1-4 1:59:43", TIME, "2001-01-04T01:59:43" },
	{ "2001-12-14 21:59:43.1234567 Z", TIME,
	    "2001-12-14T21:59:43.123456+00:00" },
	{ "2001-12-14 21:59:43. ", STR, NULL },
	{ "2001-12-14 21:59:43 -0:30", TIME, "2001-12-14T21:59:43-00:30" },
	{ "2001-12-14 21:59:43 +5:3", STR, NULL },
	{ "2001-12-14 21:59", STR, NULL },
	{ "2000-02-29", TIME, "2000-02-29" },
	{ "2001-02-29", TIME, NULL },
	{ "1900-02-29", TIME, NULL },
	{ "2001-13-01", TIME, NULL },
	{ "2001-00-01", TIME, NULL },
	{ "2001-01-00", TIME, NULL },
	{ "0000-01-01", TIME, NULL },
	{ "2001-01-01 24:00:00", TIME, NULL },
	{ "2001-01-01 23:60:00", TIME, NULL },
	{ "2001-01-01 23:00:60", TIME, NULL },
	{ "2001-01-01 23:00:00+24", TIME, NULL },
	{ "text", STR, "text" },
};

static void
test_plain(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	char buf[NODE_FLOAT_LEN];
	enum scalar_kind kind;
	struct node *n;
	size_t i, len;
	int rc;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(plain); i++) {
		len = strlen(plain[i].text);
		kind = scalar_resolve(plain[i].text, len);
		if (kind != plain[i].kind)
			fail_msg("'%s' is of kind %d", plain[i].text, kind);
		rc = scalar_convert(kind, plain[i].text, len, &a, &n, &e);
		if (plain[i].value == NULL) {
			if (kind != STR)
				test_fails(rc, &e, OVE_INVALID);
			continue;
		}
		test_ok(rc, &e);
		assert_string_equal(node_scalar_text(n, buf), plain[i].value);
	}
}

static const struct {
	enum scalar_kind kind;
	const char *text;
	/* NULL: refused. */
	const char *value;
} tagged[] = {
	{ INT, "5", "5" },
	{ INT, " 5 ", "5" },
	{ INT, "", NULL },
	{ INT, "x", NULL },
	{ INT, "5x", NULL },
	{ INT, "08", NULL },
	{ INT, "0x", NULL },
	{ INT, "0xg", NULL },
	{ INT, "0b12", NULL },
	{ INT, "1:x", NULL },
	{ INT, "1:2x", NULL },
	{ INT, "--1", NULL },
	{ INT, "1.5", NULL },
	{ FLOAT, "5", "5.0" },
	{ FLOAT, "1e3", "1000.0" },
	{ FLOAT, "-1e3", "-1000.0" },
	{ FLOAT, "0x10", NULL },
	{ FLOAT, "inf", NULL },
	{ FLOAT, "--1", NULL },
	{ FLOAT, "1:x.5", NULL },
	{ FLOAT, "1:", NULL },
	{ FLOAT, "1:1.1.1", NULL },
	{ FLOAT, "", NULL },
	{ BOOL, "yES", "true" },
	{ BOOL, "ofF", "false" },
	{ BOOL, "1", NULL },
	{ BOOL, "falseX", NULL },
	{ BOOL, "", NULL },
	{ NUL, "x", "null" },
	{ STR, "12", "12" },
	{ TIME, "x", NULL },
	{ TIME, "2001-1-1", "2001-01-01" },
	{ BIN, "", "" },
	{ BIN, "aGk=", "hi" },
	{ BIN, "a GV\nsbG8=", "hello" },
	{ BIN, "aGVsbG8h", "hello!" },
	{ BIN, "aG+/", "h\x6f\xbf" },
	{ BIN, "a", NULL },
	{ BIN, "aGk", NULL },
	{ BIN, "aG=k", NULL },
	{ BIN, "=", "" },
	{ BIN, "Y-Q-= =Y", "a" },
	{ BIN, "YQ==YQ==", "a" },
	{ BIN, "\xc3\xa9", NULL },
	{ BIN, "a*k=", NULL },
};

static void
test_tagged(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	char buf[NODE_FLOAT_LEN];
	struct node *n;
	size_t i;
	int rc;

	(void)state;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(tagged); i++) {
		rc = scalar_convert(tagged[i].kind, tagged[i].text,
		    strlen(tagged[i].text), &a, &n, &e);
		if (tagged[i].value == NULL) {
			if (rc != -1)
				fail_msg("accepted: %s", tagged[i].text);
			test_fails(rc, &e, OVE_INVALID);
			continue;
		}
		test_ok(rc, &e);
		assert_string_equal(node_scalar_text(n, buf), tagged[i].value);
	}
}

static void
test_long(void **state)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;
	char text[1000];

	(void)state;
	arena_init(&a, 1 << 20);
	memset(text, '7', sizeof(text));
	assert_int_equal(scalar_resolve(text, sizeof(text)), INT);
	test_fails(scalar_convert(INT, text, sizeof(text), &a, &n, &e), &e,
	    OVE_INVALID);
	test_fails(scalar_convert(FLOAT, text, sizeof(text), &a, &n, &e), &e,
	    OVE_INVALID);
	test_ok(scalar_convert(INT, text, 256, &a, &n, &e), &e);
	assert_int_equal(strlen(n->raw), 256);
	text[0] = '0';
	text[1] = 'x';
	memset(text + 2, 'f', 254);
	/* 306 digits. */
	test_fails(scalar_convert(INT, text, 256, &a, &n, &e), &e, OVE_INVALID);
	test_ok(scalar_convert(INT, text, 214, &a, &n, &e), &e);
	assert_int_equal(strlen(n->raw), 256);
	/* A NUL is no blank. */
	test_fails(scalar_convert(INT, "5\0", 2, &a, &n, &e), &e, OVE_INVALID);
	assert_int_equal(scalar_resolve("5\0", 2), STR);
	/* No memory is no fault of the text. */
	arena_fini(&a);
	arena_init(&a, 1);
	test_ok(scalar_convert(STR, "x", 1, &a, &n, &e), &e);
	assert_null(n);
	test_ok(scalar_convert(BIN, "aGk=", 4, &a, &n, &e), &e);
	assert_null(n);
}

static int
convert_all(void *ctx, struct error *e)
{
	struct arena AUTO_ARENA a;
	struct node *n;
	size_t i;

	(void)ctx;
	arena_init(&a, 1 << 20);
	for (i = 0; i < ARRAY_LEN(tagged); i++) {
		(void)scalar_convert(tagged[i].kind, tagged[i].text,
		    strlen(tagged[i].text), &a, &n, NULL);
	}
	return arena_check(&a, e);
}

static void
test_torture(void **state)
{
	(void)state;
	torture(convert_all, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_plain),
	cmocka_unit_test(test_tagged),
	cmocka_unit_test(test_long),
	cmocka_unit_test(test_torture),
};

TEST_MAIN(tests)
