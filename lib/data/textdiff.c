/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See textdiff.h.  Lines that both texts begin or end with are set aside; for
 * the rest the longest common subsequence is found by the usual table, from the
 * end, so that it can be walked from the front.  The table is bounded in cells,
 * and thereby the time.
 */
#include "lib/data/textdiff.h"

#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"

/* Of the table: 2,000 lines against 2,000. */
#define CELLS_MAX ((size_t)4 * 1000 * 1000)
#define CONTEXT 3

struct line {
	const char *s;
	size_t len;
};

struct lines {
	struct line *items;
	size_t n;
};

/* A step of the walk through both texts. */
enum step {
	KEEP,
	REMOVE,
	ADD,
};

static void
lines_fini(struct lines *l)
{
	mem_free(l->items);
}
#define AUTO_LINES CC_CLEANUP(lines_fini)

static int
split(const char *s, struct lines *ret, struct error *e)
{
	const char *p, *lf;
	size_t n = 1;

	for (p = s; *p != '\0'; p++)
		n += *p == '\n';
	ret->n = 0;
	ret->items = mem_calloc(n, sizeof(*ret->items));
	if (ret->items == NULL)
		return error_nomem(e);
	while (*s != '\0') {
		lf = strchr(s, '\n');
		ret->items[ret->n].s = s;
		ret->items[ret->n].len =
		    lf != NULL ? (size_t)(lf - s) + 1 : strlen(s);
		s += ret->items[ret->n++].len;
	}
	return 0;
}

static bool
same(const struct line *a, const struct line *b)
{
	return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* Steps through na and nb lines, in steps; by the table t of the lengths of the
 * longest common subsequences from each place on, or without one. */
static size_t
walk(const struct line *a, size_t na, const struct line *b, size_t nb,
    const uint16_t *t, unsigned char *steps)
{
	size_t i = 0, j = 0, n = 0, width = nb + 1;

	while (i < na && j < nb) {
		if (t != NULL && same(&a[i], &b[j])) {
			steps[n++] = KEEP;
			i++;
			j++;
		} else if (t == NULL ||
		    t[(i + 1) * width + j] >= t[i * width + j + 1]) {
			steps[n++] = REMOVE;
			i++;
		} else {
			steps[n++] = ADD;
			j++;
		}
	}
	for (; i < na; i++)
		steps[n++] = REMOVE;
	for (; j < nb; j++)
		steps[n++] = ADD;
	return n;
}

/* What lies between the common ends. */
static int
walk_middle(const struct line *a, size_t na, const struct line *b, size_t nb,
    unsigned char *steps, size_t *ret_n, struct error *e)
{
	AUTO_FREE uint16_t *t = NULL;
	size_t cells, i, j, width = nb + 1;

	/* Fewer lines than a cell can count, then. */
	if (na > 0 && nb > 0 && na < UINT16_MAX && nb < UINT16_MAX &&
	    num_mul_size(na + 1, width, &cells) && cells <= CELLS_MAX) {
		t = mem_calloc(cells, sizeof(*t));
		if (t == NULL)
			return error_nomem(e);
		for (i = na; i-- > 0;) {
			for (j = nb; j-- > 0;) {
				uint16_t down = t[(i + 1) * width + j];
				uint16_t right = t[i * width + j + 1];

				t[i * width + j] = same(&a[i], &b[j])
				    ? (uint16_t)(t[(i + 1) * width + j + 1] + 1)
				    : down > right ? down
						   : right;
			}
		}
	}
	*ret_n = walk(a, na, b, nb, t, steps);
	return 0;
}

static void
add_line(struct strbuf *out, char mark, const struct line *l)
{
	bool ends = l->len > 0 && l->s[l->len - 1] == '\n';

	strbuf_addc(out, mark);
	strbuf_add_escaped(out, l->s, ends ? l->len - 1 : l->len);
	strbuf_addc(out, '\n');
	if (!ends)
		strbuf_adds(out, "\\ No newline at end of file\n");
}

/* Where the hunk that begins at step from ends: a run of kept lines longer than
 * two contexts is not within. */
static size_t
end_of_hunk(const unsigned char *steps, size_t n, size_t from)
{
	size_t i, kept = 0, end = from;

	for (i = from; i < n && kept <= 2 * CONTEXT; i++) {
		kept = steps[i] == KEEP ? kept + 1 : 0;
		if (steps[i] != KEEP)
			end = i + 1;
	}
	return end + CONTEXT < n ? end + CONTEXT : n;
}

static void
add_hunk(struct strbuf *out, const struct line *a, const struct line *b,
    const unsigned char *steps, size_t n, size_t at_a, size_t at_b)
{
	size_t i, na = 0, nb = 0;

	for (i = 0; i < n; i++) {
		na += steps[i] != ADD;
		nb += steps[i] != REMOVE;
	}
	strbuf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", at_a + (na > 0), na,
	    at_b + (nb > 0), nb);
	for (i = 0; i < n; i++) {
		switch ((enum step)steps[i]) {
		case KEEP:
			add_line(out, ' ', a++);
			b++;
			break;
		case REMOVE:
			add_line(out, '-', a++);
			break;
		case ADD:
			add_line(out, '+', b++);
			break;
		}
	}
}

static void
add_hunks(struct strbuf *out, const struct lines *a, const struct lines *b,
    const unsigned char *steps, size_t n)
{
	size_t i, end, from, at_a = 0, at_b = 0, done = 0, k;

	for (i = 0; i < n; i++) {
		if (steps[i] == KEEP)
			continue;
		from = i > done + CONTEXT ? i - CONTEXT : done;
		for (k = done; k < from; k++, at_a++, at_b++)
			continue;
		end = end_of_hunk(steps, n, i);
		add_hunk(out, a->items + at_a, b->items + at_b, steps + from,
		    end - from, at_a, at_b);
		for (k = from; k < end; k++) {
			at_a += steps[k] != ADD;
			at_b += steps[k] != REMOVE;
		}
		done = end;
		i = end - 1;
	}
}

int
textdiff(struct strbuf *out, const char *before, const char *after,
    struct textdiff_count *ret, struct error *e)
{
	struct lines AUTO_LINES a = { NULL, 0 };
	struct lines AUTO_LINES b = { NULL, 0 };
	AUTO_FREE unsigned char *steps = NULL;
	size_t head = 0, tail = 0, n = 0, i;

	if (split(before, &a, e) < 0 || split(after, &b, e) < 0)
		return -1;
	/* KEEP is 0. */
	steps = mem_calloc(a.n + b.n + 1, 1);
	if (steps == NULL)
		return error_nomem(e);
	while (head < a.n && head < b.n && same(&a.items[head], &b.items[head]))
		head++;
	while (tail < a.n - head && tail < b.n - head &&
	    same(&a.items[a.n - tail - 1], &b.items[b.n - tail - 1]))
		tail++;
	if (walk_middle(a.items + head, a.n - head - tail, b.items + head,
		b.n - head - tail, steps + head, &n, e) < 0)
		return -1;
	n += head + tail;
	*ret = (struct textdiff_count){ 0, 0 };
	for (i = 0; i < n; i++) {
		ret->removed += steps[i] == REMOVE;
		ret->added += steps[i] == ADD;
	}
	if (out != NULL)
		add_hunks(out, &a, &b, steps, n);
	return 0;
}
