/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Wall time as text, always UTC. Apart from clock.c, so that a test program
 * with its own clock keeps this one.
 */
#include "lib/base/clock.h"

#include <stdio.h>
#include <time.h>

const char *
clock_wall_text(int64_t wall_ms, char buf[CLOCK_TEXT_LEN])
{
	int64_t ms = wall_ms % 1000, s = wall_ms / 1000;
	struct tm tm = { 0 };
	time_t t;
	size_t n;

	if (ms < 0) {
		ms += 1000;
		s--;
	}
	t = (time_t)s;
	(void)gmtime_r(&t, &tm);
	n = strftime(buf, CLOCK_TEXT_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, CLOCK_TEXT_LEN - n, ".%03uZ", (unsigned)ms);
	return buf;
}
