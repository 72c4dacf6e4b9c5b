/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See backoff.h. In floating point nothing overflows, and what comes back is at
 * most the maximum.
 */
#include "lib/net/backoff.h"

/* 2^60 ms is over any maximum. */
#define DOUBLINGS_MAX 60

int64_t
backoff_ms(const struct backoff *b, unsigned n, double dice)
{
	double wait = (double)b->factor_ms;

	if (n > DOUBLINGS_MAX)
		n = DOUBLINGS_MAX;
	for (unsigned i = 0; i < n; i++)
		wait *= 2;
	wait *= 1 - b->jitter * (1 - dice);
	if (wait >= (double)b->max_ms)
		return b->max_ms > 0 ? b->max_ms : 0;
	return wait > 0 ? (int64_t)wait : 0;
}
