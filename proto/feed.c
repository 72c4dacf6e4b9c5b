/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See feed.h. One stream at a time, read by lib/net/sse. The id of the last
 * event survives it and goes into the next request; a server that cannot go on
 * from there begins with an event "reset".
 *
 * A callback may free the feed, so each is the last thing that is done with it,
 * or is followed by a look at `freed`.
 */
#include "proto/feed.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/data/json.h"
#include "lib/event/loop.h"
#include "lib/net/backoff.h"
#include "lib/net/sse.h"

/* A line comes every 5 seconds. */
#define IDLE_MS 15000
#define EVENT_MAX ((size_t)256 * 1024)
#define EVENT_ARENA_MAX ((size_t)4 * 1024 * 1024)
#define DICE 1000

static const struct backoff again = {
	.max_ms = 5000, .factor_ms = 250, .jitter = 0.5
};

struct feed {
	struct client *client;
	struct feed_config config;
	struct client_id stream;
	struct sse sse;
	char last_id[SSE_ID_MAX + 1];
	/* Attempts since something came. */
	unsigned tries;
	/* It was connected at some time. */
	bool was_live;
	struct timer timer;
	/* Set by feed_free() while a callback is under way; NULL: none is. */
	bool *freed;
};

static void connect_feed(struct feed *f);

/* true: the feed is gone. */
static bool
call(struct feed *f, void (*fn)(void *ctx))
{
	bool freed = false;

	f->freed = &freed;
	fn(f->config.ctx);
	if (!freed)
		f->freed = NULL;
	return freed;
}

static void
on_begun(void *ctx)
{
	struct feed *f = ctx;
	bool whole = f->was_live && f->last_id[0] != '\0';

	f->was_live = true;
	if (call(f, f->config.ops->live) || whole)
		return;
	(void)call(f, f->config.ops->reset);
}

/* true: the feed is gone. */
static bool
on_event(struct feed *f, const struct sse_event *x)
{
	AUTO_ARENA struct arena a;
	struct node *data = NULL;
	bool freed = false;

	arena_init(&a, EVENT_ARENA_MAX);
	if (strcmp(x->type, "reset") == 0)
		return call(f, f->config.ops->reset);
	if (json_read(x->data, x->data_len, &a, &data, NULL) < 0 ||
	    data == NULL || data->type != NODE_MAP)
		return false;
	f->freed = &freed;
	f->config.ops->event(x->type, data, f->config.ctx);
	if (!freed)
		f->freed = NULL;
	return freed;
}

/* The stream has ended, one way or the other. */
static void
retry(struct feed *f, const char *why)
{
	double dice = (double)rand_below(DICE) / DICE;

	f->stream.v = 0;
	f->tries++;
	timer_arm(&f->timer, backoff_ms(&again, f->tries, dice));
	f->config.ops->lost(why, f->config.ctx);
}

static void
on_piece(const char *p, size_t len, void *ctx)
{
	struct feed *f = ctx;
	struct error e = ERROR_INIT;
	struct sse_event x;
	int rc;

	f->tries = 0;
	while ((rc = sse_next(&f->sse, &p, &len, &x, &e)) == 0)
		if (on_event(f, &x))
			return;
	(void)snprintf(
	    f->last_id, sizeof(f->last_id), "%s", sse_last_id(&f->sse));
	if (rc == SSE_NONE)
		return;
	client_cancel(f->client, f->stream);
	retry(f, error_text(&e));
}

static void
on_end(const struct client_reply *r, void *ctx)
{
	struct feed *f = ctx;
	bool passes = r->class == CLIENT_OK || r->class == CLIENT_UNAVAILABLE ||
	    r->status == 429 || (f->was_live && r->class != CLIENT_DENIED);

	f->stream.v = 0;
	if (passes)
		retry(
		    f, r->class == CLIENT_OK ? "the server hung up" : r->text);
	else
		f->config.ops->refused(r->text, f->config.ctx);
}

static void
connect_feed(struct feed *f)
{
	static const struct client_stream stream = { .begun = on_begun,
		.piece = on_piece,
		.done = on_end,
		.idle_ms = IDLE_MS };
	struct client_call call = { .server = f->config.server,
		.chain = f->config.chain,
		.route = ROUTE_EVENTS };
	struct error e = ERROR_INIT;

	if (f->last_id[0] != '\0')
		call.last_event_id = f->last_id;
	sse_fini(&f->sse);
	sse_init(&f->sse, EVENT_MAX);
	if (client_stream(f->client, &call, &stream, f, &f->stream, &e) < 0)
		retry(f, error_text(&e));
}

static void
on_timer(struct timer *t)
{
	connect_feed(container_of(t, struct feed, timer));
}

int
feed_new(struct feed **ret, struct client *c, struct loop *l,
    const struct feed_config *config, struct error *e)
{
	struct feed *f AUTO(feed) = mem_calloc(1, sizeof(*f));

	if (f == NULL)
		return error_nomem(e);
	f->client = c;
	f->config = *config;
	sse_init(&f->sse, EVENT_MAX);
	if (timer_init(&f->timer, l, on_timer, "feed", e) < 0)
		return -1;
	timer_arm(&f->timer, 0);
	*ret = STEAL(f);
	return 0;
}

struct feed *
feed_free(struct feed *f)
{
	if (f == NULL)
		return NULL;
	if (f->freed != NULL)
		*f->freed = true;
	client_cancel(f->client, f->stream);
	timer_fini(&f->timer);
	sse_fini(&f->sse);
	mem_free(f);
	return NULL;
}
