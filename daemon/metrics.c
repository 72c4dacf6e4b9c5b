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
#include "lib/base/arena.h"
#include "lib/base/clock.h"
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

static const int64_t request_bounds_ms[] = { 1, 5, 10, 50, 100, 500, 1000, 5000,
	10000 };
static const int64_t wait_bounds_ms[] = { 10, 100, 1000, 5000, 10000, 60000,
	300000, 1800000 };
static const int64_t loop_bounds_ms[LOOP_HIST_N - 1] = { 1, 2, 5, 10, 20, 50,
	100, 500 };

struct hist {
	/* Not added up; the place after the last bound is for the rest. */
	uint64_t n[HIST_MAX];
	int64_t sum_ms;
};

struct metrics {
	uint64_t requests[ROWS][STATUSES];
	struct hist durations[ROWS];
	struct hist waits;
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
};

/* Counting */

static void
hist_add(struct hist *h, const int64_t *bounds, size_t n, int64_t ms)
{
	size_t i = 0;

	while (i < n && ms > bounds[i])
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
		hist_add(&m->durations[at], request_bounds_ms,
		    ARRAY_LEN(request_bounds_ms), took_ms);
}

void
metrics_job(struct metrics *m, const struct job *j, enum job_state from)
{
	int64_t wait = j->started_at - j->created_at;

	if (j->state == JOB_RUNNING && from == JOB_QUEUED && j->attempt <= 1)
		hist_add(&m->waits, wait_bounds_ms, ARRAY_LEN(wait_bounds_ms),
		    wait > 0 ? wait : 0);
}

/* Samples */

static void
add_u64(const struct reading *r, uint64_t v)
{
	strbuf_addf(r->out, "%s %" PRIu64 "\n", r->name, v);
}

static void
add_seconds(
    const struct reading *r, const char *suffix, const char *labels, int64_t ms)
{
	strbuf_addf(r->out, "%s%s%s %" PRId64 ".%03d\n", r->name, suffix,
	    labels, ms / 1000, (int)(ms % 1000));
}

/* labels: "" or `a="b"`. */
static void
add_hist(const struct reading *r, const char *labels, const uint64_t *counts,
    const int64_t *bounds, size_t n, int64_t sum_ms)
{
	const char *comma = labels[0] != '\0' ? "," : "";
	char braces[256] = "";
	uint64_t all = 0;

	for (size_t i = 0; i < n; i++) {
		all += counts[i];
		strbuf_addf(r->out,
		    "%s_bucket{%s%sle=\"%" PRId64 ".%03d\"} %" PRIu64 "\n",
		    r->name, labels, comma, bounds[i] / 1000,
		    (int)(bounds[i] % 1000), all);
	}
	all += counts[n];
	strbuf_addf(r->out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", r->name,
	    labels, comma, all);
	if (labels[0] != '\0')
		(void)snprintf(braces, sizeof(braces), "{%s}", labels);
	add_seconds(r, "_sum", braces, sum_ms);
	strbuf_addf(r->out, "%s_count%s %" PRIu64 "\n", r->name, braces, all);
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
	add_seconds(r, "", "", r->m->start_ms);
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
	const size_t n = ARRAY_LEN(request_bounds_ms);
	char labels[192];

	for (size_t row = 0; row < ROWS; row++) {
		const struct hist *h = &r->m->durations[row];
		uint64_t any = 0;

		for (size_t i = 0; i <= n; i++)
			any += h->n[i];
		if (any == 0)
			continue;
		row_labels(row, labels, sizeof(labels));
		add_hist(r, labels, h->n, request_bounds_ms, n, h->sum_ms);
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
	add_hist(r, "", r->m->waits.n, wait_bounds_ms,
	    ARRAY_LEN(wait_bounds_ms), r->m->waits.sum_ms);
}

static void
read_commands(const struct reading *r)
{
	add_u64(r, proctab_running(r->from->proctab));
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
read_group_max(const struct reading *r)
{
	add_u64(r, r->store.group_max);
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
	add_hist(r, "", r->loop.hist, loop_bounds_ms, LOOP_HIST_N - 1,
	    r->loop.held_ns / 1000000);
}

static void
read_turns(const struct reading *r)
{
	add_u64(r, r->loop.turns);
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
