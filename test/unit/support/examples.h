/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Example files of the contract. Those that must not load begin with the
 * original's words, "# expect: TEXT"; a table of wordings says which rule of
 * ours each form of the original's is, and a table of rows, one per file, where
 * ours finds it and how it says it. A test program whose row in meson.build
 * says 'examples' gets this.
 */
#pragma once

#include "lib/data/diag.h"

/* A path of the repository; good until the next call. */
const char *example_path(const char *path);
/* The text of one of its files; mem_free() it. The test fails without it. */
char *example_read(const char *path, size_t *ret_len);

struct example_row {
	/* Below test/examples/invalid, without ".yml". */
	const char *file;
	const char *rule;
	/* The key that the original's words name, as it writes it; NULL when
	 * they name none. */
	const char *theirs;
	/* Ours: where, and the whole finding without rule and hint. */
	unsigned line;
	unsigned col;
	const char *path;
	const char *reason;
};

typedef int example_load_fn(const char *text, size_t len, struct arena *a,
    struct diag *d, struct error *e);
/* Each file must be refused by its rule, there, in these words, and the
 * original's words must be a wording of the rule. */
void examples_invalid(
    const struct example_row *rows, size_t n, example_load_fn *load);
