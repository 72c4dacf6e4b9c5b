/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a round looks at: the tree with what Director says on each server, the
 * cleanup, the metadata to replicate and HAProxy's figures at the same time,
 * then the jails of all replicas. A server that cannot be told is not a reason
 * to fail; without the tree, or what is to go along, nothing can be done.
 */
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "daemon/beneath.h"
#include "daemon/exception.h"
#include "daemon/haproxy_stats.h"
#include "daemon/scale_internal.h"
#include "daemon/scale_spec.h"
#include "lib/data/json.h"
#include "proto/config.h"
#include "proto/names.h"

/* Jails */

static void
take_info(struct scale_ask *k, const struct client_reply *reply)
{
	const char *dirty =
	    node_text(node_get(node_get(reply->body, "info"), "dirty"));

	if (reply->class == CLIENT_NOTFOUND)
		k->service->is_unknown = true;
	else if (reply->class != CLIENT_OK)
		k->service->is_lost = true;
	else if (dirty != NULL && strcmp(dirty, "1") == 0)
		k->service->is_dirty = true;
}

static void
take_checks(struct scale_ask *k, const struct client_reply *reply)
{
	if (reply->class == CLIENT_OK)
		k->service->checks = node_copy(
		    &k->round->arena, node_get(reply->body, "healthcheck"));
	else if (reply->class != CLIENT_NOTFOUND)
		k->service->is_lost = true;
}

static void
take_stats(struct scale_ask *k, const struct client_reply *reply)
{
	if (reply->class == CLIENT_OK)
		k->service->stats =
		    node_copy(&k->round->arena, node_get(reply->body, "stats"));
	else if (reply->class != CLIENT_NOTFOUND)
		k->service->has_no_answer = true;
}

/* On this server it is known whatever polling.keywords.jail shows. */
static bool
is_dirty_here(const struct scale_round *r, const char *jail)
{
	AUTO_FD int dir = -1;
	struct stat st;

	return name_is_jail(jail, strlen(jail)) &&
	    beneath_open_in(r->s->config->appjail.jails, jail, &dir, NULL) ==
	    0 &&
	    fstatat(dir, ".done", &st, AT_SYMLINK_NOFOLLOW) < 0 &&
	    errno == ENOENT;
}

static void
ask_service(
    struct scale_round *r, struct scale_node *n, struct scale_service *s)
{
	static const struct {
		enum route_id route;
		void (*take)(
		    struct scale_ask *k, const struct client_reply *reply);
	} questions[] = {
		{ ROUTE_JAIL_INFO, take_info },
		{ ROUTE_JAIL_HEALTHCHECK, take_checks },
		{ ROUTE_JAIL_STATS, take_stats },
	};
	size_t many = ARRAY_LEN(questions) - (r->spec->autoscale.rules.n == 0);

	for (size_t i = 0; i < many; i++) {
		const struct scale_call c = { .route = questions[i].route,
			.chain = n->chain,
			.param = s->jail };
		struct scale_ask *k = scale_ask(r, &c, questions[i].take);

		if (k != NULL)
			k->service = s;
	}
	if (n->chain == NULL)
		s->is_dirty = is_dirty_here(r, s->jail);
}

static void
ask_jails(struct scale_round *r)
{
	struct scale_nodes *nodes = &r->c.nodes;

	scale_step(r, r->seen);
	for (size_t i = 0; i < nodes->n; i++)
		for (size_t k = 0;
		     nodes->items[i].is_open && k < nodes->items[i].services_n;
		     k++)
			ask_service(
			    r, &nodes->items[i], &nodes->items[i].services[k]);
	scale_one_less(r);
}

/* Servers, metadata, HAProxy */

static void
take_tree(struct scale_ask *k, const struct client_reply *reply)
{
	struct scale_round *r = k->round;
	struct error e = ERROR_INIT;
	struct node *tree;

	if (reply->class != CLIENT_OK) {
		scale_fail_reply(r, reply);
		return;
	}
	tree = node_copy(&r->arena, node_get(reply->body, "tree"));
	if (scale_nodes_take(tree, r->p->name, &r->spec->autoscale.labels,
		&r->arena, &r->c.nodes, &e) < 0)
		scale_fail(r, scale_exception(&e), e.text);
}

static void
take_cleanup(struct scale_ask *k, const struct client_reply *reply)
{
	struct scale_round *r = k->round;
	const char *text = client_get_entry(reply->body);
	const struct node *force;
	struct node *said;

	if (reply->class == CLIENT_NOTFOUND)
		return;
	if (reply->class != CLIENT_OK) {
		scale_fail_reply(r, reply);
		return;
	}
	r->c.has_cleanup = true;
	/* What makes no sense is no wish to force anything. */
	if (text == NULL ||
	    json_read(text, strlen(text), &r->arena, &said, NULL) < 0)
		return;
	force = node_get(said, "force");
	r->force = force != NULL && force->type == NODE_BOOL && force->u.b;
}

static void
take_metadata(struct scale_ask *k, const struct client_reply *reply)
{
	struct scale_round *r = k->round;
	const char *text = client_get_entry(reply->body);
	char words[512];

	if (reply->class == CLIENT_OK && text != NULL) {
		r->metadata[k->index] = arena_strdup(&r->arena, text);
	} else if (reply->class == CLIENT_NOTFOUND) {
		(void)snprintf(words, sizeof(words), "%s: metadata not found.",
		    r->spec->autoscale.metadata.items[k->index]);
		scale_fail(r, "MetadataNotFound", words);
	} else {
		scale_fail_reply(r, reply);
	}
}

static void
no_metrics(struct scale_round *r, const char *type, const char *text)
{
	if (r->c.no_metrics != NULL)
		return;
	r->c.no_metrics_type = type;
	r->c.no_metrics = arena_strdup(&r->arena, text);
}

/* The figures of a frontend or backend that the rules name; NULL: none. */
static const struct node *
take_proxy(struct scale_round *r, const struct spec_balancer *b,
    const char *object, const char *text, size_t len)
{
	struct arena *a = &r->arena;
	struct error e = ERROR_INIT;
	struct node *found, *all;
	const char *name;
	int rc;

	if (b->name == NULL)
		return NULL;
	rc = haproxy_stats_read(text, len, object, b->name, a, &found, &e);
	if (rc == HAPROXY_STATS_NONE)
		(void)error_set(
		    &e, OVE_INTERNAL, "%s '%s' is not there", object, b->name);
	if (rc != 0) {
		no_metrics(r, scale_exception(&e), e.text);
		return NULL;
	}
	name = arena_printf(a, "%s_%s", object, b->name);
	if (name == NULL)
		return NULL;
	all = haproxy_stats_go_on(node_get(r->stats, name), found, a);
	node_replace(a, r->stats, name, all);
	return all;
}

static void
on_haproxy(struct call_id id, const struct httpc_reply *reply,
    const struct httpc_failure *failed, void *ctx)
{
	struct scale_round *r = ctx;
	const struct spec_autoscale *as = &r->spec->autoscale;
	char words[64];

	(void)id;
	if (failed != NULL) {
		no_metrics(
		    r, exception_of_call(failed->kind), failed->error.text);
	} else if (reply->status != 200) {
		(void)snprintf(
		    words, sizeof(words), "status %d", reply->status);
		no_metrics(r, "HTTPStatusError", words);
	} else {
		r->c.frontend = take_proxy(
		    r, &as->frontend, "Frontend", reply->body, reply->body_len);
		r->c.backend = take_proxy(
		    r, &as->backend, "Backend", reply->body, reply->body_len);
	}
	scale_one_less(r);
}

static void
ask_haproxy(struct scale_round *r)
{
	const struct spec_autoscale *as = &r->spec->autoscale;
	struct error e = ERROR_INIT;
	struct call_id id;

	if (as->frontend.name == NULL && as->backend.name == NULL)
		return;
	if (haproxy_stats_ask(r->s->http, &r->s->config->haproxy_stats,
		on_haproxy, r, &id, &e) < 0)
		no_metrics(r, scale_exception(&e), e.text);
	else
		r->waiting++;
}

void
scale_look(struct scale_round *r, void (*seen)(struct scale_round *r))
{
	const struct spec_autoscale *as = &r->spec->autoscale;
	struct arena *a = &r->arena;

	r->seen = seen;
	scale_step(r, ask_jails);
	(void)scale_ask(r,
	    &(const struct scale_call){ .route = ROUTE_METADATA_GET,
		.param = scale_key(r, SCALE_CLEANUP_KEY) },
	    take_cleanup);
	(void)scale_ask(r,
	    &(const struct scale_call){ .route = ROUTE_TREE,
		.query =
		    arena_printf(a, "include=labels,projects,info%s&project=%s",
			as->economy.n > 0 ? ",stats" : "", r->p->name) },
	    take_tree);
	r->metadata = arena_calloc(a, as->metadata.n + 1, sizeof(*r->metadata));
	for (size_t i = 0; i < as->metadata.n; i++) {
		struct scale_ask *k = scale_ask(r,
		    &(const struct scale_call){ .route = ROUTE_METADATA_GET,
			.param = as->metadata.items[i] },
		    take_metadata);

		if (k != NULL)
			k->index = i;
	}
	ask_haproxy(r);
	scale_one_less(r);
}
