/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord plan (cli.md 6.3) */

#include "cli/change.h"
#include "cli/commands.h"
#include "cli/preview.h"

static const char *const outputs[] = { "table", "json", "yaml", NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "destroy", NULL, CMD_FLAG, 0, false, CMD_AT(destroy), NULL, NULL,
	    "What destroy would do, not apply." },
	{ "restart", NULL, CMD_FLAG, 0, false, CMD_AT(restart), NULL, NULL,
	    "What apply --restart would do." },
	PREVIEW_OPTS,
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "table", "How to print." },
	{ "exit-zero", NULL, CMD_FLAG, 0, false, CMD_AT(exit_zero), NULL, NULL,
	    "End with 0, not 2, when something would change." },
	CHANGE_FILTER_OPTS,
	CHANGE_TARGET_OPTS,
};

static enum exitcode
run(struct session *s)
{
	enum exitcode rc;

	if (s->args.destroy && s->args.restart)
		return session_usage(
		    s, NULL, "--restart is for apply, not for --destroy");
	if (!s->args.destroy && s->args.filter_chain.n > 0)
		return session_usage(s, "use --chain",
		    "--filter-chain is for --destroy, apply has no such "
		    "option");
	rc = preview_run(s, s->args.destroy ? PLAN_DESTROY : PLAN_APPLY);
	return rc == PREVIEW_CHANGES && s->args.exit_zero ? EXIT_CODE_OK : rc;
}

static const char *const examples[] = {
	"overlord plan -f web.yml",
	"overlord plan -f web.yml --diff -v",
	"overlord plan -f web.yml --destroy -o json",
	NULL,
};

static const char *const exits[] = {
	"2   something would change, or nobody can tell",
	"65  the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"68  nothing matched (with --strict)",
	"69  a data center (with --strict: a server) could not be reached",
	"76  a server refused, or answered what is not understood",
	"77  a server does not accept the token",
	"78  the kind of the file does not allow this",
	NULL,
};

const struct cmd cmd_plan = {
	.name = "plan",
	.group = CMD_DEPLOY,
	.summary = "Show what apply or destroy would do",
	.about = "Asks every server that the file means what it has, and "
		 "compares: '+' it would be created, '~' changed, '-' "
		 "destroyed, '=' nothing, '?' the server does not tell, '!' "
		 "it cannot be asked. Nothing is changed.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
