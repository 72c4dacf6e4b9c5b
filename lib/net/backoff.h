/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How long to wait before a retry: min(max, factor * 2^n * u), u uniform in
 * [1 - jitter, 1]. Pure: the caller throws the dice.
 */
#pragma once

#include <stdint.h>

#include "lib/base/cc.h"

struct backoff {
	int64_t max_ms;
	int64_t factor_ms;
	/* 0 to 1. */
	double jitter;
};

/* Before retry n, from 1; dice from 0 to 1. Never below 0 or over max_ms. */
int64_t backoff_ms(const struct backoff *b, unsigned n, double dice);
