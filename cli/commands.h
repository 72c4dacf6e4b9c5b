/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The commands, each defined in the file of its name (cmd_legacy.c has the
 * names of the original that have no work left). main.c lists them.
 */
#pragma once

#include "cli/command.h"

extern const struct cmd cmd_apply;
extern const struct cmd cmd_destroy;
extern const struct cmd cmd_cancel;
extern const struct cmd cmd_plan;
extern const struct cmd cmd_status;
extern const struct cmd cmd_get_info;
extern const struct cmd cmd_get_project_log;
extern const struct cmd cmd_get_jail_log;
extern const struct cmd cmd_jobs;
extern const struct cmd cmd_tree;
extern const struct cmd cmd_logs;
extern const struct cmd cmd_audit;
extern const struct cmd cmd_validate;
extern const struct cmd cmd_print_spec;
extern const struct cmd cmd_print_config;
extern const struct cmd cmd_print_template;
extern const struct cmd cmd_gen_token;
extern const struct cmd cmd_token;
extern const struct cmd cmd_completion;
extern const struct cmd cmd_complete;
extern const struct cmd cmd_help;
extern const struct cmd cmd_serve;
extern const struct cmd cmd_poll_autoscale;
extern const struct cmd cmd_poll_heartbeat;
extern const struct cmd cmd_poll_jail_extras;
extern const struct cmd cmd_poll_jail_info;
extern const struct cmd cmd_poll_jail_stats;
extern const struct cmd cmd_poll_jails;
extern const struct cmd cmd_poll_project_info;
extern const struct cmd cmd_poll_projects;
extern const struct cmd cmd_watch_commands;
extern const struct cmd cmd_watch_projects;
extern const struct cmd cmd_watch_vm;
