/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Names and nodes of trees, and the small steps of the parser.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

#define NAMES_FIRST 32

struct tmpl_compiler *
tmpl_compiler_new(struct arena *a)
{
	struct tmpl_compiler *c;

	c = arena_calloc(a, 1, sizeof(*c));
	if (c == NULL)
		return NULL;
	c->a = a;
	c->cap = NAMES_FIRST;
	c->slots = arena_calloc(a, c->cap, sizeof(struct tmpl_name *));
	return c->slots != NULL ? c : NULL;
}

size_t
tmpl_name_count(const struct tmpl_compiler *c)
{
	return c->n;
}

/* Where the name is, or would be. */
static size_t
slot_of(struct tmpl_name *const *slots, size_t cap, const char *s, size_t len)
{
	uint32_t h = 2166136261U;
	size_t i;

	for (i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619U;
	for (i = h & (cap - 1); slots[i] != NULL; i = (i + 1) & (cap - 1)) {
		if (slots[i]->len == len && memcmp(slots[i]->s, s, len) == 0)
			break;
	}
	return i;
}

static bool
grow(struct tmpl_compiler *c)
{
	struct tmpl_name **slots;
	size_t i, cap = c->cap * 2;

	slots = arena_calloc(c->a, cap, sizeof(struct tmpl_name *));
	if (slots == NULL)
		return false;
	for (i = 0; i < c->cap; i++) {
		if (c->slots[i] != NULL)
			slots[slot_of(slots, cap, c->slots[i]->s,
			    c->slots[i]->len)] = c->slots[i];
	}
	c->slots = slots;
	c->cap = cap;
	return true;
}

const struct tmpl_name *
tmpl_name(struct tmpl_compiler *c, const char *s, size_t len)
{
	struct tmpl_name *name;
	size_t i;

	i = slot_of(c->slots, c->cap, s, len);
	if (c->slots[i] != NULL)
		return c->slots[i];
	if (c->n >= c->cap / 2) {
		if (!grow(c))
			return NULL;
		i = slot_of(c->slots, c->cap, s, len);
	}
	name = arena_calloc(c->a, 1, sizeof(*name));
	if (name == NULL)
		return NULL;
	name->s = arena_strndup(c->a, s, len);
	if (name->s == NULL)
		return NULL;
	name->len = len;
	name->id = (unsigned)c->n++;
	c->slots[i] = name;
	return name;
}

struct tmpl_expr *
tmpl_node(struct tmpl_parser *p, enum tmpl_kind kind, struct tmpl_pos pos)
{
	struct tmpl_expr *x;

	x = arena_calloc(p->c->a, 1, sizeof(*x));
	if (x == NULL) {
		(void)tmpl_parse_nomem(p);
		return NULL;
	}
	x->kind = kind;
	x->pos = pos;
	x->height = 1;
	return x;
}

static int
grow_kids(struct tmpl_parser *p, struct tmpl_expr *x)
{
	size_t cap = x->cap == 0 ? 2 : x->cap * 2;
	struct tmpl_expr **kids;
	unsigned char *ops;

	kids = arena_calloc(p->c->a, cap, sizeof(struct tmpl_expr *));
	ops = arena_calloc(p->c->a, cap, 1);
	if (kids == NULL || ops == NULL)
		return tmpl_parse_nomem(p);
	if (x->n > 0) {
		memcpy(kids, x->kids, x->n * sizeof(struct tmpl_expr *));
		memcpy(ops, x->ops, x->n);
	}
	x->kids = kids;
	x->ops = ops;
	x->cap = cap;
	return 0;
}

int
tmpl_node_add(struct tmpl_parser *p, struct tmpl_expr *x, struct tmpl_expr *kid,
    enum tmpl_op op)
{
	if (x->n == x->cap && grow_kids(p, x) == -1)
		return -1;
	x->kids[x->n] = kid;
	x->ops[x->n++] = (unsigned char)op;
	return tmpl_node_above(p, x, kid);
}

int
tmpl_node_above(
    struct tmpl_parser *p, struct tmpl_expr *x, const struct tmpl_expr *below)
{
	if (below != NULL && below->height >= x->height)
		x->height = below->height + 1;
	if (x->height > TMPL_HEIGHT_MAX)
		return tmpl_syntax(p->f, p->c->a, x->pos, TMPL_LIMIT,
		    "an expression nested too deeply");
	return 0;
}

struct tmpl_expr *
tmpl_node_around(
    struct tmpl_parser *p, enum tmpl_kind kind, struct tmpl_expr *kid)
{
	struct tmpl_expr *x;

	x = tmpl_node(p, kind, kid->pos);
	if (x == NULL || tmpl_node_add(p, x, kid, TMPL_OP_NONE) == -1)
		return NULL;
	return x;
}

int
tmpl_parse_nomem(struct tmpl_parser *p)
{
	/* Finds the arena latched, and says so. */
	return tmpl_syntax(p->f, p->c->a, p->lex.token.pos, TMPL_MEMORY_ERROR,
	    "out of memory");
}

int
tmpl_parse_init(struct tmpl_parser *p, struct tmpl_compiler *c,
    enum tmpl_lex_mode mode, const char *s, size_t len, struct tmpl_pos pos,
    struct tmpl_fault *f)
{
	*p = (struct tmpl_parser){ .c = c, .f = f };
	if (tmpl_lex_init(&p->lex, c->a, mode, s, len, pos, f) == -1)
		return -1;
	return tmpl_lex_next(&p->lex);
}

bool
tmpl_peek(const struct tmpl_parser *p, const char *text)
{
	return tmpl_token_is(&p->lex.token, text);
}

int
tmpl_accept(struct tmpl_parser *p, const char *text)
{
	if (!tmpl_peek(p, text))
		return 0;
	return tmpl_lex_next(&p->lex) == -1 ? -1 : 1;
}

int
tmpl_expect(struct tmpl_parser *p, const char *text)
{
	int rc;

	rc = tmpl_accept(p, text);
	if (rc == 0)
		return tmpl_unexpected(p);
	return rc == 1 ? 0 : -1;
}

int
tmpl_unexpected(struct tmpl_parser *p)
{
	const struct tmpl_expr_token *t = &p->lex.token;

	switch (t->type) {
	case TMPL_T_INDENT:
		return tmpl_syntax(p->f, p->c->a, t->pos, TMPL_SYNTAX_EXCEPTION,
		    "unexpected indent");
	case TMPL_T_END:
	case TMPL_T_NEWLINE:
	case TMPL_T_DEDENT:
		return tmpl_syntax(p->f, p->c->a, t->pos, TMPL_SYNTAX_EXCEPTION,
		    "invalid syntax");
	case TMPL_T_NAME:
	case TMPL_T_NUMBER:
	case TMPL_T_STRING:
	case TMPL_T_OP:
		break;
	}
	return tmpl_syntax(p->f, p->c->a, t->pos, TMPL_SYNTAX_EXCEPTION,
	    "invalid syntax near '%.*s'", t->len > 60 ? 60 : (int)t->len, t->s);
}

/* Words of Python that are no names; unsupported ones name what they begin. */
static const struct {
	const char *word;
	bool unsupported;
} keywords[] = {
	{ "False", false },
	{ "None", false },
	{ "True", false },
	{ "and", false },
	{ "as", false },
	{ "assert", false },
	{ "async", true },
	{ "await", true },
	{ "break", false },
	{ "class", true },
	{ "continue", false },
	{ "def", true },
	{ "del", true },
	{ "elif", false },
	{ "else", false },
	{ "except", false },
	{ "finally", false },
	{ "for", false },
	{ "from", true },
	{ "global", true },
	{ "if", false },
	{ "import", true },
	{ "in", false },
	{ "is", false },
	{ "lambda", true },
	{ "nonlocal", true },
	{ "not", false },
	{ "or", false },
	{ "pass", false },
	{ "raise", false },
	{ "return", false },
	{ "try", true },
	{ "while", false },
	{ "with", true },
	{ "yield", true },
};

int
tmpl_parse_check_name(struct tmpl_parser *p, const struct tmpl_expr_token *t)
{
	size_t i;

	if (t->type != TMPL_T_NAME)
		return tmpl_unexpected(p);
	for (i = 0; i < ARRAY_LEN(keywords); i++) {
		if (!tmpl_token_is(t, keywords[i].word))
			continue;
		if (!keywords[i].unsupported)
			return tmpl_unexpected(p);
		return tmpl_syntax_unsupported(
		    p->f, p->c->a, t->pos, "'%s'", keywords[i].word);
	}
	if (t->len > 1 && t->s[0] == '_' && t->s[1] == '_')
		return tmpl_syntax_unsupported(p->f, p->c->a, t->pos,
		    "name '%.*s'", t->len > 60 ? 60 : (int)t->len, t->s);
	return 0;
}

bool
tmpl_is_reserved(const struct tmpl_name *name)
{
	static const char *const words[] = { "context", "loop", "UNDEFINED",
		"STOP_RENDERING" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], name->s) == 0)
			return true;
	}
	return false;
}

int
tmpl_parse_unsupported(struct tmpl_parser *p, const char *what)
{
	return tmpl_syntax_unsupported(
	    p->f, p->c->a, p->lex.token.pos, "%s", what);
}
