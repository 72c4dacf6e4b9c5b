/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Hears of what changes on a number of servers (design.md 3.9), by a feed for
 * each. Whom it cannot hear has to be asked.
 */
#pragma once

#include "cli/session.h"

struct live;

struct live_spot {
	const struct client_server *server;
	/* NULL: the server itself. */
	const char *chain;
};

struct live_ops {
	/* type NULL: anything on that server may have changed. data is good
	 * during the callback. */
	void (*changed)(
	    size_t spot, const char *type, const struct node *data, void *ctx);
	/* why NULL: from now on it is heard. Else it is not, for this reason.
	 */
	void (*heard)(size_t spot, const char *why, void *ctx);
};

/* spots are borrowed. Nothing is called before this returns. */
int live_new(struct live **ret, struct session *s,
    const struct live_spot *spots, size_t n, const struct live_ops *ops,
    void *ctx, struct error *e);
/* Not from within a callback. */
struct live *live_free(struct live *l);
AUTO_DEFINE(live)
