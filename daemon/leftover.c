/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See leftover.h. That something has gone is noted in the store, so that a
 * restart changes nothing: by us, when it was listed before, and with the end
 * of each destroy. One timer waits for the note that is due next; what
 * comes of the notes is one batch.
 */
#include "daemon/leftover.h"

#include "daemon/inventory.h"
#include "daemon/record.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"
#include "lib/store/queue.h"

/* Taken away in one turn. */
#define SWEEP_MAX 200
/* What has to wait for somebody else, or for room; for a list, or a turn. */
#define AGAIN_MS 10000
#define LISTED_MS 1000

struct leftover {
	struct leftover_deps deps;
	int64_t keep_ms;
	struct timer timer;
	/* Of the timer, while it is armed; monotonic. */
	int64_t due_ms;
	/* Batches under way; it is freed when they are back. */
	unsigned batches;
	bool closed;
};

static const enum record_gone gone_of[INVENTORY_KINDS] = {
	[INVENTORY_JAILS] = RECORD_GONE_JAIL,
	[INVENTORY_PROJECTS] = RECORD_GONE_PROJECT,
};

/* In so many milliseconds at the latest. */
static void
look_in(struct leftover *lo, int64_t ms)
{
	int64_t due = clock_mono_ms() + ms;

	if (lo->timer.armed && lo->due_ms <= due)
		return;
	lo->due_ms = due;
	timer_arm(&lo->timer, ms);
}

static void
complain(const struct error *e)
{
	log_warn("leftover", NO_FIELDS,
	    "what is kept of what has gone stays: %s", e->text);
}

static void
release(struct leftover *lo)
{
	if (lo->closed && lo->batches == 0)
		mem_free(lo);
}

/* What is in the store now is looked at when it is due, and again after a
 * failure. */
static void
was_written(const struct error *failed, void *ctx)
{
	struct leftover *lo = ctx;

	lo->batches--;
	if (failed != NULL)
		complain(failed);
	if (!lo->closed)
		look_in(lo, failed != NULL ? AGAIN_MS : lo->keep_ms);
	release(lo);
}

static void
submit(struct leftover *lo, struct store_batch *b)
{
	struct error e = ERROR_INIT;

	if (store_submit(lo->deps.store, b, was_written, lo, &e) == 0) {
		lo->batches++;
		return;
	}
	complain(&e);
	look_in(lo, AGAIN_MS);
}

static void
has_gone(
    enum inventory_kind kind, const char *const *names, size_t n, void *ctx)
{
	struct leftover *lo = ctx;
	AUTO_BATCH struct store_batch b;
	int64_t now = clock_wall_ms();

	store_batch_init(&b);
	for (size_t i = 0; i < n; i++)
		if (record_is_kept(lo->deps.store, gone_of[kind], names[i]))
			record_note_gone(&b, gone_of[kind], names[i], now);
	if (b.has_put)
		submit(lo, &b);
}

void
leftover_expect(struct leftover *lo)
{
	look_in(lo, lo->keep_ms);
}

/* Sweeping */

struct sweep {
	struct leftover *lo;
	struct store_batch b;
	int64_t now_ms;
	/* Until the next is due; -1: there is none. */
	int64_t next_ms;
	size_t n;
};

static bool
has_jobs(struct leftover *lo, const char *name)
{
	AUTO_ARRAY struct array ids;

	array_init(&ids, sizeof(struct job_id), SIZE_MAX / 16);
	return queue_active(lo->deps.queue, name, 0, &ids, NULL) < 0 ||
	    ids.n > 0;
}

/* Deals with a note; for how long it stays, or -1. */
static int64_t
look_at(struct sweep *s, enum inventory_kind kind, const char *name,
    int64_t gone_at)
{
	struct leftover *lo = s->lo;
	int64_t age = s->now_ms - gone_at;

	switch (inventory_lists(lo->deps.inventory, kind, name)) {
	case INVENTORY_LISTED:
		record_note_back(&s->b, gone_of[kind], name);
		return -1;
	case INVENTORY_UNLISTED:
		break;
	default:
		return LISTED_MS;
	}
	/* A clock that was set back ends the waiting. */
	if (age >= 0 && age < lo->keep_ms)
		return lo->keep_ms - age;
	if (has_jobs(lo, name))
		return AGAIN_MS < lo->keep_ms ? AGAIN_MS : lo->keep_ms + 1;
	log_info("leftover",
	    FIELDS(LF_S(kind == INVENTORY_JAILS ? "jail" : "project", name)),
	    "has gone, and so goes what was kept of it");
	record_forget(&s->b, gone_of[kind], name);
	return -1;
}

static bool
sweep_note(enum record_gone what, const char *name, int64_t gone_at, void *ctx)
{
	struct sweep *s = ctx;
	enum inventory_kind kind =
	    what == RECORD_GONE_JAIL ? INVENTORY_JAILS : INVENTORY_PROJECTS;
	int64_t ms = look_at(s, kind, name, gone_at);

	if (ms >= 0 && (s->next_ms < 0 || ms < s->next_ms))
		s->next_ms = ms;
	if (ms < 0 && ++s->n == SWEEP_MAX)
		s->next_ms = LISTED_MS;
	return s->n < SWEEP_MAX;
}

static void
on_due(struct timer *t)
{
	struct sweep s = {
		.lo = container_of(t, struct leftover, timer),
		.now_ms = clock_wall_ms(),
		.next_ms = -1,
	};
	struct error e = ERROR_INIT;

	store_batch_init(&s.b);
	/* It makes room. */
	s.b.reserve = true;
	if (record_each_gone(s.lo->deps.store, sweep_note, &s, &e) < 0)
		complain(&e);
	if (s.next_ms >= 0)
		look_in(s.lo, s.next_ms);
	if (s.n > 0)
		submit(s.lo, &s.b);
	store_batch_fini(&s.b);
}

/* Life */

int
leftover_new(
    struct leftover **ret, const struct leftover_deps *deps, struct error *e)
{
	struct leftover *lo = mem_calloc(1, sizeof(*lo));

	if (lo == NULL)
		return error_nomem(e);
	lo->deps = *deps;
	if (timer_init(&lo->timer, deps->loop, on_due, "leftover", e) < 0) {
		mem_free(lo);
		return -1;
	}
	inventory_on_gone(deps->inventory, has_gone, lo);
	*ret = lo;
	return 0;
}

void
leftover_configure(struct leftover *lo, int64_t keep_ms)
{
	lo->keep_ms = keep_ms;
	look_in(lo, 0);
}

struct leftover *
leftover_free(struct leftover *lo)
{
	if (lo == NULL)
		return NULL;
	inventory_on_gone(lo->deps.inventory, NULL, NULL);
	timer_fini(&lo->timer);
	lo->closed = true;
	release(lo);
	return NULL;
}
