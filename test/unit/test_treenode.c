/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What stays of what a server below says: known members of their types, what
 * the token may see, as deep and as much as there is room for.
 */
#include "test/unit/support/test.h"

#include <string.h>

#include "daemon/chain.h"
#include "daemon/treenode.h"
#include "daemon/walk.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

#define ALL ((1u << TREE_WORD_COUNT) - 1)

static struct node *
node_of(const char *text, struct arena *a)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	test_ok(json_read(text, strlen(text), a, &n, &e), &e);
	return n;
}

static bool
sees_web(const void *ctx, const char *project)
{
	(void)ctx;
	return strcmp(project, "web") == 0;
}

struct taking {
	const char *said;
	const char *want;
	unsigned words;
	unsigned depth;
	const char *project;
	/* The token sees web only. */
	bool narrowed;
	/* Of these, in the place of TREE_ROOM. */
	struct tree_room room;
};

static void
check(const struct taking *t)
{
	AUTO_STRBUF struct strbuf text;
	AUTO_ARENA struct arena a;
	const struct tree_rules rules = {
		.wish = { t->words, t->project },
		.sees = t->narrowed ? sees_web : NULL,
	};
	struct tree_room room = t->room.bytes != 0 ? t->room : TREE_ROOM;
	struct error e = ERROR_INIT;

	arena_init(&a, 4 << 20);
	strbuf_init(&text, 1 << 20);
	json_write(&text,
	    treenode_take(
		"a", node_of(t->said, &a), &rules, t->depth, &room, &a),
	    JSON_COMPACT);
	test_ok(arena_check(&a, &e), &e);
	assert_string_equal(text.buf, t->want);
}

static void
what_is_taken(void **state)
{
	static const char two[] =
	    "{\"projects\":[\"web\",\"dns\"],\"info\":{\"dns\":{},\"web\":1}}";
	static const char chain[] =
	    "{\"chains\":[{\"chain\":\"b\",\"chains\":[{\"chain\":\"c\","
	    "\"chains\":[]}]}]}";
	static const struct taking rows[] = {
		{ "{}", "{\"chain\":\"a\"}", ALL, 1, NULL, false, { 0, 0, 0 } },
		{ "[]", "{\"chain\":\"a\"}", ALL, 1, NULL, false, { 0, 0, 0 } },
		/* Other types, other members, words that nobody wanted. */
		{ "{\"chain\":\"x\",\"server\":1,\"labels\":{},\"new\":1,"
		  "\"jails\":[1,\"j\"],\"stats\":{\"pcpu\":1},\"walked\":true}",
		    "{\"chain\":\"a\",\"walked\":true,\"jails\":[\"j\"]}",
		    1u << TREE_JAILS | 1u << TREE_LABELS, 1, NULL, false,
		    { 0, 0, 0 } },
		{ two,
		    "{\"chain\":\"a\",\"projects\":[\"web\"],"
		    "\"info\":{\"web\":1}}",
		    ALL, 1, NULL, true, { 0, 0, 0 } },
		{ two,
		    "{\"chain\":\"a\",\"projects\":[\"dns\"],"
		    "\"info\":{\"dns\":{}}}",
		    ALL, 1, "dns", false, { 0, 0, 0 } },
		{ two, "{\"chain\":\"a\",\"projects\":[],\"info\":{}}", ALL, 1,
		    "dns", true, { 0, 0, 0 } },
		/* No deeper than was asked for. */
		{ chain, "{\"chain\":\"a\",\"truncated\":[\"chains\"]}", 0, 0,
		    NULL, false, { 0, 0, 0 } },
		{ chain,
		    "{\"chain\":\"a\",\"chains\":[{\"chain\":\"b\","
		    "\"truncated\":[\"chains\"]}]}",
		    0, 1, NULL, false, { 0, 0, 0 } },
		{ "{\"chains\":[]}", "{\"chain\":\"a\",\"chains\":[]}", 0, 0,
		    NULL, false, { 0, 0, 0 } },
		/* Only names that are ones. */
		{ "{\"chains\":[{\"chain\":\"a.b\"},{},3,{\"chain\":\"ok\"}]}",
		    "{\"chain\":\"a\",\"chains\":[{\"chain\":\"ok\"}]}", 0, 1,
		    NULL, false, { 0, 0, 0 } },
		{ "{\"error\":{\"error\":\"E\",\"message\":\"m\","
		  "\"status_code\":508,\"x\":1},\"truncated\":[\"info\",\"y\"]"
		  "}",
		    "{\"chain\":\"a\",\"error\":{\"status_code\":508,"
		    "\"error\":\"E\",\"message\":\"m\"},"
		    "\"truncated\":[\"info\"]}",
		    0, 1, NULL, false, { 0, 0, 0 } },
		/* Too many bytes, values, servers. */
		{ "{\"server\":\"s\",\"labels\":[\"0123456789\"]}",
		    "{\"chain\":\"a\",\"server\":\"s\","
		    "\"truncated\":[\"labels\",\"chains\"]}",
		    1u << TREE_LABELS, 1, NULL, false, { 50, 100, 100 } },
		{ "{\"labels\":[\"\",\"\"]}",
		    "{\"chain\":\"a\",\"truncated\":[\"labels\",\"chains\"]}",
		    1u << TREE_LABELS, 1, NULL, false, { 1000, 3, 100 } },
		{ "{}", "{\"chain\":\"a\",\"truncated\":[\"chains\"]}", 0, 1,
		    NULL, false, { 1000, 100, 0 } },
		{ "{\"chains\":[{\"chain\":\"b\"},{\"chain\":\"c\"}]}",
		    "{\"chain\":\"a\",\"truncated\":[\"chains\"]}", 0, 1, NULL,
		    false, { 1000, 100, 2 } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check(&rows[i]);
}

static void
what_does_not_fit_takes_no_room(void **state)
{
	AUTO_ARENA struct arena a;
	struct tree_room room = { 1000, 4, 10 };

	(void)state;
	arena_init(&a, 4 << 20);
	assert_false(tree_fits(&room, node_of("[1,2,3,4]", &a), 1));
	assert_true(tree_fits(&room, node_of("[1,2,3]", &a), 1));
	assert_int_equal(room.values, 0);
	room.values = 10;
	assert_true(tree_fits(&room, node_of("[[1]]", &a), JSON_DEPTH_MAX - 2));
	assert_false(
	    tree_fits(&room, node_of("[[1]]", &a), JSON_DEPTH_MAX - 1));
}

static int
take(void *ctx, struct error *e)
{
	const struct tree_rules rules = { .wish = { .words = ALL } };
	struct tree_room room = TREE_ROOM;
	AUTO_ARENA struct arena a;
	struct node *said;

	arena_init(&a, 4 << 20);
	if (json_read(ctx, strlen(ctx), &a, &said, e) < 0)
		return -1;
	(void)treenode_take("a", said, &rules, 2, &room, &a);
	return arena_check(&a, e);
}

/* There is no such chain, so the walk ends with its first request. */
static void
on_walked(const struct node *said, const struct chain_reply *failed, void *ctx)
{
	assert_null(said);
	assert_string_equal(failed->error, "ConnectError");
	loop_stop(ctx);
}

static int
walk_nowhere(void *ctx, struct error *e)
{
	const struct walk_request rq = {
		.entrypoint = "a", .rest = "b", .depth = 3, .due_ms = INT64_MAX
	};
	AUTO(loop) struct loop *l = NULL;
	AUTO(chain) struct chain *ch = NULL;
	AUTO(walk) struct walk *w = NULL;
	AUTO_ARENA struct arena a;

	(void)ctx;
	arena_init(&a, 1 << 20);
	if (loop_new(&l, e) < 0 || chain_new(&ch, l, e) < 0 ||
	    walk_start(&w, ch, l, &rq, &a, on_walked, l, e) < 0)
		return -1;
	return loop_run(l, e);
}

static void
survives_a_lack_of_memory(void **state)
{
	char said[] =
	    "{\"server\":\"s\",\"labels\":[\"x\"],\"info\":{\"p\":{}},"
	    "\"error\":{\"error\":\"E\"},\"truncated\":[\"jails\"],"
	    "\"chains\":[{\"chain\":\"b\",\"chains\":[]}]}";

	(void)state;
	torture(take, said);
	torture(walk_nowhere, NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(what_is_taken),
	cmocka_unit_test(what_does_not_fit_takes_no_room),
	cmocka_unit_test(survives_a_lack_of_memory),
};
TEST_MAIN(tests)
