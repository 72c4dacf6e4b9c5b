/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Key files: 64 random bytes, raw, mode 0400, created exclusively; another
 * length, owner or mode is refused, never replaced (rest-api.md 2.3).
 */
#pragma once

#include "lib/base/error.h"

#define KEYFILE_LEN 64

enum keyfile_flags {
	KEYFILE_READ = 0,
	KEYFILE_CREATE = 1,
};

/* Reads it, or makes it (with missing directories, mode 0750) when it is not
 * there and KEYFILE_CREATE is set. *ret_made, unless NULL, says which. key
 * holds KEYFILE_LEN bytes; mem_wipe() it after use. Refused: a length that is
 * not 64 (OVE_INVALID), any access for group or others, an owner who is neither
 * root nor us (both OVE_DENIED). A missing one without the flag is
 * OVE_NOTFOUND. */
int keyfile_load(const char *path, int flags, unsigned char key[KEYFILE_LEN],
    bool *ret_made, struct error *e);
/* Copies an existing key (of the original), which has to be acceptable to
 * keyfile_load(), to path; OVE_EXISTS when that is there. */
int keyfile_copy(const char *from, const char *path, struct error *e);
