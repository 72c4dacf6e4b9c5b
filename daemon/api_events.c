/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * GET /v1/events: server-sent events (design.md 3.9). A listener is a reader of
 * daemon/events.h whose place moves on as far as its client takes what it is
 * sent: so much may be queued for it, the rest waits where it is kept for all.
 * Who falls behind what is kept is cut off, and begins anew with a reset.
 *
 * With subtree=1 it reads those of all servers below as well
 * (daemon/subtree.h). A server above that does so says for how long in
 * X-Overlord-Lease-Ms; then its stream ends, whole, and it comes again.
 */
#include <sys/queue.h>

#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/events.h"
#include "daemon/subtree.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"

#define BEAT_MS 5000
/* What a client is to wait before it comes again, ms. */
#define RETRY "retry: 1000\n"

struct listener {
	TAILQ_ENTRY(listener) link;
	struct events_reader reader;
	struct api_call *call;
	/* Joined for subtree=1. */
	struct subtree_member member;
	/* Monotonic; it ends then. */
	int64_t until_ms;
};

struct api_listeners {
	TAILQ_HEAD(, listener) all;
	struct timer beat;
};

static void
cut_off(struct listener *l)
{
	log_notice("events",
	    FIELDS(LF_S("req", http_req_request_id(l->call->req)),
		LF_S("peer", http_req_peer(l->call->req)),
		LF_I("behind", events_lag(&l->reader))),
	    "a client that does not keep up is cut off");
	http_req_stream_cut(l->call->req);
}

/* Sends what there is and fits. The listener may be gone after this. */
static void
pump(struct listener *l)
{
	struct http_req *req = l->call->req;
	const struct event *x;

	while (http_req_stream_queued(req) < API_QUEUED_MAX) {
		switch (events_next(&l->reader, &x)) {
		case 0:
			if (!http_req_stream_send(req, x->text, x->text_len))
				return;
			break;
		case EVENTS_LOST:
			cut_off(l);
			return;
		default:
			return;
		}
	}
	if (events_is_lost(&l->reader))
		cut_off(l);
}

static void
on_wake(struct events_reader *r)
{
	pump(container_of(r, struct listener, reader));
}

static void
on_drained(struct api_call *c)
{
	pump(c->state);
}

static void
on_gone(struct api_call *c)
{
	struct listener *l = c->state;

	events_close(&l->reader);
	subtree_leave(&l->member);
	TAILQ_REMOVE(&c->api->listeners->all, l, link);
}

static bool
is_seen(struct events_reader *r, const char *project)
{
	return api_sees(
	    container_of(r, struct listener, reader)->call, project);
}

static void
end(struct listener *l)
{
	struct api_call *c = l->call;

	on_gone(c);
	api_stream_end(c);
}

static void
on_beat(struct timer *t)
{
	static const char comment[] = ":\n\n";
	struct api_listeners *ls = container_of(t, struct api_listeners, beat);
	struct listener *l, *next;

	for (l = TAILQ_FIRST(&ls->all); l != NULL; l = next) {
		next = TAILQ_NEXT(l, link);
		if (clock_mono_ms() >= l->until_ms)
			end(l);
		else if (http_req_stream_queued(l->call->req) == 0)
			(void)http_req_stream_send(
			    l->call->req, comment, sizeof(comment) - 1);
	}
	if (!TAILQ_EMPTY(&ls->all))
		timer_arm(t, BEAT_MS);
}

/* "job,step" as a mask; false after an answer. */
static bool
query_types(struct api_call *c, unsigned *ret)
{
	char *text, *word, *rest;
	enum event_type t;

	if (!api_query(c, "type", &text))
		return false;
	rest = text;
	while (rest != NULL && (word = strsep(&rest, ",")) != NULL) {
		if (!event_type_from_string(word, &t)) {
			api_reply_message(c->api, c->req, 400,
			    "'type' has an unexpected value: '%.40s' is no "
			    "type of event.",
			    word);
			return false;
		}
		*ret |= 1u << t;
	}
	return true;
}

/* Where it stands; with what it asked for out of reach, that it must ask for
 * everything. */
static bool
greet(struct listener *l, bool reset)
{
	AUTO_STRBUF struct strbuf b;
	char id[EVENTS_ID_LEN];

	strbuf_init(&b, 1024);
	events_newest(l->reader.ev, id);
	strbuf_adds(&b, RETRY);
	if (reset)
		strbuf_addf(&b, "id: %s\nevent: reset\ndata: {}\n\n", id);
	else
		strbuf_addf(&b, "id: %s\n\n", id);
	return http_req_stream_send(l->call->req, b.buf, b.len);
}

/* How long it wants to read, ms. */
static int64_t
lease_of(const struct api_call *c)
{
	const char *text = http_req_header(c->req, "X-Overlord-Lease-Ms");
	int64_t ms;

	if (text == NULL || num_i64(text, 1, SUBTREE_LEASE_MS, &ms, NULL) < 0)
		return INT64_MAX;
	return ms;
}

/* The events that it reads; it may be told from now on. */
static struct events *
join(struct listener *l, bool whole)
{
	struct api *api = l->call->api;
	int64_t now = clock_mono_ms(), lease = lease_of(l->call);

	l->until_ms = lease < INT64_MAX - now ? now + lease : INT64_MAX;
	if (!whole)
		return api->deps.events;
	l->member.until_ms = l->until_ms;
	subtree_join(api->deps.subtree, &l->member);
	return subtree_events(api->deps.subtree);
}

void
api_events(struct api_call *c)
{
	static const struct api_stream stream = { on_drained, on_gone };
	const char *last = http_req_header(c->req, "Last-Event-ID");
	struct listener *l = arena_alloc(c->arena, sizeof(*l));
	struct error e = ERROR_INIT;
	uint64_t whole = 0;
	char *project;
	bool reset;

	if (!api_query(c, "project", &project) ||
	    !api_query_number(c, "subtree", &whole))
		return;
	if (l == NULL || arena_check(c->arena, &e) < 0) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (!query_types(c, &l->reader.types) ||
	    (project != NULL && !api_may_project(c, project)))
		return;
	l->call = c;
	l->reader.wake = on_wake;
	l->reader.sees = is_seen;
	l->reader.project = project;
	if (!api_stream_start(c, TYPE_EVENTS, -1, &stream, l))
		return;
	/* From here on on_gone() comes, if only from within. */
	reset =
	    events_open(join(l, whole != 0), &l->reader, last) == EVENTS_RESET;
	TAILQ_INSERT_TAIL(&c->api->listeners->all, l, link);
	if (!c->api->listeners->beat.armed)
		timer_arm(&c->api->listeners->beat, BEAT_MS);
	/* Who goes on has an id, of which nothing newer may be told first. */
	if ((last == NULL || reset) && !greet(l, reset))
		return;
	pump(l);
}

int
api_listeners_new(struct api *api, struct error *e)
{
	struct api_listeners *ls = mem_calloc(1, sizeof(*ls));

	if (ls == NULL)
		return error_nomem(e);
	TAILQ_INIT(&ls->all);
	api->listeners = ls;
	return timer_init(&ls->beat, api->deps.loop, on_beat, "events-beat", e);
}

/* The server has gone before, so nobody listens. */
void
api_listeners_free(struct api *api)
{
	if (api->listeners == NULL)
		return;
	timer_fini(&api->listeners->beat);
	mem_free(api->listeners);
	api->listeners = NULL;
}
