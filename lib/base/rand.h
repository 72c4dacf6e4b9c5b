/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Randomness from the kernel. A test program may bring its own rand.c.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/base/cc.h"

void rand_bytes(void *buf, size_t len);
uint64_t rand_u64(void);
/* Uniform in [0, n); n > 0. */
uint64_t rand_below(uint64_t n);
/* len lower-case hex digits and a NUL: buf holds len + 1 bytes. */
void rand_hex(char *buf, size_t len);
/* A random (version 4) UUID in text form. */
#define RAND_UUID_LEN 37
void rand_uuid(char buf[RAND_UUID_LEN]);
