/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Evaluation: one function for each kind of node.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

typedef int eval_fn(const struct tmpl_ctx *c, const struct tmpl_expr *x,
    struct tmpl_value *ret);

static int
eval_const(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	(void)c;
	*ret = x->value;
	return 0;
}

/* Names */

/* Of a comprehension around: 1 when it is there. */
static int
private_name(const struct tmpl_ctx *c, const struct tmpl_name *name,
    struct tmpl_value *ret)
{
	const struct tmpl_scope *s;
	size_t i;

	for (s = c->scope; s != NULL; s = s->parent) {
		for (i = 0; i < s->comp->n_names; i++) {
			if (s->comp->names[i] != name)
				continue;
			if (!s->set[i])
				return tmpl_raise_unbound(c->r, name->s);
			*ret = s->values[i];
			return 1;
		}
	}
	return 0;
}

/* Names that Mako has, and ours has not. */
static bool
is_mako_name(const char *s)
{
	static const char *const words[] = { "self", "local", "parent", "next",
		"caller", "capture" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], s) == 0)
			return true;
	}
	return false;
}

/* What nobody has assigned. */
static int
unknown_name(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	const char *name = x->name->s;

	if (strcmp(name, "STOP_RENDERING") == 0)
		return tmpl_str_keep(c->r, "", 0, ret);
	if (is_mako_name(name))
		return tmpl_unsupported(c->r, "name '%s'", name);
	if (strcmp(name, "UNDEFINED") != 0 &&
	    (tmpl_function(name) != NULL ||
		tmpl_class_is(
		    tmpl_class_find(name, x->name->len), TMPL_EXCEPTION)))
		return tmpl_raise(c->r, TMPL_UNSUPPORTED,
		    "`%s` is not defined and not a value", name);
	*ret =
	    (struct tmpl_value){ .type = TMPL_UNDEFINED, .u.undef = &x->undef };
	return 0;
}

/* 0, TMPL_MISSING or -1. */
static int
find_name(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	int rc;

	rc = private_name(c, x->name, ret);
	if (rc != 0)
		return rc == 1 ? 0 : -1;
	if (c->env->loop != NULL && strcmp(x->name->s, "loop") == 0) {
		*ret = (struct tmpl_value){ .type = TMPL_LOOP,
			.u.loop = c->env->loop(c->env) };
		return 0;
	}
	return c->env->load(c->env, c->r, x->name, ret);
}

static int
eval_name(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	int rc;

	rc = find_name(c, x, ret);
	return rc == TMPL_MISSING ? unknown_name(c, x, ret) : rc;
}

static int
eval_context(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	(void)ret;
	return tmpl_unsupported(c->r, "name '%s'", x->name->s);
}

/* context["x"], and with a default context.get("x"): template variables. */
static int
variable(const struct tmpl_ctx *c, struct tmpl_value key,
    const struct tmpl_value *other, struct tmpl_value *ret)
{
	int rc = TMPL_MISSING;

	if (key.type == TMPL_STR)
		rc = c->env->variable(c->env, c->r, key.u.str, ret);
	if (rc != TMPL_MISSING)
		return rc;
	if (other == NULL)
		return tmpl_key_error(c->r, key);
	*ret = *other;
	return 0;
}

/* Displays */

static int
eval_list(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_list *l;
	size_t i;

	if (tmpl_list_new(c->r,
		x->kind == TMPL_X_TUPLE ? TMPL_TUPLE : TMPL_LIST, x->n,
		ret) == -1)
		return -1;
	l = ret->u.list;
	for (i = 0; i < x->n; i++) {
		if (tmpl_eval_in(c, x->kids[i], &l->items[i]) == -1)
			return -1;
	}
	l->n = x->n;
	return 0;
}

/* All keys and values come before the dict, as in Python. */
static int
eval_dict(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value list;
	size_t i;

	if (eval_list(c, x, &list) == -1 || tmpl_dict_new(c->r, ret) == -1)
		return -1;
	for (i = 0; i < x->n; i += 2) {
		if (tmpl_dict_set(c->r, ret->u.dict, list.u.list->items[i],
			list.u.list->items[i + 1]) == -1)
			return -1;
	}
	return 0;
}

static int
add_formatted(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct strbuf *out)
{
	struct tmpl_value v, spec;

	if (tmpl_eval_in(c, x->kids[0], &v) == -1 ||
	    tmpl_convert(c->r, v, (char)x->op, &v) == -1)
		return -1;
	if (x->n < 2)
		return tmpl_format(c->r, v, "", 0, out);
	if (tmpl_eval_in(c, x->kids[1], &spec) == -1)
		return -1;
	return tmpl_format(c->r, v, spec.u.str->s, spec.u.str->len, out);
}

static int
eval_format(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;

	tmpl_buf_init(&out);
	if (add_formatted(c, x, &out) == -1)
		return -1;
	return tmpl_str_take(c->r, &out, ret);
}

static int
eval_joined(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct strbuf AUTO_STRBUF out;
	struct tmpl_value part;
	size_t i;

	tmpl_buf_init(&out);
	for (i = 0; i < x->n; i++) {
		if (tmpl_eval_in(c, x->kids[i], &part) == -1 ||
		    tmpl_add_str(c->r, part, &out) == -1)
			return -1;
	}
	return tmpl_str_take(c->r, &out, ret);
}

/* Operators */

static int
eval_unary(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v;

	/* The least int has no positive twin to be read as. */
	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	return tmpl_unary(c->r, (enum tmpl_op)x->op, v, ret);
}

static int
eval_binary(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v, w;
	size_t i;

	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	for (i = 1; i < x->n; i++) {
		if (tmpl_eval_in(c, x->kids[i], &w) == -1 ||
		    tmpl_binary(
			c->r, (enum tmpl_op)x->ops[i], false, v, w, &v) == -1)
			return -1;
	}
	*ret = v;
	return 0;
}

/* a < b < c is (a < b) and (b < c), with b once. */
static int
eval_compare(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v, w;
	bool holds = true;
	size_t i;

	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	for (i = 1; i < x->n && holds; i++) {
		if (tmpl_eval_in(c, x->kids[i], &w) == -1 ||
		    tmpl_compare(c->r, (enum tmpl_op)x->ops[i], v, w, &holds) ==
			-1)
			return -1;
		v = w;
	}
	*ret = tmpl_bool(holds);
	return 0;
}

static int
eval_and_or(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	bool stop = x->kind == TMPL_X_OR;
	size_t i;

	for (i = 0; i < x->n; i++) {
		if (tmpl_eval_in(c, x->kids[i], ret) == -1)
			return -1;
		if (tmpl_truth(*ret) == stop)
			break;
	}
	return 0;
}

static int
eval_not(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v;

	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	*ret = tmpl_bool(!tmpl_truth(v));
	return 0;
}

static int
eval_if(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v;

	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	return tmpl_eval_in(c, x->kids[tmpl_truth(v) ? 1 : 2], ret);
}

/* Parts of values */

static int
eval_index(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v, key;

	if (x->kids[0]->kind == TMPL_X_CONTEXT) {
		if (tmpl_eval_in(c, x->kids[1], &key) == -1)
			return -1;
		return variable(c, key, NULL, ret);
	}
	if (tmpl_eval_in(c, x->kids[0], &v) == -1 ||
	    tmpl_eval_in(c, x->kids[1], &key) == -1)
		return -1;
	return tmpl_index(c->r, v, key, ret);
}

static int
eval_slice(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v, part[3];
	size_t i;

	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	for (i = 0; i < 3; i++) {
		part[i] = tmpl_none();
		if (i + 1 < x->n && x->kids[i + 1] != NULL &&
		    tmpl_eval_in(c, x->kids[i + 1], &part[i]) == -1)
			return -1;
	}
	return tmpl_slice(c->r, v, part, ret);
}

static int
eval_attr(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value v;

	if (x->kids[0]->kind == TMPL_X_CONTEXT)
		return tmpl_unsupported(c->r, "attribute '%s' of '%s'",
		    x->name->s, x->kids[0]->name->s);
	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	if (v.type == TMPL_LOOP)
		return tmpl_loop_attr(c->r, v.u.loop, x->name->s, ret);
	return tmpl_no_attribute(c->r, v, x->name->s);
}

/* Calls */

/* The arguments of a call: kids[1..], the last of which have names. */
static int
eval_args(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_args *ret)
{
	struct tmpl_kwarg *kw;
	struct tmpl_value *v;
	size_t i, n = x->n - 1;

	*ret = (struct tmpl_args){ .n = n - x->n_kw, .n_kw = x->n_kw };
	if (n == 0)
		return 0;
	v = arena_calloc(c->r->a, n, sizeof(*v));
	kw = arena_calloc(c->r->a, x->n_kw + 1, sizeof(*kw));
	if (v == NULL || kw == NULL)
		return tmpl_raise_nomem(c->r);
	for (i = 0; i < n; i++) {
		if (tmpl_eval_in(c, x->kids[i + 1], &v[i]) == -1)
			return -1;
		if (i >= ret->n) {
			kw[i - ret->n].name = x->kw[i - ret->n]->s;
			kw[i - ret->n].v = v[i];
		}
	}
	ret->v = v;
	ret->kw = kw;
	return 0;
}

static int
call_value(const struct tmpl_ctx *c, const struct tmpl_expr *x,
    struct tmpl_value v, struct tmpl_value *ret)
{
	struct tmpl_args args;

	if (v.type != TMPL_DEF)
		return tmpl_raise_of(c->r, v, TMPL_TYPE_ERROR,
		    "'%s' object is not callable", tmpl_type_name(v));
	if (eval_args(c, x, &args) == -1)
		return -1;
	return tmpl_def_call(v.u.def, c->r, &args, ret);
}

static int
call_function(const struct tmpl_ctx *c, const struct tmpl_expr *x,
    const struct tmpl_builtin *f, struct tmpl_value *ret)
{
	struct tmpl_args args;

	if (f->fn == NULL)
		return tmpl_unsupported(c->r, "function '%s'", f->name);
	if (eval_args(c, x, &args) == -1)
		return -1;
	return tmpl_builtin_call(c->r, f, tmpl_none(), &args, ret);
}

static int
eval_call(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	const struct tmpl_expr *callee = x->kids[0];
	const struct tmpl_builtin *f;
	struct tmpl_value v = tmpl_none();
	int rc;

	if (callee->kind != TMPL_X_NAME) {
		if (tmpl_eval_in(c, callee, &v) == -1)
			return -1;
		return call_value(c, x, v, ret);
	}
	rc = find_name(c, callee, &v);
	if (rc == 0)
		return call_value(c, x, v, ret);
	if (rc == -1)
		return -1;
	f = tmpl_function(callee->name->s);
	if (f != NULL)
		return call_function(c, x, f, ret);
	if (tmpl_class_is(tmpl_class_find(callee->name->s, callee->name->len),
		TMPL_EXCEPTION))
		return tmpl_unsupported(c->r, "function '%s'", callee->name->s);
	if (unknown_name(c, callee, &v) == -1)
		return -1;
	return call_value(c, x, v, ret);
}

/* context.get(name, default) */
static int
context_get(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	struct tmpl_value none = tmpl_none();
	struct tmpl_args args;

	if (strcmp(x->name->s, "get") != 0)
		return tmpl_unsupported(c->r, "method '%s' of '%s'", x->name->s,
		    x->kids[0]->name->s);
	if (eval_args(c, x, &args) == -1)
		return -1;
	if (args.n_kw > 0 || args.n < 1 || args.n > 2)
		return tmpl_raise(c->r, TMPL_TYPE_ERROR,
		    "get expected 1 or 2 arguments, got %zu",
		    args.n + args.n_kw);
	return variable(c, args.v[0], args.n > 1 ? &args.v[1] : &none, ret);
}

static int
eval_method(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	const struct tmpl_builtin *f;
	struct tmpl_args args;
	struct tmpl_value v;

	if (x->kids[0]->kind == TMPL_X_CONTEXT)
		return context_get(c, x, ret);
	if (tmpl_eval_in(c, x->kids[0], &v) == -1)
		return -1;
	/* Python looks for the method before it evaluates arguments. */
	if (tmpl_method(c->r, v, x->name->s, &f) == -1 ||
	    eval_args(c, x, &args) == -1)
		return -1;
	return tmpl_builtin_call(c->r, f, v, &args, ret);
}

static eval_fn *const evals[] = {
	[TMPL_X_CONST] = eval_const,
	[TMPL_X_NAME] = eval_name,
	[TMPL_X_CONTEXT] = eval_context,
	[TMPL_X_LIST] = eval_list,
	[TMPL_X_TUPLE] = eval_list,
	[TMPL_X_DICT] = eval_dict,
	[TMPL_X_JOINED] = eval_joined,
	[TMPL_X_FORMAT] = eval_format,
	[TMPL_X_UNARY] = eval_unary,
	[TMPL_X_BINARY] = eval_binary,
	[TMPL_X_COMPARE] = eval_compare,
	[TMPL_X_AND] = eval_and_or,
	[TMPL_X_OR] = eval_and_or,
	[TMPL_X_NOT] = eval_not,
	[TMPL_X_IF] = eval_if,
	[TMPL_X_INDEX] = eval_index,
	[TMPL_X_SLICE] = eval_slice,
	[TMPL_X_ATTR] = eval_attr,
	[TMPL_X_CALL] = eval_call,
	[TMPL_X_METHOD] = eval_method,
	[TMPL_X_LIST_COMP] = tmpl_eval_comp,
	[TMPL_X_DICT_COMP] = tmpl_eval_comp,
	[TMPL_X_GENERATOR] = tmpl_eval_comp,
};

int
tmpl_eval_in(
    const struct tmpl_ctx *c, const struct tmpl_expr *x, struct tmpl_value *ret)
{
	int rc;

	if (tmpl_charge(c->r, TMPL_STEP) == -1 || tmpl_enter(c->r) == -1)
		return tmpl_raise_at(c->r, x->pos);
	rc = evals[x->kind](c, x, ret);
	tmpl_leave(c->r);
	return rc == -1 ? tmpl_raise_at(c->r, x->pos) : 0;
}

int
tmpl_eval(struct tmpl_run *r, struct tmpl_env *env, const struct tmpl_expr *x,
    struct tmpl_value *ret)
{
	const struct tmpl_ctx c = { r, env, NULL };

	return tmpl_eval_in(&c, x, ret);
}
