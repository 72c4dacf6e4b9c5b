/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Discovery. Each chain is a node of an ordered tree in the caller's arena; a
 * reply adds its children and asks them. When no reply is outstanding, the tree
 * is written out depth first into an array. Children are linked through first
 * and next, and the walk goes back up through parent, so nothing recurses.
 */
#include "proto/tree.h"

#include <string.h>

#include "lib/base/mem.h"

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

static void ask(struct spot *p);

static void
set_fault(struct spot *p, enum client_class class, const char *text)
{
	p->node.class = class;
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

static void
add_children(struct spot *p, const struct client_strs *names)
{
	struct tree_search *s = p->search;

	if (names->n > 0 && p->depth > TREE_DEPTH_MAX) {
		set_fault(p, CLIENT_GARBLED,
		    "more than 64 levels: the chains lead in a circle");
		return;
	}
	for (size_t i = 0; i < names->n; i++) {
		struct tree_node n = { .server = p->node.server,
			.entry = p->node.entry };
		struct spot *child;

		if (s->spots_n >= TREE_NODES_MAX) {
			set_fault(p, CLIENT_GARBLED,
			    "more than 10000 chains: some lead in a circle");
			return;
		}
		n.chain = p->node.chain != NULL
		    ? arena_printf(
			  s->arena, "%s.%s", p->node.chain, names->items[i])
		    : names->items[i];
		if (n.chain == NULL || (child = add_child(p, &n)) == NULL)
			return;
		ask(child);
	}
}

static void
on_chains(const struct client_reply *r, void *ctx)
{
	struct spot *p = ctx;
	struct tree_search *s = p->search;
	struct client_strs names;
	struct error e = ERROR_INIT;

	s->pending--;
	if (r->class != CLIENT_OK)
		set_fault(p, r->class, r->text);
	else if (client_get_strs(r->body, "chains", s->arena, &names, &e) < 0)
		set_fault(p, CLIENT_GARBLED, error_text(&e));
	else
		add_children(p, &names);
	if (s->pending == 0 && s->started)
		finish(s);
}

static void
ask(struct spot *p)
{
	struct tree_search *s = p->search;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = p->node.server,
		.chain = p->node.chain,
		.route = ROUTE_CHAINS };

	if (client_call(s->client, &call, on_chains, p, &e) < 0)
		set_fault(p, CLIENT_UNAVAILABLE, error_text(&e));
	else
		s->pending++;
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
		ask(p);
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
