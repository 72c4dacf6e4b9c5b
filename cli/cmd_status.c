/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord status: what runs where, as a table (cli.md 6.2). Servers that
 * cannot be asked are rows too.
 */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/status_print.h"
#include "cli/status_watch.h"
#include "cli/term.h"
#include "lib/event/loop.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static const char *const outputs[] = { "table", "wide", "json", NULL };

static const struct cmd_opt opts[] = {
	{ "file", "FILE", CMD_STR, 'f', false, CMD_AT(file), NULL, NULL,
	    "Deployment file; without one this machine's server is asked." },
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "Every project on every server below the file's data centers." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "table", "How to print." },
	{ "watch", NULL, CMD_FLAG, 'w', false, CMD_AT(watch), NULL, NULL,
	    "Go on, and show what changes." },
	{ "interval", "D", CMD_DURATION, 0, false, CMD_AT(interval_ms), NULL,
	    "2s",
	    "With --watch: how often servers are asked that cannot tell." },
	{ "no-headers", NULL, CMD_FLAG, 0, false, CMD_AT(no_headers), NULL,
	    NULL, "Print no headings." },
	{ "exit-code", NULL, CMD_FLAG, 0, false, CMD_AT(exit_code), NULL, NULL,
	    "End with 1, 3 or 4 when not all is READY." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	CMD_OPT_PROJECT,
};

/* Those that cannot be asked are shown, too. */
static void
start(struct target *t)
{
	target_done(t);
}

static void
on_changed(struct board *b, void *ctx)
{
	struct session *s = ctx;

	if (board_is_idle(b))
		loop_stop(s->loop);
}

static enum exitcode
print(struct session *s, struct board *b)
{
	AUTO_STRBUF struct strbuf out;
	struct status_counts counts;
	struct error e = ERROR_INIT;

	strbuf_init(&out, TEXT_MAX);
	if (s->args.output != NULL && strcmp(s->args.output, "json") == 0)
		status_print_json(s, b, &out);
	else
		status_print_table(s, b, !s->args.no_headers,
		    isatty(STDOUT_FILENO) == 1 ? term_width(STDOUT_FILENO) : 0,
		    &out);
	if (board_check(b, &e) < 0 || arena_check(&s->arena, &e) < 0 ||
	    strbuf_check(&out, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, out.buf, out.len);
	status_count(b, &counts);
	return s->args.exit_code ? (enum exitcode)status_exit(&counts)
				 : EXIT_CODE_OK;
}

static enum exitcode
show_once(struct session *s, struct targets *t)
{
	struct board *b AUTO(board) = NULL;
	struct error e = ERROR_INIT;

	if (board_new(&b, s, t, on_changed, s, &e) < 0)
		return session_fail(s, &e);
	for (size_t i = 0; i < board_spots(b); i++)
		if (!board_is_faulty(b, i))
			board_refresh(b, i);
	if (!board_is_idle(b) && loop_run(s->loop, &e) < 0)
		return session_fail(s, &e);
	return print(s, b);
}

static enum exitcode
check(struct session *s)
{
	if (s->args.watch && s->args.exit_code)
		return session_usage(s, NULL,
		    "--watch does not end, so --exit-code is of no use");
	if (s->args.interval_ms < 100)
		return session_usage(
		    s, NULL, "--interval: must be a tenth of a second or more");
	return EXIT_CODE_OK;
}

static enum exitcode
run(struct session *s)
{
	struct targets_rule rule = { .start = start,
		.flags = TARGETS_GIVE_FAULTS };
	struct targets targets;
	enum exitcode rc = check(s);

	if (rc == EXIT_CODE_OK && s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = targets_look(s, &rule, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	rc = s->args.watch && targets.unreachable == EXIT_CODE_OK &&
		targets.matched > 0
	    ? status_watch(s, &targets)
	    : show_once(s, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (targets.unreachable == EXIT_CODE_NOPERM)
		out_fail(&s->out,
		    targets_hint(s, targets.items[0].server, CLIENT_DENIED),
		    "no data center accepts the token");
	if (targets.unreachable != EXIT_CODE_OK)
		return targets.unreachable;
	return targets_none(&targets);
}

static const char *const examples[] = {
	"overlord status -f web.yml",
	"overlord status -f web.yml --all -o wide",
	"overlord status -f web.yml --watch",
	NULL,
};

static const char *const exits[] = {
	"1   with --exit-code: something is FAILED, DEGRADED or ABSENT",
	"3   with --exit-code: something is in progress",
	"4   with --exit-code: something is UNREACHABLE",
	"65  the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"68  nothing matched (with --strict)",
	"69  no data center could be reached",
	"77  no data center accepts the token",
	NULL,
};

const struct cmd cmd_status = {
	.name = "status",
	.group = CMD_LOOK,
	.summary = "Show what runs where",
	.about = "Shows the file's project on the file's servers, one line "
		 "each; with --all, or a file of kind readOnly, every project. "
		 "With --watch it stays and follows what changes: on a "
		 "terminal in place, until 'q' or ^C, elsewhere with a line "
		 "for each change.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
