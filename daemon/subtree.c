/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Who reads, and what is open for them. The events of this node are copied as
 * they come, with a chain path and the id of this server put in front: texts,
 * not trees. All readers share one struct events, whose ids are given anew
 * (events_restart()) when subscriptions end, since what happens then is missed.
 */
#include "daemon/subtree.h"

#include <string.h>

#include "daemon/changes.h"
#include "daemon/subtree_internal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "proto/config.h"

#define KEPT 16384
#define KEPT_BYTES ((size_t)8 << 20)
#define LINGER_MS 30000
#define DATA_MAX ((size_t)64 << 10)

/* {"a":1} of this node -> {"chain":"","via":["ID"],"a":1} */
static void
copy_local(struct subtree *st, const struct event *x)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, DATA_MAX);
	strbuf_addf(&b, "{\"chain\":\"\",\"via\":[\"%s\"],", st->serverid);
	/* Ours are never empty. */
	strbuf_add(&b, x->data + 1, x->data_len - 1);
	events_publish(st->all, x->type, x->project,
	    strbuf_check(&b, NULL) == 0 ? b.buf : NULL);
}

static void
on_local(struct events_reader *r)
{
	struct subtree *st = container_of(r, struct subtree, reader);
	const struct event *x;
	int rc;

	while ((rc = events_next(r, &x)) == 0)
		copy_local(st, x);
	if (rc != EVENTS_LOST)
		return;
	events_close(r);
	(void)events_open(st->local, r, NULL);
	events_restart(st->all);
}

void
subtree_tell(struct subtree *st, const char *name, const char *state)
{
	change_chain(st->local, name, state);
	/* Before what the child itself tells next. */
	if (st->awake)
		on_local(&st->reader);
}

int64_t
subtree_life_ms(const struct subtree *st)
{
	const struct subtree_member *m;
	int64_t now = clock_mono_ms(), most = 0;

	LIST_FOREACH (m, &st->members, link)
		if (m->until_ms - now > most)
			most = m->until_ms - now;
	return most < SUBTREE_LEASE_MS ? most : SUBTREE_LEASE_MS;
}

/* Waking and sleeping */

static void
wake(struct subtree *st)
{
	struct branch *b;

	st->awake = true;
	(void)events_open(st->local, &st->reader, NULL);
	TAILQ_FOREACH (b, &st->branches, link)
		branch_open(b);
}

static void
on_linger(struct timer *t)
{
	struct subtree *st = container_of(t, struct subtree, linger);
	struct branch *b;

	st->awake = false;
	events_close(&st->reader);
	TAILQ_FOREACH (b, &st->branches, link)
		branch_close(b);
	events_restart(st->all);
}

void
subtree_join(struct subtree *st, struct subtree_member *m)
{
	struct branch *b;

	m->subtree = st;
	LIST_INSERT_HEAD(&st->members, m, link);
	timer_stop(&st->linger);
	if (!st->awake) {
		wake(st);
		return;
	}
	/* Those that had ended with the time of the others. */
	TAILQ_FOREACH (b, &st->branches, link)
		branch_open(b);
}

void
subtree_leave(struct subtree_member *m)
{
	struct subtree *st = m->subtree;

	if (st == NULL)
		return;
	LIST_REMOVE(m, link);
	m->subtree = NULL;
	if (LIST_EMPTY(&st->members))
		timer_arm(&st->linger, LINGER_MS);
}

struct events *
subtree_events(struct subtree *st)
{
	return st->all;
}

/* Life cycle */

static struct branch *
find(const struct subtree *st, const char *name)
{
	struct branch *b;

	TAILQ_FOREACH (b, &st->branches, link)
		if (strcmp(b->name, name) == 0)
			return b;
	return NULL;
}

static void
drop(struct branch *b)
{
	TAILQ_REMOVE(&b->subtree->branches, b, link);
	(void)branch_free(b);
}

void
subtree_configure(
    struct subtree *st, const struct config *c, const char *serverid)
{
	struct branch *b, *next;

	st->config = c;
	st->serverid = serverid;
	TAILQ_FOREACH (b, &st->branches, link)
		b->kept = false;
	for (size_t i = 0; i < c->chains.n; i++) {
		if (c->chains.items[i].disable)
			continue;
		b = find(st, c->chains.keys[i]);
		if (b == NULL) {
			/* Without memory its events are missing; a reload
			 * heals that. */
			if (branch_new(&b, st, c->chains.keys[i], NULL) < 0)
				continue;
			TAILQ_INSERT_TAIL(&st->branches, b, link);
			if (st->awake)
				branch_open(b);
		}
		b->kept = true;
	}
	for (b = TAILQ_FIRST(&st->branches); b != NULL; b = next) {
		next = TAILQ_NEXT(b, link);
		if (!b->kept)
			drop(b);
	}
}

int
subtree_new(struct subtree **ret, struct loop *l, struct events *local,
    struct chain *ch, struct error *e)
{
	const struct events_limits limits = { KEPT, KEPT_BYTES };
	AUTO(subtree) struct subtree *st = mem_calloc(1, sizeof(*st));

	if (st == NULL)
		return error_nomem(e);
	st->loop = l;
	st->chain = ch;
	st->local = local;
	st->reader.wake = on_local;
	LIST_INIT(&st->members);
	TAILQ_INIT(&st->branches);
	if (timer_init(&st->linger, l, on_linger, "subtree-linger", e) < 0 ||
	    events_new(&st->all, l, &limits, e) < 0)
		return -1;
	*ret = STEAL(st);
	return 0;
}

struct subtree *
subtree_free(struct subtree *st)
{
	struct branch *b;

	if (st == NULL)
		return NULL;
	while ((b = TAILQ_FIRST(&st->branches)) != NULL)
		drop(b);
	events_close(&st->reader);
	st->all = events_free(st->all);
	timer_fini(&st->linger);
	mem_free(st);
	return NULL;
}
