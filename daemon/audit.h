/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The audit trail: one record in the store for each change that was accepted,
 * in order, the newest `keep` of them. A record joins the batch of what it is
 * about, so that one is not without the other.
 */
#pragma once

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
int audit_new(
    struct audit **ret, struct store *s, uint64_t keep, struct error *e);
void audit_set_keep(struct audit *a, uint64_t keep);
/* Adds a record to a batch, and takes away what is too much, a few at a time.
 * What fails is latched in b. */
void audit_put(
    struct audit *a, struct store_batch *b, const struct audit_entry *x);
/* Newest first, at most `limit` with ids below `before` (0: all):
 * [{"id", "at", "token", "address", "request_id", "method", "path", "status"}].
 */
int audit_list(struct audit *a, size_t limit, uint64_t before,
    struct arena *arena, struct node **ret, struct error *e);
struct audit *audit_free(struct audit *a);
AUTO_DEFINE(audit)
