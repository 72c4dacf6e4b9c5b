/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How a preview looks: a line for each thing and a sum, with --diff the texts
 * that differ below; or a document.  Values of variables that look like secrets
 * are masked in all of them, unless --show-secrets is given.
 */
#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/preview.h"
#include "cli/table.h"
#include "lib/data/json.h"
#include "lib/data/textdiff.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define MARK_COLUMN 2

static const struct table_column columns[] = {
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "OBJECT", false },
	{ "REASON", false },
	{ NULL, false },
};

static const struct {
	char sign;
	enum term_color color;
	/* In documents. */
	const char *word;
	/* In the sum; NULL: not counted. */
	const char *sum;
} marks[PREVIEW_MARKS] = {
	[PREVIEW_CREATE] = { '+', TERM_GREEN, "create", "to create" },
	[PREVIEW_CHANGE] = { '~', TERM_YELLOW, "change", "to change" },
	[PREVIEW_DESTROY] = { '-', TERM_RED, "destroy", "to destroy" },
	[PREVIEW_NONE] = { '=', TERM_DIM, "none", "unchanged" },
	[PREVIEW_UNKNOWN] = { '?', TERM_YELLOW, "unknown", "unknown" },
	[PREVIEW_ERROR] = { '!', TERM_RED, "error", NULL },
	[PREVIEW_SKIPPED] = { ' ', TERM_DIM, "skipped", NULL },
};
/* The order of the sum. */
static const enum preview_mark sums[] = { PREVIEW_CREATE, PREVIEW_CHANGE,
	PREVIEW_DESTROY, PREVIEW_NONE, PREVIEW_UNKNOWN };

/* Values */

static bool
is_masked(const struct preview *p, const struct preview_row *row,
    const struct compare_change *c)
{
	if (p->session->args.show_secrets)
		return false;
	return session_is_secret(c->path) ||
	    (p->session->spec->kind == SPEC_METADATA &&
		session_is_secret(row->object));
}

static bool
has_lines(const struct node *n)
{
	const char *text = node_text(n);

	return text != NULL && strchr(text, '\n') != NULL;
}

static const char *
text_of(const struct node *n)
{
	const char *text = node_text(n);

	return text != NULL ? text : "";
}

/* n without the secrets in it; NULL when the session's arena is full. */
static const struct node *
without_secrets(const struct preview *p, const struct node *n)
{
	struct arena *a = &p->session->arena;
	struct node *copy;

	if (p->session->args.show_secrets ||
	    (n->type != NODE_MAP && n->type != NODE_LIST))
		return n;
	copy = node_copy(a, n);
	if (copy != NULL)
		session_mask(a, copy);
	return copy;
}

static void
add_value(struct strbuf *b, const struct preview *p, const struct node *n,
    const char *mask)
{
	const char *text = node_text(n);

	if (n == NULL)
		strbuf_adds(b, "(none)");
	else if (mask != NULL)
		strbuf_adds(b, mask);
	else if (text != NULL)
		strbuf_adds(b, text);
	else if ((n = without_secrets(p, n)) != NULL)
		json_write(b, n, JSON_COMPACT);
}

static int
add_change(struct strbuf *b, const struct preview *p,
    const struct preview_row *row, const struct compare_change *c,
    struct error *e)
{
	static const char env[] = "environment.";
	bool masked = is_masked(p, row, c);
	struct textdiff_count n;

	if (strncmp(c->path, env, sizeof(env) - 1) == 0)
		strbuf_addf(b, "environment %s: ", c->path + sizeof(env) - 1);
	else
		strbuf_addf(b, "%s: ", c->path);
	if (masked || !(has_lines(c->before) || has_lines(c->after))) {
		add_value(b, p, c->before, masked ? "*** (before)" : NULL);
		strbuf_adds(b, " -> ");
		add_value(b, p, c->after, masked ? "*** (after)" : NULL);
		return 0;
	}
	if (textdiff(NULL, text_of(c->before), text_of(c->after), &n, e) < 0)
		return -1;
	strbuf_addf(b, "%zu line%s added, %zu removed", n.added,
	    n.added == 1 ? "" : "s", n.removed);
	return 0;
}

/* NULL and e, or the last column. */
static const char *
reason_of(
    const struct preview *p, const struct preview_row *row, struct error *e)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, TEXT_MAX);
	if (row->reason != NULL)
		strbuf_adds(&b, row->reason);
	for (size_t i = 0; i < row->changes.n; i++) {
		strbuf_adds(&b, b.len > 0 ? "; " : "");
		if (add_change(&b, p, row, &row->changes.items[i], e) < 0)
			return NULL;
	}
	if (strbuf_check(&b, e) < 0)
		return NULL;
	return arena_strndup(&p->session->arena, b.buf, b.len);
}

/* For people */

static const char *
object_of(const struct preview *p, const struct preview_row *row)
{
	const char *object = row->object;

	if (row->mark == PREVIEW_SKIPPED)
		object = "skipped";
	else if (object == NULL)
		object = "unreachable";
	return arena_printf(
	    &p->session->arena, "%c %s", marks[row->mark].sign, object);
}

static int
add_rows(struct strbuf *out, const struct preview *p, struct error *e)
{
	struct session *s = p->session;
	struct table table;
	bool terminal = isatty(STDOUT_FILENO) == 1;

	table_init(&table, columns, &s->arena);
	table.color_column = MARK_COLUMN;
	table.empty = "";
	for (size_t i = 0; i < p->rows_n; i++) {
		const struct preview_row *row = &p->rows[i];
		const struct target *t = row->target;
		const char *cells[] = { t->server->name,
			servers_chain(t->chain), object_of(p, row),
			reason_of(p, row, e) };

		if (cells[3] == NULL)
			return -1;
		if (row->mark == PREVIEW_SKIPPED && s->args.verbose == 0)
			continue;
		table_add(&table, cells);
		table_color(&table, marks[row->mark].color);
	}
	table_print(&table, false, terminal ? term_width(STDOUT_FILENO) : 0,
	    s->out.color_out, out);
	return 0;
}

static int
add_diffs(struct strbuf *out, const struct preview *p, struct error *e)
{
	for (size_t i = 0; i < p->rows_n; i++) {
		const struct preview_row *row = &p->rows[i];
		const struct target *t = row->target;
		struct textdiff_count n;

		for (size_t k = 0; k < row->changes.n; k++) {
			const struct compare_change *c = &row->changes.items[k];
			const char *where;

			if (is_masked(p, row, c) ||
			    !(has_lines(c->before) || has_lines(c->after)))
				continue;
			where = arena_printf(&p->session->arena, "%s %s %s %s",
			    t->server->name, servers_chain(t->chain),
			    row->object, c->path);
			if (where == NULL)
				return error_nomem(e);
			strbuf_addf(out, "\n--- %s (deployed)\n+++ %s (file)\n",
			    where, where);
			if (textdiff(out, text_of(c->before), text_of(c->after),
				&n, e) < 0)
				return -1;
		}
	}
	return 0;
}

static void
add_sum(struct strbuf *out, const struct preview *p)
{
	const char *between = "";

	strbuf_adds(out, out->len > 0 ? "\nPlan: " : "Plan: ");
	for (size_t i = 0; i < ARRAY_LEN(sums); i++) {
		size_t n = p->count[sums[i]];

		/* Nobody knows of what cannot be asked either. */
		if (sums[i] == PREVIEW_UNKNOWN)
			n += p->count[PREVIEW_ERROR];
		if (n == 0)
			continue;
		strbuf_addf(out, "%s%zu %s", between, n, marks[sums[i]].sum);
		between = ", ";
	}
	strbuf_addf(out, "%s.\n", between[0] == '\0' ? "nothing to do" : "");
}

static enum exitcode
print_text(const struct preview *p)
{
	AUTO_STRBUF struct strbuf b;
	struct session *s = p->session;
	struct error e = ERROR_INIT;

	strbuf_init(&b, TEXT_MAX);
	if (add_rows(&b, p, &e) < 0)
		return session_fail(s, &e);
	if (s->args.diff && add_diffs(&b, p, &e) < 0)
		return session_fail(s, &e);
	add_sum(&b, p);
	if (arena_check(&s->arena, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

/* For programs */

static struct node *
value_node(const struct preview *p, const struct node *n, const char *mask)
{
	struct arena *a = &p->session->arena;

	if (n == NULL)
		return node_null(a);
	if (mask != NULL)
		return node_str(a, mask);
	n = without_secrets(p, n);
	return n != NULL ? node_copy(a, n) : NULL;
}

static struct node *
row_node(const struct preview *p, const struct preview_row *row)
{
	struct arena *a = &p->session->arena;
	struct node *n = node_new(a, NODE_MAP), *list = node_new(a, NODE_LIST);

	for (size_t i = 0; i < row->changes.n; i++) {
		const struct compare_change *c = &row->changes.items[i];
		struct node *m = node_new(a, NODE_MAP);
		bool masked = is_masked(p, row, c);

		doc_set_str(a, m, "path", c->path);
		node_set(a, m, "before",
		    value_node(p, c->before, masked ? "*** (before)" : NULL));
		node_set(a, m, "after",
		    value_node(p, c->after, masked ? "*** (after)" : NULL));
		node_add(a, list, m);
	}
	doc_set_place(a, n, row->target->server, row->target->chain);
	doc_set_str(a, n, "action", marks[row->mark].word);
	doc_set_str(a, n, "object", row->object);
	doc_set_str(a, n, "reason", row->reason);
	node_set(a, n, "changes", list);
	return n;
}

enum exitcode
preview_print(struct preview *p)
{
	struct session *s = p->session;
	struct node *doc, *list;

	if (!doc_is_wanted(s))
		return print_text(p);
	doc = doc_new(&s->arena, "overlord.plan/1");
	list = node_new(&s->arena, NODE_LIST);
	for (size_t i = 0; i < p->rows_n; i++)
		node_add(&s->arena, list, row_node(p, &p->rows[i]));
	node_set(&s->arena, doc, "plan", list);
	return doc_print(s, doc);
}
