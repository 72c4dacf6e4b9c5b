/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A thread that takes copies and hands back completions: used for the store's
 * writer and the file worker, and the only file that knows about threads. Items
 * are submitted on the loop, travel to the thread through one locked list, and
 * come back through one descriptor; then `done` runs on the loop, in order of
 * submission. The thread's function gets everything that waits at once, so that
 * the store can commit it as a group. It may call nothing but db, file, mem,
 * error and clock, and never logs.
 */
#pragma once

#include <sys/queue.h>

#include "lib/base/error.h"

struct loop;
struct worker;
struct work;

/* On the loop; the item is the user's again and may be freed. */
typedef void work_done_fn(struct work *w);

struct work {
	TAILQ_ENTRY(work) link;
	work_done_fn *done;
};
TAILQ_HEAD(work_list, work);

/* On the thread: handle every item of the list (leave them linked). */
typedef void worker_run_fn(struct work_list *all, void *ctx);

int worker_new(struct worker **ret, struct loop *l, const char *name,
    worker_run_fn *run, void *ctx, struct error *e);
/* takes w until done. Never fails: the queue's bound is the submitter's. */
void worker_submit(struct worker *k, struct work *w);
/* Items submitted whose done has not run. */
size_t worker_pending(const struct worker *k);
/* Blocks until the thread has done all that was submitted, joins it, and runs
 * the remaining done callbacks. */
struct worker *worker_free(struct worker *k);
AUTO_DEFINE(worker)
