/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Which jails, or which projects, there are: a sorted list in memory, made anew
 * by the thread whenever the directory has changed.
 *
 *	told of a change ----> a little later, so that many are one --\
 *	asked, and changed or never listed -----> at once -------------> list
 *	its turn has come -----------------------------------------/
 *
 * Whoever asks is told by a list that was begun after the question; when the
 * watch has seen no change since the last one, that is the last one. Without a
 * watch (the kernel has no more of them) each question makes a list.
 *
 * What has come and gone between two lists is told as events, and what is known
 * of what has gone is forgotten.
 */
#include <sys/stat.h>

#include <string.h>

#include "daemon/changes.h"
#include "daemon/inventory_internal.h"
#include "daemon/jail.h"
#include "daemon/jailwatch.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/dirwatch.h"
#include "lib/event/loop.h"
#include "proto/names.h"

#define LIST_ARENA_MAX ((size_t)64 << 20)
/* Between a change and the list, if nobody asks. */
#define SETTLE_MS 20

struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct lookup_id id;
	inventory_names_fn *done;
	void *ctx;
	/* A list that is begun after so many others will do. */
	uint64_t after;
};
TAILQ_HEAD(waiter_list, waiter);

/* On its way; the thread has it. */
struct listing {
	struct inv_work work;
	struct names *owner;
	struct name_list *list;
	struct error e;
};

/* Names to be forgotten by the thread, in one arena with it. */
struct forgetting {
	struct inv_work work;
	struct arena arena;
	enum inventory_kind kind;
	const char **names;
	size_t n;
};

struct names {
	struct inventory *inv;
	enum inventory_kind kind;
	/* NULL: the directory cannot be watched. */
	struct dirwatch *watch;
	/* Of jails; NULL: which run is seen when they are listed. */
	struct jailwatch *running;
	struct timer settle;
	struct defer tell;
	/* The last; NULL: none yet. */
	struct name_list *last;
	/* Why there is no newer one. */
	struct error failed;
	struct listing *under_way;
	/* Lists begun. */
	uint64_t begun;
	/* Of the last one that has ended. */
	uint64_t ended;
	/* Something has changed since a list was begun. */
	bool stale;
	bool started;
	bool stopped;
	struct waiter_list waiters;
};

static const char *const words[INVENTORY_KINDS] = {
	[INVENTORY_JAILS] = "jails",
	[INVENTORY_PROJECTS] = "projects",
};

static const char *
place_of(const struct inventory *inv, enum inventory_kind kind)
{
	return kind == INVENTORY_JAILS ? inv->jails : inv->projects;
}

static bool
name_ok(enum inventory_kind kind, const char *s, size_t len)
{
	return kind == INVENTORY_JAILS ? name_is_jail(s, len)
				       : name_is_project(s, len);
}

static struct name_list *
name_list_free(struct name_list *l)
{
	if (l == NULL)
		return NULL;
	array_fini(&l->items);
	array_fini(&l->names);
	arena_fini(&l->arena);
	mem_free(l);
	return NULL;
}

static struct listing *
listing_free(struct listing *li)
{
	li->list = name_list_free(li->list);
	mem_free(li);
	return NULL;
}

/* On the thread */

static int
list_all(struct listing *li, const struct inventory *inv, struct error *e)
{
	enum inventory_kind kind = li->owner->kind;
	struct array *names = &li->list->names;
	int fd, rc;

	if ((rc = beneath_open(place_of(inv, kind), &fd, e)) != 0)
		return rc < 0 ? -1 : 0;
	if (beneath_list(fd, S_IFDIR,
		kind == INVENTORY_JAILS ? name_is_jail : name_is_project,
		&li->list->arena, names, e) < 0)
		return error_wrap(e, "%s", place_of(inv, kind));
	for (size_t i = 0; i < names->n; i++) {
		struct named *n = array_add(&li->list->items, e);

		if (n == NULL)
			return -1;
		n->name = *(char **)array_at(names, i);
		n->running = kind == INVENTORY_JAILS &&
		    jail_is_running(inv->jails, n->name);
	}
	return arena_check(&li->list->arena, e);
}

static void
run_listing(struct inv_work *w, struct inv_thread *th)
{
	struct listing *li = container_of(w, struct listing, work);

	(void)list_all(li, th->inv, &li->e);
}

static void
run_forgetting(struct inv_work *w, struct inv_thread *th)
{
	struct forgetting *f = container_of(w, struct forgetting, work);

	for (size_t i = 0; i < f->n; i++)
		answers_forget(th, f->kind, f->names[i]);
}

/* On the loop */

static void
was_forgotten(struct inv_work *w)
{
	struct forgetting *f = container_of(w, struct forgetting, work);

	arena_fini(&f->arena);
	mem_free(f);
}

/* What finds no memory to be forgotten is over some day. */
static void
forget(struct names *n, const struct array *gone)
{
	struct forgetting *f = mem_calloc(1, sizeof(*f));

	if (f == NULL)
		return;
	f->kind = n->kind;
	arena_init(&f->arena, LIST_ARENA_MAX);
	f->names = arena_calloc(&f->arena, gone->n, sizeof(*f->names));
	for (size_t i = 0; f->names != NULL && i < gone->n; i++) {
		f->names[i] =
		    arena_strdup(&f->arena, *(char **)array_at(gone, i));
		f->n += f->names[i] != NULL;
	}
	inventory_submit(n->inv, &f->work, run_forgetting, was_forgotten);
}

static void
has_come(struct names *n, const struct named *x)
{
	if (n->kind == INVENTORY_JAILS)
		change_jail(n->inv->events, x->name, "added");
	if (x->running)
		change_jail(n->inv->events, x->name, "up");
}

static void
has_gone(struct names *n, const struct named *x, struct array *gone)
{
	const char **slot = array_add(gone, NULL);

	if (slot != NULL)
		*slot = x->name;
	if (n->kind == INVENTORY_JAILS)
		change_jail(n->inv->events, x->name, "removed");
}

static void
is_still_there(struct names *n, const struct named *was, const struct named *is)
{
	if (was->running != is->running)
		change_jail(
		    n->inv->events, is->name, is->running ? "up" : "down");
}

/* Both are sorted. */
static void
compare(
    struct names *n, const struct name_list *old, const struct name_list *new)
{
	AUTO_ARRAY struct array gone;
	size_t i = 0, k = 0;

	array_init(&gone, sizeof(char *), BENEATH_NAMES_MAX);
	while (i < old->items.n || k < new->items.n) {
		const struct named *was =
		    i < old->items.n ? array_at(&old->items, i) : NULL;
		const struct named *is =
		    k < new->items.n ? array_at(&new->items, k) : NULL;
		int order =
		    was != NULL && is != NULL ? strcmp(was->name, is->name) : 0;

		if (was != NULL && (is == NULL || order < 0)) {
			has_gone(n, was, &gone);
			i++;
		} else if (is != NULL && (was == NULL || order > 0)) {
			has_come(n, is);
			k++;
		} else if (was != NULL && is != NULL) {
			is_still_there(n, was, is);
			i++;
			k++;
		}
	}
	if (gone.n == 0)
		return;
	forget(n, &gone);
	if (n->inv->gone != NULL)
		n->inv->gone(n->kind, gone.items, gone.n, n->inv->gone_ctx);
}

static void was_listed(struct inv_work *w);

/* Begins a list, unless one is under way. */
static void
begin(struct names *n)
{
	struct listing *li;

	if (n->under_way != NULL || n->stopped)
		return;
	timer_stop(&n->settle);
	n->begun++;
	li = mem_calloc(1, sizeof(*li));
	if (li != NULL)
		li->list = mem_calloc(1, sizeof(*li->list));
	if (li == NULL || li->list == NULL) {
		mem_free(li);
		error_clear(&n->failed);
		(void)error_nomem(&n->failed);
		n->ended = n->begun;
		loop_defer(n->inv->loop, &n->tell);
		return;
	}
	arena_init(&li->list->arena, LIST_ARENA_MAX);
	array_init(&li->list->items, sizeof(struct named), BENEATH_NAMES_MAX);
	array_init(&li->list->names, sizeof(char *), BENEATH_NAMES_MAX);
	li->owner = n;
	n->under_way = li;
	n->stale = false;
	n->inv->stats.listed++;
	inventory_submit(n->inv, &li->work, run_listing, was_listed);
}

static void
tell_one(struct names *n, struct waiter *w)
{
	struct inventory_names names;

	if (error_is_set(&n->failed)) {
		w->done(NULL, &n->failed, w->ctx);
		return;
	}
	names =
	    (struct inventory_names){ n->last->names.items, n->last->names.n };
	w->done(&names, &n->failed, w->ctx);
}

/* Tells whom the last list is for; the others make the next one. */
static void
on_tell(struct defer *d)
{
	struct names *n = container_of(d, struct names, tell);
	struct waiter *w;

	/* In the order in which they asked, and so of `after`. */
	while ((w = TAILQ_FIRST(&n->waiters)) != NULL && w->after <= n->ended) {
		TAILQ_REMOVE(&n->waiters, w, link);
		tell_one(n, w);
		mem_free(w);
	}
	if (w != NULL)
		begin(n);
}

static void
was_listed(struct inv_work *w)
{
	struct listing *li = container_of(w, struct listing, work);
	struct names *n = li->owner;

	n->under_way = NULL;
	if (n->stopped) {
		(void)listing_free(li);
		return;
	}
	n->ended = n->begun;
	n->failed = li->e;
	if (error_is_set(&li->e)) {
		log_warn("inventory", NO_FIELDS, "%s cannot be listed: %s",
		    words[n->kind], li->e.text);
	} else {
		if (n->last != NULL)
			compare(n, n->last, li->list);
		n->last = name_list_free(n->last);
		n->last = STEAL(li->list);
	}
	(void)listing_free(li);
	on_tell(&n->tell);
	if (n->stale && n->under_way == NULL)
		timer_arm(&n->settle, SETTLE_MS);
}

static void
on_change(void *ctx)
{
	struct names *n = ctx;

	n->stale = true;
	if (n->under_way == NULL && !n->settle.armed)
		timer_arm(&n->settle, SETTLE_MS);
}

static void
on_settled(struct timer *t)
{
	begin(container_of(t, struct names, settle));
}

/* Whether the last list is that of now. */
static bool
is_fresh(struct names *n)
{
	if (n->watch == NULL || n->last == NULL || error_is_set(&n->failed))
		return false;
	if (dirwatch_poll(n->watch))
		on_change(n);
	return !n->stale && n->under_way == NULL;
}

int
inventory_names(struct inventory *inv, enum inventory_kind kind,
    inventory_names_fn *done, void *ctx, struct lookup_id *ret, struct error *e)
{
	struct names *n = inv->names[kind];
	struct waiter *w = mem_calloc(1, sizeof(*w));
	bool fresh = is_fresh(n);

	if (w == NULL)
		return error_nomem(e);
	w->id.v = ++inv->last_id;
	w->done = done;
	w->ctx = ctx;
	w->after = fresh ? n->ended : n->begun + 1;
	TAILQ_INSERT_TAIL(&n->waiters, w, link);
	if (fresh)
		loop_defer(inv->loop, &n->tell);
	else
		begin(n);
	turns_read_names(inv->turns, kind);
	*ret = w->id;
	return 0;
}

static int
cmp_name(const void *a, const void *b)
{
	const struct named *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* What is not in the list may have come just now: its directory tells. */
bool
inventory_has(struct inventory *inv, enum inventory_kind kind, const char *name)
{
	struct names *n = inv->names[kind];
	const struct named key = { .name = name };
	AUTO_FD int fd = -1;

	turns_read_names(inv->turns, kind);
	if (is_fresh(n) &&
	    array_search(&n->last->items, &key, cmp_name) != NULL)
		return true;
	return name_ok(kind, name, strlen(name)) &&
	    beneath_open_in(place_of(inv, kind), name, &fd, NULL) == 0;
}

enum inventory_listed
inventory_lists(
    const struct inventory *inv, enum inventory_kind kind, const char *name)
{
	const struct names *n = inv->names[kind];
	const struct named key = { .name = name };

	if (n->last == NULL || error_is_set(&n->failed))
		return INVENTORY_UNSURE;
	return array_search(&n->last->items, &key, cmp_name) != NULL
	    ? INVENTORY_LISTED
	    : INVENTORY_UNLISTED;
}

void
names_cancel(struct names *n, struct lookup_id id)
{
	struct waiter *w;

	TAILQ_FOREACH (w, &n->waiters, link) {
		if (w->id.v == id.v) {
			TAILQ_REMOVE(&n->waiters, w, link);
			mem_free(w);
			return;
		}
	}
}

void
names_look(struct names *n)
{
	/* One that was lost is found again. */
	if (n->watch != NULL)
		(void)dirwatch_poll(n->watch);
	begin(n);
}

const struct name_list *
names_last(const struct names *n)
{
	return n->last;
}

bool
names_are_watched(const struct names *n)
{
	return n->watch != NULL && !dirwatch_is_lost(n->watch);
}

int
names_new(struct names **ret, struct inventory *inv, enum inventory_kind kind,
    struct error *e)
{
	struct names *n = mem_calloc(1, sizeof(*n));

	if (n == NULL)
		return error_nomem(e);
	n->inv = inv;
	n->kind = kind;
	TAILQ_INIT(&n->waiters);
	defer_init(&n->tell, on_tell, "names");
	if (timer_init(&n->settle, inv->loop, on_settled, "names", e) < 0) {
		mem_free(n);
		return -1;
	}
	*ret = n;
	return 0;
}

/* Which jails run is more than their directory tells. */
static void
watch_running(struct names *n)
{
	struct error e = ERROR_INIT;
	int rc = jailwatch_new(&n->running, n->inv->loop, on_change, n, &e);

	if (rc == 0)
		log_info("inventory", NO_FIELDS,
		    "the kernel tells when jails start and stop");
	else if (rc < 0)
		log_warn("inventory", NO_FIELDS,
		    "jails that start and stop are seen when it is their "
		    "turn: %s",
		    e.text);
}

void
names_start(struct names *n)
{
	struct error e = ERROR_INIT;

	if (n->started)
		return;
	n->started = true;
	if (dirwatch_new(&n->watch, n->inv->loop, place_of(n->inv, n->kind),
		on_change, n, &e) < 0)
		log_warn("inventory", NO_FIELDS,
		    "%s are listed whenever somebody asks: %s", words[n->kind],
		    e.text);
	if (n->kind == INVENTORY_JAILS)
		watch_running(n);
	begin(n);
}

void
names_stop(struct names *n)
{
	struct waiter *w;

	n->stopped = true;
	n->watch = dirwatch_free(n->watch);
	n->running = jailwatch_free(n->running);
	timer_stop(&n->settle);
	defer_cancel(&n->tell);
	while ((w = TAILQ_FIRST(&n->waiters)) != NULL) {
		TAILQ_REMOVE(&n->waiters, w, link);
		mem_free(w);
	}
}

struct names *
names_free(struct names *n)
{
	if (n == NULL)
		return NULL;
	n->last = name_list_free(n->last);
	timer_fini(&n->settle);
	mem_free(n);
	return NULL;
}
