/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The way of a request (rest-api.md 1.2): path, method token, percent-decoding,
 * OPTIONS, token, method of the path, body, arguments, handler. Token and route
 * are judged when the head is read, so nobody without a token makes us read a
 * body.
 */
#include "daemon/api.h"

#include <string.h>
#include <strings.h>

#include "daemon/api_internal.h"
#include "daemon/metrics.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "proto/openapi.h"

/* Of a body with metadata: bytes a character, and what is around them. */
#define METADATA_CHAR ((size_t)12)
#define METADATA_MORE ((size_t)65536)

typedef void handler_fn(struct api_call *c);

static handler_fn *const handlers[ROUTE_COUNT] = {
#define ROUTE(id, handler, method, path, scope, doc)                           \
  [ROUTE_##id] = api_##handler,
#include "proto/routes.def"
#undef ROUTE
};

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
	struct http_reply_header h[API_COMMON_HEADERS + 1];
	struct http_reply reply = {
		.status = 200,
		.headers = h,
		.headers_n = api_add_common_headers(req, h),
		.content_type = TYPE_JSON,
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

	api_reply_text(req, 405, "Method Not Allowed", &h);
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
	else if (is_root_path(path) || api_authenticate(c))
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
		api_reply_text(c->req, 404, "Not Found", NULL);
		return false;
	case ROUTER_NO_METHOD:
		other_method(c, &m);
		return false;
	case ROUTER_BAD_ENCODING:
		api_reply_text(c->req, 400, "Bad Request", NULL);
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
		api_reply_text(req, 503, "out of memory", NULL);
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
	if (!api_authenticate(c) || !api_may(c))
		return;
	if (is_loop(c)) {
		api_reply_text(req, 508,
		    "The chain leads back to a server that it has passed.",
		    NULL);
		return;
	}
	if (is_encoded(req)) {
		api_reply_detail(req, 400,
		    "Request has been received with an invalid format.",
		    "a body with a Content-Encoding is not read", NULL);
		return;
	}
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
			api_reply_detail(c->req, 400,
			    "Request has been received with an invalid format.",
			    e.text, NULL);
		return false;
	}
	if (c->body->type != NODE_MAP) {
		api_reply_text(c->req, 400,
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
		api_stream_gone(c);
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
	    api->deps.metrics, row, status, http_req_is_stream(req), took_ms);
	api_audit_done(req, status);
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
	size_t n;
	const struct http_reply_header *h = api_common_headers(api, &n);

	return (struct httpd_handler){
		.on_head = on_head,
		.on_request = on_request,
		.on_gone = on_gone,
		.on_drained = on_drained,
		.on_refuse = on_refuse,
		.on_done = on_done,
		.ctx = api,
		.refuse_headers = h,
		.refuse_headers_n = n,
	};
}

static void
set_refuse_headers(struct api *api)
{
	size_t n;
	const struct http_reply_header *h = api_common_headers(api, &n);

	if (api->httpd != NULL)
		httpd_set_refuse_headers(api->httpd, h, n);
}

void
api_set_server(struct api *api, struct httpd *d)
{
	api->httpd = d;
	set_refuse_headers(api);
}

void
api_configure(struct api *api, const struct api_config *c)
{
	api->config = *c;
	api_wrong_configure(api);
	set_refuse_headers(api);
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
	TAILQ_INIT(&api->held);
	api_askers_init(api);
	strbuf_init(&api->openapi, OPENAPI_MAX);
	if (penalty_new(&api->penalty, &c->penalty, e) < 0 ||
	    revoked_new(&api->revoked, deps->store, e) < 0 ||
	    route_router(&api->router, e) < 0 ||
	    worker_new(&api->files, deps->loop, "files", run_files, NULL, e) <
		0 ||
	    api_streams_new(api, e) < 0 || api_listeners_new(api, e) < 0 ||
	    api_followers_new(api, e) < 0 || api_tails_new(api, e) < 0)
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
	api_wrong_free(api);
	api_askers_free(api);
	api_listeners_free(api);
	api_followers_free(api);
	api_tails_free(api);
	api_streams_free(api);
	api->router = router_free(api->router);
	api->revoked = revoked_free(api->revoked);
	strbuf_fini(&api->openapi);
	mem_free(api);
	return NULL;
}
