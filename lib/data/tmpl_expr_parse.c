/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Expressions: operators by precedence, and what they are made of.  Operators
 * of one level make one node with many operands, so that a long sum is no deep
 * tree.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

/* Arithmetic, from the weakest to the strongest; all from left to right. */
static const struct {
	const char *text;
	enum tmpl_op op;
	int level;
} binaries[] = {
	{ "|", TMPL_OP_OR, 1 },
	{ "^", TMPL_OP_XOR, 2 },
	{ "&", TMPL_OP_AND, 3 },
	{ "<<", TMPL_OP_LSHIFT, 4 },
	{ ">>", TMPL_OP_RSHIFT, 4 },
	{ "+", TMPL_OP_ADD, 5 },
	{ "-", TMPL_OP_SUB, 5 },
	{ "*", TMPL_OP_MUL, 6 },
	{ "/", TMPL_OP_DIV, 6 },
	{ "//", TMPL_OP_FLOORDIV, 6 },
	{ "%", TMPL_OP_MOD, 6 },
	{ "@", TMPL_OP_NONE, 6 },
};

static const struct {
	const char *text;
	enum tmpl_op op;
} comparisons[] = {
	{ "<", TMPL_OP_LT },
	{ "<=", TMPL_OP_LE },
	{ ">", TMPL_OP_GT },
	{ ">=", TMPL_OP_GE },
	{ "==", TMPL_OP_EQ },
	{ "!=", TMPL_OP_NE },
	{ "in", TMPL_OP_IN },
	{ "is", TMPL_OP_IS },
};

static int parse_unary(struct tmpl_parser *p, struct tmpl_expr **ret);
static int parse_power(struct tmpl_parser *p, struct tmpl_expr **ret);

static int
enter(struct tmpl_parser *p)
{
	if (p->depth == TMPL_PARSE_DEPTH_MAX)
		return tmpl_syntax(p->f, p->c->a, p->lex.token.pos, TMPL_LIMIT,
		    "an expression nested too deeply");
	p->depth++;
	return 0;
}

/* Operators */

static int
parse_sign(struct tmpl_parser *p, enum tmpl_op op, struct tmpl_expr **ret)
{
	struct tmpl_pos pos = p->lex.token.pos;
	struct tmpl_expr *x, *operand;

	if (tmpl_lex_next(&p->lex) == -1 || parse_unary(p, &operand) == -1)
		return -1;
	x = tmpl_node(p, TMPL_X_UNARY, pos);
	if (x == NULL)
		return -1;
	x->op = (unsigned char)op;
	*ret = x;
	return tmpl_node_add(p, x, operand, TMPL_OP_NONE);
}

static int
parse_unary(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	int rc;

	if (enter(p) == -1)
		return -1;
	if (tmpl_peek(p, "-"))
		rc = parse_sign(p, TMPL_OP_NEG, ret);
	else if (tmpl_peek(p, "+"))
		rc = parse_sign(p, TMPL_OP_POS, ret);
	else if (tmpl_peek(p, "~"))
		rc = parse_sign(p, TMPL_OP_INVERT, ret);
	else
		rc = parse_power(p, ret);
	p->depth--;
	return rc;
}

static int
binary_of(const struct tmpl_parser *p)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(binaries); i++) {
		if (tmpl_peek(p, binaries[i].text))
			return (int)i;
	}
	return -1;
}

static int
level_of(enum tmpl_op op)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(binaries); i++) {
		if (binaries[i].op == op)
			return binaries[i].level;
	}
	return 0;
}

/* left op right, on to a chain of the same level when left is one. */
static int
join(struct tmpl_parser *p, struct tmpl_expr **left, enum tmpl_op op,
    struct tmpl_expr *right)
{
	struct tmpl_expr *x = *left;

	if (x->kind != TMPL_X_BINARY || x->closed ||
	    level_of((enum tmpl_op)x->ops[1]) != level_of(op)) {
		x = tmpl_node_around(p, TMPL_X_BINARY, x);
		if (x == NULL)
			return -1;
	}
	*left = x;
	return tmpl_node_add(p, x, right, op);
}

static int
parse_binary(struct tmpl_parser *p, int level, struct tmpl_expr **ret)
{
	struct tmpl_expr *right;
	int i;

	if (parse_unary(p, ret) == -1)
		return -1;
	while ((i = binary_of(p)) >= 0 && binaries[i].level >= level) {
		if (binaries[i].op == TMPL_OP_NONE)
			return tmpl_parse_unsupported(p, "'@'");
		if (tmpl_lex_next(&p->lex) == -1 ||
		    parse_binary(p, binaries[i].level + 1, &right) == -1 ||
		    join(p, ret, binaries[i].op, right) == -1)
			return -1;
	}
	return 0;
}

/* The comparison at the token, which is taken; NONE when there is none. */
static int
take_comparison(struct tmpl_parser *p, enum tmpl_op *ret)
{
	size_t i;
	int rc;

	*ret = TMPL_OP_NONE;
	if (tmpl_peek(p, "not")) {
		*ret = TMPL_OP_NOT_IN;
		if (tmpl_lex_next(&p->lex) == -1)
			return -1;
		return tmpl_expect(p, "in");
	}
	for (i = 0; i < ARRAY_LEN(comparisons); i++) {
		rc = tmpl_accept(p, comparisons[i].text);
		if (rc == 0)
			continue;
		*ret = comparisons[i].op;
		if (rc == 1 && *ret == TMPL_OP_IS) {
			rc = tmpl_accept(p, "not");
			if (rc == 1)
				*ret = TMPL_OP_IS_NOT;
		}
		return rc == -1 ? -1 : 0;
	}
	return 0;
}

static int
parse_comparison(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	struct tmpl_expr *right, *x = NULL;
	enum tmpl_op op;

	if (parse_binary(p, 0, ret) == -1)
		return -1;
	for (;;) {
		if (take_comparison(p, &op) == -1)
			return -1;
		if (op == TMPL_OP_NONE)
			return 0;
		if (x == NULL) {
			x = tmpl_node_around(p, TMPL_X_COMPARE, *ret);
			if (x == NULL)
				return -1;
			*ret = x;
		}
		if (parse_binary(p, 0, &right) == -1 ||
		    tmpl_node_add(p, x, right, op) == -1)
			return -1;
	}
}

static int
parse_not(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	struct tmpl_pos pos = p->lex.token.pos;
	struct tmpl_expr *x;
	int rc;

	rc = tmpl_accept(p, "not");
	if (rc == 0)
		return parse_comparison(p, ret);
	if (rc == -1 || enter(p) == -1)
		return -1;
	rc = parse_not(p, &x);
	p->depth--;
	if (rc == -1)
		return -1;
	*ret = tmpl_node(p, TMPL_X_NOT, pos);
	if (*ret == NULL)
		return -1;
	return tmpl_node_add(p, *ret, x, TMPL_OP_NONE);
}

static int
parse_chain(struct tmpl_parser *p, const char *word, enum tmpl_kind kind,
    int (*parse)(struct tmpl_parser *, struct tmpl_expr **),
    struct tmpl_expr **ret)
{
	struct tmpl_expr *right, *x = NULL;
	int rc;

	if (parse(p, ret) == -1)
		return -1;
	while ((rc = tmpl_accept(p, word)) == 1) {
		if (x == NULL) {
			x = tmpl_node_around(p, kind, *ret);
			if (x == NULL)
				return -1;
			*ret = x;
		}
		if (parse(p, &right) == -1 ||
		    tmpl_node_add(p, x, right, TMPL_OP_NONE) == -1)
			return -1;
	}
	return rc;
}

static int
parse_and(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	return parse_chain(p, "and", TMPL_X_AND, parse_not, ret);
}

int
tmpl_parse_or(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	return parse_chain(p, "or", TMPL_X_OR, parse_and, ret);
}

/* "then if condition else other", with what is after "then". */
static int
parse_if(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	struct tmpl_expr *x, *condition, *other = NULL;

	if (tmpl_lex_next(&p->lex) == -1 || tmpl_parse_or(p, &condition) == -1)
		return -1;
	if (!tmpl_peek(p, "else"))
		return tmpl_syntax(p->f, p->c->a, p->lex.token.pos,
		    TMPL_SYNTAX_EXCEPTION,
		    "expected 'else' after 'if' expression");
	if (tmpl_lex_next(&p->lex) == -1 || tmpl_parse_expr(p, &other) == -1)
		return -1;
	x = tmpl_node_around(p, TMPL_X_IF, condition);
	if (x == NULL || tmpl_node_add(p, x, *ret, TMPL_OP_NONE) == -1 ||
	    tmpl_node_add(p, x, other, TMPL_OP_NONE) == -1)
		return -1;
	*ret = x;
	return 0;
}

int
tmpl_parse_expr(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	int rc;

	if (tmpl_peek(p, "*") || tmpl_peek(p, "**"))
		return tmpl_parse_unsupported(p, "'*' before an argument");
	if (enter(p) == -1)
		return -1;
	rc = tmpl_parse_or(p, ret);
	if (rc == 0 && tmpl_peek(p, "if"))
		rc = parse_if(p, ret);
	p->depth--;
	if (rc == 0 && tmpl_peek(p, ":="))
		return tmpl_parse_unsupported(p, "':='");
	return rc;
}

static int
parse_power(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	struct tmpl_expr *right;
	int rc;

	if (tmpl_parse_postfix(p, ret) == -1)
		return -1;
	rc = tmpl_accept(p, "**");
	if (rc != 1)
		return rc;
	/* To its right a sign binds stronger. */
	if (parse_unary(p, &right) == -1)
		return -1;
	*ret = tmpl_node_around(p, TMPL_X_BINARY, *ret);
	if (*ret == NULL)
		return -1;
	return tmpl_node_add(p, *ret, right, TMPL_OP_POW);
}

/* Lists without brackets */

/* Whether nothing more of a list without brackets can follow. */
static bool
ends_tuple(const struct tmpl_parser *p)
{
	static const char *const ends[] = { "=", ":", "]", ")", "in", ";" };
	size_t i;

	if (p->lex.token.type == TMPL_T_END ||
	    p->lex.token.type == TMPL_T_NEWLINE)
		return true;
	for (i = 0; i < ARRAY_LEN(ends); i++) {
		if (tmpl_peek(p, ends[i]))
			return true;
	}
	return false;
}

static int
parse_many(struct tmpl_parser *p, struct tmpl_expr **ret, bool target)
{
	struct tmpl_expr *x, *tuple = NULL;
	int rc;

	for (;;) {
		if (target && tmpl_peek(p, "*"))
			return tmpl_parse_unsupported(p, "'*' before a target");
		if ((target ? parse_binary(p, 0, &x)
			    : tmpl_parse_expr(p, &x)) == -1)
			return -1;
		if (tuple != NULL &&
		    tmpl_node_add(p, tuple, x, TMPL_OP_NONE) == -1)
			return -1;
		if (tuple == NULL)
			*ret = x;
		rc = tmpl_accept(p, ",");
		if (rc != 1)
			return rc;
		if (tuple == NULL) {
			tuple = tmpl_node_around(p, TMPL_X_TUPLE, x);
			if (tuple == NULL)
				return -1;
			*ret = tuple;
		}
		if (ends_tuple(p))
			return 0;
	}
}

int
tmpl_parse_tuple(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	return parse_many(p, ret, false);
}

int
tmpl_parse_for(
    struct tmpl_parser *p, bool names_only, struct tmpl_target **ret_target)
{
	struct tmpl_expr *x = NULL;

	if (parse_many(p, &x, true) == -1 ||
	    tmpl_to_target(p, x, ret_target) == -1)
		return -1;
	if (names_only && (*ret_target)->kind == TMPL_TO_INDEX)
		return tmpl_parse_unsupported(p, "an index as target of 'for'");
	return tmpl_expect(p, "in");
}
