/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlordd: arguments, detaching, exit codes. The parent of a detached daemon
 * stays until the daemon is ready or has failed, so that `service overlordd
 * start` tells the truth.
 */
#include <sys/types.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <config.h>

#include "daemon/daemon.h"
#include "daemon/program.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/tls.h"
#include "proto/config.h"
#include "proto/openapi.h"
#include "proto/status.h"

enum mode {
	MODE_RUN,
	MODE_TEST,
	MODE_CHECK
};

struct args {
	struct daemon_options opts;
	enum mode mode;
	const char *backup;
	const char *restore;
};

static const char usage_text[] =
    "usage: overlordd [-Fht] [-f FILE]\n"
    "       overlordd --check | --backup DIR | --restore DIR [-f FILE]\n"
    "       overlordd --openapi | -V\n"
    "  -f FILE       configuration (default $OVERLORD_CONFIG, then\n"
    "                " OVERLORD_CONFIG_DEFAULT ")\n"
    "  -F            stay in the foreground\n"
    "  -t            check the configuration and end\n"
    "  --check       check the store and end; no daemon may use it\n"
    "  --backup DIR  copy the store of a running daemon to DIR and end\n"
    "  --restore DIR put such a copy in place and end; no daemon may run\n"
    "  --openapi     print the description of the API and end\n"
    "  -V            print the version and end\n"
    "See overlordd(8).\n";

static int
complain(const struct error *e, int code)
{
	if (e->text[0] != '\0')
		(void)fprintf(stderr, "overlordd: %s\n", e->text);
	return code;
}

static int
usage_error(void)
{
	(void)fputs(usage_text, stderr);
	return EXIT_CODE_USAGE;
}

static int
print_openapi(void)
{
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;

	strbuf_init(&text, OPENAPI_MAX);
	if (openapi_write(&text, &e) < 0)
		return complain(&e, (int)status_exit(e.code));
	return puts(text.buf) >= 0 && fflush(stdout) == 0 ? 0 : EXIT_CODE_IOERR;
}

/* -f, then OVERLORD_CONFIG, then the default file when it is there. */
static int
find_config(struct args *a, const char *given)
{
	static char path[PATH_MAX];
	const char *env = getenv("OVERLORD_CONFIG");

	if (given == NULL && env != NULL && env[0] != '\0') {
		given = env;
		if (access(env, F_OK) < 0) {
			(void)fprintf(stderr,
			    "overlordd: warning: OVERLORD_CONFIG names '%s', "
			    "which does not exist; all is default\n",
			    env);
			return 0;
		}
	}
	if (given == NULL && access(OVERLORD_CONFIG_DEFAULT, F_OK) < 0)
		return 0;
	if (given == NULL)
		given = OVERLORD_CONFIG_DEFAULT;
	/* A daemon that has detached must find it again. */
	if (realpath(given, path) == NULL) {
		(void)fprintf(
		    stderr, "overlordd: %s: %s\n", given, strerror(errno));
		return EXIT_CODE_NOINPUT;
	}
	a->opts.config_path = path;
	return 0;
}

/* -1: go on; else the exit code. */
static int
read_args(int argc, char **argv, struct args *a)
{
	static const struct option longs[] = {
		{ "check", no_argument, NULL, 'c' },
		{ "backup", required_argument, NULL, 'b' },
		{ "restore", required_argument, NULL, 'r' },
		{ "openapi", no_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	const char *config = NULL;
	int c, r;

	while ((c = getopt_long(argc, argv, "f:FthV", longs, NULL)) != -1)
		switch (c) {
		case 'f':
			config = optarg;
			break;
		case 'F':
			a->opts.foreground = true;
			break;
		case 't':
			a->mode = MODE_TEST;
			break;
		case 'c':
			a->mode = MODE_CHECK;
			break;
		case 'b':
			a->backup = optarg;
			break;
		case 'r':
			a->restore = optarg;
			break;
		case 'o':
			return print_openapi();
		case 'h':
			(void)fputs(usage_text, stdout);
			return 0;
		case 'V':
			(void)printf(
			    "overlordd, version %s\n", OVERLORD_VERSION);
			return 0;
		default:
			return usage_error();
		}
	if (optind != argc) {
		(void)fprintf(
		    stderr, "overlordd: unexpected '%s'\n", argv[optind]);
		return usage_error();
	}
	r = find_config(a, config);
	return r == 0 ? -1 : r;
}

static int
test_programs(const struct config *c)
{
	static const struct {
		enum program id;
		const char *lack;
	} wanted[] = {
		{ PROGRAM_DIRECTOR, "nothing can be deployed on this node" },
		{ PROGRAM_APPJAIL, "no AppJail on this node" },
	};
	AUTO(programs) struct programs *p = NULL;
	struct error e = ERROR_INIT;
	const char *path;

	if (programs_new(&p, &e) < 0)
		return complain(&e, EXIT_CODE_OSERR);
	daemon_programs(c, p);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		if (programs_get(p, wanted[i].id, &path, &e) < 0)
			(void)fprintf(stderr, "overlordd: warning: %s: %s\n",
			    wanted[i].lack, e.text);
	return 0;
}

static int
test_tls(const struct config *c)
{
	AUTO(tls) struct tls *t = NULL;
	struct error e = ERROR_INIT;

	if (daemon_tls(c, &t, &e) < 0)
		return complain(&e, EXIT_CODE_CONFIG);
	if (t != NULL && tls_warning(t) != NULL)
		(void)fprintf(
		    stderr, "overlordd: warning: TLS: %s\n", tls_warning(t));
	return 0;
}

static int
test_config(const struct args *a, const struct loaded *l)
{
	struct error e = ERROR_INIT;
	int r = test_tls(l->config);

	if (r != 0)
		return r;
	if (daemon_test_log(&a->opts, l, &e) < 0)
		return complain(&e, EXIT_CODE_CONFIG);
	r = test_programs(l->config);
	if (r != 0)
		return r;
	(void)printf("%s: configuration is valid\n",
	    a->opts.config_path != NULL ? a->opts.config_path : "(defaults)");
	return 0;
}

static int
check_store(const struct args *a, struct loaded **l)
{
	AUTO(daemon) struct daemon *d = NULL;
	struct error e = ERROR_INIT;

	if (daemon_new(&d, &a->opts, l, &e) < 0 || daemon_check(d, &e) < 0)
		return complain(&e, (int)status_exit(e.code));
	(void)puts("the store is sound");
	return 0;
}

static int
restore_store(const struct args *a, struct loaded **l)
{
	AUTO(daemon) struct daemon *d = NULL;
	struct error e = ERROR_INIT;
	const char *aside = NULL;

	if (daemon_new(&d, &a->opts, l, &e) < 0 ||
	    daemon_restore(d, a->restore, &aside, &e) < 0)
		return complain(&e, (int)status_exit(e.code));
	(void)printf("the store is that of %s\n", a->restore);
	if (aside != NULL)
		(void)printf("what was there is in %s\n", aside);
	return 0;
}

static int
run(const struct args *a, struct loaded **l, int ready_fd)
{
	AUTO(daemon) struct daemon *d = NULL;
	struct error e = ERROR_INIT;
	/* Whoever starts it by hand must not have to look for the log. */
	bool logs_elsewhere = !a->opts.foreground ||
	    (*l)->config->log.file != NULL ||
	    (*l)->config->log.syslog != NULL || (*l)->config->logging != NULL;

	if (daemon_log(&a->opts, *l, &e) < 0)
		return complain(&e, EXIT_CODE_CANTCREAT);
	if (daemon_new(&d, &a->opts, l, &e) < 0 || daemon_start(d, &e) < 0) {
		log_critical("daemon", NO_FIELDS, "%s", e.text);
		if (logs_elsewhere)
			(void)complain(&e, 0);
		return (int)status_exit(e.code);
	}
	if (ready_fd >= 0) {
		(void)!write(ready_fd, "", 1);
		(void)close(ready_fd);
		(void)dup2(STDIN_FILENO, STDOUT_FILENO);
		(void)dup2(STDIN_FILENO, STDERR_FILENO);
	}
	if (daemon_run(d, &e) < 0) {
		log_critical("daemon", NO_FIELDS, "%s", e.text);
		return EXIT_CODE_SOFTWARE;
	}
	log_notice("daemon", NO_FIELDS, "stopped");
	return 0;
}

/* In the parent: ends with what came of the child. */
CC_NORETURN static void
wait_ready(pid_t child, int fd)
{
	int status;
	char c;

	if (read(fd, &c, 1) == 1)
		_exit(0);
	if (waitpid(child, &status, 0) == child && WIFEXITED(status))
		_exit(WEXITSTATUS(status));
	_exit(EXIT_CODE_SOFTWARE);
}

/* In the child: the descriptor to tell that it is ready; -1 on failure. */
static int
detach(struct error *e)
{
	int fds[2], null;
	pid_t pid;

	if (pipe(fds) < 0)
		return error_set_errno(e, errno, "pipe");
	if ((pid = fork()) < 0)
		return error_set_errno(e, errno, "fork");
	if (pid > 0) {
		(void)close(fds[1]);
		wait_ready(pid, fds[0]);
	}
	(void)close(fds[0]);
	(void)fcntl(fds[1], F_SETFD, FD_CLOEXEC);
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	/* Nobody's file system is to be kept busy. */
	if (chdir("/") < 0 || setsid() < 0 || null < 0 ||
	    dup2(null, STDIN_FILENO) < 0)
		return error_set_errno(e, errno, "detach");
	(void)close(null);
	return fds[1];
}

int
main(int argc, char **argv, char **envp)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	AUTO(loaded) struct loaded *l = NULL;
	struct error e = ERROR_INIT;
	struct args a = {
		.opts.environment = (const char *const *)envp,
	};
	int r, ready = -1;

	if ((r = read_args(argc, argv, &a)) >= 0)
		return r;
	if (daemon_load(&a.opts, &l, &e) < 0)
		return complain(&e,
		    e.code == OVE_INVALID ? EXIT_CODE_CONFIG
					  : (int)status_exit(e.code));
	if (a.mode == MODE_TEST)
		return test_config(&a, l);
	if (a.backup != NULL)
		return daemon_backup(l->config, a.backup, &e) < 0
		    ? complain(&e, (int)status_exit(e.code))
		    : 0;
	/* A file size limit is a full disk, not a reason to die. */
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	if (a.restore != NULL)
		return restore_store(&a, &l);
	if (a.mode == MODE_CHECK)
		return check_store(&a, &l);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	if (!a.opts.foreground && (ready = detach(&e)) < 0)
		return complain(&e, EXIT_CODE_OSERR);
	return run(&a, &l, ready);
}
