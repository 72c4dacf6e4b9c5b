/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The only caller of malloc and free. Sizes are checked for overflow; a failed
 * allocation is NULL, which the caller turns into error_nomem(e). Test programs
 * may bring their own mem.c to make the n-th allocation fail.
 */
#pragma once

#include <stddef.h>

#include "lib/base/cc.h"

void *mem_alloc(size_t len) CC_MUST_CHECK;
/* Zeroed memory for n objects of size bytes. */
void *mem_calloc(size_t n, size_t size) CC_MUST_CHECK;
/* As realloc: on NULL the old block is untouched. */
void *mem_realloc(void *p, size_t len) CC_MUST_CHECK;
void mem_free(void *p);
char *mem_strdup(const char *s) CC_MUST_CHECK;
/* Copies len bytes and adds a NUL. */
char *mem_strndup(const char *s, size_t len) CC_MUST_CHECK;
void *mem_dup(const void *p, size_t len) CC_MUST_CHECK;
/* Zeroes in a way the compiler keeps: for secrets. */
void mem_wipe(void *p, size_t len);
