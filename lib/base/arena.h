/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A bump allocator that is freed as a whole: one per HTTP request, job step or
 * parsed file. It has a mandatory maximum and a latched error; allocations
 * after a failure return NULL. Nothing outside may point into it.
 */
#pragma once

#include "lib/base/error.h"

struct arena_block;

struct arena {
	struct arena_block *head;
	/* Bytes handed out; used <= max. */
	size_t used;
	size_t max;
	enum ove latch;
};

void arena_init(struct arena *a, size_t max);
/* Zeroed, aligned for any type; NULL when latched or full. */
void *arena_alloc(struct arena *a, size_t len);
void *arena_calloc(struct arena *a, size_t n, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t len);
char *arena_printf(struct arena *a, const char *fmt, ...) CC_PRINTF(2, 3);
int arena_check(const struct arena *a, struct error *e) CC_MUST_CHECK;
/* Frees everything but one block, clears the latch. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);
#define AUTO_ARENA CC_CLEANUP(arena_fini)
