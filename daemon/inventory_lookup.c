/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looking up an item of one jail, or of all:
 *
 *	thread: which jails, and which run -> loop: ask commands about those
 *	that run -> thread: read -> loop: done
 *
 * An item that no command knows more about is read in the first visit of the
 * thread. The thread is the inventory's own, so that who looks does not wait
 * for somebody's namespace to be built. A lookup does not wait for commands
 * longer than its time: then it is made of what is known by then.
 */
#include <string.h>
#include <sys/stat.h>

#include "daemon/inventory_internal.h"
#include "daemon/jail.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "lib/event/worker.h"
#include "proto/config.h"
#include "proto/names.h"

#define ARENA_MAX ((size_t)128 << 20)
#define JAIL_ARENA_MAX ((size_t)8 << 20)
/* Less than who asks through chains waits. */
#define WAIT_MS 6000

struct question {
	struct jailask_wait wait;
	struct lookup *lookup;
	struct found_jail *jail;
	enum jailask_kind kind;
};

struct found_jail {
	const char *name;
	bool running;
	const char *told[JAILASK_COUNT];
};

struct lookup {
	TAILQ_ENTRY(lookup) link;
	struct work work;
	void (*run)(struct lookup *lu);
	struct lookups *owner;
	struct lookup_id id;
	enum jail_item item;
	/* NULL when it was cancelled. */
	inventory_done_fn *done;
	void *ctx;
	struct arena arena;
	/* NULL: all. */
	const char *jail;
	struct schema_strs keywords;
	bool asks[JAILASK_COUNT];
	bool asks_any;
	/* struct found_jail *, in the arena. */
	struct array jails;
	struct question *questions;
	size_t questions_n;
	size_t pending;
	struct timer timer;
	/* The thread has it. */
	bool away;
	struct node *found;
	struct error e;
	struct error warning;
};
TAILQ_HEAD(lookup_list, lookup);

struct lookups {
	struct inventory *inv;
	struct loop *loop;
	struct worker *worker;
	struct jailask *ask;
	const struct config_keywords *keywords;
	struct lookup_list list;
	uint64_t last_id;
};

static struct lookup *
lookup_free(struct lookup *lu)
{
	if (lu == NULL)
		return NULL;
	for (size_t i = 0; i < lu->questions_n; i++)
		jailask_cancel(lu->owner->ask, &lu->questions[i].wait);
	timer_fini(&lu->timer);
	array_fini(&lu->jails);
	arena_fini(&lu->arena);
	mem_free(lu);
	return NULL;
}
AUTO_DEFINE(lookup)

/* On the thread */

static int
add_jail(struct lookup *lu, const char *name, struct error *e)
{
	struct found_jail **slot = array_add(&lu->jails, e);
	struct found_jail *j = arena_alloc(&lu->arena, sizeof(*j));

	if (slot == NULL || j == NULL)
		return slot == NULL ? -1 : arena_check(&lu->arena, e);
	j->name = name;
	j->running = jail_is_running(lu->owner->inv->jails, name);
	*slot = j;
	return 0;
}

static int
find_jails(struct lookup *lu, struct error *e)
{
	AUTO_ARRAY struct array names;
	AUTO_FD int one = -1;
	const char *top = lu->owner->inv->jails;
	int fd, r = 0;

	array_init(&names, sizeof(char *), ENTRIES_MAX);
	if (lu->jail != NULL) {
		r = inventory_open_in(top, lu->jail, &one, e);
		return r == 0 ? add_jail(lu, lu->jail, e) : r;
	}
	if ((r = inventory_open(top, &fd, e)) != 0)
		return r < 0 ? -1 : 0;
	r = inventory_list(fd, S_IFDIR, name_is_jail, &lu->arena, &names, e);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = add_jail(lu, *(char **)array_at(&names, i), e);
	return r < 0 ? -1 : 0;
}

/* One that is too much for its share is empty, as if it could not be read. */
static struct node *
read_jail(struct lookup *lu, const struct found_jail *j)
{
	struct item_source s = {
		.inv = lu->owner->inv,
		.jail = j->name,
		.running = j->running,
		.keywords = &lu->keywords,
	};
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	struct node *n;

	arena_init(&a, JAIL_ARENA_MAX);
	memcpy(s.told, j->told, sizeof(s.told));
	n = item_read(lu->item, &s, &a, &lu->warning);
	if (arena_check(&a, &e) == 0)
		return n != NULL ? node_copy(&lu->arena, n) : NULL;
	if (!error_is_set(&lu->warning))
		lu->warning = e;
	return node_copy(&lu->arena, item_empty(lu->item));
}

static void
run_read(struct lookup *lu)
{
	struct node *map = NULL;

	if (lu->jail == NULL)
		map = node_new(&lu->arena, NODE_MAP);
	for (size_t i = 0; i < lu->jails.n; i++) {
		const struct found_jail *j =
		    *(struct found_jail **)array_at(&lu->jails, i);
		struct node *n = read_jail(lu, j);

		if (lu->jail != NULL)
			map = n;
		else if (n != NULL)
			node_set(&lu->arena, map, j->name, n);
	}
	if (arena_check(&lu->arena, &lu->e) == 0)
		lu->found = map;
}

static void
run_find(struct lookup *lu)
{
	if (find_jails(lu, &lu->e) == 0 && !lu->asks_any)
		run_read(lu);
}

static void
run_all(struct work_list *all, void *ctx)
{
	struct work *w;

	(void)ctx;
	TAILQ_FOREACH (w, all, link) {
		struct lookup *lu = container_of(w, struct lookup, work);

		lu->run(lu);
	}
}

/* On the loop */

static void
submit(struct lookup *lu, void (*run)(struct lookup *lu), work_done_fn *done)
{
	lu->run = run;
	lu->work.done = done;
	lu->away = true;
	worker_submit(lu->owner->worker, &lu->work);
}

static void
complain(const struct lookup *lu)
{
	const char *member = inventory_item_member(lu->item);
	const char *jail = lu->jail != NULL ? lu->jail : "";

	if (error_is_set(&lu->e))
		log_warn("inventory", FIELDS(LF_S("jail", jail)),
		    "%s cannot be read: %s", member, lu->e.text);
	else if (error_is_set(&lu->warning))
		log_warn("inventory", FIELDS(LF_S("jail", jail)),
		    "%s cannot be read wholly: %s", member, lu->warning.text);
}

/* Ends it. */
static void
finish(struct lookup *lu)
{
	static const struct node none = { .type = NODE_MAP };
	const struct node *found = lu->found;

	TAILQ_REMOVE(&lu->owner->list, lu, link);
	complain(lu);
	if (error_is_set(&lu->e))
		found = lu->jail != NULL ? item_empty(lu->item) : &none;
	lu->done(found, lu->ctx);
	(void)lookup_free(lu);
}

/* Back from the thread: whether it still counts. */
static bool
is_back(struct lookup *lu)
{
	lu->away = false;
	if (lu->done != NULL)
		return true;
	TAILQ_REMOVE(&lu->owner->list, lu, link);
	(void)lookup_free(lu);
	return false;
}

static void
was_read(struct work *w)
{
	struct lookup *lu = container_of(w, struct lookup, work);

	if (is_back(lu))
		finish(lu);
}

static void
answered(struct jailask_wait *w, const char *text)
{
	struct question *q = container_of(w, struct question, wait);
	struct lookup *lu = q->lookup;

	if (text != NULL)
		q->jail->told[q->kind] = arena_strdup(&lu->arena, text);
	if (--lu->pending > 0 || lu->away)
		return;
	timer_stop(&lu->timer);
	submit(lu, run_read, was_read);
}

static void
on_late(struct timer *t)
{
	struct lookup *lu = container_of(t, struct lookup, timer);

	for (size_t i = 0; i < lu->questions_n; i++)
		jailask_cancel(lu->owner->ask, &lu->questions[i].wait);
	(void)error_set(&lu->warning, OVE_TIMEOUT,
	    "%zu commands have not answered in time", lu->pending);
	submit(lu, run_read, was_read);
}

static void
ask_one(struct lookup *lu, struct found_jail *j, enum jailask_kind kind)
{
	struct question *q = &lu->questions[lu->questions_n++];
	struct error e = ERROR_INIT;
	const char *text = NULL;

	*q = (struct question){
		.wait = { .fn = answered },
		.lookup = lu,
		.jail = j,
		.kind = kind,
	};
	switch (
	    jailask_get(lu->owner->ask, kind, j->name, &q->wait, &text, &e)) {
	case 0:
		lu->pending++;
		break;
	case JAILASK_KNOWN:
		if (text != NULL)
			j->told[kind] = arena_strdup(&lu->arena, text);
		break;
	default:
		if (!error_is_set(&lu->warning))
			lu->warning = e;
	}
}

static void
ask_all(struct lookup *lu)
{
	lu->questions = arena_calloc(&lu->arena,
	    lu->jails.n * (size_t)JAILASK_COUNT, sizeof(*lu->questions));
	if (arena_check(&lu->arena, &lu->e) < 0)
		return;
	for (size_t i = 0; i < lu->jails.n; i++) {
		struct found_jail *j =
		    *(struct found_jail **)array_at(&lu->jails, i);

		for (int k = 0; j->running && k < JAILASK_COUNT; k++)
			if (lu->asks[k])
				ask_one(lu, j, (enum jailask_kind)k);
	}
}

static void
was_found(struct work *w)
{
	struct lookup *lu = container_of(w, struct lookup, work);
	bool gone;

	if (!is_back(lu))
		return;
	gone = lu->jail != NULL && lu->jails.n == 0;
	if (!error_is_set(&lu->e) && lu->asks_any && !gone)
		ask_all(lu);
	if (error_is_set(&lu->e) || !lu->asks_any || gone)
		finish(lu);
	else if (lu->pending == 0)
		submit(lu, run_read, was_read);
	else
		timer_arm(&lu->timer, WAIT_MS);
}

/* A reload may take the configuration away meanwhile. */
static void
copy_keywords(struct lookup *lu, const struct schema_strs *from)
{
	const char **to = arena_calloc(&lu->arena, from->n, sizeof(*to));

	for (size_t i = 0; to != NULL && i < from->n; i++)
		to[i] = arena_strdup(&lu->arena, from->items[i]);
	lu->keywords.items = to;
	lu->keywords.n = to != NULL ? from->n : 0;
}

int
inventory_lookup(struct inventory *inv, enum jail_item item, const char *jail,
    inventory_done_fn *done, void *ctx, struct lookup_id *ret, struct error *e)
{
	AUTO(lookup) struct lookup *lu = mem_calloc(1, sizeof(*lu));
	struct lookups *ls = inv->lookups;

	if (lu == NULL)
		return error_nomem(e);
	lu->owner = ls;
	lu->item = item;
	lu->done = done;
	lu->ctx = ctx;
	arena_init(&lu->arena, ARENA_MAX);
	array_init(&lu->jails, sizeof(struct found_jail *), ENTRIES_MAX);
	if (jail != NULL)
		lu->jail = arena_strdup(&lu->arena, jail);
	if (ls->keywords != NULL)
		copy_keywords(lu, item_keywords(item, ls->keywords));
	if (arena_check(&lu->arena, e) < 0 ||
	    timer_init(&lu->timer, ls->loop, on_late, "lookup", e) < 0)
		return -1;
	for (int k = 0; k < JAILASK_COUNT; k++) {
		lu->asks[k] =
		    item_needs(item, &lu->keywords, (enum jailask_kind)k);
		lu->asks_any = lu->asks_any || lu->asks[k];
	}
	lu->id.v = ++ls->last_id;
	*ret = lu->id;
	TAILQ_INSERT_TAIL(&ls->list, lu, link);
	submit(STEAL(lu), run_find, was_found);
	return 0;
}

static void
drop(struct lookup *lu)
{
	lu->done = NULL;
	if (lu->away)
		return;
	TAILQ_REMOVE(&lu->owner->list, lu, link);
	(void)lookup_free(lu);
}

void
inventory_cancel(struct inventory *inv, struct lookup_id id)
{
	struct lookup *lu;

	TAILQ_FOREACH (lu, &inv->lookups->list, link) {
		if (lu->id.v == id.v) {
			drop(lu);
			return;
		}
	}
}

void
inventory_configure(struct inventory *inv, const struct inventory_config *c)
{
	const struct jailask_config jc = {
		.appjail = c->appjail,
		.environment = c->environment,
		.keep_ms = {
			[JAILASK_USAGE] = c->stats_ms,
			[JAILASK_CPUS] = c->extras_ms,
			[JAILASK_INET] = c->info_ms,
			[JAILASK_INET6] = c->info_ms,
		},
	};

	inv->lookups->keywords = c->keywords;
	jailask_configure(inv->lookups->ask, &jc);
}

int
lookups_new(struct lookups **ret, struct inventory *inv, struct loop *l,
    struct error *e)
{
	struct lookups *ls = mem_calloc(1, sizeof(*ls));

	if (ls == NULL)
		return error_nomem(e);
	ls->inv = inv;
	ls->loop = l;
	TAILQ_INIT(&ls->list);
	if (jailask_new(&ls->ask, l, e) < 0 ||
	    worker_new(&ls->worker, l, "inventory", run_all, NULL, e) < 0) {
		(void)lookups_free(ls);
		return -1;
	}
	*ret = ls;
	return 0;
}

struct lookups *
lookups_free(struct lookups *ls)
{
	struct lookup *lu, *next;

	if (ls == NULL)
		return NULL;
	for (lu = TAILQ_FIRST(&ls->list); lu != NULL; lu = next) {
		next = TAILQ_NEXT(lu, link);
		drop(lu);
	}
	/* What is away comes back, to nobody. */
	ls->worker = worker_free(ls->worker);
	ls->ask = jailask_free(ls->ask);
	mem_free(ls);
	return NULL;
}

static int64_t
add_capped(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

struct node *
inventory_sum(const struct node *stats, struct arena *a)
{
	struct node *sum = node_new(a, NODE_MAP);

	for (size_t i = 0; i < stats->u.map.n; i++) {
		const struct node *of = stats->u.map.pairs[i].value;

		for (size_t k = 0; k < of->u.map.n; k++) {
			const struct node_pair *p = &of->u.map.pairs[k];
			struct node *have = node_get(sum, node_text(p->key));

			if (have == NULL)
				node_set(a, sum, node_text(p->key),
				    node_int(a, p->value->u.i));
			else
				have->u.i =
				    add_capped(have->u.i, p->value->u.i);
		}
	}
	return sum;
}
