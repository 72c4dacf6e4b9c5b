/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the schema engine share: how a row's value lies in memory,
 * and the findings that only the engine makes. Not for others.
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

/* A finding's reason may list choices; beyond this it is cut. */
#define REASON_MAX 2048

/* The table that counts for this tag: s itself, or one of its variants. */
const struct schema *table_of(const struct schema *s, const char *tag);
/* The type's name in a file's message and in a body's. */
const char *row_type_name(enum schema_type t, enum schema_mode mode);
/* where: what the message points at in a file, NULL for the parent's place. */
void row_fault_missing(
    const struct schema_at *at, const struct node *where, const char *key);
void row_fault_empty(const struct schema_at *at, const struct node *n);
/* min, max: the limits in the unit of the text. */
void row_fault_range(const struct schema_at *at, const struct node *n,
    const struct schema_row *r, int64_t min, int64_t max);
void row_fault_choice(const struct schema_at *at, const struct node *n,
    const struct schema_row *r);
bool row_text_has_nul(const struct node *n);
/* false, with a finding: a key that is no string, or one that C would cut. */
bool row_key_is_text(const struct schema_at *at, const struct node *key);
/* As schema_check_keys(), with what to do about unknown ones. */
void row_check_keys(const struct schema_at *at, const struct node *map,
    const char *const *known, size_t n, unsigned flags);
