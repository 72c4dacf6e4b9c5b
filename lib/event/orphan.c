/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Orphans: see orphan.h.  The kernel says when the process is gone
 * (reap_watch); where it does not, for want of descriptors or memory, the timer
 * looks.  The same timer serves deadline, KILL and the next KILL: tick() does
 * what is due and arms it for what comes next.
 *
 * The session is signalled only while the command itself lives, because only so
 * long its number cannot be another's.
 */
#include "lib/event/orphan.h"

#include <signal.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/event/reap.h"

/* Between two looks at what cannot be watched. */
#define LOOK_MS 200
/* Between two KILLs: what forked meanwhile, or waits in the kernel. */
#define KILL_AGAIN_MS 2000

static void
stop(struct orphan *o)
{
	watch_fini(&o->watch);
	timer_stop(&o->timer);
	if (o->fd != -1)
		(void)close(o->fd);
	o->fd = -1;
}

static void
gone(struct orphan *o)
{
	stop(o);
	o->fn(o);
}

static bool
lives(const struct orphan *o)
{
	uint64_t start;
	int rc;

	rc = reap_start_time(o->who.pid, &start, NULL);
	return rc == -1 || (rc == 0 && start == o->who.start);
}

static void
term(struct orphan *o)
{
	if (o->termed)
		return;
	o->termed = true;
	o->kill_ms = clock_mono_ms() + o->who.grace_ms;
	(void)reap_signal(o->who.pid, o->who.start, SIGTERM, NULL);
}

static void
kill_all(struct orphan *o)
{
	unsigned n;

	(void)reap_kill_session(o->who.session, getpid(), SIGKILL, &n, NULL);
	/* It is ours, whatever session it is in. */
	(void)reap_signal(o->who.pid, o->who.start, SIGKILL, NULL);
	o->kill_ms = clock_mono_ms() + KILL_AGAIN_MS;
}

static void
arm(struct orphan *o)
{
	int64_t now = clock_mono_ms();
	int64_t at = INT64_MAX;

	if (o->termed)
		at = o->kill_ms;
	else if (o->who.deadline_ms > 0)
		at = o->who.deadline_ms;
	if (o->fd == -1 && at > now + LOOK_MS)
		at = now + LOOK_MS;
	if (at != INT64_MAX)
		timer_arm(&o->timer, at > now ? at - now : 0);
}

static void
tick(struct orphan *o)
{
	int64_t now = clock_mono_ms();

	if (!o->termed && o->who.deadline_ms > 0 && now >= o->who.deadline_ms) {
		o->timed_out = true;
		term(o);
	}
	if (o->termed && now >= o->kill_ms)
		kill_all(o);
	arm(o);
}

static void
on_timer(struct timer *t)
{
	struct orphan *o = container_of(t, struct orphan, timer);

	if (lives(o))
		tick(o);
	else
		gone(o);
}

static void
on_readable(struct watch *w, int what)
{
	struct orphan *o = container_of(w, struct orphan, watch);

	(void)what;
	gone(o);
}

int
orphan_init(
    struct orphan *o, struct loop *l, orphan_gone_fn *fn, struct error *e)
{
	*o = (struct orphan){ .loop = l, .fn = fn, .fd = -1 };
	return timer_init(&o->timer, l, on_timer, "orphan timer", e);
}

int
orphan_start(struct orphan *o, const struct orphan_who *who)
{
	int rc;

	o->who = *who;
	rc = reap_watch(who->pid, who->start, &o->fd, NULL);
	if (rc == REAP_GONE)
		return ORPHAN_GONE;
	if (rc == 0 &&
	    (watch_init(&o->watch, o->loop, o->fd, WATCH_READ, on_readable,
		 "orphan", NULL) == -1 ||
		watch_start(&o->watch, NULL) == -1))
		stop(o);
	tick(o);
	return 0;
}

void
orphan_cancel(struct orphan *o)
{
	term(o);
	arm(o);
}

void
orphan_fini(struct orphan *o)
{
	/* A zeroed one has no descriptor 0. */
	if (o->loop == NULL)
		return;
	stop(o);
	timer_fini(&o->timer);
}
