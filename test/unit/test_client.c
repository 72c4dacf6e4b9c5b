/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * API calls against our own HTTP server on the same loop: what is sent, and
 * what each kind of answer becomes.
 */
#include "test/unit/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/json.h"
#include "lib/event/loop.h"
#include "lib/net/httpd.h"
#include "proto/client.h"
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

struct world {
	struct loop *loop;
	struct httpd *httpd;
	struct client *client;
	struct timer guard;
	struct client_server server;
	char url[64];
	/* What is answered. */
	int status;
	const char *answer;
	/* The last request: "METHOD path auth type body". */
	char seen[1024];
	/* The last reply. */
	unsigned replies;
	enum client_class class;
	char text[512];
	char body[512];
};

static void
on_head(struct http_req *r, void *ctx)
{
	(void)ctx;
	httpd_accept_body(r, 100000);
}

static const char *
or_dash(const char *s)
{
	return s != NULL ? s : "-";
}

static void
on_request(struct http_req *r, void *ctx)
{
	struct world *w = ctx;
	struct http1_span body = http_req_body(r);
	struct http_reply reply = { .status = w->status,
		.content_type = "application/json",
		.body = w->answer,
		.body_len = strlen(w->answer),
		.head_only = strcmp(http_req_method(r), "HEAD") == 0 };

	(void)snprintf(w->seen, sizeof(w->seen), "%s %.*s %s %s %.*s",
	    http_req_method(r), (int)http_req_head(r)->target.len,
	    http_req_head(r)->target.p,
	    or_dash(http_req_header(r, "Authentication")),
	    or_dash(http_req_header(r, "Content-Type")), (int)body.len,
	    body.p != NULL ? body.p : "");
	http_req_reply(r, &reply);
}

static void
on_refuse(int status, const char *why, struct strbuf *body, void *ctx)
{
	(void)status;
	(void)ctx;
	strbuf_adds(body, why);
}

static void
on_gone(struct http_req *r, void *ctx)
{
	(void)r;
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
		.on_request = on_request,
		.on_gone = on_gone,
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
	test_ok(client_new(&w.client, w.loop, 4, "test/1", &e), &e);
	test_ok(timer_init(&w.guard, w.loop, on_guard, "guard", &e), &e);
	timer_arm(&w.guard, GUARD_MS);
	(void)snprintf(
	    w.url, sizeof(w.url), "http://127.0.0.1:%u/base//", (unsigned)port);
	w.server.name = "main";
	w.server.url = w.url;
	w.server.token = "tok";
	w.server.connect_ms = 10000;
	w.server.read_ms = 10000;
	w.status = 200;
	w.answer = "{}";
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
	return 0;
}

static void
on_reply(const struct client_reply *r, void *ctx)
{
	struct world *w = ctx;
	struct strbuf b AUTO_STRBUF;

	strbuf_init(&b, 10000);
	w->replies++;
	w->class = r->class;
	(void)snprintf(w->text, sizeof(w->text), "%s", r->text);
	if (r->body != NULL)
		json_write(&b, r->body, JSON_COMPACT);
	(void)snprintf(w->body, sizeof(w->body), "%s", b.buf);
	loop_stop(w->loop);
}

static void
call(struct world *w, const struct client_call *what)
{
	struct client_call c = *what;
	struct error e = ERROR_INIT;
	unsigned before = w->replies;

	c.server = &w->server;
	test_ok(client_call(w->client, &c, on_reply, w, &e), &e);
	assert_int_equal(w->replies, before);
	test_ok(loop_run(w->loop, &e), &e);
	assert_int_equal(w->replies, before + 1);
}

static void
requests(void **state)
{
	struct world *w = *state;
	struct arena a AUTO_ARENA;
	struct node *body;
	const char *name = "a b/c", *key = "k.x";

	arena_init(&a, 10000);
	body = node_new(&a, NODE_MAP);
	node_set(&a, body, "x", node_int(&a, 1));
	call(w, &(const struct client_call){ .route = ROUTE_LABELS });
	assert_string_equal(w->seen, "GET /base/v1/labels Bearer tok - ");
	call(w,
	    &(const struct client_call){ .route = ROUTE_PROJECT_UP,
		.chain = "a.b",
		.params = &name,
		.params_n = 1,
		.body = body });
	assert_string_equal(w->seen,
	    "POST /base/v1/chain/a.b/project/up/a%20b%2Fc Bearer tok "
	    "application/json {\"x\": 1}");
	call(w,
	    &(const struct client_call){
		.route = ROUTE_JOBS, .query = "limit=1" });
	assert_string_equal(w->seen, "GET /base/v1/jobs?limit=1 Bearer tok - ");
	call(w,
	    &(const struct client_call){ .route = ROUTE_METADATA_CHECK,
		.chain = "z",
		.params = &key,
		.params_n = 1 });
	assert_string_equal(
	    w->seen, "HEAD /base/v1/chain/z/metadata/k.x Bearer tok - ");
}

static const struct {
	enum route_id route;
	int status;
	enum client_class class;
	const char *answer;
	const char *text;
	const char *body;
} rows[] = {
	{ ROUTE_METADATA_GET, 200, CLIENT_OK, "{\"a\":1}", "", "{\"a\":1}" },
	{ ROUTE_METADATA_POST, 201, CLIENT_OK, "{}", "", "{}" },
	{ ROUTE_METADATA_CHECK, 200, CLIENT_OK, "xx", "", "" },
	{ ROUTE_METADATA_DELETE, 200, CLIENT_OK, "{}", "", "{}" },
	{ ROUTE_METADATA_GET, 200, CLIENT_GARBLED, "",
	    "the reply is not understood: ", "" },
	{ ROUTE_METADATA_GET, 200, CLIENT_GARBLED, "[1]",
	    "the reply is not understood: not a JSON object", "" },
	{ ROUTE_METADATA_GET, 200, CLIENT_GARBLED, "<html>",
	    "the reply is not understood: ", "" },
	{ ROUTE_METADATA_GET, 404, CLIENT_NOTFOUND,
	    "{\"message\":\"Not here.\"}", "404: Not here",
	    "{\"message\":\"Not here.\"}" },
	{ ROUTE_METADATA_CHECK, 404, CLIENT_NOTFOUND, "", "404: Not Found",
	    "" },
	{ ROUTE_METADATA_GET, 401, CLIENT_DENIED, "{\"message\":\"\"}",
	    "401: Unauthorized", "{\"message\":\"\"}" },
	{ ROUTE_METADATA_GET, 403, CLIENT_DENIED, "no", "403: Forbidden", "" },
	{ ROUTE_METADATA_GET, 400, CLIENT_REFUSED, "{}", "400: Bad Request",
	    "{}" },
	{ ROUTE_METADATA_GET, 503, CLIENT_UNAVAILABLE, "{\"message\":7}",
	    "503: Service Unavailable", "{\"message\":7}" },
	{ ROUTE_METADATA_GET, 404, CLIENT_NOTFOUND,
	    "{\"message\":\"Client error\",\"remote\":{\"message\":\"Client "
	    "error\",\"remote\":{\"message\":\"Not below.\",\"remote\":"
	    "null}}}",
	    "404: Not below",
	    "{\"message\":\"Client error\",\"remote\":{\"message\":\"Client "
	    "error\",\"remote\":{\"message\":\"Not below.\",\"remote\":"
	    "null}}}" },
	{ ROUTE_METADATA_GET, 503, CLIENT_UNAVAILABLE,
	    "{\"message\":\"here\",\"remote\":{\"message\":\"\"}}", "503: here",
	    "{\"message\":\"here\",\"remote\":{\"message\":\"\"}}" },
	{ ROUTE_METADATA_GET, 404, CLIENT_NOTFOUND,
	    "{\"message\":\"Client error '404 Not Found' for url 'u'\\nFor "
	    "more "
	    "information check: https://a/404\"}",
	    "404: Client error '404 Not Found' for url 'u'",
	    "{\"message\":\"Client error '404 Not Found' for url 'u'\\nFor "
	    "more "
	    "information check: https://a/404\"}" },
	{ ROUTE_METADATA_GET, 302, CLIENT_GARBLED, "", "302: ", "" },
};

static void
answers(void **state)
{
	struct world *w = *state;
	const char *key = "x";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		w->status = rows[i].status;
		w->answer = rows[i].answer;
		call(w,
		    &(const struct client_call){ .route = rows[i].route,
			.params = &key,
			.params_n = 1 });
		if (w->class != rows[i].class)
			fail_msg("row %zu: %d %s", i, (int)w->class, w->text);
		if (strncmp(w->text, rows[i].text, strlen(rows[i].text)) != 0 ||
		    strchr(w->text, '\n') != NULL ||
		    (rows[i].class != CLIENT_OK && w->text[0] == '\0'))
			fail_msg("row %zu: '%s'", i, w->text);
		assert_string_equal(w->body, rows[i].body);
	}
}

static void
no_answer(void **state)
{
	static const char *const urls[] = { "", "ftp://127.0.0.1/", "not a url",
		"http://127.0.0.1:1" };
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
		w->server.url = urls[i];
		call(w, &(const struct client_call){ .route = ROUTE_LABELS });
		assert_int_equal(w->class, CLIENT_UNAVAILABLE);
		assert_true(w->text[0] != '\0');
	}
	assert_string_equal(w->text, "connection refused");
}

static void
on_stop(struct timer *t)
{
	loop_stop(t->loop);
}

static void
cancelled_calls_are_not_answered(void **state)
{
	struct world *w = *state;
	struct client_call c = { .server = &w->server, .route = ROUTE_LABELS };
	struct error e = ERROR_INIT;
	struct timer stop = { 0 };

	test_ok(client_call(w->client, &c, on_reply, w, &e), &e);
	w->server.url = "";
	test_ok(client_call(w->client, &c, on_reply, w, &e), &e);
	client_cancel_all(w->client);
	test_ok(timer_init(&stop, w->loop, on_stop, "stop", &e), &e);
	timer_arm(&stop, 50);
	test_ok(loop_run(w->loop, &e), &e);
	timer_fini(&stop);
	assert_int_equal(w->replies, 0);
	w->server.url = w->url;
	test_ok(client_call(w->client, &c, on_reply, w, &e), &e);
}

static struct node *
parse(struct arena *a, const char *json)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	test_ok(json_read(json, strlen(json), a, &n, &e), &e);
	return n;
}

static void
members_of_replies(void **state)
{
	struct arena a AUTO_ARENA;
	struct error e = ERROR_INIT;
	struct client_strs s;
	int64_t id = 0;

	(void)state;
	arena_init(&a, 100000);
	test_ok(client_get_strs(
		    parse(&a, "{\"l\":[\"a\",\"b\"]}"), "l", &a, &s, &e),
	    &e);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.items[1], "b");
	test_ok(client_get_strs(parse(&a, "{}"), "l", &a, &s, &e), &e);
	assert_int_equal(s.n, 0);
	test_ok(
	    client_get_strs(parse(&a, "{\"l\":null}"), "l", &a, &s, &e), &e);
	test_fails(client_get_strs(parse(&a, "{\"l\":{}}"), "l", &a, &s, &e),
	    &e, OVE_UPSTREAM);
	test_fails(client_get_strs(parse(&a, "{\"l\":[1]}"), "l", &a, &s, &e),
	    &e, OVE_UPSTREAM);
	test_ok(client_get_job_id(parse(&a, "{\"job_id\":7}"), &id, &e), &e);
	assert_int_equal(id, 7);
	test_fails(client_get_job_id(parse(&a, "{\"job_id\":0}"), &id, &e), &e,
	    OVE_UPSTREAM);
	test_fails(
	    client_get_job_id(parse(&a, "{}"), &id, &e), &e, OVE_UPSTREAM);
}

/* Nobody listens there, so only the client's own memory fails. libcurl forgets
 * a transfer when some of its memory fails; the deadline is
 * what ends it. */
static int
body(void *ctx, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct client *c AUTO(client) = NULL;
	struct world w = { .server = { .name = "main",
			       .url = "http://127.0.0.1:1",
			       .token = "t",
			       .total_ms = 300 } };
	struct client_call call = { .server = &w.server,
		.route = ROUTE_LABELS };

	(void)ctx;
	if (loop_new(&l, e) < 0 || client_new(&c, l, 4, "test/1", e) < 0)
		return -1;
	w.loop = l;
	if (client_call(c, &call, on_reply, &w, e) < 0)
		return -1;
	return loop_run(l, e);
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
	IN_WORLD(requests),
	IN_WORLD(answers),
	IN_WORLD(no_answer),
	IN_WORLD(cancelled_calls_are_not_answered),
	cmocka_unit_test(members_of_replies),
	cmocka_unit_test(memory_may_fail),
};
TEST_MAIN(tests)
