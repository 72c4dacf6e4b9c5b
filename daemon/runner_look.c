/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Looking at the project of a job. What its steps depend on (which services, do
 * they run, labels of their jails) stands in files of Director and AppJail,
 * which may be large: the inventory's thread reads them. One look serves all
 * questions until a command of Director changes what there is.
 */
#include "daemon/runner_internal.h"
#include "daemon/special.h"
#include "lib/base/log.h"
#include "lib/data/node.h"

/* Looks again in a while. */
static void
again_later(struct task *t, const struct error *e)
{
	log_warn("runner", FIELDS(LF_I("job", t->job.id.v)),
	    "cannot look at the project yet, trying again: %s", e->text);
	task_retry(t, t->after_look);
}

static void
looked(const struct project_look *look, const struct error *e, void *ctx)
{
	struct task *t = ctx;
	struct error mine = *e;

	t->looking.v = 0;
	t->look = *look;
	if (look->info != NULL)
		t->look.info = node_copy(&t->arena, look->info);
	if (t->arena.latch == OVE_NOMEM) {
		t->arena.latch = OVE_NONE;
		(void)error_nomem(&mine);
	}
	if (task_passes(&mine)) {
		again_later(t, &mine);
		return;
	}
	t->has_look = true;
	t->after_look(t);
}

bool
task_has_look(struct task *t, void (*then)(struct task *t))
{
	struct error e = ERROR_INIT;

	if (t->has_look)
		return true;
	t->after_look = then;
	if (inventory_look(t->r->deps.inventory, t->job.name, SPECIAL_PREFIX,
		looked, t, &t->looking, &e) < 0)
		again_later(t, &e);
	return false;
}

void
task_stop_look(struct task *t)
{
	if (t->looking.v != 0)
		inventory_cancel(t->r->deps.inventory, t->looking);
	t->looking.v = 0;
}
