/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * GET /v1/tree: what there is on this server and on all below it, in one
 * answer. The children are asked for their trees at the same time, while the
 * file worker looks at what is here; a child that does not know the route is
 * walked (daemon/walk.h). Whatever is missing when the caller's time is nearly
 * up is in the answer as an error. All of it lives in the request's arena.
 */
#include <string.h>

#include <config.h>

#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "daemon/walk.h"
#include "lib/base/clock.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "lib/net/url.h"
#include "proto/names.h"

/* Of the time that is left, a twentieth is not for the children, and half of
 * that is for the answer. */
#define CHILD_SHARE 20
#define ANSWER_SHARE 40
#define PATH_MAX_LEN 65536

#define BIT(word) (1u << (word))
/* What a token for some projects may ask for. */
#define NARROWED_WORDS (BIT(TREE_LABELS) | BIT(TREE_PROJECTS) | BIT(TREE_INFO))

struct branch {
	struct tree *tree;
	const char *name;
	/* One of both while it is under way. */
	struct forward_id forward;
	struct walk *walk;
	/* NULL: no answer yet. */
	struct node *node;
};

struct tree {
	struct api_call *call;
	struct api_tree_query query;
	struct tree_rules rules;
	struct tree_room room;
	/* When children must have answered. */
	int64_t due_ms;
	/* Then we answer. */
	struct timer timer;
	/* This server. */
	struct node *own;
	struct treefacts_id *facts;
	bool has_facts;
	bool has_stats;
	struct branch *branches;
	size_t branches_n;
	/* Branches, and the facts, that are still to come. */
	size_t waiting;
	const char *path;
};

/* The query */

/* "labels,projects" as a mask; false after an answer. */
static bool
query_words(struct api_call *c, unsigned *ret)
{
	char *rest, *word;
	size_t w;

	if (!api_query(c, "include", &rest))
		return false;
	while (rest != NULL && (word = strsep(&rest, ",")) != NULL) {
		for (w = 0; w < TREE_WORD_COUNT; w++)
			if (strcmp(word, tree_words[w]) == 0)
				break;
		if (w == TREE_WORD_COUNT) {
			api_reply_message(c->api, c->req, 400,
			    "'include' has an unexpected value: '%.40s' is not "
			    "one of: labels, projects, jails, info, stats, "
			    "breakers.",
			    word);
			return false;
		}
		if (c->token.projects != NULL &&
		    (NARROWED_WORDS & BIT(w)) == 0) {
			api_reply_message(c->api, c->req, 403,
			    "This token is for some projects only, and '%s' is "
			    "not about one of them.",
			    word);
			return false;
		}
		*ret |= BIT(w);
	}
	return true;
}

static bool
query_project(struct api_call *c, const char **ret)
{
	char *name;

	if (!api_query(c, "project", &name))
		return false;
	*ret = name;
	if (name == NULL)
		return true;
	if (name_is_project(name, strlen(name)))
		return api_may_project(c, name);
	api_reply_message(c->api, c->req, 400,
	    "'project' has an unexpected value: it is not %s.",
	    name_kind_text(NAME_PROJECT));
	return false;
}

bool
api_tree_query(struct api_call *c, struct api_tree_query *ret)
{
	const char *header = http_req_header(c->req, "X-Overlord-Deadline-Ms");
	uint64_t depth = TREE_DEPTH_LIMIT, timeout = 0;

	*ret = (struct api_tree_query){ .left_ms = api_time_left(c) };
	if (!api_query_check(c) || !query_words(c, &ret->wish.words) ||
	    !query_project(c, &ret->wish.project) ||
	    !api_query_number(c, "depth", &depth) ||
	    !api_query_number(c, "timeout_ms", &timeout))
		return false;
	ret->depth = (unsigned)depth;
	if (timeout != 0 && (header == NULL || (int64_t)timeout < ret->left_ms))
		ret->left_ms = (int64_t)timeout;
	return true;
}

const char *
api_tree_path(struct arena *a, const char *chain, const struct tree_wish *wish,
    unsigned depth)
{
	AUTO_STRBUF struct strbuf path;
	const char *sep = "&include=";

	strbuf_init(&path, PATH_MAX_LEN);
	route_build(&path, ROUTE_TREE, chain, NULL, 0);
	strbuf_addf(&path, "?depth=%u", depth);
	for (size_t w = 0; w < TREE_WORD_COUNT; w++) {
		if ((wish->words & BIT(w)) == 0)
			continue;
		strbuf_addf(&path, "%s%s", sep, tree_words[w]);
		sep = ",";
	}
	if (wish->project != NULL) {
		strbuf_adds(&path, "&project=");
		url_add_segment(&path, wish->project);
	}
	return strbuf_check(&path, NULL) == 0 ? arena_strdup(a, path.buf)
					      : NULL;
}

static bool
sees(const void *ctx, const char *project)
{
	return api_sees(ctx, project);
}

struct tree_rules
api_tree_rules(const struct api_call *c, const struct tree_wish *wish)
{
	return (struct tree_rules){ .wish = *wish, .sees = sees, .ctx = c };
}

/* The answer */

static void
stop(struct tree *t)
{
	struct chain *ch = t->call->api->deps.chain;

	for (size_t i = 0; i < t->branches_n; i++) {
		struct branch *b = &t->branches[i];

		if (b->forward.v != 0)
			chain_cancel(ch, b->forward);
		b->walk = walk_free(b->walk);
	}
	inventory_cancel(t->call->api->deps.inventory, t->call->lookup);
	t->call->lookup.v = 0;
	treefacts_cancel(t->facts);
	timer_fini(&t->timer);
	t->call->stream = NULL;
}

static struct node *
chains_node(const struct tree *t)
{
	struct arena *a = t->call->arena;
	struct node *list = node_new(a, NODE_LIST);

	for (size_t i = 0; i < t->branches_n; i++) {
		const struct branch *b = &t->branches[i];
		struct node *n = b->node;

		if (n == NULL) {
			n = treenode_new(a, b->name);
			treenode_fail(n, "ReadTimeout",
			    "no answer in the time that there was", 0, a);
		}
		node_add(a, list, n);
	}
	return list;
}

static void
answer(struct tree *t)
{
	struct api_call *c = t->call;
	struct error e = ERROR_INIT;

	stop(t);
	if (!t->has_facts || !t->has_stats)
		treenode_fail(t->own, "ReadTimeout",
		    "what is on this server was not read in time", 0, c->arena);
	if ((t->query.wish.words & BIT(TREE_BREAKERS)) != 0)
		treenode_set_word(t->own, &t->rules, TREE_BREAKERS,
		    chain_breakers(c->api->deps.chain, c->arena), &t->room,
		    c->arena);
	if (t->query.depth > 0 || t->branches_n == 0)
		node_set(c->arena, t->own, "chains", chains_node(t));
	else
		treenode_truncate(t->own, "chains", c->arena);
	if (arena_check(c->arena, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else
		api_reply(c->api, c->req, 200, "tree", t->own);
}

static void
on_due(struct timer *tm)
{
	answer(container_of(tm, struct tree, timer));
}

/* The tree is not to be used any more. */
static void
one_less(struct tree *t)
{
	if (--t->waiting == 0)
		answer(t);
}

static void
on_client_gone(struct api_call *c)
{
	stop(c->state);
}

/* Children */

static void
on_walked(const struct node *said, const struct chain_reply *failed, void *ctx)
{
	struct branch *b = ctx;
	struct tree *t = b->tree;
	struct arena *a = t->call->arena;

	b->walk = walk_free(b->walk);
	if (failed == NULL) {
		b->node = treenode_take(
		    b->name, said, &t->rules, t->query.depth - 1, &t->room, a);
	} else {
		b->node = treenode_new(a, b->name);
		treenode_fail_reply(b->node, failed, a);
	}
	one_less(t);
}

/* How it went: 0, or -1 when there is nothing to wait for. */
static int
start_walk(struct branch *b, struct error *e)
{
	struct tree *t = b->tree;
	struct api_call *c = t->call;
	const struct walk_request rq = {
		.entrypoint = b->name,
		.rest = "",
		.wish = t->query.wish,
		.depth = t->query.depth - 1,
		.request_id = http_req_request_id(c->req),
		.via = http_req_header(c->req, "X-Overlord-Via"),
		.due_ms = t->due_ms,
	};

	return walk_start(&b->walk, c->api->deps.chain, c->api->deps.loop, &rq,
	    c->arena, on_walked, b, e);
}

static void
fail_branch(struct branch *b, const char *error, const char *message)
{
	struct arena *a = b->tree->call->arena;

	b->node = treenode_new(a, b->name);
	treenode_fail(b->node, error, message, 0, a);
}

static void
on_reply(const struct chain_reply *r, void *ctx)
{
	struct branch *b = ctx;
	struct tree *t = b->tree;
	struct arena *a = t->call->arena;
	const struct node *said = node_get(r->body, "tree");
	struct error e = ERROR_INIT;

	b->forward.v = 0;
	if (chain_reply_is_no_route(r)) {
		chain_note_original(t->call->api->deps.chain, b->name);
		if (start_walk(b, &e) == 0)
			return;
		fail_branch(b, "ConnectError", e.text);
	} else if (r->error != NULL || r->status < 200 || r->status > 299) {
		b->node = treenode_new(a, b->name);
		treenode_fail_reply(b->node, r, a);
	} else if (said == NULL || said->type != NODE_MAP) {
		fail_branch(b, "JSONDecodeError", "the reply has no tree");
	} else {
		b->node = treenode_take(
		    b->name, said, &t->rules, t->query.depth - 1, &t->room, a);
	}
	one_less(t);
}

static void
start_branch(struct branch *b)
{
	struct tree *t = b->tree;
	struct api_call *c = t->call;
	const struct chain_request rq = {
		.entrypoint = b->name,
		.tail = true,
		.method = "GET",
		.path = t->path,
		.request_id = http_req_request_id(c->req),
		.via = http_req_header(c->req, "X-Overlord-Via"),
		.left_ms = t->due_ms - clock_mono_ms(),
		.once = true,
	};
	struct error e = ERROR_INIT;
	int r;

	if (chain_is_original(c->api->deps.chain, b->name))
		r = start_walk(b, &e);
	else
		r = chain_forward(
		    c->api->deps.chain, &rq, on_reply, b, &b->forward, &e);
	if (r < 0)
		fail_branch(b, "ConnectError", e.text);
	else
		t->waiting++;
}

/* Asks all children; false when there is no memory. */
static bool
start_branches(struct tree *t)
{
	struct api_call *c = t->call;
	struct chain_child *children;
	size_t n;

	if (!chain_children(c->api->deps.chain, c->arena, &children, &n))
		return false;
	t->branches = arena_calloc(c->arena, n + 1, sizeof(*t->branches));
	if (t->branches == NULL)
		return false;
	t->branches_n = n;
	if (t->query.depth == 0)
		return true;
	t->path =
	    api_tree_path(c->arena, NULL, &t->query.wish, t->query.depth - 1);
	if (t->path == NULL)
		return false;
	for (size_t i = 0; i < n; i++) {
		struct branch *b = &t->branches[i];

		b->tree = t;
		b->name = children[i].name;
		if (!children[i].skipped) {
			start_branch(b);
			continue;
		}
		fail_branch(
		    b, "UnavailableChain", "Chain disabled by smart timeouts");
		node_set(
		    c->arena, b->node, "skipped", node_bool(c->arena, true));
	}
	return arena_check(c->arena, NULL) == 0;
}

/* What is here */

static void
take_facts(struct api_call *c, const struct treefacts *f)
{
	struct tree *t = c->state;

	if (error_is_set(&f->e))
		treenode_fail(t->own, "InventoryError", f->e.text, 0, c->arena);
	if (f->too_many)
		treenode_truncate(t->own, tree_words[TREE_INFO], c->arena);
	for (size_t w = 0; w < TREE_WORD_COUNT; w++)
		treenode_set_word(t->own, &t->rules, (enum tree_word)w,
		    f->found[w], &t->room, c->arena);
	t->has_facts = true;
	one_less(t);
}

/* False when there is no memory. */
static bool
start_facts(struct tree *t)
{
	t->has_facts = (t->query.wish.words & treefacts_words) == 0;
	if (t->has_facts)
		return true;
	if (treefacts_read(t->call, &t->query.wish, take_facts, &t->facts) < 0)
		return false;
	t->waiting++;
	return true;
}

static void
take_stats(const struct node *found, void *ctx)
{
	struct tree *t = ctx;
	struct arena *a = t->call->arena;

	t->call->lookup.v = 0;
	treenode_set_word(t->own, &t->rules, TREE_STATS, found, &t->room, a);
	t->has_stats = true;
	one_less(t);
}

/* False when there is no memory. */
static bool
start_stats(struct tree *t)
{
	struct api_call *c = t->call;

	t->has_stats = (t->query.wish.words & BIT(TREE_STATS)) == 0;
	if (t->has_stats)
		return true;
	if (inventory_usage(
		c->api->deps.inventory, take_stats, t, &c->lookup, NULL) < 0)
		return false;
	t->waiting++;
	return true;
}

/* The beginning */

static bool
start(struct tree *t)
{
	static const struct api_stream watch = { NULL, on_client_gone };
	struct api_call *c = t->call;
	int64_t left = t->query.left_ms;

	t->due_ms = clock_mono_ms() + left - left / CHILD_SHARE;
	t->own = treenode_new(c->arena, NULL);
	if (t->own == NULL ||
	    timer_init(&t->timer, c->api->deps.loop, on_due, "tree", NULL) < 0)
		return false;
	c->stream = &watch;
	c->state = t;
	timer_arm(&t->timer, left - left / ANSWER_SHARE);
	node_set(c->arena, t->own, "server",
	    node_str(c->arena, c->api->config.serverid));
	node_set(
	    c->arena, t->own, "version", node_str(c->arena, OVERLORD_VERSION));
	treenode_set_word(t->own, &t->rules, TREE_LABELS, api_labels_node(c),
	    &t->room, c->arena);
	return start_branches(t) && start_facts(t) && start_stats(t);
}

void
api_tree(struct api_call *c)
{
	struct tree *t = arena_alloc(c->arena, sizeof(*t));
	struct error e = ERROR_INIT;
	struct api_tree_query q;

	if (!api_tree_query(c, &q))
		return;
	if (t != NULL) {
		t->call = c;
		t->query = q;
		t->rules = api_tree_rules(c, &q.wish);
		t->room = TREE_ROOM;
	}
	if (t == NULL || !start(t)) {
		if (t != NULL)
			stop(t);
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
	} else if (t->waiting == 0) {
		answer(t);
	}
}
