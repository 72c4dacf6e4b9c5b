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
#include "lib/data/json.h"
#include "lib/data/node.h"
#include "lib/store/queue.h"
#include "proto/msg.h"
#include "proto/names.h"

#define PAYLOAD_MAX ((size_t)64 << 20)

void
api_projects(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct node *list, *seen;

	if (inventory_projects(c->api->deps.inventory, c->arena, &list, &e) <
	    0) {
		api_reply_error(c->api, c->req, &e);
		return;
	}
	seen = node_new(c->arena, NODE_LIST);
	for (size_t i = 0; i < list->u.list.n; i++)
		if (api_sees(c, node_text(list->u.list.items[i])))
			node_add(c->arena, seen, list->u.list.items[i]);
	api_reply(c->api, c->req, 200, "projects", seen);
}

void
api_project_info(struct api_call *c)
{
	struct error e = ERROR_INIT;
	struct node *info = NULL;

	/* What cannot be described now still has its records. */
	if (inventory_describe(
		c->api->deps.inventory, c->params[0], c->arena, &info, &e) != 0)
		info = node_new(c->arena, NODE_MAP);
	error_clear(&e);
	if (record_add_all(
		c->api->deps.store, c->params[0], info, c->arena, &e) < 0)
		api_reply_error(c->api, c->req, &e);
	else if (info->u.map.n == 0)
		api_reply_message(c->api, c->req, 404,
		    "Project '%s' cannot be found.", c->params[0]);
	else
		api_reply(c->api, c->req, 200, "info", info);
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
	struct project_state st;

	inventory_project_state(c->api->deps.inventory, c->params[0], &st);
	api_reply_head(c->req, st.exists ? 200 : 404);
}

/* Jobs */

bool
api_has_director(struct api_call *c)
{
	AUTO_FREE char *path = NULL;
	struct error e = ERROR_INIT;

	if (program_find(c->api->config.director, &path, &e) == 0)
		return true;
	(void)error_wrap(&e, "nothing can be deployed here");
	api_reply_error(c->api, c->req, &e);
	return false;
}

static void
put_job(struct api_call *c, const char *kind, const char *lane,
    const struct node *payload, const char *message)
{
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;

	strbuf_init(&text, PAYLOAD_MAX);
	json_write(&text, payload, JSON_COMPACT);
	if (strbuf_check(&text, &e) < 0 || arena_check(c->arena, &e) < 0) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	api_put_job(c,
	    &(const struct job){ .kind = kind,
		.lane = lane,
		.name = c->params[0],
		.payload = text.buf,
		.payload_len = text.len },
	    message);
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
	if (up.reserve_port.n > 0) {
		api_reply_message(c->api, c->req, 501,
		    "'reserve_port' is not supported by this version.");
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
	node_set(a, m, "reserve_port", node_new(a, NODE_MAP));
	put_job(c, "create", c->params[0], m, NULL);
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
	put_job(c, "destroy", c->params[0], m, NULL);
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
	put_job(c, "cancel", "", m, message);
}
