/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See haproxy.h. A run is a chain of calls, one at a time:
 *
 *	version -> backend -> (labels) -> server -> transaction -> change
 *	  -> commit
 *
 * A failure after the transaction has begun goes by way of abandoning it, and a
 * conflict from there back to the version, after a short pause of random
 * length: others who want to change something have the same idea.
 */
#include "daemon/haproxy.h"

#include <inttypes.h>
#include <string.h>

#include "daemon/exception.h"
#include "daemon/service.h"
#include "daemon/special_run.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"
#include "lib/net/url.h"
#include "proto/config.h"

#define API "/v3/services/haproxy"
#define REPLY_MAX ((size_t)64 << 10)
#define URL_MAX ((size_t)64 << 10)
/* What a change adds to one, with the transaction's id. */
#define QUERY_MAX ((size_t)1 << 10)
#define ARENA_MAX ((size_t)4 << 20)
/* Of a reply's body in a message. */
#define BODY_SHOWN 2000
#define RETRIES_MAX 3
#define RETRY_MS 50
#define RETRY_SPREAD_MS 200

/* Who a server is for, and how. */
enum change {
	CHANGE_ADD,
	CHANGE_UPDATE,
	CHANGE_REMOVE,
};

static const struct {
	const char *method;
	bool has_body;
	int good[2];
	const char *doing;
	const char *done;
} changes[] = {
	[CHANGE_ADD] = { "POST", true, { 201, 202 }, "adding",
	    "server has been successfully added." },
	[CHANGE_UPDATE] = { "PUT", true, { 200, 202 }, "updating",
	    "server has been successfully updated." },
	[CHANGE_REMOVE] = { "DELETE", false, { 202, 204 }, "removing",
	    "server has been removed." },
};

struct run {
	struct special_run base;
	struct haproxy *owner;
	/* 0: none is under way. */
	struct call_id call;
	/* Takes the reply to it. */
	void (*take)(struct run *r, const struct httpc_reply *reply);
	/* What was asked, for messages. */
	const char *method;
	const char *path;
	unsigned retries;
	int64_t version;
	const char *backend;
	/* Percent-encoded: of the backend's servers, and of ours. */
	char *servers;
	char *server;
	struct haproxy_plan plan;
	enum change change;
	/* NULL: none is open. */
	const char *transaction;
	/* What is to be told when the transaction is gone; NULL: it is to be
	 * tried again. */
	const char *message;
	struct timer timer;
};

struct haproxy {
	struct loop *loop;
	struct httpc *http;
	struct arena arena;
	/* NULL: not configured; without slash at its end. */
	const char *entrypoint;
	/* A header; a secret. */
	char *authorization;
	const char *cacert;
	struct config_timeouts t;
	const char *serverid;
	struct special_runs runs;
};

static void ask_version(struct run *r);
static void abandon(struct run *r, const char *message);

/* Life */

static void
run_free(struct special_run *base)
{
	struct run *r = container_of(base, struct run, base);

	if (r->call.v != 0)
		httpc_cancel(r->owner->http, r->call);
	timer_fini(&r->timer);
	mem_free(r);
}

static void
finish(struct run *r, bool failed, const char *message)
{
	special_run_end(&r->owner->runs, &r->base, failed, message);
}

/* Ends it with a fault, by way of abandoning what was begun. */
static void
fail(struct run *r, const char *message)
{
	if (r->transaction != NULL)
		abandon(r, message != NULL ? message : "");
	else
		finish(r, true, message);
}

#define MESSAGE(r, ...)                                                        \
  special_message(&(r)->base.arena, (r)->base.s, __VA_ARGS__)

static void
raise(struct run *r, const char *type, const char *text)
{
	fail(r, special_exception(&r->base.arena, type, text));
}

static void
raise_status(struct run *r, const struct httpc_reply *reply)
{
	raise(r, "HTTPStatusError",
	    arena_printf(&r->base.arena, "%s %s: status %d", r->method, r->path,
		reply->status));
}

static bool
is_good(int status)
{
	return status >= 200 && status < 300;
}

/* Calls */

static void
was_answered(struct call_id id, const struct httpc_reply *reply,
    const struct httpc_failure *failed, void *ctx)
{
	struct run *r = ctx;

	(void)id;
	r->call.v = 0;
	if (reply != NULL)
		r->take(r, reply);
	else
		raise(r, exception_of_call(failed->kind), failed->error.text);
}

/* body NULL: an empty one. */
static int
try_call(struct run *r, const char *body, struct error *e)
{
	struct haproxy *h = r->owner;
	const char *const headers[] = { h->authorization,
		"Content-Type: application/json", NULL };
	const struct httpc_request rq = {
		.method = r->method,
		.url = arena_printf(
		    &r->base.arena, "%s%s", h->entrypoint, r->path),
		.headers = headers,
		.body = body,
		.body_len = body != NULL ? strlen(body) : 0,
		.connect_ms = h->t.connect_ms > 0 ? h->t.connect_ms : 0,
		.read_ms = h->t.read_ms > 0 ? h->t.read_ms : 0,
		.write_ms = h->t.write_ms > 0 ? h->t.write_ms : -1,
		.total_ms = service_total_ms(&h->t),
		.keep_ms = h->t.keepalive_expiry_ms,
		.cacert = h->cacert,
		.reply_max = REPLY_MAX,
	};

	return httpc_call(h->http, &rq, was_answered, r, &r->call, e);
}

static void
call(struct run *r, const char *method, const char *path, const char *body,
    void (*take)(struct run *r, const struct httpc_reply *reply))
{
	struct error e = ERROR_INIT;

	r->method = method;
	r->path = path;
	r->take = take;
	/* Without room for the URL there is none. */
	if (arena_check(&r->base.arena, &e) == 0 && try_call(r, body, &e) == 0)
		return;
	raise(r, "OSError", e.text);
}

/* Conflicts */

static void
on_again(struct timer *t)
{
	ask_version(container_of(t, struct run, timer));
}

static void
again(struct run *r)
{
	r->retries++;
	timer_arm(&r->timer, RETRY_MS + (int64_t)rand_below(RETRY_SPREAD_MS));
}

/* Whether the reply says that another change came first, and it was not once
 * too often: then all begins anew. */
static bool
was_overtaken(struct run *r, const struct httpc_reply *reply)
{
	if (reply->status != 409 && reply->status != 406)
		return false;
	if (r->retries == RETRIES_MAX)
		return false;
	log_info("haproxy", FIELDS(LF_S("backend", r->backend)),
	    "another change came first, trying again");
	if (r->transaction != NULL)
		abandon(r, NULL);
	else
		again(r);
	return true;
}

static void
was_abandoned(struct run *r, const struct httpc_reply *reply)
{
	if (!is_good(reply->status) && reply->status != 404)
		log_warn("haproxy", FIELDS(LF_S("transaction", r->transaction)),
		    "not withdrawn: status %d", reply->status);
	r->transaction = NULL;
	if (r->message == NULL)
		again(r);
	else
		finish(r, true, r->message);
}

/* Withdraws the transaction; whatever comes of that, goes on as the message
 * says. */
static void
abandon(struct run *r, const char *message)
{
	AUTO_STRBUF struct strbuf path;

	strbuf_init(&path, URL_MAX);
	/* Withdrawing itself has failed. */
	if (r->take == was_abandoned) {
		r->transaction = NULL;
		finish(r, true, r->message != NULL ? r->message : message);
		return;
	}
	r->message = message;
	strbuf_adds(&path, API "/transactions/");
	url_add_segment(&path, r->transaction);
	call(r, "DELETE", strbuf_to_arena(&path, &r->base.arena), NULL,
	    was_abandoned);
}

/* Changing */

static const char *
shown_body(struct run *r, const struct httpc_reply *reply)
{
	size_t len =
	    reply->body_len < BODY_SHOWN ? reply->body_len : BODY_SHOWN;
	char *text = arena_strndup(&r->base.arena, reply->body, len);

	return text != NULL ? text : "";
}

static char *
change_message(
    struct run *r, const struct httpc_reply *reply, int commit, bool good)
{
	const char *doing = changes[r->change].doing;

	if (good)
		return MESSAGE(r,
		    ", backend:%s, serverid:%s, code:%d, transaction_id:%s, "
		    "commit:%d) %s",
		    r->backend, r->owner->serverid, reply->status,
		    r->transaction, commit, changes[r->change].done);
	return MESSAGE(r,
	    ", backend:%s, serverid:%s, code:%d, transaction_id:%s, commit:%d) "
	    "error %s the server - %s",
	    r->backend, r->owner->serverid, reply->status, r->transaction,
	    commit, doing, shown_body(r, reply));
}

static void
was_committed(struct run *r, const struct httpc_reply *reply)
{
	if (reply->status == 200 || reply->status == 202)
		finish(r, false, change_message(r, reply, 1, true));
	else if (!was_overtaken(r, reply))
		fail(r, change_message(r, reply, 1, false));
}

static void
was_changed(struct run *r, const struct httpc_reply *reply)
{
	const int *good = changes[r->change].good;
	AUTO_STRBUF struct strbuf path;

	strbuf_init(&path, URL_MAX);
	if (reply->status != good[0] && reply->status != good[1]) {
		if (!was_overtaken(r, reply))
			fail(r, change_message(r, reply, 0, false));
		return;
	}
	strbuf_adds(&path, API "/transactions/");
	url_add_segment(&path, r->transaction);
	strbuf_adds(&path, "?force_reload=false");
	call(r, "PUT", strbuf_to_arena(&path, &r->base.arena), NULL,
	    was_committed);
}

static char *
server_fault(struct run *r, const char *label, const char *why)
{
	if (label == NULL)
		return MESSAGE(r,
		    ", exception:ValueError, transaction_id:%s) the server: %s",
		    r->transaction, why);
	return MESSAGE(r,
	    ", exception:JSONDecodeError, label:%s, transaction_id:%s) %s",
	    label, r->transaction, why);
}

static void
change_server(struct run *r)
{
	struct error e = ERROR_INIT;
	AUTO_STRBUF struct strbuf path;
	const char *label = NULL;
	char *body = NULL;

	strbuf_init(&path, URL_MAX + QUERY_MAX);
	if (changes[r->change].has_body)
		body = haproxy_server(r->base.s, r->owner->serverid,
		    r->plan.address.text, r->plan.port, &r->base.arena, &label,
		    &e);
	if (error_is_set(&e)) {
		fail(r, server_fault(r, label, e.text));
		return;
	}
	strbuf_adds(&path, r->change == CHANGE_ADD ? r->servers : r->server);
	strbuf_adds(&path, "?force_reload=false&transaction_id=");
	url_add_segment(&path, r->transaction);
	call(r, changes[r->change].method,
	    strbuf_to_arena(&path, &r->base.arena), body, was_changed);
}

static void
transaction_begun(struct run *r, const struct httpc_reply *reply)
{
	if (was_overtaken(r, reply))
		return;
	if (reply->status >= 400) {
		raise_status(r, reply);
		return;
	}
	if (reply->status == 201)
		r->transaction = haproxy_transaction(
		    reply->body, reply->body_len, &r->base.arena);
	if (r->transaction == NULL)
		fail(r, MESSAGE(r, ") can't get transaction ID"));
	else
		change_server(r);
}

static void
begin_transaction(struct run *r)
{
	call(r, "POST",
	    arena_printf(&r->base.arena, API "/transactions?version=%" PRId64,
		r->version),
	    NULL, transaction_begun);
}

/* Looking */

static void
server_told(struct run *r, const struct httpc_reply *reply)
{
	if (r->base.s->destroy) {
		r->change = CHANGE_REMOVE;
		if (reply->status == 200)
			begin_transaction(r);
		else
			finish(r, false, NULL);
		return;
	}
	r->change = reply->status == 200 ? CHANGE_UPDATE : CHANGE_ADD;
	if (reply->status == 200 || reply->status == 404)
		begin_transaction(r);
	else
		fail(r,
		    MESSAGE(r,
			", backend:%s, serverid:%s, code:%d, "
			"transaction_id:None) error retrieving information "
			"about the server - %s",
			r->backend, r->owner->serverid, reply->status,
			shown_body(r, reply)));
}

static void
ask_server(struct run *r)
{
	AUTO_STRBUF struct strbuf path;

	strbuf_init(&path, URL_MAX);
	strbuf_adds(&path, API "/configuration/backends/");
	url_add_segment(&path, r->backend);
	strbuf_adds(&path, "/servers");
	r->servers = strbuf_to_arena(&path, &r->base.arena);
	strbuf_addc(&path, '/');
	url_add_segment(&path, r->owner->serverid);
	r->server = strbuf_to_arena(&path, &r->base.arena);
	call(r, "GET", r->server, NULL, server_told);
}

static void
backend_told(struct run *r, const struct httpc_reply *reply)
{
	char *fault;

	if (reply->status == 404 && r->base.s->destroy) {
		finish(r, false, NULL);
	} else if (reply->status == 404) {
		fail(r,
		    MESSAGE(r,
			", backend:%s, label:overlord.load-balancer.backend) "
			"backend is not found.",
			r->backend));
	} else if (reply->status != 200) {
		fail(r,
		    MESSAGE(r,
			", backend:%s, code:%d, "
			"label:overlord.load-balancer.backend) unexpected HTTP "
			"status code from Data Plane API.",
			r->backend, reply->status));
	} else if ((fault = haproxy_check(
			r->base.s, &r->base.arena, &r->plan)) != NULL) {
		fail(r, fault);
	} else {
		ask_server(r);
	}
}

static void
version_told(struct run *r, const struct httpc_reply *reply)
{
	AUTO_STRBUF struct strbuf path;
	size_t len = reply->body_len;
	struct error e = ERROR_INIT;
	uint64_t version;

	strbuf_init(&path, URL_MAX);
	if (!is_good(reply->status)) {
		raise_status(r, reply);
		return;
	}
	while (len > 0 && strchr(" \r\n", reply->body[len - 1]) != NULL)
		len--;
	if (num_u64_len(reply->body, len, 0, INT64_MAX, &version, &e) < 0) {
		raise(r, "ValueError",
		    arena_printf(&r->base.arena,
			"the version of the configuration is no number: %s",
			e.text));
		return;
	}
	r->version = (int64_t)version;
	r->backend = special_label(r->base.s, "load-balancer.backend");
	if (r->backend == NULL) {
		fail(r,
		    MESSAGE(r,
			", label:overlord.load-balancer.backend) backend has "
			"not been specified, but is required."));
		return;
	}
	strbuf_adds(&path, API "/configuration/backends/");
	url_add_segment(&path, r->backend);
	strbuf_adds(&path, "?full_section=false");
	call(r, "GET", strbuf_to_arena(&path, &r->base.arena), NULL,
	    backend_told);
}

static void
ask_version(struct run *r)
{
	if (r->owner->entrypoint == NULL)
		fail(r,
		    MESSAGE(r, ") Data Plane API client is not configured."));
	else
		call(
		    r, "GET", API "/configuration/version", NULL, version_told);
}

/* The client */

int
haproxy_start(struct haproxy *h, const struct special *s, special_done_fn *done,
    void *ctx, struct special_id *ret, struct error *e)
{
	AUTO_FREE struct run *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->owner = h;
	if (timer_init(&r->timer, h->loop, on_again, "haproxy", e) < 0)
		return -1;
	*ret = special_run_begin(&h->runs, &r->base, s, done, ctx);
	timer_arm(&r->timer, 0);
	(void)STEAL(r);
	return 0;
}

void
haproxy_cancel(struct haproxy *h, struct special_id id)
{
	special_run_cancel(&h->runs, id);
}

static void
take_config(struct haproxy *h, const struct config_service *c)
{
	h->entrypoint = service_entrypoint(&h->arena, c);
	h->authorization = service_authorization(&h->arena, c);
	h->t = c->t;
	if (c->cacert != NULL)
		h->cacert = arena_strdup(&h->arena, c->cacert);
}

int
haproxy_new(struct haproxy **ret, struct loop *l, struct httpc *http,
    const struct config_service *c, const char *serverid, struct error *e)
{
	AUTO(haproxy) struct haproxy *h = mem_calloc(1, sizeof(*h));

	if (h == NULL)
		return error_nomem(e);
	special_runs_init(&h->runs, run_free);
	h->loop = l;
	h->http = http;
	arena_init(&h->arena, ARENA_MAX);
	h->serverid = arena_strdup(&h->arena, serverid);
	if (service_is_set(c))
		take_config(h, c);
	if (arena_check(&h->arena, e) < 0)
		return -1;
	*ret = STEAL(h);
	return 0;
}

struct haproxy *
haproxy_free(struct haproxy *h)
{
	if (h == NULL)
		return NULL;
	special_runs_fini(&h->runs);
	if (h->authorization != NULL)
		mem_wipe(h->authorization, strlen(h->authorization));
	arena_fini(&h->arena);
	mem_free(h);
	return NULL;
}
