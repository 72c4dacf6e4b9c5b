/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A command whose helper has died (design.md 3.5): watched by its pid until it
 * is gone. It has been sent a TERM by the kernel already, since its output has
 * nowhere to go; what is left of the helper's duties is the deadline and the
 * cancel, which go to that pid: TERM, after the grace KILL to its session.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/event/loop.h"

struct orphan_who {
	pid_t pid;
	/* reap_start_time() of pid. */
	uint64_t start;
	pid_t session;
	/* Monotonic; 0 = none. */
	int64_t deadline_ms;
	int64_t grace_ms;
};

struct orphan;
typedef void orphan_gone_fn(struct orphan *o);

struct orphan {
	struct loop *loop;
	orphan_gone_fn *fn;
	struct orphan_who who;
	/* On fd, which is -1 when the timer has to look instead. */
	struct watch watch;
	int fd;
	struct timer timer;
	/* TERM is sent, KILL comes at kill_ms. */
	bool termed;
	int64_t kill_ms;
	/* The deadline passed. */
	bool timed_out;
};

int orphan_init(
    struct orphan *o, struct loop *l, orphan_gone_fn *fn, struct error *e);
/* Watches until fn, which comes once and from the loop; cannot fail.
 * ORPHAN_GONE: it is gone already, fn will not come. */
enum {
	ORPHAN_GONE = 1
};
int orphan_start(struct orphan *o, const struct orphan_who *who);
/* Asks it to end; idempotent. */
void orphan_cancel(struct orphan *o);
/* Stops watching; harmless on a zeroed one. */
void orphan_fini(struct orphan *o);
