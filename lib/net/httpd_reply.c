/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Replies: whole ones, those in pieces, and refusals of what is no request; and
 * whether the connection goes on after them. How bytes leave is httpd.c's.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/net/httpd_internal.h"

static int
send_reply(struct conn *c, const struct http_reply *reply, bool close)
{
	struct httpd *d = c->d;
	struct iovec iov[2];
	char *body;
	int n = 1;

	req_write_head(d, reply, FRAMING_LENGTH, close);
	if (strbuf_check(&d->out, NULL) == -1)
		return -1;
	iov[0] = (struct iovec){ d->out.buf, d->out.len };
	if (!reply->head_only && reply->body_len > 0 && reply->status != 204 &&
	    reply->status != 304) {
		/* sendmsg() reads only; the type of iov_base cannot say so. */
		memcpy(&body, &reply->body, sizeof(body));
		iov[n++] = (struct iovec){ body, reply->body_len };
	}
	return conn_send(c, iov, n);
}

/* Throws away a body that nobody wants, if it is here as a whole: only then the
 * connection can go on. */
static bool
skip_body(struct conn *c, const struct http_req *r)
{
	uint64_t left = r->head.content_length - r->body.len;

	if (r->whole)
		return true;
	if (r->head.body != HTTP1_BODY_LENGTH || left > conn_input_len(c))
		return false;
	conn_drain(c, (size_t)left);
	return true;
}

/* Whether the connection goes on after the reply. */
static void
decide_close(
    struct conn *c, const struct http_req *r, const struct http_reply *reply)
{
	c->close_after = reply->close || !r->head.keep_alive || c->d->draining;
	if (!skip_body(c, r))
		c->close_after = c->linger_after = true;
}

/* All of the reply has been sent or queued; rc -1: it could not be. */
static void
answered(
    struct conn *c, struct http_req *r, int status, size_t body_len, int rc)
{
	struct httpd *d = c->d;

	if (d->handler.on_done != NULL)
		d->handler.on_done(r, status, body_len, d->now_ms - r->start_ms,
		    d->handler.ctx);
	c->req = NULL;
	d->in_flight--;
	req_end(d, r);
	if (rc == -1) {
		conn_close(c);
	} else if (conn_output_len(c) == 0) {
		conn_flushed(c);
	} else {
		c->state = CONN_WRITE;
		conn_wait_for(c, WAIT_WRITE);
	}
}

void
http_req_reply(struct http_req *r, const struct http_reply *reply)
{
	struct conn *c = r->conn;
	int rc;

	assert(c != NULL && c->req == r && c->state != CONN_DEAD);
	assert(!r->streamed);
	c->d->now_ms = clock_mono_ms();
	decide_close(c, r, reply);
	rc = send_reply(c, reply, c->close_after);
	answered(
	    c, r, reply->status, reply->head_only ? 0 : reply->body_len, rc);
}

/* Streams */

bool
http_req_stream_start(struct http_req *r, const struct http_reply *reply)
{
	struct conn *c = r->conn;
	enum req_framing framing =
	    reply->sized ? FRAMING_LENGTH : FRAMING_CHUNKS;
	struct iovec iov;
	int rc = -1;

	assert(c != NULL && c->req == r && c->state != CONN_DEAD);
	assert(!r->streamed);
	c->d->now_ms = clock_mono_ms();
	decide_close(c, r, reply);
	if (r->head.minor == 0 && !reply->sized) {
		framing = FRAMING_CLOSE;
		c->close_after = true;
	}
	req_write_head(c->d, reply, framing, c->close_after);
	if (strbuf_check(&c->d->out, NULL) == 0) {
		iov = (struct iovec){ c->d->out.buf, c->d->out.len };
		rc = conn_send(c, &iov, 1);
	}
	if (rc == -1 || reply->head_only) {
		answered(c, r, reply->status, 0, rc);
		return false;
	}
	r->streamed = true;
	r->framing = framing;
	r->status = reply->status;
	r->sent = 0;
	r->length = reply->body_len;
	c->state = CONN_STREAM;
	conn_wait_for(
	    c, http_req_stream_queued(r) > 0 ? WAIT_WRITE : WAIT_WORK);
	return true;
}

size_t
http_req_stream_queued(const struct http_req *r)
{
	return conn_output_len(r->conn);
}

/* One chunk, or the bytes as they are. */
static int
send_piece(
    struct conn *c, const struct http_req *r, const void *data, size_t len)
{
	static char crlf[] = "\r\n";
	char size[24], *p;
	struct iovec iov[3];
	int n;

	/* sendmsg() reads only; the type of iov_base cannot say so. */
	memcpy(&p, &data, sizeof(p));
	iov[0] = (struct iovec){ p, len };
	if (r->framing != FRAMING_CHUNKS)
		return conn_send(c, iov, 1);
	iov[1] = iov[0];
	n = snprintf(size, sizeof(size), "%zx\r\n", len);
	iov[0] = (struct iovec){ size, (size_t)n };
	iov[2] = (struct iovec){ crlf, 2 };
	return conn_send(c, iov, 3);
}

bool
http_req_stream_send(struct http_req *r, const void *data, size_t len)
{
	struct conn *c = r->conn;

	assert(r->streamed && c->state == CONN_STREAM);
	/* An empty chunk would be the last one. */
	if (len == 0)
		return true;
	c->d->now_ms = clock_mono_ms();
	if (http_req_stream_queued(r) + len > HTTPD_STREAM_MAX ||
	    send_piece(c, r, data, len) == -1) {
		conn_close(c);
		return false;
	}
	r->sent += len;
	if (c->wait == WAIT_WORK && http_req_stream_queued(r) > 0)
		conn_wait_for(c, WAIT_WRITE);
	return true;
}

void
http_req_stream_end(struct http_req *r)
{
	static char last[] = "0\r\n\r\n";
	struct conn *c = r->conn;
	struct iovec iov = { last, sizeof(last) - 1 };
	int rc = 0;

	assert(r->streamed && c->state == CONN_STREAM);
	c->d->now_ms = clock_mono_ms();
	if (r->framing == FRAMING_LENGTH && r->sent != r->length) {
		conn_close(c);
		return;
	}
	if (r->framing == FRAMING_CHUNKS)
		rc = conn_send(c, &iov, 1);
	answered(c, r, r->status, r->sent, rc);
}

void
http_req_stream_cut(struct http_req *r)
{
	assert(r->streamed && r->conn->state == CONN_STREAM);
	r->conn->d->now_ms = clock_mono_ms();
	conn_close(r->conn);
}

/* Gives c a request without a head, for the reply to what has none. */
static bool
empty_request(struct conn *c)
{
	struct http_req *r = req_get(c->d);

	if (r == NULL)
		return false;
	if (!req_begin(r, c, NULL)) {
		req_put_back(c->d, r);
		return false;
	}
	c->req = r;
	c->d->in_flight++;
	return true;
}

void
conn_refuse(struct conn *c, int status, const char *why)
{
	struct httpd *d = c->d;
	struct http_reply reply = {
		.status = status,
		.content_type = "application/json",
		.headers = d->handler.refuse_headers,
		.headers_n = d->handler.refuse_headers_n,
		.close = true,
	};
	char limit[80];

	if (c->req == NULL && !empty_request(c)) {
		conn_close(c);
		return;
	}
	if (c->req->shown && d->handler.on_gone != NULL)
		d->handler.on_gone(c->req, d->handler.ctx);
	c->req->shown = false;
	strbuf_reset(&d->refusal);
	if (status == 413) {
		(void)snprintf(limit, sizeof(limit),
		    "Request body is too large: the limit is %zu bytes.",
		    c->req->body_max);
		why = limit;
	}
	if (d->handler.on_refuse != NULL)
		d->handler.on_refuse(status, why, &d->refusal, d->handler.ctx);
	if (strbuf_check(&d->refusal, NULL) == -1)
		strbuf_reset(&d->refusal);
	reply.body = d->refusal.buf;
	reply.body_len = d->refusal.len;
	reply.head_only = strcmp(c->req->method, "HEAD") == 0;
	c->linger_after = true;
	http_req_reply(c->req, &reply);
}
