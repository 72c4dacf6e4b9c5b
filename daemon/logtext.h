/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Text of a log file as the API serves it (rest-api.md 3.4): escape sequences
 * removed, lines joined by \n without a last one, what is not UTF-8 replaced.
 */
#pragma once

#include "lib/base/strbuf.h"

void logtext_clean(struct strbuf *out, const char *p, size_t len);
