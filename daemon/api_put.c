/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How a request becomes a job: the job, its record of the audit trail and the
 * note of its Idempotency-Key are one batch, and the answer comes when that is
 * on disk. A request whose twin is on its way to the disk waits for the same
 * job. And the record of every other change, made after its answer.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/api_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/store/queue.h"

#define PAYLOAD_MAX ((size_t)64 << 20)

/* A job on its way to the disk; or one who waits for another's. */
struct put {
	struct api *api;
	struct req_id req;
	/* In api->puts, when it has a key. */
	TAILQ_ENTRY(put) link;
	bool has_key;
	struct idem_key key;
	/* Who waits for the same job. */
	struct put *next;
	/* For people, beside the id; "" for none. */
	char message[160];
};

static void
reply_job(struct api *api, struct http_req *req, struct job_id id,
    const char *message)
{
	struct arena *a = http_req_arena(req);
	struct node *map = node_new(a, NODE_MAP);

	node_set(a, map, "job_id", node_int(a, (int64_t)id.v));
	if (message[0] != '\0')
		node_set(a, map, "message", node_str(a, message));
	api_reply_map(api, req, 200, map);
}

static void
was_put(struct job_id id, const struct error *failed, void *ctx)
{
	struct put *p = ctx, *next;
	struct http_req *req;

	if (p->has_key)
		TAILQ_REMOVE(&p->api->puts, p, link);
	for (; p != NULL; p = next) {
		next = p->next;
		req = api_find(p->api, p->req);
		if (req != NULL && failed != NULL)
			api_reply_error(p->api, req, failed);
		else if (req != NULL)
			reply_job(p->api, req, id, p->message);
		mem_free(p);
	}
}

static void
reply_other(struct api_call *c)
{
	api_reply_message(c->api, c->req, 422,
	    "This Idempotency-Key has been used for another request.");
}

/* Has the twin of p, if there is one, answer it as well. True: p is taken, or
 * there was an answer. */
static bool
join_twin(struct api_call *c, struct put *p)
{
	struct put *q;

	TAILQ_FOREACH (q, &c->api->puts, link)
		if (strcmp(q->key.id, p->key.id) == 0)
			break;
	if (q == NULL)
		return false;
	if (strcmp(q->key.body, p->key.body) != 0) {
		mem_free(p);
		reply_other(c);
		return true;
	}
	p->next = q->next;
	q->next = p;
	return true;
}

/* True: p is taken, or has gone with an answer. */
static bool
is_known(struct api_call *c, struct put *p)
{
	struct error e = ERROR_INIT;
	struct job_id id;
	int r;

	if (!p->has_key)
		return false;
	if (join_twin(c, p))
		return true;
	r = idem_find(c->api->deps.store, &p->key, clock_wall_ms(), &id, &e);
	if (r == IDEM_NEW)
		return false;
	mem_free(p);
	if (r == 0)
		reply_job(c->api, c->req, id, "");
	else if (r == IDEM_OTHER)
		reply_other(c);
	else
		api_reply_error(c->api, c->req, &e);
	return true;
}

/* False after an answer. */
static bool
read_key(struct api_call *c, struct put *p)
{
	const char *key = http_req_header(c->req, "Idempotency-Key");
	struct http1_span body = http_req_body(c->req);
	const char *const parts[] = { key, c->token.id, http_req_method(c->req),
		http_req_path(c->req) };

	if (key == NULL)
		return true;
	if (!idem_key_ok(key)) {
		api_reply_message(c->api, c->req, 400,
		    "'Idempotency-Key' header is not 1 to 255 printable "
		    "characters.");
		return false;
	}
	p->has_key = true;
	idem_key_make(&p->key, parts, ARRAY_LEN(parts), body.p, body.len);
	return true;
}

/* What goes with the job. */
static int
fill_batch(
    struct api_call *c, struct put *p, struct store_batch *b, struct error *e)
{
	struct queue_stats st;

	api_audit(c, b);
	if (!p->has_key)
		return 0;
	queue_get_stats(c->api->deps.queue, &st);
	return idem_put(c->api->deps.store, b, &p->key, clock_wall_ms(),
	    (struct job_id){ st.next_id }, e);
}

void
api_put_job(struct api_call *c, const struct job *j, const char *message)
{
	AUTO_BATCH struct store_batch b;
	struct put *p = mem_calloc(1, sizeof(*p));
	struct error e = ERROR_INIT;
	struct job fresh = *j;

	store_batch_init(&b);
	if (p == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	p->api = c->api;
	p->req = http_req_id(c->req);
	if (message != NULL)
		(void)snprintf(p->message, sizeof(p->message), "%s", message);
	if (!read_key(c, p)) {
		mem_free(p);
		return;
	}
	if (is_known(c, p))
		return;
	fresh.by = api_by(c);
	fresh.request_id = http_req_request_id(c->req);
	if (fill_batch(c, p, &b, &e) < 0 ||
	    queue_put(c->api->deps.queue, &fresh, &b, was_put, p, &e) < 0) {
		mem_free(p);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (p->has_key)
		TAILQ_INSERT_TAIL(&c->api->puts, p, link);
}

void
api_put_payload(struct api_call *c, const char *kind, const char *lane,
    const struct node *payload, const char *message)
{
	struct error e = ERROR_INIT;
	const char *text = payload == NULL
	    ? NULL
	    : json_text(payload, JSON_COMPACT, PAYLOAD_MAX, c->arena, &e);

	if (text == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	api_put_job(c,
	    &(const struct job){ .kind = kind,
		.lane = lane,
		.name = c->params[0],
		.payload = text,
		.payload_len = strlen(text) },
	    message);
}

/* The audit trail */

void
api_audit(struct api_call *c, struct store_batch *b)
{
	const struct audit_entry x = {
		.at = clock_wall_ms(),
		.status = 200,
		.token = c->token.id,
		.address = http_req_peer(c->req),
		.request_id = http_req_request_id(c->req),
		.method = http_req_method(c->req),
		.path = http_req_path(c->req),
	};

	audit_put(c->api->deps.audit, b, &x);
	c->audited = true;
}

static void
was_audited(const struct error *failed, void *ctx)
{
	(void)ctx;
	if (failed != NULL)
		log_error("audit", NO_FIELDS,
		    "a change is not in the trail: %s", failed->text);
}

void
api_audit_done(const struct http_req *req, int status)
{
	static const char *const changes[] = { "POST", "PUT", "DELETE",
		"PATCH" };
	struct api_call *c = http_req_ctx(req);
	AUTO_BATCH struct store_batch b;
	struct error e = ERROR_INIT;
	size_t i = 0;

	store_batch_init(&b);
	while (i < ARRAY_LEN(changes) &&
	    strcmp(changes[i], http_req_method(req)) != 0)
		i++;
	if (i == ARRAY_LEN(changes) || c == NULL || c->audited ||
	    status < 200 || status > 299)
		return;
	b.reserve = true;
	api_audit(c, &b);
	if (store_submit(c->api->deps.store, &b, was_audited, NULL, &e) < 0)
		was_audited(&e, NULL);
}
