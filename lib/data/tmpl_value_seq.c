/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Functions that make iterables or read them.
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

#define FUNC(name)                                                             \
  int name(struct tmpl_run *r, struct tmpl_value self,                         \
      const struct tmpl_args *args, struct tmpl_value *ret)

static bool
given(struct tmpl_value v)
{
	return v.type != TMPL_ABSENT;
}

FUNC(tmpl_fn_len)
{
	size_t n;

	(void)self;
	if (tmpl_len(r, args->v[0], &n) == -1)
		return -1;
	*ret = tmpl_int((int64_t)n);
	return 0;
}

FUNC(tmpl_fn_range)
{
	int64_t n[3] = { 0, 0, 1 };
	size_t i;

	(void)self;
	for (i = 0; i < 3 && given(args->v[i]); i++) {
		if (tmpl_need_int(r, args->v[i], &n[i]) == -1)
			return -1;
	}
	if (i == 1)
		return tmpl_range(r, 0, n[0], 1, ret);
	return tmpl_range(r, n[0], n[1], n[2], ret);
}

static int
enumerate_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	struct tmpl_value item, i;
	int rc;

	rc = tmpl_iter_next(r, it->sub[0], &item);
	if (rc != 1)
		return rc;
	i = it->v;
	if (tmpl_binary(r, TMPL_OP_ADD, false, i, tmpl_int(1), &it->v) == -1)
		return -1;
	return tmpl_pair(r, i, item, ret) == -1 ? -1 : 1;
}

/* An iterator that reads others: those of v[0..n). */
static int
iter_over(struct tmpl_run *r, tmpl_next_fn *next, const char *type,
    struct tmpl_value state, const struct tmpl_value *v, size_t n,
    struct tmpl_value *ret)
{
	struct tmpl_iter *it;
	size_t i;

	it = tmpl_iter_new(r, next, type, state);
	if (it == NULL)
		return -1;
	it->n = n;
	it->sub = arena_calloc(r->a, n + 1, sizeof(struct tmpl_iter *));
	if (it->sub == NULL)
		return tmpl_raise_nomem(r);
	for (i = 0; i < n; i++) {
		if (tmpl_iter(r, v[i], &it->sub[i]) == -1)
			return -1;
	}
	*ret = (struct tmpl_value){ .type = TMPL_ITER, .u.iter = it };
	return 0;
}

FUNC(tmpl_fn_enumerate)
{
	int64_t start = 0;

	(void)self;
	if (given(args->v[1]) && tmpl_need_int(r, args->v[1], &start) == -1)
		return -1;
	return iter_over(
	    r, enumerate_next, "enumerate", tmpl_int(start), args->v, 1, ret);
}

static int
zip_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	size_t i;
	int rc;

	if (it->n == 0)
		return 0;
	if (tmpl_list_new(r, TMPL_TUPLE, it->n, ret) == -1)
		return -1;
	for (i = 0; i < it->n; i++) {
		rc = tmpl_iter_next(r, it->sub[i], &ret->u.list->items[i]);
		if (rc != 1)
			return rc;
	}
	ret->u.list->n = it->n;
	return 1;
}

FUNC(tmpl_fn_zip)
{
	(void)self;
	if (args->n_kw > 0)
		return tmpl_unsupported(r, "'%s' of 'zip'", args->kw[0].name);
	return iter_over(
	    r, zip_next, "zip", tmpl_none(), args->v, args->n, ret);
}

FUNC(tmpl_fn_reversed)
{
	(void)self;
	return tmpl_reversed(r, args->v[0], ret);
}

FUNC(tmpl_fn_sorted)
{
	(void)self;
	if (given(args->v[1]) && args->v[1].type != TMPL_NONE)
		return tmpl_unsupported(r, "'key' of 'sorted'");
	if (tmpl_list_of(r, TMPL_LIST, args->v[0], ret) == -1)
		return -1;
	return tmpl_sort(
	    r, ret->u.list, given(args->v[2]) && tmpl_truth(args->v[2]));
}

/* Whether any item is (is not) true. */
static int
search(struct tmpl_run *r, struct tmpl_value v, bool wanted,
    struct tmpl_value *ret)
{
	struct tmpl_iter *it;
	struct tmpl_value item;
	int rc;

	if (tmpl_iter(r, v, &it) == -1)
		return -1;
	*ret = tmpl_bool(!wanted);
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (tmpl_truth(item) == wanted) {
			*ret = tmpl_bool(wanted);
			return 0;
		}
	}
	return rc;
}

FUNC(tmpl_fn_any)
{
	(void)self;
	return search(r, args->v[0], true, ret);
}

FUNC(tmpl_fn_all)
{
	(void)self;
	return search(r, args->v[0], false, ret);
}

FUNC(tmpl_fn_sum)
{
	struct tmpl_iter *it;
	struct tmpl_value item, total;
	int rc;

	(void)self;
	total = given(args->v[1]) ? args->v[1] : tmpl_int(0);
	if (total.type == TMPL_STR)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "sum() can't sum strings [use ''.join(seq) instead]");
	if (tmpl_iter(r, args->v[0], &it) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (tmpl_binary(r, TMPL_OP_ADD, false, total, item, &total) ==
		    -1)
			return -1;
	}
	*ret = total;
	return rc;
}

/* min() and max(): the first of those that are the least (greatest). */
static int
extreme(struct tmpl_run *r, const char *name, enum tmpl_op op,
    const struct tmpl_args *args, struct tmpl_value *ret)
{
	struct tmpl_value item, all;
	struct tmpl_list l = { .n = args->n };
	struct tmpl_iter *it;
	bool better, any = false;
	int rc;

	if (args->n == 0)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "%s expected at least 1 argument, got 0", name);
	if (args->n_kw > 0 &&
	    (strcmp(args->kw[0].name, "default") != 0 || args->n_kw > 1 ||
		args->n > 1))
		return tmpl_unsupported(
		    r, "'%s' of '%s'", args->kw[0].name, name);
	all = args->v[0];
	if (args->n > 1) {
		l.items = arena_calloc(r->a, args->n, sizeof(*l.items));
		if (l.items == NULL)
			return tmpl_raise_nomem(r);
		memcpy(l.items, args->v, args->n * sizeof(*l.items));
		all = (struct tmpl_value){ .type = TMPL_TUPLE, .u.list = &l };
	}
	if (tmpl_iter(r, all, &it) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		better = !any;
		if (any && tmpl_compare(r, op, item, *ret, &better) == -1)
			return -1;
		if (better)
			*ret = item;
		any = true;
	}
	if (rc == -1 || any)
		return rc;
	if (args->n_kw == 0)
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "%s() arg is an empty sequence", name);
	*ret = args->kw[0].v;
	return 0;
}

FUNC(tmpl_fn_min)
{
	(void)self;
	return extreme(r, "min", TMPL_OP_LT, args, ret);
}

FUNC(tmpl_fn_max)
{
	(void)self;
	return extreme(r, "max", TMPL_OP_GT, args, ret);
}
