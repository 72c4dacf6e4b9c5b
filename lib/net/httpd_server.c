/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The server as a whole: its life, and the deadlines of its connections. See
 * httpd.h.
 *
 * A deadline costs no timer: a connection sits in the list of what it waits
 * for, where all wait equally long, so that the head of a list is the next to
 * be late. One sweep looks at the heads, often enough that a deadline is late
 * by an eighth of itself, and only while there are connections. It ends a
 * bounded number of connections per turn. After httpd_set_limits() those that
 * already wait may wait as long as before.
 */
#include "lib/net/httpd.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/net/httpd_internal.h"

#define EXPIRED_PER_TURN 256
#define REPLY_HEAD_MAX ((size_t)64 << 10)
#define REFUSAL_MAX ((size_t)64 << 10)
/* What a client that was refused has to read the answer. */
#define LINGER_MS 2000
#define SWEEP_MIN_MS 10

static int64_t
wait_ms(const struct httpd *d, enum conn_wait wait)
{
	switch (wait) {
	case WAIT_IDLE:
		return d->limits.idle_ms;
	case WAIT_HEAD:
		return d->limits.head_ms;
	case WAIT_BODY:
		return d->limits.body_ms;
	case WAIT_WRITE:
		return d->limits.write_ms;
	case WAIT_LINGER:
		return LINGER_MS;
	case WAIT_WORK:
	case WAIT_COUNT:
		break;
	}
	return 0;
}

void
conn_wait_for(struct conn *c, enum conn_wait wait)
{
	struct httpd *d = c->d;

	TAILQ_REMOVE(&d->waits[c->wait], c, link);
	c->wait = wait;
	c->deadline_ms = d->now_ms + wait_ms(d, wait);
	TAILQ_INSERT_TAIL(&d->waits[wait], c, link);
}

static int64_t
sweep_ms(const struct httpd *d)
{
	int64_t ms = LINGER_MS;
	int wait;

	for (wait = 0; wait < WAIT_WORK; wait++)
		if (wait_ms(d, (enum conn_wait)wait) < ms)
			ms = wait_ms(d, (enum conn_wait)wait);
	return ms / 8 < SWEEP_MIN_MS ? SWEEP_MIN_MS : ms / 8;
}

static void
on_sweep(struct timer *t)
{
	struct httpd *d = container_of(t, struct httpd, sweep);
	struct conn *c;
	int wait, n = 0;

	d->now_ms = clock_mono_ms();
	for (wait = 0; wait < WAIT_WORK; wait++)
		while (n < EXPIRED_PER_TURN &&
		    (c = TAILQ_FIRST(&d->waits[wait])) != NULL &&
		    c->deadline_ms <= d->now_ms) {
			conn_expire(c);
			n++;
		}
	if (d->conns_n > 0)
		timer_arm(t, n == EXPIRED_PER_TURN ? 0 : sweep_ms(d));
}

void
sweep_start(struct httpd *d)
{
	if (!d->sweep.armed)
		timer_arm(&d->sweep, sweep_ms(d));
}

int
httpd_new(struct httpd **ret, struct loop *l, const struct httpd_limits *limits,
    const struct httpd_handler *h, struct error *e)
{
	AUTO(httpd) struct httpd *d = mem_calloc(1, sizeof(*d));
	int i;

	if (d == NULL)
		return error_nomem(e);
	d->loop = l;
	d->limits = *limits;
	d->handler = *h;
	for (i = 0; i < WAIT_COUNT; i++)
		TAILQ_INIT(&d->waits[i]);
	strbuf_init(&d->out, REPLY_HEAD_MAX);
	strbuf_init(&d->refusal, REFUSAL_MAX);
	rand_hex(d->id_prefix, sizeof(d->id_prefix) - 1);
	if (timer_init(&d->sweep, l, on_sweep, "httpd-sweep", e) == -1 ||
	    listeners_init(d, e) == -1)
		return -1;
	*ret = STEAL(d);
	return 0;
}

void
httpd_set_limits(struct httpd *d, const struct httpd_limits *limits)
{
	d->limits = *limits;
}

void
httpd_set_tls(struct httpd *d, const struct tls *t)
{
	d->tls = t;
}

void
httpd_set_refuse_headers(
    struct httpd *d, const struct http_reply_header *h, size_t n)
{
	d->handler.refuse_headers = h;
	d->handler.refuse_headers_n = n;
}

void
httpd_drain(struct httpd *d)
{
	struct conn *c, *next;
	int wait;

	d->draining = true;
	d->now_ms = clock_mono_ms();
	listeners_close(d);
	for (wait = 0; wait < WAIT_COUNT; wait++)
		for (c = TAILQ_FIRST(&d->waits[wait]); c != NULL; c = next) {
			next = TAILQ_NEXT(c, link);
			if (c->state == CONN_STREAM)
				conn_close(c);
		}
	for (wait = 0; wait <= WAIT_HEAD; wait++)
		for (c = TAILQ_FIRST(&d->waits[wait]); c != NULL; c = next) {
			next = TAILQ_NEXT(c, link);
			if (conn_is_quiet(c))
				conn_close(c);
		}
}

unsigned
httpd_connections(const struct httpd *d)
{
	return d->conns_n;
}

unsigned
httpd_in_flight(const struct httpd *d)
{
	return d->in_flight;
}

bool
httpd_is_idle(const struct httpd *d)
{
	return d->in_flight == 0 && TAILQ_EMPTY(&d->waits[WAIT_WRITE]);
}

struct httpd *
httpd_free(struct httpd *d)
{
	struct conn *c;
	int wait;

	if (d == NULL)
		return NULL;
	listeners_fini(d);
	for (wait = 0; wait < WAIT_COUNT; wait++)
		while ((c = TAILQ_FIRST(&d->waits[wait])) != NULL)
			conn_close(c);
	timer_fini(&d->sweep);
	req_pool_free(d);
	strbuf_fini(&d->out);
	strbuf_fini(&d->refusal);
	mem_free(d);
	return NULL;
}
