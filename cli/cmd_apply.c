/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord apply (cli.md 2.2, 6.4) */

#include "cli/change.h"
#include "cli/commands.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "restart", NULL, CMD_FLAG, 0, false, CMD_AT(restart), NULL, NULL,
	    "Take an existing project down first." },
	CHANGE_OPTS,
};

static enum exitcode
run(struct session *s)
{
	return change_run(s, PLAN_APPLY);
}

static const char *const examples[] = {
	"overlord apply -f web.yml",
	"overlord apply -f web.yml --wait --timeout 10m",
	NULL,
};

const struct cmd cmd_apply = {
	.name = "apply",
	.group = CMD_DEPLOY,
	.summary = "Deploy what a file describes",
	.about = "Asks every server that the file means to deploy it. Without "
		 "--wait it ends as soon as they have accepted, and says "
		 "nothing when all went well.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = change_exits,
	.run = run,
};
