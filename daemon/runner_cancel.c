/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Cancelling. A cancel job needs no lane and no slot: it cancels the queued
 * jobs of the project that are older than itself, asks the running one to end,
 * and is done. That a running job is to end is written to its record first, so
 * that a restarted daemon asks again.
 *
 * Asking is Director's own `cancel`, run like any command; when it fails
 * (Director is not that far yet, or is not ours), the command itself gets TERM.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/program.h"
#include "daemon/runner_internal.h"
#include "lib/base/array.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/node.h"

#define CANCEL_DEADLINE_MS 60000

static void
term_instead(struct task *t)
{
	if (t->running)
		(void)proctab_cancel(t->r->deps.proctab, t->key);
}

static void
cancel_ended(const char *key, const struct run_result *res, void *ctx)
{
	struct runner *r = ctx;
	uint64_t id = 0;
	struct task *t;

	(void)proctab_remove(r->deps.proctab, key, NULL);
	if (num_u64_len(key, strcspn(key, "."), 1, UINT64_MAX, &id, NULL) < 0 ||
	    (t = task_find(r, (struct job_id){ id })) == NULL)
		return;
	t->cancelling = false;
	if (res->how != RUN_EXITED || res->code != 0)
		term_instead(t);
}

void
task_cancel(struct task *t)
{
	AUTO_FREE char *program = NULL;
	const char *argv[] = { NULL, "cancel", "-p", t->job.name, NULL };
	struct run_spec spec = {
		.argv = argv,
		.deadline_ms = CANCEL_DEADLINE_MS,
		.output_max = 4096,
	};
	struct error e = ERROR_INIT;
	char key[PROCTAB_KEY_MAX];

	if (!t->running || t->cancelling)
		return;
	(void)snprintf(key, sizeof(key), "%" PRIu64 ".cancel.%u-%u",
	    t->job.id.v, t->job.attempt, ++t->cancels);
	spec.envp = task_environment(t, &e);
	if (spec.envp != NULL &&
	    program_find(t->r->config.director, &program, &e) == 0) {
		argv[0] = program;
		t->cancelling = proctab_start(t->r->deps.proctab, key, &spec,
				    cancel_ended, t->r, &e) == 0;
	}
	if (!t->cancelling)
		term_instead(t);
}

static void
cancel_written(struct job_id id, const struct error *failed, void *ctx)
{
	struct task *t = task_find(ctx, id);

	if (t == NULL)
		return;
	if (failed != NULL)
		log_warn("runner", FIELDS(LF_I("job", id.v)),
		    "a cancel is not on disk: %s", failed->text);
	task_cancel(t);
}

int
runner_cancel(struct runner *r, struct job_id id, const char **ret_step)
{
	const struct job_change c = {
		.state = JOB_STATE_COUNT,
		.cancel_asked = true,
	};
	struct task *t = task_find(r, id);
	struct error e = ERROR_INIT;

	*ret_step = "";
	if (t == NULL)
		return RUNNER_NONE;
	if (t->step != NULL)
		*ret_step = t->step->name;
	if (t->step != NULL && !t->step->cancels && t->kind->steps_n == 1)
		return RUNNER_FINISHES;
	t->cancel_asked = true;
	/* While a change is being written, the next one looks at the flag. */
	if (queue_change(r->deps.queue, id, &c, NULL, cancel_written, r, &e) !=
	    0)
		task_cancel(t);
	return t->step != NULL && !t->step->cancels ? RUNNER_FINISHES : 0;
}

/* Cancels the queued jobs of the lane with ids below `before`; how many. */
static unsigned
cancel_queued(struct runner *r, const char *lane, uint64_t before)
{
	const struct job_change c = {
		.state = JOB_CANCELLED,
		.message = "cancelled before it ran",
	};
	AUTO_ARRAY struct array ids;
	struct error e = ERROR_INIT;
	unsigned n = 0;

	array_init(&ids, sizeof(struct job_id), SIZE_MAX / 16);
	if (queue_active(r->deps.queue, lane, 1u << JOB_QUEUED, &ids, &e) < 0)
		log_warn("runner", NO_FIELDS, "cancel: %s", e.text);
	for (size_t i = 0; i < ids.n; i++) {
		const struct job_id *id = array_at(&ids, i);

		if (id->v < before &&
		    queue_change(
			r->deps.queue, *id, &c, NULL, NULL, NULL, &e) == 0)
			n++;
	}
	return n;
}

/* "2 queued jobs cancelled; job 5 is asked to end", or such. */
static const char *
summary(struct task *t, unsigned queued, struct job_id running, int how,
    const char *step)
{
	struct arena *a = &t->arena;
	const char *q = arena_printf(
	    a, "%u queued %s cancelled", queued, queued == 1 ? "job" : "jobs");

	if (running.v == 0)
		return queued == 0 ? "nothing to cancel" : q;
	if (how == RUNNER_FINISHES)
		return arena_printf(a,
		    "%s; job %" PRIu64 " is at '%s', which is left to finish",
		    q, running.v, step);
	return arena_printf(
	    a, "%s; job %" PRIu64 " is asked to end", q, running.v);
}

int
cancel_open(struct task *t, struct verdict *v)
{
	const char *lane = node_text(node_get(t->payload, "name"));
	struct job_id running;
	const char *step;
	unsigned queued;
	int how = RUNNER_NONE;

	v->state = JOB_COMPLETED;
	/* Only once it is RUNNING on disk: open is asked again then. */
	if (t->job.state != JOB_RUNNING || lane == NULL)
		return TASK_VERDICT;
	queued = cancel_queued(t->r, lane, t->job.id.v);
	running = runner_running(t->r, lane, &step);
	if (running.v > t->job.id.v)
		running.v = 0;
	if (running.v != 0)
		how = runner_cancel(t->r, running, &step);
	v->message = summary(t, queued, running, how, step);
	return TASK_VERDICT;
}
