/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The rules of cli.md 6.2, the first that applies: what waits, what is under
 * way, what has failed, and only then what Director says of the services. The
 * last operation is the one with the higher job id; a VM is made by the job
 * that makes its jail, and after that.
 */
#include "cli/status_view.h"

#include <string.h>

#include "cli/wait_judge.h"

static const char *
text_at(const struct node *n, const char *key)
{
	const char *s = node_text(node_get(n, key));

	return s != NULL && s[0] != '\0' ? s : NULL;
}

static bool
is(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

/* Every operation record, by word: "up", "down" or "vm". */
static const struct node *
last_record(
    const struct node *info, const struct node *vm, const char **ret_type)
{
	const struct node *up = node_get(info, "up");
	const struct node *down = node_get(info, "down");

	if (down != NULL && down->type == NODE_MAP &&
	    (up == NULL ||
		node_int_at(down, "job_id", 0) >
		    node_int_at(up, "job_id", 0))) {
		*ret_type = "down";
		return down;
	}
	if (vm != NULL &&
	    node_int_at(vm, "job_id", 0) >= node_int_at(up, "job_id", 0)) {
		*ret_type = "vm";
		return vm;
	}
	*ret_type = "up";
	return up;
}

static void
count_services(const struct node *info, struct status *st)
{
	const struct node *list = node_get(info, "services");

	for (size_t i = 0;
	     list != NULL && list->type == NODE_LIST && i < list->u.list.n;
	     i++) {
		st->jails++;
		st->jails_up +=
		    node_int_at(list->u.list.items[i], "status", 1) == 0;
	}
}

/* The first job in this state, of any type or of one. */
static const struct node *
find_job(const struct node *jobs, const char *state, const char *type)
{
	for (size_t i = 0;
	     jobs != NULL && jobs->type == NODE_LIST && i < jobs->u.list.n;
	     i++) {
		const struct node *j = jobs->u.list.items[i];

		if (is(text_at(j, "state"), state) &&
		    (type == NULL || is(text_at(j, "type"), type)))
			return j;
	}
	return NULL;
}

static void
describe_job(const struct node *job, struct arena *a, struct status *st)
{
	struct verdict v;

	if (job == NULL)
		return;
	st->job = node_int_at(job, "id", st->job);
	wait_judge_job(job, "up", a, &v);
	if (v.state == VERDICT_BUSY)
		st->progress = arena_strdup(a, v.doing);
}

static bool
has_failed(const struct node *record, const char *state, bool locked,
    struct arena *a, struct status *st)
{
	struct verdict v = { .state = VERDICT_DONE };

	if (record != NULL && record->type == NODE_MAP &&
	    text_at(record, "operation") != NULL)
		wait_judge_record(record, a, &v);
	if (v.state == VERDICT_FAILED) {
		st->progress = st->job > 0 ? arena_printf(a, "%s (job %lld)",
						 v.reason, (long long)st->job)
					   : v.reason;
		return true;
	}
	return is(state, "FAILED") || (is(state, "UNFINISHED") && !locked);
}

static enum status_state
decide(const struct node *info, const struct node *jobs, const struct node *vm,
    struct arena *a, struct status *st)
{
	const struct node *locked = node_get(info, "locked");
	const char *state = text_at(info, "state"), *type;
	const struct node *record = last_record(info, vm, &type), *job;
	bool is_locked =
	    locked != NULL && locked->type == NODE_BOOL && locked->u.b;
	const char *up = text_at(node_get(info, "up"), "operation");
	const char *down = text_at(node_get(info, "down"), "operation");

	if ((job = find_job(jobs, "queued", NULL)) != NULL) {
		describe_job(job, a, st);
		return STATUS_QUEUED;
	}
	job = find_job(jobs, "running", "down");
	if (job != NULL || is(down, "RUNNING") || is(state, "DESTROYING")) {
		describe_job(job, a, st);
		return STATUS_DESTROYING;
	}
	job = find_job(jobs, "running", "up");
	if (job == NULL)
		job = find_job(jobs, "running", "vm");
	if (job != NULL || is(up, "RUNNING") ||
	    (is(type, "vm") && is(text_at(vm, "operation"), "RUNNING")) ||
	    (is(state, "UNFINISHED") && is_locked)) {
		describe_job(job, a, st);
		return STATUS_DEPLOYING;
	}
	if (info == NULL ||
	    (state == NULL && is(type, "down") && is(down, "COMPLETED")))
		return STATUS_ABSENT;
	if (has_failed(record, state, is_locked, a, st))
		return STATUS_FAILED;
	if (!is(state, "DONE"))
		return STATUS_UNKNOWN;
	return st->jails_up < st->jails ? STATUS_DEGRADED : STATUS_READY;
}

void
status_decide(const struct node *info, const struct node *jobs,
    const struct node *vm, struct arena *a, struct status *ret)
{
	const char *type, *s;
	const struct node *record = last_record(info, vm, &type);
	const struct node *age = node_get(record, "last_update");

	memset(ret, 0, sizeof(*ret));
	ret->age_s = -1;
	if (age != NULL && age->type == NODE_FLOAT && age->u.f < 1e15)
		ret->age_s = (int64_t)age->u.f;
	else if (age != NULL && age->type == NODE_INT && !age->big)
		ret->age_s = age->u.i;
	ret->job = node_int_at(record, "job_id", 0);
	s = text_at(record, "operation");
	ret->operation = s != NULL ? arena_strdup(a, s) : NULL;
	s = text_at(info, "last_log");
	ret->last_log = s != NULL ? arena_strdup(a, s) : NULL;
	count_services(info, ret);
	ret->state = decide(info, jobs, vm, a, ret);
	if (ret->progress == NULL && ret->state != STATUS_READY &&
	    ret->state != STATUS_ABSENT)
		ret->progress = ret->operation;
	if (ret->state == STATUS_DEGRADED) {
		s = wait_stopped_services(info, a);
		if (s != NULL)
			ret->progress = arena_printf(a, "stopped: %s", s);
	}
}

const char *
status_state_to_string(enum status_state state)
{
	static const char *const names[] = {
		[STATUS_UNREACHABLE] = "UNREACHABLE",
		[STATUS_QUEUED] = "QUEUED",
		[STATUS_DESTROYING] = "DESTROYING",
		[STATUS_DEPLOYING] = "DEPLOYING",
		[STATUS_FAILED] = "FAILED",
		[STATUS_DEGRADED] = "DEGRADED",
		[STATUS_READY] = "READY",
		[STATUS_ABSENT] = "ABSENT",
		[STATUS_UNKNOWN] = "UNKNOWN",
	};

	return names[state];
}
