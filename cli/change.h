/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * apply, destroy and cancel: the same walk over the targets with another plan,
 * and, with --wait, the jobs that came of it followed to their end.
 */
#pragma once

#include "cli/session.h"
#include "proto/plan.h"

enum exitcode change_run(struct session *s, enum plan_action action);

/* Options that all three have. */
/* clang-format off */
#define CHANGE_OPTS                                                            \
	{ "wait", NULL, CMD_FLAG, 0, false, CMD_AT(wait), NULL, NULL,          \
	    "Wait until the jobs have ended, and tell how." },                 \
	{ "wait-for", "WHAT", CMD_STR, 0, false, CMD_AT(wait_for),             \
	    change_wait_choices, "deployed",                                   \
	    "Until the job has ended well, or all services run, too." },       \
	{ "timeout", "D", CMD_DURATION, 0, false, CMD_AT(timeout_ms), NULL,    \
	    "30m", "Wait so long at most, 0: for ever." },                     \
	{ "mako-directories", "DIR", CMD_LIST, 0, false,                       \
	    CMD_AT(mako_directories), NULL, ".",                               \
	    "Where templates are (no kind of this version needs them)." },     \
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
