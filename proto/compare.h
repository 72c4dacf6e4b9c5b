/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What differs between what a server has and what it would be sent: a list of
 * places with both values.  Pure.
 */
#pragma once

#include "lib/data/node.h"

struct compare_change {
	/* "environment.PORT" */
	const char *path;
	/* NULL: there is none. */
	const struct node *before;
	const struct node *after;
};

struct compare {
	struct arena *arena;
	struct compare_change *items;
	size_t n;
	size_t cap;
};

/* What is found lies in a; values are borrowed.  That a is full shows when it
 * is checked. */
void compare_init(struct compare *c, struct arena *a);
/* Looks into mappings; everything else is the same or it is not.  The order of
 * keys does not count.  NULL: there is no such thing. */
void compare_add(struct compare *c, const char *path, const struct node *before,
    const struct node *after);
/* The same of two texts, as JSON where both are that. */
void compare_add_json(
    struct compare *c, const char *path, const char *before, const char *after);
