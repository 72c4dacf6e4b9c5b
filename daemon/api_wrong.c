/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What follows from a wrong token: a line of the log in words that others read
 * (docs/examples/fail2ban), and, of an address that sends many, an answer that
 * comes late and 429 for what it asks meanwhile. See penalty.h for who has to
 * wait how long. A token that was right is looked at whatever its address has
 * done, so nobody loses a session to somebody at the same address.
 *
 * Answers that wait are held by id: their client may go. There is one at most
 * for an address, so they are few; more than a bound are not held at all.
 */
#include <stdio.h>

#include "daemon/api_internal.h"
#include "daemon/ban.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define HELD_MAX 256
#define LATER_MS 20

struct held {
	TAILQ_ENTRY(held) link;
	struct api *api;
	struct req_id req;
	struct timer timer;
};

static void
refuse(struct http_req *req)
{
	static const struct http_reply_header bearer = { "WWW-Authenticate",
		"Bearer" };

	api_reply_text(req, 401, "Error while decoding the JWT.", &bearer);
}

static void
drop(struct held *h)
{
	TAILQ_REMOVE(&h->api->held, h, link);
	h->api->held_n--;
	timer_fini(&h->timer);
	mem_free(h);
}

static void
on_late(struct timer *t)
{
	struct held *h = container_of(t, struct held, timer);
	struct http_req *req = api_find(h->api, h->req);

	drop(h);
	if (req != NULL)
		refuse(req);
}

/* false: it cannot be held. */
static bool
hold(struct api_call *c, int64_t ms)
{
	struct api *api = c->api;
	struct held *h =
	    api->held_n < HELD_MAX ? mem_calloc(1, sizeof(*h)) : NULL;

	if (h == NULL ||
	    timer_init(
		&h->timer, api->deps.loop, on_late, "wrong token", NULL) < 0) {
		mem_free(h);
		return false;
	}
	h->api = api;
	h->req = http_req_id(c->req);
	TAILQ_INSERT_TAIL(&api->held, h, link);
	api->held_n++;
	/* Timers may be early: whoever asks again at once is to be in time. */
	timer_arm(&h->timer, ms + LATER_MS);
	httpd_hold(c->req);
	return true;
}

bool
api_may_try(struct api_call *c, const char *token, size_t len)
{
	int64_t ms = penalty_left(c->api->penalty, http_req_peer(c->req), token,
	    len, clock_mono_ms());
	struct http_reply_header after = { "Retry-After", NULL };
	char text[24];

	if (ms <= 0 || token_is_known(c->api->config.key, token, len))
		return true;
	(void)snprintf(
	    text, sizeof(text), "%lld", (long long)((ms + 999) / 1000));
	after.value = text;
	api_reply_text(c->req, 429,
	    "Too many wrong tokens came from this address.", &after);
	return false;
}

/* The log is told anyway. */
static void
tell_ban(const struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (ban_tell(c->api->ban, http_req_socket(c->req), &e) < 0)
		log_debug("auth",
		    FIELDS(LF_S("req", http_req_request_id(c->req))), "%s",
		    e.text);
}

void
api_wrong(
    struct api_call *c, const char *token, size_t len, const struct error *why)
{
	const char *peer = http_req_peer(c->req);
	struct penalty_verdict v =
	    penalty_wrong(c->api->penalty, peer, token, len, clock_mono_ms());

	if (v.counted && c->api->ban != NULL && v.n > 0)
		tell_ban(c);
	/* Once for each: a child whose parent has an old token would fill its
	 * log, and ban its parent. */
	if (v.counted)
		log_warn("auth",
		    FIELDS(LF_S("req", http_req_request_id(c->req)),
			LF_S("peer", peer), LF_I("n", v.n),
			LF_S("why", why->text)),
		    "wrong token");
	else
		log_debug("auth",
		    FIELDS(LF_S("req", http_req_request_id(c->req)),
			LF_S("peer", peer), LF_S("why", why->text)),
		    "the same wrong token again");
	if (v.wait_ms <= 0 || !hold(c, v.wait_ms))
		refuse(c->req);
}

void
api_wrong_configure(struct api *api)
{
	struct error e = ERROR_INIT;

	penalty_configure(api->penalty, &api->config.penalty);
	if (!api->config.ban)
		api->ban = ban_free(api->ban);
	else if (api->ban == NULL && ban_new(&api->ban, &e) < 0)
		log_warn("auth", NO_FIELDS, "limits.blocklistd: %s", e.text);
}

void
api_wrong_free(struct api *api)
{
	api->ban = ban_free(api->ban);
	while (!TAILQ_EMPTY(&api->held))
		drop(TAILQ_FIRST(&api->held));
	api->penalty = penalty_free(api->penalty);
}
