/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A batch: a list of puts and deletes as copies, built on the loop, applied by
 * the writer, whole or absent. The first error is latched, and submitting the
 * batch reports it.
 */
#pragma once

#include <sys/queue.h>

#include "lib/store/db.h"

#define STORE_VALUE_MAX ((size_t)64 << 20)

/* Key and value follow the struct. */
struct store_op {
	STAILQ_ENTRY(store_op) link;
	unsigned table;
	bool del;
	/* In 1 .. DB_KEY_MAX. */
	unsigned short key_len;
	/* 0 for a delete. */
	size_t len;
	unsigned char key[];
};
STAILQ_HEAD(store_op_list, store_op);

struct store_batch {
	struct store_op_list ops;
	/* Of keys and values of the puts. */
	size_t bytes;
	bool has_put;
	/* Ends or frees something: it may use the room that ordinary puts must
	 * leave, so that a full store can empty itself. */
	bool reserve;
	enum ove latch;
};

void store_batch_init(struct store_batch *b);
/* Copies key and value; a value may be up to 64 MiB. */
void store_batch_put(struct store_batch *b, unsigned table,
    const struct db_key *k, const void *v, size_t len);
/* The same, but the caller writes the len bytes of the value to where the
 * result points; NULL when latched. They stay there until the batch's
 * completion has returned, or store_batch_fini(). */
unsigned char *store_batch_put_room(
    struct store_batch *b, unsigned table, const struct db_key *k, size_t len);
void store_batch_del(
    struct store_batch *b, unsigned table, const struct db_key *k);
/* Moves all operations of `from` behind those of b; from is empty then. */
void store_batch_join(struct store_batch *b, struct store_batch *from);
/* 0, or -1 with the latched error. */
int store_batch_check(
    const struct store_batch *b, struct error *e) CC_MUST_CHECK;
void store_batch_fini(struct store_batch *b);
#define AUTO_BATCH CC_CLEANUP(store_batch_fini)
