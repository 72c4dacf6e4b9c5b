/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Time, in milliseconds: monotonic for waiting, wall for records. A test
 * program may bring its own clock.c and crank it by hand.
 */
#pragma once

#include <stdint.h>
#include <time.h>

int64_t clock_mono_ms(void);
/* Nanoseconds, for latency figures only. */
int64_t clock_mono_ns(void);
int64_t clock_wall_ms(void);

static inline int64_t
clock_ms_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

/* "YYYY-MM-DDTHH:MM:SS.mmmZ" of a wall time. */
#define CLOCK_TEXT_LEN 32
const char *clock_wall_text(int64_t wall_ms, char buf[CLOCK_TEXT_LEN]);
