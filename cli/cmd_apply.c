/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord apply (cli.md 2.2, 6.4) */

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/preview.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "restart", NULL, CMD_FLAG, 0, false, CMD_AT(restart), NULL, NULL,
	    "Take an existing project down first." },
	{ "dry-run", NULL, CMD_FLAG, 0, false, CMD_AT(dry_run), NULL, NULL,
	    "Only show what would be done, as 'overlord plan' does." },
	PREVIEW_OPTS,
	CHANGE_OPTS,
};

static enum exitcode
run(struct session *s)
{
	enum exitcode rc;

	if (!s->args.dry_run && (s->args.diff || s->args.show_secrets))
		return session_usage(
		    s, NULL, "--diff and --show-secrets need --dry-run");
	if (!s->args.dry_run)
		return change_run(s, PLAN_APPLY);
	rc = preview_run(s, PLAN_APPLY);
	return rc == PREVIEW_CHANGES ? EXIT_CODE_OK : rc;
}

static const char *const examples[] = {
	"overlord apply -f web.yml",
	"overlord apply -f web.yml --wait --timeout 10m",
	"overlord apply -f web.yml --dry-run",
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
