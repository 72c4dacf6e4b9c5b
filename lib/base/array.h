/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A growing array of fixed-size items with a maximum, and a binary search over
 * sorted ones. The items are values; what they own is the user's business.
 */
#pragma once

#include "lib/base/error.h"

struct array {
	void *items;
	size_t n;
	size_t cap;
	size_t item_len;
	/* n <= max, always. */
	size_t max;
};

void array_init(struct array *a, size_t item_len, size_t max);
/* Adds one zeroed item and returns it; NULL with e set on LIMIT or NOMEM. */
void *array_add(struct array *a, struct error *e);
void *array_at(const struct array *a, size_t i);
/* Removes item i, keeping order. */
void array_remove(struct array *a, size_t i);
typedef int array_cmp_fn(const void *, const void *);
void array_sort(struct array *a, array_cmp_fn *cmp);
/* In an array sorted by cmp; NULL when there is none. */
void *array_search(const struct array *a, const void *key, array_cmp_fn *cmp);
void array_reset(struct array *a);
void array_fini(struct array *a);
#define AUTO_ARRAY CC_CLEANUP(array_fini)
