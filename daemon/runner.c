/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tasks of a node: taking what the queue says is ready, and going on, after
 * a restart, with what was running. A RUNNING job whose last step has no end is
 * attached to its run, which may be alive, have ended, be an orphan or have
 * vanished; from there on it is as if it had just been started (runner_task.c).
 */
#include "daemon/runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/runner_internal.h"
#include "lib/base/array.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "proto/runrec.h"

#define TASK_ARENA_MAX ((size_t)128 << 20)
#define RELOAD_MS 1000
#define UNLOADED_MAX ((size_t)1 << 20)

struct task *
task_find(struct runner *r, struct job_id id)
{
	struct task *t;

	TAILQ_FOREACH (t, &r->tasks, link)
		if (t->job.id.v == id.v)
			return t;
	return NULL;
}

/* The job with its payload, in a task of its own; not on any list yet. */
static int
load_job(struct task *t, struct job_id id, struct error *e)
{
	struct job *j = &t->job;
	struct error mine = ERROR_INIT;
	struct job_step *room;
	int r = queue_get(t->r->deps.queue, id, &t->arena, j, e);

	if (r < 0)
		return -1;
	if (r != 0 || job_state_is_finished(j->state))
		return error_set(e, OVE_NOTFOUND, "job %" PRIu64, id.v);
	room = arena_calloc(&t->arena, JOB_STEPS_MAX, sizeof(*room));
	if (room == NULL)
		return arena_check(&t->arena, e);
	if (j->steps_n > 0)
		memcpy(room, j->steps, j->steps_n * sizeof(*room));
	j->steps = room;
	t->cancel_asked = t->cancel_on_disk = j->cancel_asked;
	t->kind = job_kind_find(j->kind);
	/* What is no JSON ends as a failed job, by its kind's `open`. */
	(void)json_read(
	    j->payload, j->payload_len, &t->arena, &t->payload, &mine);
	if (mine.code != OVE_NOMEM && t->kind->load != NULL &&
	    t->kind->load(t, &mine) < 0)
		t->kind = job_kind_find("");
	if (mine.code == OVE_NOMEM)
		return error_nomem(e);
	return arena_check(&t->arena, e);
}

static int
task_new(struct runner *r, struct job_id id, struct task **ret, struct error *e)
{
	struct task *t = mem_calloc(1, sizeof(*t));

	if (t == NULL)
		return error_nomem(e);
	t->r = r;
	t->write.change = (struct job_change)JOB_CHANGE_INIT;
	arena_init(&t->arena, TASK_ARENA_MAX);
	arena_init(&t->scratch, TASK_ARENA_MAX);
	if (timer_init(&t->retry, r->deps.loop, task_retry_due, "runner retry",
		e) < 0 ||
	    load_job(t, id, e) < 0) {
		task_release(t);
		return -1;
	}
	TAILQ_INSERT_TAIL(&r->tasks, t, link);
	r->tasks_n++;
	*ret = t;
	return 0;
}

/* Takes on a job that the queue has handed out. False: it cannot be loaded now,
 * and since it holds its lane it must be tried again. */
static bool
begin(struct runner *r, struct job_id id)
{
	struct error e = ERROR_INIT;
	struct task *t = NULL;

	if (task_new(r, id, &t, &e) == 0) {
		task_open(t);
		return true;
	}
	/* It was cancelled meanwhile, and is forgotten already. */
	if (e.code == OVE_NOTFOUND)
		return true;
	log_error("runner", FIELDS(LF_I("job", id.v)),
	    "cannot be loaded, trying again: %s", e.text);
	timer_arm(&r->reload, RELOAD_MS);
	return false;
}

/* Takes the next job, if there is one. */
static bool
take_next(struct runner *r)
{
	struct error e = ERROR_INIT;
	/* Before it is taken: without a place it could be lost. */
	struct job_id *place = array_add(&r->unloaded, &e);

	if (place == NULL) {
		log_error("runner", NO_FIELDS, "jobs have to wait: %s", e.text);
		timer_arm(&r->reload, RELOAD_MS);
		return false;
	}
	if (queue_take(r->deps.queue, place) != 0) {
		array_remove(&r->unloaded, r->unloaded.n - 1);
		return false;
	}
	if (begin(r, *place))
		array_remove(&r->unloaded, r->unloaded.n - 1);
	return true;
}

void
runner_ready(struct runner *r)
{
	while (take_next(r))
		continue;
}

static void
on_reload(struct timer *tm)
{
	struct runner *r = container_of(tm, struct runner, reload);

	for (size_t i = 0; i < r->unloaded.n;) {
		if (begin(r, *(struct job_id *)array_at(&r->unloaded, i)))
			array_remove(&r->unloaded, i);
		else
			i++;
	}
	runner_ready(r);
}

/* A job that was running when the last daemon ended. */
static void
adopt(struct task *t)
{
	const struct job_step *s = task_last_step(t);
	struct error e = ERROR_INIT;
	int r;

	if (t->job.state == JOB_INTERRUPTED) {
		task_interrupted(t);
		return;
	}
	if (s == NULL || s->ended_at != 0 ||
	    (t->step = task_find_step(t->kind, s->name)) == NULL) {
		task_open(t);
		return;
	}
	if (t->step->work != NULL) {
		task_resume_work(t);
		return;
	}
	task_make_key(t, s->attempt);
	r = proctab_attach(
	    t->r->deps.proctab, t->key, task_run_ended, t->r, &e);
	if (r == PROCTAB_NONE && proctab_was_emptied(t->r->deps.proctab)) {
		task_vanished(t);
		return;
	}
	if (r == PROCTAB_NONE) {
		/* Recorded, but it was never started. */
		task_start(t);
		return;
	}
	if (r < 0) {
		/* It may be alive: nothing else may run before that is known.
		 */
		log_error("runner", FIELDS(LF_I("job", t->job.id.v)),
		    "cannot be taken over yet, trying again: %s", e.text);
		task_retry(t, adopt);
		return;
	}
	t->adopted = true;
	t->running = true;
	log_notice("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name)),
	    "goes on after a restart");
	if (t->cancel_asked)
		task_cancel(t);
}

/* Of all the runs of a job only the one that is attached to is of use. */
static bool
keep_run(const char *key, void *ctx)
{
	const struct task *t = task_find(ctx, task_id_of_key(key));

	return t != NULL && strcmp(t->key, key) == 0;
}

static int
adopt_all(struct runner *r, struct error *e)
{
	const unsigned states = 1u << JOB_RUNNING | 1u << JOB_INTERRUPTED;
	AUTO_ARRAY struct array ids;

	array_init(&ids, sizeof(struct job_id), SIZE_MAX / 16);
	if (queue_active(r->deps.queue, NULL, states, &ids, e) < 0)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		const struct job_id *id = array_at(&ids, i);
		struct task *t = NULL;

		if (task_new(r, *id, &t, e) < 0)
			return error_wrap(e, "take over job %" PRIu64, id->v);
		adopt(t);
	}
	return 0;
}

int
runner_recover(struct runner *r, struct error *e)
{
	unsigned swept;

	if (adopt_all(r, e) < 0)
		return -1;
	if (proctab_sweep(r->deps.proctab, keep_run, r, &swept, e) < 0)
		return -1;
	if (swept > 0)
		log_info("runner", NO_FIELDS,
		    "removed %u run directories of jobs that have ended",
		    swept);
	job_kinds_sweep(r);
	return 0;
}

int
runner_new(struct runner **ret, const struct runner_deps *deps,
    const struct runner_config *c, struct error *e)
{
	struct runner *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	TAILQ_INIT(&r->tasks);
	array_init(&r->unloaded, sizeof(struct job_id), UNLOADED_MAX);
	r->deps = *deps;
	r->config = *c;
	if (timer_init(&r->reload, deps->loop, on_reload, "runner reload", e) <
	    0) {
		mem_free(r);
		return -1;
	}
	*ret = r;
	return 0;
}

void
runner_configure(struct runner *r, const struct runner_config *c)
{
	r->config = *c;
}

void
runner_on_asked(struct runner *r, runner_asked_fn *fn, void *ctx)
{
	r->asked = fn;
	r->asked_ctx = ctx;
}

struct runner *
runner_free(struct runner *r)
{
	struct task *t;

	if (r == NULL)
		return NULL;
	while ((t = TAILQ_FIRST(&r->tasks)) != NULL) {
		TAILQ_REMOVE(&r->tasks, t, link);
		task_release(t);
	}
	timer_fini(&r->reload);
	array_fini(&r->unloaded);
	mem_free(r);
	return NULL;
}

unsigned
runner_tasks(const struct runner *r)
{
	return r->tasks_n;
}

struct job_id
runner_running(struct runner *r, const char *lane, const char **ret_step)
{
	struct task *t;

	TAILQ_FOREACH (t, &r->tasks, link)
		if (lane[0] != '\0' && strcmp(t->job.lane, lane) == 0) {
			*ret_step = t->step != NULL ? t->step->name : "";
			return t->job.id;
		}
	*ret_step = "";
	return (struct job_id){ 0 };
}

int
runner_output(struct runner *r, struct job_id id, size_t max, char **ret_stdout,
    char **ret_stderr, struct error *e)
{
	struct task *t = task_find(r, id);
	AUTO_FREE char *out = NULL;
	size_t len;

	if (t == NULL || !t->running)
		return RUNNER_NONE;
	if (proctab_read_output(r->deps.proctab, t->key, RUN_FILE_STDOUT, max,
		&out, &len, e) < 0 ||
	    proctab_read_output(r->deps.proctab, t->key, RUN_FILE_STDERR, max,
		ret_stderr, &len, e) < 0)
		return -1;
	*ret_stdout = STEAL(out);
	return 0;
}

int
runner_output_open(struct runner *r, struct job_id id, const char *which,
    char ret_key[PROCTAB_KEY_MAX], int *ret, struct error *e)
{
	struct task *t = task_find(r, id);
	const char *key;

	if (t == NULL)
		return RUNNER_NONE;
	key = t->running ? t->key : t->past_key;
	if (key[0] == '\0')
		return RUNNER_NONE;
	if (proctab_open_output(r->deps.proctab, key, which, ret, e) < 0)
		return -1;
	(void)snprintf(ret_key, PROCTAB_KEY_MAX, "%s", key);
	return 0;
}

bool
runner_output_grows(struct runner *r, struct job_id id, const char *key)
{
	struct task *t = task_find(r, id);

	return t != NULL && t->running && strcmp(t->key, key) == 0;
}
