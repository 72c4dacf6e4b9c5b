/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Characters as Python's str methods see them: code points of valid UTF-8,
 * what they are, and their upper and lower case.  The tables are made by
 * tmpl_char_table.py from Python's own.
 */
#pragma once

#include "lib/base/cc.h"

enum tmpl_char_class {
	TMPL_CHAR_ALPHA = 1,
	TMPL_CHAR_DECIMAL = 2,
	TMPL_CHAR_DIGIT = 4,
	TMPL_CHAR_NUMERIC = 8,
	TMPL_CHAR_UPPER = 16,
	TMPL_CHAR_LOWER = 32,
	TMPL_CHAR_TITLE = 64,
	TMPL_CHAR_PRINT = 128,
};

#define TMPL_CHAR_MAX 0x10ffff

/* Of the character at p, which is valid. */
size_t tmpl_char_len(const char *p);
uint32_t tmpl_char_at(const char *p);
/* Where the character before p begins. */
const char *tmpl_char_back(const char *p);
/* Writes up to 4 bytes; c is no surrogate. */
size_t tmpl_char_put(uint32_t c, char *p);
/* Whether it is in any of the classes. */
bool tmpl_char_is(uint32_t c, unsigned classes);
bool tmpl_char_is_space(uint32_t c);
/* splitlines() splits behind it. */
bool tmpl_char_is_break(uint32_t c);

enum tmpl_case {
	TMPL_UPPER,
	TMPL_LOWER,
	TMPL_TITLE,
	TMPL_FOLD
};

/* Writes the character in another case to p, which may be several characters:
 * at most TMPL_CASE_LEN bytes, and returns how many. */
#define TMPL_CASE_LEN 12
size_t tmpl_char_case(uint32_t c, enum tmpl_case to, char *p);
