/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord cancel (cli.md 2.4) */

#include "cli/change.h"
#include "cli/commands.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	CHANGE_FILTER_OPTS,
	CHANGE_OPTS,
};

static enum exitcode
run(struct session *s)
{
	return change_run(s, PLAN_CANCEL);
}

static const char *const examples[] = {
	"overlord cancel -f web.yml",
	NULL,
};

const struct cmd cmd_cancel = {
	.name = "cancel",
	.group = CMD_DEPLOY,
	.summary = "Cancel a deployment that is queued or running",
	.about = "Asks every server that the file means to cancel what is "
		 "queued and running for its project.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = change_exits,
	.run = run,
};
