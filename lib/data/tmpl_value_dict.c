/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Dicts: entries in the order they came, and a hash table of their numbers
 * (open addressing, at most half full).  What is deleted stays as a gap until
 * the dict grows, so that its number goes on leading past it.
 */
#include <string.h>

#include "lib/data/tmpl_value_internal.h"

#define FIRST_CAP 8
#define DICT_MAX ((size_t)1 << 24)

int
tmpl_dict_new(struct tmpl_run *r, struct tmpl_value *ret)
{
	struct tmpl_dict *d;

	d = arena_calloc(r->a, 1, sizeof(*d));
	if (d == NULL)
		return tmpl_raise_nomem(r);
	*ret = (struct tmpl_value){ .type = TMPL_DICT, .u.dict = d };
	return 0;
}

static void
link_entry(struct tmpl_dict *d, size_t i)
{
	size_t mask = 2 * d->cap - 1, at = (size_t)d->entries[i].hash & mask;

	while (d->slots[at] != 0)
		at = (at + 1) & mask;
	d->slots[at] = (uint32_t)(i + 1);
}

/* Makes room for one more, without the gaps. */
static int
grow(struct tmpl_run *r, struct tmpl_dict *d)
{
	struct tmpl_entry *entry, *old = d->entries;
	size_t i, used = d->used;

	if (d->n >= d->cap / 2)
		d->cap = d->cap == 0 ? FIRST_CAP : d->cap * 2;
	if (d->cap > DICT_MAX)
		return tmpl_raise(r, TMPL_LIMIT, "too large a dict");
	d->entries = arena_calloc(r->a, d->cap, sizeof(*d->entries));
	d->slots = arena_calloc(r->a, 2 * d->cap, sizeof(*d->slots));
	if (d->entries == NULL || d->slots == NULL) {
		*d = (struct tmpl_dict){ 0 };
		return tmpl_raise_nomem(r);
	}
	d->used = 0;
	for (i = 0; i < used; i++) {
		entry = &old[i];
		if (!entry->live)
			continue;
		d->entries[d->used] = *entry;
		link_entry(d, d->used++);
	}
	return 0;
}

static int
find(struct tmpl_run *r, const struct tmpl_dict *d, struct tmpl_value key,
    uint64_t hash, struct tmpl_entry **ret)
{
	struct tmpl_entry *entry;
	size_t mask, at;
	bool equal;

	*ret = NULL;
	if (d->cap == 0)
		return 0;
	mask = 2 * d->cap - 1;
	for (at = (size_t)hash & mask; d->slots[at] != 0;
	     at = (at + 1) & mask) {
		entry = &d->entries[d->slots[at] - 1];
		if (tmpl_charge(r, TMPL_STEP) == -1)
			return -1;
		if (!entry->live || entry->hash != hash)
			continue;
		if (tmpl_equal(r, entry->key, key, &equal) == -1)
			return -1;
		if (equal) {
			*ret = entry;
			return 0;
		}
	}
	return 0;
}

int
tmpl_dict_find(struct tmpl_run *r, const struct tmpl_dict *d,
    struct tmpl_value key, struct tmpl_entry **ret)
{
	uint64_t hash;

	if (tmpl_hash(r, key, &hash) == -1)
		return -1;
	return find(r, d, key, hash, ret);
}

int
tmpl_dict_set(struct tmpl_run *r, struct tmpl_dict *d, struct tmpl_value key,
    struct tmpl_value v)
{
	struct tmpl_entry *entry;
	uint64_t hash;

	if (tmpl_hash(r, key, &hash) == -1 ||
	    find(r, d, key, hash, &entry) == -1)
		return -1;
	if (entry != NULL) {
		entry->v = v;
		return 0;
	}
	if (d->used == d->cap && grow(r, d) == -1)
		return -1;
	d->entries[d->used] = (struct tmpl_entry){ key, v, hash, true };
	link_entry(d, d->used++);
	d->n++;
	return 0;
}

void
tmpl_dict_delete(struct tmpl_dict *d, struct tmpl_entry *entry)
{
	entry->live = false;
	d->n--;
}

void
tmpl_dict_clear(struct tmpl_dict *d)
{
	*d = (struct tmpl_dict){ 0 };
}

struct tmpl_entry *
tmpl_dict_next(const struct tmpl_dict *d, size_t *i)
{
	while (*i < d->used) {
		if (d->entries[(*i)++].live)
			return &d->entries[*i - 1];
	}
	return NULL;
}

/* One item of what dict() and update() are given. */
static int
update_pair(
    struct tmpl_run *r, struct tmpl_dict *d, struct tmpl_value item, size_t i)
{
	struct tmpl_value pair;

	if (item.type != TMPL_LIST && item.type != TMPL_TUPLE &&
	    item.type != TMPL_STR && item.type != TMPL_ITER &&
	    item.type != TMPL_DICT && item.type != TMPL_RANGE &&
	    item.type != TMPL_VIEW)
		return tmpl_raise_of(r, item, TMPL_TYPE_ERROR,
		    "cannot convert dictionary update sequence element #%zu "
		    "to a sequence",
		    i);
	if (tmpl_list_of(r, TMPL_TUPLE, item, &pair) == -1)
		return -1;
	if (pair.u.list->n != 2)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "dictionary update sequence element #%zu has length %zu; "
		    "2 is required",
		    i, pair.u.list->n);
	return tmpl_dict_set(
	    r, d, pair.u.list->items[0], pair.u.list->items[1]);
}

static int
update_dict(
    struct tmpl_run *r, struct tmpl_dict *d, const struct tmpl_dict *from)
{
	struct tmpl_entry *entry;
	size_t i = 0;

	if (from == d)
		return 0;
	while ((entry = tmpl_dict_next(from, &i)) != NULL) {
		if (tmpl_dict_set(r, d, entry->key, entry->v) == -1)
			return -1;
	}
	return 0;
}

int
tmpl_dict_update(struct tmpl_run *r, struct tmpl_dict *d, struct tmpl_value v)
{
	struct tmpl_value item;
	struct tmpl_iter *it;
	size_t i = 0;
	int rc;

	if (v.type == TMPL_DICT)
		return update_dict(r, d, v.u.dict);
	if (tmpl_iter(r, v, &it) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (update_pair(r, d, item, i++) == -1)
			return -1;
	}
	return rc;
}
