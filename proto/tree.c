/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Discovery. A server that knows GET /v1/tree tells of all below it at once;
 * what it could not tell, and all of a server that does not know it, is asked
 * for chain by chain. Each chain is a node of an ordered tree in the caller's
 * arena; a reply adds its children and asks them. When no reply is outstanding,
 * the tree is written out depth first into an array. Children are linked
 * through first and next, and the walk goes back up through parent, so nothing
 * recurses.
 */
#include "proto/tree.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/node.h"

struct spot {
	struct tree_search *search;
	struct spot *parent;
	struct spot *first;
	struct spot *last;
	struct spot *next;
	size_t depth;
	struct tree_node node;
};

struct tree_search {
	struct client *client;
	struct arena *arena;
	tree_done_fn *done;
	void *ctx;
	/* Parent of the entry points. */
	struct spot top;
	size_t spots_n;
	size_t pending;
	/* tree_discover() has returned. */
	bool started;
	struct tree tree;
};

/* The server's own choice, and of a client that waits for less so much. */
#define TREE_MS INT64_C(8000)
#define TREE_SHARE(ms) ((ms) - (ms) / 10)

static void ask(struct spot *p);

static void
set_fault(struct spot *p, enum client_class class, int status, const char *text)
{
	p->node.class = class;
	p->node.status = status;
	p->node.fault = arena_strdup(p->search->arena, text);
	if (p->node.fault == NULL)
		p->node.fault = "out of memory";
}

static struct spot *
add_child(struct spot *parent, const struct tree_node *node)
{
	struct tree_search *s = parent->search;
	struct spot *p = arena_alloc(s->arena, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->search = s;
	p->parent = parent;
	p->depth = parent->depth + 1;
	p->node = *node;
	if (parent->last != NULL)
		parent->last->next = p;
	else
		parent->first = p;
	parent->last = p;
	s->spots_n++;
	return p;
}

static const struct spot *
walk_next(const struct spot *p)
{
	if (p->first != NULL)
		return p->first;
	while (p != NULL && p->next == NULL)
		p = p->parent;
	return p != NULL ? p->next : NULL;
}

static void
finish(struct tree_search *s)
{
	const struct spot *p;

	s->tree.nodes =
	    arena_calloc(s->arena, s->spots_n + 1, sizeof(*s->tree.nodes));
	if (s->tree.nodes != NULL)
		for (p = s->top.first; p != NULL; p = walk_next(p))
			s->tree.nodes[s->tree.n++] = p->node;
	s->done(&s->tree, s->ctx);
}

/* NULL: it is not to be had, and the parent has a fault if that is its own. */
static struct spot *
add_named(struct spot *p, const char *name)
{
	struct tree_search *s = p->search;
	struct tree_node n = { .server = p->node.server,
		.entry = p->node.entry };

	if (p->depth > TREE_DEPTH_MAX) {
		set_fault(p, CLIENT_GARBLED, 200,
		    "more than 64 levels: the chains lead in a circle");
		return NULL;
	}
	if (s->spots_n >= TREE_NODES_MAX) {
		set_fault(p, CLIENT_GARBLED, 200,
		    "more than 10000 chains: some lead in a circle");
		return NULL;
	}
	n.chain = p->node.chain != NULL
	    ? arena_printf(s->arena, "%s.%s", p->node.chain, name)
	    : arena_strdup(s->arena, name);
	return n.chain != NULL ? add_child(p, &n) : NULL;
}

static void
add_children(struct spot *p, const struct client_strs *names)
{
	for (size_t i = 0; i < names->n; i++) {
		struct spot *child = add_named(p, names->items[i]);

		if (child == NULL)
			return;
		ask(child);
	}
}

/* What a tree says of a server, as its list of chains would. Not deeper than
 * JSON. */
static void
take_server(struct spot *p, const struct node *said)
{
	const struct node *list = node_get(said, "chains");
	const struct node *skipped = node_get(said, "skipped");
	const char *version = node_text(node_get(said, "version"));

	if (version != NULL)
		p->node.version = arena_strdup(p->search->arena, version);
	if (skipped != NULL && skipped->type == NODE_BOOL && skipped->u.b) {
		p->node.is_left_alone = true;
		set_fault(p, CLIENT_UNAVAILABLE, 0,
		    "breaker open: the server above does not ask it for now");
		return;
	}
	if (list == NULL || list->type != NODE_LIST) {
		ask(p);
		return;
	}
	/* What is not understood is asked for again, and then told. */
	if (client_get_strs(
		said, "labels", p->search->arena, &p->node.labels, NULL) < 0)
		p->node.labels.items = NULL;
	for (size_t i = 0; i < list->u.list.n; i++) {
		const struct node *item = list->u.list.items[i];
		const char *name = node_text(node_get(item, "chain"));
		struct spot *child;

		if (name == NULL)
			continue;
		if ((child = add_named(p, name)) == NULL)
			return;
		take_server(child, item);
	}
}

/* One reply less to wait for. */
static void
one_less(struct tree_search *s)
{
	if (--s->pending == 0 && s->started)
		finish(s);
}

static void
on_tree(const struct client_reply *r, void *ctx)
{
	struct spot *p = ctx;
	const struct node *tree = node_get(r->body, "tree");

	if (r->class == CLIENT_OK && tree != NULL)
		take_server(p, tree);
	else if (r->status != 0)
		ask(p);
	else
		set_fault(p, r->class, r->status, r->text);
	one_less(p->search);
}

static void
on_chains(const struct client_reply *r, void *ctx)
{
	struct spot *p = ctx;
	struct tree_search *s = p->search;
	struct client_strs names;
	struct error e = ERROR_INIT;

	if (r->class != CLIENT_OK)
		set_fault(p, r->class, r->status, r->text);
	else if (client_get_strs(r->body, "chains", s->arena, &names, &e) < 0)
		set_fault(p, CLIENT_GARBLED, r->status, error_text(&e));
	else
		add_children(p, &names);
	one_less(s);
}

static void
send(struct spot *p, enum route_id route, const char *query,
    client_done_fn *done)
{
	struct tree_search *s = p->search;
	struct error e = ERROR_INIT;
	const struct client_call call = { .server = p->node.server,
		.chain = p->node.chain,
		.route = route,
		.query = query };

	if (client_call(s->client, &call, done, p, &e) < 0)
		set_fault(p, CLIENT_UNAVAILABLE, 0, error_text(&e));
	else
		s->pending++;
}

static void
ask(struct spot *p)
{
	send(p, ROUTE_CHAINS, NULL, on_chains);
}

/* Says when we stop to wait, so that what is there by then comes. */
static void
ask_tree(struct spot *p)
{
	const struct client_server *server = p->node.server;
	const int64_t limits[] = { server->read_ms, server->total_ms };
	int64_t ms = TREE_MS;
	char query[64];

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (limits[i] > 0 && TREE_SHARE(limits[i]) < ms)
			ms = TREE_SHARE(limits[i]);
	(void)snprintf(query, sizeof(query), "include=labels&timeout_ms=%lld",
	    (long long)(ms > 0 ? ms : 1));
	send(p, ROUTE_TREE, query, on_tree);
}

int
tree_discover(struct tree_search **ret, struct client *c,
    const struct tree_entry *entries, size_t n, struct arena *a,
    tree_done_fn *done, void *ctx, struct error *e)
{
	struct tree_search *s AUTO(tree_search) = mem_calloc(1, sizeof(*s));
	struct spot *p;

	if (s == NULL)
		return error_nomem(e);
	s->client = c;
	s->arena = a;
	s->done = done;
	s->ctx = ctx;
	s->top.search = s;
	for (size_t i = 0; i < n; i++) {
		struct tree_node node = { .server = entries[i].server,
			.chain = entries[i].chain,
			.entry = i,
			.is_start = true };

		p = add_child(&s->top, &node);
		if (p == NULL)
			return arena_check(a, e);
	}
	for (p = s->top.first; p != NULL; p = p->next)
		ask_tree(p);
	if (s->pending == 0)
		return error_set(e, OVE_UNAVAILABLE, "nobody can be asked");
	s->started = true;
	*ret = STEAL(s);
	return 0;
}

struct tree_search *
tree_search_free(struct tree_search *s)
{
	mem_free(s);
	return NULL;
}
