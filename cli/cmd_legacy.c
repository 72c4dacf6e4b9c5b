/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Names of the original. Its long-lived processes are one daemon here, so
 * poll-* and watch-* say so and end well, for old supervisor files (cli.md 5);
 * they load nothing.
 */
#include "cli/commands.h"
#include "cli/session.h"

static enum exitcode
nothing_to_do(struct session *s)
{
	out_fail(&s->out, NULL,
	    "'%s' has nothing to do: overlordd does this itself, see "
	    "overlordd(8)",
	    s->cmd->name);
	return EXIT_CODE_OK;
}

static const char *const items[] = { "cpuset", "devfs", "expose", "healthcheck",
	"limits", "fstab", "label", "nat", "volume", NULL };

static const struct cmd_opt extras_opts[] = {
	{ "item", "ITEM", CMD_LIST, 0, false, CMD_AT(item), items, NULL,
	    "No effect." },
};

/* clang-format off */
#define LEGACY(id, name_)                                                      \
	const struct cmd cmd_##id = {                                          \
		.name = name_,                                                 \
		.group = CMD_HIDDEN,                                           \
		.flags = CMD_BARE,                                             \
		.summary = "Nothing: overlordd does this itself",              \
		.run = nothing_to_do,                                          \
	}
/* clang-format on */

LEGACY(poll_autoscale, "poll-autoscale");
LEGACY(poll_heartbeat, "poll-heartbeat");
LEGACY(poll_jail_info, "poll-jail-info");
LEGACY(poll_jail_stats, "poll-jail-stats");
LEGACY(poll_jails, "poll-jails");
LEGACY(poll_project_info, "poll-project-info");
LEGACY(poll_projects, "poll-projects");
LEGACY(watch_commands, "watch-commands");
LEGACY(watch_projects, "watch-projects");
LEGACY(watch_vm, "watch-vm");

const struct cmd cmd_poll_jail_extras = {
	.name = "poll-jail-extras",
	.group = CMD_HIDDEN,
	.flags = CMD_BARE,
	.summary = "Nothing: overlordd does this itself",
	.opts = extras_opts,
	.opts_n = ARRAY_LEN(extras_opts),
	.run = nothing_to_do,
};
