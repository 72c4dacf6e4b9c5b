/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A change of a job on its way to the disk: the record of the job, and with it
 * in one batch the status record, the time of the run, and what a project was
 * deployed with. It takes effect, and is told, when it is there. One that fails
 * (full disk) is tried again every second; the job stays where it is meanwhile.
 */
#include <string.h>

#include "daemon/changes.h"
#include "daemon/runner_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/data/node.h"

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
	if (t->write.up != NULL)
		change_record(ev, &t->job, RECORD_UP, t->write.up);
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
		task_tell_asked(t, failed);
		task_retry(t, task_write);
		return;
	}
	apply_written(t);
	if (t->write.change.cancel_asked)
		task_tell_asked(t, NULL);
	tell_written(t);
	then = t->write.then;
	t->write.change = (struct job_change)JOB_CHANGE_INIT;
	t->write.record = t->write.up = t->write.spec = NULL;
	t->write.then = NULL;
	then(t);
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
	bool is_begun = t->kind->has_record && t->kind->record == RECORD_UP &&
	    t->write.change.state == JOB_RUNNING && t->payload != NULL;

	if (is_begun && t->write.spec == NULL)
		t->write.spec = make_spec(t);
	if (t->write.spec == NULL)
		return 0;
	if (arena_check(&t->arena, e) < 0)
		return -1;
	return record_put_spec(b, t->job.name, t->write.spec, e);
}

static bool
is_of_director(const struct task *t, const struct job_step *s)
{
	const struct step_row *row =
	    s != NULL ? task_find_step(t->kind, s->name) : NULL;

	return row != NULL && (row->flags & STEP_APART) == 0;
}

static int
batch_of_write(struct task *t, struct store_batch *b, struct error *e)
{
	const struct job_step *begin = t->write.change.step_begin;
	const struct job_step *end = t->write.change.step_end;
	const struct job_step *step = is_of_director(t, begin) ? begin
	    : is_of_director(t, end)                           ? end
							       : NULL;

	if (t->write.record != NULL &&
	    record_put(b, t->kind->record, t->job.name, t->write.record, e) < 0)
		return -1;
	if (t->write.up != NULL &&
	    record_put(b, RECORD_UP, t->job.name, t->write.up, e) < 0)
		return -1;
	/* If the project is there all the same, the note goes. */
	if (t->kind->has_record && t->kind->record == RECORD_DOWN &&
	    job_state_is_finished(t->write.change.state))
		record_note_gone(
		    b, RECORD_GONE_PROJECT, t->job.name, clock_wall_ms());
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
	if (r < 0) {
		log_error("runner", FIELDS(LF_I("job", t->job.id.v)),
		    "cannot record a change: %s", e.text);
		task_tell_asked(t, &e);
	}
	task_retry(t, task_write);
}
