/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The little that everybody must know of UTF-8: where a valid character ends.
 * Valid is RFC 3629: shortest form, no surrogates, nothing beyond U+10FFFF.
 */
#pragma once

#include "lib/base/cc.h"

/* Bytes of the valid character at p (1 to 4); 0 when there is none or len
 * is 0. */
size_t utf8_char_len(const char *p, size_t len);
/* The code point of a valid character of n bytes, as utf8_char_len() said. */
unsigned utf8_decode(const char *p, size_t n);
bool utf8_is_valid(const char *p, size_t len);
/* Bytes of the character at p that may be shown as they are: 0 for invalid
 * ones and for control characters (C0, DEL, C1). */
size_t utf8_print_len(const char *p, size_t len);
/* The longest length that does not end within a character: for cutting. */
size_t utf8_whole_len(const char *p, size_t len);
