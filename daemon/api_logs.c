/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers of logs, Director's and AppJail's: the file worker reads them.
 */
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/names.h"

#define ARENA_MAX ((size_t)64 << 20)
#define WORDS_MAX 4

struct log_read {
	struct file_work file;
	struct api *api;
	struct req_id req;
	enum route_id route;
	struct arena arena;
	const char *words[WORDS_MAX];
	struct node *found;
	struct error e;
};

static void
read_it(struct file_work *w)
{
	struct log_read *l = container_of(w, struct log_read, file);
	struct inventory *inv = l->api->deps.inventory;
	struct arena *a = &l->arena;

	if (l->route == ROUTE_PROJECTS_LOGS)
		(void)inventory_director_logs(inv, a, &l->found, &l->e);
	else if (l->route == ROUTE_JAILS_LOGS)
		(void)inventory_jail_logs(inv, a, &l->found, &l->e);
	else if (l->route == ROUTE_PROJECTS_LOG)
		(void)inventory_director_log(
		    inv, l->words, a, &l->found, &l->e);
	else
		(void)inventory_jail_log(inv, l->words, a, &l->found, &l->e);
}

static void
no_log(struct api *api, struct http_req *req)
{
	api_reply_message(api, req, 404, "Log cannot be found.");
}

static void
was_read(struct work *w)
{
	struct log_read *l = container_of(w, struct log_read, file.work);
	struct http_req *req = api_find(l->api, l->req);

	if (req != NULL && l->e.code == OVE_NOTFOUND)
		no_log(l->api, req);
	else if (req != NULL && l->e.code == OVE_LIMIT)
		/* Nothing that waiting would help. */
		api_reply_message(l->api, req, 501, "%s", l->e.text);
	else if (req != NULL && error_is_set(&l->e))
		api_reply_error(l->api, req, &l->e);
	else if (req != NULL)
		api_reply(l->api, req, 200,
		    l->words[0] == NULL ? "logs" : "log_content", l->found);
	arena_fini(&l->arena);
	mem_free(l);
}

void
api_logs(struct api_call *c)
{
	struct log_read *l = mem_calloc(1, sizeof(*l));
	struct error e = ERROR_INIT;

	if (l == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	l->file.run = read_it;
	l->file.work.done = was_read;
	l->api = c->api;
	l->req = http_req_id(c->req);
	l->route = c->route;
	arena_init(&l->arena, ARENA_MAX);
	for (size_t i = 0; i < WORDS_MAX && c->params[i] != NULL; i++)
		l->words[i] = arena_strdup(&l->arena, c->params[i]);
	if (arena_check(&l->arena, &e) < 0) {
		arena_fini(&l->arena);
		mem_free(l);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	api_submit(c->api, &l->file);
}

bool
api_log_words_ok(struct api_call *c)
{
	for (size_t i = 0; i < WORDS_MAX && c->params[i] != NULL; i++) {
		if (!name_is_segment(c->params[i], strlen(c->params[i]))) {
			no_log(c->api, c->req);
			return false;
		}
	}
	return true;
}

void
api_jail_log(struct api_call *c)
{
	if (api_log_words_ok(c))
		api_logs(c);
}
