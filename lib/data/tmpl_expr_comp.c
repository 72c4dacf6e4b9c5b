/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Comprehensions.  All three kinds are a generator, which keeps an iterator for
 * each of its clauses and goes on with the innermost; a list or dict reads it
 * to the end at once.
 */
#include "lib/data/tmpl_expr_internal.h"

struct generator {
	struct tmpl_iter it;
	struct tmpl_ctx ctx;
	struct tmpl_scope scope;
	const struct tmpl_expr *x;
	/* One for each clause; those up to level are under way. */
	struct tmpl_iter **iters;
	size_t level;
	bool running;
	bool done;
};

/* Whether the conditions of a clause hold: 1, 0 or -1. */
static int
conditions(const struct generator *g, const struct tmpl_comp_clause *clause)
{
	struct tmpl_value v;
	size_t i;

	for (i = 0; i < clause->n_ifs; i++) {
		if (tmpl_eval_in(&g->ctx, clause->ifs[i], &v) == -1)
			return -1;
		if (!tmpl_truth(v))
			return 0;
	}
	return 1;
}

/* The next item of the clause that is under way: 1 when it may go on with it,
 * 0 when it may not, 2 at the end. */
static int
step(const struct generator *g, const struct tmpl_comp_clause *clause)
{
	struct tmpl_value item;
	int rc;

	rc = tmpl_iter_next(g->ctx.r, g->iters[g->level], &item);
	if (rc != 1)
		return rc == 0 ? 2 : -1;
	if (tmpl_tick(g->ctx.r) == -1 ||
	    tmpl_assign_in(&g->ctx, clause->target, item) == -1)
		return -1;
	return conditions(g, clause);
}

/* Goes on to where the element is to be evaluated: 1, or 0 at the end. */
static int
advance(struct generator *g)
{
	const struct tmpl_comp *comp = g->x->comp;
	struct tmpl_value v;
	int rc;

	for (;;) {
		rc = step(g, &comp->clauses[g->level]);
		if (rc == -1 || (rc == 2 && g->level == 0))
			return rc == -1 ? -1 : 0;
		if (rc == 2) {
			g->level--;
		} else if (rc == 1 && g->level + 1 == comp->n) {
			return 1;
		} else if (rc == 1) {
			if (tmpl_eval_in(&g->ctx,
				comp->clauses[g->level + 1].iter, &v) == -1 ||
			    tmpl_iter(g->ctx.r, v, &g->iters[g->level + 1]) ==
				-1)
				return -1;
			g->level++;
		}
	}
}

static int
generator_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	struct generator *g = container_of(it, struct generator, it);
	int rc;

	if (g->done)
		return 0;
	if (g->running)
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "generator already executing");
	g->running = true;
	rc = advance(g);
	if (rc == 1 && g->x->kind != TMPL_X_DICT_COMP &&
	    tmpl_eval_in(&g->ctx, g->x->kids[0], ret) == -1)
		rc = -1;
	g->running = false;
	if (rc != 1)
		g->done = true;
	return rc;
}

static int
generator_new(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct generator **ret)
{
	struct arena *a = c->r->a;
	struct tmpl_value v;
	struct generator *g = NULL;

	g = arena_calloc(a, 1, sizeof(*g));
	if (g == NULL)
		return tmpl_raise_nomem(c->r);
	g->it.next = generator_next;
	g->it.type = "generator";
	g->x = x;
	g->scope.parent = c->scope;
	g->scope.comp = x->comp;
	g->ctx = (struct tmpl_ctx){ c->r, c->env, &g->scope };
	g->iters = arena_calloc(a, x->comp->n, sizeof(struct tmpl_iter *));
	g->scope.values =
	    arena_calloc(a, x->comp->n_names + 1, sizeof(*g->scope.values));
	g->scope.set =
	    arena_calloc(a, x->comp->n_names + 1, sizeof(*g->scope.set));
	if (g->iters == NULL || g->scope.values == NULL || g->scope.set == NULL)
		return tmpl_raise_nomem(c->r);
	*ret = g;
	/* The first iterable belongs to what is around, and is read now. */
	if (tmpl_eval_in(c, x->comp->clauses[0].iter, &v) == -1)
		return -1;
	return tmpl_iter(c->r, v, &g->iters[0]);
}

static int
read_list(struct tmpl_run *r, struct generator *g, struct tmpl_value *ret)
{
	struct tmpl_value v;
	int rc;

	if (tmpl_list_new(r, TMPL_LIST, 0, ret) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, &g->it, &v)) == 1) {
		if (tmpl_list_add(r, ret->u.list, v) == -1)
			return -1;
	}
	return rc;
}

static int
read_dict(struct tmpl_run *r, struct generator *g, struct tmpl_value *ret)
{
	struct tmpl_value key, v;
	int rc;

	if (tmpl_dict_new(r, ret) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, &g->it, &v)) == 1) {
		if (tmpl_eval_in(&g->ctx, g->x->kids[0], &key) == -1 ||
		    tmpl_eval_in(&g->ctx, g->x->kids[1], &v) == -1 ||
		    tmpl_dict_set(r, ret->u.dict, key, v) == -1)
			return -1;
	}
	return rc;
}

int
tmpl_eval_comp(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct generator *g = NULL;

	if (generator_new(c, x, &g) == -1)
		return -1;
	if (x->kind == TMPL_X_LIST_COMP)
		return read_list(c->r, g, ret);
	if (x->kind == TMPL_X_DICT_COMP)
		return read_dict(c->r, g, ret);
	*ret = (struct tmpl_value){ .type = TMPL_ITER, .u.iter = &g->it };
	return 0;
}
