/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The way of a request (rest-api.md 1.2): path, method token, percent-decoding,
 * OPTIONS, token, method of the path, body, arguments, handler. Token and route
 * are judged when the head is read, so nobody without a token makes us read a
 * body.
 */
#include "daemon/api.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/api_internal.h"
#include "daemon/metrics.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/net/gzip.h"
#include "proto/openapi.h"
#include "proto/status.h"

#define REPLY_MAX ((size_t)256 << 20)
/* Of a body with metadata: bytes a character, and what is around them. */
#define METADATA_CHAR ((size_t)12)
#define METADATA_MORE ((size_t)65536)
#define JSON_TYPE "application/json"
/* Bodies that are worth compressing, and those that would hold the loop for
 * more than some milliseconds. */
#define GZIP_MIN ((size_t)1024)
#define GZIP_MAX ((size_t)1 << 20)

typedef void handler_fn(struct api_call *c);

static handler_fn *const handlers[ROUTE_COUNT] = {
#define ROUTE(id, handler, method, path, scope, doc)                           \
  [ROUTE_##id] = api_##handler,
#include "proto/routes.def"
#undef ROUTE
};

/* The last one only while replies may be compressed. */
static const struct http_reply_header common_headers[] = {
	{ "Access-Control-Allow-Origin", "*" },
	{ "Access-Control-Allow-Headers", "*, Authorization" },
	{ "Vary", "Accept-Encoding" },
};

/* Replies */

static size_t
common_headers_n(const struct api *api)
{
	return ARRAY_LEN(common_headers) - (api->config.compress ? 0 : 1);
}

/* Copies them to h, which has room for more; how many there are. */
static size_t
add_common_headers(const struct http_req *req, struct http_reply_header *h)
{
	memcpy(h, common_headers, sizeof(common_headers));
	return common_headers_n(http_req_handler_ctx(req));
}

static bool
is_head(const struct http_req *req)
{
	return strcmp(http_req_method(req), "HEAD") == 0;
}

/* FNV-1a, 64 bits: only tells one body from another. */
static uint64_t
hash_of(const char *p, size_t len)
{
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	return h;
}

struct tag {
	char text[24];
};

static struct tag
tag_of(const char *body, size_t len)
{
	struct tag t;

	(void)snprintf(t.text, sizeof(t.text), "\"%016llx\"",
	    (unsigned long long)hash_of(body, len));
	return t;
}

/* Whether the client has this body already: one of its tags is ours. Ours hold
 * nothing that could stand within another one. */
static bool
is_known(struct http_req *req, const struct tag *t)
{
	const char *match = http_req_header(req, "If-None-Match");

	return match != NULL &&
	    (strcmp(match, "*") == 0 || strstr(match, t->text) != NULL);
}

static bool
takes_gzip(const struct http_req *req)
{
	const struct http1_head *head = http_req_head(req);
	const struct http1_header *f;

	for (size_t i = 0; (f = http1_find(head, "Accept-Encoding", i)) != NULL;
	     i++)
		if (gzip_is_accepted(f->value.p))
			return true;
	return false;
}

/* Makes the body go out compressed where that is wanted and helps; packed must
 * live until it is sent. Without memory it goes as it is. */
static void
pack_body(const struct http_req *req, struct http_reply *reply,
    struct http_reply_header *ret_header, struct strbuf *packed)
{
	const struct api *api = http_req_handler_ctx(req);

	if (!api->config.compress || reply->body_len < GZIP_MIN ||
	    reply->body_len > GZIP_MAX || !takes_gzip(req) ||
	    gzip_pack(reply->body, reply->body_len, packed, NULL) == -1 ||
	    packed->len >= reply->body_len)
		return;
	*ret_header = (struct http_reply_header){ "Content-Encoding", "gzip" };
	reply->headers_n++;
	reply->body = packed->buf;
	reply->body_len = packed->len;
}

static void
send_body(struct http_req *req, int status, const char *content_type,
    const char *body, size_t len, const struct http_reply_header *more)
{
	AUTO_STRBUF struct strbuf packed;
	struct http_reply_header h[ARRAY_LEN(common_headers) + 4];
	struct http_reply reply = {
		.status = status,
		.headers = h,
		.headers_n = add_common_headers(req, h),
		.content_type = content_type,
		.body = body,
		.body_len = len,
		.head_only = is_head(req),
	};
	struct tag tag;

	strbuf_init(&packed, 2 * GZIP_MAX);
	h[reply.headers_n++] = (struct http_reply_header){ "X-Request-Id",
		http_req_request_id(req) };
	if (more != NULL)
		h[reply.headers_n++] = *more;
	if (status == 200 && strcmp(http_req_method(req), "GET") == 0) {
		tag = tag_of(body, len);
		h[reply.headers_n++] =
		    (struct http_reply_header){ "Etag", tag.text };
		if (is_known(req, &tag)) {
			reply.status = 304;
			reply.content_type = NULL;
			reply.body_len = 0;
		}
	}
	pack_body(req, &reply, &h[reply.headers_n], &packed);
	http_req_reply(req, &reply);
}

static void
send_envelope(struct http_req *req, int status, const struct node *map,
    const struct http_reply_header *more)
{
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, REPLY_MAX);
	strbuf_addf(&text, "{\"status_code\":%d", status);
	for (size_t i = 0; map != NULL && i < map->u.map.n; i++) {
		const struct node_pair *p = &map->u.map.pairs[i];

		strbuf_addc(&text, ',');
		json_write_str(&text, p->key->u.str.s, p->key->u.str.len);
		strbuf_addc(&text, ':');
		json_write(&text, p->value, JSON_COMPACT);
	}
	strbuf_addc(&text, '}');
	if (strbuf_check(&text, NULL) < 0) {
		static const char full[] =
		    "{\"status_code\":503,\"message\":\"out of memory\"}";

		send_body(req, 503, JSON_TYPE, full, sizeof(full) - 1, NULL);
		return;
	}
	send_body(req, status, JSON_TYPE, text.buf, text.len, more);
}

void
api_reply_body(
    struct api_call *c, const char *content_type, const char *body, size_t len)
{
	send_body(c->req, 200, content_type, body, len, NULL);
}

void
api_reply_map(
    struct api *api, struct http_req *req, int status, const struct node *map)
{
	(void)api;
	send_envelope(req, status, map, NULL);
}

void
api_reply(struct api *api, struct http_req *req, int status, const char *member,
    const struct node *value)
{
	struct arena *a = http_req_arena(req);
	struct node *map = node_new(a, NODE_MAP);
	struct error e = ERROR_INIT;

	if (value != NULL) {
		/* The tree is only read. */
		union {
			const struct node *in;
			struct node *out;
		} v = { .in = value };

		node_set(a, map, member, v.out);
	}
	if (arena_check(a, &e) < 0) {
		api_reply_error(api, req, &e);
		return;
	}
	send_envelope(req, status, map, NULL);
}

/* detail: what the contract's fixed message does not say, or NULL. */
static void
reply_detail(struct http_req *req, int status, const char *text,
    const char *detail, const struct http_reply_header *more)
{
	AUTO_STRBUF struct strbuf body;

	strbuf_init(&body, 16384);
	strbuf_addf(&body, "{\"status_code\":%d,\"message\":", status);
	json_write_str(&body, text, strlen(text));
	if (detail != NULL) {
		strbuf_adds(&body, ",\"detail\":");
		json_write_str(&body, detail, strlen(detail));
	}
	strbuf_addc(&body, '}');
	send_body(req, status, JSON_TYPE, body.buf, body.len, more);
}

static void
reply_text(struct http_req *req, int status, const char *text,
    const struct http_reply_header *more)
{
	reply_detail(req, status, text, NULL, more);
}

void
api_reply_message(
    struct api *api, struct http_req *req, int status, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	(void)api;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	reply_text(req, status, text, NULL);
}

void
api_reply_error(struct api *api, struct http_req *req, const struct error *e)
{
	static const struct http_reply_header soon = { "Retry-After", "1" };
	int status = status_http(e->code);

	(void)api;
	/* What the system denies us has nothing to do with the token. */
	if (status == 401)
		status = 500;
	if (status >= 500)
		log_warn("api", FIELDS(LF_S("req", http_req_request_id(req))),
		    "%s", e->text);
	if (status == 507) {
		char text[sizeof(e->text) + 64];

		(void)snprintf(text, sizeof(text),
		    "No room to store the change: %s", e->text);
		reply_text(req, status, text, NULL);
		return;
	}
	reply_text(req, status,
	    status == 500 ? "Internal Server Error" : e->text,
	    status == 429 ? &soon : NULL);
}

void
api_reply_empty(struct http_req *req)
{
	struct http_reply_header h[ARRAY_LEN(common_headers) + 1];
	struct http_reply reply = {
		.status = 204,
		.headers = h,
		.headers_n = add_common_headers(req, h),
	};

	h[reply.headers_n++] = (struct http_reply_header){ "X-Request-Id",
		http_req_request_id(req) };
	http_req_reply(req, &reply);
}

void
api_reply_head(struct http_req *req, int status)
{
	const struct tag tag = tag_of("", 0);
	struct http_reply_header h[ARRAY_LEN(common_headers) + 1];
	struct http_reply reply = {
		.status = status,
		.headers = h,
		.headers_n = add_common_headers(req, h),
		.content_type = JSON_TYPE,
		.head_only = true,
	};

	if (status == 200)
		h[reply.headers_n++] =
		    (struct http_reply_header){ "Etag", tag.text };
	http_req_reply(req, &reply);
}

bool
api_stream_start(struct api_call *c, const char *content_type,
    const struct api_stream *stream, void *state)
{
	struct http_reply_header h[ARRAY_LEN(common_headers) + 2];
	struct http_reply reply = {
		.status = 200,
		.headers = h,
		.headers_n = add_common_headers(c->req, h),
		.content_type = content_type,
		.head_only = is_head(c->req),
	};

	h[reply.headers_n++] = (struct http_reply_header){ "X-Request-Id",
		http_req_request_id(c->req) };
	h[reply.headers_n++] =
	    (struct http_reply_header){ "Cache-Control", "no-store" };
	if (!http_req_stream_start(c->req, &reply))
		return false;
	c->stream = stream;
	c->streamed = true;
	c->state = state;
	return true;
}

void
api_stream_end(struct api_call *c)
{
	c->stream = NULL;
	http_req_stream_end(c->req);
}

const char *
api_by(const struct api_call *c)
{
	return arena_printf(
	    c->arena, "%s@%s", c->token.id, http_req_peer(c->req));
}

/* Tokens */

static void
unauthorized(struct http_req *req, int status, const char *text)
{
	static const struct http_reply_header bearer = { "WWW-Authenticate",
		"Bearer" };

	reply_text(req, status, text, status == 401 ? &bearer : NULL);
}

/* The value of the header that decides, or NULL after an answer. */
static const struct http1_header *
auth_header(struct http_req *req, const char **ret_name)
{
	const struct http1_head *h = http_req_head(req);
	const struct http1_header *v;

	*ret_name = "Authentication";
	v = http1_find(h, *ret_name, 0);
	if (v == NULL) {
		*ret_name = "Authorization";
		v = http1_find(h, *ret_name, 0);
	}
	if (v == NULL)
		unauthorized(req, 401,
		    "'Authentication' header is required but hasn't been "
		    "specified.");
	else if (http1_find(h, *ret_name, 1) != NULL) {
		unauthorized(req, 401, "Error while decoding the JWT.");
		v = NULL;
	}
	return v;
}

/* A copy that lives as long as the request; false after an answer. */
static bool
keep_projects(struct api_call *c)
{
	struct error e = ERROR_INIT;
	char *copy;

	if (c->token.projects == NULL)
		return true;
	copy = arena_alloc(c->arena, c->token.projects_len);
	if (copy == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return false;
	}
	memcpy(copy, c->token.projects, c->token.projects_len);
	c->token.projects = copy;
	return true;
}

/* False after an answer. */
static bool
authenticate(struct api_call *c)
{
	const struct http1_header *v;
	const char *name, *space;
	struct error e = ERROR_INIT;
	struct http1_span s;

	if ((v = auth_header(c->req, &name)) == NULL)
		return false;
	s = v->value;
	space = memchr(s.p, ' ', s.len);
	if (space == NULL) {
		char text[80];

		(void)snprintf(text, sizeof(text),
		    "'%s' header is invalid for this entrypoint.", name);
		unauthorized(c->req, 400, text);
		return false;
	}
	if (space - s.p != 6 || strncasecmp(s.p, "Bearer", 6) != 0) {
		unauthorized(c->req, 400,
		    "Authentication scheme is invalid for this entrypoint.");
		return false;
	}
	if (token_verify(c->api->config.key, space + 1,
		s.len - (size_t)(space + 1 - s.p), clock_wall_ms(), &c->token,
		&e) == 0) {
		if (!revoked_has(c->api->revoked, c->token.id))
			return keep_projects(c);
		(void)error_set(
		    &e, OVE_DENIED, "token '%s' is revoked", c->token.id);
	}
	if (e.code == OVE_NOMEM) {
		api_reply_error(c->api, c->req, &e);
		return false;
	}
	log_debug("api",
	    FIELDS(LF_S("req", http_req_request_id(c->req)),
		LF_S("peer", http_req_peer(c->req))),
	    "token refused: %s", e.text);
	unauthorized(c->req, 401, "Error while decoding the JWT.");
	return false;
}

/* Heads */

static bool
is_method(const char *m)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "DELETE",
		"PATCH", "PUT", "OPTIONS" };

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcmp(known[i], m) == 0)
			return true;
	return false;
}

static void
reply_options(struct http_req *req)
{
	struct http_reply_header h[ARRAY_LEN(common_headers) + 1];
	struct http_reply reply = {
		.status = 200,
		.headers = h,
		.headers_n = add_common_headers(req, h),
		.content_type = JSON_TYPE,
	};

	h[reply.headers_n++] =
	    (struct http_reply_header){ "Access-Control-Allow-Methods",
		    "POST, GET, PUT, DELETE, OPTIONS, HEAD" };
	http_req_reply(req, &reply);
}

static void
reply_not_allowed(struct http_req *req, const char *allow)
{
	const struct http_reply_header h = { "Allow",
		allow != NULL ? allow : "" };

	reply_text(req, 405, "Method Not Allowed", &h);
}

static bool
is_root_path(const char *path)
{
	return strcmp(path, "/") == 0 || strcmp(path, "/v1") == 0 ||
	    strcmp(path, "/v1/") == 0;
}

/* A path that is known, with a method that it does not have. */
static void
other_method(struct api_call *c, const struct route_match *m)
{
	const char *method = http_req_method(c->req);
	const char *path = http_req_path(c->req);

	if (!is_method(method))
		reply_not_allowed(c->req, m->allow);
	else if (strcmp(method, "OPTIONS") == 0 && is_root_path(path))
		api_root(c);
	else if (strcmp(method, "OPTIONS") == 0)
		reply_options(c->req);
	else if (is_root_path(path) || authenticate(c))
		reply_not_allowed(c->req, m->allow);
}

static void
take_match(struct api_call *c, const struct route_match *m)
{
	const char *const *params = m->params;
	size_t n = ARRAY_LEN(c->params);

	if (m->row->id >= ROUTE_COUNT) {
		c->twin = &twins[m->row->id - ROUTE_COUNT];
		c->route = c->twin->id;
		/* The chain is the first word. */
		c->chain = *params++;
		n--;
	} else {
		c->route = (enum route_id)m->row->id;
	}
	memcpy(c->params, params, n * sizeof(*params));
}

static bool
route(struct api_call *c)
{
	const char *path = http_req_path(c->req);
	struct route_match m = { 0 };
	struct error e = ERROR_INIT;

	switch (router_match(c->api->router, http_req_method(c->req), path,
	    strlen(path), c->arena, &m, &e)) {
	case 0:
		take_match(c, &m);
		return true;
	case ROUTER_NO_PATH:
		reply_text(c->req, 404, "Not Found", NULL);
		return false;
	case ROUTER_NO_METHOD:
		other_method(c, &m);
		return false;
	case ROUTER_BAD_ENCODING:
		reply_text(c->req, 400, "Bad Request", NULL);
		return false;
	default:
		api_reply_error(c->api, c->req, &e);
		return false;
	}
}

/* Whether the request has been here before: servers that list each other. */
static bool
is_loop(const struct api_call *c)
{
	const char *via = http_req_header(c->req, "X-Overlord-Via");
	const char *id = c->api->config.serverid;
	size_t len = id != NULL ? strlen(id) : 0, n;

	while (len > 0 && via != NULL && *via != '\0') {
		via += strspn(via, ", ");
		n = strcspn(via, ", ");
		if (n == len && memcmp(via, id, n) == 0)
			return true;
		via += n;
	}
	return false;
}

/* Bodies come as they are: nobody's few bytes may become many here. */
static bool
is_encoded(const struct http_req *req)
{
	const struct http1_head *h = http_req_head(req);
	const struct http1_header *f = http1_find(h, "Content-Encoding", 0);

	return h->body != HTTP1_BODY_NONE && f != NULL &&
	    (strcasecmp(f->value.p, "identity") != 0 ||
		http1_find(h, "Content-Encoding", 1) != NULL);
}

/* A character of metadata may come as two escapes of six bytes. */
static size_t
body_max(const struct api *api, enum route_id route)
{
	size_t own = api->config.body_bytes, wanted;

	if (route != ROUTE_METADATA_POST && route != ROUTE_METADATA_PUT)
		return own;
	wanted = METADATA_CHAR * api->config.metadata_size + METADATA_MORE;
	return wanted > own ? wanted : own;
}

static void
on_head(struct http_req *req, void *ctx)
{
	struct api *api = ctx;
	struct arena *a = http_req_arena(req);
	struct api_call *c = arena_alloc(a, sizeof(*c));

	if (c == NULL) {
		reply_text(req, 503, "out of memory", NULL);
		return;
	}
	c->api = api;
	c->req = req;
	c->arena = a;
	if (!route(c))
		return;
	http_req_set_ctx(req, c);
	if (routes[c->route].scope == SCOPE_NONE) {
		handlers[c->route](c);
		return;
	}
	if (!authenticate(c) || !api_may(c))
		return;
	if (is_loop(c)) {
		reply_text(req, 508,
		    "The chain leads back to a server that it has passed.",
		    NULL);
		return;
	}
	if (is_encoded(req)) {
		reply_detail(req, 400,
		    "Request has been received with an invalid format.",
		    "a body with a Content-Encoding is not read", NULL);
		return;
	}
	http_req_set_ctx(req, c);
	httpd_accept_body(req, body_max(api, c->route));
}

/* Bodies */

/* False after an answer. */
static bool
read_body(struct api_call *c)
{
	struct http1_span b = http_req_body(c->req);
	struct error e = ERROR_INIT;

	if (b.len == 0)
		return true;
	if (json_read(b.p, b.len, c->arena, &c->body, &e) < 0) {
		if (e.code != OVE_INVALID && e.code != OVE_LIMIT)
			api_reply_error(c->api, c->req, &e);
		else
			reply_detail(c->req, 400,
			    "Request has been received with an invalid format.",
			    e.text, NULL);
		return false;
	}
	if (c->body->type != NODE_MAP) {
		reply_text(c->req, 400,
		    "A dictionary was expected but another value type was "
		    "given.",
		    NULL);
		return false;
	}
	return true;
}

static void
on_request(struct http_req *req, void *ctx)
{
	struct api_call *c = http_req_ctx(req);

	(void)ctx;
	if (!read_body(c))
		return;
	if (c->twin != NULL)
		api_twin(c);
	else if (api_query_check(c))
		handlers[c->route](c);
}

static void
on_gone(struct http_req *req, void *ctx)
{
	struct api *api = ctx;
	struct api_call *c = http_req_ctx(req);

	/* Who else waits for it holds its id only. */
	if (c != NULL && c->forward.v != 0)
		chain_cancel(api->deps.chain, c->forward);
	if (c != NULL && c->lookup.v != 0)
		inventory_cancel(api->deps.inventory, c->lookup);
	if (c != NULL && c->stream != NULL)
		c->stream->gone(c);
}

static void
on_drained(struct http_req *req, void *ctx)
{
	struct api_call *c = http_req_ctx(req);

	(void)ctx;
	if (c != NULL && c->stream != NULL)
		c->stream->drained(c);
}

static void
on_refuse(int status, const char *why, struct strbuf *body, void *ctx)
{
	(void)ctx;
	strbuf_addf(body, "{\"status_code\":%d,\"message\":", status);
	json_write_str(body, why, strlen(why));
	strbuf_addc(body, '}');
}

static void
on_done(const struct http_req *req, int status, size_t body_len,
    int64_t took_ms, void *ctx)
{
	const struct api *api = ctx;
	const struct api_call *c = http_req_ctx(req);
	int row = METRICS_OTHER;

	if (c != NULL && c->twin != NULL)
		row = (int)ROUTE_COUNT + (int)(c->twin - twins);
	else if (c != NULL)
		row = (int)c->route;
	metrics_request(
	    api->deps.metrics, row, status, c != NULL && c->streamed, took_ms);
	api_audit_done(req, status);
	if (!log_enabled(LOG_LEVEL_INFO))
		return;
	log_info("http",
	    FIELDS(LF_S("req", http_req_request_id(req)),
		LF_S("peer", http_req_peer(req)),
		LF_S("method", http_req_method(req)),
		LF_S("path", http_req_path(req)), LF_I("status", status),
		LF_I("bytes", body_len), LF_I("ms", took_ms)),
	    "answered");
}

struct httpd_handler
api_handler(struct api *api)
{
	return (struct httpd_handler){
		.on_head = on_head,
		.on_request = on_request,
		.on_gone = on_gone,
		.on_drained = on_drained,
		.on_refuse = on_refuse,
		.on_done = on_done,
		.ctx = api,
		.refuse_headers = common_headers,
		.refuse_headers_n = common_headers_n(api),
	};
}

void
api_set_server(struct api *api, struct httpd *d)
{
	api->httpd = d;
	if (d != NULL)
		httpd_set_refuse_headers(
		    d, common_headers, common_headers_n(api));
}

void
api_configure(struct api *api, const struct api_config *c)
{
	api->config = *c;
	audit_set_keep(api->audit, c->audit_keep);
	if (api->httpd != NULL)
		httpd_set_refuse_headers(
		    api->httpd, common_headers, common_headers_n(api));
}

/* Life cycle */

static void
run_files(struct work_list *all, void *ctx)
{
	struct work *w;

	(void)ctx;
	TAILQ_FOREACH (w, all, link) {
		struct file_work *f = container_of(w, struct file_work, work);

		f->run(f);
	}
}

void
api_submit(struct api *api, struct file_work *w)
{
	worker_submit(api->files, &w->work);
}

struct http_req *
api_find(const struct api *api, struct req_id id)
{
	return api->httpd != NULL ? httpd_find(api->httpd, id) : NULL;
}

int
api_new(struct api **ret, const struct api_deps *deps,
    const struct api_config *c, struct error *e)
{
	AUTO(api) struct api *api = mem_calloc(1, sizeof(*api));

	if (api == NULL)
		return error_nomem(e);
	api->deps = *deps;
	api->config = *c;
	TAILQ_INIT(&api->puts);
	strbuf_init(&api->openapi, OPENAPI_MAX);
	if (revoked_new(&api->revoked, deps->store, e) < 0 ||
	    audit_new(&api->audit, deps->store, c->audit_keep, e) < 0 ||
	    route_router(&api->router, e) < 0 ||
	    worker_new(&api->files, deps->loop, "files", run_files, NULL, e) <
		0 ||
	    api_listeners_new(api, e) < 0 || api_followers_new(api, e) < 0 ||
	    api_tails_new(api, e) < 0)
		return -1;
	*ret = STEAL(api);
	return 0;
}

struct api *
api_free(struct api *api)
{
	if (api == NULL)
		return NULL;
	api->files = worker_free(api->files);
	api_listeners_free(api);
	api_followers_free(api);
	api_tails_free(api);
	api->router = router_free(api->router);
	api->audit = audit_free(api->audit);
	api->revoked = revoked_free(api->revoked);
	strbuf_fini(&api->openapi);
	mem_free(api);
	return NULL;
}
