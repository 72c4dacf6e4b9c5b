/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which feeds there are: at first one for each data center, with its subtree
 * when a spot is below it. A server that does not know that word refuses; then
 * each of its spots gets a feed of its own, and those that are refused, too,
 * are not heard.
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
	/* It tells of all that is below. */
	bool subtree;
	/* It was refused: its spots have lines of their own, or are not heard.
	 */
	bool over;
};

struct live {
	struct session *session;
	const struct live_spot *spots;
	size_t n;
	const struct live_ops *ops;
	void *ctx;
	/* Room for one per server and one per spot. */
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
	return !x->over && x->server == spot->server &&
	    (x->subtree || is_same(x->chain, spot->chain));
}

static void
on_event(const char *type, const struct node *data, void *ctx)
{
	struct line *x = ctx;
	struct live *l = x->live;
	const char *chain = node_text(node_get(data, "chain"));

	for (size_t i = 0; i < l->n; i++)
		if (is_on(x, &l->spots[i]) &&
		    (!x->subtree || is_same(l->spots[i].chain, chain)))
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

static int add_line(struct live *l, const struct client_server *server,
    const char *chain, bool subtree, struct error *e);

static void
on_refused(enum client_class class, const char *why, void *ctx)
{
	struct line *x = ctx;
	struct live *l = x->live;
	struct error e = ERROR_INIT;

	if (!x->subtree || class == CLIENT_DENIED) {
		tell(x, why);
		x->over = true;
		return;
	}
	x->over = true;
	for (size_t i = 0; i < l->n; i++)
		if (l->spots[i].server == x->server &&
		    add_line(l, x->server, l->spots[i].chain, false, &e) < 0)
			l->ops->heard(i, error_text(&e), l->ctx);
}

static const struct feed_ops feed_ops = { .event = on_event,
	.reset = on_reset,
	.live = on_live,
	.lost = on_lost,
	.refused = on_refused };

static int
add_line(struct live *l, const struct client_server *server, const char *chain,
    bool subtree, struct error *e)
{
	struct line *x = &l->lines[l->lines_n];
	struct feed_config config = { .server = server,
		.chain = chain,
		.query = subtree ? "subtree=1" : NULL,
		.ops = &feed_ops,
		.ctx = x };

	for (size_t i = 0; i < l->lines_n; i++)
		if (!l->lines[i].over && l->lines[i].server == server &&
		    is_same(l->lines[i].chain, chain))
			return 0;
	x->live = l;
	x->server = server;
	x->chain = chain;
	x->subtree = subtree;
	if (feed_new(
		&x->feed, l->session->client, l->session->loop, &config, e) < 0)
		return -1;
	l->lines_n++;
	return 0;
}

/* Something below this server is meant. */
static bool
has_below(const struct live *l, const struct client_server *server)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->spots[i].server == server && l->spots[i].chain != NULL)
			return true;
	return false;
}

static bool
is_first(const struct live *l, size_t spot)
{
	for (size_t i = 0; i < spot; i++)
		if (l->spots[i].server == l->spots[spot].server)
			return false;
	return true;
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
	l->lines = mem_calloc(2 * n + 1, sizeof(*l->lines));
	if (l->lines == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < n; i++)
		if (is_first(l, i) &&
		    add_line(l, spots[i].server, NULL,
			has_below(l, spots[i].server), e) < 0)
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
