/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Mappings that take the pairs of others ("<<"), and lists of pairs.
 */
#include "lib/data/yaml_internal.h"

const char yaml_merge_mark[] = "<<";

static void
add_pairs(struct yaml_reader *r, struct node *out, const struct node *map)
{
	size_t i;

	for (i = 0; i < map->u.map.n; i++)
		node_add_pair(r->a, out, map->u.map.pairs[i].key,
		    map->u.map.pairs[i].value);
}

static bool
is_map(const struct node *n)
{
	return n->type == NODE_MAP || n->type == NODE_SET;
}

/* Adds what "<<: value" brings; of a list, the first mapping comes last,
 * because what comes later wins. */
static void
add_merged(struct yaml_reader *r, struct node *out, const struct node *value)
{
	struct diag_pos pos = { value->line, value->col };
	const struct node *item;
	size_t i;

	if (is_map(value)) {
		add_pairs(r, out, value);
		return;
	}
	if (value->type != NODE_LIST) {
		yaml_fault(r, pos, "yaml-merge", NULL,
		    "'<<' needs a mapping or a list of mappings, found %s",
		    node_type_article(value));
		return;
	}
	for (i = value->u.list.n; i > 0; i--) {
		item = value->u.list.items[i - 1];
		pos = (struct diag_pos){ item->line, item->col };
		if (is_map(item))
			add_pairs(r, out, item);
		else
			yaml_fault(r, pos, "yaml-merge", NULL,
			    "'<<' needs mappings in its list, found %s",
			    node_type_article(item));
	}
}

void
yaml_merge(struct yaml_reader *r, struct node *map)
{
	struct node out = { .type = NODE_MAP };
	const struct node_pair *p;
	size_t i;

	for (i = 0; i < map->u.map.n; i++) {
		p = &map->u.map.pairs[i];
		if (p->key->raw == yaml_merge_mark)
			add_merged(r, &out, p->value);
	}
	for (i = 0; i < map->u.map.n; i++) {
		p = &map->u.map.pairs[i];
		if (p->key->raw != yaml_merge_mark)
			node_add_pair(r->a, &out, p->key, p->value);
	}
	map->u.map = out.u.map;
}

void
yaml_pair_list(struct yaml_reader *r, struct node *list)
{
	const struct node *item;
	struct node *pair;
	size_t i;

	for (i = 0; i < list->u.list.n; i++) {
		item = list->u.list.items[i];
		if (!is_map(item) || item->u.map.n != 1) {
			yaml_fault(r,
			    (struct diag_pos){ item->line, item->col },
			    "yaml-tag-kind", NULL,
			    "expected a mapping with one key");
			continue;
		}
		pair = node_new(r->a, NODE_LIST);
		node_add(r->a, pair, item->u.map.pairs[0].key);
		node_add(r->a, pair, item->u.map.pairs[0].value);
		if (pair == NULL)
			return;
		pair->line = item->line;
		pair->col = item->col;
		list->u.list.items[i] = pair;
	}
}
