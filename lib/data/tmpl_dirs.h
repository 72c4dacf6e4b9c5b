/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Directories of templates to include: the first that has a regular file of the
 * name gives it.  Nothing outside of a directory is read, whatever symbolic
 * links lie in it.
 */
#pragma once

#include "lib/data/tmpl.h"

#define TMPL_DIRS_MAX 64

struct tmpl_dirs {
	int fds[TMPL_DIRS_MAX];
	size_t n;
};

void tmpl_dirs_init(struct tmpl_dirs *d);
/* Adds a directory behind the others; one that is not there is left out, as in
 * Mako. */
int tmpl_dirs_add(struct tmpl_dirs *d, const char *path, struct error *e);
void tmpl_dirs_fini(struct tmpl_dirs *d);
#define AUTO_TMPL_DIRS CC_CLEANUP(tmpl_dirs_fini)

/* A tmpl_open_fn; ctx is the struct tmpl_dirs. */
int tmpl_dirs_open(const char *name, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e);
