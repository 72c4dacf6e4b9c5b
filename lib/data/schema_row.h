/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the two halves of the schema engine share: how a row's value lies in
 * memory. Not for others.
 */
#pragma once

#include <string.h>

#include "lib/data/schema.h"

/* What SCHEMA_LIST_OF and SCHEMA_MAP_OF are to code that does not know the
 * type of their items. */
struct row_list {
	void *items;
	size_t n;
};

struct row_map {
	const char **keys;
	void *items;
	size_t n;
};

/* Bytes that a value of this row takes. */
size_t row_size(const struct schema_row *r);
/* Sets a zeroed field to the value that the text says; -1 when the text is not
 * of the row's type. */
int row_default(
    struct arena *a, const struct schema_row *r, const char *def, void *field);

/* How many of the n - 1 rows after a GROUP belong to it. */
static inline size_t
group_len(const struct schema_row *group, size_t n)
{
	size_t i, len = strlen(group->key);

	for (i = 1; i < n; i++) {
		if (strncmp(group[i].key, group->key, len) != 0 ||
		    group[i].key[len] != '.')
			break;
	}
	return i - 1;
}
