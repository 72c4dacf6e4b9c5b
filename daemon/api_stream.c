/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Answers that come in pieces. One timer looks after all of them: who streams
 * need not think of a token that ends before the answer does.
 */
#include "daemon/api_internal.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define LOOK_MS 1000

struct api_streams {
	TAILQ_HEAD(, api_call) all;
	struct timer look;
};

static void
on_look(struct timer *t)
{
	struct api_streams *ss = container_of(t, struct api_streams, look);
	struct api_call *c, *next;

	for (c = TAILQ_FIRST(&ss->all); c != NULL; c = next) {
		next = TAILQ_NEXT(c, streaming);
		if (api_is_over(c))
			http_req_stream_cut(c->req);
	}
	if (!TAILQ_EMPTY(&ss->all))
		timer_arm(t, LOOK_MS);
}

bool
api_stream_start(struct api_call *c, const char *content_type, int64_t length,
    const struct api_stream *stream, void *state)
{
	struct api_streams *ss = c->api->streams;
	struct http_reply_header h[API_COMMON_HEADERS + 2];
	struct http_reply reply = {
		.status = 200,
		.headers = h,
		.headers_n = api_add_common_headers(c->req, h),
		.content_type = content_type,
		.head_only = api_is_head(c->req),
		.sized = length >= 0,
		.body_len = length >= 0 ? (size_t)length : 0,
	};

	h[reply.headers_n++] = (struct http_reply_header){ "X-Request-Id",
		http_req_request_id(c->req) };
	if (!reply.sized)
		h[reply.headers_n++] =
		    (struct http_reply_header){ "Cache-Control", "no-store" };
	if (!http_req_stream_start(c->req, &reply))
		return false;
	c->stream = stream;
	c->state = state;
	TAILQ_INSERT_TAIL(&ss->all, c, streaming);
	if (!ss->look.armed)
		timer_arm(&ss->look, LOOK_MS);
	return true;
}

void
api_stream_gone(struct api_call *c)
{
	const struct api_stream *stream = c->stream;

	if (http_req_is_stream(c->req))
		TAILQ_REMOVE(&c->api->streams->all, c, streaming);
	c->stream = NULL;
	if (stream->gone != NULL)
		stream->gone(c);
}

void
api_stream_end(struct api_call *c)
{
	TAILQ_REMOVE(&c->api->streams->all, c, streaming);
	c->stream = NULL;
	http_req_stream_end(c->req);
}

int
api_streams_new(struct api *api, struct error *e)
{
	struct api_streams *ss = mem_calloc(1, sizeof(*ss));

	if (ss == NULL)
		return error_nomem(e);
	TAILQ_INIT(&ss->all);
	api->streams = ss;
	return timer_init(&ss->look, api->deps.loop, on_look, "streams", e);
}

/* The server has gone before, and every stream with it. */
void
api_streams_free(struct api *api)
{
	if (api->streams == NULL)
		return;
	timer_fini(&api->streams->look);
	mem_free(api->streams);
	api->streams = NULL;
}
