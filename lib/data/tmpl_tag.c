/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tags of templates (spec yaml-and-templates.md 4.6, 4.7): one row for each,
 * with its attributes; what Mako has and we have not is a row, too, so that it
 * is refused by its name.
 */
#include <string.h>

#include "lib/data/tmpl_tree_internal.h"

#define ATTRS_MAX 8
#define TEXT(piece) (int)(piece).len, (piece).s

enum attr_flags {
	/* ${...} may be in it. */
	ATTR_EXPR = 1,
	ATTR_REQUIRED = 2,
	/* Only "False" is taken. */
	ATTR_OFF = 4,
	ATTR_UNSUPPORTED = 8,
};

struct attr {
	const char *name;
	int flags;
};

/* The values of a tag's attributes, in the order of its row; s NULL: absent. */
struct values {
	struct tmpl_piece v[ATTRS_MAX];
};

struct tag {
	const char *name;
	/* NULL: not supported. */
	int (*open)(struct tmpl_tree_parser *p, const struct tmpl_token *t,
	    const struct values *v);
	struct attr attrs[ATTRS_MAX];
};

static bool
is_text(const struct tmpl_piece *p, const char *text)
{
	return p->s != NULL && p->len == strlen(text) &&
	    memcmp(p->s, text, p->len) == 0;
}

/* Tags */

enum {
	INCLUDE_FILE,
	INCLUDE_ARGS,
	INCLUDE_IMPORT
};
enum {
	PAGE_ARGS,
	PAGE_FILTER,
	PAGE_LOOP
};
enum {
	DEF_NAME,
	DEF_FILTER,
	DEF_BUFFERED
};
enum {
	TEXT_FILTER
};

/* What is open for the body of a tag that has ended already is not used. */
static int
push(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    struct tmpl_nodes *nodes, struct tmpl_func *func)
{
	struct tmpl_tree_open open = {
		.pos = t->pos, .word = t->s, .nodes = nodes, .func = func
	};

	return t->is_closed ? 0 : tmpl_tree_push(p, &open);
}

static int
add_part(struct tmpl_tree_parser *p, struct tmpl_part ***tail,
    const struct tmpl_piece *text, size_t at, size_t end, bool is_expr)
{
	struct tmpl_part *part = arena_alloc(p->a, sizeof(*part));

	if (part == NULL)
		return tmpl_tree_nomem(p);
	part->text.s = text->s + at;
	part->text.len = end - at;
	part->text.pos = tmpl_pos_behind(text->pos, text->s, at);
	**tail = part;
	*tail = &part->next;
	if (!is_expr)
		return 0;
	return tmpl_compile_expr(p->c, part->text.s, part->text.len,
	    part->text.pos, &part->expr, p->f);
}

/* "a${b}c": an expression ends at the first brace that is not its first
 * character, whatever stands in it. */
static int
compile_parts(struct tmpl_tree_parser *p, const struct tmpl_piece *text,
    struct tmpl_part **ret)
{
	struct tmpl_part **tail = ret;
	size_t from = 0;

	for (size_t at = 0; at + 3 < text->len; at++) {
		const char *end;
		size_t n;

		if (memcmp(text->s + at, "${", 2) != 0)
			continue;
		end = memchr(text->s + at + 3, '}', text->len - at - 3);
		if (end == NULL)
			break;
		n = (size_t)(end - text->s);
		if ((at > from &&
			add_part(p, &tail, text, from, at, false) < 0) ||
		    add_part(p, &tail, text, at + 2, n, true) < 0)
			return -1;
		from = n + 1;
		at = n;
	}
	return from < text->len
	    ? add_part(p, &tail, text, from, text->len, false)
	    : 0;
}

static int
open_include(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct values *v)
{
	const struct tmpl_piece *args = &v->v[INCLUDE_ARGS];
	struct tmpl_node *n = tmpl_tree_add(p, TMPL_NODE_INCLUDE, t->pos);
	struct tmpl_nodes *unused = arena_alloc(p->a, sizeof(*unused));

	if (n == NULL || unused == NULL)
		return tmpl_tree_nomem(p);
	if (compile_parts(p, &v->v[INCLUDE_FILE], &n->u.include.file) < 0 ||
	    (args->s != NULL &&
		tmpl_compile_call(p->c, args->s, args->len, args->pos,
		    &n->u.include.args, p->f) < 0))
		return -1;
	return push(p, t, unused, tmpl_tree_top(p)->func);
}

static int
add_params(struct tmpl_tree_parser *p, struct tmpl_func *f)
{
	for (size_t i = 0; i < f->params.n; i++) {
		if (strcmp(f->params.names[i]->s, "str") == 0)
			return tmpl_tree_unsupported(
			    p, f->pos, "a name 'str' of your own");
		if (tmpl_tree_add_name(p, &f->locals, f->params.names[i]) < 0)
			return -1;
	}
	return 0;
}

static int
open_page(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct values *v)
{
	const struct tmpl_piece *args = &v->v[PAGE_ARGS],
				*on = &v->v[PAGE_LOOP];

	if (!t->is_closed)
		return tmpl_tree_unsupported(
		    p, t->pos, "tag <%%page> with a body");
	/* Mako takes the attributes of one and names of another. */
	if (p->t->has_page)
		return tmpl_tree_unsupported(
		    p, t->pos, "a second tag <%%page>");
	p->t->has_page = true;
	if (on->s != NULL && !is_text(on, "True") && !is_text(on, "False"))
		return tmpl_tree_unsupported(
		    p, t->pos, "enable_loop=\"%.*s\"", TEXT(*on));
	if (v->v[PAGE_FILTER].s != NULL &&
	    tmpl_filters_compile(
		p->c, p->a, &v->v[PAGE_FILTER], &p->t->page_filters, p->f) < 0)
		return -1;
	if (args->s == NULL)
		return 0;
	if (tmpl_compile_params(p->c, args->s, args->len, args->pos, false,
		&p->t->body.params, p->f) < 0)
		return -1;
	return add_params(p, &p->t->body);
}

static int
open_text(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct values *v)
{
	const struct tmpl_piece *filter = &v->v[TEXT_FILTER];
	struct tmpl_node *n;

	if (t->is_closed)
		return 0;
	n = tmpl_tree_add(
	    p, filter->s != NULL ? TMPL_NODE_FILTERED : TMPL_NODE_TEXT, t->pos);
	if (n == NULL)
		return -1;
	if (!tmpl_lexer_raw(&p->lx, &n->u.text))
		return tmpl_tree_fail(
		    p, TMPL_SYNTAX_EXCEPTION, t->pos, "Unclosed tag: <%%text>");
	n->pos = n->u.text.pos;
	if (filter->s != NULL &&
	    tmpl_filters_compile(p->c, p->a, filter, &n->filters, p->f) < 0)
		return -1;
	return push(p, t, tmpl_tree_top(p)->nodes, tmpl_tree_top(p)->func);
}

/* Functions */

/* The innermost tag that is open; NULL: none. */
static const struct tmpl_tree_open *
enclosing_tag(const struct tmpl_tree_parser *p)
{
	for (size_t i = p->depth; i > 0; i--)
		if (p->open[i].first == NULL)
			return &p->open[i];
	return NULL;
}

/* Puts f among the defs, in place of a def of the same name. */
static int
register_func(struct tmpl_tree_parser *p, struct tmpl_func *f)
{
	struct tmpl_func **at;

	for (at = &p->t->defs; *at != NULL; at = &(*at)->next) {
		if ((*at)->name != f->name)
			continue;
		if (f->is_block || (*at)->is_block)
			return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, f->pos,
			    "%%def or %%block named '%s' already exists in "
			    "this template.",
			    f->name->s);
		f->next = (*at)->next;
		*at = f;
		return 0;
	}
	if (p->t->defs_n == TMPL_NAMES_MAX)
		return tmpl_tree_fail(p, TMPL_LIMIT, f->pos,
		    "more than %d defs and named blocks", TMPL_NAMES_MAX);
	*at = f;
	p->t->defs_n++;
	return 0;
}

static struct tmpl_func *
new_func(struct tmpl_tree_parser *p, const struct tmpl_token *t, bool is_block)
{
	struct tmpl_func *f = arena_alloc(p->a, sizeof(*f));

	if (f == NULL) {
		(void)tmpl_tree_nomem(p);
		return NULL;
	}
	f->pos = t->pos;
	f->is_block = is_block;
	f->outer = tmpl_tree_top(p)->func;
	return f;
}

static bool
has_only_words(const struct tmpl_piece *p)
{
	for (size_t i = 0; i < p->len; i++)
		if (!tmpl_is_word(p->s[i]))
			return false;
	return p->len > 0;
}

static int
open_def(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct values *v)
{
	const struct tmpl_piece *name = &v->v[DEF_NAME],
				*buffered = &v->v[DEF_BUFFERED];
	const struct tmpl_tree_open *around = enclosing_tag(p);
	struct tmpl_func *f = new_func(p, t, false);

	if (f == NULL)
		return -1;
	if (has_only_words(name))
		return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
		    "Missing parenthesis in %%def");
	if (around != NULL)
		return tmpl_tree_unsupported(p, t->pos,
		    "tag <%%def> within <%%%.*s>", TEXT(around->word));
	f->is_buffered = is_text(buffered, "True");
	if (buffered->s != NULL && !f->is_buffered &&
	    !is_text(buffered, "False"))
		return tmpl_tree_unsupported(
		    p, t->pos, "buffered=\"%.*s\"", TEXT(*buffered));
	if (tmpl_compile_params(p->c, name->s, name->len, name->pos, true,
		&f->params, p->f) < 0 ||
	    (v->v[DEF_FILTER].s != NULL &&
		tmpl_filters_compile(
		    p->c, p->a, &v->v[DEF_FILTER], &f->filters, p->f) < 0))
		return -1;
	f->name = f->params.name;
	if (add_params(p, f) < 0 || register_func(p, f) < 0)
		return -1;
	return push(p, t, &f->body, f);
}

static int
name_block(struct tmpl_tree_parser *p, const struct tmpl_piece *name,
    struct tmpl_func *f)
{
	const struct tmpl_tree_open *around = enclosing_tag(p);

	if (!has_only_words(name))
		return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, f->pos,
		    "%%block may not specify an argument signature");
	for (const struct tmpl_func *o = f->outer; o != NULL; o = o->outer)
		if (o->name != NULL && !o->is_block)
			return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, f->pos,
			    "Named block '%.*s' not allowed inside of def '%s'",
			    TEXT(*name), o->name->s);
	if (around != NULL && !is_text(&around->word, "block"))
		return tmpl_tree_unsupported(p, f->pos,
		    "tag <%%block> within <%%%.*s>", TEXT(around->word));
	f->name = tmpl_name(p->c, name->s, name->len);
	if (f->name == NULL)
		return tmpl_tree_nomem(p);
	return register_func(p, f);
}

static int
open_block(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct values *v)
{
	struct tmpl_func *f = new_func(p, t, true);
	struct tmpl_node *n = tmpl_tree_add(p, TMPL_NODE_BLOCK, t->pos);

	if (f == NULL || n == NULL)
		return tmpl_tree_nomem(p);
	n->u.block = f;
	if ((v->v[DEF_NAME].s != NULL &&
		name_block(p, &v->v[DEF_NAME], f) < 0) ||
	    (v->v[DEF_FILTER].s != NULL &&
		tmpl_filters_compile(
		    p->c, p->a, &v->v[DEF_FILTER], &f->filters, p->f) < 0))
		return -1;
	return push(p, t, &f->body, f);
}

static const struct tag tags[] = {
	{ "include", open_include,
	    { [INCLUDE_FILE] = { "file", ATTR_EXPR | ATTR_REQUIRED },
		[INCLUDE_ARGS] = { "args", ATTR_EXPR },
		[INCLUDE_IMPORT] = { "import", ATTR_EXPR } } },
	{ "page", open_page,
	    { [PAGE_ARGS] = { "args", ATTR_EXPR },
		[PAGE_FILTER] = { "expression_filter", ATTR_EXPR },
		[PAGE_LOOP] = { "enable_loop", ATTR_EXPR },
		{ "cached", ATTR_OFF } } },
	{ "text", open_text, { [TEXT_FILTER] = { "filter", 0 } } },
	{ "def", open_def,
	    { [DEF_NAME] = { "name", ATTR_REQUIRED },
		[DEF_FILTER] = { "filter", 0 },
		[DEF_BUFFERED] = { "buffered", ATTR_EXPR },
		{ "cached", ATTR_OFF },
		{ "decorator", ATTR_UNSUPPORTED } } },
	{ "block", open_block,
	    { [DEF_NAME] = { "name", 0 },
		[DEF_FILTER] = { "filter", 0 },
		[DEF_BUFFERED] = { "buffered", ATTR_OFF },
		{ "cached", ATTR_OFF },
		{ "decorator", ATTR_UNSUPPORTED },
		{ "args", ATTR_UNSUPPORTED } } },
	{ "inherit", NULL, { { NULL, 0 } } },
	{ "namespace", NULL, { { NULL, 0 } } },
	{ "call", NULL, { { NULL, 0 } } },
};

/* Attributes */

/* The next NAME="VALUE" from *at on; false: there is none. */
static bool
next_attr(const struct tmpl_piece *text, size_t *at, struct tmpl_piece *ret_key,
    struct tmpl_piece *ret_value)
{
	size_t i = *at;

	while (i < text->len) {
		size_t key, key_end, v;
		const char *end;

		while (i < text->len && !tmpl_is_word(text->s[i]))
			i++;
		key = i;
		while (i < text->len && tmpl_is_word(text->s[i]))
			i++;
		key_end = i;
		while (i < text->len && tmpl_is_blank(text->s[i]))
			i++;
		if (i == text->len || text->s[i] != '=')
			continue;
		for (v = i + 1; v < text->len && tmpl_is_blank(text->s[v]); v++)
			continue;
		if (v == text->len || (text->s[v] != '"' && text->s[v] != '\''))
			continue;
		end = memchr(text->s + v + 1, text->s[v], text->len - v - 1);
		if (end == NULL)
			return false;
		ret_key->s = text->s + key;
		ret_key->len = key_end - key;
		ret_value->s = text->s + v + 1;
		ret_value->len = (size_t)(end - text->s) - v - 1;
		ret_value->pos = tmpl_pos_behind(text->pos, text->s, v + 1);
		*at = (size_t)(end - text->s) + 1;
		return true;
	}
	return false;
}

/* As Mako's, whose pattern wants something between the braces. */
static bool
has_expression(const struct tmpl_piece *v)
{
	for (size_t i = 0; i + 3 < v->len; i++)
		if (memcmp(v->s + i, "${", 2) == 0)
			return memchr(v->s + i + 3, '}', v->len - i - 3) !=
			    NULL;
	return false;
}

/* Line ends in a value are LF. */
static int
unify_ends(struct tmpl_tree_parser *p, struct tmpl_piece *v)
{
	char *to;
	size_t n = 0;

	if (memchr(v->s, '\r', v->len) == NULL)
		return 0;
	to = arena_strndup(p->a, v->s, v->len);
	if (to == NULL)
		return tmpl_tree_nomem(p);
	for (size_t i = 0; i < v->len; i++)
		if (v->s[i] != '\r' || i + 1 == v->len || v->s[i + 1] != '\n')
			to[n++] = v->s[i];
	v->s = to;
	v->len = n;
	return 0;
}

static int
set_value(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct tag *tag, const struct tmpl_piece *key, struct tmpl_piece *v,
    struct values *ret)
{
	static const char cache[] = "cache_";
	const struct attr *at = NULL;

	for (size_t i = 0; i < ATTRS_MAX && at == NULL; i++)
		if (tag->attrs[i].name != NULL &&
		    is_text(key, tag->attrs[i].name))
			at = &tag->attrs[i];
	if (at == NULL && key->len > strlen(cache) &&
	    memcmp(key->s, cache, strlen(cache)) == 0)
		return tmpl_tree_unsupported(p, t->pos,
		    "attribute '%.*s' of tag <%%%s>", TEXT(*key), tag->name);
	if (at == NULL)
		return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
		    "Invalid attribute for tag '%s': '%.*s'", tag->name,
		    TEXT(*key));
	if ((at->flags & ATTR_UNSUPPORTED) != 0 ||
	    ((at->flags & ATTR_OFF) != 0 && !is_text(v, "False")))
		return tmpl_tree_unsupported(p, t->pos,
		    "attribute '%s' of tag <%%%s>", at->name, tag->name);
	if ((at->flags & ATTR_EXPR) == 0 && has_expression(v))
		return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
		    "Attribute '%s' in tag '%s' does not allow embedded "
		    "expressions",
		    at->name, tag->name);
	ret->v[at - tag->attrs] = *v;
	return unify_ends(p, &ret->v[at - tag->attrs]);
}

static int
read_values(struct tmpl_tree_parser *p, const struct tmpl_token *t,
    const struct tag *tag, struct values *ret)
{
	struct tmpl_piece key, v;
	size_t at = 0;

	memset(ret, 0, sizeof(*ret));
	while (next_attr(&t->rest, &at, &key, &v))
		if (set_value(p, t, tag, &key, &v, ret) < 0)
			return -1;
	for (size_t i = 0; i < ATTRS_MAX; i++)
		if ((tag->attrs[i].flags & ATTR_REQUIRED) != 0 &&
		    ret->v[i].s == NULL)
			return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
			    "Missing attribute(s): '%s'", tag->attrs[i].name);
	return 0;
}

int
tmpl_tree_tag(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	const struct tag *tag = NULL;
	struct values v;

	if (memchr(t->s.s, ':', t->s.len) != NULL)
		return tmpl_tree_unsupported(
		    p, t->pos, "tag <%%%.*s>", TEXT(t->s));
	for (size_t i = 0; i < ARRAY_LEN(tags) && tag == NULL; i++)
		if (is_text(&t->s, tags[i].name))
			tag = &tags[i];
	if (tag == NULL)
		return tmpl_tree_fail(p, TMPL_COMPILE_EXCEPTION, t->pos,
		    "No such tag: '%.*s'", TEXT(t->s));
	if (tag->open == NULL)
		return tmpl_tree_unsupported(
		    p, t->pos, "tag <%%%s>", tag->name);
	if (read_values(p, t, tag, &v) < 0)
		return -1;
	return tag->open(p, t, &v);
}

int
tmpl_tree_tag_end(struct tmpl_tree_parser *p, const struct tmpl_token *t)
{
	const struct tmpl_tree_open *around = enclosing_tag(p);
	const struct tmpl_tree_open *o = tmpl_tree_top(p);

	if (around == NULL)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, t->pos,
		    "Closing tag without opening tag: </%%%.*s>", TEXT(t->s));
	if (around->word.len != t->s.len ||
	    memcmp(around->word.s, t->s.s, t->s.len) != 0)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, t->pos,
		    "Closing tag </%%%.*s> does not match tag: <%%%.*s>",
		    TEXT(t->s), TEXT(around->word));
	if (o != around)
		return tmpl_tree_fail(p, TMPL_SYNTAX_EXCEPTION, o->pos,
		    "Unterminated control keyword: '%.*s'", TEXT(o->word));
	p->depth--;
	return 0;
}
