/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The neutral tree.  Nodes are plain structs in the arena of whoever reads a
 * text; nothing here owns memory but node_map_fold(), for the time of its call.
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

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
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
	AUTO_FREE struct place *places = NULL;
	struct place *p;
	struct node_pair *pairs;
	size_t i, n, room;

	*ret_dup = NULL;
	n = map->u.map.n;
	pairs = map->u.map.pairs;
	if (n < 2 || (n <= FOLD_SMALL && !has_equal_keys(map)))
		return 0;
	if (!num_mul_size(n, 2, &room))
		return error_set(e, OVE_LIMIT, "too many keys");
	places = mem_calloc(room, sizeof(*places));
	if (places == NULL)
		return error_nomem(e);
	for (i = 0; i < n; i++) {
		places[i].key = pairs[i].key;
		places[i].i = i;
	}
	p = sort_places(places, places + n, n);
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

/* The fewest significant digits that read back: 15 are always kept by a normal
 * double, so fewer are tried only for those that have less precision. */
static void
shortest_digits(double f, char *buf, size_t size)
{
	int digits;

	digits = fabs(f) < DBL_MIN ? 1 : 15;
	for (; digits < 17; digits++) {
		(void)snprintf(buf, size, "%.*e", digits - 1, f);
		if (strtod(buf, NULL) == f)
			return;
	}
	(void)snprintf(buf, size, "%.16e", f);
}

/* Lays out digits d[0..n) with the point after position exp10. */
static void
layout(char *buf, bool negative, const char *d, int n, int exp10)
{
	char *p;
	int i;

	p = buf;
	if (negative)
		*p++ = '-';
	if (exp10 < -4 || exp10 >= 16) {
		*p++ = d[0];
		if (n > 1) {
			*p++ = '.';
			for (i = 1; i < n; i++)
				*p++ = d[i];
		}
		(void)snprintf(p, (size_t)(buf + NODE_FLOAT_LEN - p), "e%c%02d",
		    exp10 < 0 ? '-' : '+', abs(exp10));
		return;
	}
	if (exp10 < 0) {
		*p++ = '0';
		*p++ = '.';
		for (i = -1; i > exp10; i--)
			*p++ = '0';
		for (i = 0; i < n; i++)
			*p++ = d[i];
	} else {
		for (i = 0; i < n || i <= exp10; i++) {
			if (i == exp10 + 1)
				*p++ = '.';
			*p++ = i < n ? d[i] : '0';
		}
		if (n <= exp10 + 1) {
			*p++ = '.';
			*p++ = '0';
		}
	}
	*p = '\0';
}

const char *
node_float_text(double f, char buf[NODE_FLOAT_LEN])
{
	char text[40], digits[24];
	const char *p;
	int n, exp10;

	if (isnan(f)) {
		(void)snprintf(buf, NODE_FLOAT_LEN, "nan");
		return buf;
	}
	if (isinf(f)) {
		(void)snprintf(buf, NODE_FLOAT_LEN, f < 0 ? "-inf" : "inf");
		return buf;
	}
	if (f == 0) {
		(void)snprintf(
		    buf, NODE_FLOAT_LEN, signbit(f) ? "-0.0" : "0.0");
		return buf;
	}
	shortest_digits(f, text, sizeof(text));
	n = 0;
	/* Digits up to the exponent; the point is whatever the locale says. */
	for (p = text; *p != '\0' && *p != 'e'; p++) {
		if (*p >= '0' && *p <= '9' && n < (int)sizeof(digits))
			digits[n++] = *p;
	}
	exp10 = *p == 'e' ? (int)strtol(p + 1, NULL, 10) : 0;
	while (n > 1 && digits[n - 1] == '0')
		n--;
	layout(buf, f < 0, digits, n, exp10);
	return buf;
}

const char *
node_scalar_text(const struct node *n, char buf[NODE_FLOAT_LEN])
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return n->u.b ? "true" : "false";
	case NODE_INT:
		if (n->raw != NULL)
			return n->raw;
		(void)snprintf(buf, NODE_FLOAT_LEN, "%" PRId64, n->u.i);
		return buf;
	case NODE_FLOAT:
		return node_float_text(n->u.f, buf);
	case NODE_STR:
	case NODE_TIME:
	case NODE_BYTES:
		return n->u.str.s;
	case NODE_LIST:
	case NODE_MAP:
	case NODE_SET:
		break;
	}
	return NULL;
}

const char *
node_type_article(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "null";
	case NODE_BOOL:
		return "a boolean";
	case NODE_INT:
		return "an integer";
	case NODE_FLOAT:
		return "a number with a fraction";
	case NODE_STR:
		return "a string";
	case NODE_TIME:
		return strchr(n->u.str.s, 'T') != NULL ? "a date and time"
						       : "a date";
	case NODE_BYTES:
		return "binary data";
	case NODE_LIST:
		return "a list";
	case NODE_MAP:
		return "a mapping";
	case NODE_SET:
		return "a set";
	}
	return "nothing";
}

const char *
node_type_python(const struct node *n)
{
	switch (n->type) {
	case NODE_NULL:
		return "NoneType";
	case NODE_BOOL:
		return "bool";
	case NODE_INT:
		return "int";
	case NODE_FLOAT:
		return "float";
	case NODE_STR:
		return "str";
	case NODE_TIME:
		return strchr(n->u.str.s, 'T') != NULL ? "datetime" : "date";
	case NODE_BYTES:
		return "bytes";
	case NODE_LIST:
		return "list";
	case NODE_MAP:
		return "dict";
	case NODE_SET:
		return "set";
	}
	return "NoneType";
}
