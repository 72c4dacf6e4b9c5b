/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Time from the kernel. clock_gettime() with these two clocks does not fail on
 * any system we run on; would it, zero is as good as any other wrong time.
 * A test program that defines all of these replaces them: see
 * test/unit/support/clock_hand.h.
 */
#include "lib/base/clock.h"

#include <stdio.h>
#include <time.h>

#include "lib/base/cc.h"

static int64_t
read_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + (int64_t)ts.tv_nsec;
}

int64_t
clock_mono_ms(void)
{
	return read_ns(CLOCK_MONOTONIC) / 1000000;
}

int64_t
clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
	return read_ns(CLOCK_REALTIME) / 1000000;
}
