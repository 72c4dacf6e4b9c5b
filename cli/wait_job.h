/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A job that is waited for: what wait.c learns about it and progress.c shows.
 */
#pragma once

#include "cli/session.h"
#include "cli/wait_judge.h"

enum wait_state {
	WAIT_BUSY,
	WAIT_DONE,
	WAIT_FAILED,
	/* The server does not answer any more. */
	WAIT_LOST,
};

/* What is still to be known, in this order. */
enum wait_phase {
	WAIT_JOB,
	/* How the job ended: from the project's record, then that of the VM,
	 * where an original server has no job routes. */
	WAIT_RECORD,
	WAIT_VM,
	/* Whether its services run, and are healthy. */
	WAIT_SERVICES,
	WAIT_HEALTH,
	/* What an autoscaler has made of it; there is no job. */
	WAIT_SCALE,
};

/* A job of this program; the caller fills the first part. */
struct wait_job {
	/* Of its target: jobs are shown in this order. */
	size_t index;
	const struct client_server *server;
	const char *chain;
	/* "(datacenter:D, chain:C" */
	const char *context;
	const char *project;
	int64_t job;
	/* "up", "down" or "cancel" */
	const char *type;
	bool is_vm;
	/* WAIT_JOB, or WAIT_SCALE. */
	enum wait_phase phase;

	enum wait_state state;
	/* "queued", "up (2/5)": what it is doing, in the session's arena. */
	const char *doing;
	/* Why it failed. */
	const char *reason;
	const char *stderr_tail;
	/* Services that have stopped. */
	const char *stopped;
	int64_t began_ms;
	int64_t took_ms;

	/* wait.c's. */
	struct wait *wait;
	int64_t next_ms;
	int64_t interval_ms;
	int64_t lost_since_ms;
	bool asking;
	/* Its server tells what changes. */
	bool heard;
	/* Something has changed since it was asked for. */
	bool stale;
	/* An event has told more than the answer that is on its way can. */
	bool outrun;
	/* An original server: no job routes. */
	bool is_original;
	/* Since when it is asked for the health of jails; 0: not yet. */
	int64_t health_ms;
	/* The next question need not wait. */
	bool at_once;
	/* WAIT_HEALTH: whom to ask, one after the other; NULL: nobody has
	 * been found unhealthy this time. */
	struct arena arena;
	struct wait_jails jails;
	size_t jails_asked;
	const char *unhealthy;
};
