/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Values of the template language, which are Python's, and what a rendering
 * may use up.  A value is small and passed by itself; what it points to lives
 * in the arena of the rendering and is freed with it, never before.
 *
 * Everything that may fail takes the rendering, returns 0 or -1, and leaves the
 * reason in its fault.  Text is UTF-8 and always valid.
 */
#pragma once

#include "lib/base/arena.h"
#include "lib/base/strbuf.h"

/* The text that one rendering writes; and what a repetition or padding may
 * make at once. */
#define TMPL_OUT_MAX ((size_t)16 << 20)
/* What all values of a rendering may take. */
#define TMPL_MEMORY_MAX ((size_t)256 << 20)
/* Calls of defs within each other. */
#define TMPL_CALLS_MAX 100

/* Both count from 1, columns in characters; a line of 0 is unknown. */
struct tmpl_pos {
	unsigned line;
	unsigned col;
};

/* The position n bytes behind pos, over the text s. */
struct tmpl_pos tmpl_pos_behind(struct tmpl_pos pos, const char *s, size_t n);

enum tmpl_class {
	TMPL_CLASS_NONE,
#define X(id, name, parent) TMPL_##id,
#include "lib/data/tmpl_value_class.def"
#undef X
	TMPL_CLASS_COUNT
};

struct tmpl_fault {
	enum tmpl_class class;
	struct tmpl_pos pos;
	/* As Python says it, str(e); "" at least. */
	const char *message;
	/* The undefined name behind it, or NULL. */
	const char *name;
};

const char *tmpl_class_name(enum tmpl_class class);
/* By Python's name, or TMPL_CLASS_NONE. */
enum tmpl_class tmpl_class_find(const char *name, size_t len);
/* Whether "except of" takes this class; TMPL_CLASS_NONE is a bare "except". */
bool tmpl_class_is(enum tmpl_class class, enum tmpl_class of);
/* The message, the undefined name, " at line: L char: C", and a hint where one
 * helps; without the class. */
void tmpl_fault_text(const struct tmpl_fault *f, struct strbuf *out);

enum tmpl_type {
	TMPL_NONE,
	TMPL_BOOL,
	TMPL_INT,
	TMPL_FLOAT,
	TMPL_STR,
	TMPL_LIST,
	TMPL_TUPLE,
	TMPL_DICT,
	TMPL_RANGE,
	/* dict.keys(), .values(), .items() */
	TMPL_VIEW,
	/* What is read once: generators, enumerate, zip, reversed. */
	TMPL_ITER,
	TMPL_LOOP,
	TMPL_DEF,
	/* What "except ... as" names. */
	TMPL_EXC,
	TMPL_UNDEFINED,
};

struct tmpl_str {
	/* len bytes and a NUL behind them. */
	const char *s;
	size_t len;
	/* Code points; equal to len when all are ASCII. */
	size_t chars;
};

/* Which name has no value, and where it was read. */
struct tmpl_undef {
	const char *name;
	struct tmpl_pos pos;
};

struct tmpl_value {
	enum tmpl_type type;
	union {
		bool b;
		int64_t i;
		double f;
		const struct tmpl_str *str;
		/* Lists and tuples. */
		struct tmpl_list *list;
		struct tmpl_dict *dict;
		const struct tmpl_range *range;
		const struct tmpl_view *view;
		struct tmpl_iter *iter;
		/* NULL outside of any % for. */
		struct tmpl_loop *loop;
		struct tmpl_def *def;
		const struct tmpl_fault *exc;
		const struct tmpl_undef *undef;
	} u;
};

struct tmpl_list {
	struct tmpl_value *items;
	size_t n;
	size_t cap;
};

/* One rendering: its memory, what it has left, and why it failed. */
struct tmpl_run {
	struct arena *a;
	/* Iterations left, of all loops together. */
	uint64_t loops;
	/* Elementary steps left, so that every rendering ends in seconds. */
	uint64_t work;
	/* Of evaluation, and of values within values. */
	unsigned depth;
	/* Of defs; who calls one counts here. */
	unsigned calls;
	struct tmpl_fault fault;
};

/* a should have a maximum of TMPL_MEMORY_MAX. */
void tmpl_run_init(struct tmpl_run *r, struct arena *a);

/* All of these return -1.  The position is filled in by the innermost
 * expression or statement around when pos is unknown. */
int tmpl_raise(struct tmpl_run *r, enum tmpl_class class, const char *fmt, ...)
    CC_PRINTF(3, 4);
/* A fault about a value that may be UNDEFINED: names it and its place. */
int tmpl_raise_of(struct tmpl_run *r, struct tmpl_value v,
    enum tmpl_class class, const char *fmt, ...) CC_PRINTF(4, 5);
/* "<what> is not supported" */
int tmpl_unsupported(struct tmpl_run *r, const char *fmt, ...) CC_PRINTF(2, 3);
int tmpl_raise_nomem(struct tmpl_run *r);
/* "cannot access local variable 'x' where it is not ..." */
int tmpl_raise_unbound(struct tmpl_run *r, const char *name);
/* Gives the fault a position unless it has one; returns -1. */
int tmpl_raise_at(struct tmpl_run *r, struct tmpl_pos pos);
/* Takes the fault away, as an "except" does: the value to bind, which may be
 * NONE when memory is short. */
struct tmpl_value tmpl_catch(struct tmpl_run *r);

/* Count one iteration, or n steps (about a byte's worth each). */
int tmpl_tick(struct tmpl_run *r) CC_MUST_CHECK;
int tmpl_charge(struct tmpl_run *r, size_t n) CC_MUST_CHECK;

static inline struct tmpl_value
tmpl_none(void)
{
	return (struct tmpl_value){ .type = TMPL_NONE };
}

static inline struct tmpl_value
tmpl_bool(bool b)
{
	return (struct tmpl_value){ .type = TMPL_BOOL, .u.b = b };
}

static inline struct tmpl_value
tmpl_int(int64_t i)
{
	return (struct tmpl_value){ .type = TMPL_INT, .u.i = i };
}

static inline struct tmpl_value
tmpl_float(double f)
{
	return (struct tmpl_value){ .type = TMPL_FLOAT, .u.f = f };
}

/* Copies the text, which has to be valid UTF-8. */
int tmpl_str(struct tmpl_run *r, const char *s, size_t len,
    struct tmpl_value *ret) CC_MUST_CHECK;
/* Takes the text as it is: it has to live as long as the rendering, with a NUL
 * behind it. */
int tmpl_str_keep(struct tmpl_run *r, const char *s, size_t len,
    struct tmpl_value *ret) CC_MUST_CHECK;

/* Python's name of the type: "str", "NoneType", "Undefined". */
const char *tmpl_type_name(struct tmpl_value v);
/* UNDEFINED is false. */
bool tmpl_truth(struct tmpl_value v);
/* str(v): a string, as it is when v is one. */
int tmpl_to_str(struct tmpl_run *r, struct tmpl_value v,
    const struct tmpl_str **ret) CC_MUST_CHECK;
/* repr(v), appended; out's latch is looked at. */
int tmpl_repr(
    struct tmpl_run *r, struct tmpl_value v, struct strbuf *out) CC_MUST_CHECK;
/* v == w; "identical or equal", as lists compare their items, with is. */
int tmpl_equal(struct tmpl_run *r, struct tmpl_value v, struct tmpl_value w,
    bool *ret) CC_MUST_CHECK;

/* iter(v): what v's items are read with. */
int tmpl_iter(struct tmpl_run *r, struct tmpl_value v,
    struct tmpl_iter **ret) CC_MUST_CHECK;
/* 1 with the next item, 0 at the end, -1.  Does not tick. */
int tmpl_iter_next(struct tmpl_run *r, struct tmpl_iter *it,
    struct tmpl_value *ret) CC_MUST_CHECK;
/* len(v) */
int tmpl_len(
    struct tmpl_run *r, struct tmpl_value v, size_t *ret) CC_MUST_CHECK;

int tmpl_dict_new(struct tmpl_run *r, struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_dict_set(struct tmpl_run *r, struct tmpl_dict *d,
    struct tmpl_value key, struct tmpl_value v) CC_MUST_CHECK;

/*
 * The loop object of a % for.  `loop` names it for the body; index moves on
 * when the body is done.
 */
int tmpl_loop_new(struct tmpl_run *r, struct tmpl_value iterable,
    struct tmpl_loop *parent, struct tmpl_loop **ret) CC_MUST_CHECK;
/* 1 with the next item, 0 at the end, -1.  Ticks. */
int tmpl_loop_next(struct tmpl_run *r, struct tmpl_loop *l,
    struct tmpl_value *ret) CC_MUST_CHECK;

/* What a call hands over. */
struct tmpl_kwarg {
	const char *name;
	struct tmpl_value v;
};

struct tmpl_args {
	size_t n;
	const struct tmpl_value *v;
	size_t n_kw;
	const struct tmpl_kwarg *kw;
};

/* Something that can be called; embedded by what knows how. */
struct tmpl_def {
	const char *name;
	int (*call)(struct tmpl_def *d, struct tmpl_run *r,
	    const struct tmpl_args *args, struct tmpl_value *ret);
};

/* Calls it, unless there are too many within each other. */
int tmpl_def_call(struct tmpl_def *d, struct tmpl_run *r,
    const struct tmpl_args *args, struct tmpl_value *ret) CC_MUST_CHECK;
