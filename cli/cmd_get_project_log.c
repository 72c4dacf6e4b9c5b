/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord get-project-log: one of Director's logs (cli.md 2.6) */

#include <string.h>

#include "cli/commands.h"
#include "cli/once.h"

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "date", "DATE", CMD_STR, 'd', true, CMD_AT(date), NULL, NULL,
	    "Date of the log, such as 2025-04-22_17h57m45s." },
	{ "service", "SERVICE", CMD_STR, 's', true, CMD_AT(service), NULL, NULL,
	    "Service of the project." },
	{ "log", "LOG", CMD_STR, 'l', true, CMD_AT(log), NULL, NULL,
	    "Name of the log, such as up.log." },
};

/* A value is one word of a path. */
static bool
is_word(const char *s)
{
	return s[0] != '\0' && strchr(s, '/') == NULL && strcmp(s, ".") != 0 &&
	    strcmp(s, "..") != 0;
}

static enum exitcode
check_words(struct session *s, const char *const words[3])
{
	static const char *const names[] = { "--date", "--service", "--log" };

	for (size_t i = 0; i < 3; i++)
		if (!is_word(words[i]))
			return session_usage(s, NULL,
			    "%s '%s': must be a name without '/'", names[i],
			    words[i]);
	return EXIT_CODE_OK;
}

static void
print(struct session *s, const struct once *o)
{
	const struct node *n = node_get(o->body, "log_content");

	if (n != NULL && n->type == NODE_STR)
		out_add(&s->out, n->u.str.s, n->u.str.len);
	out_add(&s->out, "\n", 1);
}

static enum exitcode
run(struct session *s)
{
	const char *const words[] = { s->args.date, s->args.service,
		s->args.log };
	struct client_call call = { .route = ROUTE_PROJECTS_LOG,
		.params = words,
		.params_n = ARRAY_LEN(words) };
	struct tree_entry entry;
	struct once o = { .text = "" };
	enum exitcode rc = check_words(s, words);

	if (rc == EXIT_CODE_OK)
		rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = servers_entrypoint(s, s->args.words.items[0], &entry);
	if (rc == EXIT_CODE_OK)
		rc = once_run(s, &entry, &call, &o);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (o.class != CLIENT_OK)
		return once_fail(s, &entry, &o, "error obtaining the log");
	print(s, &o);
	return EXIT_CODE_OK;
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
		 "center of the file, with a chain below it if need be.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "ENTRYPOINT",
	.words_min = 1,
	.words_max = 1,
	.examples = examples,
	.exits = exits,
	.run = run,
};
