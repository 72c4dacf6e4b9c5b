/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Words as a POSIX shell has them. What is split is never executed by one: no
 * expansion, no operators, no comments.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/strbuf.h"

/* Adds s as one word: as it is, or in single quotes when it holds something
 * that means more to a shell than itself. */
void shellword_quote(struct strbuf *out, const char *s);
/* Splits at blanks, taking quotes and backslashes as a shell does. The words
 * and a NULL after them are in the arena. -1: OVE_INVALID for a quote without
 * end, or nothing behind a backslash. */
int shellword_split(const char *text, struct arena *a, const char *const **ret,
    size_t *ret_n, struct error *e);
