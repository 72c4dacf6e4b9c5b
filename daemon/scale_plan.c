/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The rows of the table are functions that say whether they match; the first
 * one that does has decided.
 */
#include "daemon/scale_plan.h"

#include <string.h>

#include "daemon/scale_log.h"
#include "daemon/scale_spec.h"
#include "daemon/scale_test.h"

struct deciding {
	const struct scale_case *c;
	struct arena *arena;
	struct scale_log *log;
	struct scale_plan *plan;
	/* Servers that may get the project, at all. */
	size_t bad;
	/* A test has not passed: no replica is too many. */
	bool veto;
};

/* What it is about */

static bool
is_good(const struct scale_node *n)
{
	return (n->health == SCALE_GOOD || n->is_rising) && !n->is_going;
}

static bool
is_bad(const struct scale_node *n)
{
	return n->health == SCALE_BAD && !n->is_rising && !n->is_going;
}

static bool
is_free(const struct scale_node *n)
{
	return is_bad(n) && !n->is_resting;
}

/* It has it, and nothing of it is on the way. */
static bool
is_settled(const struct scale_node *n)
{
	return is_good(n) && !n->is_rising;
}

/* There is, or will be, something to destroy. */
static bool
is_left(const struct scale_node *n)
{
	return n->exists || n->is_rising;
}

static bool
is_doomed(const struct scale_node *n)
{
	return is_left(n) && !n->is_going && !n->is_resting;
}

static bool
is_going(const struct scale_node *n)
{
	return n->is_going;
}

static size_t
count(const struct deciding *d, bool (*is)(const struct scale_node *n))
{
	size_t n = 0;

	for (size_t i = 0; i < d->c->nodes.n; i++)
		n += is(&d->c->nodes.items[i]);
	return n;
}

/* The targets: those that are so, those that have failed us less often first,
 * else in order. */
static void
aim(struct deciding *d, enum scale_action action, size_t want,
    bool (*is)(const struct scale_node *n))
{
	struct scale_plan *p = d->plan;
	size_t at;

	p->action = action;
	p->want = want;
	p->targets_n = 0;
	p->targets =
	    arena_calloc(d->arena, d->c->nodes.n, sizeof(struct scale_node *));
	for (size_t i = 0; p->targets != NULL && i < d->c->nodes.n; i++) {
		struct scale_node *n = &d->c->nodes.items[i];

		if (!is(n))
			continue;
		for (at = p->targets_n++;
		     at > 0 && p->targets[at - 1]->failures > n->failures; at--)
			p->targets[at] = p->targets[at - 1];
		p->targets[at] = n;
	}
}

/* Tests */

static enum scale_result
test_balancer(const struct deciding *d, struct error *e)
{
	const struct spec_autoscale *as = &d->c->project->autoscale;
	enum scale_result r = SCALE_PASS;

	if (as->frontend.name != NULL)
		r = scale_test_balancer(&as->frontend, d->c->frontend, e);
	if (r == SCALE_PASS && as->backend.name != NULL)
		r = scale_test_balancer(&as->backend, d->c->backend, e);
	return r;
}

/* Tells what a test came to. */
static enum scale_result
tested(struct deciding *d, const struct scale_node *n, const char *context,
    enum scale_result r, const char *type, const char *message)
{
	if (r == SCALE_UNSURE)
		scale_log_exception(
		    d->log, d->log->project, n->chain, type, message);
	else
		scale_log_test(d->log, n->chain, context, r == SCALE_PASS);
	return r;
}

static enum scale_result
test_rules(struct deciding *d, const struct scale_node *n)
{
	const struct node **stats;
	struct error e = ERROR_INIT;
	enum scale_result r;

	for (size_t i = 0; i < n->services_n; i++)
		if (n->services[i].has_no_answer)
			return tested(d, n, "rctl", SCALE_UNSURE, "ReadTimeout",
			    "a jail has not told its figures");
	stats = arena_calloc(d->arena, n->services_n, sizeof(*stats));
	for (size_t i = 0; stats != NULL && i < n->services_n; i++)
		stats[i] = n->services[i].stats;
	/* One that is just being made. */
	r = n->services_n == 0 || stats == NULL
	    ? SCALE_PASS
	    : scale_test_rctl(
		  &d->c->project->autoscale, stats, n->services_n, &e);
	return tested(d, n, "rctl", r, scale_exception(&e), e.text);
}

static enum scale_result
test_node(struct deciding *d, const struct scale_node *n)
{
	const struct spec_autoscale *as = &d->c->project->autoscale;
	enum scale_result r = SCALE_PASS;
	struct error e = ERROR_INIT;

	if (as->rules.n > 0)
		r = test_rules(d, n);
	if (r == SCALE_PASS && as->economy.n > 0) {
		r = scale_test_economy(as, n->stats, &e);
		r = tested(d, n, "economy", r, scale_exception(&e), e.text);
	}
	if (r != SCALE_PASS ||
	    (as->frontend.name == NULL && as->backend.name == NULL))
		return r;
	if (d->c->no_metrics != NULL)
		return tested(d, n, "load-balancer", SCALE_UNSURE,
		    d->c->no_metrics_type, d->c->no_metrics);
	r = test_balancer(d, &e);
	return tested(d, n, "load-balancer", r, scale_exception(&e), e.text);
}

/* Rows */

static bool
row_changed(struct deciding *d)
{
	if (!d->c->is_changed || d->plan->good == 0)
		return false;
	aim(d, SCALE_REDEPLOY, d->plan->good, is_good);
	return true;
}

static bool
row_cleanup(struct deciding *d)
{
	if (!d->c->has_cleanup)
		return false;
	if (count(d, is_left) > 0) {
		aim(d, SCALE_DESTROY, d->c->nodes.n, is_doomed);
		return true;
	}
	scale_log_destroy(d->log, d->c->nodes.fails);
	if (d->c->nodes.fails == 0)
		d->plan->action = SCALE_FINISH;
	return true;
}

static bool
row_too_few(struct deciding *d)
{
	int64_t min = d->c->project->autoscale.replicas_min;

	if ((int64_t)d->plan->good >= min)
		return false;
	aim(d, SCALE_GROW, (size_t)min - d->plan->good, is_free);
	return true;
}

/* Never matches without help to give; what has not passed vetoes the next row.
 */
static bool
row_tests(struct deciding *d)
{
	int64_t max = d->c->project->autoscale.replicas_max;
	size_t most = max == SCHEMA_NONE ? d->plan->good + d->bad : (size_t)max;

	if (!scale_spec_has_tests(d->c->project))
		return false;
	if (!scale_memory_may_help(d->c->memory, d->c->now)) {
		d->veto = true;
		return false;
	}
	for (size_t i = 0; i < d->c->nodes.n; i++) {
		const struct scale_node *n = &d->c->nodes.items[i];
		enum scale_result r;

		if (!is_settled(n))
			continue;
		r = test_node(d, n);
		d->veto = d->veto || r != SCALE_PASS;
		if (r != SCALE_FAIL || d->plan->good >= most)
			continue;
		aim(d, SCALE_HELP, 1, is_free);
		return true;
	}
	return false;
}

static bool
row_too_many(struct deciding *d)
{
	const struct spec_autoscale *as = &d->c->project->autoscale;
	/* Whatever the tests say, as when servers have come back. */
	bool beyond = as->replicas_max != SCHEMA_NONE &&
	    (int64_t)d->plan->good > as->replicas_max;

	/* What the others bear is not known before one has gone. */
	if ((d->veto && !beyond) || count(d, is_going) > 0 ||
	    (int64_t)d->plan->good <= as->replicas_min ||
	    !scale_memory_may_shrink(d->c->memory, d->c->now))
		return false;
	aim(d, SCALE_SHRINK, 1, is_settled);
	return true;
}

void
scale_decide(const struct scale_case *c, struct arena *a, struct node *logs,
    struct scale_plan *ret)
{
	static bool (*const rows[])(struct deciding * d) = { row_changed,
		row_cleanup, row_too_few, row_tests, row_too_many };
	struct scale_log log = {
		.arena = a, .list = logs, .project = c->project->name
	};
	struct deciding d = { .c = c, .arena = a, .log = &log, .plan = ret };

	*ret = (struct scale_plan){ .action = SCALE_NOTHING };
	ret->good = count(&d, is_good);
	d.bad = count(&d, is_bad);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i](&d))
			return;
}
