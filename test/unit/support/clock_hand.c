/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * lib/base/clock.h once more, cranked by hand: see clock_hand.h.
 */
#include "test/unit/support/clock_hand.h"

#include <assert.h>

#include "lib/base/clock.h"

static int64_t mono_ms = 1000000;
static int64_t wall_ms = 1767225600000;

void
clock_hand_advance(int64_t ms)
{
	assert(ms >= 0);
	mono_ms += ms;
	wall_ms += ms;
}

void
clock_hand_set_wall(int64_t ms)
{
	wall_ms = ms;
}

int64_t
clock_mono_ms(void)
{
	return mono_ms;
}

int64_t
clock_mono_ns(void)
{
	return mono_ms * 1000000;
}

int64_t
clock_wall_ms(void)
{
	return wall_ms;
}
