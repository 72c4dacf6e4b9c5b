/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What meta.c, meta_namespace.c and meta_build.c share.
 */
#pragma once

#include <sys/types.h>

#include <dirent.h>

#include "daemon/meta.h"

/* An outcome beside META_NONE: something else is there. */
#define META_OTHER 2

/* For CC_CLEANUP. */
void meta_close_dir(DIR **d);
/* A reader of its own position; NULL and an error. */
DIR *meta_opendir(int dir, struct error *e);
/* 0: there is one of this type (S_IFREG, ...); META_NONE, META_OTHER. */
int meta_type(int dir, const char *name, mode_t type, struct error *e);
/* META_NONE when it is no regular file. */
int meta_open_file(int dir, const char *key, int *ret_fd, struct error *e);
int meta_sync(int dir, struct error *e);
int meta_open_subdir(int dir, const char *name, int *ret_fd, struct error *e);

/* Where a tree is built; no key. */
#define META_TREE_NEW ".new"
/* Of directories in a namespace, itself counted; well below what
 * file_remove_tree() takes. */
#define META_DEPTH_MAX 64

/* One for each entry of the mapping, in the arena. */
struct meta_plan;
/* Finds all that is wrong with a mapping and can be known before; nothing is
 * made. */
int meta_plan(const struct meta_build *in, struct arena *a,
    struct meta_plan **ret, struct error *e);
/* Makes and syncs META_TREE_NEW, which must not be there. After a failure it
 * is there in part. */
int meta_build_tree(
    const struct meta_build *in, struct meta_plan *plan, struct error *e);
