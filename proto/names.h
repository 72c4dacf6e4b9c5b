/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a valid jail, project, VM, key, label, ... is called: the only place
 * that knows (spec rest-api.md, names used in paths; cli.md appendix F). Every
 * check is one pass over the bytes, for the whole text, and refuses names over
 * 255 bytes (chains: 16 parts). Texts need no NUL at their end, and one inside
 * makes them bad.
 */
#pragma once

#include "lib/base/cc.h"

#define NAME_LEN_MAX 255
#define NAME_CHAIN_PARTS_MAX 16
/* What a metadata key is, in the original's words: for messages only. */
#define NAME_KEY_PATTERN                                                       \
  "([a-zA-Z][a-zA-Z0-9]*(?:(?:\\.|-|_)?[a-zA-Z][a-zA-Z0-9]*)*)"

enum name_kind {
#define X(name, function, text) NAME_##name,
#include "proto/names.def"
#undef X
	NAME_COUNT
};

/* name_is_label(s, len), ...: usable as rules of a router. */
#define X(name, function, text) bool name_is_##function(const char *, size_t);
#include "proto/names.def"
#undef X

bool name_is(enum name_kind kind, const char *s, size_t len);
/* "a label (lower-case letters ...)": goes after "'x' is not ". */
const char *name_kind_text(enum name_kind kind);
