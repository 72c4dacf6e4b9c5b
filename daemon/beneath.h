/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Opening and listing what others keep (AppJail's and Director's directories):
 * beneath a directory that the configuration names, without following links.
 * On any thread.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/base/array.h"

/* Entries of a directory that are read: of one with a directory for each jail
 * or project, and of any other. */
#define BENEATH_NAMES_MAX 100000
#define BENEATH_ROWS_MAX 10000

/* Opens a directory, or the one of this name in it; 1 when there is none. */
int beneath_open(const char *path, int *ret, struct error *e);
int beneath_open_in(
    const char *dir, const char *name, int *ret, struct error *e);
/* Opens a regular file beneath fd; whatever else stands there (a link, a pipe,
 * a directory) is as good as nothing: OVE_NOTFOUND. */
int beneath_open_file(int fd, const char *name, int *ret, struct error *e);

typedef bool beneath_name_fn(const char *s, size_t len);
#define BENEATH_ANY ((mode_t)0)
/* Names of the entries of this type (S_IFDIR, ...), sorted, into `names`
 * (char * in a). takes fd. */
int beneath_list(int fd, mode_t type, beneath_name_fn *ok, struct arena *a,
    struct array *names, struct error *e);
/* Names of entries, and the order of those that are numbers. */
bool beneath_is_entry(const char *s, size_t len);
bool beneath_is_number(const char *s, size_t len);
int beneath_cmp_number(const void *a, const void *b);
