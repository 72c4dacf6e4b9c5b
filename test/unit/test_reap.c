/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the kernel knows of processes, with real ones: identity by start time,
 * signals that cannot hit a later process, watching an end, killing a session
 * and nothing beside it, the signal of a parent's death, and reaping.
 */
#include "test/unit/support/test.h"

#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "lib/event/reap.h"

#define PATIENCE_MS 10000
#define REAPED 1000

/* A child that waits for a signal, in a session of its own if asked. */
static pid_t
sleeper(bool own_session)
{
	int ready[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (own_session)
			(void)setsid();
		(void)!write(ready[1], "", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static int
collect(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
start_time_tells_processes_apart(void **state)
{
	struct error e = ERROR_INIT;
	uint64_t mine, again, first;
	pid_t pid;

	(void)state;
	test_ok(reap_start_time(getpid(), &mine, &e), &e);
	test_ok(reap_start_time(getpid(), &again, &e), &e);
	assert_int_equal(mine, again);
	pid = sleeper(false);
	test_ok(reap_start_time(pid, &first, &e), &e);
	assert_true(first >= mine);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	/* Neither a zombie nor nothing is a process. */
	assert_int_equal(reap_start_time(pid, &first, &e), REAP_GONE);
	collect(pid);
	assert_int_equal(reap_start_time(pid, &first, &e), REAP_GONE);
}

static struct {
	atomic_int pid;
	atomic_bool enough;
	atomic_uint faults;
} looks;

static void *
look_again_and_again(void *arg)
{
	uint64_t start;

	(void)arg;
	while (!looks.enough)
		if (reap_start_time(looks.pid, &start, NULL) == -1)
			looks.faults++;
	return NULL;
}

/* While it is being reaped the kernel shows a process, of which it knows
 * nothing. */
static void
one_that_is_being_reaped_is_gone(void **state)
{
	pthread_t looker;
	int n;

	(void)state;
	looks.pid = getpid();
	assert_int_equal(
	    pthread_create(&looker, NULL, look_again_and_again, NULL), 0);
	for (n = 0; n < REAPED && looks.faults == 0; n++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		assert_true(pid > 0);
		looks.pid = pid;
		collect(pid);
	}
	looks.enough = true;
	assert_int_equal(pthread_join(looker, NULL), 0);
	assert_int_equal(looks.faults, 0);
}

static void
signal_wants_the_same_process(void **state)
{
	struct error e = ERROR_INIT;
	uint64_t start;
	pid_t pid = sleeper(false);

	(void)state;
	test_ok(reap_start_time(pid, &start, &e), &e);
	assert_int_equal(reap_signal(pid, start + 1, SIGKILL, &e), REAP_GONE);
	assert_int_equal(kill(pid, 0), 0);
	test_ok(reap_signal(pid, start, SIGTERM, &e), &e);
	assert_int_equal(collect(pid), SIGTERM);
	assert_int_equal(reap_signal(pid, start, SIGTERM, &e), REAP_GONE);
}

static void
watch_tells_the_end(void **state)
{
	struct error e = ERROR_INIT;
	struct pollfd p = { .events = POLLIN };
	uint64_t start;
	pid_t pid = sleeper(false);

	(void)state;
	test_ok(reap_start_time(pid, &start, &e), &e);
	assert_int_equal(reap_watch(pid, start + 1, &p.fd, &e), REAP_GONE);
	test_ok(reap_watch(pid, start, &p.fd, &e), &e);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
	close(p.fd);
	collect(pid);
	assert_int_equal(reap_watch(pid, start, &p.fd, &e), REAP_GONE);
}

static void
a_process_has_a_name(void **state)
{
	struct error e = ERROR_INIT;
	char name[REAP_NAME_LEN] = "";
	pid_t pid;

	(void)state;
	test_ok(reap_name(getpid(), name, &e), &e);
	assert_string_equal(name, "test_reap");
	pid = sleeper(false);
	test_ok(reap_name(pid, name, &e), &e);
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)collect(pid);
	assert_int_equal(reap_name(pid, name, &e), REAP_GONE);
}

static void
boot_id_stays(void **state)
{
	struct error e = ERROR_INIT;
	char a[REAP_BOOT_ID_LEN], b[REAP_BOOT_ID_LEN];

	(void)state;
	test_ok(reap_boot_id(a, &e), &e);
	test_ok(reap_boot_id(b, &e), &e);
	assert_string_equal(a, b);
	assert_true(strlen(a) > 8);
}

/* In a session of its own with an inner child: kills the session, except
 * itself, and reports what it saw by its exit code. */
static void
session_leader(pid_t outside)
{
	unsigned n;
	pid_t inside;

	(void)setsid();
	inside = fork();
	if (inside == 0)
		for (;;)
			pause();
	if (reap_kill_session(getpid(), getpid(), SIGKILL, &n, NULL) != 0)
		_exit(2);
	if (n != 1 || waitpid(inside, NULL, 0) != inside)
		_exit(3);
	_exit(kill(outside, 0) == 0 ? 0 : 4);
}

static void
session_is_killed_and_nothing_else(void **state)
{
	pid_t outside = sleeper(true);
	pid_t leader;
	int status;

	(void)state;
	leader = fork();
	if (leader == 0)
		session_leader(outside);
	assert_int_equal(waitpid(leader, &status, 0), leader);
	assert_int_equal(status, 0);
	assert_int_equal(kill(outside, SIGKILL), 0);
	collect(outside);
}

/* A process that dies with a child that asked for the signal: the grandchild
 * writes when it got it. */
static void
parent_with_dependent(int ready, int told)
{
	sigset_t set;
	int signo;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	if (fork() == 0) {
		if (reap_pdeathsig() != 0)
			_exit(1);
		(void)!write(ready, "", 1);
		if (sigwait(&set, &signo) == 0)
			(void)!write(told, "T", 1);
		_exit(0);
	}
	for (;;)
		pause();
}

static void
parents_death_is_a_term(void **state)
{
	int ready[2], told[2];
	pid_t pid;
	char c = 0;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(told), 0);
	pid = fork();
	if (pid == 0)
		parent_with_dependent(ready[1], told[1]);
	close(told[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(kill(pid, SIGKILL), 0);
	collect(pid);
	assert_int_equal(read(told[0], &c, 1), 1);
	assert_int_equal(c, 'T');
	close(ready[0]);
	close(ready[1]);
	close(told[0]);
}

/* A reaper gets its grandchild when the child between them has gone. */
static void
reaper(void)
{
	pid_t child;
	int i;

	if (reap_acquire(NULL) != 0 || reap_acquire(NULL) != 0)
		_exit(2);
	child = fork();
	if (child == 0) {
		if (fork() == 0)
			_exit(7);
		_exit(0);
	}
	for (i = 0; i < 2; i++)
		if (waitpid(-1, NULL, 0) == -1)
			_exit(3);
	_exit(waitpid(-1, NULL, 0) == -1 && errno == ECHILD ? 0 : 4);
}

static void
reaper_collects_grandchildren(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0)
		reaper();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(start_time_tells_processes_apart),
	cmocka_unit_test(one_that_is_being_reaped_is_gone),
	cmocka_unit_test(signal_wants_the_same_process),
	cmocka_unit_test(watch_tells_the_end),
	cmocka_unit_test(a_process_has_a_name),
	cmocka_unit_test(boot_id_stays),
	cmocka_unit_test(session_is_killed_and_nothing_else),
	cmocka_unit_test(parents_death_is_a_term),
	cmocka_unit_test(reaper_collects_grandchildren),
};
TEST_MAIN(tests)
