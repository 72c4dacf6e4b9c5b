/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The hops without a network: which there are and are shown, what a reload
 * keeps, forwards that are cancelled, and a lack of memory. How they behave
 * towards children is tested by test/e2e/test_chains.py.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/chain.h"
#include "lib/data/diag.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "proto/config.h"
#include "test/unit/support/torture.h"

/* Nobody listens there. */
#define CHILD(name, more)                                                      \
  name ": {entrypoint: 'http://127.0.0.1:1', access_token: x" more "}\n"

static const char two[] = "chains:\n  " CHILD("alpha", "") "  " CHILD(
    "bravo", ", disable: true") "  " CHILD("charlie", ", retry: {total: 0}");
static const char other[] = "chains:\n  " CHILD("delta", "") "  " CHILD(
    "alpha", "") "polling: {heartbeat: 60}\n";

static const char *
no_env(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return NULL;
}

static struct config *
config_of(const char *text, struct arena *a)
{
	struct error e = ERROR_INIT;
	struct config *c = NULL;
	struct diag d;

	diag_init(&d, a, "test");
	test_ok(
	    config_parse(text, strlen(text), no_env, NULL, a, &d, &c, &e), &e);
	return c;
}

static void
expect_list(const struct chain *ch, const char *want)
{
	AUTO_STRBUF struct strbuf text;
	AUTO_ARENA struct arena a;

	arena_init(&a, 65536);
	strbuf_init(&text, 65536);
	json_write(&text, chain_list(ch, &a), JSON_COMPACT);
	assert_string_equal(text.buf, want);
}

static void
a_reload_changes_which_there_are(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	AUTO(chain) struct chain *ch = NULL;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	const struct node *shown;

	(void)state;
	arena_init(&a, 4 << 20);
	test_ok(loop_new(&l, &e), &e);
	test_ok(chain_new(&ch, l, &e), &e);
	test_ok(chain_configure(ch, config_of(two, &a), "id", &e), &e);
	expect_list(ch, "[\"alpha\",\"charlie\"]");
	assert_true(chain_has(ch, "alpha"));
	assert_false(chain_has(ch, "bravo"));
	assert_false(chain_has(ch, "delta"));
	shown = chain_breakers(ch, &a);
	assert_string_equal(
	    node_text(node_get(node_get(shown, "alpha"), "state")), "closed");
	assert_null(node_get(shown, "bravo"));
	test_ok(chain_configure(ch, config_of(other, &a), "id", &e), &e);
	expect_list(ch, "[\"delta\",\"alpha\"]");
	test_ok(chain_configure(ch, config_of("", &a), "id", &e), &e);
	expect_list(ch, "[]");
}

struct seen {
	struct loop *loop;
	unsigned n;
	char error[40];
};

static void
on_done(const struct chain_reply *r, void *ctx)
{
	struct seen *s = ctx;

	s->n++;
	(void)snprintf(
	    s->error, sizeof(s->error), "%s", r->error != NULL ? r->error : "");
	loop_stop(s->loop);
}

static int
forward_once(struct chain *ch, struct seen *s, struct error *e)
{
	const struct chain_request rq = {
		.entrypoint = "charlie",
		.tail = true,
		.method = "GET",
		.path = "/v1/ping",
		.request_id = "r",
		.left_ms = 5000,
	};
	struct forward_id id;

	return chain_forward(ch, &rq, on_done, s, &id, e);
}

static void
refused_after_two_failures(void **state)
{
	static const char *const want[] = { "ConnectError", "ConnectError",
		"UnavailableChain" };
	AUTO(loop) struct loop *l = NULL;
	AUTO(chain) struct chain *ch = NULL;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct seen s = { 0 };

	(void)state;
	arena_init(&a, 4 << 20);
	test_ok(loop_new(&l, &e), &e);
	test_ok(chain_new(&ch, l, &e), &e);
	test_ok(chain_configure(ch, config_of(two, &a), "id", &e), &e);
	s.loop = l;
	for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
		test_ok(forward_once(ch, &s, &e), &e);
		/* Never inside the call. */
		assert_int_equal(s.n, i);
		test_ok(loop_run(l, &e), &e);
		assert_int_equal(s.n, i + 1);
		assert_string_equal(s.error, want[i]);
	}
	expect_list(ch, "[\"alpha\"]");
}

static void
unknown_and_cancelled(void **state)
{
	AUTO(loop) struct loop *l = NULL;
	AUTO(chain) struct chain *ch = NULL;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct forward_id id;
	struct seen s = { 0 };
	struct chain_request rq = {
		.entrypoint = "bravo",
		.method = "POST",
		.path = "/v1/ping",
		.body = "{}",
		.left_ms = 5000,
	};

	(void)state;
	arena_init(&a, 4 << 20);
	test_ok(loop_new(&l, &e), &e);
	test_ok(chain_new(&ch, l, &e), &e);
	test_ok(chain_configure(ch, config_of(two, &a), "id", &e), &e);
	s.loop = l;
	test_fails(
	    chain_forward(ch, &rq, on_done, &s, &id, &e), &e, OVE_NOTFOUND);
	rq.entrypoint = "alpha";
	test_ok(chain_forward(ch, &rq, on_done, &s, &id, &e), &e);
	chain_cancel(ch, id);
	chain_cancel(ch, id);
	/* One is still out when the chains go. */
	test_ok(chain_forward(ch, &rq, on_done, &s, &id, &e), &e);
	ch = chain_free(STEAL(ch));
	assert_int_equal(s.n, 0);
}

static int
whole_life(void *ctx, struct error *e)
{
	AUTO(loop) struct loop *l = NULL;
	AUTO(chain) struct chain *ch = NULL;
	struct seen s = { 0 };

	if (loop_new(&l, e) < 0 || chain_new(&ch, l, e) < 0 ||
	    chain_configure(ch, ctx, "id", e) < 0)
		return -1;
	s.loop = l;
	return forward_once(ch, &s, e);
}

static void
survives_a_lack_of_memory(void **state)
{
	AUTO_ARENA struct arena a;

	(void)state;
	arena_init(&a, 4 << 20);
	torture(whole_life, config_of(two, &a));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_reload_changes_which_there_are),
	cmocka_unit_test(refused_after_two_failures),
	cmocka_unit_test(unknown_and_cancelled),
	cmocka_unit_test(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
