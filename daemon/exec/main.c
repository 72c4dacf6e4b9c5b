/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord-exec RUNDIR: runs one command and outlives the daemon that asked for
 * it (design.md 3.5).  It is started by the process table with the FIFO's write
 * end and the locked lock file as descriptors 3 and 4, which it only holds:
 * they are what says that the run has not ended.
 *
 * It reads spec.json, forks the command behind a gate, writes `child` and opens
 * the gate.  From then on it waits for output, signals and deadlines in one
 * ppoll(2); every signal but TERM and CHLD stays blocked for ever, and those
 * two only arrive there.  Deadline, cancel (a TERM with a `cancel` file) and
 * shutdown (a TERM without one) are one path: TERM to the command, after the
 * grace KILL to its session, which is ours.  Who left that session was deployed
 * and is never signalled.
 *
 * The run ends when the command has been reaped, whoever still holds its pipes:
 * what is in them is taken, then result.json is written and we go.  We are the
 * reaper of what the command left behind, to collect it, never to kill it.
 *
 * What goes wrong before the command could run is a result too (exec_failed),
 * with the reason on the run's stderr.
 */

#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/exec/child.h"
#include "daemon/exec/tail.h"
#include "lib/base/clock.h"
#include "lib/base/exitcode.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/event/reap.h"
#include "proto/runrec.h"

/* Between two KILLs: what forked meanwhile, or waits in the kernel. */
#define KILL_AGAIN_MS 1000
/* A result that cannot be written (a full disk) is tried again: a run without
 * one would be repeated. */
#define RESULT_TRIES 60
#define RESULT_AGAIN_MS 10
#define RESULT_AGAIN_MAX_MS 1000
#define SPEC_ARENA_MAX ((size_t)128 << 20)
/* When nothing is due. */
#define NEVER INT64_MAX

struct helper {
	int dir;
	struct arena arena;
	struct run_spec spec;
	struct child child;
	struct tail output[2];
	/* Everything but TERM and CHLD. */
	sigset_t while_waiting;

	/* Monotonic, or NEVER. */
	int64_t deadline_ms;
	int64_t kill_ms;
	bool stopping;
	bool interrupted;
	bool ended;
	int status;
	struct run_result result;
};

static volatile sig_atomic_t got_term;

static void
on_signal(int signo)
{
	if (signo == SIGTERM)
		got_term = 1;
}

static void
set_signals(struct helper *h)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t all;

	sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGTERM, &sa, NULL);
	sa.sa_flags = SA_NOCLDSTOP;
	(void)sigaction(SIGCHLD, &sa, NULL);
	h->while_waiting = all;
	sigdelset(&h->while_waiting, SIGTERM);
	sigdelset(&h->while_waiting, SIGCHLD);
}

static int
read_spec(struct helper *h, struct error *e)
{
	char *text AUTO_FREE = NULL;
	size_t len;

	arena_init(&h->arena, SPEC_ARENA_MAX);
	if (file_read(h->dir, RUN_FILE_SPEC, RUNREC_MAX, &text, &len, e) == -1)
		return -1;
	return runrec_spec_read(text, len, &h->arena, &h->spec, e);
}

static int
write_child(struct helper *h, struct error *e)
{
	struct run_child c = { .pid = h->child.pid, .helper = getpid() };
	char *text AUTO_FREE = NULL;
	size_t len;

	if (reap_start_time(c.pid, &c.start, e) != 0 ||
	    reap_start_time(c.helper, &c.helper_start, e) != 0 ||
	    reap_boot_id(c.boot_id, e) == -1)
		return -1;
	c.started_at = h->result.started_at;
	c.deadline_ms = h->deadline_ms == NEVER ? 0 : h->deadline_ms;
	if (runrec_child_write(&c, &text, &len, e) == -1)
		return -1;
	return file_replace(h->dir, RUN_FILE_CHILD, text, len, 0600, 0, e);
}

/* TERM to the command, once; KILL is due after the grace. */
static void
stop_command(struct helper *h)
{
	if (h->stopping)
		return;
	h->stopping = true;
	h->kill_ms = clock_mono_ms() + h->spec.grace_ms;
	(void)kill(h->child.pid, SIGTERM);
}

static void
take_term(struct helper *h)
{
	got_term = 0;
	if (faccessat(h->dir, RUN_FILE_CANCEL, F_OK, 0) == 0)
		h->result.cancelled = true;
	else
		h->interrupted = true;
	stop_command(h);
}

static void
take_time(struct helper *h)
{
	int64_t now = clock_mono_ms();
	unsigned n;

	if (now >= h->deadline_ms) {
		h->deadline_ms = NEVER;
		h->result.timed_out = true;
		stop_command(h);
	}
	if (now >= h->kill_ms) {
		h->kill_ms = now + KILL_AGAIN_MS;
		(void)reap_kill_session(getpid(), getpid(), SIGKILL, &n, NULL);
		/* It is ours, whatever session it is in. */
		(void)kill(h->child.pid, SIGKILL);
	}
}

static int64_t
tv_ms(const struct timeval *tv)
{
	return (int64_t)tv->tv_sec * 1000 + tv->tv_usec / 1000;
}

/* Collects whoever has ended; the command's end is the run's. */
static void
take_ends(struct helper *h)
{
	struct rusage ru;
	int status;
	pid_t pid;

	while ((pid = wait4(-1, &status, WNOHANG, &ru)) > 0) {
		if (pid != h->child.pid)
			continue;
		h->ended = true;
		h->status = status;
		h->result.ended_at = clock_wall_ms();
		h->result.utime_ms = tv_ms(&ru.ru_utime);
		h->result.stime_ms = tv_ms(&ru.ru_stime);
		h->result.maxrss_kb = ru.ru_maxrss;
	}
}

/* At most len bytes of one output; false at its end. */
static bool
take_output(struct helper *h, int i, size_t len)
{
	static char buf[65536];
	ssize_t n;

	if (len > sizeof(buf))
		len = sizeof(buf);
	n = read(h->child.output[i], buf, len);
	if (n > 0)
		tail_add(&h->output[i], buf, (size_t)n);
	return n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR));
}

/* What is in the pipe now, and no more: somebody may be filling it for ever. */
static void
take_rest(struct helper *h, int i)
{
	int left;

	if (h->child.output[i] == -1 ||
	    ioctl(h->child.output[i], FIONREAD, &left) == -1)
		return;
	for (; left > 0; left -= 65536)
		if (!take_output(h, i, (size_t)left))
			return;
}

static struct timespec
ms_timespec(int64_t ms)
{
	return (struct timespec){
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000 * 1000000),
	};
}

static void
wait_once(struct helper *h)
{
	struct pollfd p[2];
	struct timespec ts;
	int64_t due, left;
	int i, rc;

	for (i = 0; i < 2; i++)
		p[i] = (struct pollfd){
			.fd = h->child.output[i],
			.events = POLLIN,
		};
	due = h->deadline_ms < h->kill_ms ? h->deadline_ms : h->kill_ms;
	left = due == NEVER ? 0 : due - clock_mono_ms();
	if (left < 0)
		left = 0;
	ts = ms_timespec(left);
	rc = ppoll(p, 2, due == NEVER ? NULL : &ts, &h->while_waiting);
	for (i = 0; i < 2 && rc > 0; i++) {
		if (p[i].revents == 0 || take_output(h, i, SIZE_MAX))
			continue;
		close(h->child.output[i]);
		h->child.output[i] = -1;
	}
	/* In this order: a command that has ended was not interrupted. */
	take_ends(h);
	if (!h->ended && got_term)
		take_term(h);
	if (!h->ended)
		take_time(h);
}

/* Everything up to the open gate; the command does not run before. */
static int
launch(struct helper *h, struct error *e)
{
	if (tail_init(&h->output[0], h->dir, RUN_FILE_STDOUT,
		h->spec.output_max, e) == -1 ||
	    tail_init(&h->output[1], h->dir, RUN_FILE_STDERR,
		h->spec.output_max, e) == -1 ||
	    reap_acquire(e) == -1 || child_start(&h->child, &h->spec, e) == -1)
		return -1;
	h->result.started_at = clock_wall_ms();
	if (h->spec.deadline_ms > 0 &&
	    h->spec.deadline_ms < NEVER - clock_mono_ms())
		h->deadline_ms = clock_mono_ms() + h->spec.deadline_ms;
	if (write_child(h, e) == -1)
		return -1;
	/* A cancel that came before `child` had nobody to signal. */
	if (faccessat(h->dir, RUN_FILE_CANCEL, F_OK, 0) == 0) {
		h->result.cancelled = true;
		stop_command(h);
	}
	return child_release(&h->child, e);
}

/* What became of a command that ran. */
static void
conclude(struct helper *h)
{
	struct error e = ERROR_INIT;
	struct run_result *r = &h->result;

	take_rest(h, 0);
	take_rest(h, 1);
	r->sys = child_exec_error(&h->child);
	if (r->sys != 0) {
		r->how = RUN_EXEC_FAILED;
	} else if (h->interrupted && !r->cancelled && !r->timed_out) {
		r->how = RUN_INTERRUPTED;
	} else if (WIFSIGNALED(h->status)) {
		r->how = RUN_SIGNALLED;
		r->signo = WTERMSIG(h->status);
	} else {
		r->how = RUN_EXITED;
		r->code = WEXITSTATUS(h->status);
	}
	(void)tail_finish(
	    &h->output[0], &r->stdout_len, &r->stdout_dropped, &e);
	(void)tail_finish(
	    &h->output[1], &r->stderr_len, &r->stderr_dropped, &e);
}

/* What became of one that could not. */
static void
conclude_failed(struct helper *h, const struct error *why)
{
	struct run_result *r = &h->result;
	const char *text = error_text(why);
	uint64_t dropped;

	/* A child at the gate ends when we do, but nobody would collect it. */
	child_close(&h->child);
	if (h->child.pid > 0) {
		(void)kill(h->child.pid, SIGKILL);
		(void)waitpid(h->child.pid, NULL, 0);
	}
	r->how = RUN_EXEC_FAILED;
	r->sys = why->sys != 0 ? why->sys : EINVAL;
	r->ended_at = clock_wall_ms();
	if (r->started_at == 0)
		r->started_at = r->ended_at;
	tail_fini(&h->output[1]);
	if (tail_init(&h->output[1], h->dir, RUN_FILE_STDERR,
		sizeof(why->text) + 32, NULL) == -1)
		return;
	tail_add(&h->output[1], "overlord-exec: ", 15);
	tail_add(&h->output[1], text, strlen(text));
	tail_add(&h->output[1], "\n", 1);
	(void)tail_finish(&h->output[1], &r->stderr_len, &dropped, NULL);
}

static int
write_result(struct helper *h, struct error *e)
{
	int64_t again_ms = RESULT_AGAIN_MS;
	char *text AUTO_FREE = NULL;
	struct timespec pause;
	size_t len;
	int i;

	if (runrec_result_write(&h->result, &text, &len, e) == -1)
		return -1;
	for (i = 0; i < RESULT_TRIES; i++) {
		if (file_replace(h->dir, RUN_FILE_RESULT, text, len, 0600,
			FILE_SYNC, e) == 0)
			return 0;
		/* The directory itself is gone: nobody will ask. */
		if (e->sys == ENOENT)
			return -1;
		pause = ms_timespec(again_ms);
		(void)ppoll(NULL, 0, &pause, &h->while_waiting);
		again_ms *= 2;
		if (again_ms > RESULT_AGAIN_MAX_MS)
			again_ms = RESULT_AGAIN_MAX_MS;
	}
	return -1;
}

static int
run(struct helper *h, const char *path)
{
	struct error e = ERROR_INIT;

	if (file_open_dir(path, &h->dir, &e) == -1)
		return EXIT_CODE_IOERR;
	if (read_spec(h, &e) == -1 || launch(h, &e) == -1) {
		conclude_failed(h, &e);
	} else {
		while (!h->ended)
			wait_once(h);
		conclude(h);
	}
	return write_result(h, &e) == -1 ? EXIT_CODE_IOERR : EXIT_CODE_OK;
}

/* The two descriptors, marked first of all: in the command they would keep the
 * run alive for ever. */
static bool
take_descriptors(void)
{
	int fd;

	if (fcntl(RUN_FD_FIFO, F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(RUN_FD_LOCK, F_SETFD, FD_CLOEXEC) == -1)
		return false;
	closefrom(RUN_FD_LOCK + 1);
	/* So that no descriptor of ours becomes one of the standard ones. */
	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= 2);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int
main(int argc, char **argv)
{
	struct helper h = {
		.dir = -1,
		.child = CHILD_INIT,
		.output = { { .fd = -1 }, { .fd = -1 } },
		.deadline_ms = NEVER,
		.kill_ms = NEVER,
	};
	int rc;

	if (!take_descriptors() || argc != 2) {
		(void)fprintf(stderr,
		    "usage: overlord-exec RUNDIR\n"
		    "It is started by overlordd, with descriptors 3 and 4.\n");
		return EXIT_CODE_USAGE;
	}
	set_signals(&h);
	/* Fails only for a leader, which would have a session of its own. */
	(void)setsid();
	rc = run(&h, argv[1]);
	child_close(&h.child);
	tail_fini(&h.output[0]);
	tail_fini(&h.output[1]);
	arena_fini(&h.arena);
	cc_auto_close(&h.dir);
	return rc;
}
