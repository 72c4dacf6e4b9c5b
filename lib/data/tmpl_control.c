/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Control lines (spec yaml-and-templates.md 4.2): what may stand where, in
 * Mako's words, and, where Mako leaves it to Python, in Python's.
 */
#include <string.h>

#include "lib/data/tmpl_tree_internal.h"

static const struct {
	const char *word;
	/* It begins something. */
	bool is_primary;
	/* What it goes on with. */
	bool of[TMPL_KEYWORD_COUNT];
} keywords[TMPL_KEYWORD_COUNT] = {
	[TMPL_IF] = { .word = "if", .is_primary = true },
	[TMPL_FOR] = { .word = "for", .is_primary = true },
	[TMPL_WHILE] = { .word = "while", .is_primary = true },
	[TMPL_TRY] = { .word = "try", .is_primary = true },
	[TMPL_WITH] = { .word = "with", .is_primary = true },
	[TMPL_ELIF] = { .word = "elif", .of = { [TMPL_IF] = true } },
	[TMPL_ELSE] = { .word = "else",
	    .of = { [TMPL_IF] = true, [TMPL_FOR] = true } },
	[TMPL_EXCEPT] = { .word = "except", .of = { [TMPL_TRY] = true } },
};

#define TEXT(piece) (int)(piece).len, (piece).s

static bool
is_word(const struct tmpl_piece *p, const char *word)
{
	return p->len == strlen(word) && memcmp(p->s, word, p->len) == 0;
}

static struct tmpl_piece
cut(const struct tmpl_piece *p, size_t at, size_t end)
{
	return (struct tmpl_piece){ .s = p->s + at,
		.len = end - at,
		.pos = tmpl_pos_behind(p->pos, p->s, at) };
}

static size_t
skip_blanks(const struct tmpl_piece *p, size_t at)
{
	while (at < p->len && tmpl_is_blank(p->s[at]))
		at++;
	return at;
}

/* The colon that ends a control line: nothing but a comment is behind it. */
static bool
is_final_colon(const struct tmpl_piece *p, size_t at)
{
	if (p->s[at] != ':')
		return false;
	at = skip_blanks(p, at + 1);
	return at == p->len || p->s[at] == '#';
}

/* Takes "KEYWORD REST: # comment" apart as Mako's pattern does; false: it is
 * nothing of that kind. */
static bool
split(const struct tmpl_piece *line, struct tmpl_piece *ret_word,
    struct tmpl_piece *ret_rest)
{
	size_t word = 0, at, start;

	while (word < line->len && tmpl_is_word(line->s[word]))
		word++;
	*ret_word = cut(line, 0, word);
	start = skip_blanks(line, word);
	for (at = start; at < line->len; at++)
		if (is_final_colon(line, at))
			break;
	if (at == line->len || (start == word && at != word))
		return false;
	*ret_rest = cut(line, start, at);
	return true;
}

/* The innermost control line within the innermost tag, or NULL. */
static struct tmpl_tree_open *
control(struct tmpl_tree_parser *p)
{
	struct tmpl_tree_open *o = tmpl_tree_top(p);

	return o->first != NULL ? o : NULL;
}

/* Python wants these; Mako does not look. */
static int
check_order(struct tmpl_tree_parser *p, const struct tmpl_tree_open *o,
    enum tmpl_keyword next, struct tmpl_pos pos)
{
	enum tmpl_keyword last = o->last->keyword;

	if (last == TMPL_ELSE)
		return tmpl_tree_fail(
		    p, TMPL_SYNTAX_EXCEPTION, pos, "invalid syntax");
	if (last == TMPL_EXCEPT && next == TMPL_EXCEPT &&
	    o->last->except.class == TMPL_CLASS_NONE)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, o->last->pos,
		    "default 'except:' must be last");
	return 0;
}

static int
end(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct tmpl_piece *word)
{
	struct tmpl_tree_open *o = control(p);

	if (o == NULL)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, t->pos,
		    "No starting keyword '%.*s' for '%.*s'", TEXT(*word),
		    TEXT(t->s));
	if (!is_word(word, keywords[o->first->keyword].word))
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, t->pos,
		    "Keyword '%.*s' doesn't match keyword '%s'", TEXT(t->s),
		    keywords[o->first->keyword].word);
	if (o->last->keyword == TMPL_TRY)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, o->pos,
		    "expected 'except' or 'finally' block");
	p->depth--;
	return 0;
}

static void
note_target(const struct tmpl_name *name, void *ctx)
{
	/* What is out of memory is told by the next that asks. */
	(void)tmpl_tree_assign(ctx, name);
}

static int
compile_for(struct tmpl_tree_parser *p, struct tmpl_clause *cl,
    const struct tmpl_piece *rest)
{
	if (tmpl_compile_for(
		p->c, rest->s, rest->len, rest->pos, &cl->loop, p->f) < 0)
		return -1;
	tmpl_target_names(cl->loop.target, note_target, p);
	tmpl_expr_reads(cl->loop.expr, tmpl_tree_note_read, p);
	return 0;
}

static int
compile(struct tmpl_tree_parser *p, struct tmpl_clause *cl,
    const struct tmpl_piece *rest)
{
	switch (cl->keyword) {
	case TMPL_FOR:
		return compile_for(p, cl, rest);
	case TMPL_EXCEPT:
		if (tmpl_compile_except(p->c, rest->s, rest->len, rest->pos,
			&cl->except, p->f) < 0)
			return -1;
		return cl->except.name != NULL
		    ? tmpl_tree_assign(p, cl->except.name)
		    : 0;
	case TMPL_TRY:
	case TMPL_ELSE:
		if (rest->len > 0)
			return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION,
			    rest->pos, "invalid syntax");
		return 0;
	case TMPL_WITH:
		return tmpl_tree_unsupported(p, cl->pos, "'with' statement");
	default:
		if (tmpl_compile_expr(p->c, rest->s, rest->len, rest->pos,
			&cl->expr, p->f) < 0)
			return -1;
		tmpl_expr_reads(cl->expr, tmpl_tree_note_read, p);
		return 0;
	}
}

static int
open_control(struct tmpl_tree_parser *p, struct tmpl_clause *cl)
{
	struct tmpl_node *n = tmpl_tree_add(p, TMPL_NODE_CONTROL, cl->pos);
	struct tmpl_tree_open open = { .pos = cl->pos,
		.word = { .s = keywords[cl->keyword].word,
		    .len = strlen(keywords[cl->keyword].word) },
		.first = cl,
		.last = cl,
		.nodes = &cl->body,
		.func = tmpl_tree_top(p)->func };

	if (n == NULL)
		return -1;
	n->u.clauses = cl;
	return tmpl_tree_push(p, &open);
}

static int
go_on(struct tmpl_tree_parser *p, struct tmpl_clause *cl)
{
	struct tmpl_tree_open *o = control(p);
	const char *word = keywords[cl->keyword].word;

	if (o == NULL)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, cl->pos,
		    "'%s' without a control line that it goes on with", word);
	if (!keywords[cl->keyword].of[o->first->keyword])
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, cl->pos,
		    "Keyword '%s' not a legal ternary for keyword '%s'", word,
		    keywords[o->first->keyword].word);
	if (check_order(p, o, cl->keyword, cl->pos) < 0)
		return -1;
	o->last->next = cl;
	o->last = cl;
	o->nodes = &cl->body;
	return 0;
}

static int
begin(struct tmpl_tree_parser *p, enum tmpl_keyword k,
    const struct tmpl_token *t, const struct tmpl_piece *rest)
{
	struct tmpl_clause *cl = arena_alloc(p->a, sizeof(*cl));

	if (cl == NULL)
		return tmpl_tree_nomem(p);
	cl->keyword = k;
	cl->pos = t->pos;
	/* A loop that is open sees its own line's names. */
	if (keywords[k].is_primary)
		return open_control(p, cl) < 0 ? -1 : compile(p, cl, rest);
	return go_on(p, cl) < 0 ? -1 : compile(p, cl, rest);
}

static struct tmpl_piece
strip_end(struct tmpl_piece line)
{
	while (line.len > 0 && tmpl_is_blank(line.s[line.len - 1]))
		line.len--;
	return line;
}

int
tmpl_tree_control(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	struct tmpl_piece line = strip_end(t->s), word, rest;
	size_t n = 0;

	while (n < line.len && tmpl_is_word(line.s[n]))
		n++;
	if (n == 0)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, t->pos,
		    "Invalid control line: '%.*s'", TEXT(t->s));
	if (n > 3 && memcmp(line.s, "end", 3) == 0) {
		word = cut(&line, 3, n);
		return end(p, t, &word);
	}
	if (!split(&line, &word, &rest))
		return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
		    "Fragment '%.*s' is not a partial control statement",
		    TEXT(t->s));
	for (unsigned k = 0; k < TMPL_KEYWORD_COUNT; k++)
		if (is_word(&word, keywords[k].word))
			return begin(p, (enum tmpl_keyword)k, t, &rest);
	return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
	    "Unsupported control keyword: '%.*s'", TEXT(word));
}
