/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See breaker.h. The state is not kept: it follows from the record and the time
 * (rest-api.md 4.3 and 4.6), so no timer has to run.
 */
#include "lib/net/breaker.h"

enum breaker_state
breaker_state(
    const struct breaker *b, const struct breaker_config *c, int64_t now)
{
	if (b->failures < c->failures || b->failures == 0)
		return BREAKER_CLOSED;
	return now >= breaker_half_open_at(b, c) ? BREAKER_HALF_OPEN
						 : BREAKER_OPEN;
}

int64_t
breaker_half_open_at(const struct breaker *b, const struct breaker_config *c)
{
	return b->failed_ms + c->interval_ms + b->increase_ms;
}

const char *
breaker_state_text(enum breaker_state s)
{
	switch (s) {
	case BREAKER_CLOSED:
		return "closed";
	case BREAKER_OPEN:
		return "open";
	case BREAKER_HALF_OPEN:
		return "half-open";
	}
	return "";
}

static int
ask(struct breaker *b, const struct breaker_config *c, struct breaker_ticket *t,
    int64_t now)
{
	*t = (struct breaker_ticket){ .asked_ms = now };
	switch (breaker_state(b, c, now)) {
	case BREAKER_CLOSED:
		return 0;
	case BREAKER_OPEN:
		return BREAKER_REFUSED;
	case BREAKER_HALF_OPEN:
		break;
	}
	if (b->probing)
		return BREAKER_REFUSED;
	b->probing = t->probe = true;
	return 0;
}

static void
count(struct breaker *b, const struct breaker_config *c,
    const struct breaker_ticket *t, int64_t now)
{
	if (breaker_state(b, c, now) != BREAKER_CLOSED &&
	    t->asked_ms <= b->failed_ms)
		return;
	if (b->failures > 0)
		b->increase_ms += c->increase_ms;
	if (b->increase_ms > c->max_increase_ms)
		b->increase_ms = c->max_increase_ms;
	b->failures++;
	b->failed_ms = now;
}

int
breaker_step(struct breaker *b, const struct breaker_config *c,
    enum breaker_event event, struct breaker_ticket *t, int64_t now)
{
	switch (event) {
	case BREAKER_ASK:
		return ask(b, c, t, now);
	case BREAKER_PASS:
		*t = (struct breaker_ticket){ .asked_ms = now };
		return 0;
	case BREAKER_SUCCESS:
		*b = (struct breaker){ 0 };
		return 0;
	case BREAKER_FAILURE:
		count(b, c, t, now);
		break;
	case BREAKER_NEITHER:
		break;
	}
	if (t->probe)
		b->probing = false;
	return 0;
}
