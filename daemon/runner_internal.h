/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the files of the runner share: a task is a job that this daemon works
 * on. Private to runner.c, runner_cancel.c and the tables of steps.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/inventory.h"
#include "daemon/labels.h"
#include "daemon/ports.h"
#include "daemon/record.h"
#include "daemon/runner.h"
#include "daemon/vm_work.h"
#include "lib/base/array.h"
#include "lib/event/loop.h"
#include "lib/event/proctab.h"
#include "lib/store/queue.h"

struct node;
struct task;

/* What a job came to. */
struct verdict {
	enum job_state state;
	/* NULL: no status record is written. */
	const char *operation;
	struct node *output;
	struct node *labels;
	const char *exception_type;
	const char *exception_message;
	/* Why it is not well; "" or NULL when it is. */
	const char *message;
	/* What was noticed although all is well: for the job only. */
	const char *note;
};

enum step_flags {
	/* May be interrupted by a cancel; else it is left to finish. */
	STEP_CANCELS = 1,
	/* Completes the step before it, a cancel or not. */
	STEP_COMPLETES = 2,
	/* Not a command of Director: its lock is nothing to do with it. */
	STEP_APART = 4,
	/* Goes well whatever comes of it. */
	STEP_TRIES = 8,
	/* What it does, and whether it is needed, is in t->look. */
	STEP_LOOKS = 16,
	/* A new attempt does it again. */
	STEP_ANEW = 32,
};

/* A command that outlives us, or work on the loop, which is begun anew by a
 * daemon that finds it without an end. */
struct step_row {
	const char *name;
	int flags;
	bool (*needed)(struct task *t);
	/* Fills argv and envp, in the task's scratch. NULL: it is work. */
	int (*command)(struct task *t, struct run_spec *spec, struct error *e);
	/* Tidies after the command has ended, also when it was lost. May be
	 * NULL. */
	void (*tidy)(struct task *t);
	/* Begins the work; task_work_ended() is called later. */
	int (*work)(struct task *t, struct error *e);
};

struct job_kind {
	const char *name;
	bool has_record;
	enum record_kind record;
	const struct step_row *steps;
	size_t steps_n;
	/* Understands the payload, once. -1: OVE_NOMEM, or it is no such job.
	 * May be NULL. */
	int (*load)(struct task *t, struct error *e);
	/* Before the first step of an attempt: 0 go on, and v->operation is
	 * what the record says meanwhile (NULL: nothing yet), TASK_VERDICT: the
	 * job ends here, TASK_WAITS: whoever it waits for calls task_open()
	 * again. */
	int (*open)(struct task *t, struct verdict *v);
	/* Before each further step: 0, and v->operation is what the record says
	 * from now on (NULL: as before), or TASK_VERDICT. May be NULL. */
	int (*between)(struct task *t, struct verdict *v);
	/* After the last step. */
	void (*close)(struct task *t, struct verdict *v);
	/* Puts any end, also one that the engine makes, into the words of the
	 * kind's records. May be NULL. */
	void (*settle)(struct task *t, struct verdict *v);
};
enum {
	TASK_VERDICT = 1,
	TASK_WAITS = 2
};

/* Never NULL: a word that is no kind gets a kind that fails. */
const struct job_kind *job_kind_find(const char *name);
/* Removes what jobs that have ended left outside their run directories. */
void job_kinds_sweep(struct runner *r);

struct task {
	TAILQ_ENTRY(task) link;
	struct runner *r;
	/* The job, its payload, what is parsed and built for it. */
	struct arena arena;
	/* What is needed to start a command, and no longer. */
	struct arena scratch;
	/* steps has room for JOB_STEPS_MAX; kept like the record on disk. */
	struct job job;
	struct node *payload;
	const struct job_kind *kind;
	/* The step whose command runs or is about to, or NULL. */
	const struct step_row *step;
	char key[PROCTAB_KEY_MAX];
	/* The step whose command has ended but may not be recorded yet. */
	const struct step_row *past;
	char past_key[PROCTAB_KEY_MAX];
	/* Of the last command that ended; texts may be NULL, and hold NUL. */
	struct run_result result;
	char *out;
	size_t out_len;
	char *err;
	bool cancel_asked;
	/* And a restarted daemon would know. */
	bool cancel_on_disk;
	/* Director's lock was a dead one of ours. */
	bool lock_removed;
	/* What the retry timer calls: what could not be done before. */
	void (*again)(struct task *t);
	/* Its run is an earlier daemon's. */
	bool adopted;
	/* Its command runs, so far as we know. */
	bool running;
	/* Its step is work on the loop, which is under way. */
	bool working;
	/* The end of an earlier command is being read again, for close(). */
	bool rereading;
	/* And there was nothing left to read. */
	bool output_lost;
	/* A `cancel` for it runs. */
	bool cancelling;
	/* The last pause before it was asked again to end. */
	int64_t ask_again_ms;
	/* What the project is like, as read since the last command that may
	 * have changed it; else who reads it, and what comes then. */
	bool has_look;
	struct project_look look;
	struct lookup_id looking;
	void (*after_look)(struct task *t);
	/* Of the special labels: what there is to do, who does it, what came of
	 * it (NULL: nothing yet). */
	struct labels_plan labels_plan;
	struct labels_id labels_work;
	struct node *labels;
	/* Who looks for free ports. */
	struct ports_id ports_work;
	/* Of a job that makes a VM; who works on its files. */
	struct vm_job *vm;
	struct vm_work_id vm_work;
	/* Of a cancel job: moves of queued jobs that are being written, those
	 * that are on disk, whether one could not be written, and the job that
	 * ran, with what runner_cancel() said of it and its step. */
	unsigned moves_n;
	unsigned moved_n;
	bool move_failed;
	struct job_id asked;
	int asked_how;
	const char *asked_step;
	/* The change that is being written, kept until it is on disk. */
	struct {
		struct job_change change;
		struct job_step begin;
		struct job_step end;
		struct node *record;
		/* That of the project, where `record` is the VM's; NULL: as it
		 * is. */
		struct node *up;
		/* What the project is deployed with; NULL: as it is. */
		struct node *spec;
		void (*then)(struct task *t);
		bool under_way;
	} write;
	struct timer retry;
	struct retire retire;
};

TAILQ_HEAD(task_list, task);

struct runner {
	struct runner_deps deps;
	struct runner_config config;
	runner_asked_fn *asked;
	void *asked_ctx;
	struct task_list tasks;
	unsigned tasks_n;
	/* Ids of jobs that were taken and could not be loaded yet. */
	struct array unloaded;
	struct timer reload;
};

struct task *task_find(struct runner *r, struct job_id id);
/* The job that a run directory's name is about; 0 for no job. */
struct job_id task_id_of_key(const char *key);
/* Frees a task that is on no list. */
void task_release(struct task *t);

/* Decides what a job begins with; moves it to RUNNING when it is not. */
void task_open(struct task *t);
/* Begins the next step, or ends the job, in the change that is being built. */
void task_next(struct task *t);
/* Runs the command of the step that is on disk as begun. */
void task_start(struct task *t);
/* The work of the step has ended with this status, and a line to note. */
void task_work_ended(struct task *t, int rc, const char *note);
/* It has failed, and with it the job. */
void task_work_failed(struct task *t, const struct verdict *v);
/* Begins work again that was under way when the last daemon ended. */
void task_resume_work(struct task *t);
/* For proctab: a command of a job has ended. */
void task_run_ended(const char *key, const struct run_result *res, void *ctx);
/* The command of the step that is on disk as begun has left no trace. */
void task_vanished(struct task *t);
/* An INTERRUPTED job: to the queue again, or given up. */
void task_interrupted(struct task *t);
/* Whether it is known what the project is like. False: then() is called when it
 * is. */
bool task_has_look(struct task *t, void (*then)(struct task *t));
/* That is not called any more. Idempotent. */
void task_stop_look(struct task *t);
/* A lack that passes by itself: full disks, full tables. */
bool task_passes(const struct error *e);
/* Calls again() after a pause for what may be mended meanwhile, or after so
 * many milliseconds. */
void task_retry(struct task *t, void (*again)(struct task *t));
void task_retry_in(struct task *t, void (*again)(struct task *t), int64_t ms);
/* Ends a job, of which no command runs, as CANCELLED. */
void task_cancel_unstarted(struct task *t);
/* Ends the job, and the step in hand, as FAILED with an exception. */
void task_fail(struct task *t, const char *type, const struct error *e);
/* The task is over: nothing is left of it after this turn. */
void task_gone(struct task *t);
/* Writes task->write; then() runs when it is on disk. Tries again by itself
 * when it cannot be written now. */
void task_write(struct task *t);
void task_retry_due(struct timer *tm);

/* NULL when no step was begun yet. */
const struct job_step *task_last_step(const struct task *t);
const struct step_row *task_find_step(
    const struct job_kind *k, const char *name);
/* The note of the last time that this step was done, in whatever attempt; NULL:
 * it was not. */
const char *task_note(const struct task *t, const char *step);
/* The step was done, in this attempt unless any counts. */
bool task_has_done(const struct task *t, const char *step, bool any_attempt);
/* The step before the last whose command has ended; NULL: there is none. */
const struct job_step *task_past_command(const struct task *t);
/* Sets the key of the step's run in this attempt. */
void task_make_key(struct task *t, unsigned attempt);
/* The step that reserves ports notes them as "NAME=PORT NAME=PORT". */
#define STEP_RESERVE "reserve"
/* The environment of a command of this job (runtime.md 1.7), in its scratch;
 * NULL when that is full. */
const char *const *task_environment(struct task *t, struct error *e);
/* Sends Director's cancel, then TERM if that fails. */
void task_cancel(struct task *t);
/* Tells who listens, if the job was asked to end. */
void task_tell_asked(const struct task *t, const struct error *failed);
/* The `open` of a cancel job, which does all its work. */
int cancel_open(struct task *t, struct verdict *v);
