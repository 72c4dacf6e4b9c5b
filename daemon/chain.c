/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The hops: which there are, which are shown, and the heartbeat. A hop that a
 * reload leaves in place keeps its breaker. The heartbeat asks all hops at the
 * same time; one that does not answer is sick until it does, or until the
 * result is older than three rounds.
 */
#include "daemon/chain.h"

#include <string.h>

#include <config.h>

#include "daemon/chain_internal.h"
#include "daemon/changes.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/data/node.h"
#include "proto/config.h"

/* Each is a connection. */
#define STREAMS_MAX 256
#define ROUNDS_TRUSTED 3
/* How long a child that was an original is taken for one. */
#define ORIGINAL_MS 600000

/* Hops */

struct hop *
chain_hop_any(const struct chain *ch, const char *name)
{
	struct hop *h;

	TAILQ_FOREACH (h, &ch->hops, link)
		if (strcmp(h->name, name) == 0)
			return h;
	return NULL;
}

struct hop *
chain_hop(const struct chain *ch, const char *name)
{
	struct hop *h = chain_hop_any(ch, name);

	return h != NULL && !h->config->disable ? h : NULL;
}

bool
chain_has(const struct chain *ch, const char *entrypoint)
{
	return chain_hop(ch, entrypoint) != NULL;
}

struct breaker_config
chain_breaker_config(const struct chain *ch)
{
	return (struct breaker_config){
		.failures = ch->config->autodisable.failures,
		.interval_ms = ch->config->autodisable.interval_ms,
		.increase_ms = ch->config->autodisable.increase_ms,
		.max_increase_ms = ch->config->autodisable.max_increase_ms,
	};
}

/* From one look at a hop to the next, at most. */
static int64_t
round_ms(const struct chain *ch)
{
	const struct config *c = ch->config;
	int64_t most = c->polling.heartbeat_ms;

	if (c->polling.skew_ms.n > 1)
		most += c->polling.skew_ms.items[1];
	return most;
}

bool
chain_hop_is_sick(const struct hop *h)
{
	const struct chain *ch = h->chain;

	return ch->config->polling.heartbeat_ms >= 0 && h->sick &&
	    clock_mono_ms() - h->checked_ms <=
	    ROUNDS_TRUSTED * (round_ms(ch) + CHAIN_DEADLINE_MS);
}

bool
chain_hop_is_open(const struct hop *h)
{
	const struct breaker_config c = chain_breaker_config(h->chain);

	return chain_hop_is_sick(h) ||
	    breaker_state(&h->breaker, &c, clock_mono_ms()) == BREAKER_OPEN;
}

static bool
is_hidden(const struct hop *h)
{
	return h->chain->config->autodisable.enabled && chain_hop_is_open(h);
}

struct node *
chain_list(const struct chain *ch, struct arena *a)
{
	struct node *list = node_new(a, NODE_LIST);
	const struct hop *h;

	TAILQ_FOREACH (h, &ch->hops, link)
		if (!h->config->disable && !is_hidden(h))
			node_add(a, list, node_str(a, h->name));
	return list;
}

bool
chain_children(const struct chain *ch, struct arena *a,
    struct chain_child **ret, size_t *ret_n)
{
	const struct hop *h;
	size_t n = 0;

	TAILQ_FOREACH (h, &ch->hops, link)
		n++;
	*ret = arena_calloc(a, n + 1, sizeof(**ret));
	*ret_n = 0;
	if (*ret == NULL)
		return false;
	TAILQ_FOREACH (h, &ch->hops, link) {
		if (h->config->disable)
			continue;
		(*ret)[(*ret_n)++] = (struct chain_child){
			.name = arena_strdup(a, h->name),
			.skipped = is_hidden(h),
		};
	}
	return arena_check(a, NULL) == 0;
}

void
chain_note_original(struct chain *ch, const char *name)
{
	struct hop *h = chain_hop(ch, name);

	if (h != NULL)
		h->original_until_ms = clock_mono_ms() + ORIGINAL_MS;
}

bool
chain_is_original(const struct chain *ch, const char *name)
{
	const struct hop *h = chain_hop(ch, name);

	return h != NULL && clock_mono_ms() < h->original_until_ms;
}

static struct node *
breaker_node(const struct hop *h, struct arena *a)
{
	const struct breaker_config c = chain_breaker_config(h->chain);
	struct node *map = node_new(a, NODE_MAP);
	int64_t now = clock_mono_ms();
	enum breaker_state s = breaker_state(&h->breaker, &c, now);
	struct node *probe = node_null(a), *healthy = node_null(a);
	int64_t wait = breaker_half_open_at(&h->breaker, &c) - now;

	if (s != BREAKER_CLOSED)
		probe = node_float(a, wait > 0 ? (double)wait / 1000 : 0);
	if (h->checked_ms != 0)
		healthy = node_bool(a, !h->sick);
	node_set(a, map, "state",
	    node_str(a, chain_hop_is_sick(h) ? "open" : breaker_state_text(s)));
	node_set(a, map, "failures", node_int(a, h->breaker.failures));
	node_set(a, map, "next_probe", probe);
	node_set(a, map, "probing", node_bool(a, h->breaker.probing));
	node_set(a, map, "healthy", healthy);
	node_set(a, map, "calls", node_int(a, (int64_t)h->calls));
	node_set(a, map, "failed", node_int(a, (int64_t)h->failed));
	node_set(a, map, "refused", node_int(a, (int64_t)h->refused));
	return map;
}

struct node *
chain_breakers(const struct chain *ch, struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP);
	const struct hop *h;

	TAILQ_FOREACH (h, &ch->hops, link)
		if (!h->config->disable)
			node_set(a, map, h->name, breaker_node(h, a));
	return map;
}

/* A breaker opens for a probe by itself: that is told with the probe. */
void
chain_hop_tell(struct hop *h)
{
	const struct breaker_config c = chain_breaker_config(h->chain);
	enum breaker_state is = breaker_state(&h->breaker, &c, clock_mono_ms());

	if (is == h->told)
		return;
	h->told = is;
	change_breaker(h->chain->events, h->name, breaker_state_text(is),
	    h->breaker.failures);
}

void
chain_set_events(struct chain *ch, struct events *ev)
{
	ch->events = ev;
}

/* Heartbeat */

void
chain_hop_set_sick(struct hop *h, bool sick)
{
	if (h->sick == sick)
		return;
	h->sick = sick;
	log_notice("chain", FIELDS(LF_S("chain", h->name)), "%s",
	    sick ? "does not answer" : "answers again");
	change_chain(h->chain->events, h->name, sick ? "sick" : "healthy");
}

static void
on_ping(const struct chain_reply *r, void *ctx)
{
	struct hop *h = ctx;
	bool ok = r->error == NULL && r->status != 502 && r->status != 503 &&
	    r->status != 504;

	h->ping.v = 0;
	h->checked_ms = clock_mono_ms();
	if (ok && r->status >= 200 && r->status < 300)
		(void)breaker_step(&h->breaker, &(struct breaker_config){ 0 },
		    BREAKER_SUCCESS, NULL, 0);
	chain_hop_set_sick(h, !ok);
	chain_hop_tell(h);
}

static void
heartbeat_arm(struct chain *ch)
{
	const struct config *c = ch->config;
	int64_t ms = c->polling.heartbeat_ms;
	uint64_t spread;

	if (ms < 0) {
		timer_stop(&ch->heartbeat);
		return;
	}
	if (c->polling.skew_ms.n > 1 &&
	    c->polling.skew_ms.items[1] >= c->polling.skew_ms.items[0]) {
		spread = (uint64_t)(c->polling.skew_ms.items[1] -
		    c->polling.skew_ms.items[0]);
		ms += c->polling.skew_ms.items[0] +
		    (int64_t)rand_below(spread + 1);
	}
	/* Without pause nothing else would be done. */
	timer_arm(&ch->heartbeat, ms < 100 ? 100 : ms);
}

static void
on_heartbeat(struct timer *t)
{
	struct chain *ch = container_of(t, struct chain, heartbeat);
	struct error e = ERROR_INIT;
	struct hop *h;

	TAILQ_FOREACH (h, &ch->hops, link) {
		if (h->config->disable || h->ping.v != 0)
			continue;
		if (forward_ping(h, on_ping, &h->ping, &e) < 0)
			log_warn("chain", FIELDS(LF_S("chain", h->name)),
			    "no heartbeat: %s", e.text);
	}
	heartbeat_arm(ch);
}

/* Life cycle */

static void
hop_remove(struct hop *h)
{
	if (h->ping.v != 0)
		chain_cancel(h->chain, h->ping);
	TAILQ_REMOVE(&h->chain->hops, h, link);
	mem_free(h->name);
	mem_free(h);
}

static struct hop *
hop_new(struct chain *ch, const char *name)
{
	struct hop *h = mem_calloc(1, sizeof(*h));

	if (h == NULL)
		return NULL;
	h->chain = ch;
	h->name = mem_strdup(name);
	if (h->name == NULL) {
		mem_free(h);
		return NULL;
	}
	return h;
}

int
chain_configure(struct chain *ch, const struct config *c, const char *serverid,
    struct error *e)
{
	struct hop *h, *next;
	int rc = 0;

	ch->config = c;
	ch->serverid = serverid;
	TAILQ_FOREACH (h, &ch->hops, link)
		h->kept = false;
	for (size_t i = 0; i < c->chains.n; i++) {
		h = chain_hop_any(ch, c->chains.keys[i]);
		if (h != NULL)
			TAILQ_REMOVE(&ch->hops, h, link);
		else
			h = hop_new(ch, c->chains.keys[i]);
		if (h == NULL) {
			rc = error_nomem(e);
			continue;
		}
		if (h->config == NULL)
			change_chain(ch->events, h->name, "added");
		/* In the order of the configuration. */
		TAILQ_INSERT_TAIL(&ch->hops, h, link);
		h->config = &c->chains.items[i];
		h->original_until_ms = 0;
		h->kept = true;
	}
	for (h = TAILQ_FIRST(&ch->hops); h != NULL; h = next) {
		next = TAILQ_NEXT(h, link);
		if (h->kept)
			continue;
		change_chain(ch->events, h->name, "removed");
		hop_remove(h);
	}
	heartbeat_arm(ch);
	return rc;
}

int
chain_new(struct chain **ret, struct loop *l, struct error *e)
{
	const struct httpc_config hc = {
		.user_agent = "overlordd/" OVERLORD_VERSION,
		.max_calls = CHAIN_CALLS_MAX,
		.max_per_host = CHAIN_HOP_CALLS_MAX,
		.max_streams = STREAMS_MAX,
	};
	AUTO(chain) struct chain *ch = mem_calloc(1, sizeof(*ch));

	if (ch == NULL)
		return error_nomem(e);
	ch->loop = l;
	TAILQ_INIT(&ch->hops);
	TAILQ_INIT(&ch->forwards);
	if (timer_init(&ch->heartbeat, l, on_heartbeat, "heartbeat", e) < 0 ||
	    httpc_new(&ch->httpc, l, &hc, e) < 0)
		return -1;
	*ret = STEAL(ch);
	return 0;
}

struct chain *
chain_free(struct chain *ch)
{
	struct hop *h;

	if (ch == NULL)
		return NULL;
	forward_cancel_all(ch);
	while ((h = TAILQ_FIRST(&ch->hops)) != NULL) {
		h->ping.v = 0;
		hop_remove(h);
	}
	timer_fini(&ch->heartbeat);
	ch->httpc = httpc_free(ch->httpc);
	mem_free(ch);
	return NULL;
}
