/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A clock that only moves when the test cranks it. A test program whose row in
 * meson.build says 'clock' gets it in place of lib/base/clock.c. It starts at
 * 1 000 000 ms monotonic and 2026-01-01T00:00:00Z. Kernel timers (and so the
 * loop's) do not know about it.
 */
#pragma once

#include <stdint.h>

/* Moves both; below 0 is a mistake, as monotonic time does not go back. */
void clock_hand_advance(int64_t ms);
/* Sets wall time alone, as an administrator would. */
void clock_hand_set_wall(int64_t wall_ms);
