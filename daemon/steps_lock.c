/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Director's lock (design.md 3.5): a locked project is somebody's, whatever its
 * state file says, which a killed Director leaves as it was, or empty. The lock
 * is ours when it was made between the beginning and the end of our last
 * command on it; since a lane has one job at a time and that command is gone,
 * the lock is stale and is removed. Any other lock fails the job.
 */
#include <inttypes.h>

#include "daemon/inventory.h"
#include "daemon/steps.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

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

/* Made while our command was at work. One that was made after its end is that
 * of somebody who works on the project now. */
static bool
is_of_run(int64_t locked_at, const struct record_run *run)
{
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
	return since && before;
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
	if (!is_of_run(st->locked_at, &ours))
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
