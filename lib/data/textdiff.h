/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How two texts differ, line by line: counted, or as diff -u shows it.  The
 * fewest lines that tell it, unless the texts are so large that finding them
 * would take long: then what lies between the first and the last difference is
 * taken as replaced.
 */
#pragma once

#include "lib/base/strbuf.h"

struct textdiff_count {
	size_t removed;
	size_t added;
};

/* Adds hunks with three lines around each difference; nothing when the texts
 * are equal.  out may be NULL: only counts.  Fails when memory runs out. */
int textdiff(struct strbuf *out, const char *before, const char *after,
    struct textdiff_count *ret, struct error *e);
