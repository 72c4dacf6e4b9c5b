/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Statements of code blocks.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

static int parse_suite(struct tmpl_parser *p, struct tmpl_stmt **ret);

static struct tmpl_stmt *
new_stmt(struct tmpl_parser *p, enum tmpl_stmt_kind kind)
{
	struct tmpl_stmt *s;

	s = arena_calloc(p->c->a, 1, sizeof(*s));
	if (s == NULL) {
		(void)tmpl_parse_nomem(p);
		return NULL;
	}
	s->kind = kind;
	s->pos = p->lex.token.pos;
	return s;
}

/* Targets */

static int
reserved(struct tmpl_parser *p, const struct tmpl_expr *x)
{
	return tmpl_syntax(p->f, p->c->a, x->pos, TMPL_NAME_CONFLICT_ERROR,
	    "Reserved words declared in template: %s", x->name->s);
}

static int
tuple_target(
    struct tmpl_parser *p, const struct tmpl_expr *x, struct tmpl_target *t)
{
	size_t i;

	t->kind = TMPL_TO_TUPLE;
	t->n = x->n;
	t->items =
	    arena_calloc(p->c->a, x->n + 1, sizeof(struct tmpl_target *));
	if (t->items == NULL)
		return tmpl_parse_nomem(p);
	for (i = 0; i < x->n; i++) {
		if (tmpl_to_target(p, x->kids[i], &t->items[i]) == -1)
			return -1;
	}
	return 0;
}

int
tmpl_to_target(
    struct tmpl_parser *p, const struct tmpl_expr *x, struct tmpl_target **ret)
{
	struct tmpl_target *t;

	t = arena_calloc(p->c->a, 1, sizeof(*t));
	if (t == NULL)
		return tmpl_parse_nomem(p);
	*ret = t;
	t->pos = x->pos;
	switch ((int)x->kind) {
	case TMPL_X_NAME:
	case TMPL_X_CONTEXT:
		if (tmpl_is_reserved(x->name))
			return reserved(p, x);
		t->kind = TMPL_TO_NAME;
		t->name = x->name;
		return 0;
	case TMPL_X_TUPLE:
	case TMPL_X_LIST:
		return tuple_target(p, x, t);
	case TMPL_X_INDEX:
		t->kind = TMPL_TO_INDEX;
		t->object = x->kids[0];
		t->key = x->kids[1];
		return 0;
	case TMPL_X_SLICE:
		return tmpl_syntax_unsupported(
		    p->f, p->c->a, x->pos, "assignment to a slice");
	case TMPL_X_ATTR:
		return tmpl_syntax_unsupported(
		    p->f, p->c->a, x->pos, "assignment to an attribute");
	default:
		return tmpl_syntax(p->f, p->c->a, x->pos, TMPL_SYNTAX_EXCEPTION,
		    "cannot assign to expression");
	}
}

/* Simple statements */

static const struct {
	const char *text;
	enum tmpl_op op;
} augmented[] = {
	{ "+=", TMPL_OP_ADD },
	{ "-=", TMPL_OP_SUB },
	{ "*=", TMPL_OP_MUL },
	{ "/=", TMPL_OP_DIV },
	{ "//=", TMPL_OP_FLOORDIV },
	{ "%=", TMPL_OP_MOD },
	{ "**=", TMPL_OP_POW },
	{ "&=", TMPL_OP_AND },
	{ "|=", TMPL_OP_OR },
	{ "^=", TMPL_OP_XOR },
	{ "<<=", TMPL_OP_LSHIFT },
	{ ">>=", TMPL_OP_RSHIFT },
};

static int
add_target(struct tmpl_parser *p, struct tmpl_stmt *s, struct tmpl_expr *x)
{
	struct tmpl_target **targets;

	/* One more each time: there are few. */
	targets = arena_calloc(p->c->a, s->n + 1, sizeof(struct tmpl_target *));
	if (targets == NULL)
		return tmpl_parse_nomem(p);
	if (s->n > 0)
		memcpy(
		    targets, s->targets, s->n * sizeof(struct tmpl_target *));
	s->targets = targets;
	return tmpl_to_target(p, x, &s->targets[s->n++]);
}

static int
parse_augmented(struct tmpl_parser *p, struct tmpl_stmt *s, struct tmpl_expr *x,
    enum tmpl_op op)
{
	s->kind = TMPL_S_AUGMENT;
	s->op = (unsigned char)op;
	if (x->kind == TMPL_X_TUPLE || x->kind == TMPL_X_LIST)
		return tmpl_syntax(p->f, p->c->a, x->pos, TMPL_SYNTAX_EXCEPTION,
		    "a tuple or list is an illegal target for augmented "
		    "assignment");
	if (add_target(p, s, x) == -1)
		return -1;
	return tmpl_parse_tuple(p, &s->expr);
}

/* An expression, or what it is assigned to. */
static int
parse_expression(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	struct tmpl_expr *x;
	size_t i;
	int rc;

	if (tmpl_peek(p, "@"))
		return tmpl_parse_unsupported(p, "a decorator");
	if (tmpl_parse_tuple(p, &x) == -1)
		return -1;
	for (i = 0; i < ARRAY_LEN(augmented); i++) {
		rc = tmpl_accept(p, augmented[i].text);
		if (rc != 0)
			return rc == -1
			    ? -1
			    : parse_augmented(p, s, x, augmented[i].op);
	}
	if (tmpl_peek(p, "@="))
		return tmpl_parse_unsupported(p, "'@='");
	if (tmpl_peek(p, ":"))
		return tmpl_parse_unsupported(p, "an annotation");
	while ((rc = tmpl_accept(p, "=")) == 1) {
		s->kind = TMPL_S_ASSIGN;
		if (s->n >= UINT8_MAX)
			return tmpl_parse_unsupported(p, "so many targets");
		if (add_target(p, s, x) == -1 || tmpl_parse_tuple(p, &x) == -1)
			return -1;
	}
	s->expr = x;
	return rc;
}

static bool
at_end(const struct tmpl_parser *p)
{
	return p->lex.token.type == TMPL_T_NEWLINE ||
	    p->lex.token.type == TMPL_T_END || tmpl_peek(p, ";");
}

static int
parse_return(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	return at_end(p) ? 0 : tmpl_parse_tuple(p, &s->expr);
}

static int
parse_flow(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	(void)s;
	if (p->loops == 0)
		p->breaks = true;
	return 0;
}

static int
parse_pass(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	(void)p;
	(void)s;
	return 0;
}

static int
parse_assert(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	int rc;

	if (tmpl_parse_expr(p, &s->expr) == -1)
		return -1;
	rc = tmpl_accept(p, ",");
	if (rc == 1)
		rc = tmpl_parse_expr(p, &s->second);
	return rc;
}

/* "raise Class" or "raise Class(arguments)" */
static int
parse_raise(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	const struct tmpl_expr_token *t = &p->lex.token;
	int rc;

	if (at_end(p))
		return tmpl_parse_unsupported(
		    p, "'raise' without an exception");
	if (tmpl_parse_check_name(p, t) == -1)
		return -1;
	s->class = tmpl_class_find(t->s, t->len);
	if (!tmpl_class_is(s->class, TMPL_EXCEPTION) ||
	    s->class >= TMPL_RUNTIME_EXCEPTION)
		return tmpl_syntax_unsupported(p->f, p->c->a, t->pos,
		    "'raise' of '%.*s'", t->len > 60 ? 60 : (int)t->len, t->s);
	s->second = tmpl_node(p, TMPL_X_TUPLE, t->pos);
	if (s->second == NULL || tmpl_lex_next(&p->lex) == -1)
		return -1;
	rc = tmpl_accept(p, "(");
	if (rc == 1)
		rc = tmpl_parse_arguments(p, s->second);
	if (rc == 0 && s->second->n_kw > 0)
		return tmpl_parse_unsupported(
		    p, "a keyword argument of an exception");
	if (rc == 0 && !at_end(p))
		return tmpl_peek(p, "from")
		    ? tmpl_parse_unsupported(p, "'raise from'")
		    : tmpl_unexpected(p);
	return rc;
}

static const struct {
	const char *word;
	enum tmpl_stmt_kind kind;
	/* Called behind the word. */
	int (*parse)(struct tmpl_parser *p, struct tmpl_stmt *s);
} simple[] = {
	{ "assert", TMPL_S_ASSERT, parse_assert },
	{ "break", TMPL_S_BREAK, parse_flow },
	{ "continue", TMPL_S_CONTINUE, parse_flow },
	{ "pass", TMPL_S_PASS, parse_pass },
	{ "raise", TMPL_S_RAISE, parse_raise },
	{ "return", TMPL_S_RETURN, parse_return },
};

/* Words that begin statements which are not here. */
static const char *const refused[] = { "import", "from", "def", "class", "with",
	"try", "lambda", "del", "global", "nonlocal", "yield", "async",
	"await" };

static int
check_refused(struct tmpl_parser *p)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(refused); i++) {
		if (tmpl_peek(p, refused[i]))
			return tmpl_syntax_unsupported(p->f, p->c->a,
			    p->lex.token.pos, "'%s' statement", refused[i]);
	}
	return 0;
}

static int
parse_simple(struct tmpl_parser *p, struct tmpl_stmt **ret)
{
	size_t i;
	int rc;

	if (check_refused(p) == -1)
		return -1;
	*ret = new_stmt(p, TMPL_S_EXPR);
	if (*ret == NULL)
		return -1;
	for (i = 0; i < ARRAY_LEN(simple); i++) {
		rc = tmpl_accept(p, simple[i].word);
		if (rc == 0)
			continue;
		(*ret)->kind = simple[i].kind;
		return rc == -1 ? -1 : simple[i].parse(p, *ret);
	}
	return parse_expression(p, *ret);
}

/* Simple statements up to the end of the line; *tail moves to the last. */
static int
parse_line(struct tmpl_parser *p, struct tmpl_stmt ***tail)
{
	int rc;

	for (;;) {
		if (parse_simple(p, *tail) == -1)
			return -1;
		*tail = &(**tail)->next;
		rc = tmpl_accept(p, ";");
		if (rc == -1)
			return -1;
		if (rc == 0 || at_end(p))
			break;
	}
	if (p->lex.token.type != TMPL_T_NEWLINE)
		return tmpl_unexpected(p);
	return tmpl_lex_next(&p->lex);
}

/* Compound statements */

static int parse_if(struct tmpl_parser *p, struct tmpl_stmt *s);

/* "else:" and its suite, when it is there. */
static int
parse_else(struct tmpl_parser *p, struct tmpl_stmt **ret)
{
	int rc;

	rc = tmpl_accept(p, "else");
	return rc == 1 ? parse_suite(p, ret) : rc;
}

static int
parse_if(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	int rc;

	/* Each elif is an if of its own in the branch before. */
	for (;;) {
		if (tmpl_parse_expr(p, &s->expr) == -1 ||
		    parse_suite(p, &s->body) == -1)
			return -1;
		if (!tmpl_peek(p, "elif"))
			return parse_else(p, &s->other);
		s->other = new_stmt(p, TMPL_S_IF);
		if (s->other == NULL)
			return -1;
		rc = tmpl_lex_next(&p->lex);
		if (rc == -1)
			return -1;
		s = s->other;
	}
}

static int
parse_loop(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	p->loops++;
	if (parse_suite(p, &s->body) == -1)
		return -1;
	p->loops--;
	return parse_else(p, &s->other);
}

static int
parse_while(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	if (tmpl_parse_expr(p, &s->expr) == -1)
		return -1;
	return parse_loop(p, s);
}

static int
parse_for(struct tmpl_parser *p, struct tmpl_stmt *s)
{
	s->n = 1;
	s->targets = arena_calloc(p->c->a, 1, sizeof(struct tmpl_target *));
	if (s->targets == NULL)
		return tmpl_parse_nomem(p);
	if (tmpl_parse_for(p, false, &s->targets[0]) == -1 ||
	    tmpl_parse_tuple(p, &s->expr) == -1)
		return -1;
	return parse_loop(p, s);
}

static const struct {
	const char *word;
	enum tmpl_stmt_kind kind;
	int (*parse)(struct tmpl_parser *p, struct tmpl_stmt *s);
} compound[] = {
	{ "if", TMPL_S_IF, parse_if },
	{ "for", TMPL_S_FOR, parse_for },
	{ "while", TMPL_S_WHILE, parse_while },
};

static int
parse_statement(struct tmpl_parser *p, struct tmpl_stmt ***tail)
{
	struct tmpl_stmt *s;
	size_t i;

	for (i = 0; i < ARRAY_LEN(compound); i++) {
		if (!tmpl_peek(p, compound[i].word))
			continue;
		s = new_stmt(p, compound[i].kind);
		if (s == NULL || tmpl_lex_next(&p->lex) == -1 ||
		    compound[i].parse(p, s) == -1)
			return -1;
		**tail = s;
		*tail = &s->next;
		return 0;
	}
	return parse_line(p, tail);
}

static int
parse_until(struct tmpl_parser *p, enum tmpl_expr_token_type end,
    struct tmpl_stmt **ret)
{
	struct tmpl_stmt **tail = ret;

	while (p->lex.token.type != end) {
		if (parse_statement(p, &tail) == -1)
			return -1;
	}
	return 0;
}

/* ":" and statements: on the same line, or indented on the next. */
static int
parse_suite(struct tmpl_parser *p, struct tmpl_stmt **ret)
{
	struct tmpl_stmt **tail = ret;

	if (!tmpl_peek(p, ":"))
		return tmpl_syntax(p->f, p->c->a, p->lex.token.pos,
		    TMPL_SYNTAX_EXCEPTION, "expected ':'");
	if (tmpl_lex_next(&p->lex) == -1)
		return -1;
	if (p->lex.token.type != TMPL_T_NEWLINE)
		return parse_line(p, &tail);
	if (tmpl_lex_next(&p->lex) == -1)
		return -1;
	if (p->lex.token.type != TMPL_T_INDENT)
		return tmpl_syntax(p->f, p->c->a, p->lex.token.pos,
		    TMPL_SYNTAX_EXCEPTION, "expected an indented block");
	if (tmpl_lex_next(&p->lex) == -1 ||
	    parse_until(p, TMPL_T_DEDENT, ret) == -1)
		return -1;
	return tmpl_lex_next(&p->lex);
}

int
tmpl_parse_statements(struct tmpl_parser *p, struct tmpl_stmt **ret)
{
	*ret = NULL;
	return parse_until(p, TMPL_T_END, ret);
}
