/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The child of overlord-exec that becomes the command.
 *
 * It waits at a gate (a pipe) until its record is on disk, so that no command
 * ever runs that a later daemon could not find.  The kernel is asked for a TERM
 * when the helper dies; should that happen before it could be asked, the gate
 * is at its end or, with the byte already in it, the parent another one: the
 * child ends too.  All signals stay blocked until the
 * exec, so one that comes at the gate is not lost: it ends the child there.
 *
 * The command gets: its own process group in the helper's session (a `kill 0`
 * in a script must not reach the helper), stdin from /dev/null, the two pipes,
 * nothing above 2, umask 022, default signals and mask, the daemon's original
 * resource limits, and exactly the environment of the record.
 */

#include "daemon/exec/child.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/event/reap.h"

#define DEFAULT_PATH                                                           \
  "/sbin:/bin:/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"

/* The child's ends. */
struct ends {
	int null;
	int gate;
	int exec_error;
	int output[2];
};

void
child_close(struct child *c)
{
	cc_auto_close(&c->gate);
	cc_auto_close(&c->exec_error);
	cc_auto_close(&c->output[0]);
	cc_auto_close(&c->output[1]);
	c->gate = c->exec_error = c->output[0] = c->output[1] = -1;
}

static void
ends_close(struct ends *s)
{
	cc_auto_close(&s->null);
	cc_auto_close(&s->gate);
	cc_auto_close(&s->exec_error);
	cc_auto_close(&s->output[0]);
	cc_auto_close(&s->output[1]);
}

/* exec takes pointers to char that it does not write through. */
static char *const *
unconst(const char *const *v)
{
	union {
		const char *const *from;
		char *const *to;
	} u = { .from = v };

	return u.to;
}

static const char *
get_path(const char *const *envp)
{
	for (; *envp != NULL; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return DEFAULT_PATH;
}

/* As execvp(3), but with the command's PATH, without the current directory for
 * an empty element, and never through a shell. Returns why not. */
static int
exec_in_path(const struct run_spec *spec)
{
	char name[PATH_MAX];
	const char *dir, *end;
	int denied = 0;
	int n;

	for (dir = get_path(spec->envp);; dir = end + 1) {
		end = dir + strcspn(dir, ":");
		n = snprintf(name, sizeof(name), "%.*s/%s", (int)(end - dir),
		    dir, spec->argv[0]);
		if (end > dir && n > 0 && (size_t)n < sizeof(name)) {
			(void)execve(
			    name, unconst(spec->argv), unconst(spec->envp));
			if (errno == EACCES)
				denied = errno;
			else if (errno != ENOENT && errno != ENOTDIR)
				return errno;
		}
		if (*end == '\0')
			return denied != 0 ? denied : ENOENT;
	}
}

static int
exec_command(const struct run_spec *spec)
{
	if (strchr(spec->argv[0], '/') == NULL)
		return exec_in_path(spec);
	(void)execve(spec->argv[0], unconst(spec->argv), unconst(spec->envp));
	return errno;
}

static void
set_limits(const struct run_limits *l)
{
	struct rlimit rl;
	size_t i;

	if (l == NULL)
		return;
	for (i = 0; i < l->n; i++) {
		rl.rlim_cur = l->item[i].soft == UINT64_MAX
		    ? RLIM_INFINITY
		    : (rlim_t)l->item[i].soft;
		rl.rlim_max = l->item[i].hard == UINT64_MAX
		    ? RLIM_INFINITY
		    : (rlim_t)l->item[i].hard;
		/* One that was lowered below it and may not be raised stays. */
		(void)setrlimit(l->item[i].resource, &rl);
	}
}

static void
default_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;
	int i;

	for (i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Becomes the command, or returns why not. */
static int
become(const struct run_spec *spec, const struct ends *s)
{
	if (dup2(s->null, 0) == -1 || dup2(s->output[0], 1) == -1 ||
	    dup2(s->output[spec->merge ? 0 : 1], 2) == -1)
		return errno;
	(void)umask(022);
	set_limits(spec->limits);
	default_signals();
	return exec_command(spec);
}

static CC_NORETURN void
run_child(const struct run_spec *spec, const struct ends *s, pid_t helper)
{
	ssize_t n;
	char go;
	int rc;

	/* The run is held by the helper, not by us. */
	(void)close(RUN_FD_FIFO);
	(void)close(RUN_FD_LOCK);
	(void)setpgid(0, 0);
	rc = reap_pdeathsig();
	do
		n = read(s->gate, &go, 1);
	while (n == -1 && errno == EINTR);
	if (n == 1 && getppid() == helper) {
		if (rc == 0)
			rc = become(spec, s);
		(void)!write(s->exec_error, &rc, sizeof(rc));
	}
	_exit(127);
}

static int
make_pipe(int *ret_read, int *ret_write, int flags, struct error *e)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC) == -1)
		return error_set_errno(e, errno, "make a pipe");
	*ret_read = fd[0];
	*ret_write = fd[1];
	/* Ours alone: the command's end must block. */
	if (flags != 0 && fcntl(fd[0], F_SETFL, flags) == -1)
		return error_set_errno(e, errno, "set a pipe's mode");
	return 0;
}

static int
make_ends(struct child *c, struct ends *s, struct error *e)
{
	s->null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (s->null == -1)
		return error_set_errno(e, errno, "open /dev/null");
	if (make_pipe(&s->gate, &c->gate, 0, e) == -1 ||
	    make_pipe(&c->exec_error, &s->exec_error, O_NONBLOCK, e) == -1 ||
	    make_pipe(&c->output[0], &s->output[0], O_NONBLOCK, e) == -1 ||
	    make_pipe(&c->output[1], &s->output[1], O_NONBLOCK, e) == -1)
		return -1;
	return 0;
}

int
child_start(struct child *c, const struct run_spec *spec, struct error *e)
{
	struct ends s CC_CLEANUP(ends_close) = {
		.null = -1,
		.gate = -1,
		.exec_error = -1,
		.output = { -1, -1 },
	};
	pid_t helper;

	helper = getpid();
	if (make_ends(c, &s, e) == -1)
		return -1;
	c->pid = fork();
	if (c->pid == -1)
		return error_set_errno(e, errno, "fork");
	if (c->pid == 0) {
		/* Or the gate would never be at its end. */
		child_close(c);
		run_child(spec, &s, helper);
	}
	return 0;
}

int
child_release(struct child *c, struct error *e)
{
	ssize_t n;

	do
		n = write(c->gate, "", 1);
	while (n == -1 && errno == EINTR);
	if (n != 1)
		return error_set_errno(e, errno, "release the command");
	(void)close(c->gate);
	c->gate = -1;
	return 0;
}

int
child_exec_error(const struct child *c)
{
	int sys;

	if (read(c->exec_error, &sys, sizeof(sys)) != (ssize_t)sizeof(sys))
		return 0;
	return sys;
}
