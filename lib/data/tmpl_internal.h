/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One rendering: what tmpl.c (set-up, includes), tmpl_exec.c (nodes),
 * tmpl_frame.c (names) and tmpl_out.c (text) share.
 */
#pragma once

#include "lib/data/tmpl.h"
#include "lib/data/tmpl_tree.h"

struct tmpl_slot {
	struct tmpl_value v;
	bool is_bound;
};

/* A template that was read. */
struct tmpl_unit {
	struct tmpl_unit *next;
	/* As it was asked for, for messages and what is relative to it; NULL:
	 * the template itself.  key: without "." and "..". */
	const char *uri;
	const char *key;
	struct tmpl_template tree;
	/* Of tree.module_names. */
	struct tmpl_slot *module;
	/* By a name's id: its def. */
	struct tmpl_func **defs;
	size_t defs_n;
};

/* What a body or a def finds its variables in: those that were given, and, for
 * a def, what the body had assigned. */
struct tmpl_context {
	const struct tmpl_context *base;
	const struct tmpl_names *names;
	const struct tmpl_slot *slots;
};

struct tmpl_frame {
	struct tmpl_env env;
	struct tmpl_engine *g;
	const struct tmpl_unit *unit;
	/* NULL: of <%! %>, and of the defaults of parameters. */
	const struct tmpl_func *f;
	/* A block without a name: whose names it sees. */
	struct tmpl_frame *outer;
	/* The template's body whose names defs get to see; NULL in defs. */
	struct tmpl_frame *body;
	const struct tmpl_context *ctx;
	/* Of f->locals. */
	struct tmpl_slot *slots;
	struct tmpl_loop *loop;
	/* By a name's id: values of defs, made when they are first used. */
	struct tmpl_def **defs;
	/* Of a body: what code assigned, of f->locals; and that as a context,
	 * until it changes again. */
	struct tmpl_slot *shown;
	const struct tmpl_context *snapshot;
};

/* Text that is being written: the output, or what a filter waits for. */
struct tmpl_sink {
	struct tmpl_sink *up;
	struct strbuf b;
	/* Something that is not a string was written. */
	bool is_bad;
	struct tmpl_fault bad;
};

struct tmpl_lines {
	unsigned *items;
	size_t n;
	size_t cap;
	/* The next character begins a line. */
	bool is_start;
};

struct tmpl_engine {
	struct tmpl_run run;
	/* Of values and trees. */
	struct arena *a;
	struct tmpl_compiler *c;
	const struct tmpl_input *in;
	/* By name. */
	const struct tmpl_var **vars;
	struct tmpl_unit *units;
	struct tmpl_sink *sink;
	/* Bytes in all sinks. */
	size_t held;
	unsigned includes;
	unsigned depth;
	/* Where in the template itself the rendering is. */
	unsigned line;
	struct tmpl_lines lines;
	/* The included template whose fault it is. */
	const char *where;
};

/* tmpl_frame.c */

/* NULL: no memory, raised. */
struct tmpl_frame *tmpl_frame_new(struct tmpl_engine *g,
    const struct tmpl_unit *unit, const struct tmpl_func *f,
    const struct tmpl_context *ctx);
/* A frame of the body: defs see what code in it assigns. */
int tmpl_frame_make_body(struct tmpl_frame *fr);
void tmpl_frame_bind(
    struct tmpl_frame *fr, const struct tmpl_name *name, struct tmpl_value v);
void tmpl_frame_unbind(struct tmpl_frame *fr, const struct tmpl_name *name);
/* Lets defs see these names as they are now. */
void tmpl_frame_show(struct tmpl_frame *fr, const struct tmpl_names *names);
/* The context of a def that is called from fr; NULL: no memory, raised. */
const struct tmpl_context *tmpl_frame_context(struct tmpl_frame *fr);
/* A variable: 0, TMPL_MISSING or -1. */
int tmpl_context_find(struct tmpl_engine *g, const struct tmpl_context *ctx,
    const char *name, size_t len, struct tmpl_value *ret);

/* tmpl_out.c */

void tmpl_sink_push(struct tmpl_engine *g, struct tmpl_sink *s);
/* Ends it and drops what it holds. */
void tmpl_sink_drop(struct tmpl_engine *g);
/* Ends it; its text. */
int tmpl_sink_take(struct tmpl_engine *g, struct tmpl_value *ret);
/* is_source: the text stands in the template like that. */
int tmpl_write(
    struct tmpl_engine *g, const char *s, size_t len, bool is_source);
/* What is not a string fails when the sink ends, as in Mako. */
int tmpl_write_value(
    struct tmpl_engine *g, struct tmpl_value v, struct tmpl_pos pos);
/* Of the output: raises what was written that is not a string. */
int tmpl_sink_check(struct tmpl_engine *g);

/* tmpl_exec.c */

/* Runs a template's body: args are those of an include, NULL: of the top. */
int tmpl_exec_unit(struct tmpl_engine *g, const struct tmpl_unit *unit,
    const struct tmpl_context *ctx, const struct tmpl_args *args);
/* Runs <%! %>. */
int tmpl_exec_module(struct tmpl_engine *g, struct tmpl_unit *unit);
/* Calls a def, or a block, in the frame of the caller. */
int tmpl_exec_func(struct tmpl_frame *caller, const struct tmpl_func *f,
    const struct tmpl_args *args, struct tmpl_value *ret);

/* tmpl.c */

/* The template that `name` means in unit; raises at pos. */
int tmpl_engine_load(struct tmpl_engine *g, const struct tmpl_unit *from,
    const char *name, size_t len, struct tmpl_pos pos,
    const struct tmpl_unit **ret);
