/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The circuit breaker of one server: a pure function of (state, event, now).
 *
 * Closed while fewer than `failures` were counted. Then open, for `interval`
 * and what each failure after the first has added. Then half-open: one call at
 * a time goes through as a probe. A success closes and forgets; a failure of
 * the probe opens for longer.
 *
 * Each call has a ticket, got when it asked and given back with its outcome,
 * once. A call that began before the failure that opened tells nothing new.
 */
#pragma once

#include <stdint.h>

#include "lib/base/cc.h"

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN
};

struct breaker_config {
	int64_t failures;
	int64_t interval_ms;
	int64_t increase_ms;
	int64_t max_increase_ms;
};

/* All zero: nothing is known against the server. */
struct breaker {
	int64_t failures;
	int64_t increase_ms;
	/* Of the last failure; monotonic. */
	int64_t failed_ms;
	bool probing;
};

struct breaker_ticket {
	int64_t asked_ms;
	bool probe;
};

enum breaker_event {
	/* May a call go out? */
	BREAKER_ASK,
	/* One goes out whatever the state. */
	BREAKER_PASS,
	/* What became of it. */
	BREAKER_SUCCESS,
	BREAKER_FAILURE,
	/* It tells nothing about the server. */
	BREAKER_NEITHER
};

enum {
	BREAKER_REFUSED = 1
};
/* Only BREAKER_ASK can be refused; it and BREAKER_PASS fill the ticket. */
int breaker_step(struct breaker *b, const struct breaker_config *c,
    enum breaker_event event, struct breaker_ticket *t, int64_t now);
enum breaker_state breaker_state(
    const struct breaker *b, const struct breaker_config *c, int64_t now);
/* When it is, or was, half-open; only when it is not closed. */
int64_t breaker_half_open_at(
    const struct breaker *b, const struct breaker_config *c);
const char *breaker_state_text(enum breaker_state s);
