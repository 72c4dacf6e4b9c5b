/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The pieces of a template that hold code, each with its own entrance.
 */
#include <string.h>

#include "lib/data/tmpl_expr_internal.h"

/* Nothing may follow. */
static int
expect_end(struct tmpl_parser *p)
{
	return p->lex.token.type == TMPL_T_END ? 0 : tmpl_unexpected(p);
}

int
tmpl_compile_expr(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_expr **ret, struct tmpl_fault *f)
{
	struct tmpl_parser p;

	if (tmpl_parse_init(&p, c, TMPL_LEX_LINE, s, len, pos, f) == -1 ||
	    tmpl_parse_expr(&p, ret) == -1)
		return -1;
	return expect_end(&p);
}

/*
 * Mako reads the expression of an output twice: as statements, and between the
 * parentheses of a call.  So it may be several lines, when each is an
 * expression and all together are one.
 */
static int
check_lines(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_fault *f)
{
	struct tmpl_parser p;
	struct tmpl_expr *x;

	if (tmpl_parse_init(&p, c, TMPL_LEX_BLOCK, s, len, pos, f) == -1)
		return -1;
	while (p.lex.token.type != TMPL_T_END) {
		if (tmpl_parse_tuple(&p, &x) == -1)
			return -1;
		if (p.lex.token.type != TMPL_T_NEWLINE)
			return tmpl_unexpected(&p);
		if (tmpl_lex_next(&p.lex) == -1)
			return -1;
	}
	return 0;
}

/* Passes over blanks and line ends. */
static void
skip_blank(const char **s, size_t *len, struct tmpl_pos *pos)
{
	size_t n = 0;

	while (n < *len && (*s)[n] != '\0' &&
	    strchr(" \t\r\n\f\v", (*s)[n]) != NULL)
		n++;
	*pos = tmpl_pos_behind(*pos, *s, n);
	*s += n;
	*len -= n;
}

int
tmpl_compile_output(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_expr **ret, struct tmpl_fault *f)
{
	struct tmpl_parser p;

	*ret = NULL;
	skip_blank(&s, &len, &pos);
	if (check_lines(c, s, len, pos, f) == -1 ||
	    tmpl_parse_init(&p, c, TMPL_LEX_JOINED, s, len, pos, f) == -1)
		return -1;
	if (p.lex.token.type == TMPL_T_END)
		return 0;
	if (tmpl_parse_expr(&p, ret) == -1 || tmpl_accept(&p, ",") == -1)
		return -1;
	return expect_end(&p);
}

int
tmpl_compile_for(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_for *ret, struct tmpl_fault *f)
{
	struct tmpl_parser p;

	if (tmpl_parse_init(&p, c, TMPL_LEX_LINE, s, len, pos, f) == -1 ||
	    tmpl_parse_for(&p, false, &ret->target) == -1 ||
	    tmpl_parse_tuple(&p, &ret->expr) == -1)
		return -1;
	return expect_end(&p);
}

int
tmpl_compile_except(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_except *ret, struct tmpl_fault *f)
{
	struct tmpl_parser p;
	const struct tmpl_expr_token *t = &p.lex.token;
	struct tmpl_expr *x;
	struct tmpl_target *target;
	int rc;

	*ret = (struct tmpl_except){ .class = TMPL_CLASS_NONE };
	if (tmpl_parse_init(&p, c, TMPL_LEX_LINE, s, len, pos, f) == -1)
		return -1;
	if (t->type == TMPL_T_END)
		return 0;
	if (t->type == TMPL_T_NAME)
		ret->class = tmpl_class_find(t->s, t->len);
	if (!tmpl_class_is(ret->class, TMPL_EXCEPTION))
		return tmpl_syntax_unsupported(
		    f, c->a, t->pos, "'except' of such a class");
	if (tmpl_lex_next(&p.lex) == -1)
		return -1;
	rc = tmpl_accept(&p, "as");
	if (rc == 1) {
		if (tmpl_parse_expr(&p, &x) == -1 ||
		    tmpl_to_target(&p, x, &target) == -1)
			return -1;
		if (target->kind != TMPL_TO_NAME)
			return tmpl_unexpected(&p);
		ret->name = target->name;
	}
	return rc == -1 ? -1 : expect_end(&p);
}

static int
add_param(struct tmpl_parser *p, struct tmpl_params *params,
    const struct tmpl_name *name, struct tmpl_expr *x)
{
	const struct tmpl_name **names;
	struct tmpl_expr **defaults;
	size_t i;

	names = arena_calloc(
	    p->c->a, params->n + 1, sizeof(const struct tmpl_name *));
	defaults =
	    arena_calloc(p->c->a, params->n + 1, sizeof(struct tmpl_expr *));
	if (names == NULL || defaults == NULL)
		return tmpl_parse_nomem(p);
	for (i = 0; i < params->n; i++) {
		if (params->names[i] == name)
			return tmpl_syntax(p->f, p->c->a, p->lex.token.pos,
			    TMPL_SYNTAX_EXCEPTION,
			    "duplicate argument '%s' in function definition",
			    name->s);
		names[i] = params->names[i];
		defaults[i] = params->defaults[i];
	}
	names[i] = name;
	defaults[i] = x;
	params->names = names;
	params->defaults = defaults;
	params->n++;
	return 0;
}

/* "name" or "name=default" */
static int
parse_param(struct tmpl_parser *p, struct tmpl_params *params)
{
	const struct tmpl_expr_token *t = &p->lex.token;
	const struct tmpl_name *name;
	struct tmpl_expr *x = NULL;
	int rc;

	if (tmpl_peek(p, "*") || tmpl_peek(p, "**") || tmpl_peek(p, "/"))
		return tmpl_syntax_unsupported(p->f, p->c->a, t->pos,
		    "'%.*s' among parameters", (int)t->len, t->s);
	if (tmpl_parse_check_name(p, t) == -1)
		return -1;
	if (params->n >= UINT8_MAX)
		return tmpl_syntax_unsupported(
		    p->f, p->c->a, t->pos, "so many parameters");
	name = tmpl_name(p->c, t->s, t->len);
	if (name == NULL)
		return tmpl_parse_nomem(p);
	if (tmpl_is_reserved(name))
		return tmpl_syntax(p->f, p->c->a, t->pos,
		    TMPL_NAME_CONFLICT_ERROR,
		    "Reserved words declared in template: %s", name->s);
	if (tmpl_lex_next(&p->lex) == -1)
		return -1;
	rc = tmpl_accept(p, "=");
	if (rc == 1)
		rc = tmpl_parse_expr(p, &x);
	if (rc == -1)
		return -1;
	if (x == NULL && params->n > 0 &&
	    params->defaults[params->n - 1] != NULL)
		return tmpl_syntax(p->f, p->c->a, p->lex.token.pos,
		    TMPL_SYNTAX_EXCEPTION,
		    "non-default argument follows default argument");
	return add_param(p, params, name, x);
}

/* Items with commas between, up to what ends them. */
static bool
at_list_end(const struct tmpl_parser *p)
{
	return p->lex.token.type == TMPL_T_END || tmpl_peek(p, ")");
}

int
tmpl_compile_params(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, bool named, struct tmpl_params *ret,
    struct tmpl_fault *f)
{
	struct tmpl_parser p;
	const struct tmpl_expr_token *t = &p.lex.token;
	int rc = 1;

	*ret = (struct tmpl_params){ 0 };
	if (tmpl_parse_init(&p, c, TMPL_LEX_JOINED, s, len, pos, f) == -1)
		return -1;
	if (named) {
		if (tmpl_parse_check_name(&p, t) == -1)
			return -1;
		ret->name = tmpl_name(c, t->s, t->len);
		if (ret->name == NULL)
			return tmpl_parse_nomem(&p);
		if (tmpl_lex_next(&p.lex) == -1)
			return -1;
		if (!tmpl_peek(&p, "("))
			return tmpl_syntax(f, c->a, pos, TMPL_COMPILE_EXCEPTION,
			    "Missing parenthesis in %%def");
		if (tmpl_lex_next(&p.lex) == -1)
			return -1;
	}
	while (rc == 1 && !at_list_end(&p)) {
		if (parse_param(&p, ret) == -1)
			return -1;
		rc = tmpl_accept(&p, ",");
	}
	if (rc == -1 || (named && tmpl_expect(&p, ")") == -1))
		return -1;
	return expect_end(&p);
}

int
tmpl_compile_call(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_call *ret, struct tmpl_fault *f)
{
	struct tmpl_params params;
	size_t i;

	if (tmpl_compile_params(c, s, len, pos, false, &params, f) == -1)
		return -1;
	for (i = 0; i < params.n; i++) {
		if (params.defaults[i] == NULL)
			return tmpl_syntax_unsupported(
			    f, c->a, pos, "an argument without a name");
	}
	*ret = (struct tmpl_call){ params.n, params.names, params.defaults };
	return 0;
}

/* Blocks */

/*
 * A block with its margin taken off, as Mako does: the blanks of the first line
 * of code are taken from each line that has them, and tabs are expanded; but
 * not in lines that go on with a string in triple quotes, or with a line that
 * ended in a backslash.
 */
struct margin {
	struct tmpl_compiler *c;
	/* The text, and where each line began. */
	char *out;
	size_t n;
	unsigned *cols;
	unsigned lines;
	/* Blanks to take; SIZE_MAX until they are known. */
	size_t strip;
	/* The quote of a string that goes on, or NUL. */
	char triple;
	bool backslash;
};

static bool
at_triple(const char *p, const char *end, char quote)
{
	return end - p >= 3 && *p == quote && p[1] == quote && p[2] == quote;
}

/* Looks for triple quotes in a line; whether it went on with something. */
static bool
goes_on(struct margin *m, const char *p, const char *end)
{
	bool before = m->triple != '\0' || m->backslash;

	m->backslash = end > p && end[-1] == '\\';
	while (p < end) {
		if (m->triple != '\0') {
			if (at_triple(p, end, m->triple)) {
				m->triple = '\0';
				p += 3;
			} else {
				p++;
			}
		} else if (*p == '#') {
			break;
		} else if (at_triple(p, end, '"') || at_triple(p, end, '\'')) {
			m->triple = *p;
			p += 3;
		} else {
			p++;
		}
	}
	return before;
}

static size_t
expand_tabs(const char *p, const char *end, char *out)
{
	size_t n = 0, col = 0;

	for (; p < end; p++) {
		if (*p == '\t') {
			do {
				out[n++] = ' ';
				col++;
			} while (col % 8 != 0);
			continue;
		}
		out[n++] = *p;
		if (*p == '\r')
			col = 0;
		else if ((*p & 0xc0) != 0x80)
			col++;
	}
	return n;
}

static void
add_line(struct margin *m, const char *p, const char *end, unsigned col)
{
	char *line = m->out + m->n;
	size_t n, blanks, taken = 0;

	if (goes_on(m, p, end)) {
		n = (size_t)(end - p);
		memcpy(line, p, n);
	} else {
		n = expand_tabs(p, end, line);
		for (blanks = 0; blanks < n && line[blanks] == ' '; blanks++)
			continue;
		if (m->strip == SIZE_MAX && blanks < n && line[blanks] != '#')
			m->strip = blanks;
		if (m->strip != SIZE_MAX && blanks >= m->strip)
			taken = m->strip;
		n -= taken;
		memmove(line, line + taken, n);
	}
	m->n += n;
	m->out[m->n++] = '\n';
	m->cols[m->lines++] = col + (unsigned)taken;
}

static int
take_margin(struct margin *m, struct tmpl_compiler *c, const char *s,
    size_t len, unsigned col, struct tmpl_fault *f)
{
	const char *p = s, *end = s + len, *eol;
	size_t tabs = 0, lines = 2, i;

	*m = (struct margin){ .c = c, .strip = SIZE_MAX };
	for (i = 0; i < len; i++) {
		tabs += s[i] == '\t';
		lines += s[i] == '\n' || s[i] == '\r';
	}
	m->out = arena_alloc(c->a, len + 8 * tabs + lines + 1);
	m->cols = arena_calloc(c->a, lines + 1, sizeof(*m->cols));
	if (m->out == NULL || m->cols == NULL)
		return tmpl_syntax(f, c->a, (struct tmpl_pos){ 0 },
		    TMPL_MEMORY_ERROR, "out of memory");
	for (;;) {
		eol = memchr(p, '\n', (size_t)(end - p));
		if (eol == NULL) {
			add_line(m, p, end, m->lines == 0 ? col : 1);
			return 0;
		}
		add_line(m, p, eol > p && eol[-1] == '\r' ? eol - 1 : eol,
		    m->lines == 0 ? col : 1);
		p = eol + 1;
	}
}

static bool
is_constant(const struct tmpl_stmt *s)
{
	for (; s != NULL; s = s->next) {
		if (s->kind != TMPL_S_ASSIGN ||
		    s->targets[0]->kind != TMPL_TO_NAME)
			return false;
	}
	return true;
}

static void
note_read(const struct tmpl_name *name, void *ctx)
{
	(void)name;
	*(bool *)ctx = true;
}

int
tmpl_compile_block(struct tmpl_compiler *c, const char *s, size_t len,
    struct tmpl_pos pos, struct tmpl_block **ret, struct tmpl_fault *f)
{
	struct tmpl_stmt *first = NULL;
	struct tmpl_block *b;
	struct tmpl_parser p = { .c = c, .f = f };
	struct margin m;
	bool reads = false;

	*ret = NULL;
	if (take_margin(&m, c, s, len, pos.col, f) == -1)
		return -1;
	pos.col = m.cols[0];
	if (tmpl_lex_init(&p.lex, c->a, TMPL_LEX_BLOCK, m.out, m.n, pos, f) ==
	    -1)
		return -1;
	p.lex.line_cols = m.cols;
	if (tmpl_lex_next(&p.lex) == -1 ||
	    tmpl_parse_statements(&p, &first) == -1)
		return -1;
	if (first == NULL)
		return 0;
	b = arena_calloc(c->a, 1, sizeof(*b));
	if (b == NULL)
		return tmpl_parse_nomem(&p);
	b->first = first;
	b->breaks = p.breaks;
	tmpl_block_reads(b, note_read, &reads);
	b->constant = !reads && is_constant(first);
	*ret = b;
	return 0;
}

bool
tmpl_block_breaks(const struct tmpl_block *b)
{
	return b->breaks;
}

bool
tmpl_block_is_constant(const struct tmpl_block *b)
{
	return b->constant;
}
