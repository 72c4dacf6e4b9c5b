/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A template as a tree: what tmpl_tree_parse() makes of a text, and what the
 * rendering walks.  It lives in the compiler's arena and does not change any
 * more.
 */
#pragma once

#include "lib/data/tmpl_filter.h"

/* Tags and control lines within each other. */
#define TMPL_BLOCK_NEST_MAX 100
/* That one function assigns; and defs of a template. */
#define TMPL_NAMES_MAX 1000

struct tmpl_node;
struct tmpl_func;

struct tmpl_nodes {
	struct tmpl_node *first;
	struct tmpl_node *last;
};

struct tmpl_names {
	const struct tmpl_name **items;
	size_t n;
	size_t cap;
};

enum tmpl_keyword {
	TMPL_IF,
	TMPL_ELIF,
	TMPL_ELSE,
	TMPL_FOR,
	TMPL_WHILE,
	TMPL_TRY,
	TMPL_EXCEPT,
	TMPL_WITH,
	TMPL_KEYWORD_COUNT,
};

/* A control line and what stands below it. */
struct tmpl_clause {
	struct tmpl_clause *next;
	enum tmpl_keyword keyword;
	struct tmpl_pos pos;
	/* if, elif, while. */
	struct tmpl_expr *expr;
	struct tmpl_for loop;
	/* FOR: something in it reads `loop`. */
	bool has_loop;
	struct tmpl_except except;
	struct tmpl_nodes body;
};

/* A value of an attribute, text and expressions in turn. */
struct tmpl_part {
	struct tmpl_part *next;
	/* NULL: text. */
	struct tmpl_expr *expr;
	struct tmpl_piece text;
};

enum tmpl_node_type {
	TMPL_NODE_TEXT,
	TMPL_NODE_OUTPUT,
	/* if, for, while, try: by its first clause. */
	TMPL_NODE_CONTROL,
	TMPL_NODE_CODE,
	TMPL_NODE_INCLUDE,
	/* <%text filter=""> */
	TMPL_NODE_FILTERED,
	TMPL_NODE_BLOCK,
};

struct tmpl_node {
	struct tmpl_node *next;
	enum tmpl_node_type type;
	struct tmpl_pos pos;
	/* OUTPUT, FILTERED. */
	struct tmpl_filters filters;
	union {
		/* TEXT, FILTERED. */
		struct tmpl_piece text;
		struct tmpl_expr *expr;
		struct tmpl_clause *clauses;
		struct {
			struct tmpl_block *block;
			/* That it assigns. */
			struct tmpl_names names;
		} code;
		struct {
			struct tmpl_part *file;
			struct tmpl_call args;
		} include;
		struct tmpl_func *block;
	} u;
};

/* What Mako makes a Python function of: the template's body, a def, a block.
 * Names that are assigned in it are its own. */
struct tmpl_func {
	struct tmpl_func *next;
	struct tmpl_pos pos;
	/* NULL: the body, or a block without a name. */
	const struct tmpl_name *name;
	bool is_block;
	/* What it stands in.  A block without a name sees its names. */
	struct tmpl_func *outer;
	struct tmpl_params params;
	struct tmpl_filters filters;
	bool is_buffered;
	struct tmpl_nodes body;
	/* Parameters, and what is assigned here or in a block within: by id. */
	struct tmpl_names locals;
};

struct tmpl_template {
	struct tmpl_func body;
	/* Defs and named blocks; of two with one name the later. */
	struct tmpl_func *defs;
	size_t defs_n;
	/* <%! %>, in order. */
	struct tmpl_nodes module;
	struct tmpl_names module_names;
	bool has_page;
	/* <%page expression_filter=""> */
	struct tmpl_filters page_filters;
};

/* -1: f says why. The text has to be valid UTF-8 and to live as long as a. */
int tmpl_tree_parse(struct tmpl_compiler *c, struct arena *a, const char *s,
    size_t len, struct tmpl_template *ret, struct tmpl_fault *f);

/* The place of a name in names that are sorted; SIZE_MAX: not there. */
size_t tmpl_names_find(
    const struct tmpl_names *names, const struct tmpl_name *name);
