/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The table of metrics.def, and how each of its rows is read.
 */
#include "daemon/metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <config.h>

#include "daemon/chain.h"
#include "daemon/inventory.h"
#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/resident.h"
#include "lib/base/strbuf.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "lib/event/proctab.h"
#include "lib/net/httpd.h"
#include "lib/store/queue.h"
#include "lib/store/store.h"
#include "proto/route.h"

#define ROWS ((size_t)ROUTE_COUNT + (size_t)TWIN_COUNT + 1)
#define BREAKERS_ARENA_MAX ((size_t)16 << 20)
#define HIST_MAX 12

/* Statuses that are counted by themselves; the last place is for others. */
static const int statuses[] = { 200, 201, 204, 304, 400, 401, 403, 404, 405,
	408, 409, 413, 417, 422, 429, 431, 500, 501, 503, 507, 508 };
#define STATUSES (ARRAY_LEN(statuses) + 1)

static const int64_t request_ms[] = { 1, 5, 10, 50, 100, 500, 1000, 5000,
	10000 };
static const int64_t wait_ms[] = { 10, 100, 1000, 5000, 10000, 60000, 300000,
	1800000 };

/* Upper bounds of the places of a histogram but the last, and how many of their
 * unit (ms, or what is counted) make one of the figure that is shown. */
struct bounds {
	const int64_t *at;
	size_t n;
	int64_t unit;
};
static const struct bounds request_bounds = { request_ms, ARRAY_LEN(request_ms),
	1000 };
static const struct bounds wait_bounds = { wait_ms, ARRAY_LEN(wait_ms), 1000 };
static const struct bounds loop_bounds = { loop_hist_below_ms,
	ARRAY_LEN(loop_hist_below_ms), 1000 };
static const struct bounds group_bounds = { store_groups_max,
	ARRAY_LEN(store_groups_max), 1 };

struct hist {
	/* Not added up; the place after the last bound is for the rest. */
	uint64_t n[HIST_MAX];
	int64_t sum_ms;
};

struct metrics {
	uint64_t requests[ROWS][STATUSES];
	struct hist durations[ROWS];
	struct hist waits;
	/* Of autoscaling, by false and true: has it failed, was it up. */
	uint64_t rounds[2];
	uint64_t scaled[2];
	int64_t start_ms;
};

struct reading {
	const struct metrics *m;
	const struct metrics_sources *from;
	struct strbuf *out;
	const char *name;
	/* {"alpha": {"state": ...}} */
	const struct node *breakers;
	struct loop_stats loop;
	struct store_stats store;
	struct queue_stats queue;
	struct inventory_stats inventory;
};

/* Counting */

static void
hist_add(struct hist *h, const struct bounds *b, int64_t ms)
{
	size_t i = 0;

	while (i < b->n && ms > b->at[i])
		i++;
	h->n[i]++;
	h->sum_ms += ms;
}

void
metrics_request(
    struct metrics *m, int row, int status, bool streamed, int64_t took_ms)
{
	size_t at = row >= 0 && (size_t)row < ROWS ? (size_t)row : ROWS - 1;
	size_t i = 0;

	while (i < ARRAY_LEN(statuses) && statuses[i] != status)
		i++;
	m->requests[at][i]++;
	if (!streamed)
		hist_add(&m->durations[at], &request_bounds, took_ms);
}

void
metrics_round(struct metrics *m, bool failed)
{
	m->rounds[failed]++;
}

void
metrics_scaled(struct metrics *m, bool up)
{
	m->scaled[up]++;
}

void
metrics_job(struct metrics *m, const struct job *j, enum job_state from)
{
	int64_t wait = j->started_at - j->created_at;

	if (j->state == JOB_RUNNING && from == JOB_QUEUED && j->attempt <= 1)
		hist_add(&m->waits, &wait_bounds, wait > 0 ? wait : 0);
}

/* Samples */

static void
add_u64(const struct reading *r, uint64_t v)
{
	strbuf_addf(r->out, "%s %" PRIu64 "\n", r->name, v);
}

/* 1500 in ms: 1.500. */
static void
add_value(struct strbuf *out, int64_t v, int64_t unit)
{
	strbuf_addf(out, "%" PRId64, v / unit);
	if (unit > 1)
		strbuf_addf(out, ".%03d", (int)(v % unit * 1000 / unit));
}

/* labels: "" or `a="b"`. */
static void
add_hist(const struct reading *r, const char *labels, const struct bounds *b,
    const uint64_t *counts, int64_t sum)
{
	const char *comma = labels[0] != '\0' ? "," : "";
	char braces[256] = "";
	uint64_t all = 0;

	for (size_t i = 0; i < b->n; i++) {
		all += counts[i];
		strbuf_addf(
		    r->out, "%s_bucket{%s%sle=\"", r->name, labels, comma);
		add_value(r->out, b->at[i], b->unit);
		strbuf_addf(r->out, "\"} %" PRIu64 "\n", all);
	}
	all += counts[b->n];
	strbuf_addf(r->out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", r->name,
	    labels, comma, all);
	if (labels[0] != '\0')
		(void)snprintf(braces, sizeof(braces), "{%s}", labels);
	strbuf_addf(r->out, "%s_sum%s ", r->name, braces);
	add_value(r->out, sum, b->unit);
	strbuf_addf(r->out, "\n%s_count%s %" PRIu64 "\n", r->name, braces, all);
}

/* `method="GET",route="/v1/ping"`: nothing in a path needs an escape. */
static void
row_labels(size_t row, char *buf, size_t len)
{
	const char *method = "", *path = "other", *in = "";
	size_t twin = row - ROUTE_COUNT;

	if (row < ROUTE_COUNT) {
		method = routes[row].method;
		path = routes[row].path;
	} else if (twin < TWIN_COUNT) {
		method = routes[twins[twin].id].method;
		path = routes[twins[twin].id].path + strlen("/v1");
		in = "/v1/chain/{chain}";
	}
	(void)snprintf(buf, len, "method=\"%s\",route=\"%s%.*s\"", method, in,
	    (int)strcspn(path, "["), path);
}

/* One function for each word of metrics.def */

static void
read_build(const struct reading *r)
{
	strbuf_addf(
	    r->out, "%s{version=\"%s\"} 1\n", r->name, OVERLORD_VERSION);
}

static void
read_start(const struct reading *r)
{
	strbuf_addf(r->out, "%s ", r->name);
	add_value(r->out, r->m->start_ms, 1000);
	strbuf_addc(r->out, '\n');
}

static void
read_memory(const struct reading *r)
{
	add_u64(r, resident_bytes());
}

static void
read_requests(const struct reading *r)
{
	char labels[192];

	for (size_t row = 0; row < ROWS; row++)
		for (size_t i = 0; i < STATUSES; i++) {
			uint64_t n = r->m->requests[row][i];

			if (n == 0)
				continue;
			row_labels(row, labels, sizeof(labels));
			strbuf_addf(r->out, "%s{%s,status=\"", r->name, labels);
			if (i < ARRAY_LEN(statuses))
				strbuf_addf(r->out, "%d", statuses[i]);
			else
				strbuf_adds(r->out, "other");
			strbuf_addf(r->out, "\"} %" PRIu64 "\n", n);
		}
}

static void
read_durations(const struct reading *r)
{
	char labels[192];

	for (size_t row = 0; row < ROWS; row++) {
		const struct hist *h = &r->m->durations[row];
		uint64_t any = 0;

		for (size_t i = 0; i <= request_bounds.n; i++)
			any += h->n[i];
		if (any == 0)
			continue;
		row_labels(row, labels, sizeof(labels));
		add_hist(r, labels, &request_bounds, h->n, h->sum_ms);
	}
}

static void
read_in_flight(const struct reading *r)
{
	add_u64(
	    r, r->from->httpd != NULL ? httpd_in_flight(r->from->httpd) : 0);
}

static void
read_connections(const struct reading *r)
{
	add_u64(
	    r, r->from->httpd != NULL ? httpd_connections(r->from->httpd) : 0);
}

static void
add_states(const struct reading *r, bool finished)
{
	for (unsigned s = 0; s < JOB_STATE_COUNT; s++)
		if (job_state_is_finished((enum job_state)s) == finished)
			strbuf_addf(r->out, "%s{state=\"%s\"} %" PRIu64 "\n",
			    r->name, job_state_to_string((enum job_state)s),
			    r->queue.by_state[s]);
}

static void
read_jobs(const struct reading *r)
{
	add_states(r, false);
}

static void
read_jobs_ended(const struct reading *r)
{
	add_states(r, true);
}

static void
read_waits(const struct reading *r)
{
	add_hist(r, "", &wait_bounds, r->m->waits.n, r->m->waits.sum_ms);
}

static void
read_rounds(const struct reading *r)
{
	strbuf_addf(r->out, "%s{outcome=\"completed\"} %" PRIu64 "\n", r->name,
	    r->m->rounds[false]);
	strbuf_addf(r->out, "%s{outcome=\"failed\"} %" PRIu64 "\n", r->name,
	    r->m->rounds[true]);
}

static void
read_scaled(const struct reading *r)
{
	strbuf_addf(r->out, "%s{kind=\"down\"} %" PRIu64 "\n", r->name,
	    r->m->scaled[false]);
	strbuf_addf(r->out, "%s{kind=\"up\"} %" PRIu64 "\n", r->name,
	    r->m->scaled[true]);
}

static void
read_commands(const struct reading *r)
{
	add_u64(r, proctab_running(r->from->proctab));
}

static void
read_jails(const struct reading *r)
{
	add_u64(r, r->inventory.names[INVENTORY_JAILS]);
}

static void
read_projects(const struct reading *r)
{
	add_u64(r, r->inventory.names[INVENTORY_PROJECTS]);
}

static void
read_answers(const struct reading *r)
{
	strbuf_addf(r->out,
	    "%s{from=\"cache\"} %" PRIu64 "\n%s{from=\"files\"} %" PRIu64 "\n",
	    r->name, r->inventory.kept, r->name, r->inventory.read);
}

static void
read_questions(const struct reading *r)
{
	add_u64(r, r->inventory.commands);
}

static void
read_lists(const struct reading *r)
{
	add_u64(r, r->inventory.listed);
}

static void
read_inventory_turns(const struct reading *r)
{
	add_u64(r, r->inventory.turns);
}

static void
read_watched(const struct reading *r)
{
	add_u64(r, r->inventory.watched);
}

static void
read_cache_entries(const struct reading *r)
{
	add_u64(r, r->inventory.cache_entries);
}

static void
read_cache_bytes(const struct reading *r)
{
	add_u64(r, r->inventory.cache_bytes);
}

static void
read_cache_evicted(const struct reading *r)
{
	add_u64(r, r->inventory.cache_evicted);
}

static void
read_breaker_state(const struct reading *r)
{
	static const char *const states[] = { "closed", "open", "half-open" };

	for (size_t i = 0; i < r->breakers->u.map.n; i++) {
		const struct node_pair *p = &r->breakers->u.map.pairs[i];
		const char *is = node_text(node_get(p->value, "state"));

		for (size_t k = 0; k < ARRAY_LEN(states); k++)
			strbuf_addf(r->out,
			    "%s{chain=\"%s\",state=\"%s\"} %d\n", r->name,
			    node_text(p->key), states[k],
			    is != NULL && strcmp(is, states[k]) == 0);
	}
}

/* Names of chains need no escape. */
static void
add_chains(const struct reading *r, const char *member)
{
	for (size_t i = 0; i < r->breakers->u.map.n; i++) {
		const struct node_pair *p = &r->breakers->u.map.pairs[i];
		const struct node *n = node_get(p->value, member);

		strbuf_addf(r->out, "%s{chain=\"%s\"} %" PRId64 "\n", r->name,
		    node_text(p->key), n != NULL ? n->u.i : 0);
	}
}

static void
read_chain_calls(const struct reading *r)
{
	add_chains(r, "calls");
}

static void
read_chain_failures(const struct reading *r)
{
	add_chains(r, "failed");
}

static void
read_chain_refused(const struct reading *r)
{
	add_chains(r, "refused");
}

static void
read_commits(const struct reading *r)
{
	add_u64(r, r->store.commits);
}

static void
read_batches(const struct reading *r)
{
	add_u64(r, r->store.batches);
}

static void
read_groups(const struct reading *r)
{
	add_hist(
	    r, "", &group_bounds, r->store.groups, (int64_t)r->store.committed);
}

static void
read_store_waiting(const struct reading *r)
{
	add_u64(r, r->store.waiting);
}

static void
read_store_full(const struct reading *r)
{
	add_u64(r, r->store.nospace);
}

static void
read_store_used(const struct reading *r)
{
	add_u64(r, r->store.used_bytes);
}

static void
read_store_limit(const struct reading *r)
{
	add_u64(r, r->store.size_max);
}

static void
read_store_map(const struct reading *r)
{
	add_u64(r, r->store.map_bytes);
}

static void
read_read_only(const struct reading *r)
{
	add_u64(r, r->store.read_only);
}

static void
read_loop_held(const struct reading *r)
{
	add_hist(r, "", &loop_bounds, r->loop.hist, r->loop.held_ns / 1000000);
}

static void
read_turns(const struct reading *r)
{
	add_u64(r, r->loop.turns);
}

static void
read_log_lost(const struct reading *r)
{
	add_u64(r, log_lost());
}

static const struct {
	const char *name;
	const char *type;
	const char *help;
	void (*read)(const struct reading *r);
} table[] = {
#define METRIC(name, type, read, help) { name, type, help, read_##read },
#include "daemon/metrics.def"
#undef METRIC
};

int
metrics_write(const struct metrics *m, const struct metrics_sources *s,
    struct strbuf *out, struct error *e)
{
	AUTO_ARENA struct arena a;
	struct reading r = { .m = m, .from = s, .out = out };

	arena_init(&a, BREAKERS_ARENA_MAX);
	r.breakers = chain_breakers(s->chain, &a);
	if (arena_check(&a, e) < 0)
		return -1;
	loop_get_stats(s->loop, &r.loop);
	store_get_stats(s->store, &r.store);
	queue_get_stats(s->queue, &r.queue);
	inventory_get_stats(s->inventory, &r.inventory);
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		r.name = table[i].name;
		strbuf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", r.name,
		    table[i].help, r.name, table[i].type);
		table[i].read(&r);
	}
	return strbuf_check(out, e);
}

int
metrics_new(struct metrics **ret, struct error *e)
{
	struct metrics *m = mem_calloc(1, sizeof(*m));

	if (m == NULL)
		return error_nomem(e);
	m->start_ms = clock_wall_ms();
	*ret = m;
	return 0;
}

struct metrics *
metrics_free(struct metrics *m)
{
	mem_free(m);
	return NULL;
}
