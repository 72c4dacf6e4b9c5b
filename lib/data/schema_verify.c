/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Verifies that a table does not contradict itself: keys follow their groups
 * and stand once, elements fit types, defaults fit rows, and no row lies
 * outside of the struct. For tests of tables: nothing from outside comes here.
 */

#include "lib/data/schema.h"

#include <string.h>

#include "lib/data/schema_internal.h"

static int verify_table(const struct schema *s, int depth, struct error *e);

static int
verify_default(const struct schema_row *r, struct error *e)
{
	AUTO_ARENA struct arena a;
	union {
		struct row_map map;
		struct schema_number num;
		char bytes[64];
	} field;

	arena_init(&a, 1 << 16);
	memset(&field, 0, sizeof(field));
	if (r->def != NULL && row_default(&a, r, r->def, &field) == -1)
		return error_set(
		    e, OVE_INTERNAL, "default '%s' does not fit", r->def);
	return 0;
}

static int
verify_row(const struct schema_row *r, int depth, struct error *e)
{
	if ((r->type == SCHEMA_LIST || r->type == SCHEMA_MAP) !=
		(r->elem != NULL) ||
	    (r->type == SCHEMA_STRUCT) != (r->sub != NULL))
		return error_set(e, OVE_INTERNAL, "element does not fit type");
	if (r->sub != NULL)
		return verify_table(r->sub, depth, e);
	if (r->elem != NULL && verify_row(r->elem, depth, e) == -1)
		return error_wrap(e, "element");
	return verify_default(r, e);
}

/* A key follows its group, and stands once. */
static int
verify_place(const struct schema *s, size_t i, struct error *e)
{
	const char *key = s->rows[i].key, *dot;
	size_t k, len;

	if (key == NULL)
		return error_set(e, OVE_INTERNAL, "row %zu has no key", i);
	for (k = 0; k < i; k++) {
		if (strcmp(s->rows[k].key, key) == 0)
			return error_set(
			    e, OVE_INTERNAL, "'%s' stands twice", key);
	}
	dot = strrchr(key, '.');
	if (dot == NULL)
		return 0;
	len = (size_t)(dot - key);
	for (k = 0; k < i; k++) {
		if (s->rows[k].type == SCHEMA_GROUP &&
		    strlen(s->rows[k].key) == len &&
		    strncmp(s->rows[k].key, key, len) == 0 &&
		    schema_group_len(&s->rows[k], s->n - k) >= i - k)
			return 0;
	}
	return error_set(
	    e, OVE_INTERNAL, "'%s' does not follow its group", key);
}

/* The first row of each is the same tag of the same struct. */
static int
verify_variants(const struct schema *s, int depth, struct error *e)
{
	const struct schema_row *tag = s->rows;
	const struct schema *v;
	size_t i;

	for (i = 0; i < s->n_variants; i++) {
		v = s->variants[i];
		if (v->size != s->size || v->n_variants > 0 ||
		    s->rows[0].type != SCHEMA_STR ||
		    strcmp(v->rows[0].key, tag->key) != 0 ||
		    v->rows[0].offset != tag->offset ||
		    !(s->flags & SCHEMA_UNKNOWN_IGNORE))
			return error_set(e, OVE_INTERNAL,
			    "table %s: variant %s is not one", s->name,
			    v->name);
		if (verify_table(v, depth + 1, e) == -1)
			return -1;
	}
	return 0;
}

static int
verify_table(const struct schema *s, int depth, struct error *e)
{
	const struct schema_row *r;
	size_t i;

	if (depth > 8)
		return error_set(e, OVE_INTERNAL, "%s holds itself", s->name);
	for (i = 0; i < s->n; i++) {
		r = &s->rows[i];
		if (verify_place(s, i, e) == -1)
			return error_wrap(e, "table %s", s->name);
		if (r->type != SCHEMA_GROUP &&
		    r->offset + row_size(r) > s->size)
			return error_set(e, OVE_INTERNAL,
			    "table %s: '%s' lies outside", s->name, r->key);
		if (verify_row(r, depth + 1, e) == -1)
			return error_wrap(e, "table %s: '%s'", s->name, r->key);
	}
	return verify_variants(s, depth, e);
}

int
schema_verify(const struct schema *s, struct error *e)
{
	return verify_table(s, 0, e);
}
