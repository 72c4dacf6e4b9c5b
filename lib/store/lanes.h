/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the queue keeps in memory: each unfinished job in a few words, its lane,
 * and which lanes are ready, oldest first. It decides and touches no disk. The
 * user sets the flags of a job and calls lanes_settle(), which puts the job
 * where they say; nothing but lanes_new() can fail. Part of the queue.
 */
#pragma once

#include <sys/queue.h>

#include "lib/store/job.h"

struct lane;

enum lanes_place {
	PLACE_NONE,
	PLACE_QUEUED,
	PLACE_HELD
};

struct lanes_job {
	/* In the list of its lane that place says. */
	TAILQ_ENTRY(lanes_job) link;
	struct lane *lane;
	uint64_t id;
	/* QUEUED, RUNNING or INTERRUPTED: what is on disk. */
	unsigned char state;
	/* Held if and only if not queued, or taken, or moving; NONE until it is
	 * known. Set by lanes_settle() only. */
	unsigned char place;
	/* Counts against max_running: taken or RUNNING, in a lane. */
	bool slot;
	/* Handed out, not yet RUNNING. */
	bool taken;
	/* A change is under way. */
	bool moving;
};

struct lanes_entry {
	uint64_t id;
	/* NULL when it is gone. */
	struct lanes_job *job;
};

struct lanes {
	/* Known jobs in order of id. */
	struct lanes_entry *jobs;
	size_t jobs_n;
	size_t jobs_cap;
	/* Entries whose job is gone. */
	size_t gone_n;
	/* Made, not yet known; there is room for them in jobs. */
	size_t unknown_n;

	struct lane **buckets;
	/* A power of two. */
	size_t buckets_n;
	uint64_t seed;
	/* Lanes with a name; each has a place in heap. */
	size_t lanes_n;
	/* Of jobs without a lane. */
	struct lane *no_lane;

	/* Ready lanes, a binary heap by the id of their first job. */
	struct lane **heap;
	size_t heap_n;
	size_t heap_cap;

	size_t running_n;
	size_t max_running;
	/* Known jobs by state. */
	size_t by_state[JOB_STATE_COUNT];
};

int lanes_init(struct lanes *l, size_t max_running, struct error *e);
void lanes_fini(struct lanes *l);

/* Makes a job that is not known yet; lanes_add() or lanes_drop() follows. */
int lanes_new(struct lanes *l, struct lanes_job **ret, uint64_t id,
    const char *lane, struct error *e);
/* Makes it known. Its id is higher than all that were added before. */
void lanes_add(struct lanes *l, struct lanes_job *j, enum job_state state);
/* Removes and frees, known or not. */
void lanes_drop(struct lanes *l, struct lanes_job *j);

/* NULL when it is not known. */
struct lanes_job *lanes_find(const struct lanes *l, uint64_t id);
/* Tells of a new state. */
void lanes_set_state(
    struct lanes *l, struct lanes_job *j, enum job_state state);
/* Puts a known job where state, taken and moving say. */
void lanes_settle(struct lanes *l, struct lanes_job *j);
/* What lanes_take() would give, or NULL. Jobs without a lane come first, then
 * the lane whose first job is the oldest. */
struct lanes_job *lanes_next(const struct lanes *l);
/* From 1; 0 when it does not wait in its lane. */
size_t lanes_position(const struct lanes_job *j);
const char *lanes_name(const struct lanes_job *j);

/* Calls fn for the known jobs of a lane (NULL: of all); of all: in order of
 * id. fn changes nothing. */
typedef int lanes_each_fn(struct lanes_job *j, void *ctx, struct error *e);
int lanes_each(const struct lanes *l, const char *lane, lanes_each_fn *fn,
    void *ctx, struct error *e);
/* All that is promised above. */
int lanes_check(const struct lanes *l, struct error *e);
