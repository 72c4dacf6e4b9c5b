/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Equality, order, membership and hashes.  Numbers compare by value whatever
 * their type, and have the same hash then.
 */
#include <math.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/data/tmpl_value_internal.h"

/* 2^63, the first float beyond int. */
#define INT_END 9223372036854775808.0

bool
tmpl_is_int(struct tmpl_value v)
{
	return v.type == TMPL_INT || v.type == TMPL_BOOL;
}

bool
tmpl_is_number(struct tmpl_value v)
{
	return tmpl_is_int(v) || v.type == TMPL_FLOAT;
}

int64_t
tmpl_as_int(struct tmpl_value v)
{
	return v.type == TMPL_BOOL ? v.u.b : v.u.i;
}

double
tmpl_as_float(struct tmpl_value v)
{
	return v.type == TMPL_FLOAT ? v.u.f : (double)tmpl_as_int(v);
}

static int
int_float_order(int64_t i, double f)
{
	int64_t whole;

	if (isnan(f))
		return 2;
	if (f >= INT_END)
		return -1;
	if (f < -INT_END)
		return 1;
	whole = (int64_t)f;
	if (i != whole)
		return i < whole ? -1 : 1;
	f -= (double)whole;
	return f > 0 ? -1 : f < 0 ? 1 : 0;
}

int
tmpl_number_order(struct tmpl_value v, struct tmpl_value w)
{
	int order;

	if (tmpl_is_int(v) && tmpl_is_int(w))
		return (tmpl_as_int(v) > tmpl_as_int(w)) -
		    (tmpl_as_int(v) < tmpl_as_int(w));
	if (tmpl_is_int(v))
		return int_float_order(tmpl_as_int(v), w.u.f);
	if (tmpl_is_int(w)) {
		order = int_float_order(tmpl_as_int(w), v.u.f);
		return order == 2 ? 2 : -order;
	}
	if (isnan(v.u.f) || isnan(w.u.f))
		return 2;
	return (v.u.f > w.u.f) - (v.u.f < w.u.f);
}

static int
str_order(const struct tmpl_str *s, const struct tmpl_str *t)
{
	size_t len = s->len < t->len ? s->len : t->len;
	int order;

	order = len > 0 ? memcmp(s->s, t->s, len) : 0;
	if (order == 0)
		order = (s->len > t->len) - (s->len < t->len);
	return order;
}

/* Finds the first items that differ: *ret_i, the shorter length if none do. */
static int
list_differ(struct tmpl_run *r, const struct tmpl_list *l,
    const struct tmpl_list *m, size_t *ret_i)
{
	bool equal = true;
	size_t i;

	for (i = 0; i < l->n && i < m->n; i++) {
		if (tmpl_equal(r, l->items[i], m->items[i], &equal) == -1)
			return -1;
		if (!equal)
			break;
	}
	*ret_i = i;
	return 0;
}

static int
list_equal(struct tmpl_run *r, const struct tmpl_list *l,
    const struct tmpl_list *m, bool *ret)
{
	size_t i;

	*ret = false;
	if (l->n != m->n)
		return 0;
	if (list_differ(r, l, m, &i) == -1)
		return -1;
	*ret = i == l->n;
	return 0;
}

static int
dict_equal(struct tmpl_run *r, const struct tmpl_dict *d,
    const struct tmpl_dict *other, bool *ret)
{
	struct tmpl_entry *entry, *twin;
	size_t i = 0;

	*ret = false;
	if (d->n != other->n)
		return 0;
	while ((entry = tmpl_dict_next(d, &i)) != NULL) {
		if (tmpl_dict_find(r, other, entry->key, &twin) == -1)
			return -1;
		if (twin == NULL)
			return 0;
		if (tmpl_equal(r, entry->v, twin->v, ret) == -1)
			return -1;
		if (!*ret)
			return 0;
	}
	*ret = true;
	return 0;
}

static bool
range_equal(const struct tmpl_range *g, const struct tmpl_range *h)
{
	return g->n == h->n &&
	    (g->n == 0 ||
		(g->start == h->start && (g->n == 1 || g->step == h->step)));
}

static const void *
identity(struct tmpl_value v)
{
	switch (v.type) {
	case TMPL_LIST:
	case TMPL_TUPLE:
		return v.u.list;
	case TMPL_DICT:
		return v.u.dict;
	case TMPL_VIEW:
		return v.u.view;
	case TMPL_ITER:
		return v.u.iter;
	case TMPL_LOOP:
		return v.u.loop;
	case TMPL_DEF:
		return v.u.def;
	case TMPL_EXC:
		return v.u.exc;
	case TMPL_RANGE:
		return v.u.range;
	case TMPL_STR:
		return v.u.str;
	case TMPL_NONE:
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_UNDEFINED:
		break;
	}
	return NULL;
}

static int
same_type_equal(
    struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w, bool *ret)
{
	switch (v.type) {
	case TMPL_STR:
		*ret = v.u.str->len == w.u.str->len &&
		    str_order(v.u.str, w.u.str) == 0;
		return *ret ? tmpl_charge(r, v.u.str->len) : 0;
	case TMPL_LIST:
	case TMPL_TUPLE:
		return list_equal(r, v.u.list, w.u.list, ret);
	case TMPL_DICT:
		return dict_equal(r, v.u.dict, w.u.dict, ret);
	case TMPL_RANGE:
		*ret = range_equal(v.u.range, w.u.range);
		return 0;
	case TMPL_VIEW:
		if (v.u.view->kind != TMPL_VALUES)
			return tmpl_unsupported(
			    r, "comparing '%s'", tmpl_type_name(v));
		*ret = v.u.view == w.u.view;
		return 0;
	case TMPL_NONE:
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_ITER:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
	case TMPL_UNDEFINED:
		break;
	}
	*ret = identity(v) == identity(w);
	return 0;
}

int
tmpl_equal(
    struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w, bool *ret)
{
	int rc;

	if (tmpl_charge(r, TMPL_STEP) == -1)
		return -1;
	if (tmpl_is_number(v) && tmpl_is_number(w)) {
		*ret = tmpl_number_order(v, w) == 0;
		return 0;
	}
	*ret = false;
	if (v.type != w.type)
		return 0;
	if (identity(v) != NULL && identity(v) == identity(w)) {
		*ret = true;
		return 0;
	}
	if (tmpl_enter(r) == -1)
		return -1;
	rc = same_type_equal(r, v, w, ret);
	tmpl_leave(r);
	return rc;
}

static const char *
order_text(enum tmpl_op op)
{
	switch ((int)op) {
	case TMPL_OP_LT:
		return "<";
	case TMPL_OP_LE:
		return "<=";
	case TMPL_OP_GT:
		return ">";
	default:
		return ">=";
	}
}

static bool
order_is(enum tmpl_op op, int order)
{
	switch ((int)op) {
	case TMPL_OP_LT:
		return order == -1;
	case TMPL_OP_LE:
		return order == -1 || order == 0;
	case TMPL_OP_GT:
		return order == 1;
	default:
		return order == 1 || order == 0;
	}
}

static int order(struct tmpl_run *r, enum tmpl_op op, struct tmpl_value v,
    struct tmpl_value w, bool *ret);

static int
list_order(struct tmpl_run *r, enum tmpl_op op, const struct tmpl_list *l,
    const struct tmpl_list *m, bool *ret)
{
	size_t i;
	int rc;

	if (list_differ(r, l, m, &i) == -1)
		return -1;
	if (i == l->n || i == m->n) {
		*ret = order_is(op, (l->n > m->n) - (l->n < m->n));
		return 0;
	}
	if (tmpl_enter(r) == -1)
		return -1;
	rc = order(r, op, l->items[i], m->items[i], ret);
	tmpl_leave(r);
	return rc;
}

static int
order(struct tmpl_run *r, enum tmpl_op op, struct tmpl_value v,
    struct tmpl_value w, bool *ret)
{
	int n;

	if (tmpl_charge(r, TMPL_STEP) == -1)
		return -1;
	if (tmpl_is_number(v) && tmpl_is_number(w)) {
		*ret = order_is(op, tmpl_number_order(v, w));
		return 0;
	}
	if (v.type == TMPL_STR && w.type == TMPL_STR) {
		n = str_order(v.u.str, w.u.str);
		*ret = order_is(op, (n > 0) - (n < 0));
		return 0;
	}
	if (v.type == w.type && (v.type == TMPL_LIST || v.type == TMPL_TUPLE))
		return list_order(r, op, v.u.list, w.u.list, ret);
	if (v.type == TMPL_VIEW)
		return tmpl_unsupported(r, "comparing '%s'", tmpl_type_name(v));
	return tmpl_raise_of(r, v.type == TMPL_UNDEFINED ? v : w,
	    TMPL_TYPE_ERROR,
	    "'%s' not supported between instances of '%s' and '%s'",
	    order_text(op), tmpl_type_name(v), tmpl_type_name(w));
}

/*
 * v is w.  Whether two equal strings or numbers are one object is Python's
 * secret, so it is no answer here.
 */
static int
is_same(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w, bool *ret)
{
	*ret = false;
	if (v.type != w.type)
		return 0;
	if (identity(v) != NULL && identity(v) == identity(w)) {
		*ret = true;
		return 0;
	}
	switch (v.type) {
	case TMPL_NONE:
	case TMPL_UNDEFINED:
		*ret = true;
		return 0;
	case TMPL_BOOL:
		*ret = v.u.b == w.u.b;
		return 0;
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_STR:
	case TMPL_TUPLE:
		if (tmpl_equal(r, v, w, ret) == -1)
			return -1;
		if (!*ret ||
		    (v.type == TMPL_INT && v.u.i >= -5 && v.u.i <= 256))
			return 0;
		return tmpl_unsupported(
		    r, "'is' for equal values of type '%s'", tmpl_type_name(v));
	case TMPL_LIST:
	case TMPL_DICT:
	case TMPL_RANGE:
	case TMPL_VIEW:
	case TMPL_ITER:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
		break;
	}
	return 0;
}

int
tmpl_compare(struct tmpl_run *r, enum tmpl_op op, struct tmpl_value v,
    struct tmpl_value w, bool *ret)
{
	int rc;

	switch ((int)op) {
	case TMPL_OP_EQ:
	case TMPL_OP_NE:
		rc = tmpl_equal(r, v, w, ret);
		break;
	case TMPL_OP_IN:
	case TMPL_OP_NOT_IN:
		rc = tmpl_contains(r, v, w, ret);
		break;
	case TMPL_OP_IS:
	case TMPL_OP_IS_NOT:
		rc = is_same(r, v, w, ret);
		break;
	default:
		return order(r, op, v, w, ret);
	}
	if (op == TMPL_OP_NE || op == TMPL_OP_NOT_IN || op == TMPL_OP_IS_NOT)
		*ret = !*ret;
	return rc;
}

static bool
range_contains(const struct tmpl_range *g, int64_t i)
{
	uint64_t distance, step;

	if (g->n == 0)
		return false;
	if (g->step > 0 ? i < g->start : i > g->start)
		return false;
	distance = g->step > 0 ? (uint64_t)i - (uint64_t)g->start
			       : (uint64_t)g->start - (uint64_t)i;
	step = g->step > 0 ? (uint64_t)g->step : -(uint64_t)g->step;
	return distance % step == 0 && distance / step < g->n;
}

static int
iter_contains(
    struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w, bool *ret)
{
	struct tmpl_iter *it;
	struct tmpl_value item;
	int rc;

	*ret = false;
	if (tmpl_iter(r, w, &it) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (tmpl_equal(r, item, v, ret) == -1)
			return -1;
		if (*ret)
			return 0;
	}
	return rc;
}

static int
str_contains(struct tmpl_run *r, struct tmpl_value v, const struct tmpl_str *s,
    bool *ret)
{
	if (v.type != TMPL_STR)
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "'in <string>' requires string as left operand, not %s",
		    tmpl_type_name(v));
	*ret = v.u.str->len == 0 ||
	    memmem(s->s, s->len, v.u.str->s, v.u.str->len) != NULL;
	return tmpl_charge(r, s->len);
}

int
tmpl_contains(
    struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w, bool *ret)
{
	struct tmpl_entry *entry;

	switch (w.type) {
	case TMPL_STR:
		return str_contains(r, v, w.u.str, ret);
	case TMPL_DICT:
		if (tmpl_dict_find(r, w.u.dict, v, &entry) == -1)
			return -1;
		*ret = entry != NULL;
		return 0;
	case TMPL_RANGE:
		if (!tmpl_is_int(v))
			return iter_contains(r, v, w, ret);
		*ret = range_contains(w.u.range, tmpl_as_int(v));
		return 0;
	case TMPL_LIST:
	case TMPL_TUPLE:
	case TMPL_VIEW:
	case TMPL_ITER:
		return iter_contains(r, v, w, ret);
	case TMPL_NONE:
	case TMPL_BOOL:
	case TMPL_INT:
	case TMPL_FLOAT:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
	case TMPL_UNDEFINED:
		break;
	}
	return tmpl_raise_of(r, w, TMPL_TYPE_ERROR,
	    "argument of type '%s' is not iterable", tmpl_type_name(w));
}

static uint64_t
hash_bytes(const void *p, size_t len)
{
	uint64_t h = hash_add(HASH_INIT, p, len);

	return h ^ h >> 29;
}

static uint64_t
hash_float(double f)
{
	int64_t i;

	if (f >= -INT_END && f < INT_END && f == floor(f)) {
		i = (int64_t)f;
		return hash_bytes(&i, sizeof(i));
	}
	return hash_bytes(&f, sizeof(f));
}

static int
hash_tuple(struct tmpl_run *r, const struct tmpl_list *l, uint64_t *ret)
{
	uint64_t h = l->n, one;
	size_t i;
	int rc;

	if (tmpl_enter(r) == -1)
		return -1;
	rc = tmpl_charge(r, TMPL_STEP);
	for (i = 0; rc == 0 && i < l->n; i++) {
		rc = tmpl_hash(r, l->items[i], &one);
		if (rc == 0)
			h = (h ^ one) * UINT64_C(0x9e3779b97f4a7c15);
	}
	tmpl_leave(r);
	*ret = h ^ h >> 29;
	return rc;
}

int
tmpl_hash(struct tmpl_run *r, struct tmpl_value v, uint64_t *ret)
{
	const void *id;
	int64_t i;

	switch (v.type) {
	case TMPL_BOOL:
	case TMPL_INT:
		i = tmpl_as_int(v);
		*ret = hash_bytes(&i, sizeof(i));
		break;
	case TMPL_FLOAT:
		*ret = hash_float(v.u.f);
		break;
	case TMPL_STR:
		*ret = hash_bytes(v.u.str->s, v.u.str->len);
		return tmpl_charge(r, v.u.str->len + TMPL_STEP);
	case TMPL_TUPLE:
		return hash_tuple(r, v.u.list, ret);
	case TMPL_RANGE:
		*ret = v.u.range->n;
		break;
	case TMPL_LIST:
	case TMPL_DICT:
	case TMPL_VIEW:
		return tmpl_raise(r, TMPL_TYPE_ERROR, "unhashable type: '%s'",
		    tmpl_type_name(v));
	case TMPL_NONE:
	case TMPL_ITER:
	case TMPL_LOOP:
	case TMPL_DEF:
	case TMPL_EXC:
	case TMPL_UNDEFINED:
		id = identity(v);
		*ret = hash_bytes(&id, sizeof(id));
		break;
	}
	return tmpl_charge(r, TMPL_STEP);
}
