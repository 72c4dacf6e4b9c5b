/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The engine that runs one job. The life of a task:
 *
 *   taken -> open (may already decide) -> write RUNNING + step begun -> command
 *   -> write step ended + next step begun -> command -> ... -> write step ended
 *   + final state + status record -> gone
 *
 * One write per arrow, each on disk before its effect. A write that fails (full
 * disk) is tried again every second; the job stays where it is meanwhile.
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

#include "daemon/changes.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "proto/runrec.h"

#define RESULT_MAX ((size_t)64 << 20)
#define RETRY_MS 1000

/* Notes of steps that are to be done again. */
#define NOTE_VANISHED "vanished"
#define NOTE_SHUTDOWN "interrupted by a shutdown"

void
task_release(struct task *t)
{
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

static void
task_gone(struct task *t)
{
	TAILQ_REMOVE(&t->r->tasks, t, link);
	t->r->tasks_n--;
	timer_stop(&t->retry);
	loop_retire(t->r->deps.loop, &t->retire, task_retired);
}

/* Mirrors in memory what was just written. */
static void
apply_written(struct task *t)
{
	struct job *j = &t->job;
	const struct job_change *c = &t->write.change;

	if (c->step_end != NULL)
		for (size_t i = j->steps_n; i-- > 0;)
			if (strcmp(j->steps[i].name, c->step_end->name) == 0 &&
			    j->steps[i].attempt == c->step_end->attempt) {
				j->steps[i] = *c->step_end;
				break;
			}
	if (c->next_attempt)
		j->attempt++;
	if (c->step_begin != NULL && j->steps_n < JOB_STEPS_MAX)
		j->steps[j->steps_n++] = *c->step_begin;
	if (c->state != JOB_STATE_COUNT)
		j->state = c->state;
	t->cancel_on_disk = t->cancel_on_disk || c->cancel_asked;
}

static void
tell_written(const struct task *t)
{
	struct events *ev = t->r->deps.events;
	const struct job_change *c = &t->write.change;

	if (c->step_end != NULL)
		change_step(ev, &t->job, c->step_end);
	if (c->step_begin != NULL)
		change_step(ev, &t->job, c->step_begin);
	if (t->write.record != NULL)
		change_record(ev, &t->job, t->kind->record, t->write.record);
}

static void
task_written(struct job_id id, const struct error *failed, void *ctx)
{
	struct runner *r = ctx;
	struct task *t = task_find(r, id);
	void (*then)(struct task *);

	if (t == NULL)
		return;
	t->write.under_way = false;
	if (failed != NULL) {
		log_warn("runner", FIELDS(LF_I("job", id.v)),
		    "a change is not written yet, trying again: %s",
		    failed->text);
		task_retry(t, task_write);
		return;
	}
	apply_written(t);
	tell_written(t);
	then = t->write.then;
	t->write.change = (struct job_change)JOB_CHANGE_INIT;
	t->write.record = t->write.spec = NULL;
	t->write.then = NULL;
	then(t);
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

/* A lack that passes by itself: full disks, full tables. */
static bool
passes(const struct error *e)
{
	return e->code == OVE_NOSPACE || e->code == OVE_BUSY ||
	    e->code == OVE_NOMEM || e->sys == EMFILE || e->sys == ENFILE;
}

static struct node *
make_spec(struct task *t)
{
	static const char *const members[] = { "director_file", "environment" };
	struct arena *a = &t->arena;
	struct node *spec = node_new(a, NODE_MAP);

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		struct node *n = node_get(t->payload, members[i]);

		if (n != NULL)
			node_set(a, spec, members[i], n);
	}
	node_set(a, spec, "job_id", node_int(a, (int64_t)t->job.id.v));
	node_set(a, spec, "applied_at",
	    node_float(a, (double)clock_wall_ms() / 1000.0));
	return spec;
}

/* Who asks what a project was deployed with gets what Director got. */
static int
put_spec(struct task *t, struct store_batch *b, struct error *e)
{
	if (!t->kind->has_record || t->kind->record != RECORD_UP ||
	    t->write.change.state != JOB_RUNNING || t->payload == NULL)
		return 0;
	if (t->write.spec == NULL)
		t->write.spec = make_spec(t);
	if (arena_check(&t->arena, e) < 0)
		return -1;
	return record_put_spec(b, t->job.name, t->write.spec, e);
}

static int
batch_of_write(struct task *t, struct store_batch *b, struct error *e)
{
	const struct job_step *begin = t->write.change.step_begin;
	const struct job_step *step =
	    begin != NULL ? begin : t->write.change.step_end;

	if (t->write.record != NULL &&
	    record_put(b, t->kind->record, t->job.name, t->write.record, e) < 0)
		return -1;
	if (step != NULL) {
		const struct record_run run = { step->started_at,
			step->ended_at };

		record_put_run(b, t->job.name, &run);
	}
	return put_spec(t, b, e);
}

void
task_write(struct task *t)
{
	AUTO_BATCH struct store_batch b;
	struct error e = ERROR_INIT;
	int r;

	store_batch_init(&b);
	t->write.change.cancel_asked = t->cancel_asked;
	r = batch_of_write(t, &b, &e);
	if (r == 0)
		r = queue_change(t->r->deps.queue, t->job.id, &t->write.change,
		    &b, task_written, t->r, &e);
	if (r == 0) {
		t->write.under_way = true;
		return;
	}
	if (r == QUEUE_NOTFOUND) {
		log_error("runner", FIELDS(LF_I("job", t->job.id.v)),
		    "has been ended by somebody else");
		task_gone(t);
		return;
	}
	if (r < 0)
		log_error("runner", FIELDS(LF_I("job", t->job.id.v)),
		    "cannot record a change: %s", e.text);
	task_retry(t, task_write);
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

/* A step whose command gave a result, in whatever attempt; the end that is
 * about to be written counts. */
static bool
step_is_done(const struct task *t, const char *name)
{
	const struct job_step *end = t->write.change.step_end;

	if (end != NULL && end->rc >= 0 && strcmp(end->name, name) == 0)
		return true;
	for (size_t i = 0; i < t->job.steps_n; i++)
		if (strcmp(t->job.steps[i].name, name) == 0 &&
		    t->job.steps[i].ended_at != 0 && t->job.steps[i].rc >= 0)
			return true;
	return false;
}

/* Steps are done in order: once one is done, those before it are past. */
static const struct step_row *
next_step(struct task *t)
{
	size_t i = t->kind->steps_n;

	while (i > 0 && !step_is_done(t, t->kind->steps[i - 1].name))
		i--;
	for (; i < t->kind->steps_n; i++)
		if (t->kind->steps[i].needed(t))
			return &t->kind->steps[i];
	return NULL;
}

const struct step_row *
task_find_step(const struct job_kind *k, const char *name)
{
	for (size_t i = 0; i < k->steps_n; i++)
		if (strcmp(k->steps[i].name, name) == 0)
			return &k->steps[i];
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
record_running(struct task *t, struct node *labels)
{
	const struct record rec = {
		.operation = "RUNNING",
		.job = t->job.id,
		.labels = labels,
	};

	return t->kind->has_record
	    ? record_to_node(&rec, clock_wall_ms(), &t->arena)
	    : NULL;
}

static void
finished(struct task *t)
{
	tidy_run(t);
	task_gone(t);
}

static char *
json_of(struct task *t, const struct node *n, size_t *ret_len)
{
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, RESULT_MAX);
	json_write(&text, n, JSON_COMPACT);
	if (strbuf_check(&text, NULL) < 0)
		return NULL;
	*ret_len = text.len;
	return arena_strndup(&t->arena, text.buf, text.len);
}

static bool
was_restarted(const struct task *t)
{
	return t->kind->record == RECORD_UP && step_is_done(t, "down");
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

	c->state = v->state;
	c->message = v->message != NULL ? v->message
	    : v->note != NULL           ? v->note
					: v->exception_message;
	t->write.record = record_of(t, v);
	if (t->write.record != NULL)
		c->result = json_of(t, t->write.record, &c->result_len);
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

	arena_fini(&t->scratch);
	if (t->step->command(t, &spec, e) < 0)
		return -1;
	r = proctab_start(
	    t->r->deps.proctab, t->key, &spec, task_run_ended, t->r, e);
	arena_fini(&t->scratch);
	return r == PROCTAB_FULL
	    ? error_set(e, OVE_BUSY, "too many commands run")
	    : r;
}

void
task_start(struct task *t)
{
	struct error e = ERROR_INIT;

	tidy_run(t);
	if (t->cancel_asked) {
		task_cancel_unstarted(t);
		return;
	}
	if (run_step(t, &e) < 0) {
		if (!passes(&e)) {
			task_fail(t, "OSError", &e);
			return;
		}
		log_warn("runner",
		    FIELDS(
			LF_I("job", t->job.id.v), LF_S("step", t->step->name)),
		    "not started yet, trying again: %s", e.text);
		task_retry(t, task_start);
		return;
	}
	t->running = true;
	log_info("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("step", t->step->name),
		LF_I("attempt", t->job.attempt)),
	    "started");
}

void
task_next(struct task *t)
{
	struct verdict v = { .state = JOB_COMPLETED };
	const struct step_row *s = next_step(t);

	if (s != NULL && t->cancel_asked) {
		task_cancel_unstarted(t);
		return;
	}
	if (s != NULL && t->write.change.step_end != NULL &&
	    t->kind->between != NULL &&
	    t->kind->between(t, &v) == TASK_VERDICT) {
		task_finish(t, &v);
		return;
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
		.attempt =
		    t->job.attempt + (t->write.change.next_attempt ? 1 : 0),
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
	struct verdict v = { .state = JOB_COMPLETED };
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
	t->write.record = record_running(t, v.labels);
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
	return !passes(&e);
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

/* Acts on how the command of the step has ended. */
static void
take_result(struct task *t)
{
	struct error e = ERROR_INIT;

	if (!read_outputs(t)) {
		task_retry(t, take_result);
		return;
	}
	switch (t->result.how) {
	case RUN_EXITED:
	case RUN_SIGNALLED:
		end_step(t, rc_of(&t->result), note_of(t, &t->result));
		task_next(t);
		return;
	case RUN_EXEC_FAILED:
		(void)error_set_errno(
		    &e, t->result.sys, "execute %s", t->r->config.director);
		task_fail(t, "OSError", &e);
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
