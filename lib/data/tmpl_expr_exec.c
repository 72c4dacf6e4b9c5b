/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Running statements, assigning to targets, binding parameters.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

/* Taking values apart */

/* A tuple of exactly n items that v gives. */
static int
unpack(
    struct tmpl_run *r, struct tmpl_value v, size_t n, struct tmpl_value *ret)
{
	struct tmpl_value item;
	struct tmpl_iter *it;
	int rc;

	if (v.type != TMPL_UNDEFINED &&
	    (v.type <= TMPL_FLOAT || v.type == TMPL_LOOP ||
		v.type == TMPL_DEF || v.type == TMPL_EXC))
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "cannot unpack non-iterable %s object", tmpl_type_name(v));
	if (v.type == TMPL_UNDEFINED)
		return tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
		    "cannot unpack non-iterable Undefined object");
	if (tmpl_iter(r, v, &it) == -1 ||
	    tmpl_list_new(r, TMPL_TUPLE, n, ret) == -1)
		return -1;
	while ((rc = tmpl_iter_next(r, it, &item)) == 1) {
		if (ret->u.list->n == n)
			return tmpl_raise(r, TMPL_VALUE_ERROR,
			    "too many values to unpack (expected %zu)", n);
		if (tmpl_list_add(r, ret->u.list, item) == -1)
			return -1;
	}
	if (rc == 0 && ret->u.list->n < n)
		return tmpl_raise(r, TMPL_VALUE_ERROR,
		    "not enough values to unpack (expected %zu, got %zu)", n,
		    ret->u.list->n);
	return rc;
}

/* Within a comprehension only its own names are assigned. */
static int
assign_name(
    const struct tmpl_ctx *c, const struct tmpl_name *name, struct tmpl_value v)
{
	struct tmpl_scope *s = c->scope;
	size_t i;

	if (s == NULL)
		return c->env->store(c->env, c->r, name, v);
	for (i = 0; s->comp->names[i] != name; i++)
		continue;
	s->values[i] = v;
	s->set[i] = true;
	return 0;
}

static int
assign_index(
    const struct tmpl_ctx *c, const struct tmpl_target *t, struct tmpl_value v)
{
	struct tmpl_value object, key;

	if (tmpl_eval_in(c, t->object, &object) == -1 ||
	    tmpl_eval_in(c, t->key, &key) == -1)
		return -1;
	return tmpl_set_index(c->r, object, key, v);
}

static int
assign(
    const struct tmpl_ctx *c, const struct tmpl_target *t, struct tmpl_value v)
{
	struct tmpl_value items;
	size_t i;

	if (t->kind == TMPL_TO_NAME)
		return assign_name(c, t->name, v);
	if (t->kind == TMPL_TO_INDEX)
		return assign_index(c, t, v);
	if (unpack(c->r, v, t->n, &items) == -1)
		return -1;
	for (i = 0; i < t->n; i++) {
		if (tmpl_assign_in(c, t->items[i], items.u.list->items[i]) ==
		    -1)
			return -1;
	}
	return 0;
}

int
tmpl_assign_in(
    const struct tmpl_ctx *c, const struct tmpl_target *t, struct tmpl_value v)
{
	if (assign(c, t, v) == -1)
		return tmpl_raise_at(c->r, t->pos);
	return 0;
}

int
tmpl_assign(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_target *t, struct tmpl_value v)
{
	const struct tmpl_ctx c = { r, env, NULL };

	return tmpl_assign_in(&c, t, v);
}

/* Statements.  Each gives an enum tmpl_flow or -1. */

struct exec {
	struct tmpl_ctx c;
	/* What a return gives. */
	struct tmpl_value *ret;
};

static int run(const struct exec *x, const struct tmpl_stmt *s);

static int
run_expr(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_value v;

	return tmpl_eval_in(&x->c, s->expr, &v) == -1 ? -1 : TMPL_NEXT;
}

static int
run_assign(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_value v;
	size_t i;

	if (tmpl_eval_in(&x->c, s->expr, &v) == -1)
		return -1;
	for (i = 0; i < s->n; i++) {
		if (tmpl_assign_in(&x->c, s->targets[i], v) == -1)
			return -1;
	}
	return TMPL_NEXT;
}

static int
augment_name(const struct exec *x, const struct tmpl_stmt *s)
{
	const struct tmpl_name *name = s->targets[0]->name;
	const struct tmpl_ctx *c = &x->c;
	struct tmpl_value v, w;
	int rc;

	rc = c->env->load(c->env, c->r, name, &v);
	if (rc == TMPL_MISSING)
		rc = tmpl_raise_unbound(c->r, name->s);
	if (rc == -1 || tmpl_eval_in(c, s->expr, &w) == -1 ||
	    tmpl_binary(c->r, (enum tmpl_op)s->op, true, v, w, &v) == -1)
		return -1;
	return c->env->store(c->env, c->r, name, v);
}

static int
augment_index(const struct exec *x, const struct tmpl_stmt *s)
{
	const struct tmpl_target *t = s->targets[0];
	const struct tmpl_ctx *c = &x->c;
	struct tmpl_value object, key, v, w;

	if (tmpl_eval_in(c, t->object, &object) == -1 ||
	    tmpl_eval_in(c, t->key, &key) == -1 ||
	    tmpl_index(c->r, object, key, &v) == -1 ||
	    tmpl_eval_in(c, s->expr, &w) == -1 ||
	    tmpl_binary(c->r, (enum tmpl_op)s->op, true, v, w, &v) == -1)
		return -1;
	return tmpl_set_index(c->r, object, key, v);
}

static int
run_augment(const struct exec *x, const struct tmpl_stmt *s)
{
	int rc;

	rc = s->targets[0]->kind == TMPL_TO_NAME ? augment_name(x, s)
						 : augment_index(x, s);
	return rc == -1 ? tmpl_raise_at(x->c.r, s->targets[0]->pos) : TMPL_NEXT;
}

static int
run_if(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_value v;

	/* Along a chain of elifs, which may be long. */
	for (;;) {
		if (tmpl_eval_in(&x->c, s->expr, &v) == -1)
			return -1;
		if (tmpl_truth(v))
			return run(x, s->body);
		if (s->other == NULL || s->other->kind != TMPL_S_IF ||
		    s->other->next != NULL)
			return run(x, s->other);
		s = s->other;
	}
}

/* One turn of a loop: TMPL_NEXT to go on. */
static int
run_body(const struct exec *x, const struct tmpl_stmt *s)
{
	int rc;

	if (tmpl_tick(x->c.r) == -1)
		return tmpl_raise_at(x->c.r, s->pos);
	rc = run(x, s->body);
	return rc == TMPL_CONTINUE ? TMPL_NEXT : rc;
}

static int
run_while(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_value v;
	int rc;

	for (;;) {
		if (tmpl_eval_in(&x->c, s->expr, &v) == -1)
			return -1;
		if (!tmpl_truth(v))
			return run(x, s->other);
		rc = run_body(x, s);
		if (rc != TMPL_NEXT)
			return rc == TMPL_BREAK ? TMPL_NEXT : rc;
	}
}

static int
run_for(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_run *r = x->c.r;
	struct tmpl_iter *it;
	struct tmpl_value v;
	int rc;

	if (tmpl_eval_in(&x->c, s->expr, &v) == -1)
		return -1;
	if (tmpl_iter(r, v, &it) == -1)
		return tmpl_raise_at(r, s->expr->pos);
	while ((rc = tmpl_iter_next(r, it, &v)) == 1) {
		if (tmpl_assign_in(&x->c, s->targets[0], v) == -1)
			return -1;
		rc = run_body(x, s);
		if (rc != TMPL_NEXT)
			return rc == TMPL_BREAK ? TMPL_NEXT : rc;
	}
	return rc == -1 ? tmpl_raise_at(r, s->expr->pos) : run(x, s->other);
}

static int
run_break(const struct exec *x, const struct tmpl_stmt *s)
{
	(void)x;
	(void)s;
	return TMPL_BREAK;
}

static int
run_continue(const struct exec *x, const struct tmpl_stmt *s)
{
	(void)x;
	(void)s;
	return TMPL_CONTINUE;
}

static int
run_pass(const struct exec *x, const struct tmpl_stmt *s)
{
	(void)x;
	(void)s;
	return TMPL_NEXT;
}

static int
run_return(const struct exec *x, const struct tmpl_stmt *s)
{
	*x->ret = tmpl_none();
	if (s->expr != NULL && tmpl_eval_in(&x->c, s->expr, x->ret) == -1)
		return -1;
	return TMPL_RETURN;
}

/* Raises what text v is, at the statement; that of a KeyError is a repr(). */
static int
raise_text(const struct exec *x, const struct tmpl_stmt *s,
    enum tmpl_class class, struct tmpl_value v)
{
	struct strbuf AUTO_STRBUF text;
	struct tmpl_run *r = x->c.r;
	bool is_text = class != TMPL_KEY_ERROR &&
	    (v.type == TMPL_STR || v.type == TMPL_EXC);

	tmpl_buf_init(&text);
	if (v.type == TMPL_UNDEFINED)
		(void)tmpl_raise_of(r, v, class, "Undefined");
	else if ((is_text ? tmpl_add_str(r, v, &text)
			  : tmpl_repr_for_fault(r, v, &text)) == 0)
		(void)tmpl_raise(r, class, "%s", text.buf);
	return tmpl_raise_at(r, s->pos);
}

static int
run_raise(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_run *r = x->c.r;
	struct tmpl_value args;

	if (tmpl_eval_in(&x->c, s->second, &args) == -1)
		return -1;
	if (args.u.list->n == 0) {
		(void)tmpl_raise(r, s->class, "%s", "");
		return tmpl_raise_at(r, s->pos);
	}
	/* Several are a tuple. */
	if (args.u.list->n == 1)
		args = args.u.list->items[0];
	return raise_text(x, s, s->class, args);
}

static int
run_assert(const struct exec *x, const struct tmpl_stmt *s)
{
	struct tmpl_run *r = x->c.r;
	struct tmpl_value v;

	if (tmpl_eval_in(&x->c, s->expr, &v) == -1)
		return -1;
	if (tmpl_truth(v))
		return TMPL_NEXT;
	if (s->second == NULL) {
		(void)tmpl_raise(r, TMPL_ASSERTION_ERROR, "%s", "");
		return tmpl_raise_at(r, s->pos);
	}
	if (tmpl_eval_in(&x->c, s->second, &v) == -1)
		return -1;
	return raise_text(x, s, TMPL_ASSERTION_ERROR, v);
}

static int (*const runs[])(const struct exec *, const struct tmpl_stmt *) = {
	[TMPL_S_EXPR] = run_expr,
	[TMPL_S_ASSIGN] = run_assign,
	[TMPL_S_AUGMENT] = run_augment,
	[TMPL_S_IF] = run_if,
	[TMPL_S_FOR] = run_for,
	[TMPL_S_WHILE] = run_while,
	[TMPL_S_BREAK] = run_break,
	[TMPL_S_CONTINUE] = run_continue,
	[TMPL_S_PASS] = run_pass,
	[TMPL_S_RETURN] = run_return,
	[TMPL_S_RAISE] = run_raise,
	[TMPL_S_ASSERT] = run_assert,
};

static int
run(const struct exec *x, const struct tmpl_stmt *s)
{
	int rc = TMPL_NEXT;

	for (; s != NULL && rc == TMPL_NEXT; s = s->next)
		rc = runs[s->kind](x, s);
	return rc;
}

int
tmpl_exec(struct tmpl_run *r, struct tmpl_env *env, const struct tmpl_block *b,
    struct tmpl_value *ret)
{
	const struct exec x = { { r, env, NULL }, ret };

	return run(&x, b->first);
}

/* Parameters */

static int
bind_keyword(struct tmpl_run *r, const struct tmpl_params *p, const char *fn,
    const struct tmpl_kwarg *kw, struct tmpl_value *ret)
{
	size_t i;

	for (i = 0; i < p->n; i++) {
		if (strcmp(p->names[i]->s, kw->name) != 0)
			continue;
		if (ret[i].type != TMPL_ABSENT)
			return tmpl_raise(r, TMPL_TYPE_ERROR,
			    "%s() got multiple values for argument '%s'", fn,
			    kw->name);
		ret[i] = kw->v;
		return 0;
	}
	return tmpl_raise(r, TMPL_TYPE_ERROR,
	    "%s() got an unexpected keyword argument '%s'", fn, kw->name);
}

static size_t
required(const struct tmpl_params *p)
{
	size_t n = 0;

	while (n < p->n && p->defaults[n] == NULL)
		n++;
	return n;
}

static int
too_many(
    struct tmpl_run *r, const struct tmpl_params *p, const char *fn, size_t n)
{
	size_t least = required(p);

	if (least < p->n)
		return tmpl_raise(r, TMPL_TYPE_ERROR,
		    "%s() takes from %zu to %zu positional arguments but %zu "
		    "%s given",
		    fn, least, p->n, n, n == 1 ? "was" : "were");
	return tmpl_raise(r, TMPL_TYPE_ERROR,
	    "%s() takes %zu positional argument%s but %zu %s given", fn, p->n,
	    p->n == 1 ? "" : "s", n, n == 1 ? "was" : "were");
}

/* "missing 2 required positional arguments: 'a' and 'b'" */
static int
missing(struct tmpl_run *r, const struct tmpl_params *p, const char *fn,
    const struct tmpl_value *v)
{
	struct strbuf AUTO_STRBUF names;
	size_t i, n = 0, k = 0;

	tmpl_buf_init(&names);
	for (i = 0; i < p->n; i++)
		n += v[i].type == TMPL_ABSENT && p->defaults[i] == NULL;
	if (n == 0)
		return 0;
	for (i = 0; i < p->n; i++) {
		if (v[i].type != TMPL_ABSENT || p->defaults[i] != NULL)
			continue;
		if (k > 0)
			strbuf_adds(&names,
			    k + 1 < n   ? ", "
				: n > 2 ? ", and "
					: " and ");
		strbuf_addf(&names, "'%s'", p->names[i]->s);
		k++;
	}
	return tmpl_raise(r, TMPL_TYPE_ERROR,
	    "%s() missing %zu required positional argument%s: %s", fn, n,
	    n == 1 ? "" : "s", names.buf);
}

int
tmpl_bind(struct tmpl_run *r, struct tmpl_env *env, const struct tmpl_params *p,
    const char *fn, const struct tmpl_args *args, struct tmpl_value *ret)
{
	size_t i;

	if (args->n > p->n)
		return too_many(r, p, fn, args->n);
	for (i = 0; i < p->n; i++) {
		ret[i].type = TMPL_ABSENT;
		if (i < args->n)
			ret[i] = args->v[i];
	}
	for (i = 0; i < args->n_kw; i++) {
		if (bind_keyword(r, p, fn, &args->kw[i], ret) == -1)
			return -1;
	}
	if (missing(r, p, fn, ret) == -1)
		return -1;
	for (i = 0; i < p->n; i++) {
		if (ret[i].type == TMPL_ABSENT &&
		    tmpl_eval(r, env, p->defaults[i], &ret[i]) == -1)
			return -1;
	}
	return 0;
}
