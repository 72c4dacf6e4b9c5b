/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What there is on this server, for its place in a tree. The file worker sees
 * its own arena only; the request is found by its id afterwards.
 */
#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "daemon/record.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"

#define ARENA_MAX ((size_t)64 << 20)
#define PROJECTS_MAX 1000

#define BIT(word) (1u << (word))
const unsigned treefacts_words =
    BIT(TREE_PROJECTS) | BIT(TREE_JAILS) | BIT(TREE_INFO);

struct reading {
	struct file_work file;
	struct api *api;
	struct req_id req;
	treefacts_done_fn *done;
	struct arena arena;
	struct tree_wish wish;
	struct treefacts facts;
};

/* Keeps the first error. */
static void
note_error(struct reading *r, const struct error *e)
{
	if (error_is_set(e) && !error_is_set(&r->facts.e))
		r->facts.e = *e;
}

static void
describe(struct reading *r, const char *project)
{
	struct inventory *inv = r->api->deps.inventory;
	struct node *info = NULL;

	/* What cannot be described now may still have its records. */
	if (inventory_describe(inv, project, &r->arena, &info, NULL) != 0)
		info = node_new(&r->arena, NODE_MAP);
	node_set(&r->arena, r->facts.found[TREE_INFO], project, info);
}

static void
describe_all(struct reading *r)
{
	const struct node *list = r->facts.found[TREE_PROJECTS];
	size_t n = list != NULL ? list->u.list.n : 0;

	r->facts.too_many = n > PROJECTS_MAX;
	for (size_t i = 0; i < n && !r->facts.too_many; i++)
		describe(r, node_text(list->u.list.items[i]));
}

static void
read_facts(struct file_work *w)
{
	struct reading *r = container_of(w, struct reading, file);
	struct inventory *inv = r->api->deps.inventory;
	bool all =
	    (r->wish.words & BIT(TREE_INFO)) != 0 && r->wish.project == NULL;
	struct error e = ERROR_INIT;

	if (((r->wish.words & BIT(TREE_PROJECTS)) != 0 || all) &&
	    inventory_projects(
		inv, &r->arena, &r->facts.found[TREE_PROJECTS], &e) < 0)
		r->facts.found[TREE_PROJECTS] = NULL;
	note_error(r, &e);
	error_clear(&e);
	if ((r->wish.words & BIT(TREE_JAILS)) != 0 &&
	    inventory_jails(inv, &r->arena, &r->facts.found[TREE_JAILS], &e) <
		0)
		r->facts.found[TREE_JAILS] = NULL;
	note_error(r, &e);
	if ((r->wish.words & BIT(TREE_INFO)) == 0)
		return;
	r->facts.found[TREE_INFO] = node_new(&r->arena, NODE_MAP);
	if (all)
		describe_all(r);
	else
		describe(r, r->wish.project);
}

/* The records of each project; one without any, and not described, is none. */
static void
add_records(struct reading *r)
{
	struct node *all = r->facts.found[TREE_INFO];
	struct node *kept = node_new(&r->arena, NODE_MAP);

	for (size_t i = 0; all != NULL && i < all->u.map.n; i++) {
		const struct node_pair *p = &all->u.map.pairs[i];
		struct error e = ERROR_INIT;

		if (record_add_all(r->api->deps.store, node_text(p->key),
			p->value, &r->arena, &e) < 0)
			note_error(r, &e);
		if (p->value->u.map.n > 0)
			node_add_pair(&r->arena, kept, p->key, p->value);
	}
	if (all != NULL)
		r->facts.found[TREE_INFO] = kept;
}

static void
were_read(struct work *w)
{
	struct reading *r = container_of(w, struct reading, file.work);
	struct http_req *req = api_find(r->api, r->req);

	if (req != NULL) {
		add_records(r);
		if (arena_check(&r->arena, NULL) < 0) {
			error_clear(&r->facts.e);
			(void)error_nomem(&r->facts.e);
		}
		r->done(http_req_ctx(req), &r->facts);
	}
	arena_fini(&r->arena);
	mem_free(r);
}

int
treefacts_read(
    struct api_call *c, const struct tree_wish *wish, treefacts_done_fn *done)
{
	struct reading *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return -1;
	arena_init(&r->arena, ARENA_MAX);
	r->file.run = read_facts;
	r->file.work.done = were_read;
	r->api = c->api;
	r->req = http_req_id(c->req);
	r->done = done;
	r->wish = *wish;
	if (wish->project != NULL &&
	    (r->wish.project = arena_strdup(&r->arena, wish->project)) ==
		NULL) {
		arena_fini(&r->arena);
		mem_free(r);
		return -1;
	}
	api_submit(c->api, &r->file);
	return 0;
}
