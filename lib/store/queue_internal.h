/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the files of the queue share: queue.c changes, queue_open.c starts,
 * queue_read.c looks, queue_trim.c forgets, queue_check.c compares.
 */
#pragma once

#include <sys/queue.h>

#include "lib/event/loop.h"
#include "lib/store/lanes.h"
#include "lib/store/queue.h"

/* Steps of one job, three times over. */
#define QUEUE_STEPS_BYTES_MAX ((size_t)64 << 10)

/* First byte of an entry of the active table and of the next id. */
#define QUEUE_VALUE_VERSION 1
#define QUEUE_NEXT_ID_LEN 9

/* A batch under way. */
struct pending {
	TAILQ_ENTRY(pending) link;
	/* NULL when the queue has gone. */
	struct queue *queue;
	struct lanes_job *job;
	uint64_t id;
	/* from is JOB_STATE_COUNT for a new job, to for a change that is not
	 * of the state. */
	enum job_state from;
	enum job_state to;
	/* Borrows from the batch; steps are in arena. */
	struct job view;
	struct arena arena;
	/* Finished jobs that it deletes, and bytes of their records. */
	size_t trimmed_n;
	uint64_t trimmed_bytes;
	queue_done_fn *done;
	void *ctx;
};
TAILQ_HEAD(pending_list, pending);

struct queue {
	struct loop *loop;
	struct store *store;
	struct queue_config config;
	struct queue_hooks hooks;
	struct lanes lanes;
	uint64_t next_id;
	/* Ids above it are not known yet. */
	uint64_t known_id;
	struct pending_list pending;
	size_t puts_n;
	/* Deletes under way, and bytes of their records. */
	size_t trimming_n;
	uint64_t trimming_bytes;
	/* Every finished job below it is deleted, or about to be. */
	uint64_t trim_from;
	/* A batch that does nothing else is under way. */
	bool tidying;
	struct defer ready;
	/* Finished: moves since the start. */
	uint64_t ended[JOB_STATE_COUNT];
};

void queue_id_key(struct db_key *k, uint64_t id);
void queue_next_id_key(struct db_key *k);
/* Takes an entry of the active table apart; false when it is damaged. */
bool queue_read_active(struct db_val k, struct db_val v, uint64_t *ret_id,
    enum job_state *ret_state, const char **ret_lane);
int queue_corrupt(struct error *e, uint64_t id, const char *what);
/* Reads a record as a view into the snapshot. 0, QUEUE_NOTFOUND, -1. */
int queue_read_view(struct queue *q, struct db_txn *t, uint64_t id,
    struct arena *a, struct job *ret, struct error *e);
/* Fills the lanes and next_id. */
int queue_read_all(struct queue *q, struct error *e);

struct pending *pending_new(struct queue *q, queue_done_fn *done, void *ctx);
struct pending *pending_free(struct pending *p);
AUTO_DEFINE(pending)

/* Adds deletes of finished jobs beyond what is kept to a batch that ends one
 * more. Then tell when it was submitted, and what came of it. */
int queue_trim(struct queue *q, struct db_txn *txn, struct store_batch *b,
    struct pending *p, struct error *e);
void queue_trim_begun(struct queue *q, const struct pending *p);
void queue_trim_ended(struct queue *q, const struct pending *p, bool failed);
/* The store is full: deletes old finished jobs, if there are any. Whoever found
 * no room tries again. */
void queue_make_room(struct queue *q);
