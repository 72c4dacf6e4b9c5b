/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * An autoscaler over a hundred servers that fail: replicas die, servers cannot
 * be heard for a while, deployments take their time or fail. What must hold
 * whatever happens (the words):
 *
 *	never under `min` for longer than one interval while servers are there,
 *	never above `max`,
 *	no up and then down of one replica within three intervals,
 *
 * and once nothing fails any more, a size that fits the load and stays.
 *
 * SEED=n in the environment runs another history than those of every day.
 */
#include "test/unit/support/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scale_plan.h"
#include "daemon/scale_spec.h"
#include "lib/base/num.h"
#include "lib/data/node.h"

#define NODES 100
#define INTERVAL_MS INT64_C(20000)
#define TICK_MS 1000
/* Until something that has happened is looked at. */
#define EVENT_MS 2000
#define STORMY_MS INT64_C(7200000)
#define QUIET_MS INT64_C(14400000)
/* What one replica can bear of the load. */
#define LIMIT 100

enum replica {
	NONE,
	DEPLOYING,
	RUNNING,
	BROKEN,
	LEAVING
};

struct server {
	enum replica replica;
	/* Of what is on the way. */
	int64_t ends_at;
	uint64_t job;
	bool will_fail;
	/* It cannot be heard until then. */
	int64_t deaf_until;
	/* When the autoscaler last had it deploy; -1: never. */
	int64_t upped_at;
	struct scale_job up, down;
};

struct world {
	uint64_t random;
	struct server servers[NODES];
	struct scale_memory memory;
	const struct spec_project *project;
	int64_t min, max;
	int64_t now;
	/* Of the whole project. */
	int64_t load;
	uint64_t jobs;
	int64_t next_round;
	int64_t few_since;
	unsigned shrinks;
	bool stormy;
};

static uint64_t
draw(struct world *w, uint64_t below)
{
	/* xorshift64* */
	w->random ^= w->random >> 12;
	w->random ^= w->random << 25;
	w->random ^= w->random >> 27;
	return (w->random * UINT64_C(2685821657736338717) >> 16) % below;
}

static bool
is_heard(const struct world *w, const struct server *s)
{
	return w->now >= s->deaf_until;
}

/* It runs, or soon will. */
static bool
counts(const struct world *w, const struct server *s)
{
	return is_heard(w, s) &&
	    (s->replica == RUNNING || s->replica == DEPLOYING);
}

static int64_t
size_of(const struct world *w)
{
	int64_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		n += counts(w, &w->servers[i]);
	return n;
}

static int64_t
running(const struct world *w)
{
	int64_t n = 0;

	for (size_t i = 0; i < NODES; i++)
		n += is_heard(w, &w->servers[i]) &&
		    w->servers[i].replica == RUNNING;
	return n;
}

static void
event(struct world *w)
{
	if (w->now + EVENT_MS < w->next_round)
		w->next_round = w->now + EVENT_MS;
}

/* What happens to a server */

static void
job_ends(struct world *w, struct server *s)
{
	bool up = s->replica == DEPLOYING;
	struct scale_job *j = up ? &s->up : &s->down;

	*j = (struct scale_job){ .job = s->job, .is_completed = !s->will_fail };
	if (up)
		s->replica = s->will_fail ? BROKEN : RUNNING;
	else
		s->replica = s->will_fail ? RUNNING : NONE;
	event(w);
}

static void
server_lives(struct world *w, struct server *s)
{
	if ((s->replica == DEPLOYING || s->replica == LEAVING) &&
	    w->now >= s->ends_at)
		job_ends(w, s);
	if (s->deaf_until == w->now)
		event(w);
	if (!w->stormy)
		return;
	if (s->replica == RUNNING && draw(w, 2000) == 0) {
		s->replica = BROKEN;
		event(w);
	}
	if (is_heard(w, s) && draw(w, 5000) == 0) {
		s->deaf_until = w->now + (int64_t)(1 + draw(w, 300)) * TICK_MS;
		event(w);
	}
}

static void
take_job(struct world *w, struct scale_node *n, bool up)
{
	struct error e = ERROR_INIT;
	struct server *s;
	uint64_t i;

	test_ok(num_u64(n->chain, 0, NODES - 1, &i, &e), &e);
	s = &w->servers[i];
	if (!up && s->upped_at >= 0 && w->now - s->upped_at < 3 * INTERVAL_MS)
		fail_msg("server %s: down %lld ms after up", n->chain,
		    (long long)(w->now - s->upped_at));
	s->replica = up ? DEPLOYING : LEAVING;
	s->job = ++w->jobs;
	s->ends_at = w->now + (int64_t)(1 + draw(w, 30)) * TICK_MS;
	s->will_fail = w->stormy && draw(w, 10) == 0;
	s->upped_at = up ? w->now : -1;
	test_ok(scale_memory_note(&w->memory, n->chain, up, s->job, w->now, &e),
	    &e);
}

/* A round */

static void
see(struct world *w, size_t i, struct scale_node *n, struct arena *a)
{
	const struct server *s = &w->servers[i];
	int64_t all = running(w);
	struct node *figures = node_new(a, NODE_MAP);

	n->chain = arena_printf(a, "%zu", i);
	n->up = s->up;
	n->down = s->down;
	n->exists = s->replica != NONE;
	n->health = !is_heard(w, s)                      ? SCALE_LOST
	    : s->replica == NONE || s->replica == BROKEN ? SCALE_BAD
							 : SCALE_GOOD;
	if (s->replica != RUNNING)
		return;
	node_set(
	    a, figures, "nthr", node_int(a, all > 0 ? w->load / all : w->load));
	n->services = arena_calloc(a, 1, sizeof(*n->services));
	n->services_n = 1;
	n->services[0].stats = figures;
}

static void
act(struct world *w, const struct scale_plan *p)
{
	bool up = p->action == SCALE_GROW || p->action == SCALE_HELP;
	size_t n = p->want < p->targets_n ? p->want : p->targets_n;

	if (p->action == SCALE_NOTHING)
		return;
	assert_true(up || p->action == SCALE_SHRINK);
	for (size_t i = 0; i < n; i++)
		take_job(w, p->targets[i], up);
	if (up && n > 0) {
		scale_memory_grew(&w->memory, p->action == SCALE_HELP, w->now);
		if ((int64_t)(p->good + n) > w->max)
			fail_msg("%zu replicas", p->good + n);
	} else if (n > 0) {
		scale_memory_shrank(&w->memory, w->now);
		w->shrinks++;
	}
}

static void
round_(struct world *w)
{
	struct scale_case c = {
		.project = w->project, .memory = &w->memory, .now = w->now
	};
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct scale_plan p;

	arena_init(&a, 16 << 20);
	c.nodes.n = NODES;
	c.nodes.items = arena_calloc(&a, NODES, sizeof(*c.nodes.items));
	for (size_t i = 0; i < NODES; i++)
		see(w, i, &c.nodes.items[i], &a);
	scale_memory_apply(&w->memory, &c.nodes, w->now);
	scale_decide(&c, &a, node_new(&a, NODE_LIST), &p);
	test_ok(arena_check(&a, &e), &e);
	act(w, &p);
	w->next_round = w->now + INTERVAL_MS;
}

/* A history */

static void
check_min(struct world *w)
{
	int64_t heard = 0;

	for (size_t i = 0; i < NODES; i++)
		heard += is_heard(w, &w->servers[i]);
	if (size_of(w) >= w->min || heard < w->min)
		w->few_since = w->now;
	else if (w->now - w->few_since > INTERVAL_MS)
		fail_msg("%lld replicas for %lld ms", (long long)size_of(w),
		    (long long)(w->now - w->few_since));
}

static void
run(struct world *w, int64_t ms)
{
	for (int64_t end = w->now + ms; w->now < end; w->now += TICK_MS) {
		for (size_t i = 0; i < NODES; i++)
			server_lives(w, &w->servers[i]);
		if (w->now >= w->next_round)
			round_(w);
		check_min(w);
	}
}

static void
history(uint64_t seed)
{
	static struct world w;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	const char *text;

	w = (struct world){ .random = seed * 2654435761u + 1, .stormy = true };
	w.now = w.few_since = TICK_MS;
	for (size_t i = 0; i < NODES; i++)
		w.servers[i].upped_at = -1;
	w.min = 1 + (int64_t)draw(&w, 10);
	w.max = w.min + (int64_t)draw(&w, 20);
	w.load = (int64_t)draw(&w, 25) * LIMIT + (int64_t)draw(&w, LIMIT);
	arena_init(&a, 1 << 20);
	scale_memory_init(&w.memory);
	w.memory.interval_ms = INTERVAL_MS;
	text = arena_printf(&a,
	    "{\"projectFile\": \"x\", \"autoScale\": {\"replicas\": {\"min\": "
	    "%lld, \"max\": %lld}, \"rules\": {\"nthr\": %d}}}",
	    (long long)w.min, (long long)w.max, LIMIT);
	test_ok(
	    scale_spec_read("web", text, strlen(text), &a, &w.project, &e), &e);
	run(&w, STORMY_MS);
	/* Everybody is back, and the size finds itself. */
	w.stormy = false;
	for (size_t i = 0; i < NODES; i++)
		w.servers[i].deaf_until = 0;
	run(&w, QUIET_MS);
	w.shrinks = 0;
	run(&w, QUIET_MS);
	assert_in_range(running(&w), w.min, w.max);
	/* It is tried every 48 intervals whether fewer would do, and two of
	 * them come back when the first one takes its time. */
	assert_in_range(w.shrinks, 0, 2 * QUIET_MS / (45 * INTERVAL_MS));
	if (size_of(&w) < w.max)
		assert_true(w.load / running(&w) < LIMIT + LIMIT);
	scale_memory_fini(&w.memory);
}

static void
histories(void **state)
{
	const char *seed = getenv("SEED");
	uint64_t n;

	(void)state;
	if (seed != NULL && num_u64(seed, 0, UINT64_MAX, &n, NULL) == 0) {
		history(n);
		return;
	}
	for (n = 1; n <= 6; n++)
		history(n);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(histories),
};
TEST_MAIN(tests)
