/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The order is the contract's: this server, then those below, depth first. What
 * a tree says of a server may be there in part only (an error, `truncated`):
 * what is missing is never taken for a project that is not there.
 */
#include "daemon/scale_nodes.h"

#include <string.h>

#include "daemon/treenode.h"
#include "lib/base/array.h"

#define NODES_MAX 10001
#define SERVICES_MAX 10000

struct taking {
	const char *project;
	const struct schema_strs *labels;
	struct arena *arena;
	struct array nodes;
	size_t fails;
	struct error *e;
};

static bool
has_item(const struct node *list, const char *text)
{
	for (size_t i = 0;
	     list != NULL && list->type == NODE_LIST && i < list->u.list.n; i++)
		if (node_text(list->u.list.items[i]) != NULL &&
		    strcmp(node_text(list->u.list.items[i]), text) == 0)
			return true;
	return false;
}

static bool
is_wanted(const struct taking *t, const struct node *labels)
{
	for (size_t i = 0; i < t->labels->n; i++)
		if (has_item(labels, t->labels->items[i]))
			return true;
	return false;
}

static bool
integer_at(const struct node *map, const char *key, int64_t *ret)
{
	const struct node *n = node_get(map, key);

	if (n == NULL || n->type != NODE_INT || n->big)
		return false;
	*ret = n->u.i;
	return true;
}

static bool
is_text(const struct node *n, const char *text)
{
	return node_text(n) != NULL && strcmp(node_text(n), text) == 0;
}

/* A project */

static void
settle(struct scale_node *n, enum scale_health health, const char *context)
{
	n->health = health;
	n->context = context;
	n->is_open = false;
}

static struct scale_job
job_of(const struct node *record)
{
	struct scale_job j = { 0 };
	int64_t id;

	if (integer_at(record, "job_id", &id) && id > 0)
		j.job = (uint64_t)id;
	j.is_running = is_text(node_get(record, "operation"), "RUNNING");
	j.is_completed = is_text(node_get(record, "operation"), "COMPLETED");
	return j;
}

/* What Director says of the services; open when all of them run. */
static void
take_services(
    struct scale_node *n, const struct node *services, struct arena *a)
{
	size_t count = services != NULL && services->type == NODE_LIST
	    ? services->u.list.n
	    : 0;
	const char *jail;
	int64_t status;

	if (count > SERVICES_MAX)
		count = SERVICES_MAX;
	n->services = arena_calloc(a, count, sizeof(*n->services));
	for (size_t i = 0; n->services != NULL && i < count; i++) {
		const struct node *s = services->u.list.items[i];

		if (!integer_at(s, "status", &status) || status != 0) {
			settle(n, SCALE_BAD, "service-status");
			return;
		}
		if ((jail = node_text(node_get(s, "jail"))) == NULL) {
			settle(n, SCALE_BAD, "service-existence");
			return;
		}
		n->services[n->services_n++].jail = jail;
	}
	n->is_open = true;
}

static void
take_project(struct scale_node *n, const struct node *info, struct arena *a)
{
	const struct node *state = node_get(info, "state");

	n->up = job_of(node_get(info, "up"));
	n->down = job_of(node_get(info, "down"));
	if (!n->exists)
		settle(n, SCALE_BAD, "existence");
	else if (is_text(state, "UNFINISHED"))
		settle(n, SCALE_GOOD, "state");
	else if (!is_text(state, "DONE"))
		settle(n, SCALE_BAD, "state");
	else
		take_services(n, node_get(info, "services"), a);
}

void
scale_node_judge(struct scale_node *n)
{
	bool sick = false;

	for (size_t i = 0; i < n->services_n; i++) {
		const struct scale_service *s = &n->services[i];

		if (s->is_lost) {
			settle(n, SCALE_LOST, "exception");
			return;
		}
		if (s->is_unknown) {
			settle(n, SCALE_BAD, "service-existence");
			return;
		}
		if (s->is_dirty) {
			settle(n, SCALE_BAD, "service-dirty");
			return;
		}
		for (size_t c = 0; s->checks != NULL &&
		     s->checks->type == NODE_LIST && c < s->checks->u.list.n;
		     c++)
			sick = sick ||
			    is_text(
				node_get(s->checks->u.list.items[c], "status"),
				"unhealthy");
		if (sick) {
			settle(n, SCALE_SICK, "healthcheckers");
			return;
		}
	}
	settle(n, SCALE_GOOD, "health");
}

/* Servers */

/* Nothing that matters is missing. */
static bool
is_whole(const struct node *server)
{
	const struct node *cut = node_get(server, "truncated");

	return node_get(server, "error") == NULL &&
	    node_get(server, tree_words[TREE_INFO]) != NULL &&
	    node_get(server, tree_words[TREE_PROJECTS]) != NULL &&
	    !has_item(cut, tree_words[TREE_INFO]) &&
	    !has_item(cut, tree_words[TREE_PROJECTS]);
}

static int
take_server(struct taking *t, const struct node *server, const char *chain)
{
	const struct node *labels = node_get(server, tree_words[TREE_LABELS]);
	struct scale_node *n;

	if (labels == NULL) {
		t->fails++;
		return 0;
	}
	if (!is_wanted(t, labels))
		return 0;
	if ((n = array_add(&t->nodes, t->e)) == NULL)
		return -1;
	n->chain = chain;
	n->stats = node_get(server, tree_words[TREE_STATS]);
	n->exists =
	    has_item(node_get(server, tree_words[TREE_PROJECTS]), t->project);
	if (is_whole(server)) {
		take_project(n,
		    node_get(
			node_get(server, tree_words[TREE_INFO]), t->project),
		    t->arena);
		return 0;
	}
	settle(n, SCALE_LOST, "exception");
	t->fails++;
	return 0;
}

static int
take_below(struct taking *t, const struct node *server, const char *chain)
{
	const struct node *chains = node_get(server, "chains");

	if (take_server(t, server, chain) < 0)
		return -1;
	if (chains == NULL || chains->type != NODE_LIST) {
		/* Counted already if nothing is known of it at all. */
		if (node_get(server, tree_words[TREE_LABELS]) != NULL)
			t->fails++;
		return 0;
	}
	/* Not deeper than JSON may be. */
	for (size_t i = 0; i < chains->u.list.n; i++) {
		const struct node *child = chains->u.list.items[i];
		const char *name = node_text(node_get(child, "chain"));

		if (name == NULL)
			continue;
		name = chain == NULL
		    ? arena_strdup(t->arena, name)
		    : arena_printf(t->arena, "%s.%s", chain, name);
		if (name == NULL || take_below(t, child, name) < 0)
			return -1;
	}
	return 0;
}

int
scale_nodes_take(const struct node *tree, const char *project,
    const struct schema_strs *labels, struct arena *a, struct scale_nodes *ret,
    struct error *e)
{
	struct taking t = {
		.project = project, .labels = labels, .arena = a, .e = e
	};
	int r;

	array_init(&t.nodes, sizeof(struct scale_node), NODES_MAX);
	r = take_below(&t, tree, NULL);
	*ret = (struct scale_nodes){ .n = t.nodes.n, .fails = t.fails };
	ret->items = arena_calloc(a, t.nodes.n, sizeof(*ret->items));
	if (ret->items != NULL && t.nodes.n > 0)
		memcpy(
		    ret->items, t.nodes.items, t.nodes.n * sizeof(*ret->items));
	array_fini(&t.nodes);
	if (arena_check(a, e) < 0)
		return -1;
	return r;
}
