/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers about jobs (overlord-api(7)): the list with filters, one job with
 * steps, attempts and output, cancelling one.
 */
#include <inttypes.h>
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/jobword.h"
#include "daemon/runner.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/store/queue.h"

#define LIST_DEFAULT 100
#define OUTPUT_MAX ((size_t)16 << 10)

/* Wall seconds, null for "not yet". */
static struct node *
time_node(struct arena *a, int64_t at_ms)
{
	return at_ms > 0 ? node_float(a, (double)at_ms / 1000.0) : node_null(a);
}

static struct node *
text_or_null(struct arena *a, const char *s)
{
	return s != NULL && s[0] != '\0' ? node_str(a, s) : node_null(a);
}

static struct node *
step_node(struct arena *a, const struct job_step *s)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "name", node_str(a, s->name));
	node_set(a, n, "attempt", node_int(a, s->attempt));
	node_set(a, n, "started_at", time_node(a, s->started_at));
	node_set(a, n, "ended_at", time_node(a, s->ended_at));
	node_set(a, n, "rc",
	    s->ended_at > 0 && s->rc >= 0 ? node_int(a, s->rc) : node_null(a));
	node_set(a, n, "note", text_or_null(a, s->note));
	return n;
}

static struct node *
job_node(struct api_call *c, const struct job *j)
{
	struct arena *a = c->arena;
	struct node *n = node_new(a, NODE_MAP);
	struct node *steps = node_new(a, NODE_LIST);

	node_set(a, n, "id", node_int(a, (int64_t)j->id.v));
	node_set(a, n, "type", node_str(a, jobword_type(j->kind)));
	node_set(a, n, "name", node_str(a, j->name));
	node_set(a, n, "state", node_str(a, job_state_to_string(j->state)));
	node_set(a, n, "attempt", node_int(a, j->attempt));
	node_set(a, n, "by", text_or_null(a, j->by));
	node_set(a, n, "request_id", text_or_null(a, j->request_id));
	node_set(a, n, "created_at", time_node(a, j->created_at));
	node_set(a, n, "started_at", time_node(a, j->started_at));
	node_set(a, n, "ended_at", time_node(a, j->ended_at));
	node_set(a, n, "message", text_or_null(a, j->message));
	if (j->state == JOB_QUEUED)
		node_set(a, n, "position",
		    node_int(
			a, (int64_t)queue_position(c->api->deps.queue, j->id)));
	for (size_t i = 0; i < j->steps_n; i++)
		node_add(a, steps, step_node(a, &j->steps[i]));
	node_set(a, n, "steps", steps);
	return n;
}

/* "queued,running" as a mask. */
static bool
query_states(struct api_call *c, unsigned *ret)
{
	enum job_state s;
	char *text, *word, *rest;

	if (!api_query(c, "state", &text))
		return false;
	rest = text;
	while (rest != NULL && (word = strsep(&rest, ",")) != NULL) {
		if (!job_state_from_string(word, &s)) {
			api_reply_message(c->api, c->req, 400,
			    "'state' has an unexpected value: '%.40s' is no "
			    "state of a job.",
			    word);
			return false;
		}
		*ret |= 1u << s;
	}
	return true;
}

static bool
is_seen(const char *name, void *ctx)
{
	const struct api_call *c = ctx;

	return api_sees(c, name);
}

void
api_jobs(struct api_call *c)
{
	struct queue_filter f = { .wants = is_seen, .wants_ctx = c };
	struct node *list = node_new(c->arena, NODE_LIST);
	struct error e = ERROR_INIT;
	uint64_t limit = LIST_DEFAULT;
	char *name, *type;
	struct job *jobs;
	size_t n;

	if (!api_query(c, "name", &name) || !api_query(c, "type", &type) ||
	    !query_states(c, &f.states) ||
	    !api_query_number(c, "limit", &limit) ||
	    !api_query_number(c, "before", &f.before))
		return;
	f.name = name;
	f.kind = type != NULL ? jobword_kind(type) : NULL;
	f.limit = (size_t)limit;
	if (queue_list(c->api->deps.queue, &f, c->arena, &jobs, &n, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	for (size_t i = 0; i < n; i++)
		node_add(c->arena, list, job_node(c, &jobs[i]));
	api_reply(c->api, c->req, 200, "jobs", list);
}

static struct job_id
id_of(const struct api_call *c)
{
	uint64_t v = 0;

	if (num_u64(c->params[0], 1, UINT64_MAX, &v, NULL) < 0)
		v = 0;
	return (struct job_id){ v };
}

/* What a child said; JSON's writer mends what is not UTF-8. */
static struct node *
text_node(struct arena *a, const char *text)
{
	return node_str(a, text != NULL ? text : "");
}

/* The tail of what its command says now. */
static void
add_output(struct api_call *c, struct job_id id, struct node *job)
{
	AUTO_FREE char *out = NULL;
	AUTO_FREE char *err = NULL;
	struct arena *a = c->arena;
	struct node *n;

	if (runner_output(
		c->api->deps.runner, id, OUTPUT_MAX, &out, &err, NULL) != 0)
		return;
	n = node_new(a, NODE_MAP);
	node_set(a, n, "stdout", text_node(a, out));
	node_set(a, n, "stderr", text_node(a, err));
	node_set(a, job, "output", n);
}

void
api_job(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct job_id id = id_of(c);
	struct node *n, *result;
	struct job j;
	int r = queue_get(c->api->deps.queue, id, c->arena, &j, &e);

	if (r == QUEUE_NOTFOUND) {
		api_reply_message(c->api, c->req, 404,
		    "Job %s cannot be found.", c->params[0]);
		return;
	}
	if (r < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (!api_may_project(c, j.name))
		return;
	n = job_node(c, &j);
	if (j.result_len > 0 &&
	    json_read(j.result, j.result_len, c->arena, &result, NULL) == 0)
		node_set(c->arena, n, "result", result);
	add_output(c, id, n);
	api_reply(c->api, c->req, 200, "job", n);
}

/* Once more */

void
api_job_retry(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct job j;
	int r = queue_get(c->api->deps.queue, id_of(c), c->arena, &j, &e);

	if (r < 0)
		api_reply_error(c->api, c->req, &e);
	else if (r == QUEUE_NOTFOUND)
		api_reply_message(c->api, c->req, 404,
		    "Job %s cannot be found.", c->params[0]);
	else if (!api_may_project(c, j.name))
		return;
	else if (!job_state_is_finished(j.state))
		api_reply_message(c->api, c->req, 409,
		    "Job %" PRIu64 " has not ended: %s.", j.id.v,
		    job_state_to_string(j.state));
	else if (j.state == JOB_COMPLETED)
		api_reply_message(c->api, c->req, 409,
		    "Job %" PRIu64 " has completed.", j.id.v);
	else if (api_has_director(c))
		api_put_job(c, &j, NULL);
}

/* Cancelling */

struct cancel {
	struct api *api;
	struct req_id req;
};

static void
was_cancelled(struct job_id id, const struct error *failed, void *ctx)
{
	struct cancel *x = ctx;
	struct http_req *req = api_find(x->api, x->req);

	if (req != NULL && failed != NULL)
		api_reply_error(x->api, req, failed);
	else if (req != NULL)
		api_reply_message(x->api, req, 200,
		    "Job %" PRIu64 " has been cancelled.", id.v);
	mem_free(x);
}

static void
cancel_queued(struct api_call *c, struct job_id id)
{
	const struct job_change change = {
		.state = JOB_CANCELLED,
		.message = "cancelled before it ran",
	};
	struct cancel *x = mem_calloc(1, sizeof(*x));
	AUTO_BATCH struct store_batch b;
	struct error e = ERROR_INIT;
	int r;

	store_batch_init(&b);
	if (x == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	x->api = c->api;
	x->req = http_req_id(c->req);
	api_audit(c, &b);
	r = queue_change(
	    c->api->deps.queue, id, &change, &b, was_cancelled, x, &e);
	if (r == 0)
		return;
	mem_free(x);
	if (r > 0)
		(void)error_set(
		    &e, OVE_BUSY, "job %" PRIu64 " is changing just now", id.v);
	api_reply_error(c->api, c->req, &e);
}

/* Who asked a running job to end is told when that is on disk. */
struct asker {
	TAILQ_ENTRY(asker) link;
	struct job_id id;
	struct req_id req;
};

static void
answer_asker(struct api *api, const struct asker *x, const struct error *failed)
{
	struct http_req *req = api_find(api, x->req);

	if (req != NULL && failed != NULL)
		api_reply_error(api, req, failed);
	else if (req != NULL)
		api_reply_message(api, req, 200,
		    "Job %" PRIu64 " has been asked to end.", x->id.v);
}

static void
on_asked(struct job_id id, const struct error *failed, void *ctx)
{
	struct api *api = ctx;
	struct asker *x, *next;

	for (x = TAILQ_FIRST(&api->askers); x != NULL; x = next) {
		next = TAILQ_NEXT(x, link);
		if (x->id.v != id.v)
			continue;
		TAILQ_REMOVE(&api->askers, x, link);
		answer_asker(api, x, failed);
		mem_free(x);
	}
}

void
api_askers_init(struct api *api)
{
	TAILQ_INIT(&api->askers);
	runner_on_asked(api->deps.runner, on_asked, api);
}

void
api_askers_free(struct api *api)
{
	struct asker *x;

	runner_on_asked(api->deps.runner, NULL, NULL);
	while ((x = TAILQ_FIRST(&api->askers)) != NULL) {
		TAILQ_REMOVE(&api->askers, x, link);
		mem_free(x);
	}
}

/* False when the runner has not taken it. */
static bool
cancel_taken(struct api_call *c, struct job_id id)
{
	struct asker *x = mem_calloc(1, sizeof(*x));
	struct error e = ERROR_INIT;
	const char *step;
	int r;

	if (x == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return true;
	}
	x->id = id;
	x->req = http_req_id(c->req);
	TAILQ_INSERT_TAIL(&c->api->askers, x, link);
	r = runner_cancel(c->api->deps.runner, id, &step, &e);
	if (r == 0)
		return true;
	TAILQ_REMOVE(&c->api->askers, x, link);
	mem_free(x);
	if (r == RUNNER_FINISHES)
		api_reply_message(c->api, c->req, 409,
		    "Job %" PRIu64 " is at '%s', which is left to finish.",
		    id.v, step);
	else if (r < 0)
		api_reply_error(c->api, c->req, &e);
	return r != RUNNER_NONE;
}

void
api_job_cancel(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct job_id id = id_of(c);
	struct job j;
	int r = queue_get(c->api->deps.queue, id, c->arena, &j, &e);

	if (r < 0)
		api_reply_error(c->api, c->req, &e);
	else if (r == QUEUE_NOTFOUND)
		api_reply_message(c->api, c->req, 404,
		    "Job %s cannot be found.", c->params[0]);
	else if (!api_may_project(c, j.name))
		return;
	else if (job_state_is_finished(j.state))
		api_reply_message(c->api, c->req, 409,
		    "Job %" PRIu64 " has ended: %s.", id.v,
		    job_state_to_string(j.state));
	else if (!cancel_taken(c, id))
		cancel_queued(c, id);
}
