/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The events of a tree without a network: what those of this node and of a
 * child become, which children there are after a reload, for how long somebody
 * reads, and that ids are forgotten when nobody did. Streams and polls are
 * tested by test/e2e/test_subtree.py and test_mixed.py.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <string.h>

#include "daemon/subtree_internal.h"
#include "lib/base/clock.h"
#include "lib/base/strbuf.h"
#include "lib/data/diag.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "proto/config.h"
#include "test/unit/support/torture.h"

/* Nobody listens there. */
#define CHILD(name, more)                                                      \
  name ": {entrypoint: 'http://127.0.0.1:1', access_token: x" more "}\n"
#define SEVEN "a.b.c.d.e.f.g"

static const char two[] = "chains:\n  " CHILD("alpha", "") "  " CHILD(
    "bravo", ", disable: true") "  " CHILD("charlie", "");
static const char other[] =
    "chains:\n  " CHILD("delta", "") "  " CHILD("charlie", "");

struct kit {
	struct loop *loop;
	struct events *local;
	struct chain *chain;
	struct subtree *st;
	struct arena arena;
	struct timer end;
	struct events_reader reader;
};

static struct kit kit;

static void
on_end(struct timer *t)
{
	loop_stop(t->loop);
}

static const char *
no_env(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return NULL;
}

static void
configure(const char *text)
{
	struct error e = ERROR_INIT;
	struct config *c = NULL;
	struct diag d;

	diag_init(&d, &kit.arena, "test");
	test_ok(config_parse(
		    text, strlen(text), no_env, NULL, &kit.arena, &d, &c, &e),
	    &e);
	test_ok(chain_configure(kit.chain, c, "me", &e), &e);
	subtree_configure(kit.st, c, "me");
}

static int
set_up(void **state)
{
	const struct events_limits limits = { 64, 65536 };
	struct error e = ERROR_INIT;

	(void)state;
	kit = (struct kit){ 0 };
	arena_init(&kit.arena, 8 << 20);
	test_ok(loop_new(&kit.loop, &e), &e);
	test_ok(timer_init(&kit.end, kit.loop, on_end, "end", &e), &e);
	test_ok(events_new(&kit.local, kit.loop, &limits, &e), &e);
	test_ok(chain_new(&kit.chain, kit.loop, &e), &e);
	test_ok(subtree_new(&kit.st, kit.loop, kit.local, kit.chain, &e), &e);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	events_close(&kit.reader);
	kit.st = subtree_free(kit.st);
	kit.chain = chain_free(kit.chain);
	kit.local = events_free(kit.local);
	timer_fini(&kit.end);
	kit.loop = loop_free(kit.loop);
	arena_fini(&kit.arena);
	return 0;
}

static void
turn(void)
{
	struct error e = ERROR_INIT;

	timer_arm(&kit.end, 0);
	test_ok(loop_run(kit.loop, &e), &e);
}

static void
on_wake(struct events_reader *r)
{
	(void)r;
}

/* "PROJECT DATA" of the next event; "": there is none. */
static const char *
next(void)
{
	static char text[4096];
	const struct event *x;

	text[0] = '\0';
	if (events_next(&kit.reader, &x) == 0)
		(void)snprintf(text, sizeof(text), "%s %.*s", x->project,
		    (int)x->data_len, x->data);
	return text;
}

static void
read_all_below(const char *last)
{
	kit.reader.wake = on_wake;
	(void)events_open(subtree_events(kit.st), &kit.reader, last);
}

static void
those_of_this_node(void **state)
{
	struct subtree_member m = { .until_ms = INT64_MAX };

	(void)state;
	configure("");
	events_publish(kit.local, EVENT_JOB, "web", "{\"n\":0}");
	turn();
	read_all_below(NULL);
	subtree_join(kit.st, &m);
	/* What was before nobody hears. */
	turn();
	assert_string_equal(next(), "");
	events_publish(kit.local, EVENT_JOB, "web", "{\"n\":1}");
	turn();
	assert_string_equal(
	    next(), "web {\"chain\":\"\",\"via\":[\"me\"],\"n\":1}");
	assert_string_equal(next(), "");
	/* At once, and so before what is told next. */
	subtree_tell(kit.st, "alpha", "lost");
	assert_non_null(strstr(next(), "\"state\":\"lost\""));
	subtree_leave(&m);
	subtree_leave(&m);
}

static void
those_of_a_child(void **state)
{
	static const struct {
		const char *data;
		int rc;
		/* "": nothing is told. */
		const char *told;
	} cases[] = {
		{ "{\"chain\":\"\",\"via\":[\"a\"],\"project\":\"web\"}", 0,
		    "web {\"chain\":\"alpha\",\"via\":[\"a\",\"me\"],"
		    "\"project\":\"web\"}" },
		{ "{\"x\":[1,null],\"via\":[],\"chain\":\"b.c\"}", 0,
		    " {\"chain\":\"alpha.b.c\",\"via\":[\"me\"],"
		    "\"x\":[1,null]}" },
		/* It was here before. */
		{ "{\"chain\":\"b\",\"via\":[\"a\",\"me\",\"b\"]}", 0, "" },
		{ "[]", -1, "" },
		{ "{}", -1, "" },
		{ "{\"chain\":\"\"}", -1, "" },
		{ "{\"via\":[]}", -1, "" },
		{ "{\"chain\":1,\"via\":[]}", -1, "" },
		{ "{\"chain\":\"b..c\",\"via\":[]}", -1, "" },
		{ "{\"chain\":\"\",\"via\":{}}", -1, "" },
		{ "{\"chain\":\"\",\"via\":[1]}", -1, "" },
		/* Sixteen names below us would be seventeen above. */
		{ "{\"chain\":\"" SEVEN "." SEVEN ".h\",\"via\":[]}", 0,
		    " {\"chain\":\"alpha." SEVEN "." SEVEN
		    ".h\",\"via\":[\"me\"]}" },
		{ "{\"chain\":\"" SEVEN "." SEVEN ".h.i\",\"via\":[]}", -1,
		    "" },
		{ "{\"chain\":\"\",\"via\":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,"
		  "15,16]}",
		    -1, "" },
	};
	struct branch *b;

	(void)state;
	configure(two);
	read_all_below(NULL);
	b = TAILQ_FIRST(&kit.st->branches);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct error e = ERROR_INIT;
		struct node *data;

		test_ok(json_read(cases[i].data, strlen(cases[i].data),
			    &kit.arena, &data, &e),
		    &e);
		assert_int_equal(
		    branch_publish(b, EVENT_PROJECT, data, &kit.arena),
		    cases[i].rc);
		assert_string_equal(next(), cases[i].told);
		assert_string_equal(next(), "");
	}
}

static void
too_much_for_an_event(void **state)
{
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;
	struct node *data;

	(void)state;
	configure(two);
	read_all_below(NULL);
	for (unsigned i = 0; i < 2; i++) {
		strbuf_init(&text, 1 << 20);
		strbuf_addf(&text, "{\"chain\":\"\",\"via\":[],\"%s\":\"",
		    i == 0 ? "project" : "x");
		for (unsigned n = i == 0 ? 1000 : 70000; n > 0; n--)
			strbuf_addc(&text, 'p');
		strbuf_adds(&text, "\"}");
		test_ok(
		    json_read(text.buf, text.len, &kit.arena, &data, &e), &e);
		assert_int_equal(branch_publish(TAILQ_FIRST(&kit.st->branches),
				     EVENT_PROJECT, data, &kit.arena),
		    -1);
		strbuf_fini(&text);
	}
	assert_string_equal(next(), "");
}

static const char *
branches(void)
{
	static char text[128];
	const struct branch *b;
	size_t len = 0;

	text[0] = '\0';
	TAILQ_FOREACH (b, &kit.st->branches, link)
		len += (size_t)snprintf(
		    text + len, sizeof(text) - len, "%s ", b->name);
	return text;
}

static void
a_reload_changes_the_children(void **state)
{
	struct subtree_member m = { .until_ms = INT64_MAX };
	const struct branch *charlie;

	(void)state;
	configure(two);
	assert_string_equal(branches(), "alpha charlie ");
	charlie = TAILQ_LAST(&kit.st->branches, branch_list);
	assert_int_equal(charlie->stream.v, 0);
	subtree_join(kit.st, &m);
	assert_int_not_equal(charlie->stream.v, 0);
	configure(other);
	/* Those that are still there are left alone. */
	assert_string_equal(branches(), "charlie delta ");
	assert_ptr_equal(TAILQ_FIRST(&kit.st->branches), charlie);
	assert_int_not_equal(
	    TAILQ_LAST(&kit.st->branches, branch_list)->stream.v, 0);
	configure("");
	assert_string_equal(branches(), "");
	subtree_leave(&m);
}

static void
for_how_long_somebody_reads(void **state)
{
	struct subtree_member a = { 0 }, b = { 0 };
	int64_t now = clock_mono_ms();

	(void)state;
	configure("");
	assert_int_equal(subtree_life_ms(kit.st), 0);
	a.until_ms = now - 1;
	subtree_join(kit.st, &a);
	assert_int_equal(subtree_life_ms(kit.st), 0);
	b.until_ms = now + 60000;
	subtree_join(kit.st, &b);
	assert_in_range(subtree_life_ms(kit.st), 1, 60000);
	/* Not for ever: servers may list each other. */
	a.until_ms = INT64_MAX;
	assert_int_equal(subtree_life_ms(kit.st), SUBTREE_LEASE_MS);
	subtree_leave(&a);
	assert_in_range(subtree_life_ms(kit.st), 1, 60000);
	assert_false(kit.st->linger.armed);
	subtree_leave(&b);
	assert_true(kit.st->linger.armed);
	/* Who comes back in time has missed nothing. */
	subtree_join(kit.st, &a);
	assert_false(kit.st->linger.armed);
	subtree_leave(&a);
}

static void
ids_are_forgotten_with_the_last_reader(void **state)
{
	struct subtree_member m = { .until_ms = INT64_MAX };
	char id[EVENTS_ID_LEN];

	(void)state;
	configure("");
	subtree_join(kit.st, &m);
	events_publish(kit.local, EVENT_JOB, "web", "{\"n\":1}");
	turn();
	events_newest(subtree_events(kit.st), id);
	subtree_leave(&m);
	kit.reader.wake = on_wake;
	assert_int_equal(
	    events_open(subtree_events(kit.st), &kit.reader, id), 0);
	events_close(&kit.reader);
	/* Not in half a minute. */
	timer_arm(&kit.st->linger, 0);
	turn();
	assert_false(kit.st->awake);
	assert_int_equal(
	    events_open(subtree_events(kit.st), &kit.reader, id), EVENTS_RESET);
}

static int
make_one(void *ctx, struct error *e)
{
	AUTO(subtree) struct subtree *st = NULL;

	(void)ctx;
	return subtree_new(&st, kit.loop, kit.local, kit.chain, e);
}

static void
survives_a_lack_of_memory(void **state)
{
	(void)state;
	torture(make_one, NULL);
}

#define IN_KIT(f) cmocka_unit_test_setup_teardown((f), set_up, tear_down)

static const struct CMUnitTest tests[] = {
	IN_KIT(those_of_this_node),
	IN_KIT(those_of_a_child),
	IN_KIT(too_much_for_an_event),
	IN_KIT(a_reload_changes_the_children),
	IN_KIT(for_how_long_somebody_reads),
	IN_KIT(ids_are_forgotten_with_the_last_reader),
	IN_KIT(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
