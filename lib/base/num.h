/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Numbers from text, with bounds: the only way text becomes a number. Decimal
 * only, no sign unless the type has one, no blanks, no trailing text.
 */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"

int num_u64(
    const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct error *e);
int num_i64(
    const char *s, int64_t min, int64_t max, int64_t *ret, struct error *e);
int num_u64_len(const char *s, size_t len, uint64_t min, uint64_t max,
    uint64_t *ret, struct error *e);
/* A finite decimal floating-point number, any notation strtod takes but hex. */
int num_double(const char *s, double *ret, struct error *e);
/* "90", "90s", "5m", "1h30m", "2d"; a bare number is seconds. */
int num_duration_ms(const char *s, int64_t *ret_ms, struct error *e);

/* Overflow-checked arithmetic: false on overflow. */
static inline bool
num_add_size(size_t a, size_t b, size_t *ret)
{
	return !__builtin_add_overflow(a, b, ret);
}

static inline bool
num_mul_size(size_t a, size_t b, size_t *ret)
{
	return !__builtin_mul_overflow(a, b, ret);
}
