/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The audit trail: one record in the store for each change that was accepted,
 * in order, as many of them as are kept. A record joins the batch of what it is
 * about, so that one is not without the other.
 */
#pragma once

#include "lib/base/keep.h"
#include "lib/store/store.h"

struct arena;
struct audit;
struct node;

struct audit_entry {
	/* Wall milliseconds. */
	int64_t at;
	unsigned status;
	const char *token;
	const char *address;
	const char *request_id;
	const char *method;
	const char *path;
};

/* Looks for the newest and the oldest record. */
int audit_new(struct audit **ret, struct store *s, const struct keep *keep,
    struct error *e);
void audit_set_keep(struct audit *a, const struct keep *keep);
/* Adds a record to a batch, and takes away those that are too many, a few at a
 * time. What fails is latched in b. */
void audit_put(
    struct audit *a, struct store_batch *b, const struct audit_entry *x);
/* Takes away what is too many, too old or too much, a few hundred records at
 * most: 0 when it has begun to, and there may be more; AUDIT_TIDY, -1. */
enum {
	AUDIT_TIDY = 1
};
int audit_tidy(struct audit *a, struct error *e);
/* Newest first, at most `limit` with ids below `before` (0: all):
 * [{"id", "at", "token", "address", "request_id", "method", "path", "status"}].
 */
int audit_list(struct audit *a, size_t limit, uint64_t before,
    struct arena *arena, struct node **ret, struct error *e);
struct audit *audit_free(struct audit *a);
AUTO_DEFINE(audit)
