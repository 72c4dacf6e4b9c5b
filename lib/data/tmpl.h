/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Templates: a subset of Mako (spec yaml-and-templates.md 4, 5), whose output
 * is the same to the byte.  What is not in the subset is refused by name and
 * place.  Nothing but the variables, and what the caller gives for an include,
 * can be reached from a template; memory, output, iterations and depth are
 * bounded.
 */
#pragma once

#include "lib/data/tmpl_value.h"

/* Includes within each other. */
#define TMPL_INCLUDES_MAX 32
/* A template. */
#define TMPL_TEXT_MAX ((size_t)16 << 20)

struct tmpl_var {
	const char *name;
	const char *value;
};

/* Finds a template for <%include>: name is relative and holds no "..", "." or
 * empty part.  The text goes to a. */
enum {
	TMPL_NO_FILE = 1
};
typedef int tmpl_open_fn(const char *name, struct arena *a, const char **ret,
    size_t *ret_len, void *ctx, struct error *e);

struct tmpl_input {
	const char *text;
	size_t len;
	/* Each name once. */
	const struct tmpl_var *vars;
	size_t vars_n;
	/* NULL: there are no templates to include. */
	tmpl_open_fn *open;
	void *ctx;
};

struct tmpl_output {
	const char *text;
	size_t len;
	/* The line of the template that each line of the text comes from. */
	const unsigned *lines;
	size_t lines_n;
};

struct tmpl_failure {
	/* Mako's or Python's name of it, "UnsupportedTemplate", "LimitError".
	 */
	const char *class;
	/* What is wrong and where, without the class; for one in an included
	 * template with its name before it. */
	const char *text;
	/* line 0: unknown. */
	struct tmpl_pos pos;
	/* NULL: in the template itself. */
	const char *file;
};

/* What is returned lives in a.  -1: why says why. */
int tmpl_render(const struct tmpl_input *in, struct arena *a,
    struct tmpl_output *ret, struct tmpl_failure *why) CC_MUST_CHECK;

/* The line of the template for a line of the output, both from 1; 0: none. */
unsigned tmpl_line(const struct tmpl_output *out, unsigned line);
