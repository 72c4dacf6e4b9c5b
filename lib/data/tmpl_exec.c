/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Walks the tree.  Each step gives an enum tmpl_flow, or -1 with the fault in
 * the run; `*ret` is the value of a return.
 */
#include "lib/data/tmpl_internal.h"

#include <string.h>

/* Nodes within nodes, through all calls and includes: bounds the stack. */
#define DEPTH_MAX 1000

static int exec_nodes(struct tmpl_frame *fr, const struct tmpl_nodes *nodes,
    struct tmpl_value *ret);

static int
exec_text(struct tmpl_frame *fr, const struct tmpl_node *n)
{
	return tmpl_write(
		   fr->g, n->u.text.s, n->u.text.len, fr->unit->uri == NULL) < 0
	    ? -1
	    : TMPL_NEXT;
}

static int
exec_output(struct tmpl_frame *fr, const struct tmpl_node *n)
{
	static const struct tmpl_filters none;
	struct tmpl_run *r = &fr->g->run;
	const struct tmpl_filters *page = &fr->unit->tree.page_filters;
	bool is_safe = false;
	struct tmpl_value v;

	if (n->u.expr == NULL)
		return TMPL_NEXT;
	if (tmpl_eval(r, &fr->env, n->u.expr, &v) < 0)
		return -1;
	if (n->filters.is_raw)
		page = &none;
	else if (!page->is_raw && v.type != TMPL_STR) {
		if (tmpl_to_str(r, v, &v.u.str) < 0)
			return tmpl_raise_at(r, n->pos);
		v.type = TMPL_STR;
	}
	if (tmpl_filters_apply(r, &fr->env, page, &is_safe, &v) < 0 ||
	    tmpl_filters_apply(r, &fr->env, &n->filters, &is_safe, &v) < 0 ||
	    tmpl_write_value(fr->g, v, n->pos) < 0)
		return tmpl_raise_at(r, n->pos);
	return TMPL_NEXT;
}

static int
exec_filtered(struct tmpl_frame *fr, const struct tmpl_node *n)
{
	struct tmpl_run *r = &fr->g->run;
	bool is_safe = false;
	struct tmpl_value v;

	if (tmpl_str(r, n->u.text.s, n->u.text.len, &v) < 0 ||
	    tmpl_filters_apply(r, &fr->env, &n->filters, &is_safe, &v) < 0 ||
	    tmpl_write_value(fr->g, v, n->pos) < 0)
		return tmpl_raise_at(r, n->pos);
	return TMPL_NEXT;
}

/* Control lines */

static int
exec_if(
    struct tmpl_frame *fr, const struct tmpl_clause *c, struct tmpl_value *ret)
{
	struct tmpl_value v;

	for (; c != NULL; c = c->next) {
		if (c->expr != NULL) {
			if (tmpl_eval(&fr->g->run, &fr->env, c->expr, &v) < 0)
				return -1;
			if (!tmpl_truth(v))
				continue;
		}
		return exec_nodes(fr, &c->body, ret);
	}
	return TMPL_NEXT;
}

static int
exec_while(
    struct tmpl_frame *fr, const struct tmpl_clause *c, struct tmpl_value *ret)
{
	struct tmpl_run *r = &fr->g->run;
	struct tmpl_value v;
	int flow;

	for (;;) {
		if (tmpl_eval(r, &fr->env, c->expr, &v) < 0)
			return -1;
		if (!tmpl_truth(v))
			return TMPL_NEXT;
		if (tmpl_tick(r) < 0)
			return tmpl_raise_at(r, c->pos);
		flow = exec_nodes(fr, &c->body, ret);
		if (flow == TMPL_BREAK)
			return TMPL_NEXT;
		if (flow == TMPL_RETURN || flow < 0)
			return flow;
	}
}

/* The rounds of a for: TMPL_NEXT when all were done, TMPL_BREAK. */
static int
exec_rounds(struct tmpl_frame *fr, const struct tmpl_clause *c,
    struct tmpl_loop *l, struct tmpl_value *ret)
{
	struct tmpl_run *r = &fr->g->run;
	struct tmpl_value item;
	int rc, flow;

	while ((rc = tmpl_loop_next(r, l, &item)) > 0) {
		if (tmpl_assign(r, &fr->env, c->loop.target, item) < 0)
			return tmpl_raise_at(r, c->pos);
		flow = exec_nodes(fr, &c->body, ret);
		if (flow == TMPL_BREAK || flow == TMPL_RETURN || flow < 0)
			return flow;
	}
	return rc < 0 ? tmpl_raise_at(r, c->pos) : TMPL_NEXT;
}

static int
exec_for(
    struct tmpl_frame *fr, const struct tmpl_clause *c, struct tmpl_value *ret)
{
	struct tmpl_run *r = &fr->g->run;
	struct tmpl_loop *around = fr->loop, *l;
	struct tmpl_value v;
	int flow;

	if (tmpl_eval(r, &fr->env, c->loop.expr, &v) < 0)
		return -1;
	if (tmpl_loop_new(r, v, around, &l) < 0)
		return tmpl_raise_at(r, c->pos);
	if (c->has_loop)
		fr->loop = l;
	flow = exec_rounds(fr, c, l, ret);
	if (flow == TMPL_NEXT && c->next != NULL)
		flow = exec_nodes(fr, &c->next->body, ret);
	else if (flow == TMPL_BREAK)
		flow = TMPL_NEXT;
	fr->loop = around;
	return flow;
}

static int
exec_except(
    struct tmpl_frame *fr, const struct tmpl_clause *c, struct tmpl_value *ret)
{
	struct tmpl_value v = tmpl_catch(&fr->g->run);
	int flow;

	fr->g->where = NULL;
	if (c->except.name != NULL)
		tmpl_frame_bind(fr, c->except.name, v);
	flow = exec_nodes(fr, &c->body, ret);
	/* As Python does. */
	if (c->except.name != NULL)
		tmpl_frame_unbind(fr, c->except.name);
	return flow;
}

static int
exec_try(
    struct tmpl_frame *fr, const struct tmpl_clause *c, struct tmpl_value *ret)
{
	struct tmpl_run *r = &fr->g->run;
	int flow = exec_nodes(fr, &c->body, ret);

	if (flow >= 0)
		return flow;
	for (c = c->next; c != NULL; c = c->next)
		if (tmpl_class_is(r->fault.class, c->except.class))
			return exec_except(fr, c, ret);
	return -1;
}

static int
exec_control(
    struct tmpl_frame *fr, const struct tmpl_clause *c, struct tmpl_value *ret)
{
	switch (c->keyword) {
	case TMPL_FOR:
		return exec_for(fr, c, ret);
	case TMPL_WHILE:
		return exec_while(fr, c, ret);
	case TMPL_TRY:
		return exec_try(fr, c, ret);
	default:
		return exec_if(fr, c, ret);
	}
}

static int
exec_code(
    struct tmpl_frame *fr, const struct tmpl_node *n, struct tmpl_value *ret)
{
	int flow = tmpl_exec(&fr->g->run, &fr->env, n->u.code.block, ret);

	if (flow >= 0)
		tmpl_frame_show(fr, &n->u.code.names);
	return flow;
}

/* Includes */

/* The text of file="a${b}c": what stands in it has to be a string, too. */
static int
eval_parts(struct tmpl_frame *fr, const struct tmpl_part *part,
    struct strbuf *out, struct tmpl_pos pos)
{
	struct tmpl_run *r = &fr->g->run;
	struct tmpl_value v;

	for (; part != NULL; part = part->next) {
		if (part->expr == NULL) {
			strbuf_add(out, part->text.s, part->text.len);
			continue;
		}
		if (tmpl_eval(r, &fr->env, part->expr, &v) < 0)
			return -1;
		if (v.type != TMPL_STR) {
			(void)tmpl_raise_of(r, v, TMPL_TYPE_ERROR,
			    "can only concatenate str (not \"%s\") to str",
			    tmpl_type_name(v));
			return tmpl_raise_at(r, part->text.pos);
		}
		strbuf_add(out, v.u.str->s, v.u.str->len);
	}
	if (out->latch == OVE_NOMEM)
		return tmpl_raise_nomem(r);
	if (out->latch == OVE_NONE)
		return 0;
	(void)tmpl_raise(r, TMPL_LIMIT, "the name of the template is too long");
	return tmpl_raise_at(r, pos);
}

static int
eval_call(
    struct tmpl_frame *fr, const struct tmpl_call *call, struct tmpl_args *ret)
{
	struct tmpl_engine *g = fr->g;
	struct tmpl_kwarg *kw = arena_calloc(g->a, call->n + 1, sizeof(*kw));

	memset(ret, 0, sizeof(*ret));
	if (kw == NULL)
		return tmpl_raise_nomem(&g->run);
	for (size_t i = 0; i < call->n; i++) {
		kw[i].name = call->names[i]->s;
		if (tmpl_eval(&g->run, &fr->env, call->exprs[i], &kw[i].v) < 0)
			return -1;
	}
	ret->kw = kw;
	ret->n_kw = call->n;
	return 0;
}

static int
run_include(struct tmpl_frame *fr, const struct tmpl_node *n,
    const struct tmpl_unit *unit)
{
	struct tmpl_engine *g = fr->g;
	struct tmpl_args args;
	int rc;

	if (eval_call(fr, &n->u.include.args, &args) < 0)
		return -1;
	rc = tmpl_exec_unit(g, unit, fr->ctx, &args);
	if (rc < 0 && g->where == NULL)
		g->where = unit->uri;
	return rc;
}

static int
exec_include(struct tmpl_frame *fr, const struct tmpl_node *n)
{
	struct tmpl_engine *g = fr->g;
	AUTO_STRBUF struct strbuf name;
	const struct tmpl_unit *unit;
	int rc;

	strbuf_init(&name, 4096);
	if (g->includes == TMPL_INCLUDES_MAX) {
		(void)tmpl_raise(&g->run, TMPL_RECURSION_ERROR,
		    "more than %d templates include each other",
		    TMPL_INCLUDES_MAX);
		return tmpl_raise_at(&g->run, n->pos);
	}
	if (eval_parts(fr, n->u.include.file, &name, n->pos) < 0 ||
	    tmpl_engine_load(g, fr->unit, name.buf, name.len, n->pos, &unit) <
		0)
		return -1;
	g->includes++;
	rc = run_include(fr, n, unit);
	g->includes--;
	return rc < 0 ? -1 : TMPL_NEXT;
}

/* Functions */

/* What a function wrote is held back, filtered, and written or returned. */
static int
run_held(struct tmpl_frame *fr, struct tmpl_value *ret)
{
	const struct tmpl_func *f = fr->f;
	struct tmpl_engine *g = fr->g;
	unsigned line = g->line;
	struct tmpl_sink sink;
	bool is_safe = false;
	struct tmpl_value v;
	int flow;

	tmpl_sink_push(g, &sink);
	flow = exec_nodes(fr, &f->body, ret);
	if (flow != TMPL_NEXT) {
		tmpl_sink_drop(g);
		return flow;
	}
	g->line = line;
	if (tmpl_sink_take(g, &v) < 0 ||
	    tmpl_filters_apply(&g->run, &fr->env, &f->filters, &is_safe, &v) <
		0)
		return tmpl_raise_at(&g->run, f->pos);
	if (f->is_buffered)
		*ret = v;
	else if (tmpl_write_value(g, v, f->pos) < 0)
		return -1;
	return TMPL_NEXT;
}

static int
run_func(struct tmpl_frame *fr, struct tmpl_value *ret)
{
	const struct tmpl_func *f = fr->f;

	if (tmpl_str_keep(&fr->g->run, "", 0, ret) < 0)
		return -1;
	if (f->is_buffered || f->filters.n > 0 || f->filters.is_raw)
		return run_held(fr, ret);
	return exec_nodes(fr, &f->body, ret);
}

/* Gives the frame its parameters. */
static int
bind(struct tmpl_frame *fr, const char *name, const struct tmpl_args *args)
{
	const struct tmpl_params *p = &fr->f->params;
	struct tmpl_engine *g = fr->g;
	struct tmpl_value *values =
	    arena_calloc(g->a, p->n + 1, sizeof(*values));
	struct tmpl_frame *bare = tmpl_frame_new(g, fr->unit, NULL, fr->ctx);

	if (values == NULL || bare == NULL)
		return tmpl_raise_nomem(&g->run);
	if (tmpl_bind(&g->run, &bare->env, p, name, args, values) < 0)
		return -1;
	for (size_t i = 0; i < p->n; i++)
		tmpl_frame_bind(fr, p->names[i], values[i]);
	return 0;
}

int
tmpl_exec_func(struct tmpl_frame *caller, const struct tmpl_func *f,
    const struct tmpl_args *args, struct tmpl_value *ret)
{
	struct tmpl_engine *g = caller->g;
	const struct tmpl_context *ctx = tmpl_frame_context(caller);
	struct tmpl_frame *fr;

	if (ctx == NULL && caller->body != NULL)
		return -1;
	fr = tmpl_frame_new(g, caller->unit, f, ctx);
	if (fr == NULL || bind(fr, f->name->s, args) < 0)
		return -1;
	return run_func(fr, ret) < 0 ? -1 : 0;
}

/* A block in its place: one without a name sees the names around it, one with
 * a name nothing but the variables. */
static int
exec_block(struct tmpl_frame *fr, const struct tmpl_func *f)
{
	struct tmpl_frame *in = tmpl_frame_new(fr->g, fr->unit, f, fr->ctx);
	struct tmpl_value unused;

	if (in == NULL)
		return -1;
	if (f->name == NULL) {
		in->outer = fr;
		in->body = fr->body;
		in->loop = fr->loop;
	}
	return run_func(in, &unused) < 0 ? -1 : TMPL_NEXT;
}

static int
exec_node(
    struct tmpl_frame *fr, const struct tmpl_node *n, struct tmpl_value *ret)
{
	switch (n->type) {
	case TMPL_NODE_TEXT:
		return exec_text(fr, n);
	case TMPL_NODE_OUTPUT:
		return exec_output(fr, n);
	case TMPL_NODE_CONTROL:
		return exec_control(fr, n->u.clauses, ret);
	case TMPL_NODE_CODE:
		return exec_code(fr, n, ret);
	case TMPL_NODE_INCLUDE:
		return exec_include(fr, n);
	case TMPL_NODE_FILTERED:
		return exec_filtered(fr, n);
	case TMPL_NODE_BLOCK:
		return exec_block(fr, n->u.block);
	}
	return TMPL_NEXT;
}

static int
exec_nodes(struct tmpl_frame *fr, const struct tmpl_nodes *nodes,
    struct tmpl_value *ret)
{
	struct tmpl_engine *g = fr->g;
	int flow = TMPL_NEXT;

	if (g->depth == DEPTH_MAX)
		return tmpl_raise(&g->run, TMPL_RECURSION_ERROR,
		    "more than %d levels within each other", DEPTH_MAX);
	g->depth++;
	for (const struct tmpl_node *n = nodes->first;
	     n != NULL && flow == TMPL_NEXT; n = n->next) {
		if (fr->unit->uri == NULL)
			g->line = n->pos.line;
		flow = exec_node(fr, n, ret);
		if (flow < 0)
			flow = tmpl_raise_at(&g->run, n->pos);
	}
	g->depth--;
	return flow;
}

int
tmpl_exec_module(struct tmpl_engine *g, struct tmpl_unit *unit)
{
	struct tmpl_frame *fr = tmpl_frame_new(g, unit, NULL, NULL);
	struct tmpl_value unused;

	if (fr == NULL)
		return -1;
	for (const struct tmpl_node *n = unit->tree.module.first; n != NULL;
	     n = n->next)
		if (tmpl_exec(&g->run, &fr->env, n->u.code.block, &unused) < 0)
			return tmpl_raise_at(&g->run, n->pos);
	return 0;
}

/* What a page takes of an include's arguments, the rest from variables. */
static int
page_args(struct tmpl_engine *g, const struct tmpl_params *p,
    const struct tmpl_context *ctx, const struct tmpl_args *given,
    struct tmpl_args *ret)
{
	struct tmpl_kwarg *kw = arena_calloc(g->a, p->n + 1, sizeof(*kw));
	size_t n = 0;

	if (kw == NULL)
		return tmpl_raise_nomem(&g->run);
	for (size_t i = 0; i < p->n; i++) {
		const struct tmpl_name *name = p->names[i];
		size_t k = 0, given_n = given != NULL ? given->n_kw : 0;

		while (k < given_n && strcmp(given->kw[k].name, name->s) != 0)
			k++;
		kw[n].name = name->s;
		if (k < given_n)
			kw[n++].v = given->kw[k].v;
		else if (tmpl_context_find(
			     g, ctx, name->s, name->len, &kw[n].v) == 0)
			n++;
	}
	*ret = (struct tmpl_args){ .kw = kw, .n_kw = n };
	return 0;
}

int
tmpl_exec_unit(struct tmpl_engine *g, const struct tmpl_unit *unit,
    const struct tmpl_context *ctx, const struct tmpl_args *args)
{
	const struct tmpl_params *p = &unit->tree.body.params;
	const struct tmpl_names names = { .items = p->names, .n = p->n };
	struct tmpl_frame *fr = tmpl_frame_new(g, unit, &unit->tree.body, ctx);
	struct tmpl_value unused;
	struct tmpl_args mine;

	if (fr == NULL || tmpl_frame_make_body(fr) < 0 ||
	    page_args(g, p, ctx, args, &mine) < 0 ||
	    bind(fr, "render_body", &mine) < 0)
		return -1;
	tmpl_frame_show(fr, &names);
	return exec_nodes(fr, &unit->tree.body.body, &unused) < 0 ? -1 : 0;
}
