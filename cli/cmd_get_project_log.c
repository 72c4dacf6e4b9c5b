/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord get-project-log: one of Director's logs (cli.md 2.6) */

#include "cli/commands.h"
#include "cli/get_log.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "date", "DATE", CMD_STR, 'd', true, CMD_AT(date), NULL, NULL,
	    "Date of the log, such as 2025-04-22_17h57m45s." },
	{ "service", "SERVICE", CMD_STR, 's', true, CMD_AT(service), NULL, NULL,
	    "Service of the project." },
	{ "log", "LOG", CMD_STR, 'l', true, CMD_AT(log), NULL, NULL,
	    "Name of the log, such as up.log." },
};

static enum exitcode
run(struct session *s)
{
	const struct get_log_word words[] = {
		{ "--date", s->args.date },
		{ "--service", s->args.service },
		{ "--log", s->args.log },
	};

	return get_log(s, ROUTE_PROJECTS_LOG, words, ARRAY_LEN(words));
}

static const char *const examples[] = {
	"overlord get-project-log -f web.yml -d 2025-04-22_17h57m45s -s web "
	"-l up.log main.alpha",
	NULL,
};

static const char *const exits[] = {
	"66  the log, the file or the data center cannot be found",
	"69  the server could not be reached",
	"77  the token is not accepted",
	NULL,
};

const struct cmd cmd_get_project_log = {
	.name = "get-project-log",
	.group = CMD_JOBS,
	.summary = "Print one of Director's logs",
	.about = "Prints a log of a project's service. ENTRYPOINT is a data "
		 "center of the file, with a chain below it if need be. "
		 "'get-info -t projects:logs' lists the logs.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "ENTRYPOINT",
	.words_min = 1,
	.words_max = 1,
	.examples = examples,
	.exits = exits,
	.run = run,
};
