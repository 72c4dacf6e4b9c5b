/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One output of the command: a file that keeps at most `max` bytes, the last
 * ones. The first `max` go straight to the file, where they can be read while
 * the command runs; what follows goes round a ring in memory of that size, and
 * tail_finish() rewrites the file. Adding never fails: what cannot be kept is
 * counted as dropped, and the command is never held up.
 */
#pragma once

#include "lib/base/error.h"

struct tail {
	int dir;
	const char *name;
	int fd;
	size_t max;
	/* All that came. */
	uint64_t total;
	/* Bytes in the file; nothing is added to it once it is full. */
	size_t file_len;
	bool file_full;
	/* NULL until it is needed, or when there is no memory. */
	char *ring;
	bool ring_failed;
	/* Where the next byte goes; ring_len <= max. */
	size_t ring_pos;
	size_t ring_len;
};

/* Makes the file `name` in dir; both are borrowed. */
int tail_init(
    struct tail *t, int dir, const char *name, size_t max, struct error *e);
void tail_add(struct tail *t, const char *p, size_t len);
/* Puts the last bytes in place: how many were kept and how many dropped. On
 * failure the file has the first ones, and the counts are right. */
int tail_finish(
    struct tail *t, uint64_t *ret_len, uint64_t *ret_dropped, struct error *e);
void tail_fini(struct tail *t);
