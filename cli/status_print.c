/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See status_print.h. Cells of tables are escaped by the table, texts of lines
 * here.
 */
#include "cli/status_print.h"

#include <string.h>

#include "cli/doc.h"
#include "cli/table.h"
#include "lib/data/json.h"
#include "proto/human.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define STATE_COLUMN 3

static const struct table_column columns[] = {
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "PROJECT", false },
	{ "STATE", false },
	{ "JAILS", true },
	{ "AGE", true },
	{ "PROGRESS", false },
	{ NULL, false },
};

static const struct table_column wide_columns[] = {
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "PROJECT", false },
	{ "STATE", false },
	{ "JAILS", true },
	{ "AGE", true },
	{ "LABELS", false },
	{ "KIND", false },
	{ "OPERATION", false },
	{ "JOB", true },
	{ "LAST-LOG", false },
	{ "LATENCY", true },
	{ "VERSION", false },
	{ "PROGRESS", false },
	{ NULL, false },
};

/* What a state means for whoever asks: its colour, the exit code, the word in
 * the line of counts. */
static const struct {
	enum term_color color;
	int exit;
	const char *word;
} states[] = {
	[STATUS_UNREACHABLE] = { TERM_RED, 4, "unreachable" },
	[STATUS_QUEUED] = { TERM_CYAN, 3, "queued" },
	[STATUS_DESTROYING] = { TERM_YELLOW, 3, "destroying" },
	[STATUS_DEPLOYING] = { TERM_YELLOW, 3, "deploying" },
	[STATUS_FAILED] = { TERM_RED, 1, "failed" },
	[STATUS_DEGRADED] = { TERM_YELLOW, 1, "degraded" },
	[STATUS_READY] = { TERM_GREEN, 0, "ready" },
	[STATUS_ABSENT] = { TERM_DIM, 1, "absent" },
	[STATUS_UNKNOWN] = { TERM_YELLOW, 3, "unknown" },
};

static const char *
join_labels(struct arena *a, const struct target *t)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 64 * 1024);
	for (size_t i = 0; i < t->labels.n; i++)
		strbuf_addf(&b, "%s%s", i == 0 ? "" : ",", t->labels.items[i]);
	return arena_strdup(a, b.buf);
}

static const char *
age_text(struct arena *a, const struct status *st)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 64);
	if (st->age_s < 0)
		return NULL;
	human_age(&b, st->age_s);
	return arena_strdup(a, b.buf);
}

static const char *
jails_text(struct arena *a, const struct status *st)
{
	if (st->state == STATUS_UNREACHABLE || st->state == STATUS_ABSENT)
		return NULL;
	return arena_printf(
	    a, "%lld/%lld", (long long)st->jails_up, (long long)st->jails);
}

/* What the file says that it is; nobody else says. */
static const char *
kind_of(const struct session *s, const struct board_line *l)
{
	const char *name = s->spec != NULL ? spec_project_name(s->spec) : NULL;

	return name != NULL && l->name != NULL && strcmp(name, l->name) == 0
	    ? s->spec->kind_text
	    : NULL;
}

struct printing {
	struct session *session;
	struct table table;
	bool wide;
	struct node *list;
	struct arena *arena;
};

static void
add_row(const struct board_line *l, void *ctx)
{
	struct printing *p = ctx;
	struct arena *a = p->table.arena;
	const struct status *st = &l->status;
	const struct target *t = l->target;
	const char *cells[ARRAY_LEN(wide_columns) - 1];
	size_t n = 0;

	cells[n++] = t->server->name;
	cells[n++] = servers_chain(t->chain);
	cells[n++] = l->name;
	cells[n++] = status_state_to_string(st->state);
	cells[n++] = jails_text(a, st);
	cells[n++] = age_text(a, st);
	if (p->wide) {
		cells[n++] = join_labels(a, t);
		cells[n++] = kind_of(p->session, l);
		cells[n++] = st->operation;
		cells[n++] = st->job > 0
		    ? arena_printf(a, "%lld", (long long)st->job)
		    : NULL;
		cells[n++] = st->last_log;
		cells[n++] = l->took_ms >= 0
		    ? arena_printf(a, "%lldms", (long long)l->took_ms)
		    : NULL;
		cells[n++] = t->version;
	}
	cells[n++] = st->progress;
	table_add(&p->table, cells);
	table_color(&p->table, states[st->state].color);
}

void
status_print_table(struct session *s, struct board *b, bool headings,
    size_t width, struct strbuf *out)
{
	AUTO_ARENA struct arena a;
	struct printing p = { .session = s, .wide = doc_output_is(s, "wide") };

	arena_init(&a, TEXT_MAX);
	table_init(&p.table, p.wide ? wide_columns : columns, &a);
	p.table.color_column = STATE_COLUMN;
	board_each(b, add_row, &p);
	table_print(&p.table, headings, width, s->out.color_out, out);
}

static struct node *
line_node(const struct session *s, struct arena *a, const struct board_line *l)
{
	struct node *n = node_new(a, NODE_MAP), *jails = node_new(a, NODE_MAP);
	const struct status *st = &l->status;
	const struct target *t = l->target;

	doc_set_place(a, n, t->server, t->chain);
	doc_set_str(a, n, "project", l->name);
	node_set(a, n, "state", node_str(a, status_state_to_string(st->state)));
	node_set(a, jails, "up", node_int(a, st->jails_up));
	node_set(a, jails, "total", node_int(a, st->jails));
	node_set(a, n, "jails", jails);
	node_set(a, n, "age",
	    st->age_s >= 0 ? node_int(a, st->age_s) : node_null(a));
	doc_set_str(a, n, "operation", st->operation);
	node_set(
	    a, n, "job", st->job > 0 ? node_int(a, st->job) : node_null(a));
	doc_set_str(a, n, "last_log", st->last_log);
	doc_set_str(a, n, "progress", st->progress);
	doc_set_str(a, n, "kind", kind_of(s, l));
	doc_set_str(a, n, "version", t->version);
	return n;
}

static void
add_node(const struct board_line *l, void *ctx)
{
	struct printing *p = ctx;

	node_add(p->arena, p->list, line_node(p->session, p->arena, l));
}

struct node *
status_doc(struct session *s, struct board *b)
{
	struct arena *a = &s->arena;
	struct printing p = {
		.session = s, .list = node_new(a, NODE_LIST), .arena = a
	};
	struct node *n = doc_new(a, "overlord.status/1");

	board_each(b, add_node, &p);
	node_set(a, n, "projects", p.list);
	return n;
}

void
status_print_line(
    struct session *s, const struct board_line *l, struct strbuf *out)
{
	AUTO_ARENA struct arena a;
	const struct status *st = &l->status;
	struct status still = *st;
	const char *cells[6];

	arena_init(&a, TEXT_MAX);
	if (doc_output_is(s, "json")) {
		struct board_line copy = *l;

		/* That time passes is no change. */
		still.age_s = -1;
		copy.status = still;
		json_write(out, line_node(s, &a, &copy), JSON_COMPACT);
		return;
	}
	cells[0] = l->target->server->name;
	cells[1] = servers_chain(l->target->chain);
	cells[2] = l->name;
	cells[3] = status_state_to_string(st->state);
	cells[4] = jails_text(&a, st);
	cells[5] = st->progress;
	for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
		const char *cell =
		    cells[i] != NULL && cells[i][0] != '\0' ? cells[i] : "-";

		strbuf_adds(out, i == 0 ? "" : " ");
		strbuf_add_escaped(out, cell, strlen(cell));
	}
}

static void
count(const struct board_line *l, void *ctx)
{
	struct status_counts *c = ctx;

	c->all++;
	c->by[l->status.state]++;
}

void
status_count(struct board *b, struct status_counts *ret)
{
	memset(ret, 0, sizeof(*ret));
	board_each(b, count, ret);
}

void
status_print_counts(const struct status_counts *c, struct strbuf *out)
{
	bool first = true;

	for (size_t i = ARRAY_LEN(states); i-- > 0;) {
		if (c->by[i] == 0)
			continue;
		strbuf_addf(out, "%s%zu %s", first ? "" : ", ", c->by[i],
		    states[i].word);
		first = false;
	}
}

int
status_counts_exit(const struct status_counts *c)
{
	static const int order[] = { 1, 4, 3 };

	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		for (size_t k = 0; k < ARRAY_LEN(states); k++)
			if (c->by[k] > 0 && states[k].exit == order[i])
				return order[i];
	return 0;
}
