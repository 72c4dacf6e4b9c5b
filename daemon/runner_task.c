/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The engine that runs one job. The life of a task:
 *
 *   taken -> open (may already decide) -> write RUNNING + step begun -> command
 *   -> write step ended + next step begun -> command -> ... -> write step ended
 *   + final state + status record -> gone
 *
 * One write per arrow (runner_write.c), each on disk before its effect.
 *
 * A step may also be work on the loop, which whoever finds it without an end
 * begins anew.
 *
 * A command's run directory is removed only after the write that records its
 * end, so a daemon that dies between the two finds the result again. A run that
 * vanished makes the job INTERRUPTED, and QUEUED again while attempts are left.
 */
#include "daemon/runner_internal.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "proto/runrec.h"

#define RESULT_MAX ((size_t)64 << 20)
#define RETRY_MS 1000
/* What a shell says of a command that it does not find. */
#define NOT_EXECUTED 127

/* Notes of steps that are to be done again. */
#define NOTE_VANISHED "vanished"
#define NOTE_SHUTDOWN "interrupted by a shutdown"

void
task_release(struct task *t)
{
	task_stop_look(t);
	if (t->labels_work.v != 0)
		labels_cancel(t->r->deps.labels, t->labels_work);
	if (t->ports_work.v != 0)
		ports_cancel(t->r->deps.ports, t->ports_work);
	if (t->vm_work.v != 0)
		vm_work_cancel(t->r->deps.vm_work, t->vm_work);
	timer_fini(&t->retry);
	mem_free(t->out);
	mem_free(t->err);
	arena_fini(&t->arena);
	arena_fini(&t->scratch);
	mem_free(t);
}

static void
task_retired(struct retire *rt)
{
	task_release(container_of(rt, struct task, retire));
}

void
task_gone(struct task *t)
{
	task_tell_asked(t, NULL);
	TAILQ_REMOVE(&t->r->tasks, t, link);
	t->r->tasks_n--;
	timer_stop(&t->retry);
	loop_retire(t->r->deps.loop, &t->retire, task_retired);
}

void
task_retry_in(struct task *t, void (*again)(struct task *t), int64_t ms)
{
	t->again = again;
	timer_arm(&t->retry, ms);
}

void
task_retry(struct task *t, void (*again)(struct task *t))
{
	task_retry_in(t, again, RETRY_MS);
}

bool
task_passes(const struct error *e)
{
	return e->code == OVE_NOSPACE || e->code == OVE_BUSY ||
	    e->code == OVE_NOMEM || e->sys == EMFILE || e->sys == ENFILE;
}

void
task_retry_due(struct timer *tm)
{
	struct task *t = container_of(tm, struct task, retry);

	t->again(t);
}

/* Steps */

const struct job_step *
task_last_step(const struct task *t)
{
	return t->job.steps_n > 0 ? &t->job.steps[t->job.steps_n - 1] : NULL;
}

static bool
is_result(const struct job_step *s, const char *name)
{
	return s->rc >= 0 && s->ended_at != 0 && strcmp(s->name, name) == 0;
}

/* The last time that a step gave a result; the end that is about to be written
 * counts. NULL: it gave none. */
static const struct job_step *
last_result(const struct task *t, const char *name)
{
	const struct job_step *end = t->write.change.step_end;

	if (end != NULL && is_result(end, name))
		return end;
	for (size_t i = t->job.steps_n; i-- > 0;)
		if (is_result(&t->job.steps[i], name))
			return &t->job.steps[i];
	return NULL;
}

/* The one that runs, or is about to begin. */
static unsigned
attempt_of(const struct task *t)
{
	return t->job.attempt + (t->write.change.next_attempt ? 1 : 0);
}

bool
task_has_done(const struct task *t, const char *step, bool any_attempt)
{
	const struct job_step *s = last_result(t, step);

	return s != NULL && (any_attempt || s->attempt == attempt_of(t));
}

const char *
task_note(const struct task *t, const char *step)
{
	const struct job_step *s = last_result(t, step);

	return s != NULL ? s->note : NULL;
}

/* Steps are done in order: once one is done, those before it are past. False:
 * which is the next has to be looked up, task_next() is called then. */
static bool
next_step(struct task *t, const struct step_row **ret)
{
	const struct step_row *rows = t->kind->steps;
	size_t i = t->kind->steps_n;

	*ret = NULL;
	while (i > 0 &&
	    !task_has_done(
		t, rows[i - 1].name, (rows[i - 1].flags & STEP_ANEW) == 0))
		i--;
	for (; i < t->kind->steps_n; i++) {
		if ((rows[i].flags & STEP_LOOKS) != 0 &&
		    !task_has_look(t, task_next))
			return false;
		if (rows[i].needed(t)) {
			*ret = &rows[i];
			break;
		}
	}
	return true;
}

const struct step_row *
task_find_step(const struct job_kind *k, const char *name)
{
	for (size_t i = 0; i < k->steps_n; i++)
		if (strcmp(k->steps[i].name, name) == 0)
			return &k->steps[i];
	return NULL;
}

const struct job_step *
task_past_command(const struct task *t)
{
	for (size_t i = t->job.steps_n; i-- > 0;) {
		const struct job_step *s = &t->job.steps[i];
		const struct step_row *row = task_find_step(t->kind, s->name);

		if (row != NULL && row->command != NULL && s->ended_at != 0 &&
		    s->rc >= 0)
			return s;
	}
	return NULL;
}

void
task_make_key(struct task *t, unsigned attempt)
{
	(void)snprintf(t->key, sizeof(t->key), "%" PRIu64 ".%s.%u", t->job.id.v,
	    t->step->name, attempt);
}

/* Ends the step in hand within the change that is being built. */
static void
end_step(struct task *t, int rc, const char *note)
{
	const struct job_step *s = task_last_step(t);

	if (s == NULL || s->ended_at != 0)
		return;
	t->write.end = *s;
	t->write.end.ended_at = clock_wall_ms();
	t->write.end.rc = rc;
	t->write.end.note = note;
	t->write.change.step_end = &t->write.end;
}

/* Once its end is on disk, the directory of a run is of no more use. */
static void
tidy_run(struct task *t)
{
	struct error e = ERROR_INIT;

	if (t->past_key[0] == '\0')
		return;
	if (proctab_remove(t->r->deps.proctab, t->past_key, &e) < 0)
		log_debug(
		    "runner", FIELDS(LF_S("run", t->past_key)), "%s", e.text);
	if (t->past != NULL && t->past->tidy != NULL)
		t->past->tidy(t);
	t->past_key[0] = '\0';
	t->past = NULL;
}

static struct node *
record_meanwhile(struct task *t, const struct verdict *v)
{
	const struct record rec = {
		.operation = v->operation,
		.job = t->job.id,
		.labels = v->labels,
	};

	return t->kind->has_record && v->operation != NULL
	    ? record_to_node(&rec, clock_wall_ms(), &t->arena)
	    : NULL;
}

static void
finished(struct task *t)
{
	tidy_run(t);
	task_gone(t);
}

static bool
was_restarted(const struct task *t)
{
	return t->kind->record == RECORD_UP && task_has_done(t, "down", true);
}

static struct node *
record_of(struct task *t, const struct verdict *v)
{
	const struct record rec = {
		.operation = v->operation,
		.job = t->job.id,
		.output = v->output,
		.labels = v->labels,
		.exception_type = v->exception_type,
		.exception_message = v->exception_message,
		.message = v->message,
		.has_restarted =
		    t->kind->record == RECORD_UP && v->output != NULL,
		.restarted = was_restarted(t),
	};

	if (!t->kind->has_record || v->operation == NULL)
		return NULL;
	return record_to_node(&rec, clock_wall_ms(), &t->arena);
}

static void
task_finish(struct task *t, const struct verdict *v)
{
	struct job_change *c = &t->write.change;
	struct verdict end = *v;
	const struct node *result;

	if (t->kind->settle != NULL)
		t->kind->settle(t, &end);
	c->state = end.state;
	c->message = end.message != NULL ? end.message
	    : end.note != NULL           ? end.note
					 : end.exception_message;
	t->write.record = record_of(t, &end);
	result = t->write.record != NULL ? t->write.record : t->write.up;
	if (result != NULL)
		c->result = json_text(
		    result, JSON_COMPACT, RESULT_MAX, &t->arena, NULL);
	if (c->result != NULL)
		c->result_len = strlen(c->result);
	t->write.then = finished;
	task_write(t);
}

void
task_fail(struct task *t, const char *type, const struct error *e)
{
	const struct verdict v = {
		.state = JOB_FAILED,
		.operation = "FAILED",
		.exception_type = type,
		.exception_message = arena_strdup(&t->arena, e->text),
	};

	end_step(t, -1, v.exception_message);
	task_finish(t, &v);
}

void
task_cancel_unstarted(struct task *t)
{
	const struct verdict v = {
		.state = JOB_CANCELLED,
		/* What never began leaves the record of what did. */
		.operation = t->job.steps_n > 0 ? "INCOMPLETED" : NULL,
		.output = node_new(&t->arena, NODE_MAP),
		.labels = t->labels,
		.message = "cancelled",
	};

	if (t->write.change.step_end == NULL)
		end_step(t, -1, "cancelled before it began");
	task_finish(t, &v);
}

static int
run_step(struct task *t, struct error *e)
{
	struct run_spec spec = {
		.deadline_ms = t->r->config.execution_ms,
		.output_max = t->r->config.output_max,
	};
	int r;

	if (t->step->work != NULL)
		return t->step->work(t, e);
	arena_fini(&t->scratch);
	r = t->step->command(t, &spec, e) < 0
	    ? -1
	    : proctab_start(
		  t->r->deps.proctab, t->key, &spec, task_run_ended, t->r, e);
	/* It may be cancelled before it can start. */
	if (r != 0 && t->step->tidy != NULL)
		t->step->tidy(t);
	arena_fini(&t->scratch);
	return r == PROCTAB_FULL
	    ? error_set(e, OVE_BUSY, "too many commands run")
	    : r;
}

void
task_work_failed(struct task *t, const struct verdict *v)
{
	t->working = false;
	end_step(t, -1, v->message != NULL ? v->message : v->exception_message);
	task_finish(t, v);
}

/* What cannot be executed is no reason to give up a step that only tries. */
static void
step_failed(struct task *t, const struct error *e)
{
	if ((t->step->flags & STEP_TRIES) == 0) {
		task_fail(t, "OSError", e);
		return;
	}
	end_step(t, NOT_EXECUTED, arena_strdup(&t->arena, e->text));
	task_next(t);
}

static void
start_later(struct task *t, const struct error *why)
{
	log_warn("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name)),
	    "not started yet, trying again: %s", why->text);
	task_retry(t, task_start);
}

void
task_start(struct task *t)
{
	struct error e = ERROR_INIT;

	if ((t->step->flags & STEP_LOOKS) != 0 && !task_has_look(t, task_start))
		return;
	/* What the last command has said is of use until the job ends. */
	if (t->step->work == NULL)
		tidy_run(t);
	if (t->cancel_asked && (t->step->flags & STEP_COMPLETES) == 0) {
		task_cancel_unstarted(t);
		return;
	}
	if (run_step(t, &e) < 0) {
		if (!task_passes(&e)) {
			step_failed(t, &e);
			return;
		}
		start_later(t, &e);
		return;
	}
	t->running = t->step->work == NULL;
	t->working = !t->running;
	log_info("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name),
		LF_I("attempt", t->job.attempt)),
	    "started");
}

void
task_work_ended(struct task *t, int rc, const char *note)
{
	t->working = false;
	log_info("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name),
		LF_I("rc", rc)),
	    "ended");
	end_step(t, rc, note);
	task_next(t);
}

void
task_next(struct task *t)
{
	struct verdict v = { .state = JOB_COMPLETED };
	const struct step_row *s;

	if (!next_step(t, &s))
		return;
	if (s != NULL && t->cancel_asked && (s->flags & STEP_COMPLETES) == 0) {
		task_cancel_unstarted(t);
		return;
	}
	if (s != NULL && t->write.change.step_end != NULL &&
	    t->kind->between != NULL) {
		if (t->kind->between(t, &v) == TASK_VERDICT) {
			task_finish(t, &v);
			return;
		}
		if (v.operation != NULL)
			t->write.record = record_meanwhile(t, &v);
	}
	if (s == NULL) {
		t->kind->close(t, &v);
		/* Without memory it has not seen what there is to see. */
		if (t->arena.latch == OVE_NOMEM) {
			t->arena.latch = OVE_NONE;
			task_retry(t, task_next);
			return;
		}
		task_finish(t, &v);
		return;
	}
	t->write.begin = (struct job_step){
		.name = s->name,
		.attempt = attempt_of(t),
		.started_at = clock_wall_ms(),
		.note = "",
		.rc = -1,
	};
	t->write.change.step_begin = &t->write.begin;
	t->write.then = task_start;
	t->step = s;
	task_make_key(t, t->write.begin.attempt);
	task_write(t);
}

static void
give_up(struct task *t, struct verdict *v)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->job.steps_n; i++)
		n += t->job.steps[i].rc < 0;
	*v = (struct verdict){
		.state = JOB_FAILED,
		.operation = "FAILED",
		.exception_type = "Interrupted",
		.exception_message = arena_printf(
		    &t->arena, "interrupted %u times, no attempt is left", n),
	};
}

/* As the kind's open(). A record holds so many steps and no more: an attempt
 * begins only if all of it finds room there. */
static int
open_kind(struct task *t, struct verdict *v)
{
	if (t->job.steps_n + t->kind->steps_n <= JOB_STEPS_MAX)
		return t->kind->open(t, v);
	give_up(t, v);
	return TASK_VERDICT;
}

void
task_open(struct task *t)
{
	struct verdict v = {
		.state = JOB_COMPLETED,
		.operation = t->kind->has_record ? "RUNNING" : NULL,
	};
	int r = open_kind(t, &v);
	bool decided = r == TASK_VERDICT;

	if (r == TASK_WAITS)
		return;
	if (t->job.state == JOB_RUNNING) {
		if (decided) {
			task_finish(t, &v);
			return;
		}
	} else {
		t->write.change.state = JOB_RUNNING;
		t->write.change.next_attempt = true;
		if (decided) {
			/* Two moves, since a job ends only while it runs; it
			 * is decided again after the first. */
			t->write.then = task_open;
			task_write(t);
			return;
		}
	}
	t->write.record = record_meanwhile(t, &v);
	task_next(t);
}

/* Ends of commands */

static int
rc_of(const struct run_result *res)
{
	if (res->how == RUN_SIGNALLED)
		return 128 + res->signo;
	return res->how == RUN_EXITED ? res->code : -1;
}

static unsigned
times_vanished(const struct task *t)
{
	unsigned n = 0;

	for (size_t i = 0; i < t->job.steps_n; i++)
		n += strcmp(t->job.steps[i].note, NOTE_VANISHED) == 0;
	return n;
}

/* The job goes back to the queue, which will say when it may run again. */
static void
requeued(struct task *t)
{
	tidy_run(t);
	/* Asked while that was written. */
	if (t->cancel_asked)
		task_cancel_unstarted(t);
	else
		task_gone(t);
}

void
task_interrupted(struct task *t)
{
	tidy_run(t);
	if (times_vanished(t) >= t->r->config.max_attempts) {
		struct verdict v;

		give_up(t, &v);
		task_finish(t, &v);
		return;
	}
	t->write.change.state = JOB_QUEUED;
	t->write.then = requeued;
	task_write(t);
}

static void
run_lost(struct task *t, const char *note)
{
	log_warn("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name)), "%s",
	    note);
	end_step(t, -1, note);
	if (t->cancel_asked) {
		task_cancel_unstarted(t);
		return;
	}
	t->write.change.state = JOB_INTERRUPTED;
	t->write.then = task_interrupted;
	task_write(t);
}

void
task_vanished(struct task *t)
{
	run_lost(t, NOTE_VANISHED);
}

/* The daemon that was starting it died in between. A helper that dies again and
 * again must not be started for ever, though. */
static void
unbegun(struct task *t)
{
	if (!t->adopted) {
		task_vanished(t);
		return;
	}
	t->adopted = false;
	task_start(t);
}

static const char *
note_of(struct task *t, const struct run_result *res)
{
	if (res->timed_out)
		return arena_printf(&t->arena,
		    "stopped at execution_time (%" PRId64 " s)",
		    t->r->config.execution_ms / 1000);
	return res->cancelled || t->cancel_asked ? "cancelled" : "";
}

/* False when it is to be read again. */
static bool
read_output(struct task *t, const char *which, char **ret, size_t *ret_len)
{
	struct error e = ERROR_INIT;

	mem_free(STEAL(*ret));
	*ret_len = 0;
	if (proctab_read_output(t->r->deps.proctab, t->key, which,
		t->r->config.output_max, ret, ret_len, &e) == 0)
		return true;
	log_warn("runner", FIELDS(LF_I("job", t->job.id.v)),
	    "cannot read what the command said: %s", e.text);
	return !task_passes(&e);
}

static bool
read_outputs(struct task *t)
{
	size_t len;

	if (!read_output(t, RUN_FILE_STDOUT, &t->out, &t->out_len) ||
	    !read_output(t, RUN_FILE_STDERR, &t->err, &len))
		return false;
	/* A record is JSON, which holds every character but this. */
	for (size_t i = 0; t->err != NULL && i < len; i++)
		if (t->err[i] == '\0')
			t->err[i] = '?';
	return true;
}

/* Goes on with the work that came after the command. */
static void
reread(struct task *t)
{
	const struct job_step *s = task_last_step(t);

	/* The machine was restarted since: what the record says has to do. */
	if (t->result.how != RUN_EXITED && t->result.how != RUN_SIGNALLED) {
		t->result = (struct run_result){ .how = RUN_EXITED,
			.code = task_past_command(t)->rc };
		t->output_lost = true;
	}
	t->rereading = false;
	t->step = task_find_step(t->kind, s->name);
	task_make_key(t, s->attempt);
	task_start(t);
}

void
task_resume_work(struct task *t)
{
	const struct job_step *past = task_past_command(t);
	struct error e = ERROR_INIT;
	int r;

	if (past == NULL) {
		task_start(t);
		return;
	}
	t->rereading = true;
	t->step = task_find_step(t->kind, past->name);
	task_make_key(t, past->attempt);
	r = proctab_attach(
	    t->r->deps.proctab, t->key, task_run_ended, t->r, &e);
	if (r == 0)
		return;
	if (r < 0 && task_passes(&e)) {
		task_retry(t, task_resume_work);
		return;
	}
	t->result = (struct run_result){ .how = RUN_VANISHED };
	reread(t);
}

/* The command has not begun. What was short (memory, processes, room on the
 * disk) may be there again in a moment. */
static void
exec_failed(struct task *t)
{
	struct error e = ERROR_INIT;

	if ((t->step->flags & STEP_APART) != 0)
		(void)error_set_errno(&e, t->result.sys,
		    "execute the command of '%s'", t->step->name);
	else
		(void)error_set_errno(
		    &e, t->result.sys, "execute %s", t->r->config.director);
	if (task_passes(&e))
		start_later(t, &e);
	else
		step_failed(t, &e);
}

/* Acts on how the command of the step has ended. */
static void
take_result(struct task *t)
{
	if (!read_outputs(t)) {
		task_retry(t, take_result);
		return;
	}
	if (t->rereading) {
		reread(t);
		return;
	}
	switch (t->result.how) {
	case RUN_EXITED:
	case RUN_SIGNALLED:
		end_step(t, rc_of(&t->result), note_of(t, &t->result));
		task_next(t);
		return;
	case RUN_EXEC_FAILED:
		exec_failed(t);
		return;
	case RUN_INTERRUPTED:
		run_lost(t, NOTE_SHUTDOWN);
		return;
	case RUN_VANISHED:
		task_vanished(t);
		return;
	case RUN_UNBEGUN:
		unbegun(t);
		return;
	}
}

static void
command_ended(struct task *t, const struct run_result *res)
{
	t->running = false;
	t->has_look = t->has_look && (t->step->flags & STEP_APART) != 0;
	t->result = *res;
	(void)snprintf(t->past_key, sizeof(t->past_key), "%s", t->key);
	t->past = t->step;
	log_info("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name),
		LF_I("rc", rc_of(res))),
	    "ended");
	take_result(t);
}

struct job_id
task_id_of_key(const char *key)
{
	uint64_t v = 0;

	if (num_u64_len(key, strcspn(key, "."), 1, UINT64_MAX, &v, NULL) < 0)
		v = 0;
	return (struct job_id){ v };
}

void
task_run_ended(const char *key, const struct run_result *res, void *ctx)
{
	struct runner *r = ctx;
	struct task *t = task_find(r, task_id_of_key(key));

	if (t != NULL && strcmp(t->key, key) == 0)
		command_ended(t, res);
}
