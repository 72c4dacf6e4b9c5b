/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Names of a template at run time, as Mako makes Python find them: those of the
 * function, then of what a block stands in, of <%! %>, defs, variables.  So a
 * name that is assigned anywhere in a body hides the variable all over it.
 */
#include <string.h>

#include "lib/data/tmpl_internal.h"

struct def_value {
	struct tmpl_def def;
	struct tmpl_frame *frame;
	const struct tmpl_func *f;
};

static int
call_def(struct tmpl_def *d, struct tmpl_run *r, const struct tmpl_args *args,
    struct tmpl_value *ret)
{
	struct def_value *v = container_of(d, struct def_value, def);

	(void)r;
	return tmpl_exec_func(v->frame, v->f, args, ret);
}

static int
load_def(
    struct tmpl_frame *fr, const struct tmpl_name *name, struct tmpl_value *ret)
{
	const struct tmpl_unit *u = fr->unit;
	struct def_value *v;

	if (fr->defs == NULL)
		fr->defs =
		    arena_calloc(fr->g->a, u->defs_n, sizeof(const void *));
	if (fr->defs == NULL)
		return tmpl_raise_nomem(&fr->g->run);
	if (fr->defs[name->id] == NULL) {
		v = arena_alloc(fr->g->a, sizeof(*v));
		if (v == NULL)
			return tmpl_raise_nomem(&fr->g->run);
		v->def.name = name->s;
		v->def.call = call_def;
		v->frame = fr;
		v->f = u->defs[name->id];
		fr->defs[name->id] = &v->def;
	}
	ret->type = TMPL_DEF;
	ret->u.def = fr->defs[name->id];
	return 0;
}

int
tmpl_context_find(struct tmpl_engine *g, const struct tmpl_context *ctx,
    const char *name, size_t len, struct tmpl_value *ret)
{
	size_t lo = 0, hi = g->in->vars_n;

	for (; ctx != NULL; ctx = ctx->base)
		for (size_t i = 0; i < ctx->names->n; i++)
			if (ctx->slots[i].is_bound &&
			    ctx->names->items[i]->len == len &&
			    memcmp(ctx->names->items[i]->s, name, len) == 0) {
				*ret = ctx->slots[i].v;
				return 0;
			}
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int cmp = strcmp(g->vars[mid]->name, name);

		if (cmp == 0 && strlen(name) != len)
			break;
		if (cmp == 0)
			return tmpl_str_keep(&g->run, g->vars[mid]->value,
			    strlen(g->vars[mid]->value), ret);
		if (cmp < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return TMPL_MISSING;
}

/* Defaults of parameters cannot read variables.  What Mako writes with is
 * "str", so that a variable of that name is in its way. */
static int
load_variable(struct tmpl_frame *fr, struct tmpl_run *r,
    const struct tmpl_name *name, struct tmpl_value *ret)
{
	int rc = tmpl_context_find(fr->g, fr->ctx, name->s, name->len, ret);

	if (rc == 0 && fr->f == NULL)
		return tmpl_raise(
		    r, TMPL_NAME_ERROR, "name '%s' is not defined", name->s);
	if (rc == 0 && strcmp(name->s, "str") == 0)
		return tmpl_unsupported(r, "a variable 'str'");
	return rc;
}

static int
load(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value *ret)
{
	struct tmpl_frame *me = container_of(env, struct tmpl_frame, env);
	const struct tmpl_unit *u = me->unit;
	size_t i;

	for (struct tmpl_frame *fr = me; fr != NULL; fr = fr->outer) {
		i = fr->f != NULL ? tmpl_names_find(&fr->f->locals, name)
				  : SIZE_MAX;
		if (i == SIZE_MAX)
			continue;
		if (!fr->slots[i].is_bound)
			return tmpl_raise_unbound(r, name->s);
		*ret = fr->slots[i].v;
		return 0;
	}
	i = tmpl_names_find(&u->tree.module_names, name);
	if (i != SIZE_MAX && u->module[i].is_bound) {
		*ret = u->module[i].v;
		return 0;
	}
	if (me->f != NULL && name->id < u->defs_n && u->defs[name->id] != NULL)
		return load_def(me, name, ret);
	return load_variable(me, r, name, ret);
}

static int
store(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value v)
{
	(void)r;
	tmpl_frame_bind(container_of(env, struct tmpl_frame, env), name, v);
	return 0;
}

static int
variable(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_str *name,
    struct tmpl_value *ret)
{
	struct tmpl_frame *fr = container_of(env, struct tmpl_frame, env);

	(void)r;
	return tmpl_context_find(fr->g, fr->ctx, name->s, name->len, ret);
}

static struct tmpl_loop *
loop(struct tmpl_env *env)
{
	return container_of(env, struct tmpl_frame, env)->loop;
}

struct tmpl_frame *
tmpl_frame_new(struct tmpl_engine *g, const struct tmpl_unit *unit,
    const struct tmpl_func *f, const struct tmpl_context *ctx)
{
	struct tmpl_frame *fr = arena_alloc(g->a, sizeof(*fr));

	if (fr != NULL && f != NULL)
		fr->slots =
		    arena_calloc(g->a, f->locals.n + 1, sizeof(*fr->slots));
	if (fr == NULL || (f != NULL && fr->slots == NULL)) {
		(void)tmpl_raise_nomem(&g->run);
		return NULL;
	}
	fr->env = (struct tmpl_env){
		.load = load, .store = store, .variable = variable, .loop = loop
	};
	fr->g = g;
	fr->unit = unit;
	fr->f = f;
	fr->ctx = ctx;
	return fr;
}

int
tmpl_frame_make_body(struct tmpl_frame *fr)
{
	fr->shown =
	    arena_calloc(fr->g->a, fr->f->locals.n + 1, sizeof(*fr->shown));
	fr->body = fr;
	return fr->shown != NULL ? 0 : tmpl_raise_nomem(&fr->g->run);
}

/* Where a name of the frame is kept. */
static struct tmpl_slot *
slot(struct tmpl_frame *fr, const struct tmpl_name *name)
{
	const struct tmpl_names *names =
	    fr->f != NULL ? &fr->f->locals : &fr->unit->tree.module_names;
	size_t i = tmpl_names_find(names, name);

	if (i == SIZE_MAX)
		return NULL;
	return fr->f != NULL ? &fr->slots[i] : &fr->unit->module[i];
}

void
tmpl_frame_bind(
    struct tmpl_frame *fr, const struct tmpl_name *name, struct tmpl_value v)
{
	struct tmpl_slot *s = slot(fr, name);

	if (s != NULL)
		*s = (struct tmpl_slot){ .v = v, .is_bound = true };
}

void
tmpl_frame_unbind(struct tmpl_frame *fr, const struct tmpl_name *name)
{
	struct tmpl_slot *s = slot(fr, name);

	if (s != NULL)
		s->is_bound = false;
}

void
tmpl_frame_show(struct tmpl_frame *fr, const struct tmpl_names *names)
{
	for (size_t i = 0; fr->body != NULL && i < names->n; i++) {
		const struct tmpl_slot *s = slot(fr, names->items[i]);
		size_t to =
		    tmpl_names_find(&fr->body->f->locals, names->items[i]);

		if (s == NULL || !s->is_bound || to == SIZE_MAX)
			continue;
		fr->body->shown[to] = *s;
		fr->body->snapshot = NULL;
	}
}

const struct tmpl_context *
tmpl_frame_context(struct tmpl_frame *fr)
{
	struct tmpl_frame *body = fr->body;
	struct tmpl_context *ctx;
	struct tmpl_slot *slots;
	size_t n;

	if (body == NULL)
		return fr->ctx;
	if (body->snapshot != NULL)
		return body->snapshot;
	n = body->f->locals.n;
	ctx = arena_alloc(fr->g->a, sizeof(*ctx));
	slots = arena_calloc(fr->g->a, n + 1, sizeof(*slots));
	if (ctx == NULL || slots == NULL) {
		(void)tmpl_raise_nomem(&fr->g->run);
		return NULL;
	}
	memcpy(slots, body->shown, n * sizeof(*slots));
	ctx->base = body->ctx;
	ctx->names = &body->f->locals;
	ctx->slots = slots;
	body->snapshot = ctx;
	return ctx;
}
