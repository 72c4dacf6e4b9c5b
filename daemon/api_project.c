/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers about projects: the list, information, and the three requests that
 * become jobs. A job's payload is the message of the contract
 * (rest-api.md 5.1) as JSON; its lane is the project.
 */
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "daemon/program.h"
#include "daemon/record.h"
#include "daemon/runner.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/msg.h"
#include "proto/names.h"

static void
found_names(
    const struct inventory_names *names, const struct error *e, void *ctx)
{
	struct api_call *c = ctx;
	struct node *seen = node_new(c->arena, NODE_LIST);

	c->lookup.v = 0;
	for (size_t i = 0; names != NULL && i < names->n; i++)
		if (api_sees(c, names->items[i]))
			node_add(c->arena, seen,
			    node_str(c->arena, names->items[i]));
	if (names == NULL)
		api_reply_error(c->api, c->req, e);
	else
		api_reply(c->api, c->req, 200, "projects", seen);
}

void
api_projects(struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (inventory_names(c->api->deps.inventory, INVENTORY_PROJECTS,
		found_names, c, &c->lookup, &e) < 0)
		api_reply_error(c->api, c->req, &e);
}

/* What cannot be described now still has its records. */
static void
found_infos(const struct node *infos, bool too_many, void *ctx)
{
	struct api_call *c = ctx;
	const struct node *found = node_get(infos, c->params[0]);
	struct node *info = found != NULL ? node_copy(c->arena, found)
					  : node_new(c->arena, NODE_MAP);
	struct error e = ERROR_INIT;

	(void)too_many;
	c->lookup.v = 0;
	if (arena_check(c->arena, &e) < 0 ||
	    record_add_all(
		c->api->deps.store, c->params[0], info, c->arena, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else if (info->u.map.n == 0)
		api_reply_message(c->api, c->req, 404,
		    "Project '%s' cannot be found.", c->params[0]);
	else
		api_reply(c->api, c->req, 200, "info", info);
}

void
api_project_info(struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (inventory_infos(c->api->deps.inventory, c->params[0], 1,
		found_infos, c, &c->lookup, &e) < 0)
		api_reply_error(c->api, c->req, &e);
}

void
api_project_spec(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct node *spec;

	switch (record_get_spec(
	    c->api->deps.store, c->params[0], c->arena, &spec, &e)) {
	case 0:
		api_reply(c->api, c->req, 200, "spec", spec);
		return;
	case RECORD_NONE:
		api_reply_message(c->api, c->req, 404,
		    "Spec of project '%s' cannot be found.", c->params[0]);
		return;
	default:
		api_reply_error(c->api, c->req, &e);
	}
}

void
api_project_check(struct api_call *c)
{
	api_reply_head(c->req,
	    inventory_has(
		c->api->deps.inventory, INVENTORY_PROJECTS, c->params[0])
		? 200
		: 404);
}

/* Jobs */

bool
api_has_director(struct api_call *c)
{
	struct error e = ERROR_INIT;

	if (programs_have(c->api->config.programs, PROGRAM_DIRECTOR, &e) == 0)
		return true;
	(void)error_wrap(&e, "nothing can be deployed here");
	api_reply_error(c->api, c->req, &e);
	return false;
}

static struct node *
strings_node(struct arena *a, const char **keys, const char **items, size_t n)
{
	struct node *map = node_new(a, NODE_MAP);

	for (size_t i = 0; i < n; i++)
		node_set(a, map, keys[i],
		    items[i] != NULL ? node_str(a, items[i]) : node_null(a));
	return map;
}

void
api_project_up(struct api_call *c)
{
	struct arena *a = c->arena;
	struct node *m = node_new(a, NODE_MAP);
	struct error e = ERROR_INIT;
	struct msg_up up;

	if (msg_bind(&msg_up_schema, c->body, a, &up, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (!api_has_director(c))
		return;
	node_set(a, m, "director_file", node_str(a, up.director_file));
	node_set(a, m, "name", node_str(a, c->params[0]));
	node_set(a, m, "environment",
	    strings_node(a, up.environment.keys, up.environment.items,
		up.environment.n));
	node_set(a, m, "restart", node_bool(a, up.restart));
	node_set(a, m, "reserve_port",
	    strings_node(a, up.reserve_port.keys, up.reserve_port.items,
		up.reserve_port.n));
	api_put_payload(c, "create", c->params[0], m, NULL);
}

void
api_project_down(struct api_call *c)
{
	struct arena *a = c->arena;
	struct node *m = node_new(a, NODE_MAP);
	struct error e = ERROR_INIT;
	struct msg_down down;

	if (msg_bind(&msg_down_schema, c->body, a, &down, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	if (!api_has_director(c))
		return;
	node_set(a, m, "name", node_str(a, c->params[0]));
	node_set(a, m, "environment",
	    strings_node(a, down.environment.keys, down.environment.items,
		down.environment.n));
	node_set(a, m, "force", node_bool(a, down.force));
	api_put_payload(c, "destroy", c->params[0], m, NULL);
}

void
api_project_cancel(struct api_call *c)
{
	struct arena *a = c->arena;
	struct node *m = node_new(a, NODE_MAP);
	const char *step, *message = NULL;
	struct job_id running;

	node_set(a, m, "name", node_str(a, c->params[0]));
	running = runner_running(c->api->deps.runner, c->params[0], &step);
	if (running.v != 0 && strcmp(step, "down") == 0)
		message = arena_printf(a,
		    "job %llu is at 'down', which is left to finish",
		    (unsigned long long)running.v);
	api_put_payload(c, "cancel", "", m, message);
}
