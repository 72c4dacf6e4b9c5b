/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One request on its way to the next hop: attempts, waits between them, one
 * outcome. All attempts fit in the time that the caller has left, and the next
 * hop is told a little less of it, so that its answer comes before we give up.
 * Whatever ends a forward, its ticket goes back to the breaker once.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/chain_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "proto/config.h"
#include "proto/detail.h"

#define REPLY_MAX ((size_t)32 << 20)
#define ARENA_MAX ((size_t)256 << 20)
/* Of the time left, one in so many stays with us. */
#define DEADLINE_SHARE 20

static void attempt(struct forward *f);

/* Breaker */

static void
give_back(struct forward *f, enum breaker_event event)
{
	struct hop *h = chain_hop_any(f->chain, f->hop);
	const struct breaker_config c = chain_breaker_config(f->chain);
	enum breaker_state was, is;

	if (!f->ticketed || h == NULL)
		return;
	f->ticketed = false;
	was = breaker_state(&h->breaker, &c, clock_mono_ms());
	(void)breaker_step(&h->breaker, &c, event, &f->ticket, clock_mono_ms());
	is = breaker_state(&h->breaker, &c, clock_mono_ms());
	if (event == BREAKER_SUCCESS)
		chain_hop_set_sick(h, false);
	if (is != was)
		log_notice("chain",
		    FIELDS(LF_S("chain", h->name),
			LF_S("state", breaker_state_text(is)),
			LF_I("failures", h->breaker.failures)),
		    "breaker");
	chain_hop_tell(h);
}

/* Ends */

static struct forward *
forward_free(struct forward *f)
{
	if (f == NULL)
		return NULL;
	timer_fini(&f->timer);
	arena_fini(&f->arena);
	arena_fini(&f->outcome);
	mem_free(f);
	return NULL;
}

AUTO_DEFINE(forward)

static void
finish(struct forward *f)
{
	struct hop *h = chain_hop(f->chain, f->hop);
	enum breaker_event v = forward_verdict(f);

	if (h != NULL && v == BREAKER_FAILURE)
		h->original_until_ms = 0;
	if (h != NULL && f->ticketed && v == BREAKER_FAILURE)
		h->failed++;
	give_back(f, v);
	TAILQ_REMOVE(&f->chain->forwards, f, link);
	f->done(&f->reply, f->ctx);
	(void)forward_free(f);
}

static void
on_wait(struct timer *t)
{
	struct forward *f = container_of(t, struct forward, timer);

	if (f->ending)
		finish(f);
	else
		attempt(f);
}

/* Places: a hop takes so many calls at the same time */

/* Streams last as long as their readers like: httpc has a limit of its own for
 * them. */
static bool
is_stream(const struct forward *f)
{
	return f->stream.type != NULL;
}

/* Calls under way: to the hop of this one, and to all. */
struct beside {
	unsigned hop;
	unsigned all;
};

static struct beside
calls_beside(const struct forward *f)
{
	const struct forward *other;
	struct beside n = { 0 };

	TAILQ_FOREACH (other, &f->chain->forwards, link) {
		if (other->call.v == 0 || is_stream(other))
			continue;
		n.all++;
		n.hop += strcmp(other->hop, f->hop) == 0;
	}
	return n;
}

static bool
has_place(const struct forward *f, struct beside n)
{
	int64_t most = f->t.max_connections;

	if (is_stream(f))
		return true;
	if (most <= 0 || most > CHAIN_HOP_CALLS_MAX)
		most = CHAIN_HOP_CALLS_MAX;
	return n.hop < most && n.all < CHAIN_CALLS_MAX;
}

/* A call has ended: who has waited longest goes on. */
static void
pass_place(struct chain *ch)
{
	struct forward *f;

	TAILQ_FOREACH (f, &ch->forwards, link) {
		if (f->place_due_ms == 0 || !has_place(f, calls_beside(f)))
			continue;
		timer_arm(&f->timer, 0);
		return;
	}
}

/* The outcome is known, but its receiver must not be called here. */
static void
end_soon(struct forward *f, const char *error, const char *message)
{
	f->reply = (struct chain_reply){
		.error = error,
		.message = arena_strdup(&f->arena, message),
		.url = f->url,
	};
	if (f->reply.message == NULL)
		f->reply.message = "";
	f->ending = true;
	timer_arm(&f->timer, 0);
}

/* Waits for a place as long as there is time. */
static void
wait_for_place(struct forward *f)
{
	int64_t now = clock_mono_ms();

	if (f->place_due_ms == 0)
		f->place_due_ms =
		    f->t.pool_ms > 0 && now + f->t.pool_ms < f->deadline_ms
		    ? now + f->t.pool_ms
		    : f->deadline_ms;
	if (now < f->place_due_ms) {
		timer_arm(&f->timer, f->place_due_ms - now);
		return;
	}
	f->place_due_ms = 0;
	end_soon(f, forward_no_place, "too many calls to it are under way");
}

/* Another attempt, if there is one, or the end. */
static void
judge(struct forward *f)
{
	int64_t wait;

	if (forward_may_repeat(f)) {
		wait = forward_wait_ms(f);
		if (clock_mono_ms() + wait < f->deadline_ms) {
			timer_arm(&f->timer, wait);
			return;
		}
	}
	finish(f);
}

/* Attempts */

static void
on_done(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct forward *f = ctx;

	(void)id;
	f->call.v = 0;
	pass_place(f->chain);
	arena_reset(&f->outcome);
	f->reply = (struct chain_reply){ .url = f->url };
	f->retry_after = -1;
	if (failed != NULL)
		forward_take_failure(f, failed);
	else if (f->begun)
		f->reply.status = r->status;
	else
		forward_take_reply(f, r);
	judge(f);
}

/* Whether it may be handed on as it is: it begins as only ours write it, and
 * with the member that would have to be there. */
static bool
is_ours(const struct forward *f, const struct httpc_reply *r)
{
	size_t len = strlen(f->stream.opening);

	return r->body_len >= len &&
	    memcmp(r->body, f->stream.opening, len) == 0 &&
	    !chain_is_original(f->chain, f->hop);
}

static bool
on_head(struct call_id id, const struct httpc_reply *r, void *ctx)
{
	struct forward *f = ctx;
	const char *type = is_stream(f) ? f->stream.type : TYPE_JSON;

	(void)id;
	if (r->status != 200 ||
	    strncmp(r->content_type, type, strlen(type)) != 0 ||
	    (!is_stream(f) && !is_ours(f, r)))
		return false;
	f->begun = true;
	/* What has an end is judged by it. */
	if (is_stream(f))
		give_back(f, BREAKER_SUCCESS);
	/* f may be gone after this. */
	f->stream.begun(r->length, f->ctx);
	return true;
}

static void
on_piece(struct call_id id, const char *p, size_t len, void *ctx)
{
	struct forward *f = ctx;

	(void)id;
	f->stream.piece(p, len, f->ctx);
}

static int
send_out(struct forward *f, const struct httpc_request *rq, struct error *e)
{
	const struct httpc_stream s = {
		.head = on_head,
		.piece = on_piece,
		.done = on_done,
		.idle_ms = f->stream.idle_ms,
		.whole_max = CHAIN_WHOLE_MAX,
	};

	if (is_stream(f))
		return httpc_stream(f->chain->httpc, rq, &s, f, &f->call, e);
	if (f->stream.opening != NULL)
		return httpc_call_long(f->chain->httpc, rq, &s, f, &f->call, e);
	return httpc_call(f->chain->httpc, rq, on_done, f, &f->call, e);
}

static int64_t
positive(int64_t ms)
{
	return ms > 0 ? ms : 0;
}

/* Whether the connection is to be used again: no more of them than so many are
 * left idle. */
static bool
is_kept(const struct forward *f, struct beside n)
{
	int64_t most = f->t.max_keepalive_connections;

	return f->t.keepalive_expiry_ms != 0 && (most < 0 || n.hop < most);
}

static void
attempt(struct forward *f)
{
	int64_t left = f->deadline_ms - clock_mono_ms();
	const struct beside beside = calls_beside(f);
	bool waited = f->place_due_ms != 0;
	/* Nobody below need work longer than we wait. */
	int64_t wait =
	    f->t.read_ms > 0 && f->t.read_ms < left ? f->t.read_ms : left;
	int64_t share = wait - wait / DEADLINE_SHARE;
	char deadline[64];
	struct httpc_request rq = {
		.method = f->method,
		.url = f->url,
		.headers = f->headers,
		.body = f->body,
		.body_len = f->body != NULL ? strlen(f->body) : 0,
		.connect_ms = positive(f->t.connect_ms),
		.read_ms = positive(f->t.read_ms),
		.write_ms = f->t.write_ms > 0 ? f->t.write_ms : -1,
		.total_ms = left,
		.close = !is_kept(f, beside),
		.keep_ms = f->t.keepalive_expiry_ms,
		.cacert = f->cacert,
		.reply_max = REPLY_MAX,
	};
	struct error e = ERROR_INIT;

	if (!has_place(f, beside)) {
		wait_for_place(f);
		return;
	}
	f->place_due_ms = 0;
	/* Who has waited for a place gives the child less than it was given. */
	if (f->attempt == 0)
		f->given_ms = left;
	if (left <= 0) {
		end_soon(f, "ReadTimeout", "no time is left");
		return;
	}
	(void)snprintf(deadline, sizeof(deadline),
	    "X-Overlord-Deadline-Ms: %lld", (long long)(share > 1 ? share : 1));
	f->headers[f->headers_n] = deadline;
	f->attempt++;
	if (send_out(f, &rq, &e) < 0)
		end_soon(f,
		    e.code == OVE_LIMIT       ? forward_no_place
			: e.code == OVE_NOMEM ? forward_no_memory
					      : "ConnectError",
		    e.text);
	f->headers[f->headers_n] = NULL;
	/* There may be more than one. */
	if (waited)
		pass_place(f->chain);
}

/* Beginnings */

static void
add_header(struct forward *f, const char *name, const char *value)
{
	if (value != NULL)
		f->headers[f->headers_n++] =
		    arena_printf(&f->arena, "%s: %s", name, value);
}

static void
add_headers(
    struct forward *f, const struct hop *h, const struct chain_request *rq)
{
	const char *id = f->chain->serverid;

	add_header(f, "Authentication",
	    arena_printf(&f->arena, "Bearer %s", h->config->access_token));
	if (rq->body != NULL)
		add_header(f, "Content-Type", TYPE_JSON);
	add_header(f, "X-Request-Id", rq->request_id);
	add_header(f, "Idempotency-Key", rq->idempotency_key);
	add_header(f, "Last-Event-ID", rq->last_event_id);
	if (rq->lease_ms > 0)
		add_header(f, "X-Overlord-Lease-Ms",
		    arena_printf(&f->arena, "%lld", (long long)rq->lease_ms));
	add_header(f, "X-Overlord-Via",
	    rq->via != NULL ? arena_printf(&f->arena, "%s,%s", rq->via, id)
			    : id);
}

static const char *
url_of(struct arena *a, const char *entrypoint, const char *path)
{
	size_t len = strcspn(entrypoint, "?#");

	while (len > 0 && entrypoint[len - 1] == '/')
		len--;
	return arena_printf(a, "%.*s%s", (int)len, entrypoint, path);
}

static int
forward_new(struct forward **ret, struct hop *h, const struct chain_request *rq,
    struct error *e)
{
	AUTO(forward) struct forward *f = mem_calloc(1, sizeof(*f));
	struct arena *a;

	if (f == NULL)
		return error_nomem(e);
	a = &f->arena;
	arena_init(a, ARENA_MAX);
	arena_init(&f->outcome, ARENA_MAX);
	f->chain = h->chain;
	f->hop = arena_strdup(a, h->name);
	f->method = arena_strdup(a, rq->method);
	f->url = url_of(a, h->config->entrypoint, rq->path);
	f->body = rq->body != NULL ? arena_strdup(a, rq->body) : NULL;
	f->cacert = h->config->cacert != NULL
	    ? arena_strdup(a, h->config->cacert)
	    : NULL;
	f->t = h->config->t;
	f->retry = h->config->retry;
	f->retries = !rq->once && f->retry.total.value > 0
	    ? (unsigned)f->retry.total.value
	    : 0;
	f->deadline_ms = clock_mono_ms() + rq->left_ms;
	f->tail = rq->tail;
	add_headers(f, h, rq);
	if (arena_check(a, e) < 0 ||
	    timer_init(&f->timer, h->chain->loop, on_wait, "forward", e) < 0)
		return -1;
	*ret = STEAL(f);
	return 0;
}

static void
launch(
    struct forward *f, chain_done_fn *done, void *ctx, struct forward_id *ret)
{
	f->id.v = ++f->chain->last_id;
	f->done = done;
	f->ctx = ctx;
	*ret = f->id;
	TAILQ_INSERT_TAIL(&f->chain->forwards, f, link);
	if (!f->ending)
		attempt(f);
}

/* Whether it may go out; if not, it ends soon. */
static void
pass_breaker(struct forward *f, struct hop *h)
{
	const struct chain *ch = f->chain;
	const struct breaker_config c = chain_breaker_config(ch);
	bool strict =
	    ch->config->autodisable.enabled && ch->config->autodisable.strict;
	int64_t now = clock_mono_ms();
	int rc = 0;

	if (f->tail && strict && chain_hop_is_sick(h))
		rc = BREAKER_REFUSED;
	else
		rc = breaker_step(&h->breaker, &c,
		    f->tail && strict ? BREAKER_ASK : BREAKER_PASS, &f->ticket,
		    now);
	if (rc == BREAKER_REFUSED) {
		h->refused++;
		end_soon(
		    f, "UnavailableChain", "Chain disabled by smart timeouts");
		return;
	}
	f->ticketed = true;
	h->calls++;
	chain_hop_tell(h);
	/* Somebody further down is meant: one try, and a short one. */
	if (!f->tail && chain_hop_is_open(h))
		f->retries = 0;
}

int
chain_stream(struct chain *ch, const struct chain_request *rq,
    const struct chain_stream *s, chain_done_fn *done, void *ctx,
    struct forward_id *ret, struct error *e)
{
	struct hop *h = chain_hop(ch, rq->entrypoint);
	struct forward *f;

	if (h == NULL)
		return error_set(e, OVE_NOTFOUND,
		    "Next entrypoint '%s' cannot be found.", rq->entrypoint);
	if (forward_new(&f, h, rq, e) < 0)
		return -1;
	f->stream = *s;
	pass_breaker(f, h);
	launch(f, done, ctx, ret);
	return 0;
}

int
chain_forward(struct chain *ch, const struct chain_request *rq,
    chain_done_fn *done, void *ctx, struct forward_id *ret, struct error *e)
{
	return chain_stream(
	    ch, rq, &(struct chain_stream){ 0 }, done, ctx, ret, e);
}

int
forward_ping(
    struct hop *h, chain_done_fn *done, struct forward_id *ret, struct error *e)
{
	const struct chain_request rq = {
		.entrypoint = h->name,
		.method = "GET",
		.path = "/v1/ping",
		.left_ms = CHAIN_DEADLINE_MS,
	};
	struct forward *f;

	if (forward_new(&f, h, &rq, e) < 0)
		return -1;
	launch(f, done, h, ret);
	return 0;
}

static void
drop(struct forward *f)
{
	struct chain *ch = f->chain;

	if (f->call.v != 0)
		httpc_cancel(ch->httpc, f->call);
	give_back(f, BREAKER_NEITHER);
	TAILQ_REMOVE(&ch->forwards, f, link);
	(void)forward_free(f);
	pass_place(ch);
}

static struct forward *
find(const struct chain *ch, struct forward_id id)
{
	struct forward *f;

	TAILQ_FOREACH (f, &ch->forwards, link)
		if (f->id.v == id.v)
			return f;
	return NULL;
}

void
chain_cancel(struct chain *ch, struct forward_id id)
{
	struct forward *f = find(ch, id);

	if (f != NULL)
		drop(f);
}

void
chain_pause(struct chain *ch, struct forward_id id)
{
	const struct forward *f = find(ch, id);

	if (f != NULL && f->call.v != 0)
		httpc_pause(ch->httpc, f->call);
}

void
chain_resume(struct chain *ch, struct forward_id id)
{
	const struct forward *f = find(ch, id);

	if (f != NULL && f->call.v != 0)
		httpc_resume(ch->httpc, f->call);
}

void
forward_cancel_all(struct chain *ch)
{
	struct forward *f;

	while ((f = TAILQ_FIRST(&ch->forwards)) != NULL)
		drop(f);
}
