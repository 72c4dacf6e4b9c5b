/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * URL pieces: percent-encoding of one path segment, decoding once, the query.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/strbuf.h"

/* Adds s with everything but [A-Za-z0-9._~-] as %XX. */
void url_add_segment(struct strbuf *out, const char *s);
/* Decodes %XX once; *ret is NUL-terminated and may not hold NUL. OVE_INVALID
 * for a broken escape, a NUL or bytes that are not UTF-8. */
int url_decode(
    const char *s, size_t len, struct arena *a, char **ret, struct error *e);
/* Value of a query parameter (decoded, '+' is a blank), NULL when absent. */
int url_query_get(const char *query, size_t len, const char *name,
    struct arena *a, char **ret, struct error *e);
