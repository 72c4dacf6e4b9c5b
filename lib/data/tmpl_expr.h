/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The expression language of templates: a subset of Python's expressions and
 * statements (spec yaml-and-templates.md 4.4, 5).  Pieces of a template are
 * compiled once, with the place where they stand, and run in an environment
 * that knows the names.
 *
 * What is compiled lives in the compiler's arena and does not change any more;
 * it may be run by several renderings.
 */
#pragma once

#include "lib/data/tmpl_value.h"

/*
 * Where pieces end.  These follow Mako: strings and comments are skipped, a
 * quote that is never closed is text.
 */

#define TMPL_NO_END SIZE_MAX

/* The first of the characters in stops outside of brackets ("|}" for the
 * expression of ${, "}" for its filters, ":" for a control line), or
 * TMPL_NO_END. */
size_t tmpl_scan_end(const char *s, size_t len, const char *stops);
/* The "%>" that ends a code block, brackets or not. */
size_t tmpl_scan_block_end(const char *s, size_t len);

/* A name, once per compiler: equal names are the same pointer. */
struct tmpl_name {
	const char *s;
	size_t len;
	/* From 0, without gaps. */
	unsigned id;
};

struct tmpl_compiler;
struct tmpl_expr;
struct tmpl_target;
struct tmpl_block;

/* NULL when the arena is full. */
struct tmpl_compiler *tmpl_compiler_new(struct arena *a);
/* NULL when the arena is full. */
const struct tmpl_name *tmpl_name(
    struct tmpl_compiler *c, const char *s, size_t len);
/* How many names there are by now: ids are below. */
size_t tmpl_name_count(const struct tmpl_compiler *c);

/*
 * The compiling functions: text[0..len) stands at pos in the template.  -1 with
 * f set (class SyntaxException, UnsupportedTemplate, NameConflictError, ...).
 */

/* The E of ${E}; NULL in *ret when there is none. */
int tmpl_compile_output(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_expr **ret, struct tmpl_fault *f);
/* Any one expression: of "if E:", of the default of a parameter. */
int tmpl_compile_expr(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_expr **ret, struct tmpl_fault *f);

/* "T in E", what is between "for" and the colon. */
struct tmpl_for {
	struct tmpl_target *target;
	struct tmpl_expr *expr;
};
int tmpl_compile_for(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_for *ret, struct tmpl_fault *f);

/* "[Class [as n]]", what is between "except" and the colon. */
struct tmpl_except {
	/* TMPL_CLASS_NONE takes all. */
	enum tmpl_class class;
	/* Or NULL. */
	const struct tmpl_name *name;
};
int tmpl_compile_except(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_except *ret, struct tmpl_fault *f);

/* The statements between "<%" and "%>".  NULL in *ret when there are none. */
int tmpl_compile_block(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_block **ret, struct tmpl_fault *f);
/* Whether a break or continue is for a loop around the block. */
bool tmpl_block_breaks(const struct tmpl_block *b);
/* Whether there is nothing but assignments of constant expressions, as in
 * "<%! %>". */
bool tmpl_block_is_constant(const struct tmpl_block *b);

/* "f(a, b='z')" or, with no name wanted, "a, b='z'": a def's name and
 * parameters, a page's args. */
struct tmpl_params {
	/* NULL when none was wanted. */
	const struct tmpl_name *name;
	size_t n;
	const struct tmpl_name **names;
	/* NULL for those that have none. */
	struct tmpl_expr **defaults;
};
int tmpl_compile_params(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, bool named, struct tmpl_params *ret,
    struct tmpl_fault *f);

/* "a=1, b=x": an include's args. */
struct tmpl_call {
	size_t n;
	const struct tmpl_name **names;
	struct tmpl_expr **exprs;
};
int tmpl_compile_call(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_call *ret, struct tmpl_fault *f);

/* The names that a piece assigns: calls fn for each, maybe repeatedly. */
typedef void tmpl_name_fn(const struct tmpl_name *name, void *ctx);
void tmpl_target_names(
    const struct tmpl_target *t, tmpl_name_fn *fn, void *ctx);
void tmpl_block_names(const struct tmpl_block *b, tmpl_name_fn *fn, void *ctx);
/* The names that an expression may read, private ones of comprehensions left
 * out; and those of a block. */
void tmpl_expr_reads(const struct tmpl_expr *x, tmpl_name_fn *fn, void *ctx);
void tmpl_block_reads(const struct tmpl_block *b, tmpl_name_fn *fn, void *ctx);

/*
 * What pieces run in.  It has to live as long as the rendering: generators
 * come back to it.
 */
#define TMPL_MISSING 1

struct tmpl_env {
	/* Names assigned in the template (one that is not yet: raise
	 * tmpl_raise_unbound()), then template variables, then defs.  0,
	 * TMPL_MISSING or -1.  Functions come after it. */
	int (*load)(struct tmpl_env *env, struct tmpl_run *r,
	    const struct tmpl_name *name, struct tmpl_value *ret);
	int (*store)(struct tmpl_env *env, struct tmpl_run *r,
	    const struct tmpl_name *name, struct tmpl_value v);
	/* A template variable, for context["x"]: 0, TMPL_MISSING or -1. */
	int (*variable)(struct tmpl_env *env, struct tmpl_run *r,
	    const struct tmpl_str *name, struct tmpl_value *ret);
	/* What `loop` is now, NULL outside of loops.  Itself NULL when `loop`
	 * is a name as others. */
	struct tmpl_loop *(*loop)(struct tmpl_env *env);
};

int tmpl_eval(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_expr *x, struct tmpl_value *ret) CC_MUST_CHECK;
/* Assigns to a target, taking v apart. */
int tmpl_assign(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_target *t, struct tmpl_value v) CC_MUST_CHECK;

enum tmpl_flow {
	TMPL_NEXT,
	TMPL_BREAK,
	TMPL_CONTINUE,
	/* The rest of the template, or of the def, is skipped; *ret is the
	 * value.  STOP_RENDERING is "". */
	TMPL_RETURN,
};

/* An enum tmpl_flow, or -1. */
int tmpl_exec(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_block *b, struct tmpl_value *ret) CC_MUST_CHECK;

/* Gives each parameter its value as Python would; ret has room for p->n.
 * fn is the name for faults. */
int tmpl_bind(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_params *p, const char *fn, const struct tmpl_args *args,
    struct tmpl_value *ret) CC_MUST_CHECK;
