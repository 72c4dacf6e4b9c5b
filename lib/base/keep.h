/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How much of what has ended is kept: whatever is beyond one of the three
 * bounds goes, the oldest first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct keep {
	uint64_t n;
	/* Milliseconds and bytes; 0: as much as there is. */
	int64_t ms;
	uint64_t bytes;
};

/* What was at `at` is too old by now. */
static inline bool
keep_is_over(const struct keep *k, int64_t at, int64_t now)
{
	return k->ms > 0 && at < now - k->ms;
}

/* By how much `have` is more than a bound. */
static inline uint64_t
keep_excess(uint64_t have, uint64_t bound)
{
	return have > bound ? have - bound : 0;
}
