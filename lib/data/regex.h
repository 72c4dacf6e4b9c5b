/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Python-style regular expressions over UTF-8, found anywhere in a text, with a
 * match limit, so that no pattern hangs the caller (cli.md 3.1). The only file
 * that includes PCRE2.
 */
#pragma once

#include "lib/base/error.h"

struct regex;

/* OVE_INVALID: "missing closing parenthesis at offset 1". */
int regex_new(struct regex **ret, const char *pattern, struct error *e);
/* A pattern that a person wrote as for Python's re: \Z is \z, \uXXXX and
 * \UXXXXXXXX are characters. Offsets in messages count bytes of this text. */
int regex_new_python(struct regex **ret, const char *pattern, struct error *e);
/* A text that takes too long does not match. */
bool regex_search(struct regex *r, const char *text, size_t len);
struct regex *regex_free(struct regex *r);
AUTO_DEFINE(regex)
