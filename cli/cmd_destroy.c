/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord destroy (cli.md 2.3) */

#include "cli/change.h"
#include "cli/commands.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "force", NULL, CMD_FLAG, 'F', false, CMD_AT(force), NULL, NULL,
	    "Go on when a jail cannot be stopped." },
	CHANGE_FILTER_OPTS,
	CHANGE_OPTS,
};

static enum exitcode
run(struct session *s)
{
	return change_run(s, PLAN_DESTROY);
}

static const char *const examples[] = {
	"overlord destroy -f web.yml",
	"overlord destroy -f web.yml --filter-chain alpha.charlie",
	NULL,
};

const struct cmd cmd_destroy = {
	.name = "destroy",
	.group = CMD_DEPLOY,
	.summary = "Destroy what a file describes",
	.about = "Asks every server that the file means to destroy what it "
		 "deployed. It says nothing when all went well.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = change_exits,
	.run = run,
};
