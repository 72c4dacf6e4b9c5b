/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See compare.h.  Paths are the keys joined by dots, in the order of what is
 * sent, then what only the server has.  Recursion is bounded by the depth of
 * the trees, which their readers bound.
 */
#include "proto/compare.h"

#include <string.h>

#include "lib/data/json.h"

void
compare_init(struct compare *c, struct arena *a)
{
	memset(c, 0, sizeof(*c));
	c->arena = a;
}

static void
add(struct compare *c, const char *path, const struct node *before,
    const struct node *after)
{
	struct compare_change *items;

	if (path == NULL)
		return;
	if (c->n == c->cap) {
		size_t cap = c->cap == 0 ? 8 : c->cap * 2;

		items = arena_calloc(c->arena, cap, sizeof(*items));
		if (items == NULL)
			return;
		if (c->n > 0)
			memcpy(items, c->items, c->n * sizeof(*items));
		c->items = items;
		c->cap = cap;
	}
	c->items[c->n++] = (struct compare_change){ path, before, after };
}

static const char *
below(struct compare *c, const char *path, const struct node *key)
{
	char buf[NODE_FLOAT_LEN];
	const char *word = node_scalar_text(key, buf);

	if (word == NULL)
		word = "?";
	if (path == NULL || path[0] == '\0')
		return arena_strdup(c->arena, word);
	return arena_printf(c->arena, "%s.%s", path, word);
}

static const struct node *
value_of(const struct node *map, const struct node *key)
{
	for (size_t i = 0; i < map->u.map.n; i++)
		if (node_equal(map->u.map.pairs[i].key, key))
			return map->u.map.pairs[i].value;
	return NULL;
}

/* Lists whose items are equal when the order of keys does not count. */
static bool
equal(const struct node *a, const struct node *b)
{
	const struct node *v;

	if (a->type == NODE_LIST && b->type == NODE_LIST) {
		for (size_t i = 0; i < a->u.list.n && i < b->u.list.n; i++)
			if (!equal(a->u.list.items[i], b->u.list.items[i]))
				return false;
		return a->u.list.n == b->u.list.n;
	}
	if (a->type != NODE_MAP || b->type != NODE_MAP)
		return node_equal(a, b);
	for (size_t i = 0; i < a->u.map.n; i++) {
		v = value_of(b, a->u.map.pairs[i].key);
		if (v == NULL || !equal(a->u.map.pairs[i].value, v))
			return false;
	}
	return a->u.map.n == b->u.map.n;
}

void
compare_add(struct compare *c, const char *path, const struct node *before,
    const struct node *after)
{
	const struct node_pair *p;

	if (before == NULL || after == NULL) {
		if (before != after)
			add(c, path, before, after);
		return;
	}
	if (before->type != NODE_MAP || after->type != NODE_MAP) {
		if (!equal(before, after))
			add(c, path, before, after);
		return;
	}
	for (size_t i = 0; i < after->u.map.n; i++) {
		p = &after->u.map.pairs[i];
		compare_add(c, below(c, path, p->key), value_of(before, p->key),
		    p->value);
	}
	for (size_t i = 0; i < before->u.map.n; i++) {
		p = &before->u.map.pairs[i];
		if (value_of(after, p->key) == NULL)
			add(c, below(c, path, p->key), p->value, NULL);
	}
}

void
compare_add_json(
    struct compare *c, const char *path, const char *before, const char *after)
{
	struct node *a, *b;

	if (json_read(before, strlen(before), c->arena, &a, NULL) == 0 &&
	    json_read(after, strlen(after), c->arena, &b, NULL) == 0)
		compare_add(c, path, a, b);
	else
		compare_add(c, path, node_str(c->arena, before),
		    node_str(c->arena, after));
}
