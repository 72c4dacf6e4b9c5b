/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The loop: one thread, owner of all state. One turn is (1) libevent runs the
 * callbacks that are due, (2) the deferred calls that existed when draining
 * began run once each, (3) retired objects are freed. Objects embed the nodes
 * below and callbacks recover their object with container_of, so deferring,
 * retiring and cancelling allocate nothing and cannot fail.
 *
 * The watchdog logs (warn, area "loop") a callback that held the loop longer
 * than 50 ms, by its name, and keeps a histogram.
 */
#pragma once

#include <sys/queue.h>

#include "lib/base/error.h"

struct loop;
struct event;
struct event_base;

int loop_new(struct loop **ret, struct error *e);
/* Runs until loop_stop(); what is deferred or retired by then still runs. */
int loop_run(struct loop *l, struct error *e);
void loop_stop(struct loop *l);
struct loop *loop_free(struct loop *l);
AUTO_DEFINE(loop)
/* For lib/net/httpd.c only, the other file that knows libevent. */
struct event_base *loop_base(struct loop *l);

/* Watches a descriptor. */
enum {
	WATCH_READ = 1,
	WATCH_WRITE = 2
};
struct watch;
typedef void watch_fn(struct watch *w, int what);
struct watch {
	struct loop *loop;
	/* NULL unless initialised. */
	struct event *ev;
	watch_fn *fn;
	const char *name;
	int fd;
	/* What it was initialised for. */
	int what;
};
/* Level-triggered and persistent; not started yet. */
int watch_init(struct watch *w, struct loop *l, int fd, int what, watch_fn *fn,
    const char *name, struct error *e);
int watch_start(struct watch *w, struct error *e);
void watch_stop(struct watch *w);
/* Stops and releases; harmless on a zeroed node. Does not close fd. */
void watch_fini(struct watch *w);

/* One-shot timer, monotonic; re-armed by its owner. */
struct timer;
typedef void timer_fn(struct timer *t);
struct timer {
	struct loop *loop;
	struct event *ev;
	timer_fn *fn;
	const char *name;
	bool armed;
};
int timer_init(struct timer *t, struct loop *l, timer_fn *fn, const char *name,
    struct error *e);
/* Arms, or moves when armed; 0 ms fires in the next turn. */
void timer_arm(struct timer *t, int64_t ms);
void timer_stop(struct timer *t);
void timer_fini(struct timer *t);

/* A signal, delivered through the loop. */
struct sigwatch;
typedef void sigwatch_fn(struct sigwatch *s);
struct sigwatch {
	struct loop *loop;
	struct event *ev;
	sigwatch_fn *fn;
	const char *name;
	int signo;
};
int sigwatch_init(struct sigwatch *s, struct loop *l, int signo,
    sigwatch_fn *fn, const char *name, struct error *e);
void sigwatch_fini(struct sigwatch *s);

/* A call that runs later in this turn, or in the next one if draining has
 * begun. Deferring twice before it ran is the same as once. */
struct defer;
typedef void defer_fn(struct defer *d);
struct defer {
	TAILQ_ENTRY(defer) link;
	defer_fn *fn;
	const char *name;
	bool queued;
	/* Set while queued. */
	struct loop *loop;
};
void defer_init(struct defer *d, defer_fn *fn, const char *name);
void loop_defer(struct loop *l, struct defer *d);
void defer_cancel(struct defer *d);

/* An object to be freed at the end of the turn. Retiring twice is a broken
 * invariant. */
struct retire;
typedef void retire_fn(struct retire *r);
struct retire {
	TAILQ_ENTRY(retire) link;
	retire_fn *fn;
	bool queued;
};
void loop_retire(struct loop *l, struct retire *r, retire_fn *fn);

/* Callbacks by how long they held the loop: < 1, 2, 5, 10, 20, 50, 100, 500 ms,
 * and longer. */
#define LOOP_HIST_N 9
/* Callbacks by how long they held the loop: below so many ms; the last place of
 * the histogram is for the rest. */
extern const int64_t loop_hist_below_ms[LOOP_HIST_N - 1];
struct loop_stats {
	uint64_t turns;
	uint64_t hist[LOOP_HIST_N];
	/* All of them together. */
	int64_t held_ns;
	int64_t worst_ms;
};
void loop_get_stats(const struct loop *l, struct loop_stats *ret);
