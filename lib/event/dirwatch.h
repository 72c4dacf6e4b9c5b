/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tells that entries of a directory were created, removed or renamed; nothing
 * about what is in them, and not which (kqueue cannot, so inotify is not asked
 * either). Whoever is told looks again. A directory that is not there is waited
 * for, by watching the nearest one above it that is; one that goes is waited
 * for again.
 *
 * What happens further up than the nearest directory (a file system mounted
 * over it, a parent renamed) is not seen: look, and poll, now and then anyway.
 * It takes one descriptor for each dirwatch, with kqueue two, whatever happens.
 */
#pragma once

#include "lib/base/error.h"

struct dirwatch;
struct loop;

/* On the loop: something has changed, once or many times; perhaps nothing. It
 * may not free the dirwatch. */
typedef void dirwatch_fn(void *ctx);

/* path is absolute, and copied; links in it are followed. What there is at this
 * moment is no change. */
int dirwatch_new(struct dirwatch **ret, struct loop *l, const char *path,
    dirwatch_fn *changed, void *ctx, struct error *e);
/* Whether something has changed that has not been told yet: asks the kernel,
 * without waiting for the loop's turn. What it returns true for is not told any
 * more. Of a directory that cannot be watched just now (it is lost: no room for
 * a watch, no way there) nobody knows, so this is true; it tries again. */
bool dirwatch_poll(struct dirwatch *dw);
bool dirwatch_is_lost(const struct dirwatch *dw);
struct dirwatch *dirwatch_free(struct dirwatch *dw);
AUTO_DEFINE(dirwatch)
