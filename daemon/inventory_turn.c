/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looking at what readers are interested in before they ask: turns, each at its
 * pace, and what of it is due by polling.h. Lists are made anew, as the watch
 * does not see everything; of the rest each answer is looked at, and made anew
 * where something has changed. For that a turn goes through all jails:
 *
 *	loop: ask commands, where what is due needs them, two at a time, so that
 *	those of readers find room -> thread: some jails -> loop -> thread: some
 *	more -> ... -> loop: the timer of the next turn
 *
 * So a lookup waits for some jails at most, however many there are. Where the
 * kernel tells what a jail uses nothing has to be kept of that, and nothing is
 * done.
 */
#include <string.h>

#include "daemon/events.h"
#include "daemon/inventory_internal.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"
#include "proto/config.h"

#define ARENA_MAX ((size_t)64 << 20)
#define TEXT_MAX ((size_t)16 << 20)
/* Looked at in one visit of the thread. */
#define SLICE 16
/* Commands at once, and questions in one turn of the loop. */
#define ASKS_MAX 2
#define ASK_BUDGET 64
/* Whatever the configuration says. */
#define PAUSE_MIN_MS 100

/* What is read by itself. */
enum {
	SEEN_JAILS,
	SEEN_PROJECTS,
	SEEN_INFOS,
	/* And each item. */
	SEEN_ITEMS,
	SEEN_COUNT = SEEN_ITEMS + JAIL_ITEM_COUNT
};

#define BIT(item) (1u << (item))
#define ALL_ITEMS (BIT(JAIL_ITEM_COUNT) - 1)

/* The items of a turn. */
static const unsigned items_of[TURN_COUNT] = {
	[TURN_JAIL_INFO] = BIT(JAIL_INFO),
	[TURN_JAIL_STATS] = BIT(JAIL_STATS),
	[TURN_JAIL_EXTRAS] = ALL_ITEMS & ~(BIT(JAIL_INFO) | BIT(JAIL_STATS)),
};

struct sweep;
struct asking {
	struct jailask_wait wait;
	struct sweep *sweep;
	struct seen_jail *jail;
	enum jailask_kind kind;
	bool busy;
};

/* What a turn is at. */
struct sweep {
	struct inv_work work;
	struct turn *turn;
	struct arena arena;
	/* 0: of projects. */
	unsigned items;
	struct schema_strs keywords[JAIL_ITEM_COUNT];
	struct seen_jail *names;
	size_t n;
	/* The next to be asked about, by name and kind; the next to be read. */
	size_t next_ask;
	size_t next;
	struct asking asks[ASKS_MAX];
	struct defer again;
	bool away;
};

struct turn {
	struct turns *owner;
	enum inventory_turn which;
	struct timer timer;
	struct sweep *sweep;
};

struct turns {
	struct inventory *inv;
	struct polling seen[SEEN_COUNT];
	struct polling_rules rules;
	int64_t pause_ms[TURN_COUNT];
	int64_t skew_ms[2];
	struct turn all[TURN_COUNT];
	bool stopped;
};

/* Reads */

static void
is_read(struct turns *ts, unsigned what)
{
	polling_read(&ts->seen[what], clock_mono_ms());
}

void
turns_read_item(struct turns *ts, enum jail_item item)
{
	is_read(ts, SEEN_ITEMS + (unsigned)item);
}

void
turns_read_names(struct turns *ts, enum inventory_kind kind)
{
	is_read(ts, kind == INVENTORY_JAILS ? SEEN_JAILS : SEEN_PROJECTS);
}

void
turns_read_infos(struct turns *ts)
{
	is_read(ts, SEEN_INFOS);
}

void
turns_touch(struct turns *ts)
{
	for (unsigned i = 0; i < SEEN_COUNT; i++)
		is_read(ts, i);
}

static bool
is_due(struct turns *ts, unsigned what)
{
	return polling_is_due(&ts->seen[what], &ts->rules, clock_mono_ms());
}

/* Sweeps, on the thread */

static void
run_jail(struct sweep *s, struct inv_thread *th, const struct seen_jail *jail,
    struct strbuf *text)
{
	struct item_source from = {
		.inv = th->inv,
		.jail = jail->name,
		.running = jail->running,
	};
	/* Whoever reads it is told what is wrong. */
	struct error warning = ERROR_INIT;
	AUTO_FD int fd = -1;

	memcpy(from.told, jail->told, sizeof(from.told));
	if (beneath_open_in(th->inv->jails, jail->name, &fd, NULL) != 0)
		return;
	for (int k = 0; k < JAIL_ITEM_COUNT; k++) {
		if ((s->items & BIT(k)) == 0 ||
		    !item_is_of_files((enum jail_item)k))
			continue;
		from.keywords = &s->keywords[k];
		strbuf_reset(text);
		answer_item(th, (enum jail_item)k, &from, fd, text, &warning);
	}
}

static void
run_jails(struct sweep *s, struct inv_thread *th, size_t end)
{
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, TEXT_MAX);
	for (size_t i = s->next; i < end; i++)
		run_jail(s, th, &s->names[i], &text);
}

static void
run_projects(struct sweep *s, struct inv_thread *th, size_t end)
{
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, TEXT_MAX);
	for (size_t i = s->next; i < end; i++) {
		strbuf_reset(&text);
		(void)answer_project(th, s->names[i].name, &text);
	}
}

static size_t
end_of_slice(const struct sweep *s)
{
	return s->n - s->next < SLICE ? s->n : s->next + SLICE;
}

static void
run_slice(struct inv_work *w, struct inv_thread *th)
{
	struct sweep *s = container_of(w, struct sweep, work);
	size_t end = end_of_slice(s);

	if (s->items != 0)
		run_jails(s, th, end);
	else
		run_projects(s, th, end);
	if (end == s->n)
		answers_sweep(th);
}

/* Sweeps, on the loop */

static struct sweep *
sweep_free(struct sweep *s)
{
	if (s == NULL)
		return NULL;
	for (size_t i = 0; i < ASKS_MAX; i++)
		jailask_cancel(s->turn->owner->inv->ask, &s->asks[i].wait);
	defer_cancel(&s->again);
	arena_fini(&s->arena);
	mem_free(s);
	return NULL;
}

static void arm(struct turn *t);

static void
sweep_end(struct sweep *s)
{
	struct turn *t = s->turn;

	t->sweep = sweep_free(s);
	arm(t);
}

static void was_slice(struct inv_work *w);

static void
read_more(struct sweep *s)
{
	if (s->next >= s->n) {
		sweep_end(s);
		return;
	}
	s->away = true;
	inventory_submit(s->turn->owner->inv, &s->work, run_slice, was_slice);
}

static void
was_slice(struct inv_work *w)
{
	struct sweep *s = container_of(w, struct sweep, work);

	s->away = false;
	s->next = end_of_slice(s);
	if (s->turn->owner->stopped)
		s->turn->sweep = sweep_free(s);
	else
		read_more(s);
}

static void
answered(struct jailask_wait *w, const char *text)
{
	struct asking *a = container_of(w, struct asking, wait);

	a->busy = false;
	if (text != NULL)
		a->jail->told[a->kind] = arena_strdup(&a->sweep->arena, text);
	loop_defer(a->sweep->turn->owner->inv->loop, &a->sweep->again);
}

static bool
needs(const struct sweep *s, enum jailask_kind kind)
{
	for (int i = 0; i < JAIL_ITEM_COUNT; i++)
		if ((s->items & BIT(i)) != 0 &&
		    item_needs((enum jail_item)i, &s->keywords[i], kind))
			return true;
	return false;
}

static struct asking *
idle_one(struct sweep *s)
{
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (!s->asks[i].busy)
			return &s->asks[i];
	return NULL;
}

static void
ask(struct sweep *s, struct asking *a, struct seen_jail *jail,
    enum jailask_kind kind)
{
	const char *text = NULL;

	*a = (struct asking){ .wait = { .fn = answered },
		.sweep = s,
		.jail = jail,
		.kind = kind };
	switch (jailask_get(s->turn->owner->inv->ask, kind, jail->name,
	    &a->wait, &text, NULL)) {
	case 0:
		a->busy = true;
		break;
	case JAILASK_KNOWN:
		if (text != NULL)
			jail->told[kind] = arena_strdup(&s->arena, text);
		break;
	default:
		/* It is asked again in the next turn. */
		break;
	}
}

/* Asks what is to be asked; when all of it is answered, reading begins. */
static void
ask_more(struct sweep *s)
{
	size_t all = s->items != 0 ? s->n * (size_t)JAILASK_COUNT : 0;
	struct asking *a;

	for (unsigned i = 0; i < ASK_BUDGET && s->next_ask < all;) {
		struct seen_jail *jail = &s->names[s->next_ask / JAILASK_COUNT];
		enum jailask_kind kind =
		    (enum jailask_kind)(s->next_ask % JAILASK_COUNT);

		if (jail->running && needs(s, kind)) {
			if ((a = idle_one(s)) == NULL)
				return;
			ask(s, a, jail, kind);
			i++;
		}
		s->next_ask++;
	}
	if (s->next_ask < all) {
		loop_defer(s->turn->owner->inv->loop, &s->again);
		return;
	}
	for (size_t i = 0; i < ASKS_MAX; i++)
		if (s->asks[i].busy)
			return;
	read_more(s);
}

static void
on_again(struct defer *d)
{
	ask_more(container_of(d, struct sweep, again));
}

/* What the thread sees is ours: a list or a configuration may go meanwhile. */
static int
copy_names(struct sweep *s, const struct name_list *from)
{
	s->n = from->items.n;
	s->names = arena_calloc(&s->arena, s->n, sizeof(*s->names));
	for (size_t i = 0; s->names != NULL && i < s->n; i++) {
		const struct named *x = array_at(&from->items, i);

		s->names[i].name = arena_strdup(&s->arena, x->name);
		s->names[i].running = x->running;
	}
	return arena_check(&s->arena, NULL);
}

static int
copy_keywords(struct sweep *s, const struct config_keywords *from)
{
	for (int i = 0; from != NULL && i < JAIL_ITEM_COUNT; i++)
		s->keywords[i] =
		    item_copy_keywords((enum jail_item)i, from, &s->arena);
	return arena_check(&s->arena, NULL);
}

/* items: 0 for projects. What finds no memory waits for the next turn. */
static void
sweep_begin(struct turn *t, unsigned items)
{
	struct inventory *inv = t->owner->inv;
	const struct name_list *from = names_last(
	    inv->names[items != 0 ? INVENTORY_JAILS : INVENTORY_PROJECTS]);
	struct sweep *s = from != NULL ? mem_calloc(1, sizeof(*s)) : NULL;

	if (s == NULL) {
		arm(t);
		return;
	}
	s->turn = t;
	s->items = items;
	arena_init(&s->arena, ARENA_MAX);
	defer_init(&s->again, on_again, "inventory turn");
	t->sweep = s;
	if (copy_names(s, from) < 0 || copy_keywords(s, inv->keywords) < 0)
		sweep_end(s);
	else
		ask_more(s);
}

/* Turns */

static void
arm(struct turn *t)
{
	const struct turns *ts = t->owner;
	int64_t range = ts->skew_ms[1] - ts->skew_ms[0];
	int64_t skew = ts->skew_ms[0];

	if (range > 0)
		skew += (int64_t)rand_below((uint64_t)range + 1);
	/* Neither is more than some years. */
	skew += ts->pause_ms[t->which];
	timer_arm(&t->timer, skew > PAUSE_MIN_MS ? skew : PAUSE_MIN_MS);
}

static void
list(struct turn *t, enum inventory_kind kind, unsigned what)
{
	struct turns *ts = t->owner;

	/* Who listens to events wants to hear which jails run. */
	if (kind == INVENTORY_JAILS && ts->inv->events != NULL &&
	    events_are_read(ts->inv->events))
		is_read(ts, what);
	if (is_due(ts, what))
		names_look(ts->inv->names[kind]);
	arm(t);
}

static void
sweep_items(struct turn *t)
{
	unsigned due = 0;

	for (unsigned i = 0; i < JAIL_ITEM_COUNT; i++)
		if ((items_of[t->which] & BIT(i)) != 0 &&
		    is_due(t->owner, SEEN_ITEMS + i))
			due |= BIT(i);
	if (due != 0)
		sweep_begin(t, due);
	else
		arm(t);
}

static void
on_turn(struct timer *tm)
{
	struct turn *t = container_of(tm, struct turn, timer);

	t->owner->inv->stats.turns++;
	switch (t->which) {
	case TURN_JAILS:
		list(t, INVENTORY_JAILS, SEEN_JAILS);
		break;
	case TURN_PROJECTS:
		list(t, INVENTORY_PROJECTS, SEEN_PROJECTS);
		break;
	case TURN_PROJECT_INFO:
		if (is_due(t->owner, SEEN_INFOS))
			sweep_begin(t, 0);
		else
			arm(t);
		break;
	case TURN_JAIL_INFO:
	case TURN_JAIL_STATS:
	case TURN_JAIL_EXTRAS:
		sweep_items(t);
		break;
	case TURN_COUNT:
		break;
	}
}

int
turns_new(struct turns **ret, struct inventory *inv, struct error *e)
{
	AUTO(turns) struct turns *ts = mem_calloc(1, sizeof(*ts));

	if (ts == NULL)
		return error_nomem(e);
	ts->inv = inv;
	for (int i = 0; i < TURN_COUNT; i++) {
		ts->all[i].owner = ts;
		ts->all[i].which = (enum inventory_turn)i;
		if (timer_init(&ts->all[i].timer, inv->loop, on_turn,
			"inventory turn", e) < 0)
			return -1;
	}
	*ret = STEAL(ts);
	return 0;
}

void
turns_configure(struct turns *ts, const struct inventory_config *c)
{
	memcpy(ts->pause_ms, c->pause_ms, sizeof(ts->pause_ms));
	memcpy(ts->skew_ms, c->skew_ms, sizeof(ts->skew_ms));
	ts->rules = c->adaptive;
	for (int i = 0; i < TURN_COUNT; i++)
		if (ts->all[i].sweep == NULL)
			arm(&ts->all[i]);
}

void
turns_stop(struct turns *ts)
{
	ts->stopped = true;
	for (int i = 0; i < TURN_COUNT; i++) {
		struct turn *t = &ts->all[i];

		timer_stop(&t->timer);
		if (t->sweep != NULL && !t->sweep->away)
			t->sweep = sweep_free(t->sweep);
	}
}

struct turns *
turns_free(struct turns *ts)
{
	if (ts == NULL)
		return NULL;
	for (int i = 0; i < TURN_COUNT; i++)
		timer_fini(&ts->all[i].timer);
	mem_free(ts);
	return NULL;
}
