/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The growing array: see array.h. Memory doubles from eight items up to the
 * maximum, so adding is cheap on average; items move when it grows, so their
 * addresses are good until the next addition only.
 */
#include "lib/base/array.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

#define FIRST_N 8

void
array_init(struct array *a, size_t item_len, size_t max)
{
	assert(item_len > 0);
	*a = (struct array){ .item_len = item_len, .max = max };
}

static int
grow(struct array *a, struct error *e)
{
	size_t cap, len;
	void *p;

	if (!num_mul_size(a->cap, 2, &cap) || cap > a->max)
		cap = a->max;
	if (cap < FIRST_N)
		cap = a->max < FIRST_N ? a->max : FIRST_N;
	if (!num_mul_size(cap, a->item_len, &len))
		return error_nomem(e);
	p = mem_realloc(a->items, len);
	if (p == NULL)
		return error_nomem(e);
	a->items = p;
	a->cap = cap;
	return 0;
}

void *
array_add(struct array *a, struct error *e)
{
	void *item;

	if (a->n >= a->max) {
		(void)error_set(e, OVE_LIMIT, "more than %zu items", a->max);
		return NULL;
	}
	if (a->n == a->cap && grow(a, e) < 0)
		return NULL;
	item = (char *)a->items + a->n * a->item_len;
	memset(item, 0, a->item_len);
	a->n++;
	return item;
}

void *
array_at(const struct array *a, size_t i)
{
	assert(i < a->n);
	return (char *)a->items + i * a->item_len;
}

void
array_remove(struct array *a, size_t i)
{
	char *item = array_at(a, i);

	memmove(item, item + a->item_len, (a->n - i - 1) * a->item_len);
	a->n--;
}

void
array_sort(struct array *a, array_cmp_fn *cmp)
{
	if (a->n > 1)
		qsort(a->items, a->n, a->item_len, cmp);
}

void *
array_search(const struct array *a, const void *key, array_cmp_fn *cmp)
{
	if (a->n == 0)
		return NULL;
	return bsearch(key, a->items, a->n, a->item_len, cmp);
}

void
array_reset(struct array *a)
{
	a->n = 0;
}

void
array_fini(struct array *a)
{
	mem_free(a->items);
	*a = (struct array){ .item_len = a->item_len, .max = a->max };
}
