/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The loop object of a % for.
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

struct tmpl_loop {
	struct tmpl_loop *parent;
	/* What is iterated over, for its length. */
	struct tmpl_value iterable;
	struct tmpl_iter *it;
	size_t index;
	/* The first item has been given. */
	bool begun;
};

int
tmpl_loop_new(struct tmpl_run *r, struct tmpl_value iterable,
    struct tmpl_loop *parent, struct tmpl_loop **ret)
{
	struct tmpl_loop *l;

	l = arena_calloc(r->a, 1, sizeof(*l));
	if (l == NULL)
		return tmpl_raise_nomem(r);
	l->parent = parent;
	l->iterable = iterable;
	*ret = l;
	return tmpl_iter(r, iterable, &l->it);
}

int
tmpl_loop_next(struct tmpl_run *r, struct tmpl_loop *l, struct tmpl_value *ret)
{
	int rc;

	if (l->begun)
		l->index++;
	rc = tmpl_iter_next(r, l->it, ret);
	if (rc != 1)
		return rc;
	l->begun = true;
	return tmpl_tick(r) == -1 ? -1 : 1;
}

static int
loop_index(
    struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_int((int64_t)l->index);
	return 0;
}

static int
loop_reverse_index(
    struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	size_t n;

	if (tmpl_len(r, l->iterable, &n) == -1)
		return -1;
	*ret = tmpl_int((int64_t)n - (int64_t)l->index - 1);
	return 0;
}

static int
loop_first(
    struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_bool(l->index == 0);
	return 0;
}

static int
loop_last(struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	size_t n;

	if (tmpl_len(r, l->iterable, &n) == -1)
		return -1;
	*ret = tmpl_bool(l->index + 1 == n);
	return 0;
}

static int
loop_even(struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_bool(l->index % 2 == 0);
	return 0;
}

static int
loop_odd(struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	(void)r;
	*ret = tmpl_bool(l->index % 2 == 1);
	return 0;
}

static int
loop_parent(
    struct tmpl_run *r, const struct tmpl_loop *l, struct tmpl_value *ret)
{
	(void)r;
	*ret = l->parent == NULL
	    ? tmpl_none()
	    : (struct tmpl_value){ .type = TMPL_LOOP, .u.loop = l->parent };
	return 0;
}

static const struct {
	const char *name;
	int (*get)(struct tmpl_run *r, const struct tmpl_loop *l,
	    struct tmpl_value *ret);
} attributes[] = {
	{ "index", loop_index },
	{ "reverse_index", loop_reverse_index },
	{ "first", loop_first },
	{ "last", loop_last },
	{ "even", loop_even },
	{ "odd", loop_odd },
	{ "parent", loop_parent },
};

static int
no_loop(struct tmpl_run *r)
{
	return tmpl_raise(
	    r, TMPL_RUNTIME_EXCEPTION, "No loop context is established");
}

int
tmpl_loop_attr(struct tmpl_run *r, const struct tmpl_loop *l, const char *name,
    struct tmpl_value *ret)
{
	size_t i;

	if (l == NULL)
		return no_loop(r);
	for (i = 0; i < ARRAY_LEN(attributes); i++) {
		if (strcmp(attributes[i].name, name) == 0)
			return attributes[i].get(r, l, ret);
	}
	if (strcmp(name, "cycle") == 0)
		return tmpl_unsupported(r, "attribute 'cycle' without a call");
	return tmpl_raise(r, TMPL_ATTRIBUTE_ERROR,
	    "'LoopContext' object has no attribute '%s'", name);
}

int
tmpl_loop_cycle(struct tmpl_run *r, const struct tmpl_loop *l,
    const struct tmpl_args *args, struct tmpl_value *ret)
{
	if (l == NULL)
		return no_loop(r);
	if (args->n_kw > 0)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "LoopContext.cycle() got an unexpected keyword argument "
		    "'%s'",
		    args->kw[0].name);
	if (args->n == 0)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "You must provide values to cycle through");
	*ret = args->v[l->index % args->n];
	return 0;
}
