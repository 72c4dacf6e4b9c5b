/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers about tokens: those that were revoked, revoking one, and what was
 * changed with which (the audit trail).
 */
#include <string.h>

#include "daemon/api_internal.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"

#define LIST_DEFAULT 100

void
api_tokens(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct node *list;

	if (revoked_list(c->api->revoked, c->arena, &list, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else
		api_reply(c->api, c->req, 200, "tokens", list);
}

struct revoking {
	struct api *api;
	struct req_id req;
	char id[sizeof(((struct token_info *)NULL)->id)];
};

static void
was_revoked(const struct error *failed, void *ctx)
{
	struct revoking *v = ctx;
	struct http_req *req = api_find(v->api, v->req);

	if (req != NULL && failed != NULL)
		api_reply_error(v->api, req, failed);
	else if (req != NULL)
		api_reply_message(
		    v->api, req, 200, "Token '%s' has been revoked.", v->id);
	mem_free(v);
}

/* As token.h has them. */
static bool
is_id(const char *s)
{
	size_t len = strlen(s);

	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return len > 0 && len < sizeof(((struct token_info *)NULL)->id);
}

void
api_token_revoke(struct api_call *c)
{
	AUTO_BATCH struct store_batch b;
	const char *id = c->params[0];
	struct error e = ERROR_INIT;
	struct revoking *v;
	int r;

	store_batch_init(&b);
	if (!is_id(id)) {
		api_reply_message(c->api, c->req, 400,
		    "The id of a token has 1 to 64 printable characters.");
		return;
	}
	v = mem_calloc(1, sizeof(*v));
	if (v == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	v->api = c->api;
	v->req = http_req_id(c->req);
	memcpy(v->id, id, strlen(id));
	api_audit(c, &b);
	r = revoked_add(c->api->revoked, id, api_by(c), &b, was_revoked, v, &e);
	if (r == REVOKED_BEFORE) {
		/* Its record went with the batch that was not needed. */
		c->audited = false;
		was_revoked(NULL, v);
	} else if (r < 0) {
		mem_free(v);
		api_reply_error(c->api, c->req, &e);
	}
}

void
api_audit_trail(struct api_call *c)
{
	uint64_t limit = LIST_DEFAULT, before = 0;
	struct error e = ERROR_INIT;
	struct node *list;

	if (!api_query_number(c, "limit", &limit) ||
	    !api_query_number(c, "before", &before))
		return;
	if (audit_list(c->api->deps.audit, (size_t)limit, before, c->arena,
		&list, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else
		api_reply(c->api, c->req, 200, "audit", list);
}
