/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tables are collected whole, since the width of a column is that of its widest
 * cell, and written once. Cells are escaped when they are added, so nothing
 * that a server sends reaches the terminal as a control character.
 */
#include "cli/table.h"

#include <string.h>

#include "cli/term.h"

#define CELL_MAX 4096

void
table_init(struct table *t, const struct table_column *columns, struct arena *a)
{
	memset(t, 0, sizeof(*t));
	t->columns = columns;
	t->arena = a;
	t->empty = "-";
	while (columns[t->columns_n].heading != NULL)
		t->columns_n++;
}

static const char *
clean(struct table *t, const char *s)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, CELL_MAX);
	if (s == NULL || s[0] == '\0')
		return t->empty;
	strbuf_add_escaped(&b, s, strnlen(s, CELL_MAX / 4 - 1));
	return arena_strndup(t->arena, b.buf, b.len);
}

void
table_add(struct table *t, const char *const *cells)
{
	const char **row;

	if (t->rows_n == t->rows_cap) {
		size_t cap = t->rows_cap == 0 ? 16 : t->rows_cap * 2;
		const char **bigger =
		    arena_calloc(t->arena, cap * t->columns_n, sizeof(*bigger));
		enum term_color *colors =
		    arena_calloc(t->arena, cap, sizeof(*colors));

		if (bigger == NULL || colors == NULL)
			return;
		if (t->rows_n > 0) {
			memcpy(bigger, t->cells,
			    t->rows_n * t->columns_n * sizeof(*bigger));
			memcpy(colors, t->colors, t->rows_n * sizeof(*colors));
		}
		t->cells = bigger;
		t->colors = colors;
		t->rows_cap = cap;
	}
	row = t->cells + t->rows_n * t->columns_n;
	for (size_t i = 0; i < t->columns_n; i++) {
		row[i] = clean(t, cells[i]);
		if (row[i] == NULL)
			return;
	}
	t->rows_n++;
}

void
table_color(struct table *t, enum term_color color)
{
	if (t->rows_n > 0)
		t->colors[t->rows_n - 1] = color;
}

static size_t
cell_width(const char *s)
{
	return term_text_width(s, strlen(s));
}

static void
add_cell(struct strbuf *out, const char *cell, size_t width, bool right,
    enum term_color color)
{
	size_t pad = width - cell_width(cell);

	if (right)
		strbuf_addf(out, "%*s", (int)pad, "");
	term_add_color(out, color != TERM_PLAIN, color, cell);
	if (!right)
		strbuf_addf(out, "%*s", (int)pad, "");
}

/* Cuts the line that begins at `from` to `width` columns. */
static void
cut_line(struct strbuf *out, size_t from, size_t width)
{
	while (out->len > from && out->buf[out->len - 1] == ' ')
		strbuf_truncate(out, out->len - 1);
	if (width < 2 ||
	    term_text_width(out->buf + from, out->len - from) <= width)
		return;
	strbuf_truncate(out,
	    from + term_text_cut(out->buf + from, out->len - from, width - 1));
	strbuf_adds(out, "\xe2\x80\xa6");
	/* The colour may have been cut, too. */
	if (memchr(out->buf + from, '\033', out->len - from) != NULL)
		strbuf_adds(out, "\033[0m");
}

void
table_print(const struct table *t, bool headings, size_t width, bool color,
    struct strbuf *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = { 0 }, r, c, from;

	for (c = 0; c < t->columns_n; c++) {
		if (headings)
			widths[c] = strlen(t->columns[c].heading);
		for (r = 0; r < t->rows_n; r++) {
			size_t w = cell_width(t->cells[r * t->columns_n + c]);

			widths[c] = w > widths[c] ? w : widths[c];
		}
	}
	for (r = headings ? 0 : 1; r <= t->rows_n; r++) {
		AUTO_STRBUF struct strbuf line;

		strbuf_init(&line, (size_t)1024 * 1024);
		from = 0;
		for (c = 0; c < t->columns_n; c++) {
			strbuf_adds(&line, c == 0 ? "" : "  ");
			add_cell(&line,
			    r == 0 ? t->columns[c].heading
				   : t->cells[(r - 1) * t->columns_n + c],
			    widths[c], t->columns[c].right,
			    color && r > 0 && c == t->color_column
				? t->colors[r - 1]
				: TERM_PLAIN);
		}
		cut_line(&line, from, width);
		term_add_color(out, color && r == 0, TERM_BOLD, line.buf);
		strbuf_addc(out, '\n');
	}
}
