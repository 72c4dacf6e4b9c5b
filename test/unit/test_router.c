/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The router: matching by table, what is no path, what is no method, and tables
 * that are refused.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "lib/net/router.h"
#include "test/unit/support/torture.h"

static bool
is_name(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!((s[i] >= 'a' && s[i] <= 'z') || s[i] == '-'))
			return false;
	return true;
}

static bool
is_number(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

static const struct route_rule rules[] = {
	{ "name", is_name, ROUTE_RAW },
	{ "n", is_number, ROUTE_RAW },
	{ "seg", NULL, ROUTE_DECODED },
	{ "nul", NULL, ROUTE_DECODED_NUL },
};

static const struct route_row rows[] = {
	{ "GET", "/", 1 },
	{ "POST", "/", 2 },
	{ "GET", "/v1[/]", 3 },
	{ "GET", "/v1/ping[/]", 4 },
	{ "GET", "/v1/things[/]", 5 },
	{ "POST", "/v1/things[/]", 6 },
	{ "GET", "/v1/things/all", 7 },
	{ "GET", "/v1/things/{name}", 8 },
	{ "HEAD", "/v1/things/{name}", 9 },
	{ "DELETE", "/v1/things/{n:id}", 10 },
	{ "GET", "/v1/things/{name}/log", 11 },
	{ "GET", "/v1/log/{seg:type}/{seg:file}", 12 },
	{ "GET", "/v1/via/{name}/things/{name}", 13 },
	{ "OPTIONS", "/v1/own", 14 },
	{ "GET", "/v1/dir/", 15 },
	{ "GET", "/v1/nul/{nul}", 16 },
};

struct match_row {
	const char *method;
	const char *path;
	int outcome;
	unsigned id;
	/* Parameters joined by blanks, or the methods allowed. */
	const char *text;
};

static const struct match_row match_rows[] = {
	{ "GET", "/", 0, 1, "" },
	{ "POST", "/", 0, 2, "" },
	{ "PUT", "/", ROUTER_NO_METHOD, 0, "GET, POST, OPTIONS" },
	{ "GET", "", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "*", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "//", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "http://h/v1/ping", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1", 0, 3, "" },
	{ "GET", "/v1/", 0, 3, "" },
	{ "GET", "/v1//", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "//v1", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/V1", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v2", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/ping", 0, 4, "" },
	{ "GET", "/v1/ping/", 0, 4, "" },
	{ "GET", "/v1/ping//", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1//ping", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/./ping", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/x/../ping", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/pin", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/pings", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/p%69ng", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/ping#x", ROUTER_NO_PATH, 0, NULL },
	{ "get", "/v1/ping", ROUTER_NO_METHOD, 0, "GET, OPTIONS" },
	{ "TRACE", "/v1/ping", ROUTER_NO_METHOD, 0, "GET, OPTIONS" },
	{ "TRACE", "/v1/pong", ROUTER_NO_PATH, 0, NULL },
	{ "OPTIONS", "/v1/ping", ROUTER_NO_METHOD, 0, "GET, OPTIONS" },
	{ "OPTIONS", "/v1/own", 0, 14, "" },
	{ "GET", "/v1/own", ROUTER_NO_METHOD, 0, "OPTIONS" },
	{ "GET", "/v1/things/", 0, 5, "" },
	{ "POST", "/v1/things", 0, 6, "" },
	{ "GET", "/v1/things/all", 0, 7, "" },
	{ "GET", "/v1/things/web", 0, 8, "web" },
	{ "HEAD", "/v1/things/web", 0, 9, "web" },
	{ "HEAD", "/v1/things/all", ROUTER_NO_METHOD, 0, "GET, OPTIONS" },
	{ "GET", "/v1/things/web/", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/things/%77eb", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/things/W", ROUTER_NO_PATH, 0, NULL },
	{ "DELETE", "/v1/things/17", 0, 10, "17" },
	{ "GET", "/v1/things/17", ROUTER_NO_METHOD, 0, "DELETE, OPTIONS" },
	{ "GET", "/v1/things/17/log", ROUTER_NO_PATH, 0, NULL },
	/* Below the literal nothing fits: the parameter does. */
	{ "GET", "/v1/things/all/log", 0, 11, "all" },
	{ "GET", "/v1/log/a/b", 0, 12, "a b" },
	{ "GET", "/v1/log/a%2fb/%252e", 0, 12, "a/b %2e" },
	{ "GET", "/v1/log/a/%00", ROUTER_BAD_ENCODING, 0, NULL },
	{ "GET", "/v1/nul/a%2e", 0, 16, "a." },
	{ "GET", "/v1/nul/%00", 0, 16, "" },
	{ "GET", "/v1/nul/a%00%zz", 0, 16, "" },
	{ "GET", "/v1/nul/%2500", 0, 16, "%00" },
	{ "GET", "/v1/nul/%0", ROUTER_BAD_ENCODING, 0, NULL },
	{ "GET", "/v1/nul/%ff", ROUTER_BAD_ENCODING, 0, NULL },
	{ "GET", "/v1/log/a/%zz", ROUTER_BAD_ENCODING, 0, NULL },
	{ "PUT", "/v1/log/a/%ff", ROUTER_BAD_ENCODING, 0, NULL },
	{ "put", "/v1/log/a/%ff", ROUTER_NO_METHOD, 0, "GET, OPTIONS" },
	{ "GET", "/v1/log/a", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/log/a/b/c", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/v1/via/x/things/y", 0, 13, "x y" },
	{ "GET", "/v1/dir/", 0, 15, "" },
	{ "GET", "/v1/dir", ROUTER_NO_PATH, 0, NULL },
	{ "GET", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s", ROUTER_NO_PATH, 0,
	    NULL },
};

static void
check_match(const struct router *r, const struct match_row *row)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;
	struct route_match m;
	char text[100] = "";
	size_t i;
	int rc;

	arena_init(&a, 10000);
	rc = router_match(
	    r, row->method, row->path, strlen(row->path), &a, &m, &e);
	if (rc != row->outcome || (m.row != NULL ? m.row->id : 0) != row->id)
		fail_msg("%s %s: %d", row->method, row->path, rc);
	if (row->text == NULL)
		return;
	if (rc == ROUTER_NO_METHOD) {
		assert_string_equal(m.allow, row->text);
		return;
	}
	for (i = 0; i < m.params_n; i++) {
		if (i > 0)
			strncat(text, " ", sizeof(text) - strlen(text) - 1);
		strncat(text, m.params[i], sizeof(text) - strlen(text) - 1);
	}
	assert_string_equal(text, row->text);
}

static void
matches_by_table(void **state)
{
	struct router *r AUTO(router) = NULL;
	struct error e = ERROR_INIT;
	size_t i;

	(void)state;
	test_ok(
	    router_new(&r, rows, ARRAY_LEN(rows), rules, ARRAY_LEN(rules), &e),
	    &e);
	for (i = 0; i < ARRAY_LEN(match_rows); i++)
		check_match(r, &match_rows[i]);
}

static void
bad_tables_are_refused(void **state)
{
	static const char *const paths[] = { "", "v1", "/v1/{x}", "/v1/{}",
		"/v1/a{name}", "/v1/{name}a", "/v1//a", "/v1[/", "/v1[/]a",
		"/v1/[/]", "/a]", "/{n}/{n}/{n}/{n}/{n}/{n}/{n}",
		"/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a" };
	struct route_row twice[] = { { "GET", "/a[/]", 1 },
		{ "GET", "/a/", 2 } };
	struct route_row row = { "GET", NULL, 1 };
	struct router *r = NULL;
	struct error e = ERROR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		row.path = paths[i];
		if (router_new(&r, &row, 1, rules, ARRAY_LEN(rules), &e) != -1)
			fail_msg("'%s' is taken", paths[i]);
		assert_int_equal(e.code, OVE_INVALID);
		error_clear(&e);
	}
	test_fails(router_new(&r, twice, 2, rules, ARRAY_LEN(rules), &e), &e,
	    OVE_INVALID);
}

static int
match(void *ctx, struct error *e)
{
	struct router *r AUTO(router) = NULL;
	struct arena a AUTO_ARENA;
	struct route_match m;

	(void)ctx;
	arena_init(&a, 10000);
	if (router_new(&r, rows, ARRAY_LEN(rows), rules, ARRAY_LEN(rules), e) ==
	    -1)
		return -1;
	if (router_match(r, "GET", "/v1/things/x", 12, &a, &m, e) == -1)
		return -1;
	return router_match(r, "GET", "/v1/log/a/b", 11, &a, &m, e);
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(match, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(matches_by_table),
	cmocka_unit_test(bad_tables_are_refused),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
