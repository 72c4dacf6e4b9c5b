/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which events are about which project. Those of jobs and records have its
 * name; a jail is known from the last look; what is told of a server below may
 * be about all of them.
 */
#include <stdio.h>
#include <string.h>

#include "daemon/events.h"
#include "daemon/scale_internal.h"
#include "daemon/subtree.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"

#define EVENT_ARENA_MAX ((size_t)1 << 20)
#define TYPES                                                                  \
  (1u << EVENT_JOB | 1u << EVENT_PROJECT | 1u << EVENT_CHAIN | 1u << EVENT_JAIL)

struct scale_ears {
	struct scale *owner;
	struct events_reader reader;
	struct subtree_member member;
};

static void
kick_all(struct scale *s)
{
	struct scale_project *p;

	TAILQ_FOREACH (p, &s->projects, link)
		scale_kick(p);
}

static void
kick_named(struct scale *s, const char *name)
{
	struct scale_project *p;

	TAILQ_FOREACH (p, &s->projects, link)
		if (strcmp(p->name, name) == 0)
			scale_kick(p);
}

static bool
had_jail(const struct scale_project *p, const char *jail)
{
	const char *at = p->jails.buf, *end = at + p->jails.len;

	for (; at < end; at += strlen(at) + 1)
		if (strcmp(at, jail) == 0)
			return true;
	return false;
}

static bool
is_one_of(const char *word, const char *const *words)
{
	while (*words != NULL && strcmp(*words, word) != 0)
		words++;
	return *words != NULL;
}

/* A text of the event; "" when it has none. */
static const char *
text_of(const struct node *data, const char *key)
{
	const char *text = node_text(node_get(data, key));

	return text != NULL ? text : "";
}

static void
hear_jail(struct scale *s, const struct node *data, struct arena *a)
{
	static const char *const bad[] = { "down", "removed", NULL };
	const char *jail = arena_printf(
	    a, "%s/%s", text_of(data, "chain"), text_of(data, "name"));
	struct scale_project *p;

	if (jail == NULL || !is_one_of(text_of(data, "state"), bad))
		return;
	TAILQ_FOREACH (p, &s->projects, link)
		if (had_jail(p, jail))
			scale_kick(p);
}

/* A job that is queued or begins changes nothing yet. */
static void
hear_project(struct scale *s, const struct event *x, const struct node *data)
{
	static const char *const early[] = { "queued", "running", "RUNNING",
		NULL };

	if (!is_one_of(
		text_of(data, x->type == EVENT_JOB ? "state" : "operation"),
		early))
		kick_named(s, x->project);
}

static void
hear(struct scale *s, const struct event *x)
{
	AUTO_ARENA struct arena a;
	struct node *data;

	arena_init(&a, EVENT_ARENA_MAX);
	if (x->type == EVENT_CHAIN ||
	    json_read(x->data, x->data_len, &a, &data, NULL) < 0)
		kick_all(s);
	else if (x->type == EVENT_JAIL)
		hear_jail(s, data, &a);
	else
		hear_project(s, x, data);
}

static void
on_wake(struct events_reader *r)
{
	struct scale_ears *x = container_of(r, struct scale_ears, reader);
	const struct event *ev;
	int got;

	while ((got = events_next(r, &ev)) == 0)
		hear(x->owner, ev);
	if (got != EVENTS_LOST)
		return;
	events_close(r);
	(void)events_open(subtree_events(x->owner->subtree), r, NULL);
	kick_all(x->owner);
}

int
scale_ears_new(struct scale_ears **ret, struct scale *s, struct error *e)
{
	struct scale_ears *x = mem_calloc(1, sizeof(*x));

	if (x == NULL)
		return error_nomem(e);
	x->owner = s;
	x->member.until_ms = INT64_MAX;
	x->reader.wake = on_wake;
	x->reader.types = TYPES;
	subtree_join(s->subtree, &x->member);
	(void)events_open(subtree_events(s->subtree), &x->reader, NULL);
	*ret = x;
	return 0;
}

struct scale_ears *
scale_ears_free(struct scale_ears *x)
{
	if (x == NULL)
		return NULL;
	events_close(&x->reader);
	subtree_leave(&x->member);
	mem_free(x);
	return NULL;
}
