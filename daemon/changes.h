/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is published of jobs, projects, children and jails, in the words of
 * overlord-api(7). What is of a job is told when it is on disk.
 */
#pragma once

#include "daemon/record.h"
#include "lib/store/job.h"

struct events;

/* For the queue's hook; from is JOB_STATE_COUNT for a new job. */
void change_job(struct events *ev, const struct job *j, enum job_state from);
/* It has begun, or has ended when it has an end. */
void change_step(
    struct events *ev, const struct job *j, const struct job_step *s);
void change_record(struct events *ev, const struct job *j,
    enum record_kind kind, const struct node *record);

/* A child of this node: "added", "removed" (by a reload), "healthy", "sick" (by
 * the heartbeat), "lost" (its events cannot be heard), "back" (they can, and
 * none was missed), "reset" (they can, and it has to be asked what is there).
 */
void change_chain(struct events *ev, const char *name, const char *state);
/* state: one of breaker_state_text(). */
void change_breaker(
    struct events *ev, const char *name, const char *state, int64_t failures);

/* A jail on this node: "added", "removed" (its directory), "up", "down". */
void change_jail(struct events *ev, const char *name, const char *state);
