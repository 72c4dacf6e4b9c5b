/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The memory of this process that is in use.
 */
#pragma once

#include <stdint.h>

/* 0 when the system does not say. */
uint64_t resident_bytes(void);
