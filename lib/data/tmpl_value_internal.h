/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the expression language know of values that others need
 * not: how containers look inside, and the operations on them.  As in
 * tmpl_value.h, 0 is done and -1 leaves a fault in the rendering.
 */
#pragma once

#include "lib/data/tmpl_value.h"

#define TMPL_LOOPS_MAX 1000000
#define TMPL_WORK_MAX UINT64_C(1000000000)
/* Steps that looking at one item counts for. */
#define TMPL_STEP 20
#define TMPL_DEPTH_MAX 2000
/* Values within values, when they are shown or compared. */
#define TMPL_VALUE_NEST_MAX 100

/* Not a value: an argument that was left out. */
#define TMPL_ABSENT ((enum tmpl_type)(TMPL_UNDEFINED + 1))

/* Within values, expressions and iterators: leave() after a good enter(). */
int tmpl_enter(struct tmpl_run *r) CC_MUST_CHECK;
void tmpl_leave(struct tmpl_run *r);

/* tmpl_value_text.c: strings */

/* A string of len bytes to be filled in: its bytes in *ret_s.  Its chars are
 * to be set, or counted by tmpl_str_done(). */
struct tmpl_str *tmpl_str_new(struct tmpl_run *r, size_t len, char **ret_s);
void tmpl_str_done(struct tmpl_str *s, struct tmpl_value *ret);
/* What out holds, as a string. */
int tmpl_str_take(struct tmpl_run *r, const struct strbuf *out,
    struct tmpl_value *ret) CC_MUST_CHECK;
/* Where character i begins, i <= s->chars. */
size_t tmpl_str_offset(const struct tmpl_str *s, size_t i);
/* How many characters the first len bytes are. */
size_t tmpl_count_chars(const char *s, size_t len);
struct tmpl_value tmpl_str_value(const struct tmpl_str *s);
int tmpl_add_str(
    struct tmpl_run *r, struct tmpl_value v, struct strbuf *out) CC_MUST_CHECK;
/* repr(v) for the message of a fault, which nobody may ever read: what is
 * undefined in it is no fault of its own. */
int tmpl_repr_for_fault(
    struct tmpl_run *r, struct tmpl_value v, struct strbuf *out) CC_MUST_CHECK;
/* A latched buffer as a fault. */
int tmpl_check(struct tmpl_run *r, const struct strbuf *b) CC_MUST_CHECK;
void tmpl_buf_init(struct strbuf *b);

/* tmpl_value_list.c */

int tmpl_list_new(struct tmpl_run *r, enum tmpl_type type, size_t cap,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_list_add(
    struct tmpl_run *r, struct tmpl_list *l, struct tmpl_value v) CC_MUST_CHECK;
/* A new list (tuple) of what v gives. */
int tmpl_list_of(struct tmpl_run *r, enum tmpl_type type, struct tmpl_value v,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_list_extend(
    struct tmpl_run *r, struct tmpl_list *l, struct tmpl_value v) CC_MUST_CHECK;
void tmpl_list_reverse(struct tmpl_list *l);
int tmpl_sort(
    struct tmpl_run *r, struct tmpl_list *l, bool reverse) CC_MUST_CHECK;
int tmpl_pair(struct tmpl_run *r, struct tmpl_value a, struct tmpl_value b,
    struct tmpl_value *ret) CC_MUST_CHECK;

/* tmpl_value_dict.c */

struct tmpl_entry {
	struct tmpl_value key;
	struct tmpl_value v;
	uint64_t hash;
	/* Deleted ones stay as gaps. */
	bool live;
};

struct tmpl_dict {
	/* In order; used ones, of which n are live. */
	struct tmpl_entry *entries;
	size_t used;
	size_t n;
	size_t cap;
	/* Hash table of 2 * cap numbers of entries, from 1. */
	uint32_t *slots;
};

/* *ret is NULL when there is none; -1 for a key that cannot be one. */
int tmpl_dict_find(struct tmpl_run *r, const struct tmpl_dict *d,
    struct tmpl_value key, struct tmpl_entry **ret) CC_MUST_CHECK;
void tmpl_dict_delete(struct tmpl_dict *d, struct tmpl_entry *entry);
void tmpl_dict_clear(struct tmpl_dict *d);
/* As dict.update(v). */
int tmpl_dict_update(
    struct tmpl_run *r, struct tmpl_dict *d, struct tmpl_value v) CC_MUST_CHECK;
/* The first live entry from *i on, or NULL; moves *i behind it. */
struct tmpl_entry *tmpl_dict_next(const struct tmpl_dict *d, size_t *i);

/* tmpl_value_compare.c */

enum tmpl_op {
	TMPL_OP_NONE,
	TMPL_OP_OR,
	TMPL_OP_XOR,
	TMPL_OP_AND,
	TMPL_OP_LSHIFT,
	TMPL_OP_RSHIFT,
	TMPL_OP_ADD,
	TMPL_OP_SUB,
	TMPL_OP_MUL,
	TMPL_OP_DIV,
	TMPL_OP_FLOORDIV,
	TMPL_OP_MOD,
	TMPL_OP_POW,
	TMPL_OP_LT,
	TMPL_OP_LE,
	TMPL_OP_GT,
	TMPL_OP_GE,
	TMPL_OP_EQ,
	TMPL_OP_NE,
	TMPL_OP_IN,
	TMPL_OP_NOT_IN,
	TMPL_OP_IS,
	TMPL_OP_IS_NOT,
	TMPL_OP_POS,
	TMPL_OP_NEG,
	TMPL_OP_INVERT,
};

bool tmpl_is_number(struct tmpl_value v);
bool tmpl_is_int(struct tmpl_value v);
/* Of a bool or int. */
int64_t tmpl_as_int(struct tmpl_value v);
double tmpl_as_float(struct tmpl_value v);
/* -1, 0, 1, or 2 when one is no number; of an int and a float, exactly. */
int tmpl_number_order(struct tmpl_value v, struct tmpl_value w);
int tmpl_hash(
    struct tmpl_run *r, struct tmpl_value v, uint64_t *ret) CC_MUST_CHECK;
/* Any comparison operator. */
int tmpl_compare(struct tmpl_run *r, enum tmpl_op op, struct tmpl_value v,
    struct tmpl_value w, bool *ret) CC_MUST_CHECK;
/* v in w */
int tmpl_contains(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    bool *ret) CC_MUST_CHECK;

/* tmpl_value_op.c */

/* inplace is for v += w and the like: a list is changed, not copied. */
int tmpl_binary(struct tmpl_run *r, enum tmpl_op op, bool inplace,
    struct tmpl_value v, struct tmpl_value w,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_unary(struct tmpl_run *r, enum tmpl_op op, struct tmpl_value v,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_overflow(struct tmpl_run *r);
/* v % w of a string */
int tmpl_percent(struct tmpl_run *r, const struct tmpl_str *s,
    struct tmpl_value w, struct tmpl_value *ret) CC_MUST_CHECK;

/* tmpl_value_index.c */

int tmpl_index(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value key,
    struct tmpl_value *ret) CC_MUST_CHECK;
/* KeyError: -1. */
int tmpl_key_error(struct tmpl_run *r, struct tmpl_value key);
/* Parts that were left out are NONE. */
int tmpl_slice(struct tmpl_run *r, struct tmpl_value v,
    const struct tmpl_value part[3], struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_set_index(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_value key, struct tmpl_value item) CC_MUST_CHECK;
/* The part of a slice: an integer or None. */
int tmpl_slice_part(struct tmpl_run *r, struct tmpl_value v, int64_t unset,
    int64_t *ret) CC_MUST_CHECK;
/* Clips to 0..len as s[start:end] does. */
size_t tmpl_clip(int64_t i, size_t len);
/* An integer that an argument has to be. */
int tmpl_need_int(
    struct tmpl_run *r, struct tmpl_value v, int64_t *ret) CC_MUST_CHECK;

/* tmpl_value_iter.c */

struct tmpl_range {
	int64_t start;
	int64_t stop;
	/* Not 0. */
	int64_t step;
	uint64_t n;
};

enum tmpl_view_kind {
	TMPL_KEYS,
	TMPL_VALUES,
	TMPL_ITEMS
};

struct tmpl_view {
	struct tmpl_dict *dict;
	enum tmpl_view_kind kind;
};

typedef int tmpl_next_fn(
    struct tmpl_iter *it, struct tmpl_run *r, struct tmpl_value *ret);

/* Embedded by generators; the others are as they are here. */
struct tmpl_iter {
	tmpl_next_fn *next;
	/* Python's type. */
	const char *type;
	struct tmpl_value v;
	/* Position in v, and how many there were at first. */
	size_t i;
	size_t n;
	struct tmpl_iter **sub;
};

struct tmpl_iter *tmpl_iter_new(struct tmpl_run *r, tmpl_next_fn *next,
    const char *type, struct tmpl_value v);
int tmpl_reversed(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_value *ret) CC_MUST_CHECK;
int64_t tmpl_range_at(const struct tmpl_range *g, uint64_t i);
int tmpl_range(struct tmpl_run *r, int64_t start, int64_t stop, int64_t step,
    struct tmpl_value *ret) CC_MUST_CHECK;

/* tmpl_value_loop.c */

int tmpl_loop_attr(struct tmpl_run *r, const struct tmpl_loop *l,
    const char *name, struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_loop_cycle(struct tmpl_run *r, const struct tmpl_loop *l,
    const struct tmpl_args *args, struct tmpl_value *ret) CC_MUST_CHECK;

/* tmpl_value_func.c, tmpl_value_method.c */

typedef int tmpl_builtin_fn(struct tmpl_run *r, struct tmpl_value self,
    const struct tmpl_args *args, struct tmpl_value *ret);

/*
 * A row of a table of functions or of methods.  names are the parameters in
 * order, with a blank between; those of a positional-only one are "-".  fn gets
 * all max values, ABSENT ones included, and no keywords; with max of
 * TMPL_VARIADIC it gets what there was.  A fn of NULL exists in Python, but
 * not here.
 */
struct tmpl_builtin {
	const char *name;
	tmpl_builtin_fn *fn;
	unsigned char min;
	unsigned char max;
	const char *names;
};

#define TMPL_VARIADIC 255
#define TMPL_ARGS_MAX 4

int tmpl_builtin_call(struct tmpl_run *r, const struct tmpl_builtin *f,
    struct tmpl_value self, const struct tmpl_args *args,
    struct tmpl_value *ret) CC_MUST_CHECK;
/* By name, in a sorted table. */
const struct tmpl_builtin *tmpl_builtin_find(
    const struct tmpl_builtin *table, size_t n, const char *name);
/* NULL for what is no function of Python. */
const struct tmpl_builtin *tmpl_function(const char *name);
/* Finds a method; it is called with tmpl_builtin_call(). */
int tmpl_method(struct tmpl_run *r, struct tmpl_value self, const char *name,
    const struct tmpl_builtin **ret) CC_MUST_CHECK;
/* What an attribute that is not called says: always -1. */
int tmpl_no_attribute(
    struct tmpl_run *r, struct tmpl_value self, const char *name);
extern const struct tmpl_builtin tmpl_str_methods[];
extern const size_t tmpl_str_methods_n;

/* tmpl_value_seq.c: functions */

tmpl_builtin_fn tmpl_fn_len, tmpl_fn_range, tmpl_fn_enumerate, tmpl_fn_zip,
    tmpl_fn_reversed, tmpl_fn_sorted, tmpl_fn_any, tmpl_fn_all, tmpl_fn_sum,
    tmpl_fn_min, tmpl_fn_max;

/* tmpl_value_case.c: methods of strings */

tmpl_builtin_fn tmpl_str_capitalize, tmpl_str_casefold, tmpl_str_lower,
    tmpl_str_swapcase, tmpl_str_title, tmpl_str_upper, tmpl_str_isalnum,
    tmpl_str_isalpha, tmpl_str_isascii, tmpl_str_isdecimal, tmpl_str_isdigit,
    tmpl_str_islower, tmpl_str_isnumeric, tmpl_str_isprintable,
    tmpl_str_isspace, tmpl_str_isupper;

/* tmpl_value_pad.c: methods of strings */

tmpl_builtin_fn tmpl_str_strip, tmpl_str_lstrip, tmpl_str_rstrip,
    tmpl_str_removeprefix, tmpl_str_removesuffix, tmpl_str_ljust,
    tmpl_str_rjust, tmpl_str_center, tmpl_str_zfill, tmpl_str_expandtabs;
/* A string that an argument has to be: "<what>must be str, not int". */
int tmpl_need_str(
    struct tmpl_run *r, const char *what, struct tmpl_value v) CC_MUST_CHECK;

/* tmpl_value_num.c */

int tmpl_int_of(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value base,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_float_of(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_float_to_int(struct tmpl_run *r, double f, int64_t *ret) CC_MUST_CHECK;
int tmpl_round(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_value digits, struct tmpl_value *ret) CC_MUST_CHECK;

/* tmpl_value_format.c */

/* format(v, spec), appended. */
int tmpl_format(struct tmpl_run *r, struct tmpl_value v, const char *spec,
    size_t len, struct strbuf *out) CC_MUST_CHECK;
/* repr(), str() or neither by the letter of a "!r". */
int tmpl_convert(struct tmpl_run *r, struct tmpl_value v, char conversion,
    struct tmpl_value *ret) CC_MUST_CHECK;
/* The digits of a float in a notation of printf's (one of "eEfFgG"), without
 * sign; "inf" and "nan" in its case. */
int tmpl_float_digits(struct tmpl_run *r, double f, char type, size_t digits,
    bool alternate, struct strbuf *out) CC_MUST_CHECK;
/* The digits of an int in base 2, 8, 10 or 16, without sign. */
void tmpl_int_digits(int64_t i, unsigned base, bool upper, struct strbuf *out);
/* tmpl_value_strformat.c: str.format() */
tmpl_builtin_fn tmpl_str_format;
