/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The way back from a bound struct: dump it as a tree in the order of the rows
 * (print-config) and tell which rows of two structs differ (reload). The
 * difference compares dumped values, so that it needs no comparison of its own
 * per type and two lists are equal when their texts are.
 */

#include "lib/data/schema.h"

#include "lib/data/schema_internal.h"

size_t
row_size(const struct schema_row *r)
{
	switch (r->type) {
	case SCHEMA_BOOL:
		return sizeof(bool);
	case SCHEMA_INT:
		return sizeof(int64_t);
	case SCHEMA_FLOAT:
		return sizeof(double);
	case SCHEMA_NUMBER:
		return sizeof(struct schema_number);
	case SCHEMA_STR:
		return sizeof(const char *);
	case SCHEMA_LIST:
		return sizeof(struct row_list);
	case SCHEMA_MAP:
		return sizeof(struct row_map);
	case SCHEMA_STRUCT:
		return r->sub->size;
	case SCHEMA_NODE:
		return sizeof(const struct node *);
	case SCHEMA_GROUP:
		break;
	}
	return 0;
}

/* Dump */

static struct node *dump_rows(const struct schema_row *rows, size_t n,
    size_t prefix, const char *base, int flags, struct arena *a);

static struct node *
dump_int(const struct schema_row *r, int64_t v, struct arena *a)
{
	if (v == SCHEMA_NONE || (v < 0 && (r->flags & SCHEMA_NEG_NULL)))
		return node_null(a);
	return node_int(a, r->flags & SCHEMA_SECONDS ? v / 1000 : v);
}

static struct node *
dump_str(const struct schema_row *r, const char *s, int flags, struct arena *a)
{
	if (s == NULL)
		return node_null(a);
	if ((r->flags & SCHEMA_SECRET) && (flags & SCHEMA_REDACT))
		s = "********";
	return node_str(a, s);
}

static struct node *
dump_value(
    const struct schema_row *r, const void *field, int flags, struct arena *a)
{
	const struct schema_number *num;
	const struct row_list *list;
	const struct row_map *map;
	const struct node *tree;
	struct node *n;
	size_t i, size;

	switch (r->type) {
	case SCHEMA_BOOL:
		return node_bool(a, *(const bool *)field);
	case SCHEMA_INT:
		return dump_int(r, *(const int64_t *)field, a);
	case SCHEMA_FLOAT:
		return node_float(a, *(const double *)field);
	case SCHEMA_NUMBER:
		num = field;
		return num->is_int ? node_int(a, (int64_t)num->value)
				   : node_float(a, num->value);
	case SCHEMA_STR:
		return dump_str(r, *(const char *const *)field, flags, a);
	case SCHEMA_LIST:
		list = field;
		n = node_new(a, NODE_LIST);
		size = row_size(r->elem);
		for (i = 0; i < list->n; i++)
			node_add(a, n,
			    dump_value(r->elem,
				(const char *)list->items + i * size, flags,
				a));
		return n;
	case SCHEMA_MAP:
		map = field;
		n = node_new(a, NODE_MAP);
		size = row_size(r->elem);
		for (i = 0; i < map->n; i++)
			node_set(a, n, map->keys[i],
			    dump_value(r->elem,
				(const char *)map->items + i * size, flags, a));
		return n;
	case SCHEMA_STRUCT:
		return schema_dump(r->sub, field, flags, a);
	case SCHEMA_NODE:
		tree = *(const struct node *const *)field;
		return tree != NULL ? node_copy(a, tree) : node_null(a);
	case SCHEMA_GROUP:
		break;
	}
	return NULL;
}

static struct node *
dump_rows(const struct schema_row *rows, size_t n, size_t prefix,
    const char *base, int flags, struct arena *a)
{
	const struct schema_row *r;
	struct node *map, *value;
	size_t i, len;

	map = node_new(a, NODE_MAP);
	for (i = 0; i < n; i += len + 1) {
		r = &rows[i];
		len = 0;
		if (r->type == SCHEMA_GROUP)
			len = schema_group_len(r, n - i);
		if (r->flags & SCHEMA_NODUMP)
			continue;
		if (r->type == SCHEMA_GROUP)
			value = dump_rows(
			    r + 1, len, strlen(r->key) + 1, base, flags, a);
		else
			value = dump_value(r, base + r->offset, flags, a);
		if ((flags & SCHEMA_NO_NULLS) && value != NULL &&
		    value->type == NODE_NULL)
			continue;
		node_set(a, map, r->key + prefix, value);
	}
	return map;
}

struct node *
schema_dump(
    const struct schema *s, const void *bound, int flags, struct arena *a)
{
	if (s->n_variants > 0)
		s = table_of(s,
		    *(const char *const *)((const char *)bound +
			s->rows[0].offset));
	return dump_rows(s->rows, s->n, 0, bound, flags, a);
}

int
schema_diff(const struct schema *s, const void *a, const void *b,
    struct arena *arena, schema_diff_fn *fn, void *ctx, struct error *e)
{
	const struct schema_row *r;
	struct node *va, *vb;
	size_t i;

	for (i = 0; i < s->n; i++) {
		r = &s->rows[i];
		if (r->type == SCHEMA_GROUP)
			continue;
		va = dump_value(r, (const char *)a + r->offset, 0, arena);
		vb = dump_value(r, (const char *)b + r->offset, 0, arena);
		if (arena_check(arena, e) == -1)
			return -1;
		if (!node_equal(va, vb))
			fn(r, ctx);
	}
	return 0;
}
