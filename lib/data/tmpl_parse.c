/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tokens to a tree.  A stack of what is open, tags and control lines alike,
 * says where the next node goes; nothing here recurses.  The names of each
 * function are collected on the way.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/data/tmpl_tree_internal.h"

static const char nomem[] = "out of memory";

int
tmpl_tree_fail(struct tmpl_tree_parser *p, enum tmpl_class class,
    struct tmpl_pos pos, const char *fmt, ...)
{
	AUTO_STRBUF struct strbuf b;
	va_list ap;

	strbuf_init(&b, TMPL_OUT_MAX);
	va_start(ap, fmt);
	strbuf_vaddf(&b, fmt, ap);
	va_end(ap);
	*p->f = (struct tmpl_fault){ .class = class, .pos = pos };
	p->f->message = arena_strndup(p->a, b.buf, b.len);
	if (p->f->message == NULL)
		p->f->message = nomem;
	return -1;
}

int
tmpl_tree_unsupported(
    struct tmpl_tree_parser *p, struct tmpl_pos pos, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	return tmpl_tree_fail(
	    p, TMPL_UNSUPPORTED, pos, "%s is not supported", what);
}

int
tmpl_tree_nomem(struct tmpl_tree_parser *p)
{
	*p->f = (struct tmpl_fault){ .class = TMPL_MEMORY_ERROR,
		.pos = tmpl_tree_top(p)->pos,
		.message = nomem };
	return -1;
}

struct tmpl_node *
tmpl_tree_add(
    struct tmpl_tree_parser *p, enum tmpl_node_type type, struct tmpl_pos pos)
{
	struct tmpl_nodes *to = tmpl_tree_top(p)->nodes;
	struct tmpl_node *n = arena_alloc(p->a, sizeof(*n));

	if (n == NULL) {
		(void)tmpl_tree_nomem(p);
		return NULL;
	}
	n->type = type;
	n->pos = pos;
	if (to->last != NULL)
		to->last->next = n;
	else
		to->first = n;
	to->last = n;
	return n;
}

int
tmpl_tree_push(struct tmpl_tree_parser *p, const struct tmpl_tree_open *open)
{
	if (p->depth == TMPL_BLOCK_NEST_MAX)
		return tmpl_tree_fail(p, TMPL_LIMIT, open->pos,
		    "more than %d tags and control lines within each other",
		    TMPL_BLOCK_NEST_MAX);
	p->open[++p->depth] = *open;
	return 0;
}

/* Names */

void
tmpl_tree_note_read(const struct tmpl_name *name, void *ctx)
{
	struct tmpl_tree_parser *p = ctx;

	for (size_t i = 0; name == p->loop && i <= p->depth; i++)
		if (p->open[i].first != NULL)
			p->open[i].first->has_loop = true;
}

int
tmpl_tree_add_name(struct tmpl_tree_parser *p, struct tmpl_names *names,
    const struct tmpl_name *name)
{
	const struct tmpl_name **items;

	for (size_t i = 0; i < names->n; i++)
		if (names->items[i] == name)
			return 0;
	if (names->n == TMPL_NAMES_MAX)
		return tmpl_tree_fail(p, TMPL_LIMIT, tmpl_tree_top(p)->pos,
		    "more than %d names are assigned", TMPL_NAMES_MAX);
	if (names->n == names->cap) {
		size_t cap = names->cap == 0 ? 8 : names->cap * 2;

		items = arena_calloc(p->a, cap, sizeof(const void *));
		if (items == NULL)
			return tmpl_tree_nomem(p);
		if (names->n > 0)
			memcpy(items, names->items, names->n * sizeof(*items));
		names->items = items;
		names->cap = cap;
	}
	names->items[names->n++] = name;
	return 0;
}

static bool
is_reserved(const struct tmpl_name *name)
{
	static const char *const words[] = { "context", "loop", "UNDEFINED",
		"STOP_RENDERING" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(words[i], name->s) == 0)
			return true;
	return false;
}

int
tmpl_tree_assign(struct tmpl_tree_parser *p, const struct tmpl_name *name)
{
	struct tmpl_func *f = tmpl_tree_top(p)->func;

	if (is_reserved(name))
		return tmpl_tree_fail(p, TMPL_NAME_CONFLICT_ERROR,
		    tmpl_tree_top(p)->pos,
		    "Reserved words declared in template: %s", name->s);
	if (strcmp(name->s, "str") == 0)
		return tmpl_tree_unsupported(
		    p, tmpl_tree_top(p)->pos, "a name 'str' of your own");
	/* What a block assigns is a name of what it stands in, too, though one
	 * without a value there. */
	for (; f != NULL; f = f->is_block ? f->outer : NULL)
		if (tmpl_tree_add_name(p, &f->locals, name) < 0)
			return -1;
	return 0;
}

static int
by_id(const void *a, const void *b)
{
	const struct tmpl_name *const *x = a, *const *y = b;

	return (*x)->id < (*y)->id ? -1 : (*x)->id > (*y)->id;
}

size_t
tmpl_names_find(const struct tmpl_names *names, const struct tmpl_name *name)
{
	size_t lo = 0, hi = names->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (names->items[mid] == name)
			return mid;
		if (names->items[mid]->id < name->id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return SIZE_MAX;
}

/* Pieces */

static int
add_text(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	struct tmpl_node *n = tmpl_tree_add(p, TMPL_NODE_TEXT, t->pos);

	if (n == NULL)
		return -1;
	n->u.text = t->s;
	return 0;
}

/* What Mako hands to str(), which takes it for more than one argument. */
static int
compile_output(struct tmpl_tree_parser *p, const struct tmpl_piece *s,
    struct tmpl_expr **ret)
{
	struct tmpl_fault other;
	struct tmpl_call call;
	size_t n = tmpl_scan_end(s->s, s->len, ",");

	if (tmpl_compile_output(p->c, s->s, s->len, s->pos, ret, p->f) == 0)
		return 0;
	if (p->f->class != TMPL_SYNTAX_EXCEPTION)
		return -1;
	if (tmpl_compile_call(p->c, s->s, s->len, s->pos, &call, &other) == 0 &&
	    call.n > 0)
		return tmpl_tree_fail(p, TMPL_TYPE_ERROR, s->pos,
		    "'%s' is an invalid keyword argument for str()",
		    call.names[0]->s);
	if (n != TMPL_NO_END &&
	    tmpl_compile_expr(p->c, s->s, n, s->pos, ret, &other) == 0)
		return tmpl_tree_unsupported(
		    p, s->pos, "more than one value in ${}");
	return -1;
}

static int
add_output(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	struct tmpl_node *n = tmpl_tree_add(p, TMPL_NODE_OUTPUT, t->pos);

	if (n == NULL || compile_output(p, &t->s, &n->u.expr) < 0 ||
	    tmpl_filters_compile(p->c, p->a, &t->rest, &n->filters, p->f) < 0)
		return -1;
	if (n->u.expr != NULL)
		tmpl_expr_reads(n->u.expr, tmpl_tree_note_read, p);
	return 0;
}

struct collect {
	struct tmpl_tree_parser *p;
	struct tmpl_names *names;
	int rc;
};

static void
collect(const struct tmpl_name *name, void *ctx)
{
	struct collect *c = ctx;

	if (c->rc == 0)
		c->rc = tmpl_tree_add_name(c->p, c->names, name);
}

/* Whether a % for or % while of the same function is around. */
static bool
is_in_loop(const struct tmpl_tree_parser *p)
{
	for (size_t i = p->depth; i > 0; i--) {
		const struct tmpl_tree_open *o = &p->open[i];

		if (o->func != p->open[p->depth].func)
			break;
		/* The else of a loop is not of its body. */
		if (o->last != NULL &&
		    (o->last->keyword == TMPL_FOR ||
			o->last->keyword == TMPL_WHILE))
			return true;
	}
	return false;
}

static int
compile_module(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    struct tmpl_block *block)
{
	struct tmpl_node *n = arena_alloc(p->a, sizeof(*n));
	struct collect all = { .p = p, .names = &p->t->module_names };

	if (n == NULL)
		return tmpl_tree_nomem(p);
	if (!tmpl_block_is_constant(block))
		return tmpl_tree_unsupported(p, t->pos,
		    "what is not an assignment of constants in <%%! %%>");
	n->type = TMPL_NODE_CODE;
	n->pos = t->pos;
	n->u.code.block = block;
	if (p->t->module.last != NULL)
		p->t->module.last->next = n;
	else
		p->t->module.first = n;
	p->t->module.last = n;
	tmpl_block_names(block, collect, &all);
	return all.rc;
}

static int
add_code(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	struct collect all = { .p = p };
	struct tmpl_block *block;
	struct tmpl_node *n;

	if (tmpl_compile_block(p->c, t->s.s, t->s.len, t->s.pos, &block, p->f) <
	    0)
		return -1;
	if (block == NULL)
		return 0;
	if (t->is_module)
		return compile_module(p, t, block);
	if (tmpl_block_breaks(block) && !is_in_loop(p))
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, t->pos,
		    "'break' or 'continue' outside of a loop");
	n = tmpl_tree_add(p, TMPL_NODE_CODE, t->pos);
	if (n == NULL)
		return -1;
	n->u.code.block = block;
	all.names = &n->u.code.names;
	tmpl_block_names(block, collect, &all);
	for (size_t i = 0; all.rc == 0 && i < all.names->n; i++)
		all.rc = tmpl_tree_assign(p, all.names->items[i]);
	tmpl_block_reads(block, tmpl_tree_note_read, p);
	return all.rc;
}

static int
add_token(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	switch (t->type) {
	case TMPL_TOKEN_TEXT:
		return add_text(p, t);
	case TMPL_TOKEN_OUTPUT:
		return add_output(p, t);
	case TMPL_TOKEN_CONTROL:
		return tmpl_tree_control(p, t);
	case TMPL_TOKEN_TAG:
		return tmpl_tree_tag(p, t);
	case TMPL_TOKEN_TAG_END:
		return tmpl_tree_tag_end(p, t);
	case TMPL_TOKEN_CODE:
		return add_code(p, t);
	case TMPL_TOKEN_END:
		break;
	}
	return 0;
}

/* What is still open at the end: a tag before a control line. */
static int
check_open(struct tmpl_tree_parser *p, struct tmpl_pos end)
{
	for (size_t i = p->depth; i > 0; i--)
		if (p->open[i].first == NULL)
			return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, end,
			    "Unclosed tag: <%%%.*s>", (int)p->open[i].word.len,
			    p->open[i].word.s);
	if (p->depth > 0)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION,
		    tmpl_tree_top(p)->pos,
		    "Unterminated control keyword: '%.*s'",
		    (int)tmpl_tree_top(p)->word.len, tmpl_tree_top(p)->word.s);
	return 0;
}

static void
sort_names(struct tmpl_names *names)
{
	if (names->n > 1)
		qsort(names->items, names->n, sizeof(*names->items), by_id);
}

static void
sort_locals(struct tmpl_nodes *nodes)
{
	for (struct tmpl_node *n = nodes->first; n != NULL; n = n->next) {
		if (n->type == TMPL_NODE_CONTROL)
			for (struct tmpl_clause *c = n->u.clauses; c != NULL;
			     c = c->next)
				sort_locals(&c->body);
		if (n->type == TMPL_NODE_BLOCK) {
			sort_names(&n->u.block->locals);
			sort_locals(&n->u.block->body);
		}
	}
}

static void
finish(struct tmpl_template *t)
{
	sort_names(&t->module_names);
	sort_names(&t->body.locals);
	sort_locals(&t->body.body);
	for (struct tmpl_func *f = t->defs; f != NULL; f = f->next) {
		sort_names(&f->locals);
		sort_locals(&f->body);
	}
}

int
tmpl_tree_parse(struct tmpl_compiler *c, struct arena *a, const char *s,
    size_t len, struct tmpl_template *ret, struct tmpl_fault *f)
{
	struct tmpl_tree_parser p = { .a = a, .c = c, .t = ret, .f = f };
	struct tmpl_token t;

	memset(ret, 0, sizeof(*ret));
	tmpl_lexer_init(&p.lx, s, len);
	p.open[0].nodes = &ret->body.body;
	p.open[0].func = &ret->body;
	p.open[0].pos = (struct tmpl_pos){ .line = 1, .col = 1 };
	p.loop = tmpl_name(c, "loop", strlen("loop"));
	if (p.loop == NULL)
		return tmpl_tree_nomem(&p);
	do {
		if (tmpl_lexer_next(&p.lx, &t, f) < 0 || add_token(&p, &t) < 0)
			return -1;
	} while (t.type != TMPL_TOKEN_END);
	if (check_open(&p, t.pos) < 0)
		return -1;
	finish(ret);
	return arena_check(a, NULL) < 0 ? tmpl_tree_nomem(&p) : 0;
}
