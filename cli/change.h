/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * apply, destroy and cancel: the same walk over the targets with another plan,
 * and, with --wait, the jobs that came of it followed to their end.
 */
#pragma once

#include "cli/servers.h"
#include "cli/targets.h"
#include "proto/plan.h"

enum exitcode change_run(struct session *s, enum plan_action action);

/* The beginning of it, also for who does not change anything: reads the file,
 * makes one of kind appConfig the file that its template gives, checks that it
 * is good for that action, and finds out whom to ask. *ret_over: there is no
 * template, and nothing more to do; the exit code says what came of it. */
enum exitcode change_begin(struct session *s, enum plan_action action,
    struct tree_entry **ret, size_t *ret_n, bool *ret_over);
/* Whether --project leaves the file's project in. */
bool change_is_wanted_project(const struct session *s);
/* What the plan of a target starts from. */
struct plan_input change_plan_input(
    const struct target *t, enum plan_action action);
/* Why nothing matched, or what tells it; NULL: something did, or nobody could
 * be reached. */
const char *change_none_hint(const struct targets *t);

/* Options that all three have. */
/* clang-format off */
#define CHANGE_OPTS                                                            \
	{ "wait", NULL, CMD_FLAG, 0, false, CMD_AT(wait), NULL, NULL,          \
	    "Wait until the jobs have ended, and tell how." },                 \
	{ "wait-for", "WHAT", CMD_STR, 0, false, CMD_AT(wait_for),             \
	    change_wait_choices, "deployed",                                   \
	    "Until the job has ended well, all services run, too, or all "     \
	    "health checkers are content as well." },                          \
	{ "timeout", "D", CMD_DURATION, 0, false, CMD_AT(timeout_ms), NULL,    \
	    "30m", "Wait so long at most, 0: for ever." },                     \
	CHANGE_TARGET_OPTS
#define CHANGE_TARGET_OPTS                                                     \
	CMD_OPT_MAKO_DIRECTORIES,                                              \
	CMD_OPT_DATACENTER,                                                    \
	CMD_OPT_CHAIN,                                                         \
	CMD_OPT_PROJECT
#define CHANGE_FILTER_OPTS                                                     \
	{ "filter-chain", "CHAIN", CMD_LIST, 0, false, CMD_AT(filter_chain),   \
	    NULL, NULL, "Only this chain, as a whole; repeatable." },          \
	{ "filter-root-chain", NULL, CMD_FLAG, 0, false,                       \
	    CMD_AT(filter_root_chain), NULL, NULL,                             \
	    "With --filter-chain: the root chain too." }
/* clang-format on */
extern const char *const change_wait_choices[];
extern const char *const change_exits[];
