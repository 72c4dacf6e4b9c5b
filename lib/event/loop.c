/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The loop on libevent; with lib/net/httpd.c the only file that knows it.
 *
 * A turn is one event_base_loop(EVLOOP_ONCE), one pass over the deferred calls
 * and the freeing of what was retired.  While a deferred call waits, libevent
 * is asked not to block.  The pass ends at a marker that is put behind the last
 * deferred call, so that one list serves: what defers itself runs in the next
 * turn, and defer_cancel() need not know whether a pass is under way.
 *
 * Every callback goes through held(), which keeps the histogram and speaks up
 * when the loop stood still.  It touches nothing of the object, which its own
 * callback may have retired or released.
 *
 * libevent keeps its timers in a heap that may have to grow when one is armed.
 * timer_arm() cannot fail, so without memory for that the timer fires at once:
 * early, but never lost.
 */

#include "lib/event/loop.h"

#include <sys/time.h>

#include <assert.h>
#include <errno.h>

#include <event2/event.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

/* A callback longer than this is logged. */
#define HELD_MAX_MS 50
/* Passes over the deferred calls after a stop: a call that defers itself for
 * ever must not keep the program alive. */
#define STOP_PASSES_MAX 1000

const int64_t loop_hist_below_ms[LOOP_HIST_N - 1] = { 1, 2, 5, 10, 20, 50, 100,
	500 };

struct loop {
	struct event_base *base;
	TAILQ_HEAD(defer_list, defer) deferred;
	TAILQ_HEAD(retire_list, retire) retired;
	struct loop_stats stats;
	bool stop;
};

/* libevent's own words: to the log instead of straight to stderr. */
static void
on_event_log(int severity, const char *msg)
{
	(void)severity;
	log_debug("loop", NO_FIELDS, "libevent: %s", msg);
}

int
loop_new(struct loop **ret, struct error *e)
{
	struct loop *l AUTO(loop) = NULL;
	struct event_config *ec;

	/* Harmless when repeated: the functions are the same. */
	event_set_mem_functions(mem_alloc, mem_realloc, mem_free);
	event_set_log_callback(on_event_log);
	l = mem_calloc(1, sizeof(*l));
	if (l == NULL)
		return error_nomem(e);
	TAILQ_INIT(&l->deferred);
	TAILQ_INIT(&l->retired);
	ec = event_config_new();
	if (ec == NULL)
		return error_nomem(e);
	/* One thread: no locks, and no locale or environment decides. */
	(void)event_config_set_flag(
	    ec, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV);
	errno = 0;
	l->base = event_base_new_with_config(ec);
	event_config_free(ec);
	if (l->base == NULL)
		return error_set_errno(
		    e, errno != 0 ? errno : ENOMEM, "make an event loop");
	*ret = STEAL(l);
	return 0;
}

struct event_base *
loop_base(struct loop *l)
{
	return l->base;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
}

void
loop_get_stats(const struct loop *l, struct loop_stats *ret)
{
	*ret = l->stats;
}

static void
held(struct loop *l, const char *name, int64_t since_ns)
{
	int64_t ms, ns;
	size_t i;

	ns = clock_mono_ns() - since_ns;
	ms = ns / 1000000;
	l->stats.held_ns += ns;
	for (i = 0; i < ARRAY_LEN(loop_hist_below_ms); i++)
		if (ms < loop_hist_below_ms[i])
			break;
	l->stats.hist[i]++;
	if (ms > l->stats.worst_ms)
		l->stats.worst_ms = ms;
	if (ms > HELD_MAX_MS)
		log_warn("loop", FIELDS(LF_S("callback", name), LF_I("ms", ms)),
		    "a callback held the loop");
}

static void
run_deferred(struct loop *l)
{
	struct defer marker, *d;
	const char *name;
	int64_t t;

	if (TAILQ_EMPTY(&l->deferred))
		return;
	TAILQ_INSERT_TAIL(&l->deferred, &marker, link);
	while ((d = TAILQ_FIRST(&l->deferred)) != &marker) {
		TAILQ_REMOVE(&l->deferred, d, link);
		d->queued = false;
		d->loop = NULL;
		name = d->name;
		t = clock_mono_ns();
		d->fn(d);
		held(l, name, t);
	}
	TAILQ_REMOVE(&l->deferred, &marker, link);
}

static void
run_retired(struct loop *l)
{
	struct retire *r;

	while ((r = TAILQ_FIRST(&l->retired)) != NULL) {
		TAILQ_REMOVE(&l->retired, r, link);
		r->queued = false;
		r->fn(r);
	}
}

int
loop_run(struct loop *l, struct error *e)
{
	int flags, i;

	while (!l->stop) {
		flags = EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY;
		if (!TAILQ_EMPTY(&l->deferred))
			flags |= EVLOOP_NONBLOCK;
		if (event_base_loop(l->base, flags) == -1)
			return error_set_errno(e, errno, "wait for events");
		l->stats.turns++;
		run_deferred(l);
		run_retired(l);
	}
	for (i = 0; i < STOP_PASSES_MAX && !TAILQ_EMPTY(&l->deferred); i++) {
		run_deferred(l);
		run_retired(l);
	}
	run_retired(l);
	/* So that a loop can be run again. */
	l->stop = false;
	return 0;
}

struct loop *
loop_free(struct loop *l)
{
	struct defer *d;

	if (l == NULL)
		return NULL;
	run_retired(l);
	while ((d = TAILQ_FIRST(&l->deferred)) != NULL)
		defer_cancel(d);
	if (l->base != NULL)
		event_base_free(l->base);
	mem_free(l);
	return NULL;
}

/* Descriptors */

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	struct watch *w = arg;
	struct loop *l = w->loop;
	const char *name = w->name;
	int64_t t;

	(void)fd;
	t = clock_mono_ns();
	w->fn(w,
	    ((what & EV_READ) != 0 ? WATCH_READ : 0) |
		((what & EV_WRITE) != 0 ? WATCH_WRITE : 0));
	held(l, name, t);
}

int
watch_init(struct watch *w, struct loop *l, int fd, int what, watch_fn *fn,
    const char *name, struct error *e)
{
	int events;

	events = EV_PERSIST | ((what & WATCH_READ) != 0 ? EV_READ : 0) |
	    ((what & WATCH_WRITE) != 0 ? EV_WRITE : 0);
	*w = (struct watch){
		.loop = l,
		.fn = fn,
		.name = name,
		.fd = fd,
		.what = what,
	};
	w->ev = event_new(l->base, fd, (short)events, on_watch, w);
	if (w->ev == NULL)
		return error_nomem(e);
	return 0;
}

int
watch_start(struct watch *w, struct error *e)
{
	errno = 0;
	if (event_add(w->ev, NULL) == -1)
		return error_set_errno(e, errno != 0 ? errno : ENOMEM,
		    "watch descriptor %d", w->fd);
	return 0;
}

void
watch_stop(struct watch *w)
{
	if (w->ev != NULL)
		(void)event_del(w->ev);
}

void
watch_fini(struct watch *w)
{
	if (w->ev != NULL)
		event_free(w->ev);
	w->ev = NULL;
}

/* Timers */

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;
	struct loop *l = t->loop;
	const char *name = t->name;
	int64_t since;

	(void)fd;
	(void)what;
	since = clock_mono_ns();
	t->armed = false;
	t->fn(t);
	held(l, name, since);
}

int
timer_init(struct timer *t, struct loop *l, timer_fn *fn, const char *name,
    struct error *e)
{
	*t = (struct timer){ .loop = l, .fn = fn, .name = name };
	t->ev = event_new(l->base, -1, 0, on_timer, t);
	if (t->ev == NULL)
		return error_nomem(e);
	return 0;
}

void
timer_arm(struct timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	t->armed = true;
	if (event_add(t->ev, &tv) == -1)
		event_active(t->ev, EV_TIMEOUT, 0);
}

void
timer_stop(struct timer *t)
{
	if (t->ev != NULL)
		(void)event_del(t->ev);
	t->armed = false;
}

void
timer_fini(struct timer *t)
{
	if (t->ev != NULL)
		event_free(t->ev);
	t->ev = NULL;
	t->armed = false;
}

/* Signals */

static void
on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct sigwatch *s = arg;
	struct loop *l = s->loop;
	const char *name = s->name;
	int64_t t;

	(void)fd;
	(void)what;
	t = clock_mono_ns();
	s->fn(s);
	held(l, name, t);
}

int
sigwatch_init(struct sigwatch *s, struct loop *l, int signo, sigwatch_fn *fn,
    const char *name, struct error *e)
{
	*s = (struct sigwatch){
		.loop = l,
		.fn = fn,
		.name = name,
		.signo = signo,
	};
	s->ev = event_new(l->base, signo, EV_SIGNAL | EV_PERSIST, on_signal, s);
	if (s->ev == NULL)
		return error_nomem(e);
	errno = 0;
	if (event_add(s->ev, NULL) == -1) {
		error_set_errno(
		    e, errno != 0 ? errno : ENOMEM, "watch signal %d", signo);
		sigwatch_fini(s);
		return -1;
	}
	return 0;
}

void
sigwatch_fini(struct sigwatch *s)
{
	if (s->ev != NULL)
		event_free(s->ev);
	s->ev = NULL;
}

/* Deferred calls and retired objects */

void
defer_init(struct defer *d, defer_fn *fn, const char *name)
{
	*d = (struct defer){ .fn = fn, .name = name };
}

void
loop_defer(struct loop *l, struct defer *d)
{
	if (d->queued)
		return;
	d->queued = true;
	d->loop = l;
	TAILQ_INSERT_TAIL(&l->deferred, d, link);
}

void
defer_cancel(struct defer *d)
{
	if (!d->queued)
		return;
	TAILQ_REMOVE(&d->loop->deferred, d, link);
	d->queued = false;
	d->loop = NULL;
}

void
loop_retire(struct loop *l, struct retire *r, retire_fn *fn)
{
	assert(!r->queued);
	r->queued = true;
	r->fn = fn;
	TAILQ_INSERT_TAIL(&l->retired, r, link);
}
