/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where a program is: an absolute path as it is, a name in PATH.
 */
#pragma once

#include "lib/base/error.h"

/* The absolute path to mem_free(). OVE_UNAVAILABLE, naming it, when nothing
 * that can be executed is found. */
int program_find(const char *name, char **ret, struct error *e);
