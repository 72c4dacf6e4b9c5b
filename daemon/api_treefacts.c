/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What there is on this server, for its place in a tree: up to three questions
 * to the inventory at once, in the arena of the call that asks.
 */
#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "daemon/record.h"
#include "lib/data/node.h"

#define PROJECTS_MAX 1000

#define BIT(word) (1u << (word))
const unsigned treefacts_words =
    BIT(TREE_PROJECTS) | BIT(TREE_JAILS) | BIT(TREE_INFO);

struct treefacts_id {
	struct api_call *call;
	treefacts_done_fn *done;
	/* By word; 0: not asked, or answered. */
	struct lookup_id lookups[TREE_WORD_COUNT];
	size_t waiting;
	struct treefacts facts;
};

/* Keeps the first error. */
static void
note_error(struct treefacts_id *t, const struct error *e)
{
	if (error_is_set(e) && !error_is_set(&t->facts.e))
		t->facts.e = *e;
}

/* t is not to be used any more when that was the last. */
static void
one_less(struct treefacts_id *t)
{
	if (--t->waiting == 0)
		t->done(t->call, &t->facts);
}

static void
take_names(struct treefacts_id *t, enum tree_word word,
    const struct inventory_names *names, const struct error *e)
{
	struct arena *a = t->call->arena;
	struct node *list = names != NULL ? node_new(a, NODE_LIST) : NULL;

	t->lookups[word].v = 0;
	for (size_t i = 0; list != NULL && i < names->n; i++)
		node_add(a, list, node_str(a, names->items[i]));
	if (names == NULL)
		note_error(t, e);
	t->facts.found[word] = list;
	one_less(t);
}

static void
found_projects(
    const struct inventory_names *names, const struct error *e, void *ctx)
{
	take_names(ctx, TREE_PROJECTS, names, e);
}

static void
found_jails(
    const struct inventory_names *names, const struct error *e, void *ctx)
{
	take_names(ctx, TREE_JAILS, names, e);
}

/* Adds the records of a project that the token is for; one without any, and not
 * described, is none. */
static void
add_info(struct treefacts_id *t, const struct node_pair *p)
{
	struct arena *a = t->call->arena;
	const char *project = node_text(p->key);
	struct error e = ERROR_INIT;
	struct node *info;

	if (!api_sees(t->call, project))
		return;
	info = node_copy(a, p->value);
	if (info != NULL &&
	    record_add_all(t->call->api->deps.store, project, info, a, &e) < 0)
		note_error(t, &e);
	if (info != NULL && info->u.map.n > 0)
		node_set(a, t->facts.found[TREE_INFO], project, info);
}

static void
found_infos(const struct node *infos, bool too_many, void *ctx)
{
	struct treefacts_id *t = ctx;

	t->lookups[TREE_INFO].v = 0;
	t->facts.too_many = too_many;
	t->facts.found[TREE_INFO] = node_new(t->call->arena, NODE_MAP);
	for (size_t i = 0;
	     t->facts.found[TREE_INFO] != NULL && i < infos->u.map.n; i++)
		add_info(t, &infos->u.map.pairs[i]);
	one_less(t);
}

static int
ask(struct treefacts_id *t, const struct tree_wish *wish)
{
	struct inventory *inv = t->call->api->deps.inventory;
	const struct {
		enum tree_word word;
		enum inventory_kind kind;
		inventory_names_fn *done;
	} lists[] = {
		{ TREE_PROJECTS, INVENTORY_PROJECTS, found_projects },
		{ TREE_JAILS, INVENTORY_JAILS, found_jails },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if ((wish->words & BIT(lists[i].word)) == 0)
			continue;
		if (inventory_names(inv, lists[i].kind, lists[i].done, t,
			&t->lookups[lists[i].word], NULL) < 0)
			return -1;
		t->waiting++;
	}
	if ((wish->words & BIT(TREE_INFO)) == 0)
		return 0;
	if (inventory_infos(inv, wish->project, PROJECTS_MAX, found_infos, t,
		&t->lookups[TREE_INFO], NULL) < 0)
		return -1;
	t->waiting++;
	return 0;
}

int
treefacts_read(struct api_call *c, const struct tree_wish *wish,
    treefacts_done_fn *done, struct treefacts_id **ret)
{
	struct treefacts_id *t = arena_alloc(c->arena, sizeof(*t));

	if (t == NULL)
		return -1;
	t->call = c;
	t->done = done;
	if (ask(t, wish) < 0) {
		treefacts_cancel(t);
		return -1;
	}
	*ret = t;
	return 0;
}

void
treefacts_cancel(struct treefacts_id *t)
{
	for (size_t w = 0; t != NULL && w < TREE_WORD_COUNT; w++) {
		if (t->lookups[w].v != 0)
			inventory_cancel(
			    t->call->api->deps.inventory, t->lookups[w]);
		t->lookups[w].v = 0;
	}
}
