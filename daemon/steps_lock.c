/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Director's lock (design.md 3.5): a locked project is somebody's, whatever its
 * state file says, which a killed Director leaves as it was, or empty. The lock
 * is ours when it was made between the beginning and the end of our last
 * command on it; since a lane has one job at a time and that command is gone,
 * the lock is stale and is removed. So is one that was made later by a Director
 * which is gone: either the clock was set back, or somebody's has died. Any
 * other lock fails the job.
 */
#include <inttypes.h>

#include "daemon/inventory.h"
#include "daemon/steps.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/event/reap.h"

/* A lock counts as ours from this long before our command began: clocks of file
 * systems tick more slowly than ours. */
#define LOCK_SLACK_MS 20

static int
foreign_lock(struct task *t, const struct project_state *st, struct verdict *v)
{
	v->state = JOB_FAILED;
	v->operation = "FAILED";
	v->message = st->pid > 0
	    ? arena_printf(&t->arena,
		  "project '%s' is locked by another Director (pid %" PRId64
		  ")",
		  t->job.name, st->pid)
	    : arena_printf(&t->arena,
		  "project '%s' is locked by another Director", t->job.name);
	return TASK_VERDICT;
}

/* Director writes its pid when it has the lock; an older one is of another. */
static bool
holder_is_gone(const struct project_state *st)
{
	uint64_t start;

	return st->pid > 0 && st->pid_at >= st->locked_at &&
	    reap_start_time((pid_t)st->pid, &start, NULL) == REAP_GONE;
}

/* Made while our command was at work. One that was made after its end is that
 * of somebody who works on the project now. */
static bool
is_of_run(const struct project_state *st, const struct record_run *run)
{
	int64_t locked_at = st->locked_at;
	/* An end that is not on disk yet was just now. */
	int64_t ended_at = run->ended_at != 0 ? run->ended_at : clock_wall_ms();
	bool since = locked_at + LOCK_SLACK_MS >= run->began_at;
	bool before = run->ended_at == 0 || locked_at <= run->ended_at;

	if (run->began_at == 0)
		return false;
	/* The clock was set back meanwhile: before the lock was made, or after.
	 * There was none when the command began. */
	if (ended_at < run->began_at)
		return since || before;
	return since && (before || holder_is_gone(st));
}

static int
take_lock_away(
    struct task *t, const struct project_state *st, struct verdict *v)
{
	struct runner *r = t->r;
	struct error e = ERROR_INIT;
	struct record_run ours;

	if (record_get_run(r->deps.store, t->job.name, &ours, &e) < 0)
		log_warn(
		    "runner", FIELDS(LF_I("job", t->job.id.v)), "%s", e.text);
	if (!is_of_run(st, &ours))
		return foreign_lock(t, st, v);
	if (inventory_unlock(r->deps.inventory, t->job.name, &e) < 0) {
		log_error("runner", FIELDS(LF_I("job", t->job.id.v)),
		    "cannot remove the lock of a dead Director: %s", e.text);
		return foreign_lock(t, st, v);
	}
	log_notice("runner",
	    FIELDS(LF_I("job", t->job.id.v), LF_S("project", t->job.name)),
	    "removed the lock that our own dead Director left");
	t->lock_removed = true;
	return 0;
}

int
steps_check_lock(struct task *t, struct verdict *v)
{
	struct project_state st;

	inventory_project_state(t->r->deps.inventory, t->job.name, &st);
	if (!st.locked)
		return 0;
	return take_lock_away(t, &st, v);
}
