/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A table that stays on the terminal (cli/screen.h): as many rows as fit, with
 * keys to see the others, and a last line. 'q' ends the session's loop.
 */
#pragma once

#include "cli/session.h"

struct watch_view;

/* draw is called when it has to be drawn at once; stale when it has to be soon:
 * something else was written. */
struct watch_view_ops {
	void (*draw)(void *ctx);
	void (*stale)(void *ctx);
};

/* clang-format off */
#define WATCH_OPTS                                                             \
	{ "watch", NULL, CMD_FLAG, 'w', false, CMD_AT(watch), NULL, NULL,      \
	    "Go on, and show what changes." },                                 \
	{ "interval", "D", CMD_DURATION, 0, false, CMD_AT(interval_ms), NULL,  \
	    "2s",                                                              \
	    "With --watch: how often servers are asked that cannot tell." }
/* clang-format on */

/* Whether --output and --interval go with --watch; says why not. */
enum exitcode watch_view_check(struct session *s);
/* Whether --watch may draw: standard output is a terminal that can go back. */
bool watch_view_fits(const struct session *s);
int watch_view_open(struct watch_view **ret, struct session *s,
    const struct watch_view_ops *ops, void *ctx, struct error *e);
size_t watch_view_width(const struct watch_view *v);
/* table: lines, of which the first head are the heading; last: no '\n'; it is
 * cut to the width. */
void watch_view_draw(struct watch_view *v, const struct strbuf *table,
    size_t head, const struct strbuf *last);
struct watch_view *watch_view_close(struct watch_view *v);
