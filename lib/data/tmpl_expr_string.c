/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * String literals: adjacent ones are one, and f-strings have expressions
 * within, which are parsed where they stand.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

/* A text of the source is at most as long as the template. */
#define TEXT_MAX ((size_t)64 << 20)

/* A string that is being put together: text so far, and the f-string's node
 * once there is one. */
struct builder {
	struct tmpl_parser *p;
	struct tmpl_pos pos;
	struct strbuf text;
	struct tmpl_expr *joined;
};

static int parse_format(
    struct builder *b, const struct tmpl_string *s, unsigned nest);

static int
fault(struct builder *b, struct tmpl_pos pos, const char *text)
{
	return tmpl_syntax(b->p->f, b->p->c->a, pos, TMPL_SYNTAX_EXCEPTION,
	    "f-string: %s", text);
}

/* What has been put together, as a constant. */
static struct tmpl_expr *
constant(struct builder *b)
{
	struct arena *a = b->p->c->a;
	struct tmpl_str *str;
	struct tmpl_expr *x;

	x = tmpl_node(b->p, TMPL_X_CONST, b->pos);
	str = arena_alloc(a, sizeof(*str));
	if (x == NULL || str == NULL || b->text.latch != OVE_NONE) {
		(void)tmpl_parse_nomem(b->p);
		return NULL;
	}
	str->s = arena_strndup(a, b->text.buf, b->text.len);
	if (str->s == NULL) {
		(void)tmpl_parse_nomem(b->p);
		return NULL;
	}
	str->len = b->text.len;
	str->chars = tmpl_count_chars(str->s, str->len);
	x->value = tmpl_str_value(str);
	strbuf_reset(&b->text);
	return x;
}

static int
add_part(struct builder *b, struct tmpl_expr *x)
{
	struct tmpl_expr *text;

	if (b->text.latch != OVE_NONE)
		return tmpl_parse_nomem(b->p);
	if (b->joined == NULL) {
		b->joined = tmpl_node(b->p, TMPL_X_JOINED, b->pos);
		if (b->joined == NULL)
			return -1;
	}
	if (b->text.len > 0) {
		text = constant(b);
		if (text == NULL ||
		    tmpl_node_add(b->p, b->joined, text, TMPL_OP_NONE) == -1)
			return -1;
	}
	return x == NULL ? 0 : tmpl_node_add(b->p, b->joined, x, TMPL_OP_NONE);
}

/* Where the expression of a field ends: at '!', ':' or '}' outside of brackets
 * and strings; NULL without one. */
static const char *
expression_end(const char *p, const char *end)
{
	unsigned depth = 0;
	char quote = '\0';

	for (; p < end; p++) {
		if (quote != '\0') {
			if (*p == quote)
				quote = '\0';
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		} else if (*p == '(' || *p == '[' || *p == '{') {
			depth++;
		} else if (depth > 0 && (*p == ')' || *p == ']' || *p == '}')) {
			depth--;
		} else if (depth == 0 &&
		    (*p == '}' || *p == ':' ||
			(*p == '!' && (p + 1 == end || p[1] != '=')))) {
			return p;
		}
	}
	return NULL;
}

static bool
is_blank(const char *p, const char *end)
{
	while (p < end &&
	    (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r' || *p == '\f'))
		p++;
	return p == end;
}

static int
parse_inner(struct builder *b, const char *p, const char *end,
    struct tmpl_pos pos, struct tmpl_expr **ret)
{
	struct tmpl_parser inner;

	if (is_blank(p, end))
		return fault(b, pos, "empty expression not allowed");
	if (memchr(p, '\\', (size_t)(end - p)) != NULL)
		return fault(
		    b, pos, "expression part cannot include a backslash");
	if (memchr(p, '#', (size_t)(end - p)) != NULL)
		return tmpl_syntax_unsupported(
		    b->p->f, b->p->c->a, pos, "'#' in an f-string");
	if (end[-1] == '=' && (end - p < 2 || strchr("=!<>", end[-2]) == NULL))
		return tmpl_syntax_unsupported(
		    b->p->f, b->p->c->a, pos, "'=' in an f-string");
	if (tmpl_parse_init(&inner, b->p->c, TMPL_LEX_JOINED, p,
		(size_t)(end - p), pos, b->p->f) == -1)
		return -1;
	inner.depth = b->p->depth;
	if (tmpl_parse_tuple(&inner, ret) == -1)
		return -1;
	return inner.lex.token.type == TMPL_T_END ? 0 : tmpl_unexpected(&inner);
}

/* The specification behind a ':', which may have fields itself. */
static int
parse_spec(struct builder *b, const struct tmpl_string *s, const char **p,
    unsigned nest, struct tmpl_expr *format)
{
	const char *start = *p, *end = s->s + s->len;
	struct tmpl_string part = *s;
	struct builder inner = { .p = b->p };
	unsigned depth = 0;
	struct tmpl_expr *x;
	int rc;

	for (; *p < end && (depth > 0 || **p != '}'); (*p)++) {
		if (**p == '{')
			depth++;
		else if (**p == '}')
			depth--;
	}
	part.s = start;
	part.len = (size_t)(*p - start);
	part.pos = tmpl_pos_behind(s->pos, s->s, (size_t)(start - s->s));
	inner.pos = part.pos;
	strbuf_init(&inner.text, TEXT_MAX);
	rc = parse_format(&inner, &part, nest + 1);
	if (rc == 0 && inner.joined != NULL) {
		rc = add_part(&inner, NULL);
		x = inner.joined;
	} else {
		x = rc == 0 ? constant(&inner) : NULL;
	}
	strbuf_fini(&inner.text);
	if (rc == -1 || x == NULL)
		return -1;
	return tmpl_node_add(b->p, format, x, TMPL_OP_NONE);
}

/* A field behind its '{'; moves *p behind its '}'. */
static int
parse_field(struct builder *b, const struct tmpl_string *s, const char **p,
    unsigned nest)
{
	const char *end = s->s + s->len, *close;
	struct tmpl_pos pos =
	    tmpl_pos_behind(s->pos, s->s, (size_t)(*p - s->s));
	struct tmpl_expr *x = NULL, *format;

	close = expression_end(*p, end);
	if (close == NULL)
		return fault(b, pos, "expecting '}'");
	if (parse_inner(b, *p, close, pos, &x) == -1)
		return -1;
	format = tmpl_node(b->p, TMPL_X_FORMAT, pos);
	if (format == NULL ||
	    tmpl_node_add(b->p, format, x, TMPL_OP_NONE) == -1)
		return -1;
	*p = close;
	if (**p == '!') {
		if (end - *p < 2 || ((*p)[1] != 'r' && (*p)[1] != 's'))
			return end - *p > 1 && (*p)[1] == 'a'
			    ? tmpl_syntax_unsupported(
				  b->p->f, b->p->c->a, pos, "'!a'")
			    : fault(b, pos,
				  "invalid conversion character: expected "
				  "'s', 'r', or 'a'");
		format->op = (unsigned char)(*p)[1];
		*p += 2;
	}
	if (*p < end && **p == ':') {
		(*p)++;
		if (parse_spec(b, s, p, nest, format) == -1)
			return -1;
	}
	if (*p == end || **p != '}')
		return fault(b, pos, "expecting '}'");
	(*p)++;
	return add_part(b, format);
}

/* Text up to the next brace, with its escapes. */
static int
add_text(struct builder *b, const struct tmpl_string *s, const char **p)
{
	const char *start = *p, *end = s->s + s->len;
	struct tmpl_string part = *s;

	for (; *p < end && **p != '{' && **p != '}'; (*p)++) {
		if (**p == '\\' && !s->raw && *p + 1 < end && (*p)[1] != '{' &&
		    (*p)[1] != '}')
			(*p)++;
	}
	part.s = start;
	part.len = (size_t)(*p - start);
	return tmpl_literal_unescape(&part, b->p->c->a, &b->text, b->p->f);
}

static int
parse_format(struct builder *b, const struct tmpl_string *s, unsigned nest)
{
	const char *p = s->s, *end = s->s + s->len;

	if (nest > 2)
		return fault(b, s->pos, "expressions nested too deeply");
	while (p < end) {
		if (*p != '{' && *p != '}') {
			if (add_text(b, s, &p) == -1)
				return -1;
			continue;
		}
		if (nest == 1 && p + 1 < end && p[1] == *p) {
			strbuf_addc(&b->text, *p);
			p += 2;
			continue;
		}
		if (*p == '}')
			return fault(b,
			    tmpl_pos_behind(s->pos, s->s, (size_t)(p - s->s)),
			    "single '}' is not allowed");
		p++;
		if (parse_field(b, s, &p, nest) == -1)
			return -1;
	}
	return 0;
}

static int
parse_string(struct builder *b)
{
	struct tmpl_parser *p = b->p;
	struct tmpl_string s;

	if (tmpl_literal_string(&p->lex.token, p->c->a, &s, p->f) == -1)
		return -1;
	if ((s.format
		    ? parse_format(b, &s, 1)
		    : tmpl_literal_unescape(&s, p->c->a, &b->text, p->f)) == -1)
		return -1;
	return tmpl_lex_next(&p->lex);
}

int
tmpl_parse_strings(struct tmpl_parser *p, struct tmpl_expr **ret)
{
	struct builder b = { .p = p, .pos = p->lex.token.pos };
	int rc = 0;

	strbuf_init(&b.text, TEXT_MAX);
	while (rc == 0 && p->lex.token.type == TMPL_T_STRING)
		rc = parse_string(&b);
	if (rc == 0 && b.joined != NULL)
		rc = add_part(&b, NULL);
	*ret = b.joined;
	if (rc == 0 && b.joined == NULL) {
		*ret = constant(&b);
		rc = *ret == NULL ? -1 : 0;
	}
	strbuf_fini(&b.text);
	return rc;
}
