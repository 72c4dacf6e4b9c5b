/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the parts of the template parser share: tmpl_parse.c (the tree),
 * tmpl_control.c (control lines), tmpl_tag.c (tags).
 */
#pragma once

#include "lib/data/tmpl_tree.h"

/* A tag or control line that has not ended. */
struct tmpl_tree_open {
	struct tmpl_pos pos;
	/* Of the tag or the control line, for messages. */
	struct tmpl_piece word;
	/* Control line: its first clause and the one at hand.  NULL: a tag. */
	struct tmpl_clause *first;
	struct tmpl_clause *last;
	/* Where what follows goes. */
	struct tmpl_nodes *nodes;
	struct tmpl_func *func;
};

struct tmpl_tree_parser {
	struct arena *a;
	struct tmpl_compiler *c;
	struct tmpl_lexer lx;
	struct tmpl_template *t;
	struct tmpl_fault *f;
	const struct tmpl_name *loop;
	/* [0] is the template. */
	struct tmpl_tree_open open[TMPL_BLOCK_NEST_MAX + 1];
	size_t depth;
};

/* All of these return -1. */
int tmpl_tree_fail(struct tmpl_tree_parser *p, enum tmpl_class class,
    struct tmpl_pos pos, const char *fmt, ...) CC_PRINTF(4, 5);
int tmpl_tree_unsupported(struct tmpl_tree_parser *p, struct tmpl_pos pos,
    const char *fmt, ...) CC_PRINTF(3, 4);
int tmpl_tree_nomem(struct tmpl_tree_parser *p);

static inline struct tmpl_tree_open *
tmpl_tree_top(struct tmpl_tree_parser *p)
{
	return &p->open[p->depth];
}

/* A node at the end of what is open; NULL: no memory, told. */
struct tmpl_node *tmpl_tree_add(
    struct tmpl_tree_parser *p, enum tmpl_node_type type, struct tmpl_pos pos);
int tmpl_tree_push(
    struct tmpl_tree_parser *p, const struct tmpl_tree_open *open);
/* Something reads this name: a tmpl_name_fn with the parser as ctx. */
void tmpl_tree_note_read(const struct tmpl_name *name, void *ctx);
/* Makes it a name of the function that is open. */
int tmpl_tree_assign(struct tmpl_tree_parser *p, const struct tmpl_name *name);
/* Adds a name once. */
int tmpl_tree_add_name(struct tmpl_tree_parser *p, struct tmpl_names *names,
    const struct tmpl_name *name);

/* The token is of that type. */
int tmpl_tree_control(struct tmpl_tree_parser *p, const struct tmpl_token *t);
int tmpl_tree_tag(struct tmpl_tree_parser *p, const struct tmpl_token *t);
int tmpl_tree_tag_end(struct tmpl_tree_parser *p, const struct tmpl_token *t);
