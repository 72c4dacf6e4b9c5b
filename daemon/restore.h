/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Putting a backup in the place of the store, as files: a copy is made beside
 * the store, where its user looks at it, and takes its place in one step; what
 * was there goes aside, and can be put back in the same way. Whoever calls
 * holds the lock of the state directory.
 */
#pragma once

#include "lib/base/arena.h"

struct restore {
	struct arena *arena;
	const char *statedir;
	/* The backup's file. */
	const char *from;
	/* A state directory for the copy, below the other. */
	const char *fresh;
};

/* OVE_NOTFOUND: dir holds no backup. Texts are made in a. */
int restore_init(struct restore *ret, const char *statedir, const char *dir,
    struct arena *a, struct error *e);
/* Makes fresh/state with a copy. */
int restore_copy(struct restore *r, struct error *e);
/* Puts that in place, and removes the rest of fresh. *ret_aside is where the
 * old store is now; NULL: there was none. */
int restore_swap(struct restore *r, const char **ret_aside, struct error *e);
/* Removes what restore_copy() has made. */
void restore_drop(struct restore *r);
