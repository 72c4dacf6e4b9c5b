/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The engine behind the tables of schema.h: it walks a map and a range of rows
 * side by side. A range is a table, or the rows below a GROUP; a row is a
 * direct member of its range when no dot is left in its key. For each range
 * the pairs are looked at first (unknown keys, keys that are no strings), then
 * the rows: absent ones get their default, present ones are checked by type and
 * bound, then judged by their own check function. A value of a wrong type is
 * reported once and nothing below it is looked at.
 *
 * Recursion follows the tables, which are finite, never the tree. Nothing is
 * kept but what is bound; findings go to the diag of the run. schema_fault.c
 * has the words of the findings, schema_dump.c is the way back.
 */

#include "lib/data/schema.h"

#include <string.h>

#include "lib/base/num.h"
#include "lib/data/schema_internal.h"

/* Some rows of a table and what they are bound to. */
struct range {
	const struct schema_row *rows;
	size_t n;
	/* Bytes of each key that belong to the groups above, dot included. */
	size_t prefix;
	unsigned flags;
	char *base;
	/* The map is not there: nothing in it is missing. */
	bool absent;
};

size_t
schema_group_len(const struct schema_row *group, size_t n)
{
	size_t i, len = strlen(group->key);

	for (i = 1; i < n; i++) {
		if (strncmp(group[i].key, group->key, len) != 0 ||
		    group[i].key[len] != '.')
			break;
	}
	return i - 1;
}

static void bind_range(
    const struct schema_at *at, const struct range *g, const struct node *map);

/* Where a key of a table is that may not be there. */
static struct schema_at
at_key(const struct schema_at *at, const char *key, const struct node *where)
{
	struct schema_at at2 = {
		.run = at->run,
		.up = at,
		.key = key,
		.where = where != NULL ? where : at->where,
	};

	return at2;
}

/* The pair of a key, or NULL; cannot be fooled by a NUL inside. */
static const struct node_pair *
find_pair(const struct node *map, const char *key)
{
	size_t i, len = strlen(key);
	const struct node *k;

	for (i = 0; map != NULL && i < map->u.map.n; i++) {
		k = map->u.map.pairs[i].key;
		if (k->type == NODE_STR && k->u.str.len == len &&
		    memcmp(k->u.str.s, key, len) == 0)
			return &map->u.map.pairs[i];
	}
	return NULL;
}

/* Values */

static void
bind_int(const struct schema_at *at, const struct schema_row *r,
    const struct node *n, int64_t *field)
{
	int64_t v, min, max, unit;

	if (n->type == NODE_NULL) {
		*field = SCHEMA_NONE;
		return;
	}
	unit = (r->flags & SCHEMA_SECONDS) ? 1000 : 1;
	/* SCHEMA_NONE must stay what no number is. */
	min = (INT64_MIN + 1) / unit;
	max = INT64_MAX / unit;
	if (r->min != 0 || r->max != 0) {
		min = r->min > min ? r->min : min;
		max = r->max < max ? r->max : max;
	}
	v = n->type == NODE_BOOL ? n->u.b : n->u.i;
	if (n->big || v < min || v > max)
		row_fault_range(at, n, r, min, max);
	else
		*field = v * unit;
}

static double
number_of(const struct node *n)
{
	double d;

	if (n->type == NODE_FLOAT)
		return n->u.f;
	if (n->type == NODE_BOOL)
		return n->u.b;
	if (!n->big)
		return (double)n->u.i;
	return num_double(n->raw, &d, NULL) == 0 ? d : 0;
}

static void
bind_str(const struct schema_at *at, const struct schema_row *r,
    const struct node *n, const char **field)
{
	const char *const *choice;

	if (n->type == NODE_NULL) {
		*field = NULL;
		return;
	}
	if (row_text_has_nul(n)) {
		schema_fault(at, n, "nul", NULL, "holds a NUL character");
		return;
	}
	*field = n->u.str.s;
	for (choice = r->choices; choice != NULL; choice++) {
		if (*choice == NULL) {
			row_fault_choice(at, n, r);
			return;
		}
		if (strcmp(*choice, n->u.str.s) == 0)
			return;
	}
}

static bool
type_fits(const struct schema_at *at, const struct schema_row *r,
    const struct node *n)
{
	if (n->type == NODE_NULL && (r->flags & SCHEMA_NULLABLE))
		return true;
	switch (r->type) {
	case SCHEMA_BOOL:
		return n->type == NODE_BOOL;
	case SCHEMA_INT:
		return n->type == NODE_INT ||
		    (n->type == NODE_BOOL && at->run->mode != SCHEMA_BODY);
	case SCHEMA_FLOAT:
	case SCHEMA_NUMBER:
		return n->type == NODE_INT || n->type == NODE_FLOAT ||
		    (n->type == NODE_BOOL && at->run->mode != SCHEMA_BODY);
	case SCHEMA_STR:
		return n->type == NODE_STR;
	case SCHEMA_LIST:
		return n->type == NODE_LIST;
	case SCHEMA_GROUP:
	case SCHEMA_MAP:
	case SCHEMA_STRUCT:
		return n->type == NODE_MAP;
	case SCHEMA_NODE:
		return true;
	}
	return false;
}

static void
fault_type_of(const struct schema_at *at, const struct schema_row *r,
    const struct node *n)
{
	if (r->type_fault != NULL)
		r->type_fault(at, n);
	else if (n->type == NODE_NULL && (r->flags & SCHEMA_REQUIRED) &&
	    at->run->mode != SCHEMA_PARTS)
		schema_fault(at, at->where, "required", NULL,
		    "expected %s, found null",
		    row_type_name(r->type, SCHEMA_FILE));
	else
		schema_fault_type(at, n, r->type);
}

static void bind_value(const struct schema_at *at, const struct schema_row *r,
    const struct node *n, void *field);

static void
bind_list(const struct schema_at *at, const struct schema_row *r,
    const struct node *n, struct row_list *field)
{
	struct schema_at here;
	size_t i, size, len;

	len = n->u.list.n;
	size = row_size(r->elem);
	field->n = 0;
	field->items = arena_calloc(at->run->arena, len > 0 ? len : 1, size);
	if (field->items == NULL)
		return;
	field->n = len;
	for (i = 0; i < len; i++) {
		here = schema_at_item(at, n->u.list.items[i], i);
		bind_value(&here, r->elem, n->u.list.items[i],
		    (char *)field->items + i * size);
	}
}

/* Pairs with a faulty key are left out. */
static void
bind_map(const struct schema_at *at, const struct schema_row *r,
    const struct node *n, struct row_map *field)
{
	struct arena *a = at->run->arena;
	const struct node_pair *p;
	struct schema_at here;
	size_t i, size, len;

	len = n->u.map.n;
	size = row_size(r->elem);
	field->items = arena_calloc(a, len > 0 ? len : 1, size);
	field->keys = arena_calloc(a, len > 0 ? len : 1, sizeof(*field->keys));
	if (field->items == NULL || field->keys == NULL)
		return;
	for (i = 0; i < len; i++) {
		p = &n->u.map.pairs[i];
		if (!row_key_is_text(at, p->key))
			continue;
		here = schema_at_pair(at, p);
		if (r->key_check != NULL)
			r->key_check(&here, p->key);
		field->keys[field->n] = p->key->u.str.s;
		bind_value(&here, r->elem, p->value,
		    (char *)field->items + field->n * size);
		field->n++;
	}
}

const struct schema *
table_of(const struct schema *s, const char *tag)
{
	size_t i;

	for (i = 0; tag != NULL && i < s->n_variants; i++) {
		if (strcmp(s->variants[i]->name, tag) == 0)
			return s->variants[i];
	}
	return s;
}

static void
bind_table(const struct schema_at *at, const struct schema *any,
    const struct node *map, bool absent, void *base)
{
	const struct schema *s = any->n_variants > 0
	    ? table_of(any, node_text(node_get(map, any->rows[0].key)))
	    : any;
	struct range g = {
		.rows = s->rows,
		.n = s->n,
		.flags = s->flags,
		.base = base,
		.absent = absent,
	};

	bind_range(at, &g, map);
	if (s->check != NULL && map != NULL)
		s->check(at, map, base);
}

static void
bind_value(const struct schema_at *at, const struct schema_row *r,
    const struct node *n, void *field)
{
	struct schema_number *num;
	size_t errors = at->run->diag->errors;

	if (!type_fits(at, r, n)) {
		fault_type_of(at, r, n);
		return;
	}
	if ((r->flags & SCHEMA_NONEMPTY) &&
	    ((n->type == NODE_LIST && n->u.list.n == 0) ||
		(n->type == NODE_MAP && n->u.map.n == 0))) {
		row_fault_empty(at, n);
		return;
	}
	switch (r->type) {
	case SCHEMA_GROUP:
		break;
	case SCHEMA_BOOL:
		*(bool *)field = n->type == NODE_BOOL && n->u.b;
		break;
	case SCHEMA_INT:
		bind_int(at, r, n, field);
		break;
	case SCHEMA_FLOAT:
		*(double *)field = number_of(n);
		break;
	case SCHEMA_NUMBER:
		num = field;
		num->value = number_of(n);
		num->is_int = n->type != NODE_FLOAT;
		break;
	case SCHEMA_STR:
		bind_str(at, r, n, field);
		break;
	case SCHEMA_LIST:
		if (n->type == NODE_LIST)
			bind_list(at, r, n, field);
		break;
	case SCHEMA_MAP:
		if (n->type == NODE_MAP)
			bind_map(at, r, n, field);
		break;
	case SCHEMA_STRUCT:
		bind_table(at, r->sub, n->type == NODE_MAP ? n : NULL,
		    n->type != NODE_MAP && !(r->flags & SCHEMA_REQUIRED),
		    field);
		break;
	case SCHEMA_NODE:
		*(const struct node **)field = n;
		break;
	}
	if (r->check != NULL && at->run->diag->errors == errors)
		r->check(at, n, field);
}

/* Defaults */

static int
default_list(struct arena *a, const struct schema_row *r, const char *def,
    struct row_list *field)
{
	size_t i, n, size, len;
	const char *p;
	char *word;

	n = 1;
	for (p = def; *p != '\0'; p++)
		n += *p == ',';
	size = row_size(r->elem);
	field->items = arena_calloc(a, n, size);
	if (field->items == NULL)
		return 0;
	for (i = 0, p = def; i < n; i++, p += len + 1) {
		len = strcspn(p, ",");
		word = arena_strndup(a, p, len);
		if (word == NULL)
			return 0;
		if (row_default(a, r->elem, word,
			(char *)field->items + i * size) == -1)
			return -1;
	}
	field->n = n;
	return 0;
}

int
row_default(
    struct arena *a, const struct schema_row *r, const char *def, void *field)
{
	struct schema_number *num;
	int64_t v;

	if (r->type == SCHEMA_INT)
		*(int64_t *)field = SCHEMA_NONE;
	if (def == NULL)
		return 0;
	switch (r->type) {
	case SCHEMA_BOOL:
		*(bool *)field = strcmp(def, "true") == 0;
		return *(bool *)field || strcmp(def, "false") == 0 ? 0 : -1;
	case SCHEMA_INT:
		if (num_i64(def, INT64_MIN / 1000, INT64_MAX / 1000, &v,
			NULL) == -1)
			return -1;
		*(int64_t *)field = r->flags & SCHEMA_SECONDS ? v * 1000 : v;
		return 0;
	case SCHEMA_FLOAT:
		return num_double(def, field, NULL);
	case SCHEMA_NUMBER:
		num = field;
		num->is_int = strpbrk(def, ".e") == NULL;
		return num_double(def, &num->value, NULL);
	case SCHEMA_STR:
		*(const char **)field = def;
		return 0;
	case SCHEMA_LIST:
		return default_list(a, r, def, field);
	case SCHEMA_GROUP:
	case SCHEMA_MAP:
	case SCHEMA_STRUCT:
	case SCHEMA_NODE:
		break;
	}
	return -1;
}

/* Ranges */

static bool
row_is_direct(const struct range *g, size_t i)
{
	return strchr(g->rows[i].key + g->prefix, '.') == NULL;
}

static struct range
group_range(const struct range *g, size_t i, bool absent)
{
	const struct schema_row *r = &g->rows[i];

	return (struct range){
		.rows = r + 1,
		.n = schema_group_len(r, g->n - i),
		.prefix = strlen(r->key) + 1,
		.flags = r->flags,
		.base = g->base,
		.absent = absent,
	};
}

static void
bind_absent(const struct schema_at *at, const struct range *g, size_t i,
    const struct node *where)
{
	const struct schema_row *r = &g->rows[i];
	struct schema_at here = at_key(at, r->key + g->prefix, where);
	struct range sub;
	void *field = g->base + r->offset;

	if ((r->flags & SCHEMA_REQUIRED) && !g->absent)
		row_fault_missing(at, where, r->key + g->prefix);
	if (r->type == SCHEMA_GROUP) {
		sub = group_range(g, i, true);
		bind_range(&here, &sub, NULL);
	} else if (r->type == SCHEMA_STRUCT) {
		bind_table(&here, r->sub, NULL, true, field);
	} else {
		/* schema_verify() has seen that it is of its type. */
		(void)row_default(at->run->arena, r, r->def, field);
	}
}

static void
bind_present(const struct schema_at *at, const struct range *g, size_t i,
    const struct node_pair *p)
{
	const struct schema_row *r = &g->rows[i];
	struct schema_at here = at_key(at, r->key + g->prefix, p->key);
	struct range sub;

	if (r->type != SCHEMA_GROUP) {
		if (r->type == SCHEMA_STRUCT)
			bind_table(
			    &here, r->sub, NULL, true, g->base + r->offset);
		else
			(void)row_default(
			    at->run->arena, r, r->def, g->base + r->offset);
		bind_value(&here, r, p->value, g->base + r->offset);
		return;
	}
	if (!type_fits(at, r, p->value)) {
		fault_type_of(&here, r, p->value);
		sub = group_range(g, i, true);
		bind_range(&here, &sub, NULL);
		return;
	}
	sub = group_range(g, i, false);
	if ((r->flags & SCHEMA_NONEMPTY) && p->value->u.map.n == 0) {
		row_fault_empty(&here, p->value);
		sub.absent = true;
	}
	bind_range(&here, &sub, p->value);
	if (r->check != NULL)
		r->check(&here, p->value, g->base + r->offset);
}

static void
bind_range(
    const struct schema_at *at, const struct range *g, const struct node *map)
{
	const struct node_pair *p;
	const char **known;
	size_t i, n;

	known = arena_calloc(at->run->arena, g->n + 1, sizeof(*known));
	if (known == NULL)
		return;
	for (i = n = 0; i < g->n; i++) {
		if (row_is_direct(g, i))
			known[n++] = g->rows[i].key + g->prefix;
	}
	if (map != NULL)
		row_check_keys(at, map, known, n, g->flags);
	for (i = 0; i < g->n; i++) {
		if (!row_is_direct(g, i))
			continue;
		p = find_pair(map, g->rows[i].key + g->prefix);
		if (p == NULL)
			bind_absent(at, g, i, NULL);
		else if (p->value->type == NODE_NULL &&
		    !(g->rows[i].flags & SCHEMA_NULLABLE))
			bind_absent(at, g, i, p->key);
		else
			bind_present(at, g, i, p);
		if (g->rows[i].rule != NULL && map != NULL)
			g->rows[i].rule(at, map, g->base);
	}
}

void
schema_bind_in(const struct schema_at *at, const struct schema *s,
    const struct node *map, void *ret)
{
	memset(ret, 0, s->size);
	bind_table(at, s, map, false, ret);
}

int
schema_bind(struct schema_run *run, const struct schema *s,
    const struct node *map, void *ret, struct error *e)
{
	struct schema_at at = { .run = run };
	size_t errors = run->diag->errors;

	run->root = s;
	memset(ret, 0, s->size);
	if (map != NULL && map->type != NODE_MAP) {
		schema_fault_type(&at, map, SCHEMA_GROUP);
		bind_table(&at, s, NULL, true, ret);
	} else {
		bind_table(&at, s, map, false, ret);
	}
	if (arena_check(run->arena, e) == -1)
		return -1;
	if (run->diag->errors > errors)
		return diag_check(run->diag, e);
	return 0;
}

const struct schema_row *
schema_find(const struct schema *s, const char *key)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (strcmp(s->rows[i].key, key) == 0)
			return &s->rows[i];
	}
	return NULL;
}
