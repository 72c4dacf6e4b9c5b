/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What an answer about a job means for whoever waits for it (cli.md 6.4): pure.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/data/node.h"

enum verdict_state {
	VERDICT_BUSY,
	VERDICT_DONE,
	VERDICT_FAILED,
};

struct verdict {
	enum verdict_state state;
	/* Busy with what. */
	const char *doing;
	/* FAILED: why, never NULL; the last lines of stderr, or NULL. */
	const char *reason;
	const char *stderr_tail;
};

/* job of GET /v1/jobs/<id>. type: "up", "down", "cancel". Texts lie in a. */
void wait_judge_job(const struct node *job, const char *type, struct arena *a,
    struct verdict *ret);
/* An event about this job says what it is doing now: true, and *ret is BUSY.
 * false: it is about something else, or there is more to ask. */
bool wait_judge_event(const char *type, const struct node *data, int64_t id,
    struct arena *a, struct verdict *ret);
/* Whether the job has to be asked for after such an event, when it was doing
 * this: it is about the job, or another one has left the queue. */
bool wait_is_about(
    const char *type, const struct node *data, int64_t id, const char *doing);
/* info of GET /v1/project/info/<name>, NULL when the project is gone: how the
 * job with this id fares, as far as an original server tells. */
void wait_judge_project(const struct node *info, const char *type, int64_t id,
    struct arena *a, struct verdict *ret);
/* status of GET /v1/vm/<name> of an original, likewise. */
void wait_judge_vm(const struct node *status, int64_t id, struct arena *a,
    struct verdict *ret);
/* info of GET /v1/project/info/<name> after that job has ended well: DONE when
 * all services run, FAILED when one does not, the project is gone, or a newer
 * job has taken over. patient: what is told may be older than the job's end (an
 * original keeps it for some time): what does not run is waited for. */
void wait_judge_services(const struct node *info, int64_t id, bool patient,
    struct arena *a, struct verdict *ret);
/* status of GET /v1/project/autoscale/<name> (NULL: there is none), since
 * seconds after its metadata was changed: DONE when a round that began later
 * has found as many replicas as there are to be, or, type "down", none at all.
 * Of an original, which does not say, any later round will do; reason says so.
 */
void wait_judge_scale(const struct node *status, const char *type, double since,
    struct arena *a, struct verdict *ret);
/* The jails of its services. */
struct wait_jails {
	const char **items;
	size_t n;
};
void wait_get_jails(
    const struct node *info, struct arena *a, struct wait_jails *ret);
/* healthcheck of GET /v1/jail/healthcheck/<jail>, NULL: the jail is not known:
 * "web (starting)" of an enabled checker that is not content; NULL: all are. A
 * server that has not looked yet says {}; an original says so of a jail without
 * checkers for ever. patient: the former is meant. */
const char *wait_find_unhealthy(
    const char *jail, const struct node *list, bool patient, struct arena *a);
/* A record of an operation that has ended (rest-api.md, annex B). */
void wait_judge_record(
    const struct node *record, struct arena *a, struct verdict *ret);
/* A 404 that says: no such route, here or at a server on the way. */
bool verdict_is_no_route(const struct node *body);
/* "web (status 66), db (status 1)" of the services that do not run, or NULL. */
const char *wait_stopped_services(const struct node *info, struct arena *a);
