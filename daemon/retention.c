/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One timer. Jobs and the audit trail are cleared in small batches, again and
 * again while there is more; logs on a thread of their own, where a tree may
 * take its time.
 */
#include "daemon/retention.h"

#include "daemon/audit.h"
#include "daemon/logtidy.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"
#include "lib/event/worker.h"
#include "lib/store/queue.h"

/* Between two looks, at most and at least; while there is more to clear. */
#define PERIOD_MS 600000
#define PERIOD_MIN_MS 1000
#define MORE_MS 50

struct retention {
	struct retention_deps deps;
	struct retention_config config;
	struct timer timer;
	/* When logs are looked at again; monotonic. 0: as soon as it can be. */
	int64_t logs_at_ms;
	struct worker *worker;
	struct work work;
	bool working;
	/* The thread's, while working. */
	struct keep keep;
	size_t removed;
	struct error e;
};

static void
complain(const char *what, const struct error *e)
{
	log_warn("retention", NO_FIELDS, "%s: %s", what, e->text);
}

/* Logs */

static void
run_work(struct work_list *all, void *ctx)
{
	struct retention *r = ctx;

	(void)all;
	(void)logtidy_run(
	    r->deps.logs, &r->keep, clock_wall_ms(), &r->removed, &r->e);
}

static void
work_done(struct work *w)
{
	struct retention *r = container_of(w, struct retention, work);

	r->working = false;
	if (r->removed > 0)
		log_info("retention", FIELDS(LF_I("directories", r->removed)),
		    "old logs of Director were removed");
	if (error_is_set(&r->e))
		complain("old logs of Director stay", &r->e);
	/* The bounds have changed meanwhile. */
	if (r->logs_at_ms == 0)
		timer_arm(&r->timer, 0);
}

static void
tidy_logs(struct retention *r)
{
	r->working = true;
	r->keep = r->config.logs;
	r->removed = 0;
	error_clear(&r->e);
	worker_submit(r->worker, &r->work);
}

/* Looking */

static int64_t
period(const struct retention *r)
{
	int64_t ms = r->config.shortest_ms / 10;

	if (ms <= 0 || ms > PERIOD_MS)
		return PERIOD_MS;
	return ms < PERIOD_MIN_MS ? PERIOD_MIN_MS : ms;
}

static void
on_due(struct timer *t)
{
	struct retention *r = container_of(t, struct retention, timer);
	struct error e = ERROR_INIT;
	int64_t now = clock_mono_ms();
	int jobs, trail;

	jobs = queue_tidy(r->deps.queue, &e);
	if (jobs < 0)
		complain("old jobs stay", &e);
	error_clear(&e);
	trail = audit_tidy(r->deps.audit, &e);
	if (trail < 0)
		complain("old records of the audit trail stay", &e);
	if (now >= r->logs_at_ms && !r->working) {
		r->logs_at_ms = now + period(r);
		tidy_logs(r);
	}
	timer_arm(&r->timer,
	    jobs == 0 || jobs == QUEUE_BUSY || trail == 0 ? MORE_MS
							  : period(r));
}

/* Life */

int
retention_new(
    struct retention **ret, const struct retention_deps *deps, struct error *e)
{
	AUTO(retention) struct retention *r = mem_calloc(1, sizeof(*r));

	if (r == NULL)
		return error_nomem(e);
	r->deps = *deps;
	r->work.done = work_done;
	if (timer_init(&r->timer, deps->loop, on_due, "retention", e) < 0 ||
	    worker_new(&r->worker, deps->loop, "retention", run_work, r, e) < 0)
		return -1;
	*ret = STEAL(r);
	return 0;
}

void
retention_configure(struct retention *r, const struct retention_config *c)
{
	r->config = *c;
	r->logs_at_ms = 0;
	timer_arm(&r->timer, 0);
}

struct retention *
retention_free(struct retention *r)
{
	if (r == NULL)
		return NULL;
	/* What is done may arm the timer. */
	r->worker = worker_free(r->worker);
	timer_fini(&r->timer);
	mem_free(r);
	return NULL;
}
