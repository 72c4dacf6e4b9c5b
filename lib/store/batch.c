/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each operation is one block: the links, then the key, then the value, so that
 * building one is one allocation and one copy, and the value may be written in
 * place. The list is in order of the calls, and the writer applies it so: the
 * last change of a key wins. A batch owns its operations until it is submitted,
 * joined or ended; an ended or submitted batch is empty and may be used again.
 */

#include "lib/store/batch.h"

#include <string.h>

#include "lib/base/mem.h"

void
store_batch_init(struct store_batch *b)
{
	STAILQ_INIT(&b->ops);
	b->bytes = 0;
	b->has_put = false;
	b->reserve = false;
	b->latch = OVE_NONE;
}

static struct store_op *
op_add(
    struct store_batch *b, unsigned table, const struct db_key *k, size_t len)
{
	struct store_op *op;

	if (b->latch != OVE_NONE)
		return NULL;
	if (k->over || k->len == 0 || table >= DB_TABLES_MAX) {
		b->latch = OVE_INVALID;
		return NULL;
	}
	if (len > STORE_VALUE_MAX) {
		b->latch = OVE_LIMIT;
		return NULL;
	}
	op = mem_alloc(sizeof(*op) + k->len + len);
	if (op == NULL) {
		b->latch = OVE_NOMEM;
		return NULL;
	}
	op->table = table;
	op->del = false;
	op->key_len = (unsigned short)k->len;
	op->len = len;
	memcpy(op->key, k->buf, k->len);
	STAILQ_INSERT_TAIL(&b->ops, op, link);
	return op;
}

unsigned char *
store_batch_put_room(
    struct store_batch *b, unsigned table, const struct db_key *k, size_t len)
{
	struct store_op *op;

	op = op_add(b, table, k, len);
	if (op == NULL)
		return NULL;
	b->bytes += k->len + len;
	b->has_put = true;
	return op->key + op->key_len;
}

void
store_batch_put(struct store_batch *b, unsigned table, const struct db_key *k,
    const void *v, size_t len)
{
	unsigned char *p;

	p = store_batch_put_room(b, table, k, len);
	if (p != NULL && len > 0)
		memcpy(p, v, len);
}

void
store_batch_del(struct store_batch *b, unsigned table, const struct db_key *k)
{
	struct store_op *op;

	op = op_add(b, table, k, 0);
	if (op != NULL)
		op->del = true;
}

void
store_batch_join(struct store_batch *b, struct store_batch *from)
{
	STAILQ_CONCAT(&b->ops, &from->ops);
	b->bytes += from->bytes;
	b->has_put = b->has_put || from->has_put;
	if (b->latch == OVE_NONE)
		b->latch = from->latch;
	store_batch_init(from);
}

int
store_batch_check(const struct store_batch *b, struct error *e)
{
	switch (b->latch) {
	case OVE_NONE:
		return 0;
	case OVE_NOMEM:
		return error_nomem(e);
	case OVE_LIMIT:
		return error_set(e, OVE_LIMIT,
		    "a value is longer than %zu bytes", STORE_VALUE_MAX);
	default:
		return error_set(e, b->latch,
		    "a key is empty or longer than %d bytes", DB_KEY_MAX);
	}
}

void
store_batch_fini(struct store_batch *b)
{
	struct store_op *op;

	while ((op = STAILQ_FIRST(&b->ops)) != NULL) {
		STAILQ_REMOVE_HEAD(&b->ops, link);
		mem_free(op);
	}
	store_batch_init(b);
}
