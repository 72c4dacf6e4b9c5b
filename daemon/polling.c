/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The rule of the contract, once a round for each thing that is looked at (the
 * original goes through it once for each jail, which only ever refreshes the
 * first one).
 */
#include "daemon/polling.h"

#include "lib/base/cc.h"

#define SECOND_MS 1000

void
polling_read(struct polling *p, int64_t now_ms)
{
	p->known = true;
	p->read_ms = now_ms;
}

static int64_t
limit_of(const struct polling *p, const struct polling_rules *r)
{
	int64_t more, limit;

	if (__builtin_mul_overflow(r->penalty_ms, p->penalties, &more) ||
	    __builtin_add_overflow(r->idle_ms, more, &limit))
		return r->limit_ms;
	return limit < r->limit_ms ? limit : r->limit_ms;
}

bool
polling_is_due(struct polling *p, const struct polling_rules *r, int64_t now_ms)
{
	/* Whole seconds, as the original counts. */
	int64_t idle = (now_ms - p->read_ms) / SECOND_MS * SECOND_MS, limit;

	if (!p->known) {
		polling_read(p, now_ms);
		return true;
	}
	if (idle < r->window_ms) {
		p->penalties = 0;
		return true;
	}
	limit = limit_of(p, r);
	if (limit >= r->limit_ms) {
		polling_read(p, now_ms);
		return true;
	}
	if (idle < limit)
		return false;
	p->penalties++;
	return true;
}
