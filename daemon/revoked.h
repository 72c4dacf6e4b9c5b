/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tokens that do not count any more, by id: in the store, and all of them in
 * memory, where every request looks. One is in force from the moment it is
 * asked for, and told to be so when it is on disk.
 */
#pragma once

#include "lib/store/store.h"

struct arena;
struct node;
struct revoked;

/* Ids that are kept; more are refused with OVE_LIMIT. */
#define REVOKED_MAX 100000

/* Reads those in the store. */
int revoked_new(struct revoked **ret, struct store *s, struct error *e);
bool revoked_has(const struct revoked *r, const char *id);
enum {
	REVOKED_BEFORE = 1
};
/* In force from now on. by: who asks. done as of store_submit(); `more` goes
 * with it, and is emptied. 0; REVOKED_BEFORE, and then done is not called; -1.
 */
int revoked_add(struct revoked *r, const char *id, const char *by,
    struct store_batch *more, store_done_fn *done, void *ctx, struct error *e);
/* [{"id", "revoked_at", "by"}] in order of id. */
int revoked_list(
    struct revoked *r, struct arena *a, struct node **ret, struct error *e);
/* Forgets what is under way: it goes to disk, done is not called. */
struct revoked *revoked_free(struct revoked *r);
AUTO_DEFINE(revoked)
