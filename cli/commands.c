/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * THE command table, in the order of the help. It is no part of the library, so
 * that tests can bring a table of their own; the program has it, and what makes
 * the manual.
 */
#include "cli/commands.h"

const struct cmd *const cmd_table[] = {
	&cmd_apply,
	&cmd_destroy,
	&cmd_cancel,
	&cmd_plan,
	&cmd_status,
	&cmd_get_info,
	&cmd_get_project_log,
	&cmd_get_jail_log,
	&cmd_tree,
	&cmd_logs,
	&cmd_jobs,
	&cmd_audit,
	&cmd_validate,
	&cmd_print_spec,
	&cmd_print_config,
	&cmd_print_template,
	&cmd_gen_token,
	&cmd_token,
	&cmd_completion,
	&cmd_help,
	&cmd_complete,
	&cmd_serve,
	&cmd_poll_autoscale,
	&cmd_poll_heartbeat,
	&cmd_poll_jail_extras,
	&cmd_poll_jail_info,
	&cmd_poll_jail_stats,
	&cmd_poll_jails,
	&cmd_poll_project_info,
	&cmd_poll_projects,
	&cmd_watch_commands,
	&cmd_watch_projects,
	&cmd_watch_vm,
};
const size_t cmd_table_n = ARRAY_LEN(cmd_table);
