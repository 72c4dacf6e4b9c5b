/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Filters of templates: ${E | h, trim}, <%def filter="h">, and what
 * <%page expression_filter> puts before those of each expression (spec
 * yaml-and-templates.md 4.3).
 */
#pragma once

#include "lib/data/tmpl_lex.h"

struct tmpl_filter;

struct tmpl_filters {
	size_t n;
	struct tmpl_filter *items;
	/* "n" is among them: nothing is made a string first, and those of the
	 * page do not count. */
	bool is_raw;
};

/* "h, trim"; none when text is blank.  Lives in a, as the compiler does. */
int tmpl_filters_compile(struct tmpl_compiler *c, struct arena *a,
    const struct tmpl_piece *text, struct tmpl_filters *ret,
    struct tmpl_fault *f);
/* The names that they may read. */
void tmpl_filters_reads(
    const struct tmpl_filters *fs, tmpl_name_fn *fn, void *ctx);
/* Passes *v through all of them.  is_safe, kept from one list to the next, says
 * that "h" has been there and need not again. */
int tmpl_filters_apply(struct tmpl_run *r, struct tmpl_env *env,
    const struct tmpl_filters *fs, bool *is_safe,
    struct tmpl_value *v) CC_MUST_CHECK;
