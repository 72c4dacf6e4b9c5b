/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * libcurl's multi interface on the loop. Its callbacks record and re-arm,
 * nothing else. What they tell about sockets is kept in a table of our own:
 * nothing has to be asked of libcurl, and the removal of a socket that was
 * never added (curl issue 17949) finds nothing. When a socket cannot be watched
 * for lack of memory, its call is marked and ended by a deferred function.
 */
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/httpc_internal.h"

struct httpc_sock {
	LIST_ENTRY(httpc_sock) link;
	struct httpc_pool *pool;
	/* what is 0 while libcurl waits for nothing. */
	struct watch watch;
	int fd;
};

static struct httpc_sock_list *
bucket(struct httpc_pool *p, int fd)
{
	return &p->socks[(unsigned)fd % HTTPC_BUCKETS];
}

static struct httpc_sock *
sock_find(struct httpc_pool *p, int fd)
{
	struct httpc_sock *s;

	LIST_FOREACH (s, bucket(p, fd), link)
		if (s->fd == fd)
			return s;
	return NULL;
}

static struct httpc_sock *
sock_add(struct httpc_pool *p, int fd)
{
	struct httpc_sock *s = mem_calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->pool = p;
	s->fd = fd;
	LIST_INSERT_HEAD(bucket(p, fd), s, link);
	return s;
}

static void
sock_remove(struct httpc_sock *s)
{
	LIST_REMOVE(s, link);
	watch_fini(&s->watch);
	mem_free(s);
}

/* The one place where transfers end by libcurl's doing. */
static void
collect(struct httpc_pool *p)
{
	struct httpc_call *c;
	struct CURLMsg *m;
	CURLcode code;
	int left;

	while ((m = curl_multi_info_read(p->multi, &left)) != NULL) {
		if (m->msg != CURLMSG_DONE)
			continue;
		/* m is gone with its handle. */
		code = m->data.result;
		(void)curl_easy_getinfo(
		    m->easy_handle, CURLINFO_PRIVATE, (char **)&c);
		httpc_ended(c, code);
	}
}

/* Lets libcurl work. Without memory for its own table of sockets it says so
 * here, not which transfer will hear no more of its socket: it could be any. It
 * also leaves that socket with a table of no size, by which libcurl 7.88
 * divides when it meets the socket again. */
static void
act(struct httpc_pool *p, curl_socket_t fd, int mask)
{
	struct httpc_call *c;
	int running;

	if (p->spoilt)
		return;
	p->h->now_ms = clock_mono_ms();
	if (curl_multi_socket_action(p->multi, fd, mask, &running) ==
	    CURLM_OUT_OF_MEMORY) {
		p->spoilt = true;
		TAILQ_FOREACH (c, &p->h->calls, link)
			c->broken = c->broken || c->pool == p;
		loop_defer(p->h->loop, &p->h->mend);
	}
	collect(p);
}

static void
on_socket(struct watch *w, int what)
{
	struct httpc_sock *s = container_of(w, struct httpc_sock, watch);
	int mask;

	mask = ((what & WATCH_READ) != 0 ? CURL_CSELECT_IN : 0) |
	    ((what & WATCH_WRITE) != 0 ? CURL_CSELECT_OUT : 0);
	/* s may be gone after this. */
	act(s->pool, s->fd, mask);
}

static int
sock_set(struct httpc_pool *p, int fd, int what)
{
	struct httpc_sock *s = sock_find(p, fd);

	if (s == NULL)
		s = sock_add(p, fd);
	if (s == NULL)
		return -1;
	if (s->watch.what == what)
		return 0;
	watch_fini(&s->watch);
	s->watch.what = 0;
	if (what == 0)
		return 0;
	if (watch_init(&s->watch, p->h->loop, fd, what, on_socket,
		"httpc_socket", NULL) < 0 ||
	    watch_start(&s->watch, NULL) < 0) {
		s->watch.what = 0;
		return -1;
	}
	return 0;
}

static int
note_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *unused)
{
	struct httpc_pool *p = ctx;
	struct httpc_sock *s;
	struct httpc_call *c;
	int want;

	(void)unused;
	if (what == CURL_POLL_REMOVE) {
		s = sock_find(p, fd);
		if (s != NULL)
			sock_remove(s);
		return 0;
	}
	want = ((what & CURL_POLL_IN) != 0 ? WATCH_READ : 0) |
	    ((what & CURL_POLL_OUT) != 0 ? WATCH_WRITE : 0);
	if (sock_set(p, fd, want) == 0)
		return 0;
	TAILQ_FOREACH (c, &p->h->calls, link)
		if (c->easy == easy)
			c->broken = true;
	loop_defer(p->h->loop, &p->h->mend);
	return 0;
}

static int
note_timer(CURLM *multi, long ms, void *ctx)
{
	struct httpc_pool *p = ctx;

	(void)multi;
	if (ms < 0)
		timer_stop(&p->timer);
	else
		timer_arm(&p->timer, ms);
	return 0;
}

static void
on_timer(struct timer *t)
{
	act(container_of(t, struct httpc_pool, timer), CURL_SOCKET_TIMEOUT, 0);
}

int
httpc_pool_init(struct httpc_pool *p, struct httpc *h, unsigned max_calls,
    unsigned max_per_host, struct error *e)
{
	size_t i;

	p->h = h;
	p->max_calls = max_calls;
	p->max_per_host = max_per_host;
	for (i = 0; i < HTTPC_BUCKETS; i++)
		LIST_INIT(&p->socks[i]);
	return timer_init(&p->timer, h->loop, on_timer, "httpc_timer", e);
}

int
httpc_pool_start(struct httpc_pool *p, struct error *e)
{
	CURLM *m;

	if (p->spoilt)
		return error_nomem(e);
	if (p->multi != NULL)
		return 0;
	m = curl_multi_init();
	if (m == NULL)
		return error_nomem(e);
	p->multi = m;
	curl_multi_setopt(m, CURLMOPT_SOCKETFUNCTION, note_socket);
	curl_multi_setopt(m, CURLMOPT_SOCKETDATA, p);
	curl_multi_setopt(m, CURLMOPT_TIMERFUNCTION, note_timer);
	curl_multi_setopt(m, CURLMOPT_TIMERDATA, p);
	curl_multi_setopt(m, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(
	    m, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)p->max_calls);
	curl_multi_setopt(
	    m, CURLMOPT_MAX_HOST_CONNECTIONS, (long)p->max_per_host);
	/* All of them are worth keeping. */
	curl_multi_setopt(m, CURLMOPT_MAXCONNECTS, (long)p->max_calls);
	return 0;
}

static void
stop(struct httpc_pool *p)
{
	struct httpc_sock *s;
	size_t i;

	/* Closes the connections, and says so through note_socket(). */
	if (p->multi != NULL)
		(void)curl_multi_cleanup(p->multi);
	p->multi = NULL;
	for (i = 0; i < HTTPC_BUCKETS; i++)
		while ((s = LIST_FIRST(&p->socks[i])) != NULL)
			sock_remove(s);
	timer_stop(&p->timer);
}

void
httpc_pool_mend(struct httpc_pool *p)
{
	if (!p->spoilt)
		return;
	stop(p);
	p->spoilt = false;
}

void
httpc_pool_fini(struct httpc_pool *p)
{
	stop(p);
	timer_fini(&p->timer);
}
