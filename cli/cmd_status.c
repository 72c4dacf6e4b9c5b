/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord status: what runs where, as a table (cli.md 6.2). Servers that
 * cannot be asked are rows too.
 */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/doc.h"
#include "cli/status_print.h"
#include "cli/status_watch.h"
#include "cli/term.h"
#include "cli/watch_view.h"
#include "lib/event/loop.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static const char *const outputs[] = { "table", "wide", "json", "yaml", NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE_IF,
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "Every project on every server below the file's data centers." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "table", "How to print." },
	WATCH_OPTS,
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
print_table(struct session *s, struct board *b)
{
	AUTO_STRBUF struct strbuf out;
	struct error e = ERROR_INIT;

	strbuf_init(&out, TEXT_MAX);
	status_print_table(s, b, !s->args.no_headers,
	    isatty(STDOUT_FILENO) == 1 ? term_width(STDOUT_FILENO) : 0, &out);
	if (strbuf_check(&out, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, out.buf, out.len);
	return EXIT_CODE_OK;
}

static enum exitcode
print(struct session *s, struct board *b)
{
	struct status_counts counts;
	struct error e = ERROR_INIT;
	enum exitcode rc;

	if (board_check(b, &e) < 0)
		return session_fail(s, &e);
	rc = doc_is_wanted(s) ? doc_print(s, status_doc(s, b))
			      : print_table(s, b);
	if (rc != EXIT_CODE_OK)
		return rc;
	status_count(b, &counts);
	return s->args.exit_code ? (enum exitcode)status_counts_exit(&counts)
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
		if (board_fault(b, i) == BOARD_FINE)
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
	return s->args.watch ? watch_view_check(s) : EXIT_CODE_OK;
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
	CMD_EXITS_LOOK,
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
