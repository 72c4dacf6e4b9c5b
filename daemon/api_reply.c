/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Answers that are made from the whole: the envelope, its tag, and compression
 * where that is asked for. Nothing here knows what is answered. What comes in
 * pieces is api_stream.c's.
 */
#include "daemon/api_internal.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/net/gzip.h"
#include "proto/status.h"

#define REPLY_MAX ((size_t)256 << 20)
/* Bodies that are worth compressing, and those that would hold the loop for
 * more than some milliseconds. */
#define GZIP_MIN ((size_t)1024)
#define GZIP_MAX ((size_t)1 << 20)

/* The last one only while replies may be compressed. */
static const struct http_reply_header common_headers[API_COMMON_HEADERS] = {
	{ "Access-Control-Allow-Origin", "*" },
	{ "Access-Control-Allow-Headers", "*, Authorization" },
	{ "Vary", "Accept-Encoding" },
};

const struct http_reply_header *
api_common_headers(const struct api *api, size_t *ret_n)
{
	*ret_n = API_COMMON_HEADERS - (api->config.compress ? 0 : 1);
	return common_headers;
}

size_t
api_add_common_headers(const struct http_req *req, struct http_reply_header *h)
{
	size_t n;

	(void)api_common_headers(http_req_handler_ctx(req), &n);
	memcpy(h, common_headers, sizeof(common_headers));
	return n;
}

bool
api_is_head(const struct http_req *req)
{
	return strcmp(http_req_method(req), "HEAD") == 0;
}

struct tag {
	char text[24];
};

static struct tag
tag_of(const char *body, size_t len)
{
	struct tag t;

	(void)snprintf(t.text, sizeof(t.text), "\"%016llx\"",
	    (unsigned long long)hash_add(HASH_INIT, body, len));
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
	struct http_reply_header h[API_COMMON_HEADERS + 4];
	struct http_reply reply = {
		.status = status,
		.headers = h,
		.headers_n = api_add_common_headers(req, h),
		.content_type = content_type,
		.body = body,
		.body_len = len,
		.head_only = api_is_head(req),
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

/* What is not whole does not go out as if it were. */
static void
send_text(struct http_req *req, int status, const struct strbuf *text,
    const struct http_reply_header *more)
{
	static const char full[] =
	    "{\"status_code\":503,\"message\":\"out of memory\"}";

	if (strbuf_check(text, NULL) < 0)
		send_body(req, 503, TYPE_JSON, full, sizeof(full) - 1, NULL);
	else
		send_body(req, status, TYPE_JSON, text->buf, text->len, more);
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
	send_text(req, status, &text, more);
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
	struct error e = ERROR_INIT;

	if (arena_check(http_req_arena(req), &e) < 0)
		api_reply_error(api, req, &e);
	else
		send_envelope(req, status, map, NULL);
}

void
api_reply(struct api *api, struct http_req *req, int status, const char *member,
    const struct node *value)
{
	struct arena *a = http_req_arena(req);
	struct node *map = node_new(a, NODE_MAP);

	if (value != NULL) {
		/* The tree is only read. */
		union {
			const struct node *in;
			struct node *out;
		} v = { .in = value };

		node_set(a, map, member, v.out);
	}
	api_reply_map(api, req, status, map);
}

void
api_reply_json(struct api *api, struct http_req *req, int status,
    const char *member, const char *text, size_t len)
{
	AUTO_STRBUF struct strbuf body;
	struct error e = ERROR_INIT;

	strbuf_init(&body, REPLY_MAX);
	strbuf_addf(&body, "{\"status_code\":%d,\"%s\":", status, member);
	strbuf_add(&body, text, len);
	strbuf_addc(&body, '}');
	if (strbuf_check(&body, &e) < 0)
		api_reply_error(api, req, &e);
	else
		send_body(req, status, TYPE_JSON, body.buf, body.len, NULL);
}

void
api_reply_detail(struct http_req *req, int status, const char *text,
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
	send_text(req, status, &body, more);
}

void
api_reply_text(struct http_req *req, int status, const char *text,
    const struct http_reply_header *more)
{
	api_reply_detail(req, status, text, NULL, more);
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
	api_reply_text(req, status, text, NULL);
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
		api_reply_text(req, status, text, NULL);
		return;
	}
	api_reply_text(req, status,
	    status == 500 ? "Internal Server Error" : e->text,
	    status == 429 ? &soon : NULL);
}

void
api_reply_empty(struct http_req *req)
{
	struct http_reply_header h[API_COMMON_HEADERS + 1];
	struct http_reply reply = {
		.status = 204,
		.headers = h,
		.headers_n = api_add_common_headers(req, h),
	};

	h[reply.headers_n++] = (struct http_reply_header){ "X-Request-Id",
		http_req_request_id(req) };
	http_req_reply(req, &reply);
}

void
api_reply_head(struct http_req *req, int status)
{
	const struct tag tag = tag_of("", 0);
	struct http_reply_header h[API_COMMON_HEADERS + 1];
	struct http_reply reply = {
		.status = status,
		.headers = h,
		.headers_n = api_add_common_headers(req, h),
		.content_type = TYPE_JSON,
		.head_only = true,
	};

	if (status == 200)
		h[reply.headers_n++] =
		    (struct http_reply_header){ "Etag", tag.text };
	http_req_reply(req, &reply);
}
