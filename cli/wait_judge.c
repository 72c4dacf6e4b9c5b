/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Judging jobs. A deployment has gone well when its record says COMPLETED (or
 * NOOP) and Director reported errlevel 0 and no failed service; a job may well
 * have ended "completed" with such a report, so the record is looked at too.
 * The reason of a failure is the first of: the exception, the record's message,
 * the job's message, what Director reported.
 */
#include "cli/wait_judge.h"

#include <string.h>

#include "lib/base/strbuf.h"
#include "proto/human.h"

#define TAIL_LINES 20
#define TAIL_MAX ((size_t)64 * 1024)
#define TEXT_MAX 4096

static bool
is(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

static const char *
text_at(const struct node *n, const char *key)
{
	const char *s = node_text(node_get(n, key));

	return s != NULL && s[0] != '\0' ? s : NULL;
}

/* The last lines of a text; NULL when there are none. */
static const char *
tail(const char *text, struct arena *a)
{
	size_t len, at, lines = 0;

	if (text == NULL)
		return NULL;
	len = strlen(text);
	while (len > 0 && text[len - 1] == '\n')
		len--;
	for (at = len; at > 0; at--) {
		if (text[at - 1] == '\n' && ++lines == TAIL_LINES)
			break;
		if (len - at >= TAIL_MAX)
			break;
	}
	return len > 0 ? arena_strndup(a, text + at, len - at) : NULL;
}

/* What Director reported: "web, db", "errlevel 1"; NULL when all is well. */
static const char *
director_fault(const struct node *record, struct arena *a)
{
	const struct node *output = node_get(record, "output");
	const struct node *report = node_get(output, "stdout");
	const struct node *failed = node_get(report, "failed");
	int64_t errlevel = node_int_at(report, "errlevel", 0);
	int64_t rc = node_int_at(output, "rc", 0);
	const char *message = text_at(report, "message");
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, TEXT_MAX);
	if (failed != NULL && failed->type == NODE_LIST) {
		for (size_t i = 0; i < failed->u.list.n; i++) {
			strbuf_adds(&b, i == 0 ? "failed: " : ", ");
			human_text(&b, failed->u.list.items[i]);
		}
	}
	if (errlevel != 0)
		strbuf_addf(&b, "%serrlevel %lld", b.len > 0 ? "; " : "",
		    (long long)errlevel);
	else if (rc != 0)
		strbuf_addf(
		    &b, "%sexit %lld", b.len > 0 ? "; " : "", (long long)rc);
	if (b.len > 0 && message != NULL)
		strbuf_addf(&b, ": %s", message);
	return b.len > 0 ? arena_strdup(a, b.buf) : NULL;
}

static const char *
find_reason(const struct node *record, const struct node *job,
    const char *state, struct arena *a)
{
	const struct node *x = node_get(record, "exception");
	const char *s = text_at(x, "message");

	if (s != NULL && text_at(x, "type") != NULL)
		return arena_printf(a, "%s: %s", text_at(x, "type"), s);
	if (s == NULL)
		s = text_at(record, "message");
	if (s == NULL)
		s = text_at(job, "message");
	if (s == NULL)
		s = director_fault(record, a);
	if (s == NULL)
		s = text_at(node_get(record, "labels"), "message");
	return s != NULL ? s : state;
}

static void
judge_record(const struct node *record, const struct node *job,
    const char *state, struct arena *a, struct verdict *v)
{
	const char *operation = text_at(record, "operation");
	const char *fault = director_fault(record, a);
	bool good = operation == NULL || is(operation, "COMPLETED") ||
	    is(operation, "NOOP");
	const char *err;

	if (good && fault == NULL && is(state, "completed")) {
		v->state = VERDICT_DONE;
		return;
	}
	v->state = VERDICT_FAILED;
	v->reason = find_reason(record, job,
	    !good && is(state, "completed") ? operation : state, a);
	err = text_at(node_get(record, "output"), "stderr");
	if (err == NULL)
		err = text_at(node_get(job, "output"), "stderr");
	/* A VM's is one text. */
	if (err == NULL)
		err = text_at(record, "output");
	v->stderr_tail = tail(err, a);
}

/* The step that has begun and not ended. */
static const char *
current_step(const struct node *job)
{
	const struct node *steps = node_get(job, "steps");
	const char *name = NULL;

	for (size_t i = 0;
	     steps != NULL && steps->type == NODE_LIST && i < steps->u.list.n;
	     i++) {
		const struct node *s = steps->u.list.items[i];
		const struct node *ended = node_get(s, "ended_at");

		if (ended == NULL || ended->type == NODE_NULL)
			name = text_at(s, "name");
	}
	return name;
}

static void
describe_busy(const struct node *job, const char *state, struct arena *a,
    struct verdict *v)
{
	int64_t position = node_int_at(job, "position", 0);
	int64_t attempt = node_int_at(job, "attempt", 1);
	const char *step = current_step(job);

	v->state = VERDICT_BUSY;
	if (is(state, "queued") && position > 0)
		v->doing = arena_printf(
		    a, "queued (position %lld)", (long long)position);
	else if (is(state, "running") && step != NULL && attempt > 1)
		v->doing = arena_printf(
		    a, "running: %s (attempt %lld)", step, (long long)attempt);
	else if (is(state, "running") && step != NULL)
		v->doing = arena_printf(a, "running: %s", step);
	else
		v->doing = state;
	if (v->doing == NULL)
		v->doing = "busy";
}

void
wait_judge_job(const struct node *job, const char *type, struct arena *a,
    struct verdict *ret)
{
	const char *state = text_at(job, "state");

	memset(ret, 0, sizeof(*ret));
	if (is(state, "queued") || is(state, "running") ||
	    is(state, "interrupted")) {
		describe_busy(job, state, a, ret);
		return;
	}
	/* The server has judged: what Director did not know is gone, too. */
	if ((is(type, "cancel") || is(type, "down")) &&
	    is(state, "completed")) {
		ret->state = VERDICT_DONE;
		return;
	}
	judge_record(node_get(job, "result"), job,
	    state != NULL ? state : "the reply is not understood", a, ret);
}

/* A job as GET /v1/jobs/<id> gives it, as far as an event tells; NULL: it tells
 * nothing of what goes on. */
static struct node *
job_of_event(const char *type, const struct node *data, struct arena *a)
{
	struct node *job = node_new(a, NODE_MAP), *step, *steps;
	const struct node *ended = node_get(data, "ended");
	const char *state = text_at(data, "state"), *name;

	node_set(
	    a, job, "attempt", node_int(a, node_int_at(data, "attempt", 1)));
	if (is(type, "job")) {
		/* What comes next in the queue is to be asked for. */
		if (!is(state, "running") && !is(state, "interrupted"))
			return NULL;
		node_set(a, job, "state", node_str(a, state));
		return job;
	}
	name = text_at(data, "step");
	if (!is(type, "step") || name == NULL || ended == NULL ||
	    ended->type != NODE_BOOL || ended->u.b)
		return NULL;
	step = node_new(a, NODE_MAP);
	steps = node_new(a, NODE_LIST);
	node_set(a, step, "name", node_str(a, name));
	node_add(a, steps, step);
	node_set(a, job, "steps", steps);
	node_set(a, job, "state", node_str(a, "running"));
	return job;
}

bool
wait_judge_event(const char *type, const struct node *data, int64_t id,
    struct arena *a, struct verdict *ret)
{
	const struct node *job;

	if (node_int_at(data, "job", 0) != id)
		return false;
	job = job_of_event(type, data, a);
	if (job == NULL)
		return false;
	wait_judge_job(job, "", a, ret);
	return ret->state == VERDICT_BUSY;
}

bool
wait_is_about(
    const char *type, const struct node *data, int64_t id, const char *doing)
{
	if (!is(type, "job"))
		return false;
	return node_int_at(data, "job", 0) == id ||
	    (strncmp(doing, "queued", strlen("queued")) == 0 &&
		is(text_at(data, "from"), "queued"));
}

/* Whether the record is of this job, and says how it ended; else *ret is set.
 */
static bool
has_ended(
    const struct node *record, int64_t id, struct arena *a, struct verdict *ret)
{
	int64_t newest = node_int_at(record, "job_id", 0);
	const char *operation = text_at(record, "operation");

	if (newest > id) {
		ret->state = VERDICT_FAILED;
		ret->reason = arena_printf(
		    a, "superseded by job %lld", (long long)newest);
		return false;
	}
	if (newest < id || operation == NULL || is(operation, "RUNNING")) {
		ret->state = VERDICT_BUSY;
		ret->doing =
		    newest < id || operation == NULL ? "queued" : "running";
		return false;
	}
	return true;
}

void
wait_judge_project(const struct node *info, const char *type, int64_t id,
    struct arena *a, struct verdict *ret)
{
	const struct node *record =
	    node_get(info, is(type, "down") ? "down" : "up");

	memset(ret, 0, sizeof(*ret));
	/* Its cancelling leaves no trace; what is destroyed is gone. */
	if (is(type, "cancel") || (is(type, "down") && info == NULL))
		ret->state = VERDICT_DONE;
	else if (has_ended(record, id, a, ret))
		judge_record(record, NULL, "completed", a, ret);
}

void
wait_judge_vm(
    const struct node *status, int64_t id, struct arena *a, struct verdict *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!has_ended(status, id, a, ret)) {
		if (ret->state == VERDICT_BUSY)
			ret->doing = "making the VM";
		return;
	}
	judge_record(status, NULL, "completed", a, ret);
}

void
wait_judge_services(const struct node *info, int64_t id, bool patient,
    struct arena *a, struct verdict *ret)
{
	int64_t newest = node_int_at(node_get(info, "up"), "job_id", 0);
	const char *state = text_at(info, "state");
	const char *stopped = wait_stopped_services(info, a);

	memset(ret, 0, sizeof(*ret));
	if (newest > id) {
		ret->state = VERDICT_FAILED;
		ret->reason = arena_printf(
		    a, "superseded by job %lld", (long long)newest);
	} else if (is(state, "DONE") && stopped == NULL) {
		ret->state = VERDICT_DONE;
	} else if (info == NULL && !patient) {
		ret->state = VERDICT_FAILED;
		ret->reason = "the project is gone";
	} else if (stopped != NULL && !patient) {
		ret->state = VERDICT_FAILED;
		ret->reason = arena_printf(a, "stopped: %s", stopped);
	} else {
		ret->doing = stopped != NULL
		    ? arena_printf(a, "waiting for services: %s", stopped)
		    : "waiting for services";
	}
}

void
wait_get_jails(const struct node *info, struct arena *a, struct wait_jails *ret)
{
	const struct node *list = node_get(info, "services");
	size_t n = list != NULL && list->type == NODE_LIST ? list->u.list.n : 0;

	ret->n = 0;
	ret->items = arena_calloc(a, n + 1, sizeof(*ret->items));
	for (size_t i = 0; ret->items != NULL && i < n; i++) {
		const char *jail = text_at(list->u.list.items[i], "jail");

		if (jail != NULL)
			ret->items[ret->n++] = arena_strdup(a, jail);
	}
}

const char *
wait_find_unhealthy(
    const char *jail, const struct node *list, bool patient, struct arena *a)
{
	if (!patient && list != NULL && list->type == NODE_MAP &&
	    list->u.map.n == 0)
		return NULL;
	if (list == NULL || list->type != NODE_LIST)
		return arena_printf(a, "%s (not known yet)", jail);
	for (size_t i = 0; i < list->u.list.n; i++) {
		const struct node *checker = list->u.list.items[i];
		const char *status = text_at(checker, "status");

		if (is(text_at(checker, "enabled"), "1") &&
		    !is(status, "healthy"))
			return arena_printf(a, "%s (%s)", jail,
			    status != NULL ? status : "not checked yet");
	}
	return NULL;
}

void
wait_judge_record(
    const struct node *record, struct arena *a, struct verdict *ret)
{
	memset(ret, 0, sizeof(*ret));
	judge_record(record, NULL, "completed", a, ret);
}

/* The autoscaler */

static double
number_at(const struct node *n, const char *key, double absent)
{
	const struct node *v = node_get(n, key);

	if (v != NULL && v->type == NODE_FLOAT)
		return v->u.f;
	return v != NULL && v->type == NODE_INT ? (double)v->u.i : absent;
}

static const struct node *
last_log(const struct node *status)
{
	const struct node *logs = node_get(status, "logs");

	return logs != NULL && logs->type == NODE_LIST && logs->u.list.n > 0
	    ? logs->u.list.items[logs->u.list.n - 1]
	    : NULL;
}

/* An original says that nothing is left with a sentence, its only entry that is
 * no map. */
static void
judge_end(const struct node *last, struct verdict *ret)
{
	if (last != NULL && last->type == NODE_STR)
		ret->state = VERDICT_DONE;
	else if (!is(text_at(last, "context"), "destroy"))
		ret->doing = "being destroyed";
	else if (node_get(last, "fails") != NULL)
		ret->doing = "a server cannot be asked";
	else
		ret->state = VERDICT_DONE;
}

static void
judge_replicas(
    const struct node *replicas, struct arena *a, struct verdict *ret)
{
	int64_t ready = node_int_at(replicas, "ready", 0);
	int64_t min = node_int_at(replicas, "min", 1);

	if (ready >= min)
		ret->state = VERDICT_DONE;
	else
		ret->doing =
		    arena_printf(a, "%lld of %lld replicas, %lld on the way",
			(long long)ready, (long long)min,
			(long long)node_int_at(replicas, "coming", 0));
}

void
wait_judge_scale(const struct node *status, const char *type, double since,
    struct arena *a, struct verdict *ret)
{
	const char *operation = text_at(status, "operation");
	const struct node *replicas = node_get(status, "replicas");
	double began = number_at(status, "last_update", since) +
	    number_at(status, "took", 0);

	*ret = (struct verdict){ .state = VERDICT_BUSY,
		.doing = "waiting for the autoscaler" };
	if (began >= since || is(operation, "RUNNING"))
		return;
	if (is(operation, "FAILED")) {
		ret->state = VERDICT_FAILED;
		ret->reason =
		    text_at(node_get(last_log(status), "exception"), "message");
		if (ret->reason == NULL)
			ret->reason = "the autoscaler has failed";
	} else if (is(type, "down")) {
		judge_end(last_log(status), ret);
	} else if (replicas != NULL) {
		judge_replicas(replicas, a, ret);
	} else {
		ret->state = VERDICT_DONE;
		ret->reason = "it does not say how many replicas there are";
	}
}

bool
verdict_is_no_route(const struct node *body)
{
	const struct node *below;
	const char *message;

	/* Whoever does not have it may be further down. */
	while ((below = node_get(body, "remote")) != NULL)
		body = below;
	message = text_at(body, "message");
	return message == NULL || strcmp(message, "Not Found") == 0;
}

const char *
wait_stopped_services(const struct node *info, struct arena *a)
{
	const struct node *list = node_get(info, "services");
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, TEXT_MAX);
	for (size_t i = 0;
	     list != NULL && list->type == NODE_LIST && i < list->u.list.n;
	     i++) {
		const struct node *n = list->u.list.items[i];
		int64_t status = node_int_at(n, "status", 0);

		if (status == 0)
			continue;
		strbuf_addf(&b, "%s", b.len > 0 ? ", " : "");
		human_text(&b, node_get(n, "name"));
		strbuf_addf(&b, " (status %lld)", (long long)status);
	}
	return b.len > 0 ? arena_strdup(a, b.buf) : NULL;
}
