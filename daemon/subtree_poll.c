/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A child that is an original has no events: it is asked for its projects, then
 * for each of them, one request at a time, and what has become of the last
 * `up` and `down` since the last round is told as an event of type "project".
 * The first round only looks. Where a round cannot be ended the next one begins
 * anew; projects that are gone are forgotten.
 */
#include <string.h>

#include "daemon/subtree_internal.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/data/node.h"
#include "proto/config.h"
#include "proto/names.h"
#include "proto/route.h"

/* More are not looked at. */
#define PROJECTS_MAX 256
#define ROUND_MS 15000
#define ROUND_MIN_MS 1000
#define ARENA_MAX ((size_t)1 << 20)
#define PATH_MAX_LEN 1024
#define WORD_MAX 32
#define JOB_MAX 32
#define RECORDS 2

static const char *const record_words[RECORDS] = { "up", "down" };

struct record_seen {
	char operation[WORD_MAX];
	char job[JOB_MAX];
};

struct seen {
	TAILQ_ENTRY(seen) link;
	/* Its records have been looked at. */
	bool known;
	/* It was in the list of this round. */
	bool listed;
	struct record_seen records[RECORDS];
	char name[];
};

struct poll {
	struct branch *branch;
	struct forward_id call;
	struct timer timer;
	TAILQ_HEAD(seen_list, seen) projects;
	size_t projects_n;
	/* The one that is being asked for. */
	struct seen *at;
	/* A whole round is behind us. */
	bool looked;
};

static void next_project(struct poll *p);

static int64_t
round_ms(const struct poll *p)
{
	int64_t ms = p->branch->subtree->config->polling.heartbeat_ms;

	if (ms < 0)
		return ROUND_MS;
	return ms < ROUND_MIN_MS ? ROUND_MIN_MS : ms;
}

static void
end_round(struct poll *p)
{
	p->at = NULL;
	timer_arm(&p->timer, round_ms(p));
}

/* The child does not answer. */
static void
give_up(struct poll *p)
{
	struct branch *b = p->branch;

	if (!b->lost)
		branch_tell(b, "lost");
	end_round(p);
}

/* project: NULL if the route has none. */
static bool
ask(struct poll *p, enum route_id route, const char *project,
    chain_done_fn *done)
{
	AUTO_STRBUF struct strbuf path;
	struct branch *b = p->branch;
	struct chain_request rq = {
		.entrypoint = b->name,
		.tail = true,
		.method = routes[route].method,
		.left_ms = CHAIN_DEADLINE_MS,
	};

	strbuf_init(&path, PATH_MAX_LEN);
	route_build(&path, route, NULL, &project, project != NULL);
	if (strbuf_check(&path, NULL) < 0)
		return false;
	rq.path = path.buf;
	if (chain_forward(b->subtree->chain, &rq, done, p, &p->call, NULL) == 0)
		return true;
	p->call.v = 0;
	return false;
}

/* Records */

static void
tell(struct poll *p, const struct seen *s, size_t record)
{
	struct branch *b = p->branch;
	struct arena a AUTO_ARENA;
	struct node *map, *via;

	arena_init(&a, ARENA_MAX);
	map = node_new(&a, NODE_MAP);
	via = node_new(&a, NODE_LIST);
	node_set(&a, map, "chain", node_str(&a, ""));
	node_set(&a, map, "via", via);
	node_set(&a, map, "job",
	    s->records[record].job[0] != '\0'
		? node_str(&a, s->records[record].job)
		: node_null(&a));
	node_set(&a, map, "type", node_str(&a, record_words[record]));
	node_set(&a, map, "project", node_str(&a, s->name));
	node_set(&a, map, "record", node_str(&a, record_words[record]));
	node_set(
	    &a, map, "operation", node_str(&a, s->records[record].operation));
	node_set(&a, map, "at", node_float(&a, (double)clock_wall_ms() / 1000));
	if (arena_check(&a, NULL) < 0 ||
	    branch_publish(b, EVENT_PROJECT, map, &a) < 0)
		branch_tell(b, "reset");
}

static void
copy_scalar(char *to, size_t size, const struct node *n)
{
	char buf[NODE_FLOAT_LEN];
	const char *text = n != NULL ? node_scalar_text(n, buf) : NULL;

	if (text == NULL || strlen(text) >= size)
		text = "";
	memcpy(to, text, strlen(text) + 1);
}

static void
look(struct poll *p, struct seen *s, const struct node *info)
{
	for (size_t i = 0; i < RECORDS; i++) {
		const struct node *r = node_get(info, record_words[i]);
		struct record_seen now = { 0 };

		copy_scalar(now.operation, sizeof(now.operation),
		    node_get(r, "operation"));
		copy_scalar(now.job, sizeof(now.job), node_get(r, "job_id"));
		if (strcmp(now.operation, s->records[i].operation) == 0 &&
		    strcmp(now.job, s->records[i].job) == 0)
			continue;
		s->records[i] = now;
		/* New in the list, but not to us, is one that has begun. */
		if ((s->known || p->looked) && now.operation[0] != '\0')
			tell(p, s, i);
	}
	s->known = true;
}

static void
on_info(const struct chain_reply *r, void *ctx)
{
	struct poll *p = ctx;

	p->call.v = 0;
	if (r->error != NULL) {
		give_up(p);
		return;
	}
	/* 404: it went meanwhile. */
	if (r->status == 200 && node_get(r->body, "info") != NULL)
		look(p, p->at, node_get(r->body, "info"));
	p->at = TAILQ_NEXT(p->at, link);
	next_project(p);
}

static void
next_project(struct poll *p)
{
	struct branch *b = p->branch;

	if (p->at == NULL) {
		if (!p->looked || b->lost)
			branch_tell(b, "reset");
		p->looked = true;
		end_round(p);
		return;
	}
	if (!ask(p, ROUTE_PROJECT_INFO, p->at->name, on_info))
		end_round(p);
}

/* The list */

static void
forget(struct poll *p, struct seen *s)
{
	TAILQ_REMOVE(&p->projects, s, link);
	p->projects_n--;
	mem_free(s);
}

static void
take_name(struct poll *p, const char *name)
{
	struct seen *s;

	TAILQ_FOREACH (s, &p->projects, link)
		if (strcmp(s->name, name) == 0)
			break;
	if (s == NULL && p->projects_n < PROJECTS_MAX &&
	    name_is(NAME_PROJECT, name, strlen(name))) {
		s = mem_calloc(1, sizeof(*s) + strlen(name) + 1);
		if (s == NULL)
			return;
		memcpy(s->name, name, strlen(name) + 1);
		TAILQ_INSERT_TAIL(&p->projects, s, link);
		p->projects_n++;
	}
	if (s != NULL)
		s->listed = true;
}

static void
on_list(const struct chain_reply *r, void *ctx)
{
	struct poll *p = ctx;
	const struct node *list = NULL;
	struct seen *s, *next;

	p->call.v = 0;
	if (r->error == NULL && r->status == 200)
		list = node_get(r->body, "projects");
	if (list == NULL || list->type != NODE_LIST) {
		give_up(p);
		return;
	}
	TAILQ_FOREACH (s, &p->projects, link)
		s->listed = false;
	for (size_t i = 0; i < list->u.list.n; i++)
		if (node_text(list->u.list.items[i]) != NULL)
			take_name(p, node_text(list->u.list.items[i]));
	for (s = TAILQ_FIRST(&p->projects); s != NULL; s = next) {
		next = TAILQ_NEXT(s, link);
		if (!s->listed)
			forget(p, s);
	}
	p->at = TAILQ_FIRST(&p->projects);
	next_project(p);
}

static void
on_round(struct timer *t)
{
	struct poll *p = container_of(t, struct poll, timer);

	if (!ask(p, ROUTE_PROJECTS, NULL, on_list))
		end_round(p);
}

struct poll *
poll_new(struct branch *b)
{
	struct poll *p = mem_calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->branch = b;
	TAILQ_INIT(&p->projects);
	if (timer_init(&p->timer, b->subtree->loop, on_round, "branch-poll",
		NULL) < 0) {
		mem_free(p);
		return NULL;
	}
	timer_arm(&p->timer, 0);
	return p;
}

struct poll *
poll_free(struct poll *p)
{
	struct seen *s;

	if (p == NULL)
		return NULL;
	if (p->call.v != 0)
		chain_cancel(p->branch->subtree->chain, p->call);
	while ((s = TAILQ_FIRST(&p->projects)) != NULL)
		forget(p, s);
	timer_fini(&p->timer);
	mem_free(p);
	return NULL;
}
