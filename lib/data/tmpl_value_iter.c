/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Iteration.  An iterator is a function that gives the next item and the few
 * fields it needs; a container may change while it is read, as in Python.
 */
#include <string.h>

#include "lib/data/tmpl_char.h"
#include "lib/data/tmpl_value_internal.h"

struct tmpl_iter *
tmpl_iter_new(struct tmpl_run *r, tmpl_next_fn *next, const char *type,
    struct tmpl_value v)
{
	struct tmpl_iter *it;

	it = arena_calloc(r->a, 1, sizeof(*it));
	if (it == NULL) {
		(void)tmpl_raise_nomem(r);
		return NULL;
	}
	it->next = next;
	it->type = type;
	it->v = v;
	return it;
}

int
tmpl_iter_next(struct tmpl_run *r, struct tmpl_iter *it, struct tmpl_value *ret)
{
	int rc;

	if (tmpl_charge(r, TMPL_STEP) == -1 || tmpl_enter(r) == -1)
		return -1;
	rc = it->next(it, r, ret);
	tmpl_leave(r);
	return rc;
}

static int
list_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	(void)r;
	if (it->i >= it->v.u.list->n)
		return 0;
	*ret = it->v.u.list->items[it->i++];
	return 1;
}

static int
str_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	const struct tmpl_str *s = it->v.u.str;
	size_t len;

	if (it->i >= s->len)
		return 0;
	len = tmpl_char_len(s->s + it->i);
	if (tmpl_str(r, s->s + it->i, len, ret) == -1)
		return -1;
	it->i += len;
	return 1;
}

int64_t
tmpl_range_at(const struct tmpl_range *g, uint64_t i)
{
	return (int64_t)((uint64_t)g->start + i * (uint64_t)g->step);
}

static int
range_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	(void)r;
	if (it->i >= it->v.u.range->n)
		return 0;
	*ret = tmpl_int(tmpl_range_at(it->v.u.range, it->i++));
	return 1;
}

static int
view_item(struct tmpl_run *r, const struct tmpl_entry *entry,
    enum tmpl_view_kind kind, struct tmpl_value *ret)
{
	if (kind == TMPL_ITEMS)
		return tmpl_pair(r, entry->key, entry->v, ret);
	*ret = kind == TMPL_KEYS ? entry->key : entry->v;
	return 0;
}

static int
view_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	const struct tmpl_view *view = it->v.u.view;
	struct tmpl_entry *entry;

	if (view->dict->n != it->n)
		return tmpl_raise(r, TMPL_RUNTIME_ERROR,
		    "dictionary changed size during iteration");
	entry = tmpl_dict_next(view->dict, &it->i);
	if (entry == NULL)
		return 0;
	return view_item(r, entry, view->kind, ret) == -1 ? -1 : 1;
}

static int
view_iter(struct tmpl_run *r, struct tmpl_value v, struct tmpl_iter **ret)
{
	*ret = tmpl_iter_new(r, view_next, "dict_iterator", v);
	if (*ret == NULL)
		return -1;
	(*ret)->n = v.u.view->dict->n;
	return 0;
}

/* A dict is read as its keys. */
static int
dict_iter(struct tmpl_run *r, struct tmpl_dict *d, struct tmpl_iter **ret)
{
	struct tmpl_view *view;

	view = arena_alloc(r->a, sizeof(*view));
	if (view == NULL)
		return tmpl_raise_nomem(r);
	*view = (struct tmpl_view){ d, TMPL_KEYS };
	return view_iter(
	    r, (struct tmpl_value){ .type = TMPL_VIEW, .u.view = view }, ret);
}

int
tmpl_iter(struct tmpl_run *r, struct tmpl_value v, struct tmpl_iter **ret)
{
	tmpl_next_fn *next = NULL;

	switch (v.type) {
	case TMPL_ITER:
		*ret = v.u.iter;
		return 0;
	case TMPL_DICT:
		return dict_iter(r, v.u.dict, ret);
	case TMPL_VIEW:
		return view_iter(r, v, ret);
	case TMPL_STR:
		next = str_next;
		break;
	case TMPL_LIST:
	case TMPL_TUPLE:
		next = list_next;
		break;
	case TMPL_RANGE:
		next = range_next;
		break;
	case TMPL_NONE:
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
	case TMPL_UNDEFINED:
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'%s' object is not iterable", tmpl_type_name(v));
	}
	*ret = tmpl_iter_new(r, next, "iterator", v);
	return *ret == NULL ? -1 : 0;
}

int
tmpl_range(struct tmpl_run *r, int64_t start, int64_t stop, int64_t step,
    struct tmpl_value *ret)
{
	struct tmpl_range *g;
	uint64_t distance, stride;

	if (step == 0)
		return tmpl_raise(
		    r, TMPL_VALUE_ERROR, "range() arg 3 must not be zero");
	g = arena_alloc(r->a, sizeof(*g));
	if (g == NULL)
		return tmpl_raise_nomem(r);
	*g = (struct tmpl_range){ .start = start, .stop = stop, .step = step };
	if (step > 0 ? start < stop : start > stop) {
		distance = step > 0 ? (uint64_t)stop - (uint64_t)start
				    : (uint64_t)start - (uint64_t)stop;
		stride = step > 0 ? (uint64_t)step : -(uint64_t)step;
		g->n = (distance - 1) / stride + 1;
	}
	*ret = (struct tmpl_value){ .type = TMPL_RANGE, .u.range = g };
	return 0;
}

static int
back_next(struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret)
{
	const struct tmpl_list *l = it->v.u.list;

	if (it->v.type == TMPL_RANGE) {
		if (it->n == 0)
			return 0;
		*ret = tmpl_int(tmpl_range_at(it->v.u.range, --it->n));
		return 1;
	}
	/* A list may have become shorter: then it is at its end. */
	if (it->n == 0 || it->n > l->n) {
		it->n = 0;
		return 0;
	}
	(void)r;
	*ret = l->items[--it->n];
	return 1;
}

/* What can only be read forwards is read first. */
static int
listed(struct tmpl_run *r, struct tmpl_value *v)
{
	if (v->type != TMPL_STR && v->type != TMPL_DICT && v->type != TMPL_VIEW)
		return 0;
	return tmpl_list_of(r, TMPL_LIST, *v, v);
}

int
tmpl_reversed(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value *ret)
{
	struct tmpl_iter *it;

	if (listed(r, &v) == -1)
		return -1;
	if (v.type != TMPL_LIST && v.type != TMPL_TUPLE && v.type != TMPL_RANGE)
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'%s' object is not reversible", tmpl_type_name(v));
	it = tmpl_iter_new(r, back_next, "reversed", v);
	if (it == NULL || tmpl_len(r, v, &it->n) == -1)
		return -1;
	*ret = (struct tmpl_value){ .type = TMPL_ITER, .u.iter = it };
	return 0;
}
