/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The durable queue. It decides which job may run and writes every change of a
 * job: a change is one batch (record, indexes, and what the caller adds, such
 * as a status record) and takes effect when that batch is on disk. A job has at
 * most one change under way. In memory it keeps what is queued or running (id,
 * lane, state: a few words each); the rest is read from snapshots.
 *
 * Lanes: jobs with the same lane run one at a time in the order of their ids;
 * at most max_running jobs with a lane run at once. Jobs with lane "" are taken
 * at once. Ids are positive, at most 2^53 - 1, and never reused.
 */
#pragma once

#include "lib/base/keep.h"
#include "lib/store/job.h"
#include "lib/store/store.h"

struct queue;

struct queue_config {
	/* Tables of the store that the queue owns. */
	unsigned table_jobs;
	unsigned table_active;
	unsigned table_meta;
	unsigned max_running;
	/* Queued jobs beyond this are refused with OVE_LIMIT. */
	size_t max_queued;
	/* Finished jobs kept; older ones go with the batch that ends a job, a
	 * few at a time, and with queue_tidy(). Bytes are those that all jobs
	 * take in the store. When it is full, the oldest go before that. */
	struct keep keep;
};

/* Something may be taken now. Deferred. */
typedef void queue_ready_fn(void *ctx);
/* A job has entered this state: on disk, told once. A new one comes from
 * JOB_STATE_COUNT. The job is valid during the call. */
typedef void queue_moved_fn(
    const struct job *j, enum job_state from, void *ctx);

struct queue_hooks {
	queue_ready_fn *ready;
	queue_moved_fn *moved;
	void *ctx;
};

/* Reads what is queued and running. Jobs found running stay so: the user
 * adopts them (queue_active) or moves them. What has no end yet is checked
 * (OVE_CORRUPT names the job), what has is not looked at. */
int queue_open(struct queue **ret, struct loop *l, struct store *s,
    const struct queue_config *c, const struct queue_hooks *h, struct error *e);
/* Forgets what is under way: it goes to disk, done is not called. Not from a
 * callback of the queue. */
struct queue *queue_free(struct queue *q);
AUTO_DEFINE(queue)
void queue_set_limits(struct queue *q, unsigned max_running, size_t max_queued,
    const struct keep *keep);

/* The next n ids will not be given out. done as of store_submit(). For a store
 * that was replaced by an older one. */
int queue_skip_ids(struct queue *q, uint64_t n, store_done_fn *done, void *ctx,
    struct error *e);

/* failed is NULL when it is on disk; id is 0 then only for a failed put. */
typedef void queue_done_fn(
    struct job_id id, const struct error *failed, void *ctx);

/* Puts a new job: kind, lane, name, by, request_id, payload are taken from
 * `fresh` (copied), the rest is made. more (may be NULL) is joined and emptied.
 */
int queue_put(struct queue *q, const struct job *fresh,
    struct store_batch *more, queue_done_fn *done, void *ctx, struct error *e);

enum {
	QUEUE_EMPTY = 1,
	QUEUE_NOTFOUND = 2,
	QUEUE_BUSY = 3
};
/* The next job that may run, or QUEUE_EMPTY. It counts as running from now on
 * (lane and slot are held) and is the caller's to change to RUNNING or
 * CANCELLED. It stays so when that change fails: try again later, or give it
 * back. */
int queue_take(struct queue *q, struct job_id *ret);
/* A job that was taken and not changed waits again. 0, QUEUE_NOTFOUND. */
int queue_give_back(struct queue *q, struct job_id id);

/* What to change; unset members stay as they are. */
struct job_change {
	/* JOB_STATE_COUNT: stays. */
	enum job_state state;
	/* To RUNNING: a new attempt begins. */
	bool next_attempt;
	/* Appended, when not NULL (ended_at 0 = begins). */
	const struct job_step *step_begin;
	/* The last step with this name and attempt gets ended_at, rc, note. */
	const struct job_step *step_end;
	/* NULL: stays. */
	const char *message;
	const void *result;
	size_t result_len;
	bool cancel_asked;
};
#define JOB_CHANGE_INIT                                                        \
  {                                                                            \
    .state = JOB_STATE_COUNT                                                   \
  }
/* QUEUE_NOTFOUND (no such job, or it has ended), QUEUE_BUSY (a change is under
 * way), or -1 (illegal move, or to RUNNING without queue_take(): OVE_CONFLICT).
 * `more` is emptied in every case; done is called after 0 only. When the batch
 * fails, the job is as before and done says so. INTERRUPTED -> QUEUED puts the
 * job at the head of its lane. */
int queue_change(struct queue *q, struct job_id id, const struct job_change *c,
    struct store_batch *more, queue_done_fn *done, void *ctx, struct error *e);

/* Forgets finished jobs that are not to be kept any more, a few hundred at
 * most: 0 when it has begun to, and there may be more; QUEUE_EMPTY, QUEUE_BUSY,
 * -1. */
int queue_tidy(struct queue *q, struct error *e);

/* Reads a job as it is on disk. 0, QUEUE_NOTFOUND, -1. */
int queue_get(struct queue *q, struct job_id id, struct arena *a,
    struct job *ret, struct error *e);

struct queue_filter {
	/* NULL / 0: any. States is a bit mask, 1u << enum job_state. */
	const char *name;
	const char *kind;
	unsigned states;
	/* Whether jobs of this name are wanted; NULL: all are. */
	bool (*wants)(const char *name, void *ctx);
	void *wants_ctx;
	/* Ids below this one; 0 = from the newest. */
	uint64_t before;
	size_t limit;
};
/* Newest first; payloads are left out (payload_len is right, payload NULL). At
 * most 100,000 records are looked at for one call. *ret is in a. */
int queue_list(struct queue *q, const struct queue_filter *f, struct arena *a,
    struct job **ret, size_t *ret_n, struct error *e);

/* Ids of the jobs in memory: state QUEUED or RUNNING or INTERRUPTED (states is
 * a bit mask, 0 = any), of one lane or (NULL) of all; in order of id. Added to
 * an array of struct job_id. */
struct array;
int queue_active(struct queue *q, const char *lane, unsigned states,
    struct array *ret, struct error *e);
/* Position (from 1) of a queued job in its lane; 0 when it is not queued. */
size_t queue_position(struct queue *q, struct job_id id);

struct queue_stats {
	uint64_t by_state[JOB_STATE_COUNT];
	uint64_t next_id;
};
/* queued, running, interrupted from memory; finished: moves since the start. */
void queue_get_stats(const struct queue *q, struct queue_stats *ret);
/* Each job in exactly one index, memory agrees with disk. For tests and
 * overlordd --check. */
int queue_check(struct queue *q, struct error *e);
