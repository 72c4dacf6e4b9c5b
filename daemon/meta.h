/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Metadata (a file per key) and namespaces (directories with copies of
 * metadata) on disk: rest-api.md 6. Nothing here knows of requests. All
 * functions block and belong on the file worker, one at a time: that is what
 * makes operations on one key follow each other.
 *
 * Names are keys that the caller has checked. Everything is opened beneath the
 * directory without following links, with modes of our own choice whatever the
 * umask.
 */
#pragma once

#include <sys/types.h>

#include "lib/data/node.h"
#include "proto/msg.h"

/* Outcomes. */
enum {
	META_NONE = 1
};

/* Opens the directory; META_NONE when there is none. */
int meta_open(const char *path, int *ret_fd, struct error *e);
/* Makes it first, with this mode, when it is missing. */
int meta_make(const char *path, mode_t mode, int *ret_fd, struct error *e);

/* Metadata. */

/* Keys with a regular file, sorted. */
int meta_list(int dir, struct arena *a, struct node **ret, struct error *e);
/* 0 or META_NONE; what is no regular file is none. */
int meta_exists(int dir, const char *key, struct error *e);
/* The text, mem_free() it; OVE_LIMIT when it has more than max bytes. */
int meta_get(int dir, const char *key, size_t max, char **ret_text,
    size_t *ret_len, struct error *e);
/* Replaces it atomically, or leaves a file with the same text as it is. What is
 * in the way and no regular file is OVE_CONFLICT. */
int meta_put(
    int dir, const char *key, const char *text, size_t len, struct error *e);
/* META_NONE when there is none. */
int meta_remove(int dir, const char *key, struct error *e);

/* Namespaces. */

/* Directories whose names are keys, sorted. */
int meta_namespaces(
    int dir, struct arena *a, struct node **ret, struct error *e);
int meta_namespace_exists(int dir, const char *name, struct error *e);
/* The listing of the contract, sorted by path; top is the directory's name for
 * the paths. META_NONE when there is none. */
int meta_namespace_list(int dir, const char *top, const char *name,
    struct arena *a, struct node **ret, struct error *e);

/* Puts a new tree in the place of the namespace, if there is one. */
struct meta_build {
	/* Of the namespaces, and its absolute name; of the metadata, -1 when
	 * there is no such directory. */
	int dir;
	const char *top;
	int metadata;
	const char *name;
	const struct msg_mapping *mapping;
};
/* A mapping that cannot be: OVE_INVALID with the contract's words; the old
 * tree is as it was then and after every other failure. a: for what is made
 * meanwhile. */
int meta_namespace_put(
    const struct meta_build *b, struct arena *a, struct error *e);
int meta_namespace_remove(int dir, const char *name, struct error *e);
/* Completes or undoes what a crash left half done, and clears away the rest:
 * at start, before anything else. */
int meta_recover(int dir, struct error *e);

/* At start: removes temporary files that a crash left, and trees that could not
 * be removed. */
void meta_tidy(int dir);
void meta_clear_trash(int dir);

/* The path of a mapping (rest-api.md 6.3) below `top`/`name`, without ".." and
 * the like; "" is the namespace itself. META_NONE when it leaves it. NULL in
 * *ret and a latched arena when memory lacks. */
int meta_path(const char *top, const char *name, const char *path,
    struct arena *a, const char **ret);
