/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Chain paths ("alpha.charlie") and entry points ("main.alpha.charlie": a
 * datacenter, then a chain path). At most 16 names in a path; blanks around a
 * name are dropped, as the original does.
 */
#pragma once

#include "lib/base/arena.h"

#define CHAINPATH_MAX 16

struct chainpath {
	const char *parts[CHAINPATH_MAX];
	/* 0: the server itself. */
	size_t n;
};

/* OVE_INVALID: a bad name; OVE_LIMIT: too long. The names live in a. */
int chainpath_parse(
    const char *text, struct arena *a, struct chainpath *ret, struct error *e);
int chainpath_parse_entrypoint(const char *text, struct arena *a,
    const char **ret_datacenter, struct chainpath *ret, struct error *e);
/* "alpha.charlie" in a; NULL for an empty path, or when a is full. */
const char *chainpath_join(const struct chainpath *p, struct arena *a);
/* The next hop of a path in text form, of *ret_len bytes, and what is left
 * after it: NULL when the hop is the last. */
const char *chainpath_split(const char *path, size_t *ret_len);
