/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Handlers of logs, Director's and AppJail's: the file worker reads them.
 * Those that are followed are in api_logtail.c.
 */
#include <string.h>

#include "daemon/api_internal.h"
#include "daemon/inventory.h"
#include "daemon/logtext.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "proto/detail.h"
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
	/* In what is shown; -1: as a whole. */
	int64_t offset;
	struct node *found;
	struct error e;
};

/* What cannot change any more, from the offset on. */
static int
read_from(struct log_read *l, struct error *e)
{
	AUTO_STRBUF struct strbuf clean;
	AUTO_FREE char *text = NULL;
	AUTO_FD int fd = -1;
	struct arena *a = &l->arena;
	struct logtext t;
	size_t len, from;

	strbuf_init(&clean, 3 * INVENTORY_LOG_MAX);
	if (api_log_open(l->api, l->route, l->words, &fd, e) < 0 ||
	    file_read_fd(fd, INVENTORY_LOG_MAX, &text, &len, e) < 0)
		return -1;
	logtext_init(&t);
	logtext_feed(&t, &clean, text, len);
	logtext_fini(&t);
	if (strbuf_check(&clean, e) < 0)
		return -1;
	from = (uint64_t)l->offset < clean.len ? (size_t)l->offset : clean.len;
	l->found = node_new(a, NODE_MAP);
	node_set(a, l->found, "log_content",
	    node_strn(a, clean.buf + from, clean.len - from));
	node_set(a, l->found, "offset", node_int(a, l->offset));
	node_set(a, l->found, "next",
	    node_int(a, l->offset + (int64_t)(clean.len - from)));
	node_set(a, l->found, "size", node_int(a, (int64_t)clean.len));
	return arena_check(a, e);
}

static void
read_it(struct file_work *w)
{
	struct log_read *l = container_of(w, struct log_read, file);
	struct inventory *inv = l->api->deps.inventory;
	struct arena *a = &l->arena;

	if (l->offset >= 0)
		(void)read_from(l, &l->e);
	else if (l->route == ROUTE_PROJECTS_LOGS)
		(void)inventory_director_logs(inv, a, &l->found, &l->e);
	else if (l->route == ROUTE_JAILS_LOGS)
		(void)inventory_jail_logs(inv, a, &l->found, &l->e);
	else if (l->route == ROUTE_PROJECTS_LOG)
		(void)inventory_director_log(
		    inv, l->words, a, &l->found, &l->e);
	else
		(void)inventory_jail_log(inv, l->words, a, &l->found, &l->e);
}

int
api_log_open(struct api *api, enum route_id route, const char *const *words,
    int *ret, struct error *e)
{
	struct inventory *inv = api->deps.inventory;

	return route == ROUTE_PROJECTS_LOG
	    ? inventory_director_log_open(inv, words, ret, e)
	    : inventory_jail_log_open(inv, words, ret, e);
}

static void
no_log(struct api *api, struct http_req *req)
{
	api_reply_message(api, req, 404, "Log cannot be found.");
}

void
api_log_failed(struct api *api, struct http_req *req, const struct error *e)
{
	if (e->code == OVE_NOTFOUND)
		no_log(api, req);
	else if (e->code == OVE_LIMIT)
		/* Nothing that waiting would help. */
		api_reply_message(api, req, 501, "%s", e->text);
	else
		api_reply_error(api, req, e);
}

static void
was_read(struct work *w)
{
	struct log_read *l = container_of(w, struct log_read, file.work);
	struct http_req *req = api_find(l->api, l->req);

	if (req != NULL && error_is_set(&l->e))
		api_log_failed(l->api, req, &l->e);
	else if (req != NULL && l->offset >= 0)
		api_reply_map(l->api, req, 200, l->found);
	else if (req != NULL)
		api_reply(l->api, req, 200,
		    l->words[0] == NULL ? "logs" : "log_content", l->found);
	arena_fini(&l->arena);
	mem_free(l);
}

/* Of an offset -1: there is none. False after an answer. */
static bool
query_slice(struct api_call *c, int64_t *offset, uint64_t *following)
{
	uint64_t n = 0;
	char *text;

	*offset = -1;
	*following = 0;
	if (route_query(c->route, NULL) == NULL)
		return true;
	if (!api_query(c, "offset", &text) ||
	    !api_query_number(c, "offset", &n) ||
	    !api_query_number(c, "follow", following))
		return false;
	if (text != NULL)
		*offset = (int64_t)n;
	return true;
}

static void
read_log(struct api_call *c, int64_t offset)
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
	l->offset = offset;
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

void
api_logs(struct api_call *c)
{
	uint64_t following;
	int64_t offset;

	if (!query_slice(c, &offset, &following))
		return;
	if (following != 0)
		api_log_follow(c, offset > 0 ? (uint64_t)offset : 0);
	else
		read_log(c, offset);
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
