/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where several figures are looked at, one that fails is enough; else one that
 * cannot be judged makes the whole unsure.
 */
#include "daemon/scale_test.h"

#include <math.h>
#include <string.h>

#include "lib/base/num.h"

/* How a limit is compared with what jails use. */
struct scale_type {
	const char *word;
	/* The sum of all jails; else each of them. */
	bool sum;
	/* That by the number of services. */
	bool average;
	/* Of the limit, `value` per cent. */
	bool percent;
};

static const struct scale_type types[] = {
	{ "any-jail", false, false, false },
	{ "any-project", true, false, false },
	{ "average", true, true, false },
	{ "percent-jail", false, false, true },
	{ "percent-project", true, false, true },
};

static const struct scale_type *
type_of(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].word, word) == 0)
			return &types[i];
	return &types[0];
}

static bool
number_of(const struct node *n, double *ret)
{
	if (n == NULL)
		return false;
	if (n->type == NODE_INT && !n->big)
		*ret = (double)n->u.i;
	else if (n->type == NODE_FLOAT && isfinite(n->u.f))
		*ret = n->u.f;
	else if (n->type == NODE_BOOL)
		*ret = n->u.b;
	else
		return false;
	return true;
}

static enum scale_result
worse(enum scale_result a, enum scale_result b)
{
	if (a == SCALE_FAIL || b == SCALE_FAIL)
		return SCALE_FAIL;
	return a == SCALE_UNSURE ? a : b;
}

static enum scale_result
unsure(struct error *e, const char *what, const char *name)
{
	(void)error_set(e, OVE_NOTFOUND, "%s '%s'", what, name);
	/* The original's word would be of metadata. */
	if (e != NULL)
		e->code = OVE_INTERNAL;
	return SCALE_UNSURE;
}

static bool
is_empty(const struct node *stats)
{
	return stats == NULL || stats->type != NODE_MAP || stats->u.map.n == 0;
}

/* Jails */

static enum scale_result
test_rule(const struct scale_type *t, const char *resource, double limit,
    const struct node *const *stats, size_t n, struct error *e)
{
	enum scale_result r = SCALE_PASS;
	double used, sum = 0;

	for (size_t i = 0; i < n; i++) {
		if (!number_of(node_get(stats[i], resource), &used))
			return unsure(e,
			    "a jail has no figure for the resource", resource);
		sum += used;
		if (!t->sum && used >= limit)
			r = SCALE_FAIL;
	}
	if (t->average && n > 0)
		sum /= (double)n;
	return t->sum && n > 0 && sum >= limit ? SCALE_FAIL : r;
}

enum scale_result
scale_test_rctl(const struct spec_autoscale *as,
    const struct node *const *stats, size_t n, struct error *e)
{
	const struct scale_type *t = type_of(as->type);
	enum scale_result r = SCALE_PASS;
	double limit, percent = 100;

	for (size_t i = 0; i < n; i++)
		if (is_empty(stats[i]))
			return SCALE_FAIL;
	if (t->percent && !number_of(as->value, &percent))
		return unsure(e, "no value for the type", t->word);
	for (size_t i = 0; i < as->rules.n; i++) {
		if (!number_of(as->rules.items[i], &limit))
			return unsure(e, "no limit for", as->rules.keys[i]);
		r = worse(r,
		    test_rule(t, as->rules.keys[i],
			t->percent ? limit * percent / 100 : limit, stats, n,
			e));
	}
	return r;
}

/* The server */

enum scale_result
scale_test_economy(
    const struct spec_autoscale *as, const struct node *stats, struct error *e)
{
	static const struct scale_type plain = { .word = "economy" };
	enum scale_result r = SCALE_PASS;
	double limit;

	if (is_empty(stats))
		return SCALE_FAIL;
	for (size_t i = 0; i < as->economy.n; i++) {
		if (!number_of(as->economy.items[i], &limit))
			return unsure(e, "no limit for", as->economy.keys[i]);
		r = worse(r,
		    test_rule(
			&plain, as->economy.keys[i], limit, &stats, 1, e));
	}
	return r;
}

/* HAProxy */

/* What a number is compared with: a number, or a text that is one. */
static bool
bound_of(const struct node *n, double *ret)
{
	int64_t i;

	if (number_of(n, ret))
		return true;
	if (node_text(n) == NULL ||
	    num_i64(node_text(n), INT64_MIN, INT64_MAX, &i, NULL) < 0)
		return false;
	*ret = (double)i;
	return true;
}

static enum scale_result
test_number(
    const struct spec_metric *m, const char *name, double is, struct error *e)
{
	const struct node *v = m->value;
	double low, high;

	if (m->each != SCHEMA_NONE)
		is = fmod(is, (double)m->each);
	if (v->type == NODE_LIST && v->u.list.n == 2 &&
	    number_of(v->u.list.items[0], &low) &&
	    number_of(v->u.list.items[1], &high))
		return is >= low && is <= high ? SCALE_FAIL : SCALE_PASS;
	if (!bound_of(v, &low))
		return unsure(
		    e, "a number is compared with something else for", name);
	return is >= low ? SCALE_FAIL : SCALE_PASS;
}

static enum scale_result
test_metric(const struct spec_metric *m, const char *name,
    const struct node *metric, struct error *e)
{
	const struct node *is = node_get(metric, "value");
	double number;

	if (is == NULL || is->type == NODE_NULL || m->value == NULL)
		return SCALE_PASS;
	if (number_of(is, &number))
		return test_number(m, name, number, e);
	if (node_text(is) == NULL || node_text(m->value) == NULL)
		return unsure(
		    e, "a text is compared with something else for", name);
	return strcmp(node_text(is), node_text(m->value)) == 0 ? SCALE_PASS
							       : SCALE_FAIL;
}

enum scale_result
scale_test_balancer(
    const struct spec_balancer *b, const struct node *metrics, struct error *e)
{
	enum scale_result all = SCALE_PASS, any = SCALE_FAIL, one;
	const struct node *metric;

	for (size_t i = 0; i < b->all.n; i++) {
		metric = node_get(metrics, b->all.keys[i]);
		if (metric != NULL)
			all = worse(all,
			    test_metric(
				&b->all.items[i], b->all.keys[i], metric, e));
	}
	if (all == SCALE_FAIL || b->any.n == 0)
		return all;
	for (size_t i = 0; i < b->any.n && any != SCALE_PASS; i++) {
		metric = node_get(metrics, b->any.keys[i]);
		if (metric == NULL)
			continue;
		one = test_metric(&b->any.items[i], b->any.keys[i], metric, e);
		if (one != SCALE_FAIL)
			any = one;
	}
	return worse(all, any);
}
