/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tables that say what a tree may hold: one row per key. From one table come
 * the check (all faults at once, with positions, into a diag), the binding into
 * a plain C struct whose texts and lists live in an arena, the defaults, the
 * dump back to a tree in the order of the rows, and the difference of two bound
 * structs by row. Files and request bodies are both read by this; what differs
 * is the mode.
 *
 * A row's key is a path inside its table: "tls" is a GROUP, "tls.port" belongs
 * to it and follows it. Groups cost no struct of their own: each row has its
 * own offset. Elements of lists and maps, and structs that occur twice, have
 * tables of their own (`sub`) or a row that describes one element (`elem`). A
 * table with variants is a tagged union: its one row is the tag, whose value is
 * the name of the table that counts.
 *
 * null is the same as absence for a key of a table; for an element of a list or
 * of a free map it is a value and refused unless the element is NULLABLE.
 */
#pragma once

#include "lib/data/diag.h"
#include "lib/data/node.h"

/* No number: an INT that is absent and has no default, or an explicit null
 * where the row is NULLABLE. Dumped as null. */
#define SCHEMA_NONE INT64_MIN
/* For `max`: only `min` counts. */
#define SCHEMA_NO_MAX INT64_MAX

enum schema_type {
	/* Nothing bound: opens the rows "KEY.*" that follow. */
	SCHEMA_GROUP,
	/* bool */
	SCHEMA_BOOL,
	/* int64_t. In files a boolean passes, as 1 or 0. */
	SCHEMA_INT,
	/* double; an integer passes and becomes one. */
	SCHEMA_FLOAT,
	/* struct schema_number; integer or float, kept as it was written. */
	SCHEMA_NUMBER,
	/* const char *, NULL when absent and without default. */
	SCHEMA_STR,
	/* SCHEMA_LIST_OF(elem's type) */
	SCHEMA_LIST,
	/* SCHEMA_MAP_OF(elem's type); keys are free strings. */
	SCHEMA_MAP,
	/* The struct of `sub`, in place. */
	SCHEMA_STRUCT,
	/* const struct node *: the value as written; `check` judges it. */
	SCHEMA_NODE,
};

struct schema_number {
	double value;
	bool is_int;
};
/* What lists and maps are bound to: n items that lie in the arena. */
#define SCHEMA_LIST_OF(type)                                                   \
  struct {                                                                     \
    type *items;                                                               \
    size_t n;                                                                  \
  }
#define SCHEMA_MAP_OF(type)                                                    \
  struct {                                                                     \
    const char **keys;                                                         \
    type *items;                                                               \
    size_t n;                                                                  \
  }

/* The usual ones, under a name: for what is handed to functions. */
struct schema_strs {
	const char **items;
	size_t n;
};
struct schema_strmap {
	const char **keys;
	const char **items;
	size_t n;
};

enum schema_flags {
	SCHEMA_REQUIRED = 1 << 0,
	/* Dumped as stars when asked to. */
	SCHEMA_SECRET = 1 << 1,
	/* INT: explicit null is a value of its own (SCHEMA_NONE). Elements:
	 * null is allowed (STR: NULL). */
	SCHEMA_NULLABLE = 1 << 2,
	/* May change without a restart. */
	SCHEMA_LIVE = 1 << 3,
	/* LIST, MAP, GROUP: must hold something when given. */
	SCHEMA_NONEMPTY = 1 << 4,
	/* INT: seconds in the text, milliseconds in the struct. */
	SCHEMA_SECONDS = 1 << 5,
	/* INT: a negative value is dumped as null. */
	SCHEMA_NEG_NULL = 1 << 6,
	/* Accepted, checked, never dumped. */
	SCHEMA_NODUMP = 1 << 7,
	/* GROUP, table: unknown keys are a warning, or nothing. */
	SCHEMA_UNKNOWN_WARN = 1 << 8,
	SCHEMA_UNKNOWN_IGNORE = 1 << 9,
	/* Accepted without effect: samples leave it out, with a GROUP's rows.
	 */
	SCHEMA_DEPRECATED = 1 << 10,
	/* STR with choices: the original ends its refusal with a full stop. */
	SCHEMA_CHOICE_STOP = 1 << 11,
	/* Table: a body that is made of parts of a file (SCHEMA_PARTS). */
	SCHEMA_OF_PARTS = 1 << 12,
};

struct schema;
struct schema_at;

/* Judges a value whose type is right (any, for NODE) and which is bound at
 * `field`; it may change the bound value, not the tree. It is not called when
 * something in the value is wrong already; the check of a GROUP or a table is,
 * and must cope with that. */
typedef void schema_check_fn(
    const struct schema_at *at, const struct node *n, void *field);
/* Judges a key of a free map. */
typedef void schema_key_fn(const struct schema_at *at, const struct node *key);
/* Reports a value of a wrong type instead of the engine's own words. */
typedef void schema_type_fault_fn(
    const struct schema_at *at, const struct node *n);

struct schema_row {
	/* NULL in a row that describes an element. */
	const char *key;
	enum schema_type type;
	unsigned flags;
	size_t offset;
	/* As text: "8888", "true", "1.5"; a LIST of strings by commas. NULL:
	 * SCHEMA_NONE, false, 0, NULL, empty. */
	const char *def;
	/* INT, in the unit of the text; both 0: no limits. LIST: min is for
	 * documents, what it says is left to others. */
	int64_t min;
	int64_t max;
	/* STR: NULL-terminated; NULL: anything. */
	const char *const *choices;
	/* STRUCT. */
	const struct schema *sub;
	/* LIST, MAP. */
	const struct schema_row *elem;
	schema_key_fn *key_check;
	schema_check_fn *check;
	schema_type_fault_fn *type_fault;
	/* A rule over several keys of the map in which this row stands, judged
	 * after this row and before the next, whether the key is there or not:
	 * n is the map, field the bound struct. */
	schema_check_fn *rule;
	/* One sentence for manual and sample; example: what the sample shows
	 * instead of the default. */
	const char *doc;
	const char *example;
	/* What the check functions let pass, for documents: a STR, the keys of
	 * a MAP as an ECMAScript pattern; a NODE by the name of its form. */
	const char *pattern;
	const char *shape;
};

/* How many of the n - 1 rows after a GROUP belong to it. */
size_t schema_group_len(const struct schema_row *group, size_t n);

struct schema {
	const char *name;
	const struct schema_row *rows;
	size_t n;
	/* Of the struct that is bound. */
	size_t size;
	unsigned flags;
	/* Rules over several keys: runs after the rows, faulty or not. field is
	 * the bound struct. */
	schema_check_fn *check;
	/* A hint for an unknown key, or NULL; the engine's own are tried first
	 * (a near key, a key of another table of the same schema). */
	const char *(*unknown_hint)(
	    const struct schema_at *at, const char *key);
	/* Tables that begin with the same row as this one, the tag, bind the
	 * same struct, and are called as the tag's choices. This table itself
	 * stands for a tag that is not good: it ignores unknown keys. */
	const struct schema *const *variants;
	size_t n_variants;
};

/* Offset of member m of struct S, refused by the compiler when its type is not
 * what the row's type binds. */
#define SCHEMA_CTYPE_BOOL bool
#define SCHEMA_CTYPE_INT int64_t
#define SCHEMA_CTYPE_FLOAT double
#define SCHEMA_CTYPE_NUMBER struct schema_number
#define SCHEMA_CTYPE_STR const char *
#define SCHEMA_CTYPE_NODE const struct node *
#define SCHEMA_OFFSET(TYPE, S, m)                                              \
  (offsetof(struct S, m) + SCHEMA_SAME(S, m, SCHEMA_CTYPE_##TYPE))
#define SCHEMA_SAME(S, m, T)                                                   \
  (sizeof(char[__builtin_types_compatible_p(__typeof__(((struct S *)0)->m), T) \
	   ? 1                                                                 \
	   : -1]) -                                                            \
      1)

/* clang-format off */
/* Rows; the doc line is the first of the rest, so that nothing need follow. */
#define SCHEMA_ROW(S, key_, TYPE, member_, def_, flags_, ...)                  \
	{                                                                      \
		.key = key_, .type = SCHEMA_##TYPE, .flags = flags_,           \
		.offset = SCHEMA_OFFSET(TYPE, S, member_), .def = def_,        \
		.doc = __VA_ARGS__                                             \
	}
/* LIST, MAP, STRUCT. */
#define SCHEMA_ROW_MANY(S, key_, TYPE, member_, def_, flags_, ...)             \
	{                                                                      \
		.key = key_, .type = SCHEMA_##TYPE, .flags = flags_,           \
		.offset = offsetof(struct S, member_), .def = def_,            \
		.doc = __VA_ARGS__                                             \
	}
#define SCHEMA_ROW_GROUP(key_, flags_, ...)                                    \
	{                                                                      \
		.key = key_, .type = SCHEMA_GROUP, .flags = flags_,            \
		.doc = __VA_ARGS__                                             \
	}
/* A table of rows_ for struct S. */
#define SCHEMA_TABLE(name_, rows_, S)                                          \
	.name = name_, .rows = rows_, .n = ARRAY_LEN(rows_),                   \
	.size = sizeof(struct S)
/* clang-format on */

enum schema_mode {
	/* Positions, words of cli.md 7; a boolean is an integer. */
	SCHEMA_FILE,
	/* Words of rest-api.md 1.9; strict JSON types; unknown keys ignored;
	 * findings in the order of the rows. */
	SCHEMA_BODY,
	/* A body made of parts of a file (rest-api.md annex A): strict types
	 * and words of 1.9 for its own members, what a file may hold and the
	 * original's words below; the first finding counts. */
	SCHEMA_PARTS,
};

struct schema_run {
	enum schema_mode mode;
	struct arena *arena;
	struct diag *diag;
	/* The caller's, for its check functions. */
	void *user;
	/* Set by schema_bind(). */
	const struct schema *root;
};
/* Where the engine is: a chain of keys and positions on the stack. */
struct schema_at {
	struct schema_run *run;
	const struct schema_at *up;
	/* NULL for a list position. */
	const char *key;
	size_t index;
	/* The key, or the item of the list; NULL at the root. */
	const struct node *where;
};

/* Checks map (NULL: an empty one) by s and binds it to `ret`, a struct of
 * s->size bytes, which is filled (with defaults where needed) also when faults
 * were found. -1: OVE_INVALID, by the findings in run->diag, or NOMEM, LIMIT.
 * What is bound points into the arena and into the tree, not into run. */
int schema_bind(struct schema_run *run, const struct schema *s,
    const struct node *map, void *ret, struct error *e);

/* For check functions: binds a map that a NODE is, by a table of its own. ret
 * as above; findings are of the run under way. */
void schema_bind_in(const struct schema_at *at, const struct schema *s,
    const struct node *map, void *ret);

enum schema_dump_flags {
	/* SECRET rows that have a value become "********". */
	SCHEMA_REDACT = 1,
	/* Keys of tables that have no value are left out, not null. */
	SCHEMA_NO_NULLS = 2,
};
/* The bound struct as a map, rows in order, defaults included; NULL and a
 * latched arena on failure. */
struct node *schema_dump(
    const struct schema *s, const void *bound, int flags, struct arena *a);
/* Tells each row (GROUPs excepted) whose value differs. */
typedef void schema_diff_fn(const struct schema_row *row, void *ctx);
int schema_diff(const struct schema *s, const void *a, const void *b,
    struct arena *arena, schema_diff_fn *fn, void *ctx, struct error *e);
/* Row of a path ("tls.port"), or NULL. */
const struct schema_row *schema_find(const struct schema *s, const char *key);
/* A table that contradicts itself (unsorted groups, a default that is not of
 * its type, elements missing): OVE_INTERNAL. For tests. */
int schema_verify(const struct schema *s, struct error *e);

/* What the first finding of a body says, in the contract's words, for the
 * `message` of a 400; NULL when there is none. */
const char *schema_body_message(const struct diag *d);

/* For check functions. Adds a finding at this place: pos is where n stands (its
 * parent's place when n is NULL). */
void schema_fault(const struct schema_at *at, const struct node *n,
    const char *rule, const char *hint, const char *fmt, ...) CC_PRINTF(5, 6);
/* The same, but a body's message is this text and nothing else. */
void schema_fault_text(const struct schema_at *at, const struct node *n,
    const char *rule, const char *fmt, ...) CC_PRINTF(4, 5);
void schema_warn(const struct schema_at *at, const struct node *n,
    const char *rule, const char *hint, const char *fmt, ...) CC_PRINTF(5, 6);
/* The engine's own findings, for values that a check function looks into. */
void schema_fault_type(const struct schema_at *at, const struct node *n,
    enum schema_type expected);
void schema_fault_missing(const struct schema_at *at, const char *key);
/* map's keys must be strings and among these n; what is not is reported. */
void schema_check_keys(const struct schema_at *at, const struct node *map,
    const char *const *known, size_t n);
/* Where a value of a map or list below `at` is. */
struct schema_at schema_at_pair(
    const struct schema_at *at, const struct node_pair *pair);
struct schema_at schema_at_item(
    const struct schema_at *at, const struct node *item, size_t index);
/* "a.b[2].\"c d\"" in the arena; never NULL ("" on failure). */
const char *schema_path(const struct schema_at *at);
/* A value for people: quoted, escaped, cut at 60 characters. */
const char *schema_quote(struct arena *a, const struct node *n);
/* The same as the original has it: in quotes whatever it is, None, True. */
const char *schema_quote_python(struct arena *a, const struct node *n);
