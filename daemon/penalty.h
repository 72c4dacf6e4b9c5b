/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Slows down who guesses tokens. An address (of IPv6 its /64, what one customer
 * gets) has some wrong tokens free; from then on each makes it wait, longer
 * every time up to a bound, and until then none of its tokens is looked at. The
 * same wrong token again is no new guess: a server whose token for us has
 * expired asks as often as it likes, and is told the truth.
 *
 * A function of what it is told and of the time. The table has a fixed size:
 * where it is full, the address that has been quiet longest is forgotten.
 */
#pragma once

#include "lib/base/error.h"

struct penalty;

struct penalty_limits {
	/* Wrong tokens of an address before it has to wait. */
	unsigned free;
	/* The longest wait. */
	int64_t wait_ms;
	/* Without a wrong token for so long, an address is forgotten. */
	int64_t forget_ms;
};

int penalty_new(
    struct penalty **ret, const struct penalty_limits *limits, struct error *e);
void penalty_configure(struct penalty *p, const struct penalty_limits *limits);
struct penalty *penalty_free(struct penalty *p);
AUTO_DEFINE(penalty)

/* For how long no token of this peer (http_req_peer()) is to be looked at; 0:
 * this one may be, at once. Always 0 for a unix socket. */
int64_t penalty_left(const struct penalty *p, const char *peer,
    const void *token, size_t len, int64_t now_ms);

struct penalty_verdict {
	/* Counted: it is another one than its last few. */
	bool counted;
	/* How many were, since the address was forgotten. */
	unsigned n;
	/* What penalty_left() is from now on. */
	int64_t wait_ms;
};
/* A token that was looked at is wrong. */
struct penalty_verdict penalty_wrong(struct penalty *p, const char *peer,
    const void *token, size_t len, int64_t now_ms);
