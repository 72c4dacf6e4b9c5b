/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Does what a plan says: asks its targets, in order, until so many have taken
 * it. A target that gets the project gets the metadata before. Who refuses is
 * in the log, and the next one is asked.
 */
#include <string.h>

#include "daemon/metrics.h"
#include "daemon/scale_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

/* Targets that are asked at the same time. */
#define TARGETS_MAX 8

static void go_on(struct scale_round *r);
static void prepare(struct scale_round *r, struct scale_node *n, size_t part);

static bool
is_up(enum scale_action a)
{
	return a == SCALE_REDEPLOY || a == SCALE_GROW || a == SCALE_HELP;
}

static void
refused(struct scale_round *r, const struct scale_node *n,
    const struct client_reply *reply)
{
	scale_log_exception(&r->log, r->p->name, n->chain,
	    scale_reply_exception(reply), reply->text);
	log_warn("scale",
	    FIELDS(LF_S("project", r->p->name), LF_S("chain", n->chain)), "%s",
	    reply->text);
	r->running--;
	go_on(r);
}

/* Jobs */

static struct node *
strings_to_node(struct arena *a, const struct schema_strmap *m)
{
	struct node *map = node_new(a, NODE_MAP);

	for (size_t i = 0; i < m->n; i++)
		node_set(a, map, m->keys[i],
		    m->items[i] != NULL ? node_str(a, m->items[i])
					: node_null(a));
	return map;
}

static struct node *
up_body(struct scale_round *r)
{
	struct arena *a = &r->arena;
	struct node *body = node_new(a, NODE_MAP);

	node_set(a, body, "director_file", node_str(a, r->spec->file));
	node_set(
	    a, body, "environment", strings_to_node(a, &r->spec->environment));
	node_set(a, body, "restart", node_bool(a, false));
	node_set(a, body, "reserve_port",
	    strings_to_node(a, &r->spec->reserve_port));
	return body;
}

static struct node *
down_body(struct scale_round *r)
{
	struct arena *a = &r->arena;
	struct node *body = node_new(a, NODE_MAP);

	node_set(
	    a, body, "environment", strings_to_node(a, &r->spec->environment));
	node_set(a, body, "force",
	    node_bool(a, r->plan.action == SCALE_DESTROY && r->force));
	return body;
}

static void
take_job(struct scale_ask *k, const struct client_reply *reply)
{
	struct scale_round *r = k->round;
	bool up = is_up(r->plan.action);
	struct error e = ERROR_INIT;
	int64_t job = 0;

	if (reply->class != CLIENT_OK ||
	    client_get_job_id(reply->body, &job, &e) < 0) {
		const struct client_reply odd = { .class = CLIENT_GARBLED,
			.text = e.text };

		refused(r, k->node, reply->class != CLIENT_OK ? reply : &odd);
		return;
	}
	scale_log_job(&r->log, k->node->chain, up ? "up" : "down",
	    r->plan.action == SCALE_DESTROY ? r->force : -1, reply->status,
	    (uint64_t)job);
	log_info("scale",
	    FIELDS(LF_S("project", r->p->name), LF_S("chain", k->node->chain),
		LF_I("job", job)),
	    "%s", up ? "up" : "down");
	if (scale_memory_note(&r->p->memory, k->node->chain, up, (uint64_t)job,
		clock_mono_ms(), &e) < 0)
		log_error(
		    "scale", FIELDS(LF_S("project", r->p->name)), "%s", e.text);
	metrics_scaled(r->s->metrics, up);
	r->taken++;
	r->running--;
	go_on(r);
}

static void
ask_job(struct scale_round *r, struct scale_node *n)
{
	bool up = is_up(r->plan.action);
	const struct scale_call c = {
		.route = up ? ROUTE_PROJECT_UP : ROUTE_PROJECT_DOWN,
		.chain = n->chain,
		.param = r->p->name,
		.body = up ? up_body(r) : down_body(r),
	};
	struct scale_ask *k = scale_ask(r, &c, take_job);

	if (k != NULL)
		k->node = n;
}

/* Metadata */

static void
take_put(struct scale_ask *k, const struct client_reply *reply)
{
	if (reply->class == CLIENT_OK)
		prepare(k->round, k->node, k->part + 1);
	else
		refused(k->round, k->node, reply);
}

/* Puts what goes along, from this one on; then the job. This server has it. */
static void
prepare(struct scale_round *r, struct scale_node *n, size_t part)
{
	const struct schema_strs *keys = &r->spec->autoscale.metadata;
	struct arena *a = &r->arena;
	struct scale_ask *k;
	struct node *body;

	if (n->chain == NULL || part == keys->n) {
		scale_log_metadata(&r->log, n->chain, keys->n);
		ask_job(r, n);
		return;
	}
	body = node_new(a, NODE_MAP);
	node_set(a, body, "value", node_str(a, r->metadata[part]));
	/* Below a chain it makes what is not there. */
	k = scale_ask(r,
	    &(const struct scale_call){ .route = ROUTE_METADATA_PUT,
		.chain = n->chain,
		.param = keys->items[part],
		.body = body },
	    take_put);
	if (k == NULL)
		return;
	k->node = n;
	k->part = part;
}

/* Targets */

/* As many as are still wanted; waiting is r's own count. */
static void
go_on(struct scale_round *r)
{
	const struct scale_plan *p = &r->plan;

	while (r->failed == NULL && r->running < TARGETS_MAX &&
	    r->target < p->targets_n && r->taken + r->running < p->want) {
		struct scale_node *n = p->targets[r->target++];

		r->running++;
		if (is_up(p->action))
			prepare(r, n, 0);
		else
			ask_job(r, n);
	}
}

static void
take_removal(struct scale_ask *k, const struct client_reply *reply)
{
	if (reply->class != CLIENT_OK && reply->class != CLIENT_NOTFOUND)
		scale_fail(k->round, scale_reply_exception(reply), reply->text);
}

static void
remove_key(struct scale_round *r, const char *prefix)
{
	(void)scale_ask(r,
	    &(const struct scale_call){ .route = ROUTE_METADATA_DELETE,
		.param = arena_printf(&r->arena, "%s%s", prefix, r->p->name) },
	    take_removal);
}

static void
has_ended(struct scale_round *r)
{
	struct scale_memory *m = &r->p->memory;
	enum scale_action a = r->plan.action;
	size_t good = r->plan.good + r->taken;

	if (r->taken > 0 && (a == SCALE_GROW || a == SCALE_HELP))
		scale_memory_grew(m, a == SCALE_HELP, r->c.now);
	if (r->taken > 0 && a == SCALE_SHRINK)
		scale_memory_shrank(m, r->c.now);
	if (a == SCALE_GROW && r->taken < r->plan.want)
		scale_log_shortage(
		    &r->log, good, r->spec->autoscale.replicas_min);
	r->acted(r);
}

void
scale_act(struct scale_round *r, void (*acted)(struct scale_round *r))
{
	r->acted = acted;
	scale_step(r, has_ended);
	if (r->plan.action == SCALE_FINISH)
		remove_key(r, SCALE_KEY);
	if (r->plan.action == SCALE_FINISH ||
	    (r->plan.action == SCALE_REDEPLOY && r->c.has_cleanup))
		remove_key(r, SCALE_CLEANUP_KEY);
	go_on(r);
	scale_one_less(r);
}
