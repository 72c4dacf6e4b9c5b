/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What vm_files.c and vm_files_install.c share.
 */
#pragma once

#include <sys/types.h>

#include "daemon/vm_files.h"

#define VM_TEXT_MAX ((size_t)64 << 20)
#define VM_SEED "seed.iso"

/* -1, for what is no matter of e's code. */
int vm_fault(struct vm_fault *f, const char *type);
/* J; names below it are paths without links. */
int vm_open_root(const struct vm_site *s, int *ret, struct error *e);
int vm_open_dir(int root, const char *name, int *ret, struct error *e);
/* Makes it first, if it is missing. */
int vm_make_dir(int root, const char *name, int *ret, struct error *e);
/* Replaces a file of a directory, and syncs it. */
int vm_put(int dir, const char *name, const struct strbuf *text, mode_t mode,
    struct error *e);
/* Text of a regular file beneath root, to mem_free(); NULL and no error when
 * there is none. */
int vm_read(
    int root, const char *name, char **ret, size_t *ret_len, struct error *e);
/* Whether there is a regular file of that name beneath root. */
int vm_has_file(int root, const char *name, bool *ret, struct error *e);
