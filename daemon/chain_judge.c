/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What has become of an attempt to forward a request, in the original's words
 * (rest-api.md 3.5.3), and what follows from that: whether and when it is
 * repeated, and what the breaker hears of it.
 */
#include <string.h>

#include "daemon/chain_internal.h"
#include "daemon/exception.h"
#include "lib/base/rand.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/net/backoff.h"

/* A call that was given less than this says nothing of a child that is late. */
#define PATIENCE_MS 100

const char forward_no_place[] = "PoolTimeout";
const char forward_no_memory[] = "MemoryError";

/* Whether somebody below has written this error: then it says nothing about
 * the hop, and whoever wrote it has tried again already. */
static bool
is_from_below(const struct chain_reply *r)
{
	return node_get(r->body, "function") != NULL;
}

bool
chain_reply_is_no_route(const struct chain_reply *r)
{
	const char *message = node_text(node_get(r->body, "message"));

	return r->error == NULL && r->status == 404 && !is_from_below(r) &&
	    message != NULL && strcmp(message, "Not Found") == 0;
}

/* Whether it was the caller who gave nobody the time to answer. */
static bool
was_impatient(const struct forward *f)
{
	return f->reply.error != NULL &&
	    strstr(f->reply.error, "Timeout") != NULL &&
	    f->given_ms < PATIENCE_MS;
}

/* Whether it was we who could not ask, or could not read the answer. */
static bool
was_our_fault(const struct forward *f)
{
	return f->reply.error == forward_no_place ||
	    f->reply.error == forward_no_memory;
}

enum breaker_event
forward_verdict(const struct forward *f)
{
	const struct chain_reply *r = &f->reply;

	if (r->error == NULL && r->status >= 200 && r->status < 300)
		return BREAKER_SUCCESS;
	if (r->error == NULL && r->status == 404 &&
	    strcmp(f->method, "HEAD") == 0)
		return BREAKER_SUCCESS;
	if (!f->tail || is_from_below(r) || was_impatient(f) ||
	    was_our_fault(f))
		return BREAKER_NEITHER;
	if (r->error != NULL)
		return BREAKER_FAILURE;
	return r->status >= 502 && r->status <= 504 ? BREAKER_FAILURE
						    : BREAKER_NEITHER;
}

bool
forward_may_repeat(const struct forward *f)
{
	const struct chain_reply *r = &f->reply;

	if (f->begun || f->attempt > f->retries ||
	    strcmp(f->method, "POST") == 0 || is_from_below(r))
		return false;
	if (r->error != NULL)
		return strcmp(r->error, "JSONDecodeError") != 0;
	return r->status == 429 || (r->status >= 502 && r->status <= 504);
}

int64_t
forward_wait_ms(const struct forward *f)
{
	const struct config_retry *r = &f->retry;
	const struct backoff b = {
		.max_ms = (int64_t)(r->max_backoff_wait * 1000),
		.factor_ms = (int64_t)(r->backoff_factor * 1000),
		.jitter = r->backoff_jitter,
	};

	if (r->respect_retry_after_header && f->retry_after > 0)
		return f->retry_after < b.max_ms / 1000 ? f->retry_after * 1000
							: b.max_ms;
	return backoff_ms(
	    &b, f->attempt, (double)rand_below(1000001) / 1000000);
}

void
forward_take_failure(struct forward *f, const struct httpc_failure *failed)
{
	f->reply.error = failed->kind == HTTPC_NOMEM
	    ? forward_no_memory
	    : exception_of_call(failed->kind);
	f->reply.message = arena_strdup(&f->outcome, failed->error.text);
	if (f->reply.message == NULL)
		f->reply.message = "";
}

void
forward_take_reply(struct forward *f, const struct httpc_reply *r)
{
	bool success = r->status >= 200 && r->status < 300;
	bool wants = success && strcmp(f->method, "HEAD") != 0 &&
	    strcmp(f->method, "DELETE") != 0;
	struct error e = ERROR_INIT;
	struct node *n = NULL;

	f->reply.status = r->status;
	f->retry_after = r->retry_after;
	if (r->body_len > 0 &&
	    json_read(r->body, r->body_len, &f->outcome, &n, &e) < 0) {
		/* The arena may have latched. */
		n = NULL;
		arena_reset(&f->outcome);
	}
	if (n != NULL && n->type == NODE_MAP)
		f->reply.body = n;
	if (!wants || f->reply.body != NULL)
		return;
	f->reply.error =
	    e.code == OVE_NOMEM ? forward_no_memory : "JSONDecodeError";
	f->reply.message = arena_strdup(&f->outcome,
	    error_is_set(&e) ? e.text : "the reply is not a JSON object");
	if (f->reply.message == NULL)
		f->reply.message = "";
}
