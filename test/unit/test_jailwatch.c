/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * jailwatch_kqueue.c on a kernel of our own, which does with EVFILT_JAIL what
 * the manual page of FreeBSD says: what is told, that every jail's end is seen
 * however many come at once, a kernel without the filter, failing allocations.
 */
#include "test/unit/support/test.h"

#include <sys/event.h>
#include <sys/jail.h>
#include <sys/uio.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/jailwatch.h"
#include "lib/event/loop.h"
#include "test/unit/support/torture.h"

/* The kernel */

#define JAILS_MAX 64
#define PATIENCE_MS 30000

struct jail {
	bool there;
	/* Watched for its end. */
	bool watched;
};

static struct kernel {
	/* The queue: readable while `full`. */
	int pipe[2];
	bool full;
	/* What adding fails with; 0: nothing. */
	int refuses;
	/* Jail 0 is watched for children. */
	bool watched;
	/* What waits to be read: of jail 0, and of those that went. */
	struct kevent came;
	struct kevent went[JAILS_MAX];
	int went_n;
	struct jail jails[JAILS_MAX];
} kernel;

/* As libevent sees the queue. */
static void
show(void)
{
	bool full = kernel.came.fflags != 0 || kernel.went_n > 0;
	char c = 0;

	if (full == kernel.full)
		return;
	kernel.full = full;
	if (full)
		assert_int_equal(write(kernel.pipe[1], &c, 1), 1);
	else
		assert_int_equal(read(kernel.pipe[0], &c, 1), 1);
}

int
kqueue(void)
{
	if (pipe(kernel.pipe) == -1)
		return -1;
	return kernel.pipe[0];
}

static int
add(const struct kevent *ev)
{
	assert_int_equal(ev->filter, EVFILT_JAIL);
	assert_int_equal(ev->flags, EV_ADD | EV_CLEAR);
	errno = kernel.refuses;
	if (kernel.refuses != 0)
		return -1;
	if (ev->ident == 0) {
		assert_int_equal(ev->fflags, NOTE_JAIL_CHILD);
		kernel.watched = true;
		return 0;
	}
	assert_int_equal(ev->fflags, NOTE_JAIL_REMOVE);
	assert_true(ev->ident < JAILS_MAX);
	errno = ESRCH;
	if (!kernel.jails[ev->ident].there)
		return -1;
	kernel.jails[ev->ident].watched = true;
	return 0;
}

static int
take(struct kevent *events, int room)
{
	int n = 0;

	if (kernel.came.fflags != 0 && n < room) {
		events[n++] = kernel.came;
		kernel.came = (struct kevent){ 0 };
	}
	while (kernel.went_n > 0 && n < room)
		events[n++] = kernel.went[--kernel.went_n];
	show();
	return n;
}

int
kevent(int kq, const struct kevent *changes, int nchanges,
    struct kevent *events, int nevents, const struct timespec *timeout)
{
	assert_int_equal(kq, kernel.pipe[0]);
	if (nchanges == 1)
		return add(changes);
	assert_int_equal(nchanges, 0);
	/* Never to wait in the loop. */
	assert_non_null(timeout);
	assert_int_equal(timeout->tv_sec, 0);
	assert_int_equal(timeout->tv_nsec, 0);
	return take(events, nevents);
}

/* The next jail after `lastjid`. */
int
jail_get(struct iovec *iov, unsigned niov, int flags)
{
	int jid;

	assert_int_equal(niov, 2);
	assert_int_equal(flags, 0);
	assert_int_equal(iov[0].iov_len, sizeof("lastjid"));
	assert_string_equal(iov[0].iov_base, "lastjid");
	assert_int_equal(iov[1].iov_len, sizeof(jid));
	memcpy(&jid, iov[1].iov_base, sizeof(jid));
	for (jid++; jid < JAILS_MAX; jid++)
		if (kernel.jails[jid].there)
			return jid;
	errno = ENOENT;
	return -1;
}

static void
start(int jid)
{
	struct kevent *ev = &kernel.came;

	kernel.jails[jid] = (struct jail){ .there = true };
	if (!kernel.watched)
		return;
	if (ev->fflags != 0) {
		ev->fflags |= NOTE_JAIL_MULTI;
		ev->data = 0;
	} else {
		*ev = (struct kevent){ .filter = EVFILT_JAIL,
			.fflags = NOTE_JAIL_CHILD,
			.data = jid };
	}
	show();
}

static void
stop(int jid)
{
	if (kernel.jails[jid].watched)
		kernel.went[kernel.went_n++] =
		    (struct kevent){ .ident = (uintptr_t)jid,
			    .filter = EVFILT_JAIL,
			    .fflags = NOTE_JAIL_REMOVE };
	kernel.jails[jid] = (struct jail){ 0 };
	show();
}

/* The tests */

static struct loop *loop;
static struct jailwatch *jw;
static struct timer limit;
static unsigned told;

static void
on_change(void *ctx)
{
	assert_ptr_equal(ctx, &kernel);
	told++;
}

static void
on_limit(struct timer *t)
{
	loop_stop(t->loop);
}

static int
set_up(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	kernel = (struct kernel){ .pipe = { -1, -1 } };
	told = 0;
	test_ok(loop_new(&loop, &e), &e);
	test_ok(timer_init(&limit, loop, on_limit, "limit", &e), &e);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	jw = jailwatch_free(jw);
	timer_fini(&limit);
	loop = loop_free(loop);
	if (kernel.pipe[1] != -1)
		(void)close(kernel.pipe[1]);
	return 0;
}

static int
open_watch(struct error *e)
{
	return jailwatch_new(&jw, loop, on_change, &kernel, e);
}

/* Whatever is due, once. */
static unsigned
turn(void)
{
	struct error e = ERROR_INIT;
	unsigned before = told;

	timer_arm(&limit, 0);
	test_ok(loop_run(loop, &e), &e);
	return told - before;
}

static void
one_that_comes_and_goes_is_told(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(open_watch(&e), &e);
	assert_int_equal(turn(), 0);
	start(5);
	assert_int_equal(turn(), 1);
	assert_true(kernel.jails[5].watched);
	assert_int_equal(turn(), 0);
	stop(5);
	assert_int_equal(turn(), 1);
	assert_int_equal(turn(), 0);
	/* The number is used again. */
	start(5);
	assert_int_equal(turn(), 1);
	assert_true(kernel.jails[5].watched);
}

static void
what_runs_already_is_watched(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	start(1);
	start(9);
	test_ok(open_watch(&e), &e);
	assert_int_equal(turn(), 0);
	stop(9);
	assert_int_equal(turn(), 1);
	stop(1);
	assert_int_equal(turn(), 1);
}

static void
of_many_at_once_none_is_missed(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(open_watch(&e), &e);
	for (int jid = 1; jid < JAILS_MAX; jid++)
		start(jid);
	assert_int_equal(turn(), 1);
	for (int jid = 1; jid < JAILS_MAX; jid++) {
		assert_true(kernel.jails[jid].watched);
		stop(jid);
	}
	/* More than are taken at once. */
	assert_true(turn() > 0);
	while (kernel.went_n > 0)
		assert_true(turn() > 0);
	assert_int_equal(turn(), 0);
}

static void
one_that_is_gone_already_is_told(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	test_ok(open_watch(&e), &e);
	start(3);
	stop(3);
	assert_int_equal(turn(), 1);
	assert_int_equal(turn(), 0);
}

static void
an_older_kernel_does_not_tell(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	kernel.refuses = EINVAL;
	assert_int_equal(open_watch(&e), JAILWATCH_NONE);
	assert_null(jw);
	assert_false(error_is_set(&e));
}

static void
other_refusals_are_errors(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	kernel.refuses = ENOMEM;
	test_fails(open_watch(&e), &e, OVE_NOMEM);
	assert_null(jw);
}

static int
open_and_close(void *ctx, struct error *e)
{
	int rc = open_watch(e);

	(void)ctx;
	jw = jailwatch_free(jw);
	(void)close(kernel.pipe[1]);
	kernel.pipe[1] = -1;
	return rc;
}

static void
allocations_may_fail(void **state)
{
	struct error e = ERROR_INIT;

	(void)state;
	/* The loop keeps what it makes for a descriptor. */
	test_ok(open_and_close(NULL, &e), &e);
	torture(open_and_close, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown((f), set_up, tear_down)

static const struct CMUnitTest tests[] = {
	TEST(one_that_comes_and_goes_is_told),
	TEST(what_runs_already_is_watched),
	TEST(of_many_at_once_none_is_missed),
	TEST(one_that_is_gone_already_is_told),
	TEST(an_older_kernel_does_not_tell),
	TEST(other_refusals_are_errors),
	TEST(allocations_may_fail),
};

TEST_MAIN(tests)
