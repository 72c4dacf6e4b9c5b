/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A feed against our own HTTP server on the same loop. The server answers each
 * connection with the next line of a script; what the feed tells is written
 * down.
 */
#include "test/unit/support/test.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "lib/data/json.h"
#include "lib/event/loop.h"
#include "lib/net/httpd.h"
#include "proto/feed.h"
#include "test/unit/support/torture.h"

#define GUARD_MS 60000

static const struct httpd_limits limits = {
	.head_bytes = 8192,
	.connections = 100,
	.connections_per_address = 100,
	.idle_ms = 60000,
	.head_ms = 60000,
	.body_ms = 60000,
	.write_ms = 60000,
};

struct answer {
	int status;
	/* Of a stream, or of an error. */
	const char *text;
	/* The stream ends after it. */
	bool ends;
};

struct world {
	struct loop *loop;
	struct httpd *httpd;
	struct client *client;
	struct feed *feed;
	struct timer guard;
	struct client_server server;
	char url[64];
	const struct answer *script;
	/* Each request: its query and Last-Event-ID; each callback. */
	struct strbuf seen;
	/* The loop ends when something like this is told. */
	const char *until;
	/* The feed is freed then. */
	bool frees;
};

static void
told(struct world *w, const char *what)
{
	strbuf_addf(&w->seen, "%s\n", what);
	if (w->until == NULL || strcmp(w->until, what) != 0)
		return;
	if (w->frees)
		w->feed = feed_free(w->feed);
	loop_stop(w->loop);
}

static void
on_head(struct http_req *r, void *ctx)
{
	(void)ctx;
	httpd_accept_body(r, 100000);
}

static void
on_request(struct http_req *r, void *ctx)
{
	struct world *w = ctx;
	const struct answer *x = w->script++;
	const char *last = http_req_header(r, "Last-Event-ID");
	struct http_reply reply = { .status = x->status,
		.content_type = "text/event-stream",
		.body = x->text,
		.body_len = strlen(x->text) };

	strbuf_addf(&w->seen, "%.*s %s\n", (int)http_req_head(r)->target.len,
	    http_req_head(r)->target.p, last != NULL ? last : "-");
	if (x->status != 200) {
		http_req_reply(r, &reply);
		return;
	}
	reply.body_len = 0;
	assert_true(http_req_stream_start(r, &reply));
	assert_true(http_req_stream_send(r, x->text, strlen(x->text)));
	if (x->ends)
		http_req_stream_end(r);
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

static void
on_event(const char *type, const struct node *data, void *ctx)
{
	char text[256];
	struct strbuf b AUTO_STRBUF;

	strbuf_init(&b, 200);
	json_write(&b, data, JSON_COMPACT);
	(void)snprintf(text, sizeof(text), "%s %s", type, b.buf);
	told(ctx, text);
}

static void
on_reset(void *ctx)
{
	told(ctx, "reset");
}

static void
on_live(void *ctx)
{
	told(ctx, "live");
}

static void
on_lost(const char *why, void *ctx)
{
	assert_true(why[0] != '\0');
	told(ctx, "lost");
}

static void
on_refused(const char *why, void *ctx)
{
	char text[256];

	(void)snprintf(text, sizeof(text), "refused %s", why);
	told(ctx, text);
}

static const struct feed_ops ops = { on_event, on_reset, on_live, on_lost,
	on_refused };

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
	strbuf_init(&w.seen, 100000);
	test_ok(loop_new(&w.loop, &e), &e);
	test_ok(httpd_new(&w.httpd, w.loop, &limits, &h, &e), &e);
	test_ok(httpd_listen(w.httpd, "127.0.0.1:0", &port, &e), &e);
	test_ok(client_new(&w.client, w.loop, 4, "test/1", &e), &e);
	test_ok(timer_init(&w.guard, w.loop, on_guard, "guard", &e), &e);
	timer_arm(&w.guard, GUARD_MS);
	(void)snprintf(
	    w.url, sizeof(w.url), "http://127.0.0.1:%u", (unsigned)port);
	w.server.url = w.url;
	w.server.name = "main";
	*state = &w;
	return 0;
}

static int
tear_down(void **state)
{
	struct world *w = *state;

	w->feed = feed_free(w->feed);
	w->client = client_free(w->client);
	w->httpd = httpd_free(w->httpd);
	timer_fini(&w->guard);
	w->loop = loop_free(w->loop);
	strbuf_fini(&w->seen);
	return 0;
}

static void
run(struct world *w, const struct answer *script, const char *until)
{
	struct feed_config config = {
		.server = &w->server, .ops = &ops, .ctx = w
	};
	struct error e = ERROR_INIT;

	w->script = script;
	w->until = until;
	test_ok(feed_new(&w->feed, w->client, w->loop, &config, &e), &e);
	assert_int_equal(w->seen.len, 0);
	test_ok(loop_run(w->loop, &e), &e);
}

/* Cut, not there for a moment, and then where it was. */
static void
a_cut_stream_goes_on(void **state)
{
	static const struct answer script[] = {
		{ 200,
		    "id: a-1\n\nid: a-2\nevent: job\ndata: {\"n\":1}\n\n"
		    "event: job\ndata: none\n\ndata: [1]\n\n:\n\n"
		    "id: a-3\nevent: job\n",
		    true },
		{ 503, "{}", false },
		{ 404, "{}", false },
		{ 200, "event: step\nid: a-4\ndata: {}\n\n", false },
	};
	struct world *w = *state;

	run(w, script, "step {}");
	assert_string_equal(w->seen.buf,
	    "/v1/events -\nlive\nreset\njob {\"n\":1}\nlost\n"
	    "/v1/events a-2\nlost\n/v1/events a-2\nlost\n"
	    "/v1/events a-2\nlive\nstep {}\n");
}

/* A server that was started anew says so; one that never gave an id cannot. */
static void
what_is_missed_is_told(void **state)
{
	static const struct answer script[] = {
		{ 200, "event: job\ndata: {}\n\n", true },
		{ 200, "id: a-1\n\n", true },
		{ 200, "id: b-1\nevent: reset\ndata: {}\n\n", true },
		{ 200, "id: b-2\nevent: end\ndata: {}\n\n", false },
	};
	struct world *w = *state;

	run(w, script, "end {}");
	assert_string_equal(w->seen.buf,
	    "/v1/events -\nlive\nreset\njob {}\nlost\n"
	    "/v1/events -\nlive\nreset\nlost\n"
	    "/v1/events a-1\nlive\nreset\nlost\n"
	    "/v1/events b-1\nlive\nend {}\n");
}

static void
a_refusal_is_the_end(void **state)
{
	static const struct answer script[] = {
		{ 429, "{}", false },
		{ 404, "{\"message\":\"Not Found\"}", false },
	};
	struct world *w = *state;

	run(w, script, "refused 404: Not Found");
	assert_string_equal(w->seen.buf,
	    "/v1/events -\nlost\n/v1/events -\n"
	    "refused 404: Not Found\n");
}

/* From within each callback. */
static void
freed_when_it_tells(void **state)
{
	static const struct answer script[] = {
		{ 200, "event: job\ndata: {}\n\nevent: b\ndata: {}\n\n", true },
	};
	static const struct answer refusal[] = { { 401, "{}", false } };
	static const char *const words[] = { "live", "reset", "job {}", "lost",
		"refused 401: Unauthorized" };
	struct world *w = *state;

	w->frees = true;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		strbuf_reset(&w->seen);
		run(w, i + 1 < ARRAY_LEN(words) ? script : refusal, words[i]);
		assert_null(w->feed);
	}
}

static int
open_and_close(void *ctx, struct error *e)
{
	struct world *w = ctx;
	struct feed_config config = {
		.server = &w->server, .ops = &ops, .ctx = w
	};
	struct feed *f AUTO(feed) = NULL;

	return feed_new(&f, w->client, w->loop, &config, e);
}

static void
out_of_memory(void **state)
{
	torture(open_and_close, *state);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(
	    a_cut_stream_goes_on, set_up, tear_down),
	cmocka_unit_test_setup_teardown(
	    what_is_missed_is_told, set_up, tear_down),
	cmocka_unit_test_setup_teardown(
	    a_refusal_is_the_end, set_up, tear_down),
	cmocka_unit_test_setup_teardown(freed_when_it_tells, set_up, tear_down),
	cmocka_unit_test_setup_teardown(out_of_memory, set_up, tear_down),
};
TEST_MAIN(tests)
