/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The only caller of malloc and free. A size of zero is served as one byte, so
 * that NULL always means "no memory"; the product of mem_calloc() is checked.
 * Nothing here counts or poisons: the sanitizers and the torture tests do that
 * better. A test program that defines every function of this file gets its own
 * instead of these (the linker takes nothing out of a static library that it
 * already has), which is why nothing else may live here.
 */
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/base/num.h"

void *
mem_alloc(size_t len)
{
	return malloc(len > 0 ? len : 1);
}

void *
mem_calloc(size_t n, size_t size)
{
	size_t len;

	if (!num_mul_size(n, size, &len))
		return NULL;
	return calloc(1, len > 0 ? len : 1);
}

void *
mem_realloc(void *p, size_t len)
{
	return realloc(p, len > 0 ? len : 1);
}

void
mem_free(void *p)
{
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
	char *p;
	size_t need;

	if (!num_add_size(len, 1, &need))
		return NULL;
	p = mem_alloc(need);
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
	void *copy;

	copy = mem_alloc(len);
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
