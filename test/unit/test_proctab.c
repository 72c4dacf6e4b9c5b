/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The process table with the real overlord-exec and real commands: every way a
 * run can end, adoption by a second table, orphans, cancel before and after the
 * command runs, garbage in run directories, and each system call and allocation
 * failing.
 */
#include "test/unit/support/test.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/event/loop.h"
#include "lib/event/proctab.h"
#include "lib/event/reap.h"
#include "proto/runrec.h"
#include "test/unit/support/faultio.h"
#include "test/unit/support/torture.h"

/* A test that waits longer for anything has failed. */
#define PATIENCE_MS 20000
#define OUTPUT_MAX ((size_t)64 << 10)
#define GRACE_MS 300

struct ends {
	unsigned n;
	struct run_result last;
	char key[PROCTAB_KEY_MAX + 1];
};

struct world {
	void *dir_state;
	struct test_dir *d;
	struct loop *l;
	struct proctab *pt;
	struct ends ends;
	/* wait_for(): what is waited for, and the tick that looks. */
	bool (*cond)(struct world *w);
	struct timer tick;
	int64_t waited_ms;
	char runs[300];
	char helper[300];
};

static void
on_done(const char *key, const struct run_result *r, void *ctx)
{
	struct ends *ends = ctx;

	ends->n++;
	ends->last = *r;
	(void)snprintf(ends->key, sizeof(ends->key), "%s", key);
}

static void
make_table(struct world *w)
{
	struct error e = ERROR_INIT;
	struct proctab_config c = {
		.dir = w->runs,
		.helper = w->helper,
		.max_runs = 3,
		.grace_ms = GRACE_MS,
		.codec = &runrec_codec,
	};

	test_ok(proctab_new(&w->pt, w->l, &c, &e), &e);
}

static void
on_tick(struct timer *t)
{
	struct world *w = container_of(t, struct world, tick);

	w->waited_ms += 5;
	if (w->cond(w) || w->waited_ms > PATIENCE_MS)
		loop_stop(w->l);
	else
		timer_arm(t, 5);
}

static int
setup(void **state)
{
	static struct world w;
	struct error e = ERROR_INIT;
	const char *build = getenv("OVERLORD_BUILD");

	w = (struct world){ .l = NULL };
	if (test_dir_setup(&w.dir_state) != 0)
		return -1;
	w.d = w.dir_state;
	(void)snprintf(w.runs, sizeof(w.runs), "%s/runs", w.d->path);
	(void)snprintf(w.helper, sizeof(w.helper), "%s/daemon/overlord-exec",
	    build != NULL ? build : ".");
	test_ok(loop_new(&w.l, &e), &e);
	test_ok(timer_init(&w.tick, w.l, on_tick, "tick", &e), &e);
	make_table(&w);
	*state = &w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	proctab_free(w->pt);
	timer_fini(&w->tick);
	loop_free(w->l);
	return test_dir_teardown(&w->dir_state);
}

#define TEST_IN_WORLD(f) cmocka_unit_test_setup_teardown((f), setup, teardown)

/* Runs the loop until cond() or patience is at its end. */
static void
wait_for(struct world *w, bool (*cond)(struct world *))
{
	struct error e = ERROR_INIT;

	w->cond = cond;
	w->waited_ms = 0;
	timer_arm(&w->tick, 0);
	test_ok(loop_run(w->l, &e), &e);
	timer_stop(&w->tick);
	assert_true(w->waited_ms <= PATIENCE_MS);
}

static bool
one_ended(struct world *w)
{
	return w->ends.n > 0;
}

/* The command says so by making this file. */
static bool
is_ready(struct world *w)
{
	return faccessat(w->d->fd, "ready", F_OK, 0) == 0;
}

static const char *const env_plain[] = { "PATH=/usr/bin:/bin", NULL };

static void
start_spec(struct world *w, const struct run_spec *spec)
{
	struct error e = ERROR_INIT;

	test_ok(proctab_start(w->pt, "1.0.0", spec, on_done, &w->ends, &e), &e);
}

/* Runs a shell script as 1.0.0, in which $D is the test's directory. */
static void
start_sh(struct world *w, const char *script, int64_t deadline_ms)
{
	char var[300];
	const char *argv[] = { "sh", "-c", script, NULL };
	const char *envp[] = { env_plain[0], var, NULL };
	const struct run_spec spec = {
		.argv = argv,
		.envp = envp,
		.deadline_ms = deadline_ms,
		.output_max = OUTPUT_MAX,
	};

	(void)snprintf(var, sizeof(var), "D=%s", w->d->path);
	start_spec(w, &spec);
}

static void
check_how(const struct world *w, enum run_how how, int code, int signo)
{
	const struct run_result *r = &w->ends.last;

	if (r->how != how || r->code != code || r->signo != signo)
		fail_msg("how %d, code %d, signal %d, errno %d", (int)r->how,
		    r->code, r->signo, r->sys);
	assert_int_equal(w->ends.n, 1);
}

static char *
output_of(struct world *w, const char *which)
{
	struct error e = ERROR_INIT;
	size_t len;
	char *s;

	test_ok(proctab_read_output(
		    w->pt, "1.0.0", which, OUTPUT_MAX, &s, &len, &e),
	    &e);
	return s;
}

static void
check_output(struct world *w, const char *which, const char *text)
{
	char *s AUTO_FREE = output_of(w, which);

	assert_string_equal(s, text);
}

/* Ends */

static void
run_gives_code_and_output(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;

	start_sh(w, "echo out; echo err >&2; exit 3", 0);
	assert_int_equal(proctab_running(w->pt), 1);
	assert_int_equal(w->ends.n, 0);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 3, 0);
	assert_string_equal(w->ends.key, "1.0.0");
	assert_false(w->ends.last.timed_out || w->ends.last.cancelled);
	assert_true(w->ends.last.started_at > 0);
	assert_true(w->ends.last.ended_at >= w->ends.last.started_at);
	assert_true(w->ends.last.maxrss_kb > 0);
	assert_int_equal(w->ends.last.stdout_len, 4);
	check_output(w, "stdout", "out\n");
	check_output(w, "stderr", "err\n");
	assert_int_equal(proctab_running(w->pt), 0);
	assert_int_equal(proctab_child_pid(w->pt, "1.0.0"), 0);
	assert_false(proctab_cancel(w->pt, "1.0.0"));
	test_ok(proctab_remove(w->pt, "1.0.0", &e), &e);
	test_ok(proctab_remove(w->pt, "1.0.0", &e), &e);
}

static void
signal_is_reported(void **state)
{
	struct world *w = *state;

	start_sh(w, "kill -USR1 $$", 0);
	wait_for(w, one_ended);
	check_how(w, RUN_SIGNALLED, 0, SIGUSR1);
}

static void
missing_program_is_exec_failed(void **state)
{
	static const struct {
		const char *argv0;
		int sys;
	} cases[] = {
		{ "/nowhere/at/all", ENOENT },
		{ "no-such-program-in-path", ENOENT },
		{ "/etc/passwd", EACCES },
		{ "/", EACCES },
	};
	struct world *w = *state;
	struct error e = ERROR_INIT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const char *argv[] = { cases[i].argv0, NULL };
		const struct run_spec spec = {
			.argv = argv,
			.envp = env_plain,
			.output_max = OUTPUT_MAX,
		};

		w->ends = (struct ends){ .n = 0 };
		start_spec(w, &spec);
		wait_for(w, one_ended);
		check_how(w, RUN_EXEC_FAILED, 0, 0);
		assert_int_equal(w->ends.last.sys, cases[i].sys);
		test_ok(proctab_remove(w->pt, "1.0.0", &e), &e);
	}
}

static void
missing_helper_is_an_error(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	const char *argv[] = { "true", NULL };
	const struct run_spec spec = { .argv = argv, .envp = env_plain };

	w->pt = proctab_free(w->pt);
	(void)snprintf(w->helper, sizeof(w->helper), "/nowhere/overlord-exec");
	make_table(w);
	test_fails(proctab_start(w->pt, "1.0.0", &spec, on_done, &w->ends, &e),
	    &e, OVE_NOTFOUND);
	assert_int_equal(proctab_running(w->pt), 0);
	/* Nothing stays of it. */
	assert_int_equal(proctab_attach(w->pt, "1.0.0", on_done, &w->ends, &e),
	    PROCTAB_NONE);
}

static void
environment_is_exact(void **state)
{
	struct world *w = *state;
	const char *argv[] = { "env", "-0", NULL };
	const char *envp[] = { "PATH=/usr/bin:/bin", "LATIN1=\xe9\xff",
		"EMPTY=", "LINES=a\nb\tc\"d\\", "UTF8=\xc3\xa9", NULL };
	const struct run_spec spec = {
		.argv = argv,
		.envp = envp,
		.output_max = OUTPUT_MAX,
	};
	struct error e = ERROR_INIT;
	char *s AUTO_FREE = NULL;
	const char *at;
	size_t len, i;

	setenv("LEAKED_FROM_THE_DAEMON", "1", 1);
	start_spec(w, &spec);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 0, 0);
	test_ok(proctab_read_output(
		    w->pt, "1.0.0", "stdout", OUTPUT_MAX, &s, &len, &e),
	    &e);
	at = s;
	for (i = 0; envp[i] != NULL; i++) {
		assert_string_equal(at, envp[i]);
		at += strlen(at) + 1;
	}
	assert_int_equal(at - s, len);
}

static void
command_gets_a_clean_process(void **state)
{
	struct world *w = *state;
	unsigned long long blocked, ignored, nofile;
	struct rlimit rl, old;
	char *s AUTO_FREE = NULL;
	int fd, at;

	/* The limits are those of when the table was made. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	rl = old;
	rl.rlim_cur = old.rlim_cur > 600 ? 600 : old.rlim_cur - 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	/* A descriptor that somebody forgot to mark. */
	fd = open("/dev/null", O_RDONLY);
	assert_true(fd > 2);
	start_sh(w,
	    "ls /proc/self/fd | tr '\\n' ' '; umask;"
	    "readlink /proc/$$/fd/0; ulimit -Sn;"
	    "grep -E '^Sig(Blk|Ign)' /proc/self/status | cut -f2",
	    0);
	wait_for(w, one_ended);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	close(fd);
	s = output_of(w, "stdout");
	at = 0;
	/* 3 is the directory that ls itself reads. */
	(void)sscanf(s, "0 1 2 3 0022 /dev/null %llu %llx %llx%n", &nofile,
	    &blocked, &ignored, &at);
	/* 32 and 33 are the C library's, which does not let go of them. */
	if (at == 0 || nofile != old.rlim_cur || blocked != 0 ||
	    (ignored & ~(3ULL << 31)) != 0)
		fail_msg("%s", s);
}

static void
both_pipes_are_drained(void **state)
{
	struct world *w = *state;
	char *s AUTO_FREE = NULL;
	uint64_t total = UINT64_C(10) << 20;

	/* 10 MiB to each, first one and then the other, then mixed. */
	start_sh(w,
	    "b() { dd if=/dev/zero bs=64k count=80 2>/dev/null; };"
	    "b; b >&2; b & b >&2 & wait;"
	    "printf end; printf fin >&2",
	    0);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 0, 0);
	assert_int_equal(w->ends.last.stdout_len, OUTPUT_MAX);
	assert_int_equal(w->ends.last.stdout_dropped, total + 3 - OUTPUT_MAX);
	assert_int_equal(w->ends.last.stderr_dropped, total + 3 - OUTPUT_MAX);
	s = output_of(w, "stdout");
	assert_memory_equal(s + OUTPUT_MAX - 4, "\0end", 4);
	mem_free(s);
	s = output_of(w, "stderr");
	assert_memory_equal(s + OUTPUT_MAX - 4, "\0fin", 4);
}

/* Deadline and cancel */

static void
deadline_terms_the_command(void **state)
{
	struct world *w = *state;

	start_sh(w,
	    "trap 'echo term; exit 9' TERM; touch $D/ready;"
	    "while :; do sleep 0.01; done",
	    200);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 9, 0);
	assert_true(w->ends.last.timed_out);
	assert_false(w->ends.last.cancelled);
	check_output(w, "stdout", "term\n");
}

/* What a command has written into a file. */
static pid_t
pid_in(struct world *w, const char *name)
{
	const char *text = test_dir_text(w->d, name);
	struct error e = ERROR_INIT;
	uint64_t pid;

	test_ok(
	    num_u64_len(text, strcspn(text, "\n"), 2, INT32_MAX, &pid, &e), &e);
	return (pid_t)pid;
}

static void
grace_ends_with_kill(void **state)
{
	struct world *w = *state;
	uint64_t start;

	/* A child in the session goes too; one that left it stays. */
	start_sh(w,
	    "trap '' TERM; sleep 1000 & echo $! >$D/inside;"
	    "setsid sh -c 'echo $$ >$D/outside; exec sleep 1000' &"
	    "while :; do sleep 0.01; done",
	    200);
	wait_for(w, one_ended);
	check_how(w, RUN_SIGNALLED, 0, SIGKILL);
	assert_true(w->ends.last.timed_out);
	assert_int_equal(
	    reap_start_time(pid_in(w, "inside"), &start, NULL), REAP_GONE);
	assert_int_equal(kill(pid_in(w, "outside"), SIGKILL), 0);
}

static void
cancel_terms_the_command(void **state)
{
	struct world *w = *state;

	start_sh(w, "touch $D/ready; exec sleep 1000", 0);
	wait_for(w, is_ready);
	assert_true(proctab_child_pid(w->pt, "1.0.0") > 0);
	assert_true(proctab_cancel(w->pt, "1.0.0"));
	assert_true(proctab_cancel(w->pt, "1.0.0"));
	assert_int_equal(w->ends.n, 0);
	wait_for(w, one_ended);
	check_how(w, RUN_SIGNALLED, 0, SIGTERM);
	assert_true(w->ends.last.cancelled);
}

static void
cancel_at_once_is_not_lost(void **state)
{
	struct world *w = *state;

	start_sh(w, "exec sleep 1000", 0);
	assert_true(proctab_cancel(w->pt, "1.0.0"));
	wait_for(w, one_ended);
	check_how(w, RUN_SIGNALLED, 0, SIGTERM);
	assert_true(w->ends.last.cancelled);
}

static pid_t
helper_pid(struct world *w)
{
	struct error e = ERROR_INIT;
	struct run_child c;
	char *text AUTO_FREE = NULL;
	size_t len;

	test_ok(file_read(w->d->fd, "runs/1.0.0/child", 65536, &text, &len, &e),
	    &e);
	test_ok(runrec_child_read(text, len, &c, &e), &e);
	return c.helper;
}

static void
term_without_cancel_is_a_shutdown(void **state)
{
	struct world *w = *state;

	start_sh(w, "touch $D/ready; exec sleep 1000", 0);
	wait_for(w, is_ready);
	assert_int_equal(kill(helper_pid(w), SIGTERM), 0);
	wait_for(w, one_ended);
	check_how(w, RUN_INTERRUPTED, 0, 0);
}

static void
helper_survives_other_signals(void **state)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGPIPE,
		SIGUSR1, SIGUSR2, SIGALRM };
	struct world *w = *state;
	size_t i;

	start_sh(
	    w, "touch $D/ready; until [ -e $D/go ]; do sleep 0.01; done", 0);
	wait_for(w, is_ready);
	for (i = 0; i < ARRAY_LEN(signals); i++)
		assert_int_equal(kill(helper_pid(w), signals[i]), 0);
	test_dir_put(w->d, "go", "");
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 0, 0);
}

static void
deployed_process_survives(void **state)
{
	struct world *w = *state;
	pid_t pid;

	/* Own session, output still open: does not delay the end. */
	start_sh(w,
	    "setsid sh -c 'echo $$ >$D/pid; touch $D/ready; exec sleep 1000' &"
	    "until [ -e $D/ready ]; do sleep 0.01; done; echo done",
	    0);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 0, 0);
	check_output(w, "stdout", "done\n");
	pid = pid_in(w, "pid");
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
}

static void
kill_of_own_group_spares_the_helper(void **state)
{
	struct world *w = *state;

	start_sh(w, "kill -TERM 0; exec sleep 1000", 0);
	wait_for(w, one_ended);
	check_how(w, RUN_SIGNALLED, 0, SIGTERM);
}

/* Adoption */

static void
restart(struct world *w)
{
	w->pt = proctab_free(w->pt);
	make_table(w);
}

static void
attach(struct world *w)
{
	struct error e = ERROR_INIT;

	test_ok(proctab_attach(w->pt, "1.0.0", on_done, &w->ends, &e), &e);
	assert_int_equal(w->ends.n, 0);
}

static void
living_run_is_adopted(void **state)
{
	struct world *w = *state;

	start_sh(w,
	    "touch $D/ready; until [ -e $D/go ]; do sleep 0.01; done; exit 7",
	    0);
	wait_for(w, is_ready);
	restart(w);
	attach(w);
	assert_true(proctab_child_pid(w->pt, "1.0.0") > 0);
	test_dir_put(w->d, "go", "");
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 7, 0);
}

static bool
has_result(struct world *w)
{
	return faccessat(w->d->fd, "runs/1.0.0/result.json", F_OK, 0) == 0;
}

static void
ended_run_is_collected(void **state)
{
	struct world *w = *state;

	start_sh(w, "exit 7", 0);
	restart(w);
	wait_for(w, has_result);
	attach(w);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 7, 0);
}

static void
cancel_is_taken_over(void **state)
{
	struct world *w = *state;

	start_sh(w, "touch $D/ready; exec sleep 1000", 0);
	wait_for(w, is_ready);
	/* As if the daemon had died between the file and the signal. */
	test_dir_put(w->d, "runs/1.0.0/cancel", "");
	restart(w);
	attach(w);
	wait_for(w, one_ended);
	check_how(w, RUN_SIGNALLED, 0, SIGTERM);
	assert_true(w->ends.last.cancelled);
}

/* Orphans */

static void
killed_helper_takes_its_command_along(void **state)
{
	struct world *w = *state;

	start_sh(w, "touch $D/ready; exec sleep 1000", 0);
	wait_for(w, is_ready);
	assert_int_equal(kill(helper_pid(w), SIGKILL), 0);
	wait_for(w, one_ended);
	check_how(w, RUN_VANISHED, 0, 0);
	assert_false(w->ends.last.cancelled);
	assert_true(w->ends.last.started_at > 0);
}

/* One that does not end on the TERM of its helper's death. */
#define STUBBORN                                                               \
  "trap 'touch $D/term' TERM; touch $D/ready;"                                 \
  "until [ -e $D/go ]; do sleep 0.01; done"

static bool
got_term(struct world *w)
{
	return faccessat(w->d->fd, "term", F_OK, 0) == 0;
}

static void
orphan_is_waited_for(void **state)
{
	struct world *w = *state;

	start_sh(w, STUBBORN, 0);
	wait_for(w, is_ready);
	assert_int_equal(kill(helper_pid(w), SIGKILL), 0);
	wait_for(w, got_term);
	assert_int_equal(w->ends.n, 0);
	assert_true(proctab_child_pid(w->pt, "1.0.0") > 0);
	/* The next daemon waits as well. */
	restart(w);
	attach(w);
	test_dir_put(w->d, "go", "");
	wait_for(w, one_ended);
	check_how(w, RUN_VANISHED, 0, 0);
	assert_false(w->ends.last.cancelled || w->ends.last.timed_out);
}

static void
orphan_can_be_cancelled(void **state)
{
	struct world *w = *state;

	start_sh(w, STUBBORN, 0);
	wait_for(w, is_ready);
	assert_int_equal(kill(helper_pid(w), SIGKILL), 0);
	wait_for(w, got_term);
	assert_true(proctab_cancel(w->pt, "1.0.0"));
	wait_for(w, one_ended);
	check_how(w, RUN_VANISHED, 0, 0);
	assert_true(w->ends.last.cancelled);
}

static void
orphan_has_its_deadline(void **state)
{
	struct world *w = *state;

	start_sh(w, STUBBORN, 500);
	wait_for(w, is_ready);
	assert_int_equal(kill(helper_pid(w), SIGKILL), 0);
	wait_for(w, one_ended);
	check_how(w, RUN_VANISHED, 0, 0);
	assert_true(w->ends.last.timed_out);
}

/* Anything in a directory */

static void
make_run_dir(struct world *w)
{
	assert_int_equal(mkdirat(w->d->fd, "runs/1.0.0", 0700), 0);
}

static void
expect_end(struct world *w, enum run_how how)
{
	attach(w);
	wait_for(w, one_ended);
	check_how(w, how, 0, 0);
}

static void
expect_vanished(struct world *w)
{
	expect_end(w, RUN_VANISHED);
}

static void
empty_directory_never_began(void **state)
{
	struct world *w = *state;

	make_run_dir(w);
	expect_end(w, RUN_UNBEGUN);
}

static void
never_started_never_began(void **state)
{
	struct world *w = *state;

	make_run_dir(w);
	assert_int_equal(mkfifoat(w->d->fd, "runs/1.0.0/fifo", 0600), 0);
	test_dir_put(w->d, "runs/1.0.0/lock", "");
	test_dir_put(w->d, "runs/1.0.0/spec.json", "{}");
	expect_end(w, RUN_UNBEGUN);
}

static void
garbage_vanished(void **state)
{
	struct world *w = *state;

	make_run_dir(w);
	test_dir_put(w->d, "runs/1.0.0/fifo", "a file");
	assert_int_equal(mkdirat(w->d->fd, "runs/1.0.0/lock", 0700), 0);
	test_dir_put(w->d, "runs/1.0.0/child", "{\"version\":1,\"pid\":1");
	test_dir_put(w->d, "runs/1.0.0/result.json", "\x01\xff");
	expect_vanished(w);
}

static void
child_of_another_boot_vanished(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	struct run_child c = { .pid = getpid(), .helper = getpid() };
	char *text AUTO_FREE = NULL;
	size_t len;

	test_ok(reap_start_time(c.pid, &c.start, &e), &e);
	(void)snprintf(c.boot_id, sizeof(c.boot_id), "another");
	test_ok(runrec_child_write(&c, &text, &len, &e), &e);
	make_run_dir(w);
	test_dir_put(w->d, "runs/1.0.0/child", text);
	expect_vanished(w);
}

static void
reused_pid_vanished(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	struct run_child c = { .pid = getpid(), .helper = getpid() };
	char *text AUTO_FREE = NULL;
	size_t len;

	test_ok(reap_start_time(c.pid, &c.start, &e), &e);
	c.start++;
	test_ok(reap_boot_id(c.boot_id, &e), &e);
	test_ok(runrec_child_write(&c, &text, &len, &e), &e);
	make_run_dir(w);
	test_dir_put(w->d, "runs/1.0.0/child", text);
	test_dir_put(w->d, "runs/1.0.0/cancel", "");
	expect_vanished(w);
	assert_true(w->ends.last.cancelled);
}

static bool
tick_often(struct world *w)
{
	return w->waited_ms >= 100;
}

/* FIFO at its end, lock still held: not ended yet, in either order. */
static void
lock_alone_keeps_the_run(void **state)
{
	struct world *w = *state;
	int fd;

	make_run_dir(w);
	assert_int_equal(mkfifoat(w->d->fd, "runs/1.0.0/fifo", 0600), 0);
	test_dir_put(w->d, "runs/1.0.0/lock", "");
	fd = openat(w->d->fd, "runs/1.0.0/lock", O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
	attach(w);
	wait_for(w, tick_often);
	assert_int_equal(w->ends.n, 0);
	close(fd);
	wait_for(w, one_ended);
	check_how(w, RUN_UNBEGUN, 0, 0);
}

/* The table */

static void
keys_are_checked(void **state)
{
	static const char long_key[] =
	    "0123456789012345678901234567890123456789012345678901234567890"
	    "1234";
	static const char *const bad[] = { "", ".", "..", ".x", "a/b", "a b",
		"a\n", long_key };
	struct world *w = *state;
	struct error e = ERROR_INIT;
	const char *argv[] = { "true", NULL };
	const struct run_spec spec = { .argv = argv, .envp = env_plain };
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		test_fails(
		    proctab_start(w->pt, bad[i], &spec, on_done, &w->ends, &e),
		    &e, OVE_INVALID);
		test_fails(proctab_attach(w->pt, bad[i], on_done, &w->ends, &e),
		    &e, OVE_INVALID);
		test_fails(proctab_remove(w->pt, bad[i], &e), &e, OVE_INVALID);
	}
	start_spec(w, &spec);
	test_fails(proctab_start(w->pt, "1.0.0", &spec, on_done, &w->ends, &e),
	    &e, OVE_EXISTS);
	test_fails(proctab_remove(w->pt, "1.0.0", &e), &e, OVE_BUSY);
	wait_for(w, one_ended);
	/* Keys are unique for ever. */
	test_fails(proctab_start(w->pt, "1.0.0", &spec, on_done, &w->ends, &e),
	    &e, OVE_EXISTS);
}

static bool
three_ended(struct world *w)
{
	return w->ends.n == 3;
}

static bool
four_ended(struct world *w)
{
	return w->ends.n == 4;
}

static void
table_can_be_full(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	const char *argv[] = { "true", NULL };
	const struct run_spec spec = { .argv = argv, .envp = env_plain };
	char key[8];
	int i;

	for (i = 0; i < 3; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		test_ok(proctab_start(w->pt, key, &spec, on_done, &w->ends, &e),
		    &e);
	}
	assert_int_equal(
	    proctab_start(w->pt, "x", &spec, on_done, &w->ends, &e),
	    PROCTAB_FULL);
	wait_for(w, three_ended);
	test_ok(proctab_start(w->pt, "x", &spec, on_done, &w->ends, &e), &e);
	wait_for(w, four_ended);
}

static bool
keep_b(const char *key, void *ctx)
{
	(void)ctx;
	return key[0] == 'b';
}

static bool
is_swept(struct world *w)
{
	return faccessat(w->d->fd, "runs/1.0.0", F_OK, 0) == -1;
}

static void
sweep_removes_what_is_done(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	unsigned n;

	start_sh(w, "touch $D/ready; exec sleep 1000", 0);
	wait_for(w, is_ready);
	/* The running one is not even attached. */
	restart(w);
	assert_int_equal(mkdirat(w->d->fd, "runs/a", 0700), 0);
	test_dir_put(w->d, "runs/a/spec.json", "");
	assert_int_equal(mkdirat(w->d->fd, "runs/b", 0700), 0);
	test_dir_put(w->d, "runs/b/spec.json", "");
	assert_int_equal(mkdirat(w->d->fd, "runs/b2", 0700), 0);
	assert_int_equal(mkfifoat(w->d->fd, "runs/b2/fifo", 0600), 0);
	test_dir_put(w->d, "runs/.hidden", "");
	test_ok(proctab_sweep(w->pt, keep_b, NULL, &n, &e), &e);
	assert_int_equal(n, 2);
	assert_int_equal(faccessat(w->d->fd, "runs/b", F_OK, 0), 0);
	assert_int_equal(faccessat(w->d->fd, "runs/.hidden", F_OK, 0), 0);
	assert_int_equal(faccessat(w->d->fd, "runs/1.0.0", F_OK, 0), 0);
	test_fails(proctab_remove(w->pt, "1.0.0", &e), &e, OVE_BUSY);
	/* It goes when it has ended. */
	assert_int_equal(proctab_running(w->pt), 1);
	assert_true(proctab_cancel(w->pt, "1.0.0"));
	wait_for(w, is_swept);
	assert_int_equal(w->ends.n, 0);
}

static bool
keep_all(const char *key, void *ctx)
{
	(void)key;
	(void)ctx;
	return true;
}

static void
loss_of_all_runs_is_noticed(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	unsigned n;

	assert_true(proctab_was_emptied(w->pt));
	test_ok(proctab_sweep(w->pt, keep_all, NULL, &n, &e), &e);
	assert_false(proctab_was_emptied(w->pt));
	restart(w);
	assert_false(proctab_was_emptied(w->pt));
	test_ok(file_remove_tree(w->d->fd, "runs", &e), &e);
	/* Beneath a living table it is made anew. */
	start_sh(w, "exit 3", 0);
	wait_for(w, one_ended);
	check_how(w, RUN_EXITED, 3, 0);
	restart(w);
	assert_false(proctab_was_emptied(w->pt));
	test_ok(file_remove_tree(w->d->fd, "runs", &e), &e);
	restart(w);
	assert_true(proctab_was_emptied(w->pt));
	/* As it does after a reboot. */
	test_ok(proctab_sweep(w->pt, keep_all, NULL, &n, &e), &e);
	test_dir_put(w->d, "runs/.boot", "another");
	restart(w);
	assert_true(proctab_was_emptied(w->pt));
}

/* Descriptors of this process. */
static unsigned
open_fds(void)
{
	unsigned n = 0;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			n++;
	return n;
}

static void
no_descriptor_is_lost(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	const char *argv[] = { "true", NULL };
	const struct run_spec spec = { .argv = argv, .envp = env_plain };
	unsigned before = open_fds();
	int i;

	for (i = 0; i < 10; i++) {
		w->ends = (struct ends){ .n = 0 };
		start_spec(w, &spec);
		wait_for(w, one_ended);
		test_ok(proctab_remove(w->pt, "1.0.0", &e), &e);
	}
	assert_int_equal(open_fds(), before);
}

/* Faults */

static int
start_body(void *ctx, struct error *e)
{
	struct world *w = ctx;
	const char *argv[] = { "true", NULL };
	const struct run_spec spec = { .argv = argv, .envp = env_plain };
	struct proctab_config c = {
		.dir = w->runs,
		.helper = w->helper,
		.max_runs = 3,
		.grace_ms = GRACE_MS,
		.codec = &runrec_codec,
	};
	struct loop *l AUTO(loop) = NULL;
	struct proctab *pt AUTO(proctab) = NULL;
	char key[16];

	/* Each try under its own key: what ran may still be running. */
	(void)snprintf(key, sizeof(key), "t%u", w->ends.n++);
	if (loop_new(&l, e) == -1 || proctab_new(&pt, l, &c, e) == -1 ||
	    proctab_start(pt, key, &spec, on_done, &w->ends, e) == -1) {
		/* A start that failed leaves nothing. */
		char path[64];

		(void)snprintf(path, sizeof(path), "runs/%s", key);
		assert_int_equal(faccessat(w->d->fd, path, F_OK, 0), -1);
		return -1;
	}
	return 0;
}

static void
start_without_memory(void **state)
{
	struct world *w = *state;

	w->pt = proctab_free(w->pt);
	torture(start_body, w);
	make_table(w);
}

static void
start_with_failing_calls(void **state)
{
	static const struct {
		enum faultio_call call;
		int sys;
	} cases[] = {
		{ FAULTIO_OPENAT, EMFILE },
		{ FAULTIO_WRITE, ENOSPC },
		{ FAULTIO_WRITE, EIO },
	};
	struct world *w = *state;
	const char *argv[] = { "true", NULL };
	const struct run_spec spec = { .argv = argv, .envp = env_plain };
	struct error e = ERROR_INIT;
	bool failed;
	size_t i;
	unsigned n;
	int rc;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		for (n = 0;; n++) {
			w->ends = (struct ends){ .n = 0 };
			faultio_fail(cases[i].call, n, cases[i].sys);
			rc = proctab_start(
			    w->pt, "1.0.0", &spec, on_done, &w->ends, &e);
			failed = faultio_clear();
			if (rc == 0)
				break;
			assert_int_equal(rc, -1);
			assert_true(failed);
			assert_true(error_is_set(&e));
			assert_int_equal(proctab_running(w->pt), 0);
			assert_int_equal(
			    faccessat(w->d->fd, "runs/1.0.0", F_OK, 0), -1);
		}
		assert_true(n > 0);
		wait_for(w, one_ended);
		check_how(w, RUN_EXITED, 0, 0);
		test_ok(proctab_remove(w->pt, "1.0.0", &e), &e);
	}
}

/* Out of descriptors while looking at an end: not taken for vanished. */
static void
look_with_failing_calls(void **state)
{
	struct world *w = *state;
	struct error e = ERROR_INIT;
	bool failed;
	unsigned n;

	start_sh(w, "exit 7", 0);
	restart(w);
	wait_for(w, has_result);
	for (n = 0, failed = true; failed; n++) {
		w->ends = (struct ends){ .n = 0 };
		faultio_fail(FAULTIO_OPENAT, n, EMFILE);
		if (proctab_attach(w->pt, "1.0.0", on_done, &w->ends, &e) ==
		    0) {
			failed = faultio_clear();
			wait_for(w, one_ended);
			check_how(w, RUN_EXITED, 7, 0);
		} else {
			failed = faultio_clear();
		}
	}
	assert_true(n > 2);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_WORLD(run_gives_code_and_output),
	TEST_IN_WORLD(signal_is_reported),
	TEST_IN_WORLD(missing_program_is_exec_failed),
	TEST_IN_WORLD(missing_helper_is_an_error),
	TEST_IN_WORLD(environment_is_exact),
	TEST_IN_WORLD(command_gets_a_clean_process),
	TEST_IN_WORLD(both_pipes_are_drained),
	TEST_IN_WORLD(deadline_terms_the_command),
	TEST_IN_WORLD(grace_ends_with_kill),
	TEST_IN_WORLD(cancel_terms_the_command),
	TEST_IN_WORLD(cancel_at_once_is_not_lost),
	TEST_IN_WORLD(term_without_cancel_is_a_shutdown),
	TEST_IN_WORLD(helper_survives_other_signals),
	TEST_IN_WORLD(deployed_process_survives),
	TEST_IN_WORLD(kill_of_own_group_spares_the_helper),
	TEST_IN_WORLD(living_run_is_adopted),
	TEST_IN_WORLD(ended_run_is_collected),
	TEST_IN_WORLD(cancel_is_taken_over),
	TEST_IN_WORLD(killed_helper_takes_its_command_along),
	TEST_IN_WORLD(orphan_is_waited_for),
	TEST_IN_WORLD(orphan_can_be_cancelled),
	TEST_IN_WORLD(orphan_has_its_deadline),
	TEST_IN_WORLD(empty_directory_never_began),
	TEST_IN_WORLD(never_started_never_began),
	TEST_IN_WORLD(garbage_vanished),
	TEST_IN_WORLD(child_of_another_boot_vanished),
	TEST_IN_WORLD(reused_pid_vanished),
	TEST_IN_WORLD(lock_alone_keeps_the_run),
	TEST_IN_WORLD(keys_are_checked),
	TEST_IN_WORLD(table_can_be_full),
	TEST_IN_WORLD(sweep_removes_what_is_done),
	TEST_IN_WORLD(loss_of_all_runs_is_noticed),
	TEST_IN_WORLD(no_descriptor_is_lost),
	TEST_IN_WORLD(start_without_memory),
	TEST_IN_WORLD(start_with_failing_calls),
	TEST_IN_WORLD(look_with_failing_calls),
};
TEST_MAIN(tests)
