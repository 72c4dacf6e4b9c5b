/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Plain tables (cli.md 6.0): two blanks between columns, text to the left,
 * numbers to the right, headings in capitals, no borders, no blanks at the end
 * of a line. On a terminal the last column is cut to the width.
 */
#pragma once

#include "cli/term.h"
#include "lib/base/arena.h"
#include "lib/base/strbuf.h"

#define TABLE_COLUMNS_MAX 20

struct table_column {
	/* NULL ends the list of columns. */
	const char *heading;
	bool right;
};

struct table {
	const struct table_column *columns;
	size_t columns_n;
	struct arena *arena;
	/* rows_n times columns_n texts. */
	const char **cells;
	/* What a cell without text shows. */
	const char *empty;
	/* The column that has colours, and that of each row; they show when
	 * headings are bold. */
	size_t color_column;
	enum term_color *colors;
	size_t rows_n;
	size_t rows_cap;
};

void table_init(
    struct table *t, const struct table_column *columns, struct arena *a);
/* One text per column; copied and escaped; NULL and "" are `empty`, "-" unless
 * changed. */
void table_add(struct table *t, const char *const *cells);
/* Of the cell in color_column of the row that was added last. */
void table_color(struct table *t, enum term_color color);
/* width 0: nothing is cut. color: headings are bold. */
void table_print(const struct table *t, bool headings, size_t width, bool color,
    struct strbuf *out);
