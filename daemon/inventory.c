/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The inventory as a whole: its places and its thread. Everything opened is
 * beneath one of five configured directories (beneath.h), by names that were
 * checked; the places are set when it is made, so that the thread reads them,
 * too.
 *
 * The thread is the inventory's own, so that who looks does not wait for
 * somebody's namespace to be built. What waits for it is done in one go, as one
 * change of the cache; a change that cannot be written costs time only, since
 * everything can be read again.
 */
#include "daemon/inventory.h"

#include <string.h>

#include "daemon/inventory_internal.h"
#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#define COMPLAIN_MS 60000

/* The thread */

static void
report(struct inv_thread *th, struct inv_work *w)
{
	w->report.told = true;
	w->report.kept = th->kept;
	w->report.read = th->read;
	if (th->inv->cache != NULL)
		cache_get_stats(th->inv->cache, &w->report.cache);
}

static void
run_all(struct work_list *all, void *ctx)
{
	struct inventory *inv = ctx;
	struct inv_thread th = { .inv = inv };
	AUTO_CACHE_TXN struct cache_txn t = { .cache = NULL };
	struct inv_work *first =
	    container_of(TAILQ_FIRST(all), struct inv_work, work);
	struct error *e = &first->report.cache_failed;
	struct work *w;

	if (inv->cache != NULL && cache_begin(inv->cache, &t, e) == 0)
		th.cache = &t;
	TAILQ_FOREACH (w, all, link) {
		struct inv_work *iw = container_of(w, struct inv_work, work);

		iw->run(iw, &th);
	}
	/* What has failed is in the report. */
	if (th.cache != NULL && cache_commit(&t, e) < 0)
		th.cache = NULL;
	report(&th, first);
}

static void
take_report(struct inventory *inv, struct inv_work *w)
{
	int64_t now = clock_mono_ms();

	inv->stats.kept += w->report.kept;
	inv->stats.read += w->report.read;
	inv->stats.cache_entries = w->report.cache.entries;
	inv->stats.cache_bytes = w->report.cache.bytes;
	inv->stats.cache_evicted = w->report.cache.evicted;
	if (!error_is_set(&w->report.cache_failed) ||
	    (inv->complained_ms != 0 && now - inv->complained_ms < COMPLAIN_MS))
		return;
	inv->complained_ms = now;
	log_warn("inventory", NO_FIELDS,
	    "nothing is kept, everything is read again: %s",
	    w->report.cache_failed.text);
}

static void
came_back(struct work *work)
{
	struct inv_work *w = container_of(work, struct inv_work, work);

	if (w->report.told)
		take_report(w->inv, w);
	w->done(w);
}

void
inventory_submit(struct inventory *inv, struct inv_work *w, inv_run_fn *run,
    inv_done_fn *done)
{
	w->inv = inv;
	w->work.done = came_back;
	w->run = run;
	w->done = done;
	memset(&w->report, 0, sizeof(w->report));
	worker_submit(inv->worker, &w->work);
}

/* Life */

static uint64_t
sum_of(const char *const *environment)
{
	uint64_t h = HASH_INIT;

	for (const char *const *v = environment; v != NULL && *v != NULL; v++)
		h = hash_add(h, *v, strlen(*v) + 1);
	return h;
}

static int
copy_places(
    struct inventory *inv, const struct inventory_places *p, struct error *e)
{
	inv->projects = mem_strdup(p->projects);
	inv->locks = mem_strdup(p->locks);
	inv->logs = mem_strdup(p->director_logs);
	inv->jails = mem_strdup(p->jails);
	inv->jail_logs = mem_strdup(p->appjail_logs);
	return inv->projects == NULL || inv->locks == NULL ||
		inv->logs == NULL || inv->jails == NULL ||
		inv->jail_logs == NULL
	    ? error_nomem(e)
	    : 0;
}

int
inventory_new(struct inventory **ret, const struct inventory_deps *deps,
    const struct inventory_places *p, struct error *e)
{
	AUTO(inventory) struct inventory *inv = mem_calloc(1, sizeof(*inv));

	if (inv == NULL)
		return error_nomem(e);
	inv->loop = deps->loop;
	inv->cache = deps->cache;
	inv->events = deps->events;
	inv->env_sum = sum_of(deps->environment);
	if (copy_places(inv, p, e) < 0 ||
	    jailask_new(&inv->ask, inv->loop, e) < 0 ||
	    worker_new(&inv->worker, inv->loop, "inventory", run_all, inv, e) <
		0 ||
	    lookups_new(&inv->lookups, inv, e) < 0 ||
	    turns_new(&inv->turns, inv, e) < 0)
		return -1;
	for (int k = 0; k < INVENTORY_KINDS; k++)
		if (names_new(&inv->names[k], inv, (enum inventory_kind)k, e) <
		    0)
			return -1;
	*ret = STEAL(inv);
	return 0;
}

void
inventory_configure(struct inventory *inv, const struct inventory_config *c)
{
	const struct jailask_config jc = {
		.programs = c->programs,
		.environment = c->environment,
		.commands = c->commands,
		.keep_ms = {
			[JAILASK_USAGE] = c->pause_ms[TURN_JAIL_STATS],
			[JAILASK_CPUS] = c->pause_ms[TURN_JAIL_EXTRAS],
			[JAILASK_INET] = c->pause_ms[TURN_JAIL_INFO],
			[JAILASK_INET6] = c->pause_ms[TURN_JAIL_INFO],
		},
	};

	inv->keywords = c->keywords;
	jailask_configure(inv->ask, &jc);
	turns_configure(inv->turns, c);
	for (int k = 0; k < INVENTORY_KINDS; k++)
		names_start(inv->names[k]);
}

void
inventory_touch(struct inventory *inv)
{
	turns_touch(inv->turns);
}

void
inventory_on_gone(struct inventory *inv, inventory_gone_fn *fn, void *ctx)
{
	inv->gone = fn;
	inv->gone_ctx = ctx;
}

void
inventory_cancel(struct inventory *inv, struct lookup_id id)
{
	lookups_cancel(inv->lookups, id);
	for (int k = 0; k < INVENTORY_KINDS; k++)
		names_cancel(inv->names[k], id);
}

void
inventory_get_stats(const struct inventory *inv, struct inventory_stats *ret)
{
	*ret = inv->stats;
	ret->commands = jailask_started(inv->ask);
	ret->watched = true;
	for (int k = 0; k < INVENTORY_KINDS; k++) {
		const struct name_list *last = names_last(inv->names[k]);

		ret->names[k] = last != NULL ? last->items.n : 0;
		ret->watched = ret->watched && names_are_watched(inv->names[k]);
	}
}

static void
stop(struct inventory *inv)
{
	if (inv->turns != NULL)
		turns_stop(inv->turns);
	if (inv->lookups != NULL)
		lookups_stop(inv->lookups);
	for (int k = 0; k < INVENTORY_KINDS; k++)
		if (inv->names[k] != NULL)
			names_stop(inv->names[k]);
}

struct inventory *
inventory_free(struct inventory *inv)
{
	if (inv == NULL)
		return NULL;
	stop(inv);
	/* What is on the thread comes back, to nobody. */
	inv->worker = worker_free(inv->worker);
	inv->turns = turns_free(inv->turns);
	inv->lookups = lookups_free(inv->lookups);
	for (int k = 0; k < INVENTORY_KINDS; k++)
		inv->names[k] = names_free(inv->names[k]);
	inv->ask = jailask_free(inv->ask);
	mem_free(inv->projects);
	mem_free(inv->locks);
	mem_free(inv->logs);
	mem_free(inv->jails);
	mem_free(inv->jail_logs);
	mem_free(inv);
	return NULL;
}
