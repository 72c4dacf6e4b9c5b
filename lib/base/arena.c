/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The bump allocator: see arena.h. Blocks grow from 4 KiB to 64 KiB; an object
 * that does not fit into the newest block opens a new one. What is left in the
 * old one is lost, which is the price of never looking back. Sizes are rounded
 * up to the strictest alignment and counted that way against the maximum.
 */
#include "lib/base/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

#define BLOCK_FIRST ((size_t)4096)
#define BLOCK_LAST ((size_t)65536)
/* Most of what is printed is shorter, and printed once; measuring first would
 * take longer than printing. */
#define PRINTED_ONCE 512

struct arena_block {
	struct arena_block *next;
	size_t cap;
	size_t used;
	max_align_t data[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){ .max = max };
}

static bool
add_block(struct arena *a, size_t len)
{
	size_t cap = BLOCK_FIRST, total;
	struct arena_block *b;

	if (a->head != NULL && a->head->cap < BLOCK_LAST)
		cap = a->head->cap * 2;
	else if (a->head != NULL)
		cap = BLOCK_LAST;
	/* The maximum also holds for what we take from the system. */
	if (cap > a->max - a->used)
		cap = a->max - a->used;
	if (cap < len)
		cap = len;
	if (!num_add_size(cap, sizeof(*b), &total))
		return false;
	b = mem_alloc(total);
	if (b == NULL)
		return false;
	b->next = a->head;
	b->cap = cap;
	b->used = 0;
	a->head = b;
	return true;
}

void *
arena_alloc(struct arena *a, size_t len)
{
	size_t align = _Alignof(max_align_t);
	size_t need;
	void *p;

	if (a->latch != OVE_NONE)
		return NULL;
	if (len == 0)
		len = 1;
	if (!num_add_size(len, align - 1, &need) ||
	    (need -= need % align) > a->max - a->used) {
		a->latch = OVE_LIMIT;
		return NULL;
	}
	if ((a->head == NULL || need > a->head->cap - a->head->used) &&
	    !add_block(a, need)) {
		a->latch = OVE_NOMEM;
		return NULL;
	}
	p = (char *)a->head->data + a->head->used;
	a->head->used += need;
	a->used += need;
	memset(p, 0, need);
	return p;
}

void *
arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t len;

	if (!num_mul_size(n, size, &len)) {
		a->latch = a->latch == OVE_NONE ? OVE_LIMIT : a->latch;
		return NULL;
	}
	return arena_alloc(a, len);
}

char *
arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *
arena_strndup(struct arena *a, const char *s, size_t len)
{
	size_t need;
	char *p;

	if (!num_add_size(len, 1, &need)) {
		a->latch = a->latch == OVE_NONE ? OVE_LIMIT : a->latch;
		return NULL;
	}
	p = arena_alloc(a, need);
	if (p != NULL && len > 0)
		memcpy(p, s, len);
	return p;
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	char text[PRINTED_ONCE];
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0) {
		a->latch = a->latch == OVE_NONE ? OVE_LIMIT : a->latch;
		return NULL;
	}
	if ((size_t)n < sizeof(text))
		return arena_strndup(a, text, (size_t)n);
	p = arena_alloc(a, (size_t)n + 1);
	if (p == NULL)
		return NULL;
	va_start(ap, fmt);
	(void)vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

int
arena_check(const struct arena *a, struct error *e)
{
	if (a->latch == OVE_NONE)
		return 0;
	if (a->latch == OVE_NOMEM)
		return error_nomem(e);
	return error_set(e, a->latch, "more than %zu bytes", a->max);
}

static void
free_blocks(struct arena_block *b)
{
	struct arena_block *next;

	for (; b != NULL; b = next) {
		next = b->next;
		mem_free(b);
	}
}

void
arena_reset(struct arena *a)
{
	if (a->head != NULL) {
		free_blocks(a->head->next);
		a->head->next = NULL;
		a->head->used = 0;
	}
	a->used = 0;
	a->latch = OVE_NONE;
}

void
arena_fini(struct arena *a)
{
	free_blocks(a->head);
	arena_init(a, a->max);
}
