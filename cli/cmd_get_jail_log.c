/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord get-jail-log: one of AppJail's logs (cli.md 2.6) */

#include "cli/commands.h"
#include "cli/get_log.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "type", "TYPE", CMD_STR, 't', true, CMD_AT(type), NULL, NULL,
	    "Type of the log, such as jails." },
	{ "entity", "ENTITY", CMD_STR, 'e', true, CMD_AT(entity), NULL, NULL,
	    "Whose log it is, such as a jail." },
	{ "subtype", "SUBTYPE", CMD_STR, 's', true, CMD_AT(subtype), NULL, NULL,
	    "Subtype of the log, such as startup-start." },
	{ "log", "LOG", CMD_STR, 'l', true, CMD_AT(log), NULL, NULL,
	    "Name of the log, such as 2025-05-13.log." },
};

static enum exitcode
run(struct session *s)
{
	const struct get_log_word words[] = {
		{ "--type", s->args.type },
		{ "--entity", s->args.entity },
		{ "--subtype", s->args.subtype },
		{ "--log", s->args.log },
	};

	return get_log(s, ROUTE_JAIL_LOG, words, ARRAY_LEN(words));
}

static const char *const examples[] = {
	"overlord get-jail-log -f web.yml -t jails -e nginx -s startup-start "
	"-l 2025-05-13.log main.alpha",
	NULL,
};

static const char *const exits[] = {
	"66  the log, the file or the data center cannot be found",
	"69  the server could not be reached",
	"77  the token is not accepted",
	NULL,
};

const struct cmd cmd_get_jail_log = {
	.name = "get-jail-log",
	.group = CMD_JOBS,
	.summary = "Print one of AppJail's logs",
	.about = "Prints a log of a jail, or of what else AppJail logs about. "
		 "ENTRYPOINT is a data center of the file, with a chain below "
		 "it if need be. 'get-info -t jails:logs' lists the logs.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "ENTRYPOINT",
	.words_min = 1,
	.words_max = 1,
	.examples = examples,
	.exits = exits,
	.run = run,
};
