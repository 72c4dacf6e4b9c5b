/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Adaptive polling (config.md 2.4.1): how often to look at what nobody reads.
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct polling_rules {
	/* After a read nothing is skipped for so long. */
	int64_t window_ms;
	/* Without a read it is looked at after so long, and then after so much
	 * more each time, */
	int64_t idle_ms;
	int64_t penalty_ms;
	/* up to this, where all begins anew. */
	int64_t limit_ms;
};

/* Begins zeroed. */
struct polling {
	/* It has been read, or looked at for the first time. */
	bool known;
	/* When, monotonic. */
	int64_t read_ms;
	uint32_t penalties;
};

void polling_read(struct polling *p, int64_t now_ms);
/* Whether to look at it in this round. */
bool polling_is_due(
    struct polling *p, const struct polling_rules *r, int64_t now_ms);
