/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers about the server itself: the root, ping, labels, chains and
 * their breakers, jails.
 */
#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "daemon/metrics.h"
#include "lib/data/node.h"
#include "proto/openapi.h"

#define METRICS_MAX ((size_t)16 << 20)

void
api_root(struct api_call *c)
{
	api_reply_message(c->api, c->req, 400,
	    "API resource must be specified but is missing.");
}

void
api_ping(struct api_call *c)
{
	api_reply(c->api, c->req, 200, "status", node_str(c->arena, "OK"));
}

void
api_openapi(struct api_call *c)
{
	struct strbuf *text = &c->api->openapi;
	struct error e = ERROR_INIT;

	/* Made once, since it follows from tables only. */
	if (text->len == 0 && openapi_write(text, &e) < 0) {
		strbuf_reset(text);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	api_reply_body(c, TYPE_JSON, text->buf, text->len);
}

void
api_metrics(struct api_call *c)
{
	const struct api_deps *deps = &c->api->deps;
	const struct metrics_sources from = {
		.loop = deps->loop,
		.store = deps->store,
		.queue = deps->queue,
		.proctab = deps->proctab,
		.chain = deps->chain,
		.inventory = deps->inventory,
		.httpd = c->api->httpd,
	};
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;

	strbuf_init(&text, METRICS_MAX);
	if (metrics_write(deps->metrics, &from, &text, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else
		api_reply_body(c, TYPE_METRICS, text.buf, text.len);
}

struct node *
api_labels_node(struct api_call *c)
{
	const struct api_config *cfg = &c->api->config;
	struct node *list = node_new(c->arena, NODE_LIST);

	for (size_t i = 0; i < cfg->labels_n; i++)
		node_add(c->arena, list, node_str(c->arena, cfg->labels[i]));
	return list;
}

void
api_labels(struct api_call *c)
{
	api_reply(c->api, c->req, 200, "labels", api_labels_node(c));
}

void
api_chains(struct api_call *c)
{
	api_reply(c->api, c->req, 200, "chains",
	    chain_list(c->api->deps.chain, c->arena));
}

void
api_breakers(struct api_call *c)
{
	api_reply(c->api, c->req, 200, "breakers",
	    chain_breakers(c->api->deps.chain, c->arena));
}
