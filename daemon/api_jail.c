/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers about jails: their list, their items, one function for all of them,
 * and the sum of what they use. The inventory looks up, and the answer goes out
 * when it has found; a request that is gone by then has cancelled its lookup.
 */
#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "lib/data/node.h"

/* By route. */
static const enum jail_item item_of[ROUTE_COUNT] = {
	[ROUTE_JAIL_STATS] = JAIL_STATS,
	[ROUTE_JAIL_INFO] = JAIL_INFO,
	[ROUTE_JAIL_CPUSET] = JAIL_CPUSET,
	[ROUTE_JAIL_DEVFS] = JAIL_DEVFS,
	[ROUTE_JAIL_EXPOSE] = JAIL_EXPOSE,
	[ROUTE_JAIL_HEALTHCHECK] = JAIL_HEALTHCHECK,
	[ROUTE_JAIL_LIMITS] = JAIL_LIMITS,
	[ROUTE_JAIL_FSTAB] = JAIL_FSTAB,
	[ROUTE_JAIL_LABELS] = JAIL_LABELS,
	[ROUTE_JAIL_NAT] = JAIL_NAT,
	[ROUTE_JAIL_VOLUMES] = JAIL_VOLUMES,
};

static void
found_item(const char *text, size_t len, void *ctx)
{
	struct api_call *c = ctx;

	c->lookup.v = 0;
	if (text == NULL)
		api_reply_message(c->api, c->req, 404,
		    "Jail '%s' cannot be found.", c->params[0]);
	else
		api_reply_json(c->api, c->req, 200,
		    inventory_item_member(item_of[c->route]), text, len);
}

void
api_jail_item(struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (inventory_item(c->api->deps.inventory, item_of[c->route],
		c->params[0], found_item, c, &c->lookup, &e) < 0)
		api_reply_error(c->api, c->req, &e);
}

void
api_jail_check(struct api_call *c)
{
	api_reply_head(c->req,
	    inventory_has(c->api->deps.inventory, INVENTORY_JAILS, c->params[0])
		? 200
		: 404);
}

static void
found_usage(const struct node *found, void *ctx)
{
	struct api_call *c = ctx;

	c->lookup.v = 0;
	api_reply(c->api, c->req, 200, "stats", found);
}

void
api_stats(struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (inventory_usage(
		c->api->deps.inventory, found_usage, c, &c->lookup, &e) < 0)
		api_reply_error(c->api, c->req, &e);
}

static void
found_names(
    const struct inventory_names *names, const struct error *e, void *ctx)
{
	struct api_call *c = ctx;
	struct node *list = node_new(c->arena, NODE_LIST);

	c->lookup.v = 0;
	for (size_t i = 0; names != NULL && i < names->n; i++)
		node_add(c->arena, list, node_str(c->arena, names->items[i]));
	if (names == NULL)
		api_reply_error(c->api, c->req, e);
	else
		api_reply(c->api, c->req, 200, "jails", list);
}

void
api_jails(struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (inventory_names(c->api->deps.inventory, INVENTORY_JAILS,
		found_names, c, &c->lookup, &e) < 0)
		api_reply_error(c->api, c->req, &e);
}
