/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What operators stand between: names, literals, displays, comprehensions, and
 * the calls, subscripts and attributes behind them.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

/* Displays and comprehensions */

static int
add_clause(struct tmpl_parser *p, struct tmpl_comp *comp,
    struct tmpl_comp_clause **ret)
{
	struct tmpl_comp_clause *clauses;
	size_t cap;

	if (comp->n == comp->cap) {
		cap = comp->cap == 0 ? 1 : comp->cap * 2;
		clauses = arena_calloc(p->c->a, cap, sizeof(*clauses));
		if (clauses == NULL)
			return tmpl_parse_nomem(p);
		if (comp->n > 0)
			memcpy(
			    clauses, comp->clauses, comp->n * sizeof(*clauses));
		comp->clauses = clauses;
		comp->cap = cap;
	}
	*ret = &comp->clauses[comp->n++];
	return 0;
}

/* A node that gathers the conditions of a clause. */
static int
parse_conditions(struct tmpl_parser *p, struct tmpl_comp_clause *clause)
{
	struct tmpl_expr *list, *x;
	int rc;

	list = tmpl_node(p, TMPL_X_LIST, p->lex.token.pos);
	if (list == NULL)
		return -1;
	while ((rc = tmpl_accept(p, "if")) == 1) {
		if (tmpl_parse_or(p, &x) == -1 ||
		    tmpl_node_add(p, list, x, TMPL_OP_NONE) == -1)
			return -1;
	}
	clause->n_ifs = list->n;
	clause->ifs = list->kids;
	return rc;
}

struct own {
	struct tmpl_parser *p;
	struct tmpl_comp *comp;
	bool failed;
};

static void
add_own(const struct tmpl_name *name, void *ctx)
{
	struct own *own = ctx;
	struct tmpl_comp *comp = own->comp;
	const struct tmpl_name **names;
	size_t i, cap;

	for (i = 0; i < comp->n_names; i++) {
		if (comp->names[i] == name)
			return;
	}
	if (comp->n_names == comp->cap_names) {
		cap = comp->cap_names == 0 ? 2 : comp->cap_names * 2;
		names = arena_calloc(
		    own->p->c->a, cap, sizeof(const struct tmpl_name *));
		if (names == NULL) {
			own->failed = true;
			return;
		}
		for (i = 0; i < comp->n_names; i++)
			names[i] = comp->names[i];
		comp->names = names;
		comp->cap_names = cap;
	}
	comp->names[comp->n_names++] = name;
}

static bool
at_comp(const struct tmpl_parser *p)
{
	return tmpl_peek(p, "for") || tmpl_peek(p, "async");
}

/* What a clause has is below the comprehension, though not among its kids. */
static int
add_height(struct tmpl_parser *p, struct tmpl_expr *x,
    const struct tmpl_comp_clause *clause)
{
	size_t i;

	if (tmpl_node_above(p, x, clause->iter) == -1)
		return -1;
	for (i = 0; i < clause->n_ifs; i++) {
		if (tmpl_node_above(p, x, clause->ifs[i]) == -1)
			return -1;
	}
	return 0;
}

/* The clauses behind the first element. */
static int
parse_clauses(struct tmpl_parser *p, struct tmpl_expr *x)
{
	struct own own = { .p = p };
	struct tmpl_comp_clause *clause = NULL;

	x->comp = arena_calloc(p->c->a, 1, sizeof(*x->comp));
	if (x->comp == NULL)
		return tmpl_parse_nomem(p);
	own.comp = x->comp;
	while (tmpl_peek(p, "for")) {
		if (tmpl_lex_next(&p->lex) == -1 ||
		    add_clause(p, x->comp, &clause) == -1 ||
		    tmpl_parse_for(p, true, &clause->target) == -1 ||
		    tmpl_parse_or(p, &clause->iter) == -1 ||
		    parse_conditions(p, clause) == -1 ||
		    add_height(p, x, clause) == -1)
			return -1;
		tmpl_target_names(clause->target, add_own, &own);
		if (own.failed)
			return tmpl_parse_nomem(p);
	}
	if (tmpl_peek(p, "async"))
		return tmpl_parse_unsupported(p, "'async'");
	return 0;
}

/* A comprehension around the element that has been read. */
static int
parse_comp(struct tmpl_parser *p, enum tmpl_kind kind, struct tmpl_expr *x,
    struct tmpl_expr **ret)
{
	*ret = tmpl_node_around(p, kind, x);
	return *ret == NULL ? -1 : parse_clauses(p, *ret);
}

/* What follows "(": a tuple, a generator, or just one in parentheses. */
static int
parse_parens(struct tmpl_parser *p, struct tmpl_pos pos, struct tmpl_expr **ret)
{
	struct tmpl_expr *x, *tuple;
	int rc;

	if (tmpl_peek(p, ")")) {
		*ret = tmpl_node(p, TMPL_X_TUPLE, pos);
		return *ret == NULL ? -1 : tmpl_lex_next(&p->lex);
	}
	if (tmpl_parse_expr(p, &x) == -1)
		return -1;
	if (at_comp(p)) {
		if (parse_comp(p, TMPL_X_GENERATOR, x, &x) == -1)
			return -1;
	} else if (tmpl_peek(p, ",")) {
		tuple = tmpl_node_around(p, TMPL_X_TUPLE, x);
		if (tuple == NULL)
			return -1;
		while ((rc = tmpl_accept(p, ",")) == 1 && !tmpl_peek(p, ")")) {
			if (tmpl_parse_expr(p, &x) == -1 ||
			    tmpl_node_add(p, tuple, x, TMPL_OP_NONE) == -1)
				return -1;
		}
		if (rc == -1)
			return -1;
		x = tuple;
	}
	x->closed = true;
	*ret = x;
	return tmpl_expect(p, ")");
}

static int
parse_list(struct tmpl_parser *p, struct tmpl_pos pos, struct tmpl_expr **ret)
{
	struct tmpl_expr *list, *x;
	int rc;

	list = tmpl_node(p, TMPL_X_LIST, pos);
	if (list == NULL)
		return -1;
	*ret = list;
	while (!tmpl_peek(p, "]")) {
		if (tmpl_parse_expr(p, &x) == -1)
			return -1;
		if (list->n == 0 && at_comp(p)) {
			if (parse_comp(p, TMPL_X_LIST_COMP, x, ret) == -1)
				return -1;
			break;
		}
		if (tmpl_node_add(p, list, x, TMPL_OP_NONE) == -1)
			return -1;
		rc = tmpl_accept(p, ",");
		if (rc == -1)
			return -1;
		if (rc == 0)
			break;
	}
	return tmpl_expect(p, "]");
}

static int
parse_dict(struct tmpl_parser *p, struct tmpl_pos pos, struct tmpl_expr **ret)
{
	struct tmpl_expr *dict, *key, *x;
	int rc;

	dict = tmpl_node(p, TMPL_X_DICT, pos);
	if (dict == NULL)
		return -1;
	*ret = dict;
	while (!tmpl_peek(p, "}")) {
		if (tmpl_parse_expr(p, &key) == -1)
			return -1;
		if (!tmpl_peek(p, ":"))
			return tmpl_peek(p, ",") || tmpl_peek(p, "}") ||
				at_comp(p)
			    ? tmpl_parse_unsupported(p, "a set")
			    : tmpl_unexpected(p);
		if (tmpl_lex_next(&p->lex) == -1 ||
		    tmpl_parse_expr(p, &x) == -1)
			return -1;
		if (dict->n == 0 && at_comp(p)) {
			if (parse_comp(p, TMPL_X_DICT_COMP, key, ret) == -1 ||
			    tmpl_node_add(p, *ret, x, TMPL_OP_NONE) == -1)
				return -1;
			break;
		}
		if (tmpl_node_add(p, dict, key, TMPL_OP_NONE) == -1 ||
		    tmpl_node_add(p, dict, x, TMPL_OP_NONE) == -1)
			return -1;
		rc = tmpl_accept(p, ",");
		if (rc == -1)
			return -1;
		if (rc == 0)
			break;
	}
	return tmpl_expect(p, "}");
}

/* Atoms and what is behind them */

static int
parse_name(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	static const struct {
		const char *word;
		struct tmpl_value v;
	} constants[] = {
		{ "None", { .type = TMPL_NONE } },
		{ "True", { .type = TMPL_BOOL, .u.b = true } },
		{ "False", { .type = TMPL_BOOL, .u.b = false } },
	};
	const struct tmpl_expr_token *t = &p->lex.token;
	struct tmpl_expr *x;
	size_t i;

	x = tmpl_node(p, TMPL_X_CONST, t->pos);
	if (x == NULL)
		return -1;
	*ret = x;
	for (i = 0; i < ARRAY_LEN(constants); i++) {
		if (tmpl_peek(p, constants[i].word)) {
			x->value = constants[i].v;
			return tmpl_lex_next(&p->lex);
		}
	}
	if (tmpl_parse_check_name(p, t) == -1)
		return -1;
	x->kind = tmpl_peek(p, "context") || tmpl_peek(p, "pageargs")
	    ? TMPL_X_CONTEXT
	    : TMPL_X_NAME;
	x->name = tmpl_name(p->c, t->s, t->len);
	if (x->name == NULL)
		return tmpl_parse_nomem(p);
	x->undef = (struct tmpl_undef){ x->name->s, t->pos };
	return tmpl_lex_next(&p->lex);
}

static int
parse_number(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	*ret = tmpl_node(p, TMPL_X_CONST, p->lex.token.pos);
	if (*ret == NULL ||
	    tmpl_literal_number(&p->lex.token, p->c->a, &(*ret)->value, p->f) ==
		-1)
		return -1;
	return tmpl_lex_next(&p->lex);
}

static int
parse_atom(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	struct tmpl_pos pos = p->lex.token.pos;
	int rc;

	if (p->lex.token.type == TMPL_T_NAME)
		return parse_name(p, ret);
	if (p->lex.token.type == TMPL_T_NUMBER)
		return parse_number(p, ret);
	if (p->lex.token.type == TMPL_T_STRING)
		return tmpl_parse_strings(p, ret);
	rc = tmpl_accept(p, "(");
	if (rc != 0)
		return rc == -1 ? -1 : parse_parens(p, pos, ret);
	rc = tmpl_accept(p, "[");
	if (rc != 0)
		return rc == -1 ? -1 : parse_list(p, pos, ret);
	rc = tmpl_accept(p, "{");
	if (rc != 0)
		return rc == -1 ? -1 : parse_dict(p, pos, ret);
	if (tmpl_peek(p, "..."))
		return tmpl_parse_unsupported(p, "'...'");
	return tmpl_unexpected(p);
}

static int
add_keyword(struct tmpl_parser *p, struct tmpl_expr *call,
    const struct tmpl_name *name, struct tmpl_expr *x)
{
	const struct tmpl_name **kw;
	size_t i;

	for (i = 0; i < call->n_kw; i++) {
		if (call->kw[i] == name)
			return tmpl_syntax(p->f, p->c->a, x->pos,
			    TMPL_SYNTAX_EXCEPTION,
			    "keyword argument repeated: %s", name->s);
	}
	/* One more each time: there are few. */
	kw = arena_calloc(
	    p->c->a, call->n_kw + 1, sizeof(const struct tmpl_name *));
	if (kw == NULL)
		return tmpl_parse_nomem(p);
	for (i = 0; i < call->n_kw; i++)
		kw[i] = call->kw[i];
	kw[call->n_kw++] = name;
	call->kw = kw;
	return tmpl_node_add(p, call, x, TMPL_OP_NONE);
}

/* An argument: an expression, "name=expression", or the only one and a
 * generator. */
static int
parse_argument(struct tmpl_parser *p, struct tmpl_expr *call)
{
	struct tmpl_expr *x, *value;
	size_t first = call->n;

	if (tmpl_parse_expr(p, &x) == -1)
		return -1;
	if (tmpl_peek(p, "=")) {
		if (x->kind != TMPL_X_NAME || x->closed)
			return tmpl_unexpected(p);
		if (call->n_kw >= UINT8_MAX)
			return tmpl_parse_unsupported(p, "so many arguments");
		if (tmpl_lex_next(&p->lex) == -1 ||
		    tmpl_parse_expr(p, &value) == -1)
			return -1;
		return add_keyword(p, call, x->name, value);
	}
	if (call->n_kw > 0)
		return tmpl_syntax(p->f, p->c->a, x->pos, TMPL_SYNTAX_EXCEPTION,
		    "positional argument follows keyword argument");
	if (at_comp(p)) {
		if (parse_comp(p, TMPL_X_GENERATOR, x, &x) == -1)
			return -1;
		if (!tmpl_peek(p, ")") || first > 1)
			return tmpl_syntax(p->f, p->c->a, x->pos,
			    TMPL_SYNTAX_EXCEPTION,
			    "Generator expression must be parenthesized");
	}
	return tmpl_node_add(p, call, x, TMPL_OP_NONE);
}

int
tmpl_parse_arguments(struct tmpl_parser *p, struct tmpl_expr *call)
{
	int rc;

	while (!tmpl_peek(p, ")")) {
		if (parse_argument(p, call) == -1)
			return -1;
		rc = tmpl_accept(p, ",");
		if (rc == -1)
			return -1;
		if (rc == 0)
			break;
	}
	return tmpl_expect(p, ")");
}

/* A part of a slice: nothing, or an expression. */
static int
parse_slice_part(struct tmpl_parser *p, struct tmpl_expr *slice)
{
	struct tmpl_expr *x = NULL;

	if (!tmpl_peek(p, ":") && !tmpl_peek(p, "]") &&
	    tmpl_parse_expr(p, &x) == -1)
		return -1;
	return tmpl_node_add(p, slice, x, TMPL_OP_NONE);
}

/* What is between the brackets behind an expression. */
static int
parse_subscript(struct tmpl_parser *p, struct tmpl_expr **x)
{
	struct tmpl_expr *key = NULL, *slice;
	int rc = 1;

	if (!tmpl_peek(p, ":") && tmpl_parse_tuple(p, &key) == -1)
		return -1;
	if (!tmpl_peek(p, ":")) {
		slice = tmpl_node_around(p, TMPL_X_INDEX, *x);
		if (slice == NULL ||
		    tmpl_node_add(p, slice, key, TMPL_OP_NONE) == -1)
			return -1;
		*x = slice;
		return tmpl_expect(p, "]");
	}
	slice = tmpl_node_around(p, TMPL_X_SLICE, *x);
	if (slice == NULL || tmpl_node_add(p, slice, key, TMPL_OP_NONE) == -1)
		return -1;
	while (slice->n < 4 && rc == 1) {
		rc = tmpl_accept(p, ":");
		if (rc == 1 && parse_slice_part(p, slice) == -1)
			return -1;
		if (rc == 0 &&
		    tmpl_node_add(p, slice, NULL, TMPL_OP_NONE) == -1)
			return -1;
	}
	*x = slice;
	if (rc == 0 && tmpl_peek(p, ","))
		return tmpl_parse_unsupported(p, "a tuple of slices");
	return rc == -1 ? -1 : tmpl_expect(p, "]");
}

static int
parse_attribute(struct tmpl_parser *p, struct tmpl_expr **x)
{
	const struct tmpl_expr_token *t = &p->lex.token;
	const struct tmpl_name *name;
	struct tmpl_pos pos = t->pos;

	if (t->type != TMPL_T_NAME)
		return tmpl_unexpected(p);
	if (t->s[0] == '_')
		return tmpl_syntax_unsupported(p->f, p->c->a, pos,
		    "attribute '%.*s'", t->len > 60 ? 60 : (int)t->len, t->s);
	if (tmpl_parse_check_name(p, t) == -1)
		return -1;
	name = tmpl_name(p->c, t->s, t->len);
	if (name == NULL)
		return tmpl_parse_nomem(p);
	if (tmpl_lex_next(&p->lex) == -1)
		return -1;
	*x = tmpl_node_around(
	    p, tmpl_peek(p, "(") ? TMPL_X_METHOD : TMPL_X_ATTR, *x);
	if (*x == NULL)
		return -1;
	(*x)->name = name;
	(*x)->pos = pos;
	if ((*x)->kind == TMPL_X_ATTR)
		return 0;
	if (tmpl_lex_next(&p->lex) == -1)
		return -1;
	return tmpl_parse_arguments(p, *x);
}

static int
parse_call(struct tmpl_parser *p, struct tmpl_expr **x)
{
	*x = tmpl_node_around(p, TMPL_X_CALL, *x);
	return *x == NULL ? -1 : tmpl_parse_arguments(p, *x);
}

int
tmpl_parse_postfix(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	static const struct {
		const char *text;
		int (*parse)(struct tmpl_parser *p, struct tmpl_expr **x);
	} behind[] = {
		{ ".", parse_attribute },
		{ "[", parse_subscript },
		{ "(", parse_call },
	};
	size_t i;
	int rc;

	if (parse_atom(p, ret) == -1)
		return -1;
	for (i = 0; i < ARRAY_LEN(behind); i++) {
		rc = tmpl_accept(p, behind[i].text);
		if (rc == -1 || (rc == 1 && behind[i].parse(p, ret) == -1))
			return -1;
		/* Any of them may follow. */
		if (rc == 1)
			i = (size_t)-1;
	}
	return 0;
}
