/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which names a piece of code assigns, and which it reads.
 */
#include "lib/data/tmpl_expr_internal.h"

/* A walk over names that are read; private ones are left out. */
struct walk {
	tmpl_name_fn *fn;
	void *ctx;
};

/* The comprehensions around, innermost first. */
struct inside {
	const struct inside *parent;
	const struct tmpl_comp *comp;
};

void
tmpl_target_names(const struct tmpl_target *t, tmpl_name_fn *fn, void *ctx)
{
	size_t i;

	if (t->kind == TMPL_TO_NAME)
		fn(t->name, ctx);
	for (i = 0; i < t->n; i++)
		tmpl_target_names(t->items[i], fn, ctx);
}

/* An elif: the only statement of the branch before. */
static const struct tmpl_stmt *
elif_of(const struct tmpl_stmt *s)
{
	return s->kind == TMPL_S_IF && s->other != NULL &&
		s->other->kind == TMPL_S_IF && s->other->next == NULL
	    ? s->other
	    : NULL;
}

static void
assigned(const struct tmpl_stmt *s, tmpl_name_fn *fn, void *ctx)
{
	const struct tmpl_stmt *branch, *next;
	size_t i;

	for (; s != NULL; s = s->next) {
		for (i = 0; i < s->n; i++)
			tmpl_target_names(s->targets[i], fn, ctx);
		/* A chain of elifs is long, not deep. */
		for (branch = s; branch != NULL; branch = next) {
			next = elif_of(branch);
			assigned(branch->body, fn, ctx);
			if (next == NULL)
				assigned(branch->other, fn, ctx);
		}
	}
}

void
tmpl_block_names(const struct tmpl_block *b, tmpl_name_fn *fn, void *ctx)
{
	assigned(b->first, fn, ctx);
}

static bool
is_own(const struct inside *in, const struct tmpl_name *name)
{
	size_t i;

	for (; in != NULL; in = in->parent) {
		for (i = 0; i < in->comp->n_names; i++) {
			if (in->comp->names[i] == name)
				return true;
		}
	}
	return false;
}

static void read_expr(
    const struct walk *w, const struct inside *in, const struct tmpl_expr *x);

static void
read_comp(
    const struct walk *w, const struct inside *in, const struct tmpl_expr *x)
{
	const struct inside inner = { in, x->comp };
	const struct tmpl_comp_clause *clause;
	size_t i, k;

	for (i = 0; i < x->comp->n; i++) {
		clause = &x->comp->clauses[i];
		/* The first iterable is read outside. */
		read_expr(w, i == 0 ? in : &inner, clause->iter);
		for (k = 0; k < clause->n_ifs; k++)
			read_expr(w, &inner, clause->ifs[k]);
	}
	for (i = 0; i < x->n; i++)
		read_expr(w, &inner, x->kids[i]);
}

static void
read_expr(
    const struct walk *w, const struct inside *in, const struct tmpl_expr *x)
{
	size_t i;

	if (x == NULL)
		return;
	if (x->comp != NULL) {
		read_comp(w, in, x);
		return;
	}
	if ((x->kind == TMPL_X_NAME || x->kind == TMPL_X_CONTEXT) &&
	    !is_own(in, x->name))
		w->fn(x->name, w->ctx);
	for (i = 0; i < x->n; i++)
		read_expr(w, in, x->kids[i]);
}

static void
read_target(const struct walk *w, const struct tmpl_target *t)
{
	size_t i;

	read_expr(w, NULL, t->object);
	read_expr(w, NULL, t->key);
	for (i = 0; i < t->n; i++)
		read_target(w, t->items[i]);
}

static void
read_stmts(const struct walk *w, const struct tmpl_stmt *s)
{
	const struct tmpl_stmt *branch, *next;
	size_t i;

	for (; s != NULL; s = s->next) {
		for (i = 0; i < s->n; i++)
			read_target(w, s->targets[i]);
		for (branch = s; branch != NULL; branch = next) {
			next = elif_of(branch);
			read_expr(w, NULL, branch->expr);
			read_expr(w, NULL, branch->second);
			read_stmts(w, branch->body);
			if (next == NULL)
				read_stmts(w, branch->other);
		}
	}
}

void
tmpl_expr_reads(const struct tmpl_expr *x, tmpl_name_fn *fn, void *ctx)
{
	const struct walk w = { fn, ctx };

	read_expr(&w, NULL, x);
}

void
tmpl_block_reads(const struct tmpl_block *b, tmpl_name_fn *fn, void *ctx)
{
	const struct walk w = { fn, ctx };

	read_stmts(&w, b->first);
}
