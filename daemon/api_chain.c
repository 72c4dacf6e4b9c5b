/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The twins, /v1/chain/{chain}/...: one function for all of them, told apart by
 * the columns of proto/twins.def. A request is judged as its route would judge
 * it, its body rebuilt from what was understood, and sent to the first name of
 * the chain path; the reply becomes ours, or the contract's error body
 * (rest-api.md 3.5.3), with the error from below in `remote`.
 *
 * What comes as it is made (events, output and logs that are followed) is
 * passed through as it comes, and no faster than the client takes it. So is a
 * long reply of a server like this one to a GET, which would be written again
 * byte for byte: it has no tag and is not compressed.
 */
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/walk.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "proto/chainpath.h"
#include "proto/msg.h"

#define BODY_MAX ((size_t)64 << 20)
#define PATH_MAX_LEN 65536
/* Events come with a comment every 5 s; a command may be silent for long. */
#define EVENTS_IDLE_MS 20000
#define TEXT_IDLE_MS 3600000

/* A twin on its way; lives in its request. */
struct hopping {
	struct api_call *call;
	const char *entrypoint;
	/* The chain path after it; "" for a tail call. */
	const char *rest;
	const char *path;
	const char *body;
	int64_t deadline_ms;
	/* The HEAD of an upsert is out. */
	bool checking;
	/* Of ROUTE_TREE only. */
	struct api_tree_query tree;
	struct walk *walk;
	/* How the reply comes in pieces; NULL: it does not, or need not. */
	const struct streamed *streamed;
	bool begun;
	bool paused;
};

/* Twins whose replies come in pieces. */
struct streamed {
	enum route_id route;
	const char *type;
	int64_t idle_ms;
	/* Without follow=1 as well. */
	bool always;
};

static const struct streamed streamed[] = {
	{ ROUTE_EVENTS, TYPE_EVENTS, EVENTS_IDLE_MS, true },
	{ ROUTE_JOB_OUTPUT, TYPE_TEXT, TEXT_IDLE_MS, false },
	{ ROUTE_JAIL_LOG, TYPE_TEXT, TEXT_IDLE_MS, false },
	{ ROUTE_PROJECTS_LOG, TYPE_TEXT, TEXT_IDLE_MS, false },
};

static void send_on(struct hopping *h, const char *method, const char *body);

/* Replies */

static struct node *
missing_node(const struct twin *t, struct arena *a)
{
	switch (t->missing) {
	case MISSING_OK:
		return node_str(a, "OK");
	case MISSING_NULL:
		return node_null(a);
	case MISSING_LIST:
		return node_new(a, NODE_LIST);
	case MISSING_MAP:
		return node_new(a, NODE_MAP);
	case MISSING_NONE:
		break;
	}
	return NULL;
}

/* All members but the status, which is our own. */
static struct node *
members_of(const struct node *from, struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP);

	for (size_t i = 0; from != NULL && i < from->u.map.n; i++) {
		const struct node_pair *p = &from->u.map.pairs[i];

		if (strcmp(p->key->u.str.s, "status_code") != 0)
			node_add_pair(a, map, p->key, p->value);
	}
	return map;
}

static void
reply_success(const struct hopping *h, const struct chain_reply *r)
{
	struct api_call *c = h->call;
	const struct twin *t = c->twin;
	struct node *map = members_of(r->body, c->arena);
	struct node *made;

	if (t->kind == TWIN_KIND_GONE) {
		if (r->status == 204)
			api_reply_empty(c->req);
		else
			api_reply_head(c->req, 200);
		return;
	}
	made =
	    node_get(map, t->member) == NULL ? missing_node(t, c->arena) : NULL;
	if (made != NULL)
		node_set(c->arena, map, t->member, made);
	api_reply_map(c->api, c->req, 200, map);
}

static const char *
status_words(int status)
{
	switch (status / 100) {
	case 1:
		return "Informational response";
	case 3:
		return "Redirect response";
	case 4:
		return "Client error";
	case 5:
		return "Server error";
	default:
		return "Invalid status code";
	}
}

/* Whether this answer to this request has a name and a text of its own. What
 * a DELETE got wrong is passed on as of any other method. */
static bool
is_api_error(const struct hopping *h, const struct chain_reply *r)
{
	enum twin_kind kind = h->call->twin->kind;

	if (kind == TWIN_KIND_GONE)
		return r->status < 400 || r->status > 499;
	return h->checking || kind == TWIN_KIND_BARE;
}

static int
status_of(const struct hopping *h, const struct chain_reply *r)
{
	if (r->error != NULL || r->status < 400 || r->status > 599)
		return 503;
	if (is_api_error(h, r))
		return 503;
	return r->status;
}

static void
reply_failure(const struct hopping *h, const struct chain_reply *r)
{
	struct api_call *c = h->call;
	struct arena *a = c->arena;
	struct node *map = node_new(a, NODE_MAP);
	const char *error = r->error, *text = r->message;

	if (error == NULL && is_api_error(h, r)) {
		error = "APIError";
		text = arena_printf(
		    a, "Error %d: %s", r->status, http1_reason(r->status));
	} else if (error == NULL) {
		error = "HTTPStatusError";
		text = arena_printf(a, "%s '%d %s' for url '%s'",
		    status_words(r->status), r->status, http1_reason(r->status),
		    r->url);
	}
	node_set(a, map, "function", node_str(a, c->twin->function));
	node_set(a, map, "entrypoint", node_str(a, h->entrypoint));
	node_set(a, map, "chain", node_str(a, h->rest));
	node_set(a, map, "error", node_str(a, error));
	node_set(a, map, "message", node_str(a, text != NULL ? text : ""));
	if (r->error == NULL && r->body != NULL)
		node_set(a, map, "remote", node_copy(a, r->body));
	api_reply_map(c->api, c->req, status_of(h, r), map);
}

/* Pieces. The client's connection bounds what waits for it, and what is not
 * taken stays with the sender. */

static void
on_drained(struct api_call *c)
{
	struct hopping *h = c->state;

	if (!h->paused)
		return;
	h->paused = false;
	chain_resume(c->api->deps.chain, c->forward);
}

static void
on_begun(int64_t length, void *ctx)
{
	static const struct api_stream stream = { .drained = on_drained };
	struct hopping *h = ctx;
	struct api_call *c = h->call;
	struct chain *ch = c->api->deps.chain;
	struct forward_id id = c->forward;

	h->begun = true;
	/* Without it there is nobody any more. */
	if (!api_stream_start(c,
		h->streamed != NULL ? h->streamed->type : TYPE_JSON, length,
		&stream, h))
		chain_cancel(ch, id);
}

static void
on_piece(const char *p, size_t len, void *ctx)
{
	struct hopping *h = ctx;
	struct api_call *c = h->call;

	if (!http_req_stream_send(c->req, p, len))
		return;
	if (http_req_stream_queued(c->req) >= API_QUEUED_MAX) {
		h->paused = true;
		chain_pause(c->api->deps.chain, c->forward);
	}
}

/* The end, or what broke below breaks here. */
static void
end_stream(struct hopping *h, const struct chain_reply *r)
{
	if (r->error != NULL) {
		log_notice("chain",
		    FIELDS(LF_S("req", http_req_request_id(h->call->req)),
			LF_S("chain", h->entrypoint)),
		    "a reply that was handed on broke off: %s", r->message);
		http_req_stream_cut(h->call->req);
		return;
	}
	api_stream_end(h->call);
}

static bool
is_success(const struct chain_reply *r)
{
	return r->error == NULL && r->status >= 200 && r->status < 300;
}

/* Trees below an original (daemon/walk.h) */

static void
on_client_gone(struct api_call *c)
{
	struct hopping *h = c->state;

	h->walk = walk_free(h->walk);
}

static void
on_walked(const struct node *said, const struct chain_reply *failed, void *ctx)
{
	struct hopping *h = ctx;
	struct api_call *c = h->call;
	const struct tree_rules rules = api_tree_rules(c, &h->tree.wish);
	struct tree_room room = TREE_ROOM;
	struct error e = ERROR_INIT;
	struct node *tree;

	h->walk = walk_free(h->walk);
	c->stream = NULL;
	if (failed != NULL) {
		reply_failure(h, failed);
		return;
	}
	tree =
	    treenode_take(NULL, said, &rules, h->tree.depth, &room, c->arena);
	if (arena_check(c->arena, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else
		api_reply(c->api, c->req, 200, "tree", tree);
}

static void
start_walk(struct hopping *h)
{
	static const struct api_stream watch = { NULL, on_client_gone };
	struct api_call *c = h->call;
	const struct walk_request rq = {
		.entrypoint = h->entrypoint,
		.rest = h->rest,
		.wish = h->tree.wish,
		.depth = h->tree.depth,
		.request_id = http_req_request_id(c->req),
		.via = http_req_header(c->req, "X-Overlord-Via"),
		.due_ms = h->deadline_ms,
	};
	struct error e = ERROR_INIT;

	if (walk_start(&h->walk, c->api->deps.chain, c->api->deps.loop, &rq,
		c->arena, on_walked, h, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	c->stream = &watch;
	c->state = h;
}

static void
on_done(const struct chain_reply *r, void *ctx)
{
	struct hopping *h = ctx;
	struct api_call *c = h->call;
	bool absent = r->error == NULL && r->status == 404;

	c->forward.v = 0;
	if (h->begun) {
		end_stream(h, r);
		return;
	}
	if (c->route == ROUTE_TREE && chain_reply_is_no_route(r)) {
		if (h->rest[0] == '\0')
			chain_note_original(c->api->deps.chain, h->entrypoint);
		start_walk(h);
	} else if (h->checking && (absent || is_success(r))) {
		h->checking = false;
		send_on(h, absent ? "POST" : "PUT", h->body);
	} else if (c->twin->kind == TWIN_KIND_BARE &&
	    (absent || is_success(r))) {
		api_reply_head(c->req, r->status == 200 ? 200 : 404);
	} else if (is_success(r)) {
		reply_success(h, r);
	} else {
		reply_failure(h, r);
	}
}

/* Requests */

int64_t
api_time_left(const struct api_call *c)
{
	const char *text = http_req_header(c->req, "X-Overlord-Deadline-Ms");
	int64_t ms;

	if (text == NULL ||
	    num_i64(text, 1, CHAIN_DEADLINE_MAX_MS, &ms, NULL) < 0)
		return CHAIN_DEADLINE_MS;
	return ms;
}

/* How the reply begins if this server would write it as it came; NULL: it would
 * not. */
static const char *
opening_of(const struct api_call *c)
{
	const struct twin *t = c->twin;

	return strcmp(http_req_method(c->req), "GET") == 0 &&
		t->member[0] != '\0'
	    ? arena_printf(c->arena, "{\"status_code\":200,\"%s\":", t->member)
	    : NULL;
}

static void
send_on(struct hopping *h, const char *method, const char *body)
{
	struct api_call *c = h->call;
	const struct chain_request rq = {
		.entrypoint = h->entrypoint,
		.tail = h->rest[0] == '\0',
		.method = method,
		.path = h->path,
		.body = body,
		.request_id = http_req_request_id(c->req),
		.via = http_req_header(c->req, "X-Overlord-Via"),
		.idempotency_key = http_req_header(c->req, "Idempotency-Key"),
		.last_event_id = http_req_header(c->req, "Last-Event-ID"),
		.left_ms = h->deadline_ms - clock_mono_ms(),
	};
	struct chain_stream pieces = {
		.opening = opening_of(c),
		.begun = on_begun,
		.piece = on_piece,
	};
	struct error e = ERROR_INIT;

	if (h->streamed != NULL) {
		pieces.type = h->streamed->type;
		pieces.idle_ms = h->streamed->idle_ms;
	}
	if (chain_stream(c->api->deps.chain, &rq, &pieces, on_done, h,
		&c->forward, &e) < 0)
		api_reply_error(c->api, c->req, &e);
}

/* How its reply comes in pieces, if it does; false after an answer. */
static bool
find_streamed(struct api_call *c, struct hopping *h)
{
	const struct streamed *s = NULL;
	char *follow = NULL;

	for (size_t i = 0; i < ARRAY_LEN(streamed); i++)
		if (streamed[i].route == c->route)
			s = &streamed[i];
	if (s == NULL)
		return true;
	if (!s->always && !api_query(c, "follow", &follow))
		return false;
	if (s->always || (follow != NULL && strcmp(follow, "1") == 0))
		h->streamed = s;
	return true;
}

/* The body to send on. NULL after an answer. */
static const char *
rebuild(struct api_call *c, const struct schema *s)
{
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;
	struct node *map;
	void *bound = arena_alloc(c->arena, s->size);
	char *ret = NULL;

	strbuf_init(&text, BODY_MAX);
	if (bound == NULL || msg_bind(s, c->body, c->arena, bound, &e) < 0) {
		if (!error_is_set(&e))
			(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return NULL;
	}
	map = msg_members(s, bound, c->body, c->arena);
	if (map != NULL)
		json_write(&text, map, JSON_COMPACT);
	if (arena_check(c->arena, &e) == 0 && strbuf_check(&text, &e) == 0)
		ret = arena_strndup(c->arena, text.buf, text.len);
	if (ret == NULL) {
		if (!error_is_set(&e))
			(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
	}
	return ret;
}

static const char *
path_of(const struct api_call *c, const char *rest)
{
	const struct http1_span q = http_req_head(c->req)->query;
	AUTO_STRBUF struct strbuf path;
	size_t n = 0;

	strbuf_init(&path, PATH_MAX_LEN);
	while (n < ARRAY_LEN(c->params) && c->params[n] != NULL)
		n++;
	route_build(&path, c->route, rest, c->params, n);
	if (q.len > 0) {
		strbuf_addc(&path, '?');
		strbuf_add(&path, q.p, q.len);
	}
	return strbuf_check(&path, NULL) == 0 ? arena_strdup(c->arena, path.buf)
					      : NULL;
}

/* The names of the path; false after an answer. */
static bool
split_chain(struct api_call *c, struct hopping *h)
{
	struct chainpath all, rest;
	struct error e = ERROR_INIT;
	const char *joined;

	if (chainpath_parse(c->chain, c->arena, &all, &e) < 0) {
		if (e.code == OVE_INVALID || e.code == OVE_LIMIT)
			api_reply_message(c->api, c->req, 400,
			    "Invalid chain: %.300s", c->chain);
		else
			api_reply_error(c->api, c->req, &e);
		return false;
	}
	h->entrypoint = all.parts[0];
	rest = all;
	rest.n--;
	memmove(rest.parts, all.parts + 1, rest.n * sizeof(rest.parts[0]));
	joined = chainpath_join(&rest, c->arena);
	h->rest = joined != NULL ? joined : "";
	if (chain_has(c->api->deps.chain, h->entrypoint))
		return true;
	api_reply_message(c->api, c->req, 404,
	    "Next entrypoint '%.300s' cannot be found.", h->entrypoint);
	return false;
}

void
api_twin(struct api_call *c)
{
	const struct twin *t = c->twin;
	struct hopping *h = arena_alloc(c->arena, sizeof(*h));
	const char *body = NULL;
	struct error e = ERROR_INIT;

	if (h == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	h->call = c;
	h->deadline_ms = clock_mono_ms() + api_time_left(c);
	/* Not into h: after an answer it is gone. */
	if (t->body != NULL && (body = rebuild(c, t->body)) == NULL)
		return;
	h->body = body;
	/* A URL may lose them on its way, so nobody below would see them. */
	if (c->route == ROUTE_JAIL_LOG && !api_log_words_ok(c))
		return;
	if (c->route == ROUTE_TREE) {
		if (!api_tree_query(c, &h->tree))
			return;
		h->deadline_ms = clock_mono_ms() + h->tree.left_ms;
	}
	if (!split_chain(c, h))
		return;
	h->path = c->route == ROUTE_TREE
	    ? api_tree_path(c->arena, h->rest, &h->tree.wish, h->tree.depth)
	    : path_of(c, h->rest);
	if (h->path == NULL || arena_check(c->arena, &e) < 0) {
		if (!error_is_set(&e))
			(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (c->route == ROUTE_TREE && h->rest[0] == '\0' &&
	    chain_is_original(c->api->deps.chain, h->entrypoint)) {
		start_walk(h);
		return;
	}
	/* Further up an upsert is the twin's own. */
	h->checking = t->kind == TWIN_KIND_UPSERT && h->rest[0] == '\0';
	if (!find_streamed(c, h))
		return;
	if (h->checking)
		send_on(h, "HEAD", NULL);
	else
		send_on(h, routes[c->route].method, h->body);
}
