/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How waiting looks: on a terminal one line per job, redrawn in place at most
 * four times a second; elsewhere one plain line per change. All on standard
 * error.
 */
#pragma once

#include <signal.h>

#include "cli/term.h"
#include "cli/wait_job.h"

struct progress {
	struct session *session;
	struct wait_job *jobs;
	size_t n;
	bool live;
	bool utf8;
	int64_t drawn_ms;
	/* Widths of the first three columns. */
	size_t widths[3];
	struct term_block block;
	struct sigaction sigcont;
};

void progress_init(
    struct progress *p, struct session *s, struct wait_job *jobs, size_t n);
/* A job does something else now. */
void progress_change(struct progress *p, const struct wait_job *j);
void progress_draw(struct progress *p, int64_t now_ms);
/* Takes the live view away. */
void progress_fini(struct progress *p);
/* One line per job, after the end. */
void progress_summary(struct progress *p);
/* For each failure its last words; then how many, and how to see more. */
void progress_failures(struct progress *p, size_t failed);
