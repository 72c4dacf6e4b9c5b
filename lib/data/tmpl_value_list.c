/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Lists and tuples: growing, filling, sorting.
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

#define ITEM_LEN sizeof(struct tmpl_value)

int
tmpl_list_new(
    struct tmpl_run *r, enum tmpl_type type, size_t cap, struct tmpl_value *ret)
{
	struct tmpl_list *l;

	l = arena_alloc(r->a, sizeof(*l));
	if (l == NULL)
		return tmpl_raise_nomem(r);
	*l = (struct tmpl_list){ .cap = cap };
	if (cap > 0) {
		l->items = arena_calloc(r->a, cap, ITEM_LEN);
		if (l->items == NULL)
			return tmpl_raise_nomem(r);
	}
	*ret = (struct tmpl_value){ .type = type, .u.list = l };
	return 0;
}

int
tmpl_list_add(struct tmpl_run *r, struct tmpl_list *l, struct tmpl_value v)
{
	struct tmpl_value *items;
	size_t cap;

	if (l->n == l->cap) {
		cap = l->cap < 4 ? 4 : l->cap * 2;
		items = arena_calloc(r->a, cap, ITEM_LEN);
		if (items == NULL)
			return tmpl_raise_nomem(r);
		if (l->n > 0)
			memcpy(items, l->items, l->n * ITEM_LEN);
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = v;
	return 0;
}

int
tmpl_pair(struct tmpl_run *r, struct tmpl_value a, struct tmpl_value b,
    struct tmpl_value *ret)
{
	if (tmpl_list_new(r, TMPL_TUPLE, 2, ret) == -1)
		return -1;
	ret->u.list->items[0] = a;
	ret->u.list->items[1] = b;
	ret->u.list->n = 2;
	return 0;
}

int
tmpl_list_extend(struct tmpl_run *r, struct tmpl_list *l, struct tmpl_value v)
{
	struct tmpl_iter *it;
	struct tmpl_value item;
	size_t i, n;
	int rc;

	/* A list may be added to itself: what it has now. */
	if (v.type == TMPL_LIST) {
		n = v.u.list->n;
		if (tmpl_charge(r, n) == -1)
			return -1;
		for (i = 0; i < n; i++) {
			if (tmpl_list_add(r, l, v.u.list->items[i]) == -1)
				return -1;
		}
		return 0;
	}
	if (tmpl_iter(r, v, &it) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (tmpl_list_add(r, l, item) == -1)
			return -1;
	}
	return rc;
}

int
tmpl_list_of(struct tmpl_run *r, enum tmpl_type type, struct tmpl_value v,
    struct tmpl_value *ret)
{
	/* A tuple of a tuple is that tuple. */
	if (type == TMPL_TUPLE && v.type == TMPL_TUPLE) {
		*ret = v;
		return 0;
	}
	if (tmpl_list_new(r, type, 0, ret) == -1)
		return -1;
	return tmpl_list_extend(r, ret->u.list, v);
}

/* Merges a[0..mid) and a[mid..n) by way of tmp, equal ones in their order. */
static int
merge(struct tmpl_run *r, struct tmpl_value *a, size_t mid, size_t n,
    struct tmpl_value *tmp)
{
	size_t i = 0, j = mid, k = 0;
	bool less;

	while (i < mid && j < n) {
		if (tmpl_compare(r, TMPL_OP_LT, a[j], a[i], &less) == -1)
			return -1;
		tmp[k++] = less ? a[j++] : a[i++];
	}
	while (i < mid)
		tmp[k++] = a[i++];
	while (j < n)
		tmp[k++] = a[j++];
	memcpy(a, tmp, n * ITEM_LEN);
	return 0;
}

/* Its depth is the logarithm of n. */
static int
sort(struct tmpl_run *r, struct tmpl_value *a, size_t n, struct tmpl_value *tmp)
{
	size_t mid = n / 2;

	if (n < 2)
		return 0;
	if (sort(r, a, mid, tmp) == -1 || sort(r, a + mid, n - mid, tmp) == -1)
		return -1;
	return merge(r, a, mid, n, tmp);
}

void
tmpl_list_reverse(struct tmpl_list *l)
{
	struct tmpl_value v;
	size_t i;

	for (i = 0; i < l->n / 2; i++) {
		v = l->items[i];
		l->items[i] = l->items[l->n - 1 - i];
		l->items[l->n - 1 - i] = v;
	}
}

/* As Python does, equal ones keep their order when it is reversed, too. */
int
tmpl_sort(struct tmpl_run *r, struct tmpl_list *l, bool reverse)
{
	struct tmpl_value *tmp;
	int rc;

	if (l->n < 2)
		return 0;
	tmp = arena_calloc(r->a, l->n, ITEM_LEN);
	if (tmp == NULL)
		return tmpl_raise_nomem(r);
	if (reverse)
		tmpl_list_reverse(l);
	rc = sort(r, l->items, l->n, tmp);
	if (reverse)
		tmpl_list_reverse(l);
	return rc;
}
