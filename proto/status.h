/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * THE table from an error code to what the outside sees: HTTP status and exit
 * code. Nothing else branches on error codes.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/exitcode.h"

/* 500 for what has no row of its own. */
int status_http(enum ove code);
enum exitcode status_exit(enum ove code);
