/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Compressed replies: whether a client takes gzip, and making it. The fastest
 * level, since the loop waits for it: who calls bounds the length (a mebibyte
 * of JSON takes some milliseconds). What is taken in memory follows the length,
 * at most 270 KiB, and is given back.
 */
#pragma once

#include "lib/base/strbuf.h"

/* Whether a value of Accept-Encoding names gzip with a quality above 0. A "*"
 * does not name it. */
bool gzip_is_accepted(const char *value);
/* Adds p, compressed, to out. OVE_NOMEM, or OVE_LIMIT when it comes out longer
 * than out may be. */
int gzip_pack(const void *p, size_t len, struct strbuf *out, struct error *e);
