/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What servers answered a moment ago, so that the next key that is pressed need
 * not ask them (cli.md 6.1): in XDG_CACHE_HOME or ~/.cache, for the user alone.
 * Where there is no such place, nothing is kept. Nothing here says what is
 * wrong.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A key names all that the answer depends on; it may hold secrets, for only a
 * hash of it is kept. NULL: there is nothing, or it is too old; else mem_free()
 * it. */
char *complete_cache_get(const char *key, size_t len);
void complete_cache_put(const char *key, size_t len, const char *text);
