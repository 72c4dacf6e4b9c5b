/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A set of ports.
 */
#pragma once

#include <stdint.h>

#include "lib/base/cc.h"

#define PORTSET_ALL 65536
/* Zeroed: the empty one. */
struct portset {
	uint8_t bits[PORTSET_ALL / 8];
};

void portset_add(struct portset *set, unsigned port);
/* "80" or "8000:8010"; false, and nothing added, for anything else. */
bool portset_add_text(struct portset *set, const char *text);
bool portset_has(const struct portset *set, unsigned port);
/* One of [first, end) at random that is not in the set; 0 when there is none.
 */
uint16_t portset_draw(const struct portset *used, uint16_t first, uint16_t end);
