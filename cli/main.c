/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord: parses the arguments by the command table, reads the environment
 * file, runs the command, flushes standard output, ends with its code. Nothing
 * is initialised before a command needs it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/session.h"
#include "cli/term.h"
#include "config.h"
#include "lib/base/log.h"

/* TLS libraries write to sockets that may be closed; out.c brings the usual
 * end of a filter back. */
static void
ignore_sigpipe(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_IGN;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGPIPE, &sa, NULL);
}

/* A descriptor that was closed before the start must not be given to a socket
 * that output would then go to; using it is an error. */
static void
hold_standard_fds(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
		    open("/dev/null",
			fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
			return;
}

static void
set_output(struct session *s)
{
	const struct cmd_args *a = &s->args;

	s->out.level = a->quiet ? OUT_QUIET
	    : a->verbose > 1    ? OUT_DEBUG
	    : a->verbose == 1   ? OUT_INFO
				: OUT_WARN;
	s->out.color_err = term_wants_color(STDERR_FILENO, a->color);
	s->out.color_out = term_wants_color(STDOUT_FILENO, a->color);
}

static enum exitcode
show_help(struct session *s)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, (size_t)1024 * 1024);
	if (s->cmd != NULL)
		help_command(s->cmd, &b);
	else
		help_program(&b);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static enum exitcode
no_command(struct session *s)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, (size_t)1024 * 1024);
	help_short(&b);
	out_talk(&s->out, b.buf, b.len);
	return EXIT_CODE_USAGE;
}

static enum exitcode
run(struct session *s, int argc, char **argv)
{
	struct cmd_fault f;
	enum exitcode rc;

	if (cmd_parse(argc, argv, &s->arena, &s->args, &s->cmd, &f) < 0) {
		out_fail(&s->out, f.hint, "%s", f.text);
		return EXIT_CODE_USAGE;
	}
	if (s->args.version) {
		out_addf(&s->out, "overlord, version %s\n", OVERLORD_VERSION);
		return EXIT_CODE_OK;
	}
	set_output(s);
	if (s->args.help)
		return show_help(s);
	if (s->cmd == NULL)
		return no_command(s);
	if ((s->cmd->flags & CMD_BARE) == 0) {
		rc = session_load_env(s);
		if (rc != EXIT_CODE_OK)
			return rc;
	}
	return s->cmd->run(s);
}

int
main(int argc, char **argv)
{
	struct session s;
	struct error e = ERROR_INIT;
	enum exitcode rc;

	hold_standard_fds();
	ignore_sigpipe();
	/* What the libraries note of themselves is for a daemon's log. */
	log_set_level(LOG_LEVEL_ERROR);
	session_init(&s);
	rc = run(&s, argc, argv);
	if (out_flush(&s.out, &e) < 0) {
		out_fail(&s.out, NULL, "%s", error_text(&e));
		rc = EXIT_CODE_IOERR;
	}
	session_fini(&s);
	return (int)rc;
}
