/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The neutral tree that YAML and JSON become: values live in one arena, every
 * node knows its line and column (from 1; 0 = not from a text). Maps keep the
 * order of the text; a key is a node, since YAML keys need not be strings.
 * Numbers keep their kind (1 is not 1.0) and their text.
 */
#pragma once

#include "lib/base/arena.h"

enum node_type {
	NODE_NULL,
	NODE_BOOL,
	/* i; or, when big, only `raw` says the value (decimal text). */
	NODE_INT,
	NODE_FLOAT,
	NODE_STR,
	/* A YAML timestamp: str holds its ISO text, with a 'T' when it has a
	 * time of day. */
	NODE_TIME,
	/* YAML's !!binary: str holds the bytes.  Nothing accepts it. */
	NODE_BYTES,
	NODE_LIST,
	NODE_MAP,
	/* YAML's !!set: map with null values.  Nothing accepts it. */
	NODE_SET,
};

struct node;

struct node_pair {
	struct node *key;
	struct node *value;
};

struct node {
	enum node_type type;
	unsigned line;
	unsigned col;
	/* NODE_INT that does not fit int64. */
	bool big;
	/* NODE_INT, NODE_FLOAT: the number as it was written (JSON) or in a
	 * normal form (YAML: decimal); NULL for nodes made by hand. */
	const char *raw;
	union {
		bool b;
		int64_t i;
		double f;
		struct {
			/* NUL-terminated; may hold NUL before len when it came
			 * from YAML. */
			const char *s;
			size_t len;
		} str;
		struct {
			struct node **items;
			size_t n;
			size_t cap;
		} list;
		struct {
			struct node_pair *pairs;
			size_t n;
			size_t cap;
		} map;
	} u;
};

/* Makers: NULL when the arena is latched or full, and then adding the NULL is
 * harmless, so that arena_check() at the end is the one check. s is copied;
 * NULL, as what could not be allocated, gives NULL. */
struct node *node_new(struct arena *a, enum node_type type);
struct node *node_str(struct arena *a, const char *s);
struct node *node_strn(struct arena *a, const char *s, size_t len);
struct node *node_int(struct arena *a, int64_t i);
struct node *node_float(struct arena *a, double f);
struct node *node_bool(struct arena *a, bool b);
struct node *node_null(struct arena *a);
void node_add(struct arena *a, struct node *list, struct node *item);
/* Appends; the caller knows that the key is new. key is copied. */
void node_set(
    struct arena *a, struct node *map, const char *key, struct node *value);
/* Appends a pair as it is; the key may be of any scalar type. */
void node_add_pair(
    struct arena *a, struct node *map, struct node *key, struct node *value);
/* Replaces the value of an equal string key in place, or appends. */
void node_replace(
    struct arena *a, struct node *map, const char *key, struct node *value);
/* Deep copy into a. */
struct node *node_copy(struct arena *a, const struct node *n);

/* NULL when n is NULL, not a map, or has no such string key. */
struct node *node_get(const struct node *n, const char *key);
/* The integer at that key; `absent` when there is none that fits. */
int64_t node_int_at(const struct node *n, const char *key, int64_t absent);
/* Text of a string node, else NULL. */
const char *node_text(const struct node *n);
/* Nodes equal in type and value (order of map keys counts). */
bool node_equal(const struct node *a, const struct node *b);
/* Makes equal keys of a map one, the first place with the last value, and says
 * which key was the first to repeat another (NULL: none did).  Keys compare as
 * Python's: 1, 1.0 and true are the same.  Works in n log n. */
int node_map_fold(
    struct node *map, const struct node **ret_dup, struct error *e);

/* Puts the keys of every map of the tree in order: text by code point, numbers
 * by value and before text. */
int node_sort(struct node *n, struct error *e);

/* The text of a float as Python writes it: the fewest digits that read back,
 * always with a point, an exponent, or both; inf, -inf, nan. */
#define NODE_FLOAT_LEN 32
const char *node_float_text(double f, char buf[NODE_FLOAT_LEN]);
/* Text of a scalar as a JSON key or a message shows it: strings as they are,
 * numbers, "true", "null"; buf is used when it needs one.  NULL for a list or a
 * map. */
const char *node_scalar_text(const struct node *n, char buf[NODE_FLOAT_LEN]);
/* "a string", "an integer", "a list", ... for messages. */
const char *node_type_article(const struct node *n);
/* "str", "int", "dict", ... : the original's words. */
const char *node_type_python(const struct node *n);
