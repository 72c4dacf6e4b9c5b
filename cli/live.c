/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One feed for each server that is meant, through its chain. The one stream of
 * a whole subtree would be fewer connections, but it cannot say which servers
 * it hears, and originals in it tell projects only, late: who is refused a feed
 * is known to have to be asked.
 */
#include "cli/live.h"

#include <string.h>

#include "lib/base/mem.h"
#include "proto/feed.h"

struct line {
	struct live *live;
	struct feed *feed;
	const struct client_server *server;
	const char *chain;
};

struct live {
	struct session *session;
	const struct live_spot *spots;
	size_t n;
	const struct live_ops *ops;
	void *ctx;
	/* Room for one per spot. */
	struct line *lines;
	size_t lines_n;
};

static bool
is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
is_on(const struct line *x, const struct live_spot *spot)
{
	return x->server == spot->server && is_same(x->chain, spot->chain);
}

static void
on_event(const char *type, const struct node *data, void *ctx)
{
	struct line *x = ctx;
	struct live *l = x->live;

	for (size_t i = 0; i < l->n; i++)
		if (is_on(x, &l->spots[i]))
			l->ops->changed(i, type, data, l->ctx);
}

static void
on_reset(void *ctx)
{
	struct line *x = ctx;
	struct live *l = x->live;

	for (size_t i = 0; i < l->n; i++)
		if (is_on(x, &l->spots[i]))
			l->ops->changed(i, NULL, NULL, l->ctx);
}

static void
tell(struct line *x, const char *why)
{
	struct live *l = x->live;

	for (size_t i = 0; i < l->n; i++)
		if (is_on(x, &l->spots[i]))
			l->ops->heard(i, why, l->ctx);
}

static void
on_live(void *ctx)
{
	tell(ctx, NULL);
}

static void
on_lost(const char *why, void *ctx)
{
	tell(ctx, why);
}

static void
on_refused(const char *why, void *ctx)
{
	tell(ctx, why);
}

static const struct feed_ops feed_ops = { .event = on_event,
	.reset = on_reset,
	.live = on_live,
	.lost = on_lost,
	.refused = on_refused };

static int
add_line(struct live *l, const struct live_spot *spot, struct error *e)
{
	struct line *x = &l->lines[l->lines_n];
	struct feed_config config = { .server = spot->server,
		.chain = spot->chain,
		.ops = &feed_ops,
		.ctx = x };

	for (size_t i = 0; i < l->lines_n; i++)
		if (is_on(&l->lines[i], spot))
			return 0;
	x->live = l;
	x->server = spot->server;
	x->chain = spot->chain;
	if (feed_new(
		&x->feed, l->session->client, l->session->loop, &config, e) < 0)
		return -1;
	l->lines_n++;
	return 0;
}

int
live_new(struct live **ret, struct session *s, const struct live_spot *spots,
    size_t n, const struct live_ops *ops, void *ctx, struct error *e)
{
	struct live *l AUTO(live) = mem_calloc(1, sizeof(*l));

	if (l == NULL)
		return error_nomem(e);
	l->session = s;
	l->spots = spots;
	l->n = n;
	l->ops = ops;
	l->ctx = ctx;
	l->lines = mem_calloc(n + 1, sizeof(*l->lines));
	if (l->lines == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (add_line(l, &spots[i], e) < 0)
			return -1;
	*ret = STEAL(l);
	return 0;
}

struct live *
live_free(struct live *l)
{
	if (l == NULL)
		return NULL;
	for (size_t i = 0; i < l->lines_n; i++)
		l->lines[i].feed = feed_free(l->lines[i].feed);
	mem_free(l->lines);
	mem_free(l);
	return NULL;
}
