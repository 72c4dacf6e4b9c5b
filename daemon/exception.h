/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the original calls failures, in records and answers.
 */
#pragma once

#include "lib/net/httpc.h"

const char *exception_of_call(enum httpc_kind kind);
/* Of what the system refuses. */
const char *exception_of_error(const struct error *e);
