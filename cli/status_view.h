/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The state of a project in one word, from what its server says (cli.md 6.2):
 * pure.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/data/node.h"

enum status_state {
	STATUS_UNREACHABLE,
	STATUS_QUEUED,
	STATUS_DESTROYING,
	STATUS_DEPLOYING,
	STATUS_FAILED,
	STATUS_DEGRADED,
	STATUS_READY,
	STATUS_ABSENT,
	STATUS_UNKNOWN,
};

struct status {
	enum status_state state;
	/* Services that run, and all. */
	int64_t jails_up;
	int64_t jails;
	/* Seconds since the last change; -1: unknown. */
	int64_t age_s;
	/* Texts in the arena; NULL: nothing to say. */
	const char *progress;
	const char *operation;
	const char *last_log;
	/* 0: none. */
	int64_t job;
};

/* info of GET project/info, NULL: it is not there. jobs: the list of its jobs
 * that wait or run, NULL: the server has no such list. vm: the status of GET
 * vm, NULL: it is no VM. */
void status_decide(const struct node *info, const struct node *jobs,
    const struct node *vm, struct arena *a, struct status *ret);
const char *status_state_to_string(enum status_state state);
