/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What torture_mem.c asks in unit tests: the n-th allocation fails.
 */
#include <stdatomic.h>

#include "test/unit/support/torture.h"

/* Allocations until one fails; below 0: none will, or one has. */
static atomic_long countdown = -1;
static atomic_bool fired;

void
torture_mem_fail_at(unsigned n)
{
	fired = false;
	countdown = (long)n;
}

bool
torture_mem_disarm(void)
{
	countdown = -1;
	return fired;
}

bool
torture_mem_fails(void)
{
	if (countdown < 0 || countdown-- != 0)
		return false;
	fired = true;
	return true;
}
