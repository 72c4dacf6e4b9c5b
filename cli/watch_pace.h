/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How often a watch is shown: soon after something has changed, but not more
 * often than an eye can follow, and once a second, since ages move.
 */
#pragma once

#include "lib/event/loop.h"

struct watch_pace_ops {
	/* Asks whom it is time to ask; when the next is to be asked, or
	 * INT64_MAX. */
	int64_t (*ask)(void *ctx, int64_t now_ms);
	void (*show)(void *ctx);
};

struct watch_pace {
	const struct watch_pace_ops *ops;
	void *ctx;
	struct timer timer;
	bool changed;
	int64_t shown_ms;
};

/* The first show is due at once. */
int watch_pace_init(struct watch_pace *p, struct loop *l,
    const struct watch_pace_ops *ops, void *ctx, struct error *e);
void watch_pace_changed(struct watch_pace *p);
/* Also of one that is all zero. */
void watch_pace_fini(struct watch_pace *p);
