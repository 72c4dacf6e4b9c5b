/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See skydns.h. First it is planned which records there are to be
 * (skydns_plan.c), then each is written to etcd, or deleted, one after another.
 * A fault in the labels of the last record is told when the others are done
 * (runtime.md 3.3); a failure of etcd ends it at once.
 */
#include "daemon/skydns.h"

#include "daemon/etcd.h"
#include "daemon/special_run.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define ARENA_MAX ((size_t)4 << 20)

struct run {
	struct special_run base;
	struct skydns *owner;
	struct skydns_plan plan;
	/* The record at work, and what came of those before it. */
	int at;
	bool did[SKYDNS_RECORDS];
	struct etcd_id op;
	/* Begins it. */
	struct defer later;
};

struct skydns {
	struct loop *loop;
	struct etcd *etcd;
	struct arena arena;
	struct skydns_config config;
	struct special_runs runs;
};

static void go_on(struct run *r);

static void
run_free(struct special_run *base)
{
	struct run *r = container_of(base, struct run, base);

	if (r->op.v != 0)
		etcd_cancel(r->owner->etcd, r->op);
	defer_cancel(&r->later);
	mem_free(r);
}

static void
finish(struct run *r, bool failed, const char *message)
{
	special_run_end(&r->owner->runs, &r->base, failed, message);
}

static void
record_written(bool deleted, const struct error *failed, void *ctx)
{
	struct run *r = ctx;

	r->op.v = 0;
	if (failed != NULL) {
		finish(r, true,
		    special_exception(
			&r->base.arena, "EtcdException", failed->text));
		return;
	}
	r->did[r->at++] = deleted || !r->base.s->destroy;
	go_on(r);
}

static const char *
did_word(const struct run *r, enum skydns_record which)
{
	if (r->plan.records[which].key == NULL)
		return "None";
	return r->did[which] ? "True" : "False";
}

static char *
summary(struct run *r)
{
	return special_message(&r->base.arena, r->base.s,
	    ", records:[address:%s,ptr:%s,srv:%s] records has been %s.",
	    did_word(r, SKYDNS_ADDRESS), did_word(r, SKYDNS_PTR),
	    did_word(r, SKYDNS_SRV),
	    r->base.s->destroy ? "removed" : "updated");
}

static void
go_on(struct run *r)
{
	struct error e = ERROR_INIT;

	while (r->at < SKYDNS_RECORDS && r->plan.records[r->at].key == NULL)
		r->at++;
	if (r->at == SKYDNS_RECORDS || r->base.arena.latch != OVE_NONE) {
		finish(r, r->plan.error != NULL,
		    r->plan.error != NULL ? r->plan.error : summary(r));
		return;
	}
	if (etcd_write(r->owner->etcd, r->plan.records[r->at].key,
		r->base.s->destroy ? NULL : r->plan.records[r->at].value,
		record_written, r, &r->op, &e) < 0)
		finish(r, true,
		    special_exception(&r->base.arena, "EtcdException", e.text));
}

static void
on_begin(struct defer *d)
{
	struct run *r = container_of(d, struct run, later);

	skydns_plan(&r->owner->config, r->base.s, &r->base.arena, &r->plan);
	go_on(r);
}

int
skydns_start(struct skydns *sd, const struct special *s, special_done_fn *done,
    void *ctx, struct special_id *ret, struct error *e)
{
	struct run *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->owner = sd;
	defer_init(&r->later, on_begin, "skydns");
	*ret = special_run_begin(&sd->runs, &r->base, s, done, ctx);
	loop_defer(sd->loop, &r->later);
	return 0;
}

void
skydns_cancel(struct skydns *sd, struct special_id id)
{
	special_run_cancel(&sd->runs, id);
}

int
skydns_new(struct skydns **ret, struct loop *l, struct etcd *etcd,
    const struct skydns_config *c, struct error *e)
{
	AUTO(skydns) struct skydns *sd = mem_calloc(1, sizeof(*sd));

	if (sd == NULL)
		return error_nomem(e);
	special_runs_init(&sd->runs, run_free);
	sd->loop = l;
	sd->etcd = etcd;
	arena_init(&sd->arena, ARENA_MAX);
	sd->config = (struct skydns_config){
		.path = arena_strdup(&sd->arena, c->path),
		.zone = arena_strdup(&sd->arena, c->zone),
		.serverid = arena_strdup(&sd->arena, c->serverid),
	};
	if (arena_check(&sd->arena, e) < 0)
		return -1;
	*ret = STEAL(sd);
	return 0;
}

struct skydns *
skydns_free(struct skydns *sd)
{
	if (sd == NULL)
		return NULL;
	special_runs_fini(&sd->runs);
	arena_fini(&sd->arena);
	mem_free(sd);
	return NULL;
}
