/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The neutral tree.  Nodes are plain structs in the arena of whoever reads a
 * text; nothing here owns memory.  Equal keys are found in node_fold.c, what
 * people read is made in node_text.c.
 *
 * Lists and maps grow by doubling; the old block stays in the arena, so a list
 * costs at most twice its final size.  Makers and adders take NULL for what an
 * earlier maker could not allocate: a tree is built without a check in between
 * and arena_check() at its end tells whether it is whole.
 *
 * Maps are searched from front to back.  They come from files and bodies of
 * bounded size whose readers look up a known, small set of keys; what would be
 * quadratic, finding equal keys, sorts instead.
 *
 * Walking recurses.  The readers bound the depth (JSON 64, YAML 100, aliases
 * followed), and trees made by hand are shallow.
 */

#include "lib/data/node.h"

#include <math.h>
#include <string.h>

#include "lib/base/num.h"

struct node *
node_new(struct arena *a, enum node_type type)
{
	struct node *n;

	n = arena_alloc(a, sizeof(*n));
	if (n != NULL)
		n->type = type;
	return n;
}

struct node *
node_strn(struct arena *a, const char *s, size_t len)
{
	struct node *n;

	n = node_new(a, NODE_STR);
	if (n == NULL)
		return NULL;
	n->u.str.s = arena_strndup(a, s, len);
	if (n->u.str.s == NULL)
		return NULL;
	n->u.str.len = len;
	return n;
}

struct node *
node_str(struct arena *a, const char *s)
{
	if (s == NULL)
		return NULL;
	return node_strn(a, s, strlen(s));
}

struct node *
node_int(struct arena *a, int64_t i)
{
	struct node *n;

	n = node_new(a, NODE_INT);
	if (n != NULL)
		n->u.i = i;
	return n;
}

struct node *
node_float(struct arena *a, double f)
{
	struct node *n;

	n = node_new(a, NODE_FLOAT);
	if (n != NULL)
		n->u.f = f;
	return n;
}

struct node *
node_bool(struct arena *a, bool b)
{
	struct node *n;

	n = node_new(a, NODE_BOOL);
	if (n != NULL)
		n->u.b = b;
	return n;
}

struct node *
node_null(struct arena *a)
{
	return node_new(a, NODE_NULL);
}

/* Doubles the room of an array of `size`d items; NULL leaves it as it is. */
static void *
grow(struct arena *a, const void *items, size_t n, size_t size, size_t *cap)
{
	size_t new_cap;
	void *p;

	if (!num_mul_size(*cap, 2, &new_cap))
		return NULL;
	if (new_cap == 0)
		new_cap = 4;
	p = arena_calloc(a, new_cap, size);
	if (p == NULL)
		return NULL;
	if (n > 0)
		memcpy(p, items, n * size);
	*cap = new_cap;
	return p;
}

void
node_add(struct arena *a, struct node *list, struct node *item)
{
	void *p;

	if (list == NULL || item == NULL)
		return;
	if (list->u.list.n == list->u.list.cap) {
		p = grow(a, list->u.list.items, list->u.list.n,
		    sizeof(struct node *), &list->u.list.cap);
		if (p == NULL)
			return;
		list->u.list.items = p;
	}
	list->u.list.items[list->u.list.n++] = item;
}

void
node_add_pair(
    struct arena *a, struct node *map, struct node *key, struct node *value)
{
	void *p;

	if (map == NULL || key == NULL || value == NULL)
		return;
	if (map->u.map.n == map->u.map.cap) {
		p = grow(a, map->u.map.pairs, map->u.map.n,
		    sizeof(struct node_pair), &map->u.map.cap);
		if (p == NULL)
			return;
		map->u.map.pairs = p;
	}
	map->u.map.pairs[map->u.map.n].key = key;
	map->u.map.pairs[map->u.map.n].value = value;
	map->u.map.n++;
}

void
node_set(struct arena *a, struct node *map, const char *key, struct node *value)
{
	if (map == NULL || value == NULL)
		return;
	node_add_pair(a, map, node_str(a, key), value);
}

static bool
key_is(const struct node *key, const char *s, size_t len)
{
	return key->type == NODE_STR && key->u.str.len == len &&
	    memcmp(key->u.str.s, s, len) == 0;
}

void
node_replace(
    struct arena *a, struct node *map, const char *key, struct node *value)
{
	size_t i, len;

	if (map == NULL || value == NULL)
		return;
	len = strlen(key);
	for (i = 0; i < map->u.map.n; i++) {
		if (key_is(map->u.map.pairs[i].key, key, len)) {
			map->u.map.pairs[i].value = value;
			return;
		}
	}
	node_set(a, map, key, value);
}

struct node *
node_copy(struct arena *a, const struct node *n)
{
	struct node *c;
	size_t i;

	if (n == NULL)
		return NULL;
	c = node_new(a, n->type);
	if (c == NULL)
		return NULL;
	c->line = n->line;
	c->col = n->col;
	c->big = n->big;
	if (n->raw != NULL)
		c->raw = arena_strdup(a, n->raw);
	switch (n->type) {
	case NODE_NULL:
		break;
	case NODE_BOOL:
		c->u.b = n->u.b;
		break;
	case NODE_INT:
		c->u.i = n->u.i;
		break;
	case NODE_FLOAT:
		c->u.f = n->u.f;
		break;
	case NODE_STR:
	case NODE_TIME:
	case NODE_BYTES:
		c->u.str.s = arena_strndup(a, n->u.str.s, n->u.str.len);
		if (c->u.str.s == NULL)
			return NULL;
		c->u.str.len = n->u.str.len;
		break;
	case NODE_LIST:
		for (i = 0; i < n->u.list.n; i++)
			node_add(a, c, node_copy(a, n->u.list.items[i]));
		break;
	case NODE_MAP:
	case NODE_SET:
		for (i = 0; i < n->u.map.n; i++) {
			node_add_pair(a, c, node_copy(a, n->u.map.pairs[i].key),
			    node_copy(a, n->u.map.pairs[i].value));
		}
		break;
	}
	return c;
}

struct node *
node_get(const struct node *n, const char *key)
{
	size_t i, len;

	if (n == NULL || n->type != NODE_MAP)
		return NULL;
	len = strlen(key);
	for (i = 0; i < n->u.map.n; i++) {
		if (key_is(n->u.map.pairs[i].key, key, len))
			return n->u.map.pairs[i].value;
	}
	return NULL;
}

int64_t
node_int_at(const struct node *n, const char *key, int64_t absent)
{
	const struct node *v = node_get(n, key);

	return v != NULL && v->type == NODE_INT && !v->big ? v->u.i : absent;
}

const char *
node_text(const struct node *n)
{
	return n != NULL && n->type == NODE_STR ? n->u.str.s : NULL;
}

static bool
map_equal(const struct node *a, const struct node *b)
{
	size_t i;

	if (a->u.map.n != b->u.map.n)
		return false;
	for (i = 0; i < a->u.map.n; i++) {
		if (!node_equal(a->u.map.pairs[i].key, b->u.map.pairs[i].key) ||
		    !node_equal(
			a->u.map.pairs[i].value, b->u.map.pairs[i].value))
			return false;
	}
	return true;
}

bool
node_equal(const struct node *a, const struct node *b)
{
	size_t i;

	if (a == NULL || b == NULL)
		return a == b;
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case NODE_NULL:
		return true;
	case NODE_BOOL:
		return a->u.b == b->u.b;
	case NODE_INT:
		if (a->big || b->big)
			return a->big == b->big && strcmp(a->raw, b->raw) == 0;
		return a->u.i == b->u.i;
	case NODE_FLOAT:
		/* As values, so that a tree with a NaN equals its copy. */
		return a->u.f == b->u.f || (isnan(a->u.f) && isnan(b->u.f));
	case NODE_STR:
	case NODE_TIME:
	case NODE_BYTES:
		return a->u.str.len == b->u.str.len &&
		    memcmp(a->u.str.s, b->u.str.s, a->u.str.len) == 0;
	case NODE_LIST:
		if (a->u.list.n != b->u.list.n)
			return false;
		for (i = 0; i < a->u.list.n; i++) {
			if (!node_equal(a->u.list.items[i], b->u.list.items[i]))
				return false;
		}
		return true;
	case NODE_MAP:
	case NODE_SET:
		return map_equal(a, b);
	}
	return false;
}
