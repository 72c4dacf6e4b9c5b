/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Starting a helper: what it finds in its hands, and that none stays a zombie.
 */
#include "test/unit/support/test.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/event/loop.h"
#include "lib/event/proctab.h"
#include "lib/event/spawner.h"
#include "test/unit/support/torture.h"

#define PATIENCE_MS 10000

static struct timer tick;
static int waited_ms;

/* Whether this process has no child left. */
static void
on_tick(struct timer *t)
{
	siginfo_t si;

	waited_ms += 5;
	if ((waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == -1 &&
		errno == ECHILD) ||
	    waited_ms > PATIENCE_MS)
		loop_stop(t->loop);
	else
		timer_arm(t, 5);
}

static void
put_script(const struct test_dir *d, const char *text)
{
	test_dir_put(d, "helper", text);
	assert_int_equal(fchmodat(d->fd, "helper", 0700, 0), 0);
}

static void
helper_gets_two_descriptors(void **state)
{
	struct test_dir *d = *state;
	struct error e = ERROR_INIT;
	struct loop *l AUTO(loop) = NULL;
	struct spawner *s AUTO(spawner) = NULL;
	char path[300], expected[300];
	int fd, fifo[2], up;

	/* Everything below 5 that is open, and none of our environment. */
	put_script(d,
	    "#!/bin/sh\n"
	    "cd \"$1\" && cd .. && {\n"
	    "echo \"$1\"; echo to-the-fifo >&3; echo to-the-lock >&4\n"
	    "readlink /proc/$$/fd/0 /proc/$$/fd/2; echo \"${MARK-none}\"\n"
	    "} >out\n");
	setenv("MARK", "leaked", 1);
	assert_int_equal(mkdirat(d->fd, "key", 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/helper", d->path);
	test_ok(loop_new(&l, &e), &e);
	test_ok(spawner_new(&s, l, path, &e), &e);
	assert_int_equal(pipe2(fifo, O_CLOEXEC), 0);
	up = fcntl(fifo[1], F_DUPFD_CLOEXEC, 20);
	fd = openat(d->fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(up >= 20 && fd >= 0);
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 21);
	test_ok(spawner_start(s, d->path, "key", up, fd, &e), &e);
	waited_ms = 0;
	test_ok(timer_init(&tick, l, on_tick, "tick", &e), &e);
	timer_arm(&tick, 0);
	test_ok(loop_run(l, &e), &e);
	timer_fini(&tick);
	assert_true(waited_ms <= PATIENCE_MS);
	assert_string_equal(test_dir_text(d, "lock"), "to-the-lock\n");
	assert_int_equal(read(fifo[0], path, sizeof(path)), 12);
	(void)snprintf(expected, sizeof(expected),
	    "%s/key\n/dev/null\n/dev/null\nnone\n", d->path);
	assert_string_equal(test_dir_text(d, "out"), expected);
	close(up);
	close(fd);
	close(fifo[0]);
	close(fifo[1]);
}

static int
body(void *ctx, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct spawner *s AUTO(spawner) = NULL;
	struct error sub = ERROR_INIT;

	(void)ctx;
	if (loop_new(&l, e) == -1 ||
	    spawner_new(&s, l, "/nowhere/helper", e) == -1)
		return -1;
	if (spawner_start(s, "/tmp", "key", 0, 1, &sub) == -1 &&
	    sub.code == OVE_NOTFOUND)
		return 0;
	return error_set(e, sub.code, "%s", error_text(&sub));
}

static void
without_memory_or_helper(void **state)
{
	torture(body, *state);
}

static const struct CMUnitTest tests[] = {
	TEST_IN_DIR(helper_gets_two_descriptors),
	TEST_IN_DIR(without_memory_or_helper),
};
TEST_MAIN(tests)
