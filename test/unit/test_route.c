/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The route table: it loads, its paths are found again, paths are built. */

#include "proto/route.h"

#include <string.h>

#include "support/test.h"
#include "support/torture.h"

static const char *const words[][2] = {
	{ "{project}", "hello-http" },
	{ "{date}", "2025-05-13_15h20m00s" },
	{ "{service}", "web" },
	{ "{dlog}", "start.log" },
	{ "{vm}", "db1" },
	{ "{job}", "17" },
	{ "{token}", "a/b c" },
	{ "{key}", "web.conf" },
	{ "{jail}", "web_1-a" },
	{ "{seg}", "..%2f?#" },
};

static size_t
params_of(const char *path, const char **params)
{
	size_t n = 0;

	for (const char *p = strchr(path, '{'); p != NULL;
	     p = strchr(p + 1, '{'))
		for (size_t i = 0; i < ARRAY_LEN(words); i++)
			if (strncmp(p, words[i][0], strlen(words[i][0])) == 0)
				params[n++] = words[i][1];
	return n;
}

static void
each_route_is_found_by_the_path_that_is_built_for_it(void **state)
{
	AUTO(router) struct router *r = NULL;
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(route_router(&r, &e), &e);
	for (unsigned id = 0; id < ROUTE_COUNT; id++) {
		const char *params[ROUTE_PARAMS_MAX];
		AUTO_STRBUF struct strbuf path;
		struct route_match m = { 0 };
		AUTO_ARENA struct arena a;

		strbuf_init(&path, 4096);
		arena_init(&a, 4096);
		if (strcmp(routes[id].path, "/") == 0)
			strbuf_adds(&path, "/");
		else
			route_build(&path, (enum route_id)id, NULL, params,
			    params_of(routes[id].path, params));
		assert_int_equal(router_match(r, routes[id].method, path.buf,
				     path.len, &a, &m, &e),
		    0);
		assert_int_equal(m.row->id, id);
	}
}

static void
a_twin_and_odd_words_are_encoded(void **state)
{
	const char *const params[] = { "a b" };
	AUTO_STRBUF struct strbuf path;

	(void)state;
	strbuf_init(&path, 4096);
	route_build(&path, ROUTE_PROJECT_UP, "alpha.charlie", params, 1);
	assert_string_equal(
	    path.buf, "/v1/chain/alpha.charlie/project/up/a%20b");
}

/* Of each twin: its path is that of its route with the chain put in, and the
 * router finds it by its number. */
static void
each_twin_belongs_to_its_route(void **state)
{
	AUTO(router) struct router *r = NULL;
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(route_router(&r, &e), &e);
	for (unsigned no = 0; no < TWIN_COUNT; no++) {
		const struct route *base = &routes[twins[no].id];
		const char *params[ROUTE_PARAMS_MAX];
		AUTO_STRBUF struct strbuf path;
		struct route_match m = { 0 };
		AUTO_ARENA struct arena a;

		strbuf_init(&path, 4096);
		arena_init(&a, 4096);
		route_build(&path, twins[no].id, "alpha.charlie", params,
		    params_of(base->path, params));
		if (router_match(
			r, base->method, path.buf, path.len, &a, &m, &e) != 0 ||
		    m.row->id != ROUTE_COUNT + no)
			fail_msg("%s %s", base->method, path.buf);
		assert_string_equal(m.params[0], "alpha.charlie");
		if (twins[no].missing != MISSING_NONE)
			assert_true(twins[no].member[0] != '\0');
	}
}

/* Of this node and nobody else's, or nothing that has an end. */
static bool
is_local(const char *path)
{
	static const char *const local[] = { "/v1/events", "/v1/tokens",
		"/v1/audit", "/v1/metrics", "/v1/openapi.json", "/v1/tree",
		"/v1/jobs/{job}/", "/v1/project/spec", "/v1/metadata",
		"/v1/namespace" };

	for (size_t i = 0; i < ARRAY_LEN(local); i++)
		if (strncmp(path, local[i], strlen(local[i])) == 0)
			return true;
	return false;
}

/* Every route but the two bare ones and those above has a twin. */
static void
each_route_has_a_twin(void **state)
{
	(void)state;
	for (unsigned id = 0; id < ROUTE_COUNT; id++) {
		bool has = false;

		for (unsigned no = 0; no < TWIN_COUNT; no++)
			has = has || (unsigned)twins[no].id == id;
		if (!has && routes[id].scope != SCOPE_NONE &&
		    !is_local(routes[id].path))
			fail_msg("%s %s has no twin", routes[id].method,
			    routes[id].path);
	}
}

static void
bad_words_are_no_path(void **state)
{
	static const char *const bad[] = {
		"/v1/project/up/..",
		"/v1/chain/.a/ping",
		"/v1/chain/-a/ping",
		"/v1/chain/a%2Db/ping",
		"/v1/chain/a",
		"/v1/chain/",
		"/v1/chain/a/",
		"/v1/chain/a/chain/b/ping",
		"/v1/chain/a//ping",
		"/v1/project/up/a%2Fb",
		"/v1/projects/log/2025-05-13_15h20m00s/../start.log",
		"/v1/jobs/0",
		"/v1/jobs/01",
		"/v1/jobs/12345678901234567",
		"/v1//ping",
		"/v1/metadata/1a",
		"/v1/metadata/a..b",
		"/v1/metadata/a%2e",
		"/v1/metadata/a/",
		"/v1/namespace/..",
		"/v1/namespace/.new",
	};
	AUTO(router) struct router *r = NULL;
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(route_router(&r, &e), &e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct route_match m = { 0 };
		AUTO_ARENA struct arena a;

		arena_init(&a, 4096);
		assert_int_equal(
		    router_match(r, "GET", bad[i], strlen(bad[i]), &a, &m, &e),
		    ROUTER_NO_PATH);
	}
}

static int
make_router(void *ctx, struct error *e)
{
	struct router *r = NULL;
	int rc = route_router(&r, e);

	(void)ctx;
	router_free(r);
	return rc;
}

static void
survives_a_lack_of_memory(void **state)
{
	(void)state;
	torture(make_router, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_route_is_found_by_the_path_that_is_built_for_it),
	cmocka_unit_test(a_twin_and_odd_words_are_encoded),
	cmocka_unit_test(each_twin_belongs_to_its_route),
	cmocka_unit_test(each_route_has_a_twin),
	cmocka_unit_test(bad_words_are_no_path),
	cmocka_unit_test(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
