/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See labels.h. A run goes through the services of its plan, and for each
 * through the integrations that its labels switch on, one after another: two
 * changes of one HAProxy would get in each other's way. Runs of different
 * projects do not wait for each other.
 */
#include "daemon/labels.h"

#include <sys/queue.h>

#include <string.h>

#include "daemon/etcd.h"
#include "daemon/haproxy.h"
#include "daemon/inventory.h"
#include "daemon/skydns.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"
#include "proto/config.h"

#define RUN_MAX ((size_t)64 << 20)
#define CALLS_MAX 64

struct integration {
	/* The label that switches it on, and its member of the result. */
	const char *name;
	int (*start)(struct labels *ls, const struct special *s,
	    special_done_fn *done, void *ctx, struct special_id *ret,
	    struct error *e);
	void (*cancel)(struct labels *ls, struct special_id id);
};

struct run {
	TAILQ_ENTRY(run) link;
	struct labels *owner;
	struct labels_id id;
	const struct labels_plan *plan;
	labels_done_fn *done;
	void *ctx;
	struct arena arena;
	struct node *result;
	/* The service and the integration at work. */
	size_t service;
	size_t integration;
	/* What is at work there; 0: nothing. */
	struct special_id work;
	struct defer next;
};
TAILQ_HEAD(run_list, run);

struct labels {
	struct loop *loop;
	struct httpc *http;
	struct haproxy *haproxy;
	struct etcd *etcd;
	struct skydns *skydns;
	struct run_list runs;
	uint64_t last_id;
};

/* Integrations */

static int
start_haproxy(struct labels *ls, const struct special *s, special_done_fn *done,
    void *ctx, struct special_id *ret, struct error *e)
{
	return haproxy_start(ls->haproxy, s, done, ctx, ret, e);
}

static void
cancel_haproxy(struct labels *ls, struct special_id id)
{
	haproxy_cancel(ls->haproxy, id);
}

static int
start_skydns(struct labels *ls, const struct special *s, special_done_fn *done,
    void *ctx, struct special_id *ret, struct error *e)
{
	return skydns_start(ls->skydns, s, done, ctx, ret, e);
}

static void
cancel_skydns(struct labels *ls, struct special_id id)
{
	skydns_cancel(ls->skydns, id);
}

/* In the order in which they are run. */
static const struct integration integrations[] = {
	{ "load-balancer", start_haproxy, cancel_haproxy },
	{ "skydns", start_skydns, cancel_skydns },
};

/* Finding */

static bool
is_switched_on(const struct node *labels)
{
	const struct special s = { .labels = labels };

	for (size_t i = 0; i < ARRAY_LEN(integrations); i++)
		if (special_label(&s, integrations[i].name) != NULL)
			return true;
	return false;
}

/* False: what there is cannot be read. */
static bool
find_service(const struct node *service, const struct special *common,
    struct labels_plan *ret)
{
	const struct node *status = node_get(service, "status");
	const struct node *labels = node_get(service, "labels");
	struct special *s = &ret->services[ret->n];

	/* Only what runs has a say. */
	if (labels == NULL || status->u.i != 0)
		return true;
	if (node_get(service, "unread") != NULL)
		return false;
	if (!is_switched_on(labels))
		return true;
	*s = *common;
	s->service = node_text(node_get(service, "name"));
	s->labels = labels;
	ret->n++;
	return true;
}

static bool
find_services(const struct node *services, const struct special *common,
    struct arena *a, struct labels_plan *ret)
{
	size_t n = services->u.list.n;

	ret->services = arena_calloc(a, n + 1, sizeof(*ret->services));
	for (size_t i = 0; ret->services != NULL && i < n; i++)
		if (!find_service(services->u.list.items[i], common, ret))
			return false;
	return ret->services != NULL;
}

static char *
unreadable(struct arena *a, const char *project)
{
	return arena_printf(
	    a, "Error retrieving information about the project '%s'", project);
}

void
labels_find(const struct project_look *look, const char *project, int flags,
    struct arena *a, struct labels_plan *ret)
{
	const struct special common = {
		.project = arena_strdup(a, project),
		.destroy = (flags & LABELS_DESTROY) != 0,
	};
	enum project_phase phase = look->state.phase;
	const struct node *services;

	*ret = (struct labels_plan){ 0 };
	if (!look->state.exists)
		return;
	if (look->info == NULL) {
		ret->error = unreadable(a, project);
		return;
	}
	if (phase != PROJECT_DONE && (flags & LABELS_FORCE) == 0) {
		ret->error =
		    arena_printf(a, "Project '%s' has an unexpected state '%s'",
			project, project_phase_to_string(phase));
		return;
	}
	services = node_get(look->info, "services");
	if (services == NULL || find_services(services, &common, a, ret))
		return;
	ret->n = 0;
	ret->error = unreadable(a, project);
}

/* Results */

struct node *
labels_result(struct arena *a, const char *error)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "error", node_bool(a, error != NULL));
	node_set(
	    a, n, "message", error != NULL ? node_str(a, error) : node_null(a));
	return n;
}

static bool
says_error(const struct node *n)
{
	const struct node *error = node_get(n, "error");

	return error != NULL && error->type == NODE_BOOL && error->u.b;
}

bool
labels_have_failed(const struct node *result)
{
	if (says_error(result))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(integrations); i++) {
		const struct node *of = node_get(result, integrations[i].name);

		for (size_t k = 0; of != NULL && k < of->u.map.n; k++)
			if (says_error(of->u.map.pairs[k].value))
				return true;
	}
	return false;
}

static void
note_result(struct run *r, bool failed, const char *message)
{
	const char *name = integrations[r->integration].name;
	const struct special *s = &r->plan->services[r->service];
	struct node *of = node_get(r->result, name);
	struct node *n = node_new(&r->arena, NODE_MAP);

	if (!failed && message == NULL)
		return;
	if (of == NULL) {
		of = node_new(&r->arena, NODE_MAP);
		node_set(&r->arena, r->result, name, of);
	}
	node_set(&r->arena, n, "error", node_bool(&r->arena, failed));
	node_set(&r->arena, n, "message", node_str(&r->arena, message));
	node_set(&r->arena, of, s->service, n);
	if (failed)
		log_warn("labels",
		    FIELDS(LF_S("project", s->project),
			LF_S("service", s->service), LF_S("integration", name)),
		    "%s", message);
}

/* Running */

static struct run *
run_free(struct run *r)
{
	if (r == NULL)
		return NULL;
	if (r->work.v != 0)
		integrations[r->integration].cancel(r->owner, r->work);
	defer_cancel(&r->next);
	arena_fini(&r->arena);
	mem_free(r);
	return NULL;
}
AUTO_DEFINE(run)

static void
finish(struct run *r)
{
	TAILQ_REMOVE(&r->owner->runs, r, link);
	r->done(r->arena.latch == OVE_NONE ? r->result : NULL, r->ctx);
	(void)run_free(r);
}

static void
pass_on(struct run *r)
{
	if (++r->integration == ARRAY_LEN(integrations)) {
		r->integration = 0;
		r->service++;
	}
	loop_defer(r->owner->loop, &r->next);
}

static void
was_done(bool failed, const char *message, void *ctx)
{
	struct run *r = ctx;

	r->work.v = 0;
	note_result(r, failed, message);
	pass_on(r);
}

static void
on_next(struct defer *d)
{
	struct run *r = container_of(d, struct run, next);
	const struct integration *i = &integrations[r->integration];
	const struct special *s = &r->plan->services[r->service];
	struct error e = ERROR_INIT;

	if (r->service == r->plan->n || r->arena.latch != OVE_NONE) {
		finish(r);
	} else if (special_label(s, i->name) == NULL) {
		pass_on(r);
	} else if (i->start(r->owner, s, was_done, r, &r->work, &e) < 0) {
		note_result(
		    r, true, special_exception(&r->arena, "OSError", e.text));
		pass_on(r);
	}
}

int
labels_start(struct labels *ls, const struct labels_plan *p,
    labels_done_fn *done, void *ctx, struct labels_id *ret, struct error *e)
{
	AUTO(run) struct run *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->owner = ls;
	r->plan = p;
	r->done = done;
	r->ctx = ctx;
	arena_init(&r->arena, RUN_MAX);
	defer_init(&r->next, on_next, "labels");
	r->result = labels_result(&r->arena, p->error);
	if (arena_check(&r->arena, e) < 0)
		return -1;
	r->id.v = ++ls->last_id;
	*ret = r->id;
	TAILQ_INSERT_TAIL(&ls->runs, r, link);
	loop_defer(ls->loop, &r->next);
	(void)STEAL(r);
	return 0;
}

void
labels_cancel(struct labels *ls, struct labels_id id)
{
	struct run *r;

	TAILQ_FOREACH (r, &ls->runs, link) {
		if (r->id.v == id.v) {
			TAILQ_REMOVE(&ls->runs, r, link);
			(void)run_free(r);
			return;
		}
	}
}

int
labels_new(struct labels **ret, struct loop *l, const struct config *c,
    const char *serverid, struct error *e)
{
	const struct httpc_config hc = { .max_calls = CALLS_MAX };
	const struct skydns_config sc = {
		.path = c->skydns.path,
		.zone = c->skydns.zone,
		.serverid = serverid,
	};
	AUTO(labels) struct labels *ls = mem_calloc(1, sizeof(*ls));

	if (ls == NULL)
		return error_nomem(e);
	ls->loop = l;
	TAILQ_INIT(&ls->runs);
	if (httpc_new(&ls->http, l, &hc, e) < 0 ||
	    haproxy_new(
		&ls->haproxy, l, ls->http, &c->dataplaneapi, serverid, e) < 0 ||
	    etcd_new(&ls->etcd, l, ls->http, c->etcd.keys, c->etcd.items,
		c->etcd.n, e) < 0 ||
	    skydns_new(&ls->skydns, l, ls->etcd, &sc, e) < 0)
		return -1;
	*ret = STEAL(ls);
	return 0;
}

struct labels *
labels_free(struct labels *ls)
{
	struct run *r;

	if (ls == NULL)
		return NULL;
	while ((r = TAILQ_FIRST(&ls->runs)) != NULL) {
		TAILQ_REMOVE(&ls->runs, r, link);
		(void)run_free(r);
	}
	ls->haproxy = haproxy_free(ls->haproxy);
	ls->skydns = skydns_free(ls->skydns);
	ls->etcd = etcd_free(ls->etcd);
	ls->http = httpc_free(ls->http);
	mem_free(ls);
	return NULL;
}
