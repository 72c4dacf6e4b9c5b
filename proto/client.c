/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The API client over httpc. It owns nothing but a small record per call, on a
 * list so that client_free() can drop them; the reply's tree lies in an arena
 * of that record and goes with it when the callback returns. Limits on how many
 * calls run at the same time are httpc's.
 *
 * The header is called "Authentication" (rest-api.md 2.1); HEAD must be 200 or
 * 404, DELETE 204, any other method any 2xx with a JSON object.
 */
#include "proto/client.h"

#include <sys/queue.h>

#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"

#define URL_MAX ((size_t)64 * 1024)
#define BODY_MAX ((size_t)64 * 1024 * 1024)
#define REPLY_MAX ((size_t)64 * 1024 * 1024)
#define REPLY_ARENA_MAX ((size_t)512 * 1024 * 1024)
#define TEXT_MAX 1024
#define STREAMS_MAX 64

struct call {
	TAILQ_ENTRY(call) link;
	struct client *client;
	struct call_id id;
	struct client_id user_id;
	client_done_fn *done;
	void *ctx;
	struct arena arena;
	/* In arena. */
	const char *method;
	const char *url;
	/* For the trace; NULL: none, or nobody wants it. */
	const struct node *sent;
	/* Ends a call that could not begin. */
	struct defer refuse;
	/* begun is NULL unless it is a stream. */
	struct client_stream stream;
	bool in_pieces;
	struct httpc_failure refused;
};

struct client {
	struct loop *loop;
	struct httpc *httpc;
	TAILQ_HEAD(, call) calls;
	uint64_t last_id;
	client_trace_fn *trace;
	void *trace_ctx;
};

int
client_new(struct client **ret, struct loop *l, unsigned parallel,
    const char *user_agent, struct error *e)
{
	struct client *c AUTO(client) = mem_calloc(1, sizeof(*c));
	struct httpc_config config = { .user_agent = user_agent,
		.max_calls = parallel,
		.max_per_host = parallel,
		.max_streams = STREAMS_MAX };

	if (c == NULL)
		return error_nomem(e);
	TAILQ_INIT(&c->calls);
	c->loop = l;
	if (httpc_new(&c->httpc, l, &config, e) < 0)
		return -1;
	*ret = STEAL(c);
	return 0;
}

void
client_set_trace(struct client *c, client_trace_fn *fn, void *ctx)
{
	c->trace = fn;
	c->trace_ctx = ctx;
}

static void
call_free(struct call *k)
{
	TAILQ_REMOVE(&k->client->calls, k, link);
	defer_cancel(&k->refuse);
	arena_fini(&k->arena);
	mem_free(k);
}

void
client_cancel_all(struct client *c)
{
	struct call *k;

	while ((k = TAILQ_FIRST(&c->calls)) != NULL) {
		httpc_cancel(c->httpc, k->id);
		call_free(k);
	}
}

void
client_cancel(struct client *c, struct client_id id)
{
	struct call *k;

	TAILQ_FOREACH (k, &c->calls, link)
		if (id.v != 0 && k->user_id.v == id.v)
			break;
	if (k == NULL)
		return;
	httpc_cancel(c->httpc, k->id);
	call_free(k);
}

struct client *
client_free(struct client *c)
{
	if (c == NULL)
		return NULL;
	client_cancel_all(c);
	c->httpc = httpc_free(c->httpc);
	mem_free(c);
	return NULL;
}

static const char *
status_phrase(int status)
{
	static const struct {
		int status;
		const char *text;
	} phrases[] = { { 400, "Bad Request" }, { 401, "Unauthorized" },
		{ 403, "Forbidden" }, { 404, "Not Found" },
		{ 405, "Method Not Allowed" }, { 409, "Conflict" },
		{ 413, "Payload Too Large" }, { 429, "Too Many Requests" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
		{ 502, "Bad Gateway" }, { 503, "Service Unavailable" },
		{ 504, "Gateway Timeout" }, { 507, "Insufficient Storage" } };

	for (size_t i = 0; i < ARRAY_LEN(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "unexpected status";
}

static enum client_class
class_of(const char *method, int status)
{
	if (status == 404)
		return CLIENT_NOTFOUND;
	if (status == 401 || status == 403)
		return CLIENT_DENIED;
	if (status >= 400 && status < 500)
		return CLIENT_REFUSED;
	if (status >= 500)
		return CLIENT_UNAVAILABLE;
	if (strcmp(method, "HEAD") == 0)
		return status == 200 ? CLIENT_OK : CLIENT_GARBLED;
	if (strcmp(method, "DELETE") == 0)
		return status >= 200 && status < 300 ? CLIENT_OK
						     : CLIENT_GARBLED;
	return status >= 200 && status < 300 ? CLIENT_OK : CLIENT_GARBLED;
}

/* A server's message goes into a line of ours: no full stop, no line ends, and
 * not what the original's library has to say about every status. */
static const char *
trim_message(struct arena *a, const char *text)
{
	const char *more = strstr(text, "\nFor more information check: ");
	size_t len = strnlen(text, TEXT_MAX);

	if (more != NULL && (size_t)(more - text) < len)
		len = (size_t)(more - text);
	while (len > 0 && strchr(" \t\r\n.", text[len - 1]) != NULL)
		len--;
	return arena_strndup(a, text, len);
}

static void
read_body(struct call *k, const struct httpc_reply *h, struct client_reply *r)
{
	struct error e = ERROR_INIT;
	struct node *n = NULL;
	bool wanted = r->class == CLIENT_OK && !k->in_pieces &&
	    strcmp(k->method, "HEAD") != 0 && strcmp(k->method, "DELETE") != 0;

	if (strcmp(k->method, "HEAD") == 0 || (h->body_len == 0 && !wanted))
		return;
	if (json_read(h->body, h->body_len, &k->arena, &n, &e) < 0 ||
	    n == NULL || n->type != NODE_MAP) {
		if (!wanted)
			return;
		r->class = CLIENT_GARBLED;
		r->text =
		    arena_printf(&k->arena, "the reply is not understood: %s",
			n == NULL ? error_text(&e) : "not a JSON object");
		return;
	}
	r->body = n;
}

/* Of the server that refused: those above it only name the request that it
 * refused, and pass its answer on. */
static const char *
message_of(const struct node *body)
{
	const char *message = NULL, *text;

	for (; body != NULL; body = node_get(body, "remote")) {
		text = node_text(node_get(body, "message"));
		if (text != NULL && text[0] != '\0')
			message = text;
	}
	return message;
}

static void
explain(struct call *k, struct client_reply *r)
{
	const char *message = message_of(r->body);

	if (r->class == CLIENT_OK || r->text[0] != '\0')
		return;
	if (message != NULL)
		message = trim_message(&k->arena, message);
	if (message == NULL || message[0] == '\0')
		message = status_phrase(r->status);
	r->text = arena_printf(&k->arena, "%d: %s", r->status, message);
}

static void
on_done(struct call_id id, const struct httpc_reply *h,
    const struct httpc_failure *failed, void *ctx)
{
	struct call *k = ctx;
	struct client_reply r = { .class = CLIENT_UNAVAILABLE, .text = "" };

	(void)id;
	if (k->method == NULL || k->url == NULL) {
		k->method = "GET";
		k->url = "";
	}
	if (failed != NULL) {
		r.text = error_text(&failed->error);
		if (failed->error.code == OVE_LIMIT)
			r.class = CLIENT_GARBLED;
	} else {
		r.status = h->status;
		r.took_ms = h->took_ms;
		r.class = class_of(k->method, h->status);
		read_body(k, h, &r);
		explain(k, &r);
	}
	if (r.text == NULL)
		r.text = "out of memory";
	if (k->client->trace != NULL)
		k->client->trace(
		    k->method, k->url, k->sent, &r, k->client->trace_ctx);
	k->done(&r, k->ctx);
	call_free(k);
}

static bool
on_stream_head(struct call_id id, const struct httpc_reply *h, void *ctx)
{
	struct call *k = ctx;

	(void)id;
	k->in_pieces = class_of(k->method, h->status) == CLIENT_OK;
	if (!k->in_pieces)
		return false;
	/* It may be gone after this. */
	k->stream.begun(k->ctx);
	return true;
}

static void
on_stream_piece(struct call_id id, const char *p, size_t len, void *ctx)
{
	struct call *k = ctx;

	(void)id;
	k->stream.piece(p, len, k->ctx);
}

static int
add_url(struct strbuf *b, const struct client_call *call, struct error *e)
{
	size_t len = strlen(call->server->url);

	while (len > 0 && call->server->url[len - 1] == '/')
		len--;
	strbuf_add(b, call->server->url, len);
	route_build(b, call->route, call->chain, call->params, call->params_n);
	if (call->query != NULL)
		strbuf_addf(b, "?%s", call->query);
	return strbuf_check(b, e);
}

static void
on_refuse(struct defer *d)
{
	struct call *k = container_of(d, struct call, refuse);

	on_done(k->id, NULL, &k->refused, k);
}

static int
start(struct client *c, struct call *k, const struct client_call *call,
    struct error *e)
{
	struct strbuf url AUTO_STRBUF;
	struct strbuf body AUTO_STRBUF;
	const char *headers[5] = { NULL };
	size_t n = 0;

	strbuf_init(&url, URL_MAX);
	strbuf_init(&body, BODY_MAX);
	if (add_url(&url, call, e) < 0)
		return -1;
	headers[n++] = arena_printf(&k->arena, "Authentication: Bearer %s",
	    call->server->token != NULL ? call->server->token : "");
	if (call->idempotency_key != NULL)
		headers[n++] = arena_printf(
		    &k->arena, "Idempotency-Key: %s", call->idempotency_key);
	if (call->last_event_id != NULL)
		headers[n++] = arena_printf(
		    &k->arena, "Last-Event-ID: %s", call->last_event_id);
	if (call->body != NULL) {
		json_write(&body, call->body, JSON_PYTHON);
		headers[n++] = "Content-Type: application/json";
		if (strbuf_check(&body, e) < 0)
			return -1;
	}
	k->method = routes[call->route].method;
	k->url = arena_strdup(&k->arena, url.buf);
	if (c->trace != NULL && call->body != NULL)
		k->sent = node_copy(&k->arena, call->body);
	if (arena_check(&k->arena, e) < 0)
		return -1;
	struct httpc_request rq = {
		.method = k->method,
		.url = k->url,
		.headers = headers,
		.body = call->body != NULL ? body.buf : NULL,
		.body_len = body.len,
		.connect_ms =
		    call->server->connect_ms > 0 ? call->server->connect_ms : 0,
		.read_ms =
		    call->server->read_ms > 0 ? call->server->read_ms : 0,
		.total_ms =
		    call->server->total_ms > 0 ? call->server->total_ms : 0,
		.cacert = call->server->cacert,
		.direct = call->server->direct,
		.socket = call->server->socket,
		.reply_max = REPLY_MAX,
	};
	struct httpc_stream stream = { .head = on_stream_head,
		.piece = on_stream_piece,
		.done = on_done,
		.idle_ms = k->stream.idle_ms };
	if (k->stream.begun != NULL)
		return httpc_stream(c->httpc, &rq, &stream, k, &k->id, e);
	return httpc_call(c->httpc, &rq, on_done, k, &k->id, e);
}

static int
begin(struct client *c, const struct client_call *call,
    const struct client_stream *stream, client_done_fn *done, void *ctx,
    struct client_id *ret, struct error *e)
{
	struct call *k = mem_calloc(1, sizeof(*k));

	if (k == NULL)
		return error_nomem(e);
	k->client = c;
	k->done = done;
	k->ctx = ctx;
	if (stream != NULL)
		k->stream = *stream;
	ret->v = k->user_id.v = ++c->last_id;
	arena_init(&k->arena, REPLY_ARENA_MAX);
	defer_init(&k->refuse, on_refuse, "call refused");
	TAILQ_INSERT_TAIL(&c->calls, k, link);
	if (start(c, k, call, &k->refused.error) == 0)
		return 0;
	if (k->refused.error.code == OVE_NOMEM) {
		call_free(k);
		return error_nomem(e);
	}
	/* A URL that is none, and the like: an answer like any other. */
	loop_defer(c->loop, &k->refuse);
	return 0;
}

int
client_call(struct client *c, const struct client_call *call,
    client_done_fn *done, void *ctx, struct error *e)
{
	struct client_id id;

	return begin(c, call, NULL, done, ctx, &id, e);
}

int
client_stream(struct client *c, const struct client_call *call,
    const struct client_stream *s, void *ctx, struct client_id *ret,
    struct error *e)
{
	return begin(c, call, s, s->done, ctx, ret, e);
}

int
client_get_strs(const struct node *body, const char *key, struct arena *a,
    struct client_strs *ret, struct error *e)
{
	const struct node *list = node_get(body, key);

	memset(ret, 0, sizeof(*ret));
	if (list == NULL || list->type == NODE_NULL)
		return 0;
	if (list->type != NODE_LIST)
		return error_set(e, OVE_UPSTREAM,
		    "the reply is not understood: '%s' is not a list", key);
	ret->items = arena_calloc(a, list->u.list.n + 1, sizeof(*ret->items));
	for (size_t i = 0; ret->items != NULL && i < list->u.list.n; i++) {
		const char *s = node_text(list->u.list.items[i]);

		if (s == NULL)
			return error_set(e, OVE_UPSTREAM,
			    "the reply is not understood: '%s' holds %s", key,
			    node_type_article(list->u.list.items[i]));
		ret->items[ret->n++] = arena_strdup(a, s);
	}
	return arena_check(a, e);
}

int
client_get_job_id(const struct node *body, int64_t *ret, struct error *e)
{
	const struct node *n = node_get(body, "job_id");

	if (n == NULL || n->type != NODE_INT || n->big || n->u.i <= 0)
		return error_set(e, OVE_UPSTREAM,
		    "the reply is not understood: it has no job id");
	*ret = n->u.i;
	return 0;
}

const char *
client_get_entry(const struct node *body)
{
	const char *text = node_text(node_get(body, "metadata"));

	return text != NULL ? text : node_text(node_get(body, "value"));
}
