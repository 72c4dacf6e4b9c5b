/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One integration at work for one service: what haproxy.c and skydns.c have in
 * common. The integration's own run has a special_run in it, whose arena is for
 * all that it makes; when that latches, the run has failed.
 */
#pragma once

#include <sys/queue.h>

#include "daemon/special.h"

struct special_run {
	TAILQ_ENTRY(special_run) link;
	struct special_id id;
	const struct special *s;
	special_done_fn *done;
	void *ctx;
	struct arena arena;
};
TAILQ_HEAD(special_run_list, special_run);

struct special_runs {
	struct special_run_list list;
	/* Frees the integration's run with all that is under way for it, but
	 * for the arena. */
	void (*free)(struct special_run *r);
	uint64_t last_id;
};

void special_runs_init(
    struct special_runs *rs, void (*free)(struct special_run *r));
/* Cancels all of them. */
void special_runs_fini(struct special_runs *rs);
/* r is zeroed; it is theirs from now on. */
struct special_id special_run_begin(struct special_runs *rs,
    struct special_run *r, const struct special *s, special_done_fn *done,
    void *ctx);
/* Tells how it went, and frees it; the message may be in its arena. */
void special_run_end(struct special_runs *rs, struct special_run *r,
    bool failed, const char *message);
/* Idempotent; done will not be called. */
void special_run_cancel(struct special_runs *rs, struct special_id id);
