/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Discovery against our own HTTP server on the same loop: the order of the
 * list, dead chains, circles, entry points.
 */
#include "test/unit/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/event/loop.h"
#include "lib/net/httpd.h"
#include "proto/tree.h"
#include "test/unit/support/torture.h"

#define GUARD_MS 20000

static const struct httpd_limits limits = {
	.head_bytes = 8192,
	.connections = 100,
	.connections_per_address = 100,
	.idle_ms = 60000,
	.head_ms = 60000,
	.body_ms = 60000,
	.write_ms = 60000,
};

/* Path and answer; NULL ends the list. What is not there is 503. */
struct row {
	const char *path;
	const char *answer;
};

struct world {
	struct loop *loop;
	struct httpd *httpd;
	struct client *client;
	struct timer guard;
	struct client_server server;
	char url[64];
	const struct row *rows;
	/* Every path has this answer. */
	const char *always;
	/* "0:*None 0:a! ...": ! for a fault, - when it is left alone, with its
	 * version if it says. */
	struct strbuf found;
	size_t n;
	const char *fault;
};

static const char *
find(const struct world *w, const char *path)
{
	for (const struct row *r = w->rows; r != NULL && r->path != NULL; r++)
		if (strcmp(r->path, path) == 0)
			return r->answer;
	return w->always;
}

static void
on_head(struct http_req *r, void *ctx)
{
	const char *answer = find(ctx, http_req_path(r));
	struct http_reply reply = { .status = answer != NULL ? 200 : 503,
		.content_type = "application/json",
		.body = answer != NULL ? answer : "{\"message\":\"dead\"}" };

	reply.body_len = strlen(reply.body);
	http_req_reply(r, &reply);
}

static void
on_other(struct http_req *r, void *ctx)
{
	(void)r;
	(void)ctx;
}

static void
on_refuse(int status, const char *why, struct strbuf *body, void *ctx)
{
	(void)status;
	(void)why;
	(void)body;
	(void)ctx;
}

static void
on_done(const struct http_req *r, int status, size_t body_len, int64_t took_ms,
    void *ctx)
{
	(void)r;
	(void)status;
	(void)body_len;
	(void)took_ms;
	(void)ctx;
}

static void
on_guard(struct timer *t)
{
	(void)t;
	fail_msg("nothing happens");
}

static int
set_up(void **state)
{
	static struct world w;
	struct httpd_handler h = { .on_head = on_head,
		.on_request = on_other,
		.on_gone = on_other,
		.on_refuse = on_refuse,
		.on_done = on_done,
		.ctx = &w };
	struct error e = ERROR_INIT;
	uint16_t port;

	memset(&w, 0, sizeof(w));
	(void)sigaction(
	    SIGPIPE, &(const struct sigaction){ .sa_handler = SIG_IGN }, NULL);
	test_ok(loop_new(&w.loop, &e), &e);
	test_ok(httpd_new(&w.httpd, w.loop, &limits, &h, &e), &e);
	test_ok(httpd_listen(w.httpd, "127.0.0.1:0", &port, &e), &e);
	test_ok(client_new(&w.client, w.loop, 8, "test/1", &e), &e);
	test_ok(timer_init(&w.guard, w.loop, on_guard, "guard", &e), &e);
	timer_arm(&w.guard, GUARD_MS);
	(void)snprintf(
	    w.url, sizeof(w.url), "http://127.0.0.1:%u", (unsigned)port);
	w.server.name = "main";
	w.server.url = w.url;
	strbuf_init(&w.found, 1000000);
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	w->client = client_free(w->client);
	w->httpd = httpd_free(w->httpd);
	timer_fini(&w->guard);
	w->loop = loop_free(w->loop);
	strbuf_fini(&w->found);
	return 0;
}

static void
on_tree(const struct tree *t, void *ctx)
{
	struct world *w = ctx;

	strbuf_reset(&w->found);
	w->n = t->n;
	w->fault = NULL;
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_node *n = &t->nodes[i];

		strbuf_addf(&w->found, "%s%zu:%s%s%s%s", i == 0 ? "" : " ",
		    n->entry, n->is_start ? "*" : "",
		    n->chain != NULL ? n->chain : "None",
		    n->fault != NULL ? "!" : "", n->is_left_alone ? "-" : "");
		if (n->version != NULL)
			strbuf_addf(&w->found, "(%s)", n->version);
		if (n->fault != NULL)
			w->fault = n->fault;
	}
	loop_stop(w->loop);
}

static int
discover(struct world *w, const char *const *chains, size_t n, struct arena *a,
    struct error *e)
{
	struct tree_search *s AUTO(tree_search) = NULL;
	struct tree_entry entries[4] = { { 0 } };

	for (size_t i = 0; i < n; i++) {
		entries[i].server = &w->server;
		entries[i].chain = chains[i];
	}
	if (tree_discover(&s, w->client, entries, n, a, on_tree, w, e) < 0)
		return -1;
	return loop_run(w->loop, e);
}

static const struct row usual[] = {
	{ "/v1/chains", "{\"chains\":[\"alpha\",\"zulu\"]}" },
	{ "/v1/chain/alpha/chains", "{\"chains\":[\"bravo\",\"charlie\"]}" },
	{ "/v1/chain/alpha.bravo/chains", "{}" },
	{ "/v1/chain/alpha.charlie/chains", "{\"chains\":[\"delta\"]}" },
	{ "/v1/chain/alpha.charlie.delta/chains", "{\"chains\":null}" },
	{ NULL, NULL },
};

static const char *const root[] = { NULL };

static void
depth_first_in_the_order_given(void **state)
{
	struct world *w = *state;
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	arena_init(&a, 1000000);
	w->rows = usual;
	test_ok(discover(w, root, 1, &a, &e), &e);
	assert_string_equal(w->found.buf,
	    "0:*None 0:alpha 0:alpha.bravo 0:alpha.charlie "
	    "0:alpha.charlie.delta 0:zulu!");
	assert_string_equal(w->fault, "503: dead");
}

/* alpha is told of whole, bravo is left alone and not asked, who is not known
 * is asked. */
static const struct row told[] = {
	{ "/v1/tree",
	    "{\"tree\":{\"server\":\"s\",\"version\":\"1.2\",\"chains\":["
	    "{\"chain\":\"alpha\",\"chains\":["
	    "{\"chain\":\"charlie\",\"chains\":[]}]},"
	    "{\"chain\":\"bravo\",\"skipped\":true,\"error\":{}},"
	    "{\"chain\":\"delta\",\"truncated\":[\"chains\"]},7,{},"
	    "{\"chain\":\"echo\",\"error\":{}},"
	    "{\"chain\":\"zulu\",\"chains\":3}]}}" },
	{ "/v1/chain/delta/chains", "{\"chains\":[\"x\"]}" },
	{ "/v1/chain/delta.x/chains", "{}" },
	{ "/v1/chain/zulu/chains", "{}" },
	{ NULL, NULL },
};

static void
a_tree_tells_of_all(void **state)
{
	struct world *w = *state;
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	arena_init(&a, 1000000);
	w->rows = told;
	test_ok(discover(w, root, 1, &a, &e), &e);
	assert_string_equal(w->found.buf,
	    "0:*None(1.2) 0:alpha 0:alpha.charlie 0:bravo!- 0:delta 0:delta.x "
	    "0:echo! 0:zulu");
	assert_string_equal(w->fault, "503: dead");
}

static void
entry_points_in_order(void **state)
{
	static const char *const chains[] = { "alpha.charlie", "zulu",
		"alpha.charlie" };
	struct world *w = *state;
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	arena_init(&a, 1000000);
	w->rows = usual;
	test_ok(discover(w, chains, 3, &a, &e), &e);
	assert_string_equal(w->found.buf,
	    "0:*alpha.charlie 0:alpha.charlie.delta 1:*zulu! "
	    "2:*alpha.charlie 2:alpha.charlie.delta");
}

static void
circles_end(void **state)
{
	struct world *w = *state;
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	arena_init(&a, (size_t)64 << 20);
	w->always = "{\"chains\":[\"a\"]}";
	test_ok(discover(w, root, 1, &a, &e), &e);
	assert_in_range(w->n, TREE_DEPTH_MAX, TREE_DEPTH_MAX + 2);
	assert_non_null(strstr(w->fault, "circle"));
}

static void
bad_lists_are_faults(void **state)
{
	static const char *const lists[] = { "{\"chains\":{}}",
		"{\"chains\":[1]}", "[]", "x" };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		struct arena a AUTO_ARENA;
		struct error e = ERROR_INIT;

		arena_init(&a, 1000000);
		w->always = lists[i];
		test_ok(discover(w, root, 1, &a, &e), &e);
		assert_string_equal(w->found.buf, "0:*None!");
		assert_non_null(strstr(w->fault, "not understood"));
	}
}

static void
nobody_is_no_search(void **state)
{
	struct world *w = *state;
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;

	arena_init(&a, 1000000);
	test_fails(discover(w, root, 0, &a, &e), &e, OVE_UNAVAILABLE);
}

/* Nobody listens there, so only the client's own memory fails. libcurl forgets
 * a transfer when some of its memory fails; the deadline is
 * what ends it. */
static int
body(void *ctx, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct client *c AUTO(client) = NULL;
	struct arena a AUTO_ARENA;
	struct world w = { .server = { .name = "main",
			       .url = "http://127.0.0.1:1",
			       .total_ms = 300 } };
	int rc;

	(void)ctx;
	arena_init(&a, 1000000);
	strbuf_init(&w.found, 10000);
	rc = loop_new(&l, e) < 0 || client_new(&c, l, 4, "test/1", e) < 0;
	w.loop = l;
	w.client = c;
	if (rc == 0)
		rc = discover(&w, root, 1, &a, e);
	strbuf_fini(&w.found);
	return rc == 0 ? 0 : -1;
}

static void
memory_may_fail(void **state)
{
	(void)state;
	torture(body, NULL);
}

/* clang-format off */
#define IN_WORLD(f) cmocka_unit_test_setup_teardown((f), set_up, tear_down)
/* clang-format on */

static const struct CMUnitTest tests[] = {
	IN_WORLD(depth_first_in_the_order_given),
	IN_WORLD(a_tree_tells_of_all),
	IN_WORLD(entry_points_in_order),
	IN_WORLD(circles_end),
	IN_WORLD(bad_lists_are_faults),
	IN_WORLD(nobody_is_no_search),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
