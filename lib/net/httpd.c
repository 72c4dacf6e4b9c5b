/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Connections on libevent's bufferevents; with lib/event/loop.c the only file
 * that knows libevent. See httpd.h and, for the states, httpd_internal.h.
 *
 *	IDLE -> HEAD -> [BODY ->] WORK -> [STREAM ->] [WRITE ->] IDLE | LINGER
 *	    | closed
 *
 * process() takes what is in the input as far as it goes, a bounded number of
 * steps per turn; a request in work stops it, and its reply starts it again,
 * deferred. So pipelined requests are answered in order, one at a time. While a
 * request is in work the connection still reads, up to a mark (our own, as
 * libevent 2.1's crashes when its callback finds no memory), to learn that the
 * client has gone. A client that shuts its sending side is gone unless
 * the handler answers at once.
 *
 * A reply is written to the socket directly; only what the kernel does not take
 * goes through the bufferevent. With TLS all goes through the bufferevent,
 * which encrypts; until its handshake is done a connection is one that has sent
 * nothing.
 *
 * After a refusal, and whenever input is left over, our side is shut and the
 * rest is thrown away for a short time: closing at once would reset the
 * connection, and the client would lose the answer.
 *
 * Nothing is freed while its callback may be on the stack: conn_close() takes a
 * connection out of everything and retires it.
 */
#include "lib/net/httpd.h"

#include <sys/socket.h>

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/net/httpd_internal.h"
#include "lib/net/tls.h"

/* Heads and pieces of bodies that one connection may use up per turn. */
#define STEPS_PER_TURN 32
/* Input behind a request in work that stops the reading. */
#define INPUT_MAX ((size_t)64 << 10)
#define LINGER_MAX ((size_t)16 << 20)

int
http_req_socket(const struct http_req *r)
{
	return bufferevent_getfd(r->conn->bev);
}

/* Closing */

static void
free_conn(struct retire *r)
{
	mem_free(container_of(r, struct conn, retire));
}

/* Ends the request without a reply: its handler is told. */
static void
drop_request(struct conn *c)
{
	struct httpd *d = c->d;
	struct http_req *r = c->req;

	if (r == NULL)
		return;
	if (r->shown && d->handler.on_gone != NULL)
		d->handler.on_gone(r, d->handler.ctx);
	if (r->streamed && d->handler.on_done != NULL)
		d->handler.on_done(r, r->status, r->sent,
		    d->now_ms - r->start_ms, d->handler.ctx);
	c->req = NULL;
	d->in_flight--;
	req_end(d, r);
}

void
conn_close(struct conn *c)
{
	struct httpd *d = c->d;

	if (c->state == CONN_DEAD)
		return;
	c->state = CONN_DEAD;
	drop_request(c);
	TAILQ_REMOVE(&d->waits[c->wait], c, link);
	d->conns_n--;
	peer_put(c->peer);
	defer_cancel(&c->again);
	/* Closes the descriptor, too. */
	bufferevent_free(c->bev);
	c->bev = NULL;
	loop_retire(d->loop, &c->retire, free_conn);
}

size_t
conn_input_len(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_input(c->bev));
}

size_t
conn_output_len(const struct conn *c)
{
	return evbuffer_get_length(bufferevent_get_output(c->bev));
}

void
conn_drain(struct conn *c, size_t n)
{
	(void)evbuffer_drain(bufferevent_get_input(c->bev), n);
}

static void
linger_step(struct conn *c)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t n = evbuffer_get_length(in);

	(void)evbuffer_drain(in, n);
	if (c->eof || n > c->linger_left) {
		conn_close(c);
		return;
	}
	c->linger_left -= n;
}

static void
set_reading(struct conn *c, bool on)
{
	if (c->paused == !on)
		return;
	c->paused = !on;
	if (!on)
		(void)bufferevent_disable(c->bev, EV_READ);
	else if (bufferevent_enable(c->bev, EV_READ) == -1)
		/* No memory: the deadline ends what hears nothing. */
		c->paused = true;
}

/* The last reply is with the kernel. */
static void
finish(struct conn *c)
{
	if (c->tls)
		tls_say_bye(bufferevent_openssl_get_ssl(c->bev));
	if (c->eof || (!c->linger_after && conn_input_len(c) == 0)) {
		conn_close(c);
		return;
	}
	(void)shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	c->state = CONN_LINGER;
	c->linger_left = LINGER_MAX;
	conn_wait_for(c, WAIT_LINGER);
	set_reading(c, true);
	linger_step(c);
}

/* Writing */

/* Adds what the kernel has not taken, n bytes being gone already. */
static int
queue_rest(struct conn *c, const struct iovec *iov, int iov_n, size_t n)
{
	struct evbuffer *out = bufferevent_get_output(c->bev);
	int i;

	for (i = 0; i < iov_n; i++) {
		if (n >= iov[i].iov_len) {
			n -= iov[i].iov_len;
			continue;
		}
		if (evbuffer_add(out, (const char *)iov[i].iov_base + n,
			iov[i].iov_len - n) == -1)
			return -1;
		n = 0;
	}
	return 0;
}

int
conn_send(struct conn *c, struct iovec *iov, int iov_n)
{
	struct msghdr m = { .msg_iov = iov };
	size_t done = 0;
	ssize_t n;

	/* The field has another type on each system. */
	m.msg_iovlen = iov_n > 2 ? 3 : iov_n > 1 ? 2 : 1;
	if (!c->tls && conn_output_len(c) == 0) {
		n = sendmsg(bufferevent_getfd(c->bev), &m, MSG_NOSIGNAL);
		if (n == -1 && errno != EAGAIN && errno != EINTR &&
		    errno != ENOBUFS)
			return -1;
		done = n > 0 ? (size_t)n : 0;
	}
	return queue_rest(c, iov, iov_n, done);
}

void
conn_flushed(struct conn *c)
{
	if (c->close_after) {
		finish(c);
		return;
	}
	c->state = CONN_IDLE;
	c->seen = 0;
	conn_wait_for(c, WAIT_IDLE);
	set_reading(c, true);
	if (!c->busy && (c->eof || conn_input_len(c) > 0))
		loop_defer(c->d->loop, &c->again);
}

/* Reading */

/* The request is whole: its handler works, now or later. */
static void
show_request(struct conn *c)
{
	struct httpd *d = c->d;
	struct http_req *r = c->req;

	r->whole = true;
	c->state = CONN_WORK;
	if (c->wait != WAIT_WORK)
		conn_wait_for(c, WAIT_WORK);
	d->handler.on_request(r, d->handler.ctx);
	if ((c->state == CONN_WORK || c->state == CONN_STREAM) && c->eof)
		conn_close(c);
}

static void
start_body(struct conn *c)
{
	static char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	struct iovec iov = { go_on, sizeof(go_on) - 1 };
	struct http_req *r = c->req;

	if (r->head.body == HTTP1_BODY_LENGTH &&
	    r->head.content_length > r->body_max) {
		conn_refuse(c, 413, "request body is too large");
		return;
	}
	r->body.max = r->body_max;
	http1_chunked_init(&r->chunked);
	c->state = CONN_BODY;
	conn_wait_for(c, WAIT_BODY);
	if (r->head.expect_continue && conn_input_len(c) == 0 &&
	    conn_send(c, &iov, 1) == -1)
		conn_close(c);
}

/* A head has been read into r from text. */
static void
start_request(struct conn *c, struct http_req *r, const char *text)
{
	struct httpd *d = c->d;

	if (!req_begin(r, c, text)) {
		req_put_back(d, r);
		conn_close(c);
		return;
	}
	conn_drain(c, r->head.len);
	c->req = r;
	c->seen = 0;
	c->state = CONN_WORK;
	d->in_flight++;
	conn_wait_for(c, WAIT_WORK);
	r->whole = r->head.body == HTTP1_BODY_NONE;
	r->shown = true;
	d->handler.on_head(r, d->handler.ctx);
	if (c->req != r || c->state != CONN_WORK || r->held)
		return;
	if (r->whole)
		show_request(c);
	else
		start_body(c);
}

/* Reads a head from the input's first piece, which is all of it but for long
 * heads; those are made one piece. Sets *ret_text to it. */
static enum http1_result
read_head(struct conn *c, struct http_req *r, const char **ret_text,
    struct http1_refusal *why)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t max = c->d->limits.head_bytes, len = evbuffer_get_length(in);
	size_t n = evbuffer_get_contiguous_space(in);
	enum http1_result res;

	*ret_text = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);
	res = http1_read_head(*ret_text, n, max, &c->seen, &r->head, why);
	if (res != HTTP1_MORE || n == len)
		return res;
	n = len > max ? max + 1 : len;
	if (n > len)
		n = len;
	*ret_text = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);
	if (*ret_text == NULL) {
		*why = (struct http1_refusal){ 503, "out of memory" };
		return HTTP1_BAD;
	}
	return http1_read_head(*ret_text, n, max, &c->seen, &r->head, why);
}

/* true: something was done, and there may be more to do. */
static bool
head_step(struct conn *c)
{
	struct http1_refusal why;
	struct http_req *r;
	const char *text;

	if (conn_input_len(c) == 0)
		return false;
	r = req_get(c->d);
	if (r == NULL) {
		conn_close(c);
		return false;
	}
	switch (read_head(c, r, &text, &why)) {
	case HTTP1_OK:
		start_request(c, r, text);
		return true;
	case HTTP1_MORE:
		req_put_back(c->d, r);
		if (c->state == CONN_IDLE) {
			c->state = CONN_HEAD;
			if (c->wait == WAIT_IDLE)
				conn_wait_for(c, WAIT_HEAD);
		}
		return false;
	case HTTP1_BAD:
		break;
	}
	req_put_back(c->d, r);
	conn_refuse(c, why.status, why.why);
	return false;
}

static enum http1_result
read_length_body(struct conn *c, struct http_req *r, struct http1_refusal *why)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	size_t n = evbuffer_get_length(in);
	uint64_t left = r->head.content_length - r->body.len;
	char *to;

	if (n > left)
		n = (size_t)left;
	to = strbuf_reserve(&r->body, n);
	if (to == NULL) {
		*why = (struct http1_refusal){ 503, "out of memory" };
		return HTTP1_BAD;
	}
	(void)evbuffer_remove(in, to, n);
	strbuf_commit(&r->body, n);
	return n == left ? HTTP1_OK : HTTP1_MORE;
}

static enum http1_result
read_chunked_body(struct conn *c, struct http_req *r, struct http1_refusal *why)
{
	struct evbuffer *in = bufferevent_get_input(c->bev);
	enum http1_result res = HTTP1_MORE;
	size_t n, used;

	while (res == HTTP1_MORE && evbuffer_get_length(in) > 0) {
		n = evbuffer_get_contiguous_space(in);
		res = http1_chunked_feed(&r->chunked,
		    (const char *)evbuffer_pullup(in, (ev_ssize_t)n), n, &used,
		    &r->body, why);
		(void)evbuffer_drain(in, used);
	}
	return res;
}

static bool
body_step(struct conn *c)
{
	struct http1_refusal why;
	enum http1_result res;

	if (conn_input_len(c) == 0)
		return false;
	if (c->req->head.body == HTTP1_BODY_LENGTH)
		res = read_length_body(c, c->req, &why);
	else
		res = read_chunked_body(c, c->req, &why);
	switch (res) {
	case HTTP1_OK:
		show_request(c);
		return true;
	case HTTP1_MORE:
		return false;
	case HTTP1_BAD:
		break;
	}
	conn_refuse(c, why.status, why.why);
	return false;
}

static bool
step(struct conn *c)
{
	switch (c->state) {
	case CONN_IDLE:
	case CONN_HEAD:
		return head_step(c);
	case CONN_BODY:
		return body_step(c);
	case CONN_LINGER:
		linger_step(c);
		return false;
	case CONN_WORK:
	case CONN_STREAM:
	case CONN_WRITE:
	case CONN_DEAD:
		break;
	}
	return false;
}

/* The input is used up and nothing will follow. */
static void
end_of_input(struct conn *c)
{
	switch (c->state) {
	case CONN_HEAD:
	case CONN_BODY:
		conn_refuse(c, 400, "the request ends early");
		return;
	case CONN_IDLE:
	case CONN_WORK:
	case CONN_STREAM:
	case CONN_LINGER:
		conn_close(c);
		return;
	case CONN_WRITE:
	case CONN_DEAD:
		break;
	}
}

static void
process(struct conn *c)
{
	unsigned n = 0;

	c->busy = true;
	while (n < STEPS_PER_TURN && step(c))
		n++;
	c->busy = false;
	if (n == STEPS_PER_TURN && c->state != CONN_DEAD)
		loop_defer(c->d->loop, &c->again);
	else if (c->eof)
		end_of_input(c);
	else if ((c->state == CONN_WORK || c->state == CONN_STREAM ||
		     c->state == CONN_WRITE) &&
	    conn_input_len(c) > INPUT_MAX)
		set_reading(c, false);
}

/* Callbacks */

static void
on_again(struct defer *df)
{
	struct conn *c = container_of(df, struct conn, again);

	c->d->now_ms = clock_mono_ms();
	process(c);
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	c->d->now_ms = clock_mono_ms();
	process(c);
}

static void
on_written(struct bufferevent *bev, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	c->d->now_ms = clock_mono_ms();
	if (c->state == CONN_WRITE) {
		conn_flushed(c);
	} else if (c->state == CONN_STREAM &&
	    http_req_stream_queued(c->req) == 0) {
		conn_wait_for(c, WAIT_WORK);
		if (c->d->handler.on_drained != NULL)
			c->d->handler.on_drained(c->req, c->d->handler.ctx);
	}
}

/* Anybody can cause this: of use to who looks for it only. */
static void
tell_tls_fault(const struct conn *c)
{
	log_debug("httpd", FIELDS(LF_S("peer", c->from)), "TLS: %s",
	    tls_reason(bufferevent_get_openssl_error(c->bev)));
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct conn *c = arg;

	(void)bev;
	c->d->now_ms = clock_mono_ms();
	if ((what & BEV_EVENT_CONNECTED) != 0)
		return;
	if ((what & BEV_EVENT_EOF) == 0 || (what & BEV_EVENT_WRITING) != 0) {
		if (c->tls)
			tell_tls_fault(c);
		conn_close(c);
		return;
	}
	c->eof = true;
	/* libevent stops both with TLS; the client may still read. */
	if (c->tls && bufferevent_enable(c->bev, EV_WRITE) == -1) {
		conn_close(c);
		return;
	}
	process(c);
}

void
conn_expire(struct conn *c)
{
	struct linger reset = { .l_onoff = 1 };

	if (c->state != CONN_HEAD && c->state != CONN_BODY) {
		/* Or the kernel would keep the reply for who does not read. */
		if (c->state == CONN_WRITE || c->state == CONN_STREAM)
			(void)setsockopt(bufferevent_getfd(c->bev), SOL_SOCKET,
			    SO_LINGER, &reset, sizeof(reset));
		conn_close(c);
		return;
	}
	conn_refuse(c, 408, "the request takes too long");
	/* Who is slow gets no more of our time than that. */
	if (c->state == CONN_LINGER)
		conn_close(c);
}

/* Opening */

bool
conn_is_quiet(const struct conn *c)
{
	return c->state == CONN_IDLE && conn_input_len(c) == 0;
}

/* Owns fd once it is made. */
static struct bufferevent *
new_bev(struct httpd *d, int fd, bool tls)
{
	struct event_base *base = loop_base(d->loop);
	struct bufferevent *bev;
	struct ssl_st *s;

	if (!tls)
		return bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	s = d->tls != NULL ? tls_session(d->tls) : NULL;
	if (s == NULL)
		return NULL;
	/* Frees s when it fails. */
	bev = bufferevent_openssl_socket_new(
	    base, fd, s, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
	if (bev != NULL)
		bufferevent_openssl_set_allow_dirty_shutdown(bev, 1);
	return bev;
}

static struct conn *
new_conn(struct httpd *d, int fd, const struct address *from, bool tls)
{
	struct conn *c = mem_calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->bev = new_bev(d, fd, tls);
	if (c->bev == NULL) {
		mem_free(c);
		return NULL;
	}
	c->d = d;
	c->tls = tls;
	memcpy(c->from, "unix", sizeof("unix"));
	if (from->family != AF_UNIX)
		(void)inet_ntop(
		    from->family, from->bytes, c->from, sizeof(c->from));
	defer_init(&c->again, on_again, "httpd");
	bufferevent_setcb(c->bev, on_read, on_written, on_event, c);
	return c;
}

/* With all places taken, who has waited longest without a request goes. */
static bool
make_room(struct httpd *d)
{
	if (d->conns_n < d->limits.connections)
		return true;
	if (TAILQ_EMPTY(&d->waits[WAIT_IDLE]))
		return false;
	conn_close(TAILQ_FIRST(&d->waits[WAIT_IDLE]));
	return d->conns_n < d->limits.connections;
}

void
conn_open(struct httpd *d, int fd, const struct address *from, bool tls)
{
	struct peer *p = NULL;
	struct conn *c;

	d->now_ms = clock_mono_ms();
	if (from->family != AF_UNIX)
		p = peer_get(d, from);
	if ((from->family != AF_UNIX && p == NULL) || !make_room(d)) {
		peer_put(p);
		(void)close(fd);
		return;
	}
	c = new_conn(d, fd, from, tls);
	if (c == NULL) {
		peer_put(p);
		(void)close(fd);
		return;
	}
	c->peer = p;
	c->state = CONN_IDLE;
	/* The first head has its deadline from the connection on. */
	c->wait = WAIT_HEAD;
	c->deadline_ms = d->now_ms + d->limits.head_ms;
	TAILQ_INSERT_TAIL(&d->waits[WAIT_HEAD], c, link);
	d->conns_n++;
	sweep_start(d);
	if (bufferevent_enable(c->bev, EV_READ) == -1)
		conn_close(c);
}
