/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Removes old logs of Director, which makes a directory for each of its
 * commands and never removes one. On any thread.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/keep.h"

struct logtidy_dir {
	const char *name;
	/* Wall milliseconds of the last change of anything in it. */
	int64_t at;
	/* On disk. */
	uint64_t bytes;
};

/* Sorts directories by age and returns how many of them, the first ones, are
 * not to be kept. */
size_t logtidy_choose(
    struct logtidy_dir *dirs, size_t n, const struct keep *k, int64_t now);

/* Removes what is not to be kept beneath `top`, which need not exist. What
 * cannot be removed is passed over: the last error is that of one. */
int logtidy_run(const char *top, const struct keep *k, int64_t now,
    size_t *ret_removed, struct error *e);
