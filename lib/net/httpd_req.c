/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Requests: their pool, their ids, what a handler may ask of them, and the head
 * of their replies. See httpd.h.
 *
 * A request exists from the end of its head to its reply. So a connection that
 * sends slowly or nothing costs no request, and those that come fast use the
 * same few again, memory included. The head's bytes are copied into the arena
 * once: the connection's buffer moves while the body comes in. In the copy the
 * byte after a value is a blank or the line's end, so that it can be the NUL.
 */
#include "lib/net/httpd_internal.h"

#include <string.h>

#include "lib/base/mem.h"

struct http_req *
req_get(struct httpd *d)
{
	struct http_req *r = LIST_FIRST(&d->pool);

	if (r != NULL) {
		LIST_REMOVE(r, link);
		d->pool_n--;
		return r;
	}
	r = mem_calloc(1, sizeof(*r));
	if (r == NULL)
		return NULL;
	arena_init(&r->arena, REQ_ARENA_MAX);
	strbuf_init(&r->body, 0);
	return r;
}

static struct http_req *
req_free(struct http_req *r)
{
	arena_fini(&r->arena);
	strbuf_fini(&r->body);
	mem_free(r);
	return NULL;
}

void
req_put_back(struct httpd *d, struct http_req *r)
{
	if (d->pool_n >= REQ_POOL_MAX) {
		(void)req_free(r);
		return;
	}
	LIST_INSERT_HEAD(&d->pool, r, link);
	d->pool_n++;
}

void
req_end(struct httpd *d, struct http_req *r)
{
	LIST_REMOVE(r, link);
	r->conn = NULL;
	if (r->arena.used > REQ_KEEP_MAX)
		arena_fini(&r->arena);
	else
		arena_reset(&r->arena);
	if (r->body.cap > REQ_KEEP_MAX)
		strbuf_fini(&r->body);
	else
		strbuf_reset(&r->body);
	req_put_back(d, r);
}

void
req_pool_free(struct httpd *d)
{
	struct http_req *r;

	while ((r = LIST_FIRST(&d->pool)) != NULL) {
		LIST_REMOVE(r, link);
		(void)req_free(r);
	}
	d->pool_n = 0;
}

static struct http1_span
moved(struct http1_span s, const char *from, char *to, bool end)
{
	size_t at = (size_t)(s.p - from);

	if (end)
		to[at + s.len] = '\0';
	return (struct http1_span){ to + at, s.len };
}

static bool
copy_head(struct http_req *r, const char *text)
{
	struct http1_head *h = &r->head;
	char *p = arena_alloc(&r->arena, h->len);
	size_t i;

	if (p == NULL)
		return false;
	memcpy(p, text, h->len);
	h->method = moved(h->method, text, p, true);
	h->target = moved(h->target, text, p, true);
	h->path = moved(h->path, text, p, false);
	h->query = moved(h->query, text, p, false);
	for (i = 0; i < h->headers_n; i++) {
		h->headers[i].name = moved(h->headers[i].name, text, p, true);
		h->headers[i].value = moved(h->headers[i].value, text, p, true);
	}
	r->method = h->method.p;
	r->path = h->path.p;
	if (h->path.len < h->target.len)
		r->path = arena_strndup(&r->arena, h->path.p, h->path.len);
	return r->path != NULL;
}

static bool
is_request_id(struct http1_span s)
{
	size_t i;
	char c;

	if (s.len == 0 || s.len > REQUEST_ID_MAX)
		return false;
	for (i = 0; i < s.len; i++) {
		c = s.p[i];
		if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
			(c >= '0' && c <= '9') || c == '.' || c == '_' ||
			c == '-'))
			return false;
	}
	return true;
}

/* "PREFIX-ID": random per server, then counted, in hexadecimal. */
static void
make_request_id(struct http_req *r)
{
	const char *prefix = r->conn->d->id_prefix;
	size_t n = strlen(prefix), digits = 1;
	uint64_t v;

	for (v = r->id.v; v > 15; v >>= 4)
		digits++;
	memcpy(r->request_id, prefix, n);
	r->request_id[n++] = '-';
	r->request_id[n + digits] = '\0';
	for (v = r->id.v; digits > 0; v >>= 4)
		r->request_id[n + --digits] = "0123456789abcdef"[v & 15];
}

static void
set_request_id(struct http_req *r)
{
	const struct http1_header *f;

	f = http1_find(&r->head, "X-Request-Id", 0);
	if (f != NULL && is_request_id(f->value) &&
	    http1_find(&r->head, "X-Request-Id", 1) == NULL)
		memcpy(r->request_id, f->value.p, f->value.len + 1);
	else
		make_request_id(r);
}

bool
req_begin(struct http_req *r, struct conn *c, const char *text)
{
	struct httpd *d = c->d;

	r->method = r->path = "";
	r->ctx = NULL;
	r->whole = r->shown = r->held = r->streamed = false;
	r->body_max = 0;
	r->start_ms = d->now_ms;
	if (text == NULL) {
		r->head = (struct http1_head){ 0 };
		r->whole = true;
	} else if (!copy_head(r, text)) {
		arena_reset(&r->arena);
		return false;
	}
	r->conn = c;
	r->id.v = ++d->last_id;
	set_request_id(r);
	LIST_INSERT_HEAD(&d->requests[r->id.v % REQ_BUCKETS], r, link);
	return true;
}

struct http_req *
httpd_find(struct httpd *d, struct req_id id)
{
	struct http_req *r;

	LIST_FOREACH (r, &d->requests[id.v % REQ_BUCKETS], link)
		if (r->id.v == id.v)
			return r;
	return NULL;
}

struct req_id
http_req_id(const struct http_req *r)
{
	return r->id;
}

const struct http1_head *
http_req_head(const struct http_req *r)
{
	return &r->head;
}

const char *
http_req_path(const struct http_req *r)
{
	return r->path;
}

const char *
http_req_method(const struct http_req *r)
{
	return r->method;
}

const char *
http_req_header(const struct http_req *r, const char *name)
{
	const struct http1_header *f = http1_find(&r->head, name, 0);

	return f != NULL ? f->value.p : NULL;
}

const char *
http_req_peer(const struct http_req *r)
{
	return r->conn->from;
}

const char *
http_req_request_id(const struct http_req *r)
{
	return r->request_id;
}

struct arena *
http_req_arena(struct http_req *r)
{
	return &r->arena;
}

void *
http_req_handler_ctx(const struct http_req *r)
{
	return r->conn->d->handler.ctx;
}

bool
http_req_is_stream(const struct http_req *r)
{
	return r->streamed;
}

void
http_req_set_ctx(struct http_req *r, void *ctx)
{
	r->ctx = ctx;
}

void *
http_req_ctx(const struct http_req *r)
{
	return r->ctx;
}

void
httpd_accept_body(struct http_req *r, size_t max)
{
	r->body_max = max;
}

void
httpd_hold(struct http_req *r)
{
	r->held = true;
}

struct http1_span
http_req_body(const struct http_req *r)
{
	return (struct http1_span){ r->body.buf, r->body.len };
}

static void
add_number(struct strbuf *b, size_t v)
{
	char buf[24];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	strbuf_add(b, buf + at, sizeof(buf) - at);
}

void
req_write_head(struct httpd *d, const struct http_reply *reply,
    enum req_framing framing, bool close)
{
	struct strbuf *b = &d->out;
	size_t i;

	strbuf_reset(b);
	http1_write_status(b, reply->status);
	if (reply->content_type != NULL)
		http1_write_header(b, "Content-Type", reply->content_type);
	for (i = 0; i < reply->headers_n; i++)
		http1_write_header(
		    b, reply->headers[i].name, reply->headers[i].value);
	if (framing == FRAMING_CHUNKS) {
		strbuf_adds(b, "Transfer-Encoding: chunked\r\n");
	} else if (framing == FRAMING_LENGTH && reply->status != 204 &&
	    reply->status != 304) {
		strbuf_adds(b, "Content-Length: ");
		add_number(b, reply->body_len);
		strbuf_add(b, "\r\n", 2);
	}
	if (close)
		strbuf_adds(b, "Connection: close\r\n");
	strbuf_add(b, "\r\n", 2);
}
