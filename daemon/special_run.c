/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See special_run.h.
 */
#include "daemon/special_run.h"

/* Labels are 64 KiB at most. */
#define ARENA_MAX ((size_t)4 << 20)

void
special_runs_init(struct special_runs *rs, void (*free)(struct special_run *r))
{
	*rs = (struct special_runs){ .free = free };
	TAILQ_INIT(&rs->list);
}

static void
release(struct special_runs *rs, struct special_run *r)
{
	struct arena arena = r->arena;

	rs->free(r);
	arena_fini(&arena);
}

void
special_runs_fini(struct special_runs *rs)
{
	struct special_run *r;

	while ((r = TAILQ_FIRST(&rs->list)) != NULL) {
		TAILQ_REMOVE(&rs->list, r, link);
		release(rs, r);
	}
}

struct special_id
special_run_begin(struct special_runs *rs, struct special_run *r,
    const struct special *s, special_done_fn *done, void *ctx)
{
	r->id.v = ++rs->last_id;
	r->s = s;
	r->done = done;
	r->ctx = ctx;
	arena_init(&r->arena, ARENA_MAX);
	TAILQ_INSERT_TAIL(&rs->list, r, link);
	return r->id;
}

/* NULL: all that it wanted to say found room. */
static const char *
lack_of(const struct arena *a)
{
	if (a->latch == OVE_NONE)
		return NULL;
	return a->latch == OVE_NOMEM ? "Exception MemoryError: out of memory"
				     : "Exception ValueError: a label is too "
				       "long";
}

void
special_run_end(struct special_runs *rs, struct special_run *r, bool failed,
    const char *message)
{
	const char *lack = lack_of(&r->arena);

	TAILQ_REMOVE(&rs->list, r, link);
	r->done(failed || lack != NULL, lack != NULL ? lack : message, r->ctx);
	release(rs, r);
}

void
special_run_cancel(struct special_runs *rs, struct special_id id)
{
	struct special_run *r;

	TAILQ_FOREACH (r, &rs->list, link) {
		if (r->id.v == id.v) {
			TAILQ_REMOVE(&rs->list, r, link);
			release(rs, r);
			return;
		}
	}
}
