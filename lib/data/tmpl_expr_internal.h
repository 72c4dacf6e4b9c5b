/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the compiler and the evaluator share: tokens, the tree of
 * an expression, of a statement.
 */
#pragma once

#include "lib/data/tmpl_expr.h"
#include "lib/data/tmpl_value_internal.h"

/* Expressions within each other, and levels of a tree. */
#define TMPL_PARSE_DEPTH_MAX 100
#define TMPL_HEIGHT_MAX 200
/* Levels of indentation in a block. */
#define TMPL_INDENT_MAX 50

/* Tokens */

enum tmpl_expr_token_type {
	TMPL_T_END,
	TMPL_T_NAME,
	TMPL_T_NUMBER,
	TMPL_T_STRING,
	TMPL_T_OP,
	TMPL_T_NEWLINE,
	TMPL_T_INDENT,
	TMPL_T_DEDENT,
};

struct tmpl_expr_token {
	enum tmpl_expr_token_type type;
	const char *s;
	size_t len;
	struct tmpl_pos pos;
};

enum tmpl_lex_mode {
	/* Line ends are blanks, as within brackets. */
	TMPL_LEX_JOINED,
	/* Line ends end it. */
	TMPL_LEX_LINE,
	/* Line ends and indentation count. */
	TMPL_LEX_BLOCK,
};

struct tmpl_expr_lexer {
	enum tmpl_lex_mode mode;
	const char *p;
	const char *end;
	struct tmpl_pos pos;
	/* Where each line of a block begins in the template, as an offset of
	 * its columns; NULL for none. */
	const unsigned *line_cols;
	unsigned first_line;
	/* Brackets that are open. */
	char open[TMPL_PARSE_DEPTH_MAX];
	unsigned n_open;
	unsigned indents[TMPL_INDENT_MAX];
	unsigned n_indents;
	/* DEDENTs to be given out. */
	unsigned dedents;
	/* The next token begins a line. */
	bool line_start;
	/* A token other than NEWLINE came since the last one. */
	bool in_line;
	struct tmpl_expr_token token;
	struct tmpl_fault *f;
	struct arena *a;
};

/* The first token is there after init. */
int tmpl_lex_init(struct tmpl_expr_lexer *l, struct arena *a,
    enum tmpl_lex_mode mode, const char *s, size_t len, struct tmpl_pos pos,
    struct tmpl_fault *f) CC_MUST_CHECK;
int tmpl_lex_next(struct tmpl_expr_lexer *l) CC_MUST_CHECK;
bool tmpl_token_is(const struct tmpl_expr_token *t, const char *text);
/* All return -1. */
int tmpl_syntax(struct tmpl_fault *f, struct arena *a, struct tmpl_pos pos,
    enum tmpl_class class, const char *fmt, ...) CC_PRINTF(5, 6);
int tmpl_syntax_unsupported(struct tmpl_fault *f, struct arena *a,
    struct tmpl_pos pos, const char *fmt, ...) CC_PRINTF(4, 5);

/* Literals: values of tokens, in the arena. */
int tmpl_literal_number(const struct tmpl_expr_token *t, struct arena *a,
    struct tmpl_value *ret, struct tmpl_fault *f) CC_MUST_CHECK;

/* A string token taken apart. */
struct tmpl_string {
	/* Between the quotes. */
	const char *s;
	size_t len;
	struct tmpl_pos pos;
	bool raw;
	bool format;
};
int tmpl_literal_string(const struct tmpl_expr_token *t, struct arena *a,
    struct tmpl_string *ret, struct tmpl_fault *f) CC_MUST_CHECK;
/* Adds the text that escapes stand for. */
int tmpl_literal_unescape(const struct tmpl_string *s, struct arena *a,
    struct strbuf *out, struct tmpl_fault *f) CC_MUST_CHECK;

/* Trees */

enum tmpl_kind {
	TMPL_X_CONST,
	TMPL_X_NAME,
	/* The object `context`, or `pageargs`. */
	TMPL_X_CONTEXT,
	TMPL_X_LIST,
	TMPL_X_TUPLE,
	/* kids are keys and values in turn. */
	TMPL_X_DICT,
	/* An f-string: the texts of kids. */
	TMPL_X_JOINED,
	/* kids: the value, its specification or nothing; op: 'r', 's', 0. */
	TMPL_X_FORMAT,
	TMPL_X_UNARY,
	/* Operands from left to right; ops[i] is before operand i. */
	TMPL_X_BINARY,
	TMPL_X_COMPARE,
	TMPL_X_AND,
	TMPL_X_OR,
	TMPL_X_NOT,
	/* kids: condition, then, else. */
	TMPL_X_IF,
	/* kids: value, key. */
	TMPL_X_INDEX,
	/* kids: value, start, stop, step; NULL for what is left out. */
	TMPL_X_SLICE,
	TMPL_X_ATTR,
	/* kids: what is called, arguments; the last n_kw of them have names. */
	TMPL_X_CALL,
	/* kids: value, arguments. */
	TMPL_X_METHOD,
	/* Comprehensions; kids: element, or key and value. */
	TMPL_X_LIST_COMP,
	TMPL_X_DICT_COMP,
	TMPL_X_GENERATOR,
};

struct tmpl_expr {
	enum tmpl_kind kind;
	unsigned char op;
	/* In parentheses. */
	bool closed;
	struct tmpl_pos pos;
	/* Levels of the tree below and with it. */
	unsigned height;
	size_t n;
	size_t cap;
	struct tmpl_expr **kids;
	unsigned char *ops;
	size_t n_kw;
	const struct tmpl_name **kw;
	const struct tmpl_name *name;
	struct tmpl_value value;
	/* For a NAME: what it is when it is nothing. */
	struct tmpl_undef undef;
	struct tmpl_comp *comp;
};

struct tmpl_comp_clause {
	struct tmpl_target *target;
	struct tmpl_expr *iter;
	size_t n_ifs;
	struct tmpl_expr **ifs;
};

struct tmpl_comp {
	size_t n;
	size_t cap;
	struct tmpl_comp_clause *clauses;
	/* Names that are its own. */
	size_t n_names;
	size_t cap_names;
	const struct tmpl_name **names;
};

enum tmpl_target_kind {
	TMPL_TO_NAME,
	TMPL_TO_TUPLE,
	TMPL_TO_INDEX
};

struct tmpl_target {
	enum tmpl_target_kind kind;
	struct tmpl_pos pos;
	const struct tmpl_name *name;
	size_t n;
	struct tmpl_target **items;
	struct tmpl_expr *object;
	struct tmpl_expr *key;
};

enum tmpl_stmt_kind {
	TMPL_S_EXPR,
	TMPL_S_ASSIGN,
	TMPL_S_AUGMENT,
	TMPL_S_IF,
	TMPL_S_FOR,
	TMPL_S_WHILE,
	TMPL_S_BREAK,
	TMPL_S_CONTINUE,
	TMPL_S_PASS,
	TMPL_S_RETURN,
	TMPL_S_RAISE,
	TMPL_S_ASSERT,
};

struct tmpl_stmt {
	struct tmpl_stmt *next;
	enum tmpl_stmt_kind kind;
	unsigned char op;
	struct tmpl_pos pos;
	size_t n;
	/* Assignments: from left to right. */
	struct tmpl_target **targets;
	/* The value, condition or iterable. */
	struct tmpl_expr *expr;
	/* The text of an assert, arguments of a raise. */
	struct tmpl_expr *second;
	enum tmpl_class class;
	struct tmpl_stmt *body;
	/* An elif is an if in here. */
	struct tmpl_stmt *other;
};

struct tmpl_block {
	struct tmpl_stmt *first;
	bool breaks;
	bool constant;
};

struct tmpl_compiler {
	struct arena *a;
	/* By hash; n of them, each at its id in order as well. */
	struct tmpl_name **slots;
	size_t n;
	size_t cap;
};

/* Parsing */

struct tmpl_parser {
	struct tmpl_compiler *c;
	struct tmpl_expr_lexer lex;
	struct tmpl_fault *f;
	unsigned depth;
	/* Loops around, in a block. */
	unsigned loops;
	bool breaks;
};

int tmpl_parse_init(struct tmpl_parser *p, struct tmpl_compiler *c,
    enum tmpl_lex_mode mode, const char *s, size_t len, struct tmpl_pos pos,
    struct tmpl_fault *f) CC_MUST_CHECK;
int tmpl_parse_expr(
    struct tmpl_parser *p, struct tmpl_expr **ret) CC_MUST_CHECK;
/* One without "if". */
int tmpl_parse_or(struct tmpl_parser *p, struct tmpl_expr **ret) CC_MUST_CHECK;
/* One without operators. */
int tmpl_parse_postfix(
    struct tmpl_parser *p, struct tmpl_expr **ret) CC_MUST_CHECK;
/* One expression, or a tuple of several. */
int tmpl_parse_tuple(
    struct tmpl_parser *p, struct tmpl_expr **ret) CC_MUST_CHECK;
/* "T in E" */
int tmpl_parse_for(struct tmpl_parser *p, bool names_only,
    struct tmpl_target **ret_target) CC_MUST_CHECK;
int tmpl_parse_arguments(
    struct tmpl_parser *p, struct tmpl_expr *call) CC_MUST_CHECK;
int tmpl_parse_strings(
    struct tmpl_parser *p, struct tmpl_expr **ret) CC_MUST_CHECK;
/* A block's statements. */
int tmpl_parse_statements(
    struct tmpl_parser *p, struct tmpl_stmt **ret) CC_MUST_CHECK;
int tmpl_to_target(struct tmpl_parser *p, const struct tmpl_expr *x,
    struct tmpl_target **ret) CC_MUST_CHECK;
struct tmpl_expr *tmpl_node(
    struct tmpl_parser *p, enum tmpl_kind kind, struct tmpl_pos pos);
/* A node around the first of its kids. */
struct tmpl_expr *tmpl_node_around(
    struct tmpl_parser *p, enum tmpl_kind kind, struct tmpl_expr *kid);
int tmpl_node_add(struct tmpl_parser *p, struct tmpl_expr *x,
    struct tmpl_expr *kid, enum tmpl_op op) CC_MUST_CHECK;
/* Counts the height of what lies below x but is no kid; NULL counts nothing. */
int tmpl_node_above(struct tmpl_parser *p, struct tmpl_expr *x,
    const struct tmpl_expr *below) CC_MUST_CHECK;
/* Whether the token is this operator or word; accept takes it, too. */
bool tmpl_peek(const struct tmpl_parser *p, const char *text);
/* 1 when it was there and is taken. */
int tmpl_accept(struct tmpl_parser *p, const char *text) CC_MUST_CHECK;
int tmpl_expect(struct tmpl_parser *p, const char *text) CC_MUST_CHECK;
/* "invalid syntax" at the token: -1. */
int tmpl_unexpected(struct tmpl_parser *p);
/* "<what> is not supported" at the token: -1. */
int tmpl_parse_unsupported(struct tmpl_parser *p, const char *what);
int tmpl_parse_nomem(struct tmpl_parser *p);
int tmpl_parse_check_name(
    struct tmpl_parser *p, const struct tmpl_expr_token *t) CC_MUST_CHECK;
bool tmpl_is_reserved(const struct tmpl_name *name);

/* Evaluating */

/* Where private names of a comprehension have their values. */
struct tmpl_scope {
	struct tmpl_scope *parent;
	const struct tmpl_comp *comp;
	struct tmpl_value *values;
	bool *set;
};

struct tmpl_ctx {
	struct tmpl_run *r;
	struct tmpl_env *env;
	struct tmpl_scope *scope;
};

int tmpl_eval_in(const struct tmpl_ctx *c, const struct tmpl_expr *x,
    struct tmpl_value *ret) CC_MUST_CHECK;
int tmpl_assign_in(const struct tmpl_ctx *c, const struct tmpl_target *t,
    struct tmpl_value v) CC_MUST_CHECK;
/* Comprehensions and generators. */
int tmpl_eval_comp(const struct tmpl_ctx *c, const struct tmpl_expr *x,
    struct tmpl_value *ret) CC_MUST_CHECK;
