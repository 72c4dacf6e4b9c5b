/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * lib/base/mem.h once more, with a count of live allocations, and asking
 * whether this one fails: see torture.h. It defines every function of mem.c, so
 * that the linker never takes that one out of its library. The counter is
 * atomic because tests of the worker allocate in two threads. This file may
 * call malloc.
 */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "test/unit/support/torture.h"

static atomic_long live;

long
torture_mem_live(void)
{
	return live;
}

static void *
counted(void *p)
{
	if (p != NULL)
		live++;
	return p;
}

void *
mem_alloc(size_t len)
{
	return torture_mem_fails() ? NULL : counted(malloc(len > 0 ? len : 1));
}

void *
mem_calloc(size_t n, size_t size)
{
	size_t len;

	if (torture_mem_fails() || !num_mul_size(n, size, &len))
		return NULL;
	return counted(calloc(1, len > 0 ? len : 1));
}

void *
mem_realloc(void *p, size_t len)
{
	if (torture_mem_fails())
		return NULL;
	if (p == NULL)
		return counted(malloc(len > 0 ? len : 1));
	return realloc(p, len > 0 ? len : 1);
}

void
mem_free(void *p)
{
	if (p != NULL)
		live--;
	free(p);
}

char *
mem_strdup(const char *s)
{
	return mem_strndup(s, strlen(s));
}

char *
mem_strndup(const char *s, size_t len)
{
	char *p = mem_alloc(len + 1);

	if (p == NULL)
		return NULL;
	if (len > 0)
		memcpy(p, s, len);
	p[len] = '\0';
	return p;
}

void *
mem_dup(const void *p, size_t len)
{
	void *copy = mem_alloc(len);

	if (copy != NULL && len > 0)
		memcpy(copy, p, len);
	return copy;
}

void
mem_wipe(void *p, size_t len)
{
	if (len > 0)
		explicit_bzero(p, len);
}
