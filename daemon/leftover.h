/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is kept of projects and jails that have gone from this node goes, too
 * (runtime.md 4.4), some time after them: who destroys a project still wants to
 * read how that went. It stays while a job of that name has no end, and for
 * good when they come again in time. A name that was never listed, nor
 * destroyed, is none that has gone.
 */
#pragma once

#include <stdint.h>

struct error;
struct inventory;
struct leftover;
struct loop;
struct queue;
struct store;

struct leftover_deps {
	struct loop *loop;
	struct store *store;
	struct queue *queue;
	struct inventory *inventory;
};

int leftover_new(
    struct leftover **ret, const struct leftover_deps *deps, struct error *e);
/* For how long it is kept. The first one begins with what an earlier daemon has
 * seen go. */
void leftover_configure(struct leftover *lo, int64_t keep_ms);
/* A note may have been written that is not ours. */
void leftover_expect(struct leftover *lo);
struct leftover *leftover_free(struct leftover *lo);
