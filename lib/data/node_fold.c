/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Equal keys of a map, and keys in order.  Which keys are equal is Python's
 * idea, since the original's files were read by it: numbers by value, whatever
 * their type, and true is 1.  Lists and maps are no keys and never equal.
 *
 * A few keys are compared each with each.  Many are sorted, by a merge sort of
 * our own, with their place as the last criterion; so a text with a hundred
 * thousand keys costs no more than its length, whoever chose them.  Memory is
 * held for the time of the call only.
 */

#include "lib/data/node.h"

#include <math.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

/* Keys that Python's dict takes for equal are of one class. */
enum key_class {
	KEY_NUMBER,
	KEY_BIG,
	KEY_TEXT,
	KEY_TIME,
	KEY_BYTES,
	KEY_NULL,
	/* Not hashable: never equal to another. */
	KEY_OTHER,
};

static enum key_class
key_class(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return KEY_NULL;
	case NODE_INT:
		return n->big ? KEY_BIG : KEY_NUMBER;
	case NODE_BOOL:
	case NODE_FLOAT:
		return KEY_NUMBER;
	case NODE_STR:
		return KEY_TEXT;
	case NODE_TIME:
		return KEY_TIME;
	case NODE_BYTES:
		return KEY_BYTES;
	case NODE_LIST:
	case NODE_MAP:
	case NODE_SET:
		break;
	}
	return KEY_OTHER;
}

/* The integer that a number key equals, if it equals one. */
static bool
key_integer(const struct node *n, int64_t *ret)
{
	if (n->type == NODE_INT) {
		*ret = n->u.i;
		return true;
	}
	if (n->type == NODE_BOOL) {
		*ret = n->u.b ? 1 : 0;
		return true;
	}
	/* 2^63 and above do not fit, nor does anything with a fraction. */
	if (!(n->u.f >= -0x1p63 && n->u.f < 0x1p63) || n->u.f != floor(n->u.f))
		return false;
	*ret = (int64_t)n->u.f;
	return true;
}

static int
number_cmp(const struct node *a, const struct node *b)
{
	bool a_int, b_int;
	int64_t ai, bi;

	a_int = key_integer(a, &ai);
	b_int = key_integer(b, &bi);
	if (a_int != b_int)
		return a_int ? -1 : 1;
	if (a_int)
		return (ai > bi) - (ai < bi);
	if (isnan(a->u.f) || isnan(b->u.f))
		return isnan(a->u.f) - isnan(b->u.f);
	return (a->u.f > b->u.f) - (a->u.f < b->u.f);
}

static int
text_cmp(const struct node *a, const struct node *b)
{
	size_t len;
	int rc;

	len = a->u.str.len < b->u.str.len ? a->u.str.len : b->u.str.len;
	rc = memcmp(a->u.str.s, b->u.str.s, len);
	if (rc != 0)
		return rc;
	return (a->u.str.len > b->u.str.len) - (a->u.str.len < b->u.str.len);
}

static int
key_cmp(const struct node *a, const struct node *b)
{
	enum key_class ca, cb;

	ca = key_class(a);
	cb = key_class(b);
	if (ca != cb)
		return ca < cb ? -1 : 1;
	switch (ca) {
	case KEY_NUMBER:
		return number_cmp(a, b);
	case KEY_BIG:
		return strcmp(a->raw, b->raw);
	case KEY_TEXT:
	case KEY_TIME:
	case KEY_BYTES:
		return text_cmp(a, b);
	case KEY_NULL:
		return 0;
	case KEY_OTHER:
		break;
	}
	return (a > b) - (a < b);
}

/* A key's place before sorting. */
struct place {
	const struct node *key;
	size_t i;
};

static int
place_cmp(const void *ap, const void *bp)
{
	const struct place *a = ap, *b = bp;
	int rc;

	rc = key_cmp(a->key, b->key);
	return rc != 0 ? rc : (a->i > b->i) - (a->i < b->i);
}

/*
 * Merge sort from the bottom up: libc's qsort may be quadratic for an input
 * that was made for it.  Returns where the sorted places are, p or tmp.
 */
static struct place *
sort_places(struct place *p, struct place *tmp, size_t n)
{
	struct place *swap;
	size_t width, lo, mid, hi, i, j, k;

	for (width = 1; width < n; width *= 2) {
		for (lo = 0; lo < n; lo = hi) {
			mid = lo + width < n ? lo + width : n;
			hi = mid + width < n ? mid + width : n;
			i = lo;
			j = mid;
			for (k = lo; k < hi; k++) {
				if (j == hi ||
				    (i < mid && place_cmp(&p[i], &p[j]) < 0))
					tmp[k] = p[i++];
				else
					tmp[k] = p[j++];
			}
		}
		swap = p;
		p = tmp;
		tmp = swap;
	}
	return p;
}

/* The places of all keys, sorted; one allocation, which *ret_room holds. */
static int
sorted_keys(const struct node *map, struct place **ret_room, struct place **ret,
    struct error *e)
{
	struct place *p;
	size_t i, n, room;

	n = map->u.map.n;
	if (!num_mul_size(n, 2, &room))
		return error_set(e, OVE_LIMIT, "too many keys");
	p = mem_calloc(room, sizeof(*p));
	if (p == NULL)
		return error_nomem(e);
	for (i = 0; i < n; i++) {
		p[i].key = map->u.map.pairs[i].key;
		p[i].i = i;
	}
	*ret_room = p;
	*ret = sort_places(p, p + n, n);
	return 0;
}

/* Merges runs of equal keys; what has to go loses its key.  Returns the first
 * key in the text's order that repeats another, or NULL. */
static const struct node *
fold_sorted(struct node *map, const struct place *p)
{
	struct node_pair *pairs;
	const struct node *dup;
	size_t i, first, dup_at;

	pairs = map->u.map.pairs;
	dup = NULL;
	dup_at = SIZE_MAX;
	first = 0;
	for (i = 1; i < map->u.map.n; i++) {
		if (key_cmp(p[first].key, p[i].key) != 0) {
			first = i;
			continue;
		}
		if (p[i].i < dup_at) {
			dup_at = p[i].i;
			dup = p[i].key;
		}
		pairs[p[first].i].value = pairs[p[i].i].value;
		pairs[p[i].i].key = NULL;
	}
	return dup;
}

/* Up to this many keys, comparing each with each is faster than sorting. */
#define FOLD_SMALL 12

static bool
has_equal_keys(const struct node *map)
{
	size_t i, j;

	for (i = 1; i < map->u.map.n; i++) {
		for (j = 0; j < i; j++) {
			if (key_cmp(map->u.map.pairs[i].key,
				map->u.map.pairs[j].key) == 0)
				return true;
		}
	}
	return false;
}

int
node_map_fold(struct node *map, const struct node **ret_dup, struct error *e)
{
	AUTO_FREE struct place *room = NULL;
	struct place *p;
	struct node_pair *pairs;
	size_t i, n;

	*ret_dup = NULL;
	n = map->u.map.n;
	pairs = map->u.map.pairs;
	if (n < 2 || (n <= FOLD_SMALL && !has_equal_keys(map)))
		return 0;
	if (sorted_keys(map, &room, &p, e) == -1)
		return -1;
	*ret_dup = fold_sorted(map, p);
	if (*ret_dup == NULL)
		return 0;
	for (i = 0, n = 0; i < map->u.map.n; i++) {
		if (pairs[i].key != NULL)
			pairs[n++] = pairs[i];
	}
	map->u.map.n = n;
	return 0;
}

static int
sort_map(struct node *map, struct error *e)
{
	AUTO_FREE struct place *room = NULL;
	AUTO_FREE struct node_pair *old = NULL;
	struct place *p;
	size_t i, n;

	n = map->u.map.n;
	if (n < 2)
		return 0;
	if (sorted_keys(map, &room, &p, e) == -1)
		return -1;
	old = mem_calloc(n, sizeof(*old));
	if (old == NULL)
		return error_nomem(e);
	memcpy(old, map->u.map.pairs, n * sizeof(*old));
	for (i = 0; i < n; i++)
		map->u.map.pairs[i] = old[p[i].i];
	return 0;
}

int
node_sort(struct node *n, struct error *e)
{
	size_t i;

	if (n->type == NODE_LIST) {
		for (i = 0; i < n->u.list.n; i++) {
			if (node_sort(n->u.list.items[i], e) == -1)
				return -1;
		}
	} else if (n->type == NODE_MAP || n->type == NODE_SET) {
		for (i = 0; i < n->u.map.n; i++) {
			if (node_sort(n->u.map.pairs[i].value, e) == -1)
				return -1;
		}
		return sort_map(n, e);
	}
	return 0;
}
