/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What an autoscaler has to remember of a project from round to round, so that
 * it may look as often as it likes: what it has asked servers to do and has not
 * seen done, who has failed, and when it last made the project larger or
 * smaller. Pure; times are monotonic milliseconds.
 *
 * It replaces what protected the original: that it only looks every quarter of
 * a minute, and that whoever gets the same job twice does it once.
 */
#pragma once

#include "daemon/scale_nodes.h"
#include "lib/base/array.h"

/* Intervals for which a project stays as large as it was made, at first. */
#define SCALE_SETTLE_MIN 3
#define SCALE_SETTLE_MAX 48
/* For so long a job is waited for whose end is not told. */
#define SCALE_JOB_MS 600000

struct scale_memory {
	/* struct note. */
	struct array notes;
	/* Between two looks. */
	int64_t interval_ms;
	/* When there was last one more, one more since a test failed, and one
	 * less; 0: never. */
	int64_t grown_at;
	int64_t helped_at;
	int64_t shrunk_at;
	/* Intervals; longer each time that a replica is missed soon after it
	 * has gone. */
	unsigned settle;
};

void scale_memory_init(struct scale_memory *m);
void scale_memory_fini(struct scale_memory *m);
/* Tells the nodes what is remembered of them, and forgets what has come true.
 */
void scale_memory_apply(
    struct scale_memory *m, const struct scale_nodes *nodes, int64_t now);

/* A server has taken a job: to have the project, or to have it no more. */
int scale_memory_note(struct scale_memory *m, const char *chain, bool up,
    uint64_t job, int64_t now, struct error *e);
/* The project was made larger; helps: since a test has failed. */
void scale_memory_grew(struct scale_memory *m, bool helps, int64_t now);
void scale_memory_shrank(struct scale_memory *m, int64_t now);
/* One more is tried, or one less is, only once each interval; and what was made
 * larger settles first. */
bool scale_memory_may_help(const struct scale_memory *m, int64_t now);
bool scale_memory_may_shrink(const struct scale_memory *m, int64_t now);
