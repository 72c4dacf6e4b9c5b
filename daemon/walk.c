/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See walk.h. A spot is a server, an ask a request to it; both live in the
 * caller's arena. Asks wait in one list and are under way in another; with both
 * empty the walk is over.
 */
#include "daemon/walk.h"

#include <sys/queue.h>

#include <string.h>

#include "daemon/chain.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "proto/chainpath.h"
#include "proto/names.h"
#include "proto/route.h"

/* An original is one process with one thread. */
#define CALLS_MAX 16
#define SPOTS_MAX 1000
#define PROJECTS_MAX 100
#define PATH_MAX_LEN 8192
/* With less time than this nothing is asked any more: it would be the child's
 * failure. */
#define LEAST_MS 100

struct spot {
	struct walk *walk;
	struct spot *first;
	struct spot *last;
	struct spot *next;
	/* The chain path after the entry point. */
	const char *path;
	/* Levels that are wanted below it. */
	unsigned depth;
	/* What is known of it; chains come last. */
	struct node *map;
	struct node *info;
	bool has_chains;
};

struct ask {
	TAILQ_ENTRY(ask) link;
	struct spot *spot;
	enum route_id route;
	/* For ROUTE_PROJECT_INFO. */
	const char *project;
	struct forward_id id;
};

TAILQ_HEAD(ask_list, ask);

struct walk {
	struct chain *chain;
	struct loop *loop;
	struct walk_request rq;
	struct arena *arena;
	walk_done_fn *done;
	void *ctx;
	struct tree_room room;
	size_t spots_n;
	struct spot top;
	struct ask_list waiting;
	struct ask_list running;
	unsigned running_n;
	struct defer finish;
	/* The first request failed so. */
	bool has_failed;
	struct chain_reply failed;
};

static const struct {
	enum tree_word word;
	enum route_id route;
} lists[] = {
	{ TREE_LABELS, ROUTE_LABELS },
	{ TREE_PROJECTS, ROUTE_PROJECTS },
	{ TREE_JAILS, ROUTE_JAILS },
	{ TREE_STATS, ROUTE_STATS },
};

static bool
wants(const struct walk *w, enum tree_word word)
{
	return (w->rq.wish.words & 1u << word) != 0;
}

/* Asks */

static void
add_ask(struct spot *p, enum route_id route, const char *project)
{
	struct walk *w = p->walk;
	struct ask *k = arena_alloc(w->arena, sizeof(*k));

	if (k == NULL)
		return;
	k->spot = p;
	k->route = route;
	k->project = project;
	TAILQ_INSERT_TAIL(&w->waiting, k, link);
}

static void
add_spot(struct spot *parent, const char *name)
{
	struct walk *w = parent->walk;
	struct spot *p;

	if (w->spots_n >= SPOTS_MAX) {
		treenode_truncate(parent->map, "chains", w->arena);
		return;
	}
	if ((p = arena_alloc(w->arena, sizeof(*p))) == NULL)
		return;
	w->spots_n++;
	p->walk = w;
	p->path = parent->path[0] == '\0'
	    ? name
	    : arena_printf(w->arena, "%s.%s", parent->path, name);
	p->depth = parent->depth - 1;
	p->map = treenode_new(w->arena, name);
	if (parent->last != NULL)
		parent->last->next = p;
	else
		parent->first = p;
	parent->last = p;
	if (p->path != NULL && p->map != NULL)
		add_ask(p, ROUTE_CHAINS, NULL);
}

/* Replies */

static void
ask_words(struct spot *p)
{
	const struct walk *w = p->walk;
	bool all = wants(w, TREE_INFO) && w->rq.wish.project == NULL;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (wants(w, lists[i].word) ||
		    (all && lists[i].word == TREE_PROJECTS))
			add_ask(p, lists[i].route, NULL);
	if (!wants(w, TREE_INFO))
		return;
	p->info = node_new(w->arena, NODE_MAP);
	if (!all)
		add_ask(p, ROUTE_PROJECT_INFO, w->rq.wish.project);
}

static void
take_chains(struct spot *p, const struct node *list)
{
	size_t n = list != NULL && list->type == NODE_LIST ? list->u.list.n : 0;

	p->has_chains = p->depth > 0 || n == 0;
	if (!p->has_chains)
		treenode_truncate(p->map, "chains", p->walk->arena);
	for (size_t i = 0; p->has_chains && i < n; i++) {
		const char *name = node_text(list->u.list.items[i]);

		if (name != NULL && name_is_chain_part(name, strlen(name)))
			add_spot(p, arena_strdup(p->walk->arena, name));
	}
	ask_words(p);
}

/* Asks about each of the projects. */
static void
take_projects(struct spot *p, const struct node *list)
{
	struct arena *a = p->walk->arena;
	size_t n = list != NULL && list->type == NODE_LIST ? list->u.list.n : 0;

	if (!wants(p->walk, TREE_INFO) || p->walk->rq.wish.project != NULL)
		return;
	if (n > PROJECTS_MAX)
		treenode_truncate(p->map, tree_words[TREE_INFO], a);
	for (size_t i = 0; i < n && i < PROJECTS_MAX; i++) {
		const char *name = node_text(list->u.list.items[i]);

		if (name != NULL && name_is_project(name, strlen(name)))
			add_ask(p, ROUTE_PROJECT_INFO, arena_strdup(a, name));
	}
}

static void
take_info(struct spot *p, const char *project, const struct node *info)
{
	struct walk *w = p->walk;

	if (project == NULL || info == NULL || info->type != NODE_MAP)
		return;
	if (tree_fits(&w->room, info, 4))
		node_set(w->arena, p->info, project, node_copy(w->arena, info));
	else
		treenode_truncate(p->map, tree_words[TREE_INFO], w->arena);
}

static void
take_list(struct spot *p, enum route_id route, const struct node *body)
{
	struct walk *w = p->walk;
	const struct tree_rules all = { .wish = w->rq.wish };

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (lists[i].route == route)
			treenode_set_word(p->map, &all, lists[i].word,
			    node_get(body, tree_words[lists[i].word]), &w->room,
			    w->arena);
}

static void
take_reply(const struct ask *k, const struct node *body)
{
	struct spot *p = k->spot;

	switch (k->route) {
	case ROUTE_CHAINS:
		take_chains(p, node_get(body, "chains"));
		return;
	case ROUTE_PROJECT_INFO:
		take_info(p, k->project, node_get(body, "info"));
		return;
	case ROUTE_PROJECTS:
		take_projects(p, node_get(body, "projects"));
		break;
	default:
		break;
	}
	take_list(p, k->route, body);
}

static void
take_failure(const struct ask *k, const struct chain_reply *r)
{
	struct walk *w = k->spot->walk;
	struct arena *a = w->arena;

	/* It does not have the project, or has it no longer. */
	if (k->route == ROUTE_PROJECT_INFO && r->error == NULL &&
	    r->status == 404)
		return;
	treenode_fail_reply(k->spot->map, r, a);
	if (k->route != ROUTE_CHAINS || k->spot != &w->top)
		return;
	w->has_failed = true;
	w->failed = (struct chain_reply){
		/* A word of the program. */
		.error = r->error,
		.message =
		    r->message != NULL ? arena_strdup(a, r->message) : NULL,
		.status = r->status,
		.body = r->body != NULL ? node_copy(a, r->body) : NULL,
		.url = r->url != NULL ? arena_strdup(a, r->url) : NULL,
	};
}

/* Sending */

static void pump(struct walk *w);

static void
on_reply(const struct chain_reply *r, void *ctx)
{
	struct ask *k = ctx;
	struct walk *w = k->spot->walk;

	TAILQ_REMOVE(&w->running, k, link);
	w->running_n--;
	if (r->error == NULL && r->status >= 200 && r->status < 300)
		take_reply(k, r->body);
	else
		take_failure(k, r);
	pump(w);
}

static void
fail_here(const struct ask *k, const char *error, const char *message)
{
	const struct chain_reply r = { .error = error, .message = message };

	take_failure(k, &r);
}

/* k is in no list; it is in that of the running after success. */
static void
send_ask(struct walk *w, struct ask *k)
{
	AUTO_STRBUF struct strbuf path;
	struct error e = ERROR_INIT;
	struct chain_request rq = {
		.entrypoint = w->rq.entrypoint,
		.tail = k->spot->path[0] == '\0',
		.method = "GET",
		.request_id = w->rq.request_id,
		.via = w->rq.via,
		.left_ms = w->rq.due_ms - clock_mono_ms(),
		.once = true,
	};

	strbuf_init(&path, PATH_MAX_LEN);
	if (rq.left_ms < LEAST_MS) {
		fail_here(k, "ReadTimeout", "no time is left");
		return;
	}
	route_build(&path, k->route, k->spot->path, &k->project,
	    k->project != NULL ? 1 : 0);
	rq.path = path.buf;
	if (strbuf_check(&path, &e) < 0 ||
	    chain_forward(w->chain, &rq, on_reply, k, &k->id, &e) < 0) {
		fail_here(k, "ConnectError", e.text);
		return;
	}
	TAILQ_INSERT_TAIL(&w->running, k, link);
	w->running_n++;
}

static void
pump(struct walk *w)
{
	struct ask *k;

	while (w->running_n < CALLS_MAX &&
	    (k = TAILQ_FIRST(&w->waiting)) != NULL) {
		TAILQ_REMOVE(&w->waiting, k, link);
		send_ask(w, k);
	}
	if (w->running_n == 0)
		loop_defer(w->loop, &w->finish);
}

/* The end */

static struct node *
node_of(const struct spot *p)
{
	struct arena *a = p->walk->arena;
	struct node *chains;

	node_set(a, p->map, "walked", node_bool(a, true));
	if (p->info != NULL)
		node_set(a, p->map, tree_words[TREE_INFO], p->info);
	if (!p->has_chains)
		return p->map;
	chains = node_new(a, NODE_LIST);
	/* Not deeper than TREE_DEPTH_LIMIT. */
	for (const struct spot *c = p->first; c != NULL; c = c->next)
		node_add(a, chains, node_of(c));
	node_set(a, p->map, "chains", chains);
	return p->map;
}

static void
on_finish(struct defer *d)
{
	struct walk *w = container_of(d, struct walk, finish);

	if (w->has_failed)
		w->done(NULL, &w->failed, w->ctx);
	else
		w->done(node_of(&w->top), NULL, w->ctx);
}

/* How many names the path may still get. */
static unsigned
names_left(const char *rest)
{
	unsigned n = rest[0] != '\0' ? 2 : 1;

	for (; *rest != '\0'; rest++)
		n += *rest == '.';
	return n < CHAINPATH_MAX ? CHAINPATH_MAX - n : 0;
}

int
walk_start(struct walk **ret, struct chain *ch, struct loop *l,
    const struct walk_request *rq, struct arena *a, walk_done_fn *done,
    void *ctx, struct error *e)
{
	AUTO(walk) struct walk *w = mem_calloc(1, sizeof(*w));
	unsigned most = names_left(rq->rest);

	if (w == NULL)
		return error_nomem(e);
	w->chain = ch;
	w->loop = l;
	w->rq = *rq;
	w->arena = a;
	w->done = done;
	w->ctx = ctx;
	w->room = TREE_ROOM;
	TAILQ_INIT(&w->waiting);
	TAILQ_INIT(&w->running);
	defer_init(&w->finish, on_finish, "walk");
	w->top.walk = w;
	w->top.path = rq->rest;
	w->top.depth = rq->depth < most ? rq->depth : most;
	w->top.map = treenode_new(a, NULL);
	add_ask(&w->top, ROUTE_CHAINS, NULL);
	if (arena_check(a, e) < 0)
		return -1;
	pump(w);
	*ret = STEAL(w);
	return 0;
}

struct walk *
walk_free(struct walk *w)
{
	struct ask *k;

	if (w == NULL)
		return NULL;
	TAILQ_FOREACH (k, &w->running, link)
		chain_cancel(w->chain, k->id);
	defer_cancel(&w->finish);
	mem_free(w);
	return NULL;
}
