/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Findings about what people wrote.  A checker adds them as it meets them, in
 * whatever order suits it, and goes on; the list keeps them in order of
 * position, the first DIAG_MAX of them, and counts the rest.  When it is full,
 * an error pushes out the last warning before the last error: a warning never
 * hides why a file was refused.
 *
 * Texts are copied into the arena of the user.  When that is full or memory is
 * out, a finding still counts and shows a constant text, so a faulty file can
 * not pass for a good one.
 *
 * Texts may quote what was found: they are stored as they are and escaped when
 * they are printed.
 */

#include "lib/data/diag.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A reason may list choices; beyond this it is cut. */
#define REASON_MAX 1024
/* cli.md 7.1: values are quoted and cut. */
#define QUOTE_MAX 60
/* A word longer than this is not a typing mistake. */
#define WORD_MAX 64
#define SUGGEST_MAX 3
/* Columns of source shown around the caret. */
#define CARET_WIDTH 72

void
diag_init(struct diag *d, struct arena *a, const char *file)
{
	memset(d, 0, sizeof(*d));
	d->arena = a;
	d->file = file;
}

static bool
is_before(const struct diag_item *a, const struct diag_item *b)
{
	if (a->line != b->line)
		return a->line < b->line;
	return a->col < b->col;
}

/* Makes room when the list is full; false when `item` is what has to go. */
static bool
evict(struct diag *d, const struct diag_item *item)
{
	size_t i;

	if (d->n < DIAG_MAX)
		return true;
	for (i = d->n; i > 0 && !d->items[i - 1].warning; i--)
		continue;
	/* An error needs no better position to push out a warning. */
	if (i == 0 || item->warning) {
		if (!item->warning)
			i = d->n;
		if (i == 0 || !is_before(item, &d->items[i - 1]))
			return false;
	}
	memmove(
	    &d->items[i - 1], &d->items[i], (d->n - i) * sizeof(d->items[0]));
	d->n--;
	return true;
}

static void
add(struct diag *d, const struct diag_item *item)
{
	size_t i;

	if (item->warning)
		d->warnings++;
	else
		d->errors++;
	if (!evict(d, item))
		return;
	i = d->n;
	while (i > 0 && is_before(item, &d->items[i - 1]))
		i--;
	memmove(
	    &d->items[i + 1], &d->items[i], (d->n - i) * sizeof(d->items[0]));
	d->items[i] = *item;
	d->n++;
}

static const char *
keep(struct diag *d, const char *s)
{
	const char *copy;

	copy = arena_strdup(d->arena, s);
	return copy != NULL ? copy : "(no memory for the text)";
}

static void vadd(struct diag *d, struct diag_item *item, const char *path,
    const char *hint, const char *fmt, va_list ap) CC_PRINTF(5, 0);

static void
vadd(struct diag *d, struct diag_item *item, const char *path, const char *hint,
    const char *fmt, va_list ap)
{
	char text[REASON_MAX];

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	item->reason = keep(d, text);
	item->path = path == NULL || path[0] == '\0' ? "" : keep(d, path);
	item->hint = hint == NULL ? NULL : keep(d, hint);
	add(d, item);
}

void
diag_error(struct diag *d, struct diag_pos pos, const char *rule,
    const char *path, const char *hint, const char *fmt, ...)
{
	struct diag_item item = {
		.line = pos.line, .col = pos.col, .rule = rule
	};
	va_list ap;

	va_start(ap, fmt);
	vadd(d, &item, path, hint, fmt, ap);
	va_end(ap);
}

void
diag_warn(struct diag *d, struct diag_pos pos, const char *rule,
    const char *path, const char *hint, const char *fmt, ...)
{
	struct diag_item item = {
		.line = pos.line, .col = pos.col, .warning = true, .rule = rule
	};
	va_list ap;

	va_start(ap, fmt);
	vadd(d, &item, path, hint, fmt, ap);
	va_end(ap);
}

static void
add_text(struct strbuf *out, const char *s)
{
	strbuf_add_escaped(out, s, strlen(s));
}

/* "FILE:LINE:COL: PATH: [warning: ]REASON" */
static void
add_finding(
    const struct diag *d, const struct diag_item *it, struct strbuf *out)
{
	if (d->file != NULL) {
		add_text(out, d->file);
		if (it->line > 0)
			strbuf_addf(out, ":%u", it->line);
		if (it->line > 0 && it->col > 0)
			strbuf_addf(out, ":%u", it->col);
		strbuf_adds(out, ": ");
	}
	if (it->path[0] != '\0') {
		add_text(out, it->path);
		strbuf_adds(out, ": ");
	}
	if (it->warning)
		strbuf_adds(out, "warning: ");
	add_text(out, it->reason);
}

/* The start of line n (from 1), or NULL; ends are LF, CRLF and CR. */
static const char *
find_line(const char *text, unsigned n)
{
	const char *p;

	p = text;
	while (n > 1) {
		p += strcspn(p, "\r\n");
		if (*p == '\0')
			return NULL;
		p += p[0] == '\r' && p[1] == '\n' ? 2 : 1;
		n--;
	}
	return p;
}

static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Steps over n characters of a line, but not over its end. */
static const char *
skip_chars(const char *p, const char *end, unsigned n)
{
	while (n > 0 && p < end) {
		p++;
		while (p < end && is_continuation(*p))
			p++;
		n--;
	}
	return p;
}

static void
add_caret(const struct diag_item *it, const char *source, struct strbuf *out)
{
	const char *line, *end, *p;
	unsigned skip;

	line = it->line > 0 && it->col > 0 ? find_line(source, it->line) : NULL;
	if (line == NULL)
		return;
	end = line + strcspn(line, "\r\n");
	skip = it->col > CARET_WIDTH ? it->col - CARET_WIDTH / 2 : 0;
	line = skip_chars(line, end, skip);
	p = skip_chars(line, end, CARET_WIDTH);
	strbuf_adds(out, "    ");
	/* A tab is as wide above the caret as in the text. */
	for (end = p, p = line; p < end; p++) {
		if (*p == '\t')
			strbuf_addc(out, ' ');
		else if (is_continuation(*p) || (unsigned char)*p >= 0x80)
			strbuf_addc(out, *p);
		else
			strbuf_addc(out, isprint((unsigned char)*p) ? *p : '?');
	}
	strbuf_addf(out, "\n    %*s^\n", (int)(it->col - skip - 1), "");
}

void
diag_print(const struct diag *d, const char *program, const char *source,
    bool caret, struct strbuf *out)
{
	const struct diag_item *it;
	size_t i, all;

	for (i = 0; i < d->n; i++) {
		it = &d->items[i];
		strbuf_addf(out, "%s: ", program);
		add_finding(d, it, out);
		strbuf_addc(out, '\n');
		if (caret && source != NULL)
			add_caret(it, source, out);
		if (it->hint != NULL) {
			strbuf_adds(out, "  hint: ");
			add_text(out, it->hint);
			strbuf_addc(out, '\n');
		}
	}
	all = d->errors + d->warnings;
	if (all > d->n)
		strbuf_addf(out, "\xe2\x80\xa6 and %zu more\n", all - d->n);
}

int
diag_check(const struct diag *d, struct error *e)
{
	AUTO_STRBUF struct strbuf b;
	size_t i;

	strbuf_init(&b, sizeof(e->text));
	if (d->errors == 0)
		return 0;
	for (i = 0; i < d->n && d->items[i].warning; i++)
		continue;
	/* Errors push out warnings, so one of them is stored. */
	if (i < d->n)
		add_finding(d, &d->items[i], &b);
	if (d->errors > 1)
		return error_set(
		    e, OVE_INVALID, "%s (and %zu more)", b.buf, d->errors - 1);
	return error_set(e, OVE_INVALID, "%s", b.buf);
}

const char *
diag_quote(struct arena *a, const char *s, size_t len)
{
	AUTO_STRBUF struct strbuf b;
	const char *end, *p, *copy;

	p = s;
	end = skip_chars(p, s + len, QUOTE_MAX);
	strbuf_init(&b, 8 * QUOTE_MAX);
	strbuf_addc(&b, '\'');
	strbuf_add_escaped(&b, p, (size_t)(end - p));
	strbuf_adds(&b, end < s + len ? "\xe2\x80\xa6'" : "'");
	copy = arena_strdup(a, b.buf);
	return copy != NULL ? copy : "''";
}

/* Lower case without '-' and '_'; 0 when it does not fit. */
static size_t
fold(const char *word, char *buf)
{
	size_t n;

	n = 0;
	for (; *word != '\0'; word++) {
		if (*word == '-' || *word == '_')
			continue;
		if (n == WORD_MAX)
			return 0;
		buf[n++] = (char)tolower((unsigned char)*word);
	}
	return n;
}

static unsigned
min3(unsigned a, unsigned b, unsigned c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Optimal string alignment: insert, delete, replace, swap neighbours. */
static unsigned
distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
	unsigned row[3][WORD_MAX + 1];
	unsigned *cur, *prev, *prev2, *swap;
	size_t i, j;

	cur = row[0];
	prev = row[1];
	prev2 = row[2];
	for (j = 0; j <= b_n; j++)
		cur[j] = (unsigned)j;
	for (i = 1; i <= a_n; i++) {
		swap = prev2;
		prev2 = prev;
		prev = cur;
		cur = swap;
		cur[0] = (unsigned)i;
		for (j = 1; j <= b_n; j++) {
			cur[j] = min3(prev[j] + 1, cur[j - 1] + 1,
			    prev[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && prev2[j - 2] + 1 < cur[j])
				cur[j] = prev2[j - 2] + 1;
		}
	}
	return cur[b_n];
}

struct suggestion {
	const char *word;
	unsigned distance;
};

static bool
is_better(const struct suggestion *a, const struct suggestion *b)
{
	if (a->distance != b->distance)
		return a->distance < b->distance;
	return strcmp(a->word, b->word) < 0;
}

/* Keeps the best SUGGEST_MAX, best first. */
static size_t
insert(struct suggestion *best, size_t n, const struct suggestion *s)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (strcmp(best[i].word, s->word) == 0)
			return n;
	}
	for (i = n; i > 0 && is_better(s, &best[i - 1]); i--) {
		if (i < SUGGEST_MAX)
			best[i] = best[i - 1];
	}
	if (i < SUGGEST_MAX)
		best[i] = *s;
	return n < SUGGEST_MAX ? n + 1 : n;
}

const char *
diag_suggest(
    struct arena *a, const char *word, const char *const *candidates, size_t n)
{
	struct suggestion best[SUGGEST_MAX], s;
	char w[WORD_MAX], c[WORD_MAX];
	size_t i, w_n, c_n, found;
	unsigned max;

	w_n = fold(word, w);
	if (w_n == 0)
		return NULL;
	max = w_n <= 4 ? 1 : w_n <= 8 ? 2 : 3;
	found = 0;
	for (i = 0; i < n; i++) {
		c_n = fold(candidates[i], c);
		if (c_n == 0)
			continue;
		s.word = candidates[i];
		s.distance = distance(w, w_n, c, c_n);
		if (s.distance <= max)
			found = insert(best, found, &s);
	}
	if (found == 0)
		return NULL;
	/* Equal after folding always wins. */
	if (best[0].distance == 0 || found == 1)
		return arena_printf(a, "did you mean '%s'?", best[0].word);
	if (found == 2)
		return arena_printf(a, "did you mean '%s' or '%s'?",
		    best[0].word, best[1].word);
	return arena_printf(a, "did you mean '%s', '%s' or '%s'?", best[0].word,
	    best[1].word, best[2].word);
}
