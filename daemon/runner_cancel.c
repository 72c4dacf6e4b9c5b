/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Cancelling. A cancel job needs no lane and no slot: it cancels the queued
 * jobs of the project that are older than itself, asks the running one to end,
 * and is done when that is on disk. That a running job is to end is written to
 * its record first, so that a restarted daemon asks again.
 *
 * Asking is Director's own `cancel`, run like any command; TERM for one that is
 * not Director's. When it fails
 * (Director is not that far yet, or is not ours), the command itself gets TERM.
 * It succeeds, too, when it has done nothing, because the project is known but
 * `up` has not noted its pid yet: while the command runs it is asked again,
 * less and less often, which does nothing once it was heard, and in the end the
 * command gets TERM.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/program.h"
#include "daemon/runner_internal.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/node.h"

#define CANCEL_DEADLINE_MS 60000
/* The last pause before the command itself gets TERM: a minute in all. */
#define AGAIN_MAX_MS 32000
#define AGAIN_MS 500
#define RETRY_SOON_MS 10
#define RETRY_LATER_MS 1000

static void
term_instead(struct task *t)
{
	if (t->running)
		(void)proctab_cancel(t->r->deps.proctab, t->key);
}

static void
ask_again_later(struct task *t)
{
	if (!t->running)
		return;
	if (t->ask_again_ms == AGAIN_MAX_MS) {
		term_instead(t);
		return;
	}
	t->ask_again_ms = t->ask_again_ms == 0 ? AGAIN_MS : t->ask_again_ms * 2;
	task_retry_in(t, task_cancel, t->ask_again_ms);
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
	else
		ask_again_later(t);
}

void
task_cancel(struct task *t)
{
	const char *argv[] = { NULL, "cancel", "-p", t->job.name, NULL };
	struct run_spec spec = {
		.argv = argv,
		.deadline_ms = CANCEL_DEADLINE_MS,
		.output_max = 4096,
	};
	struct error e = ERROR_INIT;
	char key[PROCTAB_KEY_MAX];

	if (!t->running || t->cancelling ||
	    (t->step != NULL && (t->step->flags & STEP_CANCELS) == 0))
		return;
	if (t->step != NULL && (t->step->flags & STEP_APART) != 0) {
		term_instead(t);
		return;
	}
	/* Unlike that of an earlier daemon, too. */
	(void)snprintf(key, sizeof(key), "%" PRIu64 ".cancel.%" PRId64,
	    t->job.id.v, clock_wall_ms());
	spec.envp = task_environment(t, &e);
	if (spec.envp != NULL &&
	    programs_get(
		t->r->config.programs, PROGRAM_DIRECTOR, &argv[0], &e) == 0) {
		t->cancelling = proctab_start(t->r->deps.proctab, key, &spec,
				    cancel_ended, t->r, &e) == 0;
	}
	arena_fini(&t->scratch);
	if (!t->cancelling)
		term_instead(t);
}

void
task_tell_asked(const struct task *t, const struct error *failed)
{
	if (t->cancel_asked && t->r->asked != NULL)
		t->r->asked(t->job.id, failed, t->r->asked_ctx);
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
	else
		t->cancel_on_disk = true;
	task_tell_asked(t, failed);
	task_cancel(t);
}

int
runner_cancel(
    struct runner *r, struct job_id id, const char **ret_step, struct error *e)
{
	const struct job_change c = {
		.state = JOB_STATE_COUNT,
		.cancel_asked = true,
	};
	struct task *t = task_find(r, id);
	bool finishes = false;
	int written;

	*ret_step = "";
	if (t == NULL)
		return RUNNER_NONE;
	if (t->step != NULL) {
		*ret_step = t->step->name;
		finishes = (t->running || t->working) &&
		    (t->step->flags & STEP_CANCELS) == 0;
	}
	if (finishes && t->step == &t->kind->steps[t->kind->steps_n - 1])
		return RUNNER_FINISHES;
	t->cancel_asked = true;
	if (t->job.state == JOB_QUEUED && !t->write.under_way) {
		/* It waits for room to begin, or looks whether it may. */
		timer_stop(&t->retry);
		task_stop_look(t);
		t->write.change = (struct job_change)JOB_CHANGE_INIT;
		t->write.record = NULL;
		task_cancel_unstarted(t);
		return 0;
	}
	/* While a change is being written, what comes after it looks at the
	 * flag. */
	written =
	    queue_change(r->deps.queue, id, &c, NULL, cancel_written, r, e);
	if (written != 0)
		task_cancel(t);
	if (finishes)
		return RUNNER_FINISHES;
	return written < 0 ? -1 : 0;
}

/* The cancel job t waits for this, so it is still there. */
static void
queued_moved(struct job_id id, const struct error *failed, void *ctx)
{
	struct task *t = ctx;

	(void)id;
	if (failed != NULL)
		t->move_failed = true;
	else
		t->moved_n++;
	if (--t->moves_n == 0)
		task_open(t);
}

/* Cancels the queued jobs of the lane that are older than the cancel job. */
static void
cancel_queued(struct task *t, const char *lane)
{
	const struct job_change c = {
		.state = JOB_CANCELLED,
		.message = "cancelled before it ran",
	};
	AUTO_ARRAY struct array ids;

	array_init(&ids, sizeof(struct job_id), SIZE_MAX / 16);
	t->move_failed = queue_active(t->r->deps.queue, lane, 1u << JOB_QUEUED,
			     &ids, NULL) < 0;
	for (size_t i = 0; i < ids.n; i++) {
		const struct job_id *id = array_at(&ids, i);

		/* One that was taken is for cancel_running(). */
		if (id->v >= t->job.id.v || task_find(t->r, *id) != NULL)
			continue;
		if (queue_change(t->r->deps.queue, *id, &c, NULL, queued_moved,
			t, NULL) == 0)
			t->moves_n++;
		else
			t->move_failed = true;
	}
}

/* Asks the job that runs in the lane to end; false while that is not on disk.
 */
static bool
cancel_running(struct task *t, const char *lane)
{
	const char *step;
	struct job_id id = runner_running(t->r, lane, &step);
	struct task *other = task_find(t->r, id);
	struct error e = ERROR_INIT;

	if (other == NULL || id.v > t->job.id.v)
		return true;
	if (!other->cancel_asked || !other->write.under_way) {
		t->asked = id;
		t->asked_how = runner_cancel(t->r, id, &t->asked_step, &e);
	}
	return !other->cancel_asked || other->cancel_on_disk;
}

/* "2 queued jobs cancelled; job 5 is asked to end", or such. */
static const char *
summary(struct task *t)
{
	struct arena *a = &t->arena;
	const char *q = arena_printf(a, "%u queued %s cancelled", t->moved_n,
	    t->moved_n == 1 ? "job" : "jobs");

	if (t->asked.v == 0)
		return t->moved_n == 0 ? "nothing to cancel" : q;
	if (t->asked_how == RUNNER_FINISHES)
		return arena_printf(a,
		    "%s; job %" PRIu64 " is at '%s', which is left to finish",
		    q, t->asked.v, t->asked_step);
	return arena_printf(
	    a, "%s; job %" PRIu64 " is asked to end", q, t->asked.v);
}

/* Decides only when all that it does is on disk. What is not is looked at again
 * soon, and then, should it be for want of room, less often. */
int
cancel_open(struct task *t, struct verdict *v)
{
	const char *lane = node_text(node_get(t->payload, "name"));
	bool again = t->again == task_open, done;

	v->state = JOB_COMPLETED;
	/* Only once it is RUNNING on disk: open is asked again then. */
	if (t->job.state != JOB_RUNNING || lane == NULL)
		return TASK_VERDICT;
	cancel_queued(t, lane);
	done = cancel_running(t, lane) && !t->move_failed;
	if (t->moves_n > 0)
		return TASK_WAITS;
	if (!done) {
		task_retry_in(
		    t, task_open, again ? RETRY_LATER_MS : RETRY_SOON_MS);
		return TASK_WAITS;
	}
	v->message = summary(t);
	return TASK_VERDICT;
}
