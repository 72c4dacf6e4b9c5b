/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Runs jobs: takes what the queue says is ready, runs the steps of its kind as
 * commands that outlive us, and writes what came of it. Everything it does is
 * recorded before it takes effect, so that recovery after a crash is the normal
 * path entered in the middle: a step that was begun is attached to again.
 */
#pragma once

#include "lib/event/proctab.h"
#include "lib/store/job.h"

struct events;
struct inventory;
struct labels;
struct loop;
struct ports;
struct programs;
struct queue;
struct runner;
struct store;
struct vm_work;

/* Borrowed until the next runner_configure(). */
struct runner_config {
	const struct programs *programs;
	/* As the configuration calls it, for messages. */
	const char *director;
	/* AppJail's directory of jails. */
	const char *jails;
	const char *metadata;
	const char *namespaces;
	/* Downloaded parts of FreeBSD, AppJail's images. */
	const char *components;
	const char *images;
	const char *serverid;
	/* Ours, which commands inherit. */
	const char *const *environment;
	/* 0: no limit. */
	int64_t execution_ms;
	unsigned max_attempts;
	/* Bytes kept of each output of a command. */
	size_t output_max;
};

struct runner_deps {
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	struct proctab *proctab;
	struct inventory *inventory;
	struct labels *labels;
	struct ports *ports;
	struct vm_work *vm_work;
	/* NULL: nothing is told. */
	struct events *events;
};

int runner_new(struct runner **ret, const struct runner_deps *deps,
    const struct runner_config *c, struct error *e);
void runner_configure(struct runner *r, const struct runner_config *c);
/* At start: goes on with every job that was running, removes what is left of
 * jobs that have ended. */
int runner_recover(struct runner *r, struct error *e);
/* Takes what may run; for the queue's hook. */
void runner_ready(struct runner *r);
/* Forgets the jobs without touching their commands. */
struct runner *runner_free(struct runner *r);
AUTO_DEFINE(runner)

/* A job was asked to end, and that is on disk; or could not be written, and
 * then it ends only as long as this daemon lives. A job that has ended
 * meanwhile counts as asked. */
typedef void runner_asked_fn(
    struct job_id id, const struct error *failed, void *ctx);
/* Told for each job that is asked, by whomever; one listener, NULL for none. */
void runner_on_asked(struct runner *r, runner_asked_fn *fn, void *ctx);

/* Asks a running job to end; 0: runner_asked_fn is told later how that went.
 * RUNNER_NONE: it does not run here. RUNNER_FINISHES: it is at a step that is
 * left to finish. *ret_step: the step's name or "". -1: it is asked, and that
 * cannot be recorded. */
enum {
	RUNNER_NONE = 1,
	RUNNER_FINISHES = 2
};
int runner_cancel(
    struct runner *r, struct job_id id, const char **ret_step, struct error *e);
/* The job of this lane that runs, or 0; and its step. */
struct job_id runner_running(
    struct runner *r, const char *lane, const char **ret_step);
/* Tails of the outputs of the command that runs for a job. RUNNER_NONE when
 * none does. To mem_free(). */
int runner_output(struct runner *r, struct job_id id, size_t max,
    char **ret_stdout, char **ret_stderr, struct error *e);
/* Opens "stdout" or "stderr" of the command that runs for a job, or of the last
 * one that has ended while the job goes on; the run's key for the next.
 * RUNNER_NONE: there is none (yet). */
int runner_output_open(struct runner *r, struct job_id id, const char *which,
    char ret_key[PROCTAB_KEY_MAX], int *ret, struct error *e);
/* Whether that command still runs. */
bool runner_output_grows(struct runner *r, struct job_id id, const char *key);
unsigned runner_tasks(const struct runner *r);
