/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The kinds of jobs. A kind is a table of steps; a step is one command, or work
 * on the loop or beside it.
 */
#include "daemon/steps.h"

#include <string.h>

#include "lib/data/node.h"

bool
steps_flag(const struct task *t, const char *name)
{
	const struct node *n = node_get(t->payload, name);

	return n != NULL && n->type == NODE_BOOL && n->u.b;
}

bool
steps_always(struct task *t)
{
	(void)t;
	return true;
}

/* What is not a kind of this version. */

static int
unknown_open(struct task *t, struct verdict *v)
{
	v->state = JOB_FAILED;
	v->message = arena_printf(&t->arena,
	    "a job of kind '%s' cannot be run by this version", t->job.kind);
	return TASK_VERDICT;
}

static const struct job_kind steps_cancel = { .name = "cancel",
	.open = cancel_open };
static const struct job_kind steps_unknown = { .name = "",
	.open = unknown_open };

static const struct job_kind *const kinds[] = { &steps_create, &steps_destroy,
	&steps_vm, &steps_cancel, &steps_unknown };

const struct job_kind *
job_kind_find(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) - 1 && strcmp(kinds[i]->name, name) != 0)
		i++;
	return kinds[i];
}

void
job_kinds_sweep(struct runner *r)
{
	steps_sweep_files(r);
}
