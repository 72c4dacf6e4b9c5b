/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The events of one server (design.md 3.9), listened to for as long as the feed
 * lives. A connection that is lost is made anew, and what happened meanwhile is
 * told then; where that cannot be had, reset says so. Callbacks come from the
 * loop and may free the feed.
 */
#pragma once

#include "proto/client.h"

struct feed;

struct feed_ops {
	/* data is a map and good during the callback. */
	void (*event)(const char *type, const struct node *data, void *ctx);
	/* Anything may have changed since: after the first connection, and when
	 * events were missed. */
	void (*reset)(void *ctx);
	/* It is connected, from now on or again. */
	void (*live)(void *ctx);
	/* It is not, and tries again; why is for people. */
	void (*lost)(const char *why, void *ctx);
	/* The server has no events for us: the feed is over. */
	void (*refused)(const char *why, void *ctx);
};

struct feed_config {
	/* Borrowed. */
	const struct client_server *server;
	const char *chain;
	const struct feed_ops *ops;
	void *ctx;
};

/* Everything comes later, through the callbacks. */
int feed_new(struct feed **ret, struct client *c, struct loop *l,
    const struct feed_config *config, struct error *e);
struct feed *feed_free(struct feed *f);
AUTO_DEFINE(feed)
