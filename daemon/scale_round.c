/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A round is a chain of questions, many at a time where they do not depend on
 * each other:
 *
 *	the metadata -> what there is (scale_look.c) -> decision
 *	  -> acting (scale_act.c) -> record
 *
 * Everything of it lies in its arena. What fails makes the round fail when all
 * answers are there.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/metrics.h"
#include "daemon/record.h"
#include "daemon/scale_internal.h"
#include "daemon/scale_spec.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/store/store.h"
#include "proto/config.h"

#define ARENA_MAX ((size_t)256 << 20)

static void end(struct scale_round *r);

const char *
scale_key(struct scale_round *r, const char *prefix)
{
	return arena_printf(&r->arena, "%s%s", prefix, r->p->name);
}

/* Questions */

void
scale_fail(struct scale_round *r, const char *type, const char *text)
{
	if (r->failed != NULL)
		return;
	r->failed = arena_strdup(&r->arena, text);
	r->failed_type = type;
	if (r->failed == NULL)
		r->failed = "out of memory";
}

static void
fail_with(struct scale_round *r, const struct error *e)
{
	scale_fail(r, scale_exception(e), e->text);
}

const char *
scale_reply_exception(const struct client_reply *r)
{
	if (r->class == CLIENT_GARBLED)
		return "JSONDecodeError";
	return r->status != 0 ? "HTTPStatusError" : "ConnectError";
}

void
scale_fail_reply(struct scale_round *r, const struct client_reply *reply)
{
	scale_fail(r, scale_reply_exception(reply), reply->text);
}

/* The round may be gone after this. */
static void
go_on(struct scale_round *r)
{
	if (r->failed == NULL && arena_check(&r->arena, NULL) < 0)
		scale_fail(r, "MemoryError", "out of memory");
	if (r->failed != NULL)
		end(r);
	else
		r->next(r);
}

void
scale_one_less(struct scale_round *r)
{
	if (--r->waiting == 0)
		go_on(r);
}

static void
on_reply(const struct client_reply *reply, void *ctx)
{
	struct scale_ask *k = ctx;
	struct scale_round *r = k->round;

	k->take(k, reply);
	scale_one_less(r);
}

struct scale_ask *
scale_ask(struct scale_round *r, const struct scale_call *c,
    void (*take)(struct scale_ask *k, const struct client_reply *reply))
{
	struct scale_ask *k = arena_alloc(&r->arena, sizeof(*k));
	const struct client_call call = {
		.server = &r->s->self,
		.chain = c->chain,
		.route = c->route,
		.params = &c->param,
		.params_n = c->param != NULL,
		.query = c->query,
		.body = c->body,
	};
	struct error e = ERROR_INIT;

	if (k == NULL)
		return NULL;
	k->round = r;
	k->take = take;
	if (client_call(r->s->client, &call, on_reply, k, &e) < 0) {
		fail_with(r, &e);
		return NULL;
	}
	r->waiting++;
	return k;
}

void
scale_step(struct scale_round *r, void (*next)(struct scale_round *r))
{
	r->next = next;
	r->waiting = 1;
}

/* The record */

/* What was logged before this round, if that is not too old: a list. */
static const struct node *
logs_before(struct scale_round *r)
{
	struct arena *a = &r->arena;
	const struct node *age, *logs;
	struct node *record;

	if (r->kept == NULL ||
	    record_get(r->s->store, RECORD_AUTOSCALE, r->p->name, a, &record,
		NULL) != 0)
		return node_new(a, NODE_LIST);
	record_age(record, clock_wall_ms(), a);
	age = node_get(record, "last_update");
	logs = node_get(record, "logs");
	if (age == NULL || age->type != NODE_FLOAT || logs == NULL ||
	    logs->type != NODE_LIST ||
	    age->u.f * 1000 > (double)r->s->config->autoscale_logs_expire_ms)
		return node_new(a, NODE_LIST);
	return logs;
}

/* That, and what this round has logged: the newest. */
static struct node *
all_logs(struct scale_round *r)
{
	const struct node *old = r->logs_before, *new = r->log.list;
	size_t most = (size_t)r->s->config->max_autoscale_logs;
	size_t all = old->u.list.n + new->u.list.n;
	struct node *list = node_new(&r->arena, NODE_LIST);

	for (size_t i = all > most ? all - most : 0; i < all; i++)
		node_add(&r->arena, list,
		    i < old->u.list.n ? old->u.list.items[i]
				      : new->u.list.items[i - old->u.list.n]);
	return list;
}

/* What the next round wants to know. */
static struct node *
keep(struct scale_round *r)
{
	struct node *map = node_new(&r->arena, NODE_MAP);

	/* One that has failed has not done what the text asks for. */
	if (r->failed != NULL)
		r->checksum = node_text(node_get(r->kept, "checksum"));
	if (r->checksum != NULL)
		node_set(&r->arena, map, "checksum",
		    node_str(&r->arena, r->checksum));
	node_set(&r->arena, map, "stats", r->stats);
	return map;
}

static void
was_written(const struct error *failed, void *ctx)
{
	(void)ctx;
	if (failed != NULL)
		log_error("scale", NO_FIELDS, "a record is not written: %s",
		    failed->text);
}

/* Replicas that are well, and that are on their way or were just asked for. */
static struct node *
replicas(struct scale_round *r)
{
	struct node *map = node_new(&r->arena, NODE_MAP);
	size_t ready = 0, coming = 0;

	for (size_t i = 0; i < r->c.nodes.n; i++) {
		const struct scale_node *n = &r->c.nodes.items[i];
		bool is_made = n->is_rising ||
		    (n->health == SCALE_GOOD &&
			strcmp(n->context, "state") == 0);

		coming += is_made && !n->is_going;
		ready += n->health == SCALE_GOOD && !is_made && !n->is_going;
	}
	if (r->plan.action == SCALE_REDEPLOY) {
		coming += r->taken < ready ? r->taken : ready;
		ready -= r->taken < ready ? r->taken : ready;
	} else if (r->plan.action == SCALE_GROW ||
	    r->plan.action == SCALE_HELP) {
		coming += r->taken;
	}
	node_set(&r->arena, map, "ready", node_int(&r->arena, (int64_t)ready));
	node_set(
	    &r->arena, map, "coming", node_int(&r->arena, (int64_t)coming));
	node_set(&r->arena, map, "min",
	    node_int(&r->arena, r->spec->autoscale.replicas_min));
	return map;
}

/* How long it took, and what there is now: for who waits for that. */
static void
add_outcome(struct scale_round *r, struct node *record)
{
	struct arena *a = &r->arena;

	node_set(a, record, "took",
	    node_float(a, (double)(clock_mono_ms() - r->began_at) / 1000.0));
	if (r->failed == NULL)
		node_set(a, record, "replicas", replicas(r));
}

/* final: with what is kept for the next round. */
static void
write_record(struct scale_round *r, const char *operation, bool final)
{
	struct arena *a = &r->arena;
	struct node *record = node_new(a, NODE_MAP);
	AUTO_BATCH struct store_batch b;
	struct error e = ERROR_INIT;

	store_batch_init(&b);
	/* In the original's order, which its client prints it in. */
	node_set(a, record, "last_update",
	    node_float(a, (double)clock_wall_ms() / 1000.0));
	node_set(a, record, "operation", node_str(a, operation));
	node_set(a, record, "logs", all_logs(r));
	if (strcmp(operation, "RUNNING") != 0)
		add_outcome(r, record);
	if (arena_check(a, &e) < 0 ||
	    record_put(&b, RECORD_AUTOSCALE, r->p->name, record, &e) < 0 ||
	    (final && record_put_scale(&b, r->p->name, keep(r), &e) < 0) ||
	    store_submit(r->s->store, &b, was_written, NULL, &e) < 0)
		was_written(&e, NULL);
}

/* The round is gone after this. */
static void
end(struct scale_round *r)
{
	struct scale_project *p = r->p;

	if (r->failed != NULL && !r->is_void) {
		log_warn("scale", FIELDS(LF_S("project", p->name)),
		    "round failed: %s", r->failed);
		scale_log_exception(
		    &r->log, NULL, NULL, r->failed_type, r->failed);
	}
	if (!r->is_void)
		write_record(
		    r, r->failed != NULL ? "FAILED" : "COMPLETED", !p->is_gone);
	if (!r->is_void)
		metrics_round(p->owner->metrics, r->failed != NULL);
	p->round = scale_round_free(r);
	scale_round_ended(p);
}

/* Acting and what follows */

static void
has_acted(struct scale_round *r)
{
	/* Nobody has got the new text: it is new to the next round, too. */
	if (r->plan.action == SCALE_REDEPLOY && r->taken == 0)
		r->checksum = node_text(node_get(r->kept, "checksum"));
	end(r);
}

/* For scale_ears.c. */
static void
note_jails(struct scale_round *r)
{
	struct strbuf *b = &r->p->jails;

	strbuf_reset(b);
	for (size_t i = 0; i < r->c.nodes.n; i++) {
		const struct scale_node *n = &r->c.nodes.items[i];

		for (size_t k = 0; k < n->services_n; k++) {
			strbuf_addf(b, "%s/%s",
			    n->chain != NULL ? n->chain : "",
			    n->services[k].jail);
			strbuf_addc(b, '\0');
		}
	}
}

static void
decide(struct scale_round *r)
{
	struct scale_nodes *nodes = &r->c.nodes;
	struct scale_memory *m = &r->p->memory;

	for (size_t i = 0; i < nodes->n; i++) {
		struct scale_node *n = &nodes->items[i];

		if (!n->is_open)
			continue;
		scale_node_judge(n);
		nodes->fails += n->health == SCALE_LOST;
	}
	for (size_t i = 0; i < nodes->n; i++)
		log_debug("scale",
		    FIELDS(LF_S("project", r->p->name),
			LF_S("chain", nodes->items[i].chain)),
		    "%s", nodes->items[i].context);
	note_jails(r);
	r->c.project = r->spec;
	r->c.memory = m;
	r->c.now = clock_mono_ms();
	scale_memory_apply(m, nodes, r->c.now);
	scale_decide(&r->c, &r->arena, r->log.list, &r->plan);
	if (r->plan.action == SCALE_NOTHING) {
		r->next = has_acted;
		go_on(r);
		return;
	}
	write_record(r, "RUNNING", false);
	scale_act(r, has_acted);
}

static void
look(struct scale_round *r)
{
	scale_look(r, decide);
}

/* The beginning */

/* Not for secrecy: equal texts have equal ones. */
static const char *
checksum_of(struct arena *a, const char *text)
{
	unsigned char hash[TOKEN_HASH_LEN];
	char *hex = arena_alloc(a, 2 * sizeof(hash) + 1);

	token_hash(text, strlen(text), hash);
	for (size_t i = 0; hex != NULL && i < sizeof(hash); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
	return hex;
}

static void
take_text(struct scale_ask *k, const struct client_reply *reply)
{
	struct scale_round *r = k->round;
	const char *text = client_get_entry(reply->body), *before;
	struct error e = ERROR_INIT;

	if (reply->class == CLIENT_NOTFOUND)
		r->is_void = r->p->is_gone = true;
	if (reply->class != CLIENT_OK || text == NULL) {
		scale_fail_reply(r, reply);
		return;
	}
	r->checksum = checksum_of(&r->arena, text);
	before = node_text(node_get(r->kept, "checksum"));
	r->c.is_changed = before != NULL && r->checksum != NULL &&
	    strcmp(before, r->checksum) != 0;
	if (scale_spec_read(
		r->p->name, text, strlen(text), &r->arena, &r->spec, &e) < 0)
		fail_with(r, &e);
}

static int
read_kept(struct scale_round *r, struct error *e)
{
	struct arena *a = &r->arena;
	const struct node *stats;
	int rc = record_get_scale(r->s->store, r->p->name, a, &r->kept, e);

	if (rc < 0)
		return -1;
	if (rc != 0)
		r->kept = NULL;
	stats = node_get(r->kept, "stats");
	r->stats = stats != NULL && stats->type == NODE_MAP
	    ? node_copy(a, stats)
	    : node_new(a, NODE_MAP);
	r->logs_before = logs_before(r);
	return 0;
}

int
scale_round_start(struct scale_project *p, struct error *e)
{
	struct scale_round *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->p = p;
	r->s = p->owner;
	r->began_at = clock_mono_ms();
	arena_init(&r->arena, ARENA_MAX);
	r->log = (struct scale_log){ .arena = &r->arena,
		.list = node_new(&r->arena, NODE_LIST),
		.project = p->name };
	scale_step(r, look);
	if (read_kept(r, e) < 0 || arena_check(&r->arena, e) < 0) {
		(void)scale_round_free(r);
		return -1;
	}
	p->round = r;
	(void)scale_ask(r,
	    &(const struct scale_call){
		.route = ROUTE_METADATA_GET, .param = scale_key(r, SCALE_KEY) },
	    take_text);
	scale_one_less(r);
	return 0;
}

struct scale_round *
scale_round_free(struct scale_round *r)
{
	if (r == NULL)
		return NULL;
	arena_fini(&r->arena);
	mem_free(r);
	return NULL;
}
