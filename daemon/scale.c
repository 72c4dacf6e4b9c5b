/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which projects are scaled, and when each is looked at. The list follows the
 * metadata: it is read when the directory has changed, and now and then for
 * what a watch does not see. Projects that are found at the start wait for
 * an interval, so that servers that start together see each other first; those
 * that come later are looked at at once.
 */
#include <stdio.h>
#include <string.h>

#include <config.h>

#include "daemon/record.h"
#include "daemon/scale_internal.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/event/dirwatch.h"
#include "lib/store/store.h"
#include "proto/config.h"
#include "proto/names.h"

#define ARENA_MAX ((size_t)1 << 20)
#define JAILS_MAX ((size_t)16 << 20)
/* What happens together is looked at together; and not more often than that. */
#define SOON_MS 300
#define ROUND_GAP_MS 1000
#define LIST_GAP_MS 300
/* A watch does not see all there is to see. */
#define LIST_WATCHED_MS 300000
/* Of one call; servers below get less of it. */
#define CONNECT_MS 5000
#define CALL_MS 30000
/* The autoscaler, in the audit trail and in jobs. */
#define TOKEN_ID "autoscaler"

static int64_t
pause_ms(const struct scale *s)
{
	const struct config *c = s->config;
	int64_t from = c->polling.skew_ms.items[0];
	int64_t spread = (c->polling.skew_ms.items[1] - from) / 1000 + 1;
	int64_t ms = c->polling.autoscale_ms + from +
	    (int64_t)rand_below((uint64_t)spread) * 1000;

	return ms > ROUND_GAP_MS ? ms : ROUND_GAP_MS;
}

/* What a memory counts in: the longest pause. */
static int64_t
interval_ms(const struct scale *s)
{
	int64_t ms = s->config->polling.autoscale_ms +
	    s->config->polling.skew_ms.items[1];

	return ms > ROUND_GAP_MS ? ms : ROUND_GAP_MS;
}

/* Projects */

static struct scale_project *
scale_project_free(struct scale_project *p)
{
	if (p == NULL)
		return NULL;
	timer_fini(&p->timer);
	p->round = scale_round_free(p->round);
	scale_memory_fini(&p->memory);
	strbuf_fini(&p->jails);
	mem_free(p->name);
	mem_free(p);
	return NULL;
}
AUTO_DEFINE(scale_project)

static void
arm(struct scale_project *p, int64_t ms)
{
	p->due_at = clock_mono_ms() + ms;
	timer_arm(&p->timer, ms);
}

static void
on_due(struct timer *t)
{
	struct scale_project *p = container_of(t, struct scale_project, timer);
	struct error e = ERROR_INIT;

	p->is_first = p->again = false;
	p->began_at = clock_mono_ms();
	p->memory.interval_ms = interval_ms(p->owner);
	if (scale_round_start(p, &e) == 0)
		return;
	log_error(
	    "scale", FIELDS(LF_S("project", p->name)), "no round: %s", e.text);
	arm(p, pause_ms(p->owner));
}

void
scale_kick(struct scale_project *p)
{
	int64_t now = clock_mono_ms(), at = now + SOON_MS;

	if (p->is_first)
		return;
	if (p->round != NULL) {
		p->again = true;
		return;
	}
	if (at < p->began_at + ROUND_GAP_MS)
		at = p->began_at + ROUND_GAP_MS;
	if (at < p->due_at)
		arm(p, at - now);
}

static struct scale_project *
project_new(struct scale *s, const char *name, struct error *e)
{
	AUTO(scale_project) struct scale_project *p = mem_calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)error_nomem(e);
		return NULL;
	}
	p->owner = s;
	scale_memory_init(&p->memory);
	strbuf_init(&p->jails, JAILS_MAX);
	p->name = mem_strdup(name);
	if (p->name == NULL) {
		(void)error_nomem(e);
		return NULL;
	}
	if (timer_init(&p->timer, s->loop, on_due, "autoscale", e) < 0)
		return NULL;
	return STEAL(p);
}

static void
was_forgotten(const struct error *failed, void *ctx)
{
	(void)ctx;
	if (failed != NULL)
		log_error("scale", NO_FIELDS,
		    "what is kept of a project stays: %s", failed->text);
}

/* Its metadata is gone; its last record stays as long as records do. */
static void
project_drop(struct scale_project *p)
{
	struct scale *s = p->owner;
	AUTO_BATCH struct store_batch b;
	struct error e = ERROR_INIT;

	store_batch_init(&b);
	log_info("scale", FIELDS(LF_S("project", p->name)), "no longer scaled");
	b.reserve = true;
	record_del_scale(&b, p->name);
	if (store_submit(s->store, &b, was_forgotten, NULL, &e) < 0)
		was_forgotten(&e, NULL);
	TAILQ_REMOVE(&s->projects, p, link);
	(void)scale_project_free(p);
	if (TAILQ_EMPTY(&s->projects))
		s->ears = scale_ears_free(s->ears);
}

void
scale_round_ended(struct scale_project *p)
{
	if (p->is_gone) {
		project_drop(p);
		return;
	}
	arm(p, pause_ms(p->owner));
	if (p->again)
		scale_kick(p);
}

/* The list */

static struct scale_project *
project_find(struct scale *s, const char *name)
{
	struct scale_project *p;

	TAILQ_FOREACH (p, &s->projects, link)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static void
project_add(struct scale *s, const char *name)
{
	struct error e = ERROR_INIT;
	struct scale_project *p = project_new(s, name, &e);

	if (p == NULL ||
	    (s->ears == NULL && scale_ears_new(&s->ears, s, &e) < 0)) {
		log_error("scale", FIELDS(LF_S("project", name)), "%s", e.text);
		(void)scale_project_free(p);
		return;
	}
	log_info("scale", FIELDS(LF_S("project", name)), "scaled from now on");
	TAILQ_INSERT_TAIL(&s->projects, p, link);
	p->is_listed = true;
	p->is_first = !s->has_list;
	arm(p, p->is_first ? pause_ms(s) : 0);
}

/* Whatever has changed may have been its text. */
static void
take_key(struct scale *s, const char *key)
{
	const char *name = key + strlen(SCALE_KEY);
	struct scale_project *p;

	if (strncmp(key, SCALE_KEY, strlen(SCALE_KEY)) != 0 ||
	    !name_is_project(name, strlen(name)))
		return;
	if ((p = project_find(s, name)) == NULL) {
		project_add(s, name);
		return;
	}
	p->is_listed = true;
	p->is_gone = false;
}

static void
take_list(struct scale *s, const struct node *keys)
{
	struct scale_project *p, *next;

	TAILQ_FOREACH (p, &s->projects, link)
		p->is_listed = false;
	for (size_t i = 0; i < keys->u.list.n; i++)
		if (node_text(keys->u.list.items[i]) != NULL)
			take_key(s, node_text(keys->u.list.items[i]));
	for (p = TAILQ_FIRST(&s->projects); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->is_listed)
			continue;
		p->is_gone = true;
		if (p->round == NULL)
			project_drop(p);
	}
	s->has_list = true;
}

static int64_t
list_pause_ms(const struct scale *s)
{
	int64_t ms = pause_ms(s);

	return s->watch != NULL && s->has_list && ms < LIST_WATCHED_MS
	    ? LIST_WATCHED_MS
	    : ms;
}

static void
on_list(const struct client_reply *r, void *ctx)
{
	struct scale *s = ctx;
	const struct node *keys = node_get(r->body, "metadata");

	s->is_listing = false;
	if (r->class == CLIENT_OK && keys != NULL && keys->type == NODE_LIST)
		take_list(s, keys);
	else
		log_error("scale", NO_FIELDS, "metadata cannot be listed: %s",
		    r->text);
	timer_arm(&s->listing, s->list_again ? LIST_GAP_MS : list_pause_ms(s));
	s->list_again = false;
}

static void
on_listing_due(struct timer *t)
{
	struct scale *s = container_of(t, struct scale, listing);
	const struct client_call call = { .server = &s->self,
		.route = ROUTE_METADATA_LIST };
	struct error e = ERROR_INIT;

	s->is_listing = true;
	if (client_call(s->client, &call, on_list, s, &e) == 0)
		return;
	s->is_listing = false;
	log_error("scale", NO_FIELDS, "metadata cannot be listed: %s", e.text);
	timer_arm(&s->listing, pause_ms(s));
}

static void
on_changed(void *ctx)
{
	struct scale *s = ctx;
	struct scale_project *p;

	TAILQ_FOREACH (p, &s->projects, link)
		scale_kick(p);
	if (s->is_listing)
		s->list_again = true;
	else
		timer_arm(&s->listing, LIST_GAP_MS);
}

/* Life */

/* "HOST:PORT" as somebody on this machine reaches it. */
static void
find_self(struct scale *s, const char *address)
{
	struct arena *a = &s->arena;
	const char *port = strrchr(address, ':');

	s->self.name = "localhost";
	s->self.direct = true;
	s->self.connect_ms = CONNECT_MS;
	s->self.total_ms = CALL_MS;
	if (strncmp(address, "unix:", 5) == 0) {
		s->self.url = "http://localhost";
		s->self.socket = arena_strdup(a, address + 5);
	} else if (strncmp(address, "0.0.0.0:", 8) == 0 || address[0] == '*') {
		s->self.url = arena_printf(a, "http://127.0.0.1%s", port);
	} else if (strncmp(address, "[::]:", 5) == 0) {
		s->self.url = arena_printf(a, "http://[::1]%s", port);
	} else {
		s->self.url = arena_printf(a, "http://%s", address);
	}
}

static int
make_token(struct scale *s, const struct token_key *key, struct error *e)
{
	struct node *claims = node_new(&s->arena, NODE_MAP);

	node_set(&s->arena, claims, "jti", node_str(&s->arena, TOKEN_ID));
	if (arena_check(&s->arena, e) < 0 ||
	    token_sign(key, claims, &s->token, e) < 0)
		return -1;
	s->self.token = s->token;
	return 0;
}

static int
start(struct scale *s, const struct scale_deps *deps, struct error *e)
{
	const struct httpc_config hc = { .user_agent =
					     "overlordd/" OVERLORD_VERSION,
		.max_calls = SCALE_CALLS_MAX };
	struct error mine = ERROR_INIT;

	find_self(s, deps->address);
	if (make_token(s, deps->key, e) < 0 ||
	    client_new(&s->client, s->loop, SCALE_CALLS_MAX,
		"overlordd/" OVERLORD_VERSION, e) < 0 ||
	    httpc_new(&s->http, s->loop, &hc, e) < 0 ||
	    timer_init(
		&s->listing, s->loop, on_listing_due, "autoscale list", e) < 0)
		return -1;
	if (dirwatch_new(
		&s->watch, s->loop, deps->metadata, on_changed, s, &mine) < 0)
		log_warn("scale", NO_FIELDS,
		    "metadata is not watched, only listed: %s", mine.text);
	timer_arm(&s->listing, 0);
	return 0;
}

int
scale_new(struct scale **ret, const struct scale_deps *deps,
    const struct config *c, struct error *e)
{
	AUTO(scale) struct scale *s = mem_calloc(1, sizeof(*s));

	if (s == NULL)
		return error_nomem(e);
	TAILQ_INIT(&s->projects);
	arena_init(&s->arena, ARENA_MAX);
	s->loop = deps->loop;
	s->store = deps->store;
	s->subtree = deps->subtree;
	s->metrics = deps->metrics;
	s->config = c;
	if (start(s, deps, e) < 0)
		return -1;
	*ret = STEAL(s);
	return 0;
}

void
scale_configure(struct scale *s, const struct config *c)
{
	struct scale_project *p;

	s->config = c;
	TAILQ_FOREACH (p, &s->projects, link)
		scale_kick(p);
}

struct scale *
scale_free(struct scale *s)
{
	struct scale_project *p;

	if (s == NULL)
		return NULL;
	/* Their callbacks have rounds in mind. */
	s->client = client_free(s->client);
	s->http = httpc_free(s->http);
	s->ears = scale_ears_free(s->ears);
	s->watch = dirwatch_free(s->watch);
	while ((p = TAILQ_FIRST(&s->projects)) != NULL) {
		TAILQ_REMOVE(&s->projects, p, link);
		(void)scale_project_free(p);
	}
	timer_fini(&s->listing);
	if (s->token != NULL)
		mem_wipe(s->token, strlen(s->token));
	mem_free(s->token);
	arena_fini(&s->arena);
	mem_free(s);
	return NULL;
}
