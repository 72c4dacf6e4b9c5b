/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How jobs look (cli.md 6.6): WAITED is from creation to start, TOOK from start
 * to end, both up to now while that lasts. Everything is escaped.
 */
#include "cli/jobs_view.h"

#include <string.h>

#include "cli/servers.h"
#include "lib/base/clock.h"
#include "proto/human.h"

#define CELL_MAX 4096

const struct table_column jobs_view_columns[] = {
	{ "JOB", false },
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "TYPE", false },
	{ "NAME", false },
	{ "STATE", false },
	{ "TRY", true },
	{ "WAITED", true },
	{ "TOOK", true },
	{ "BY", false },
	{ NULL, false },
};

/* false: it is not a time. */
static bool
time_at(const struct node *n, const char *key, double *ret)
{
	const struct node *v = node_get(n, key);

	if (v != NULL && v->type == NODE_FLOAT)
		*ret = v->u.f;
	else if (v != NULL && v->type == NODE_INT && !v->big)
		*ret = (double)v->u.i;
	else
		return false;
	return *ret > -1e15 && *ret < 1e15;
}

static void
add_span(struct strbuf *b, const struct node *job, const char *from,
    const char *to, double now)
{
	double begin, end;

	if (!time_at(job, from, &begin)) {
		strbuf_addc(b, '-');
		return;
	}
	if (!time_at(job, to, &end) && !time_at(job, "ended_at", &end))
		end = now;
	human_age(b, (int64_t)(end - begin));
}

static const char *
cell(struct arena *a, const struct node *n)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, CELL_MAX);
	if (n == NULL || n->type == NODE_NULL)
		return NULL;
	human_text(&b, n);
	return arena_strndup(a, b.buf, b.len);
}

void
jobs_view_add(struct table *t, const char *datacenter, const char *chain,
    const struct node *job, double now)
{
	struct arena *a = t->arena;
	AUTO_STRBUF struct strbuf waited, took;
	const char *cells[10];

	strbuf_init(&waited, 64);
	strbuf_init(&took, 64);
	add_span(&waited, job, "created_at", "started_at", now);
	add_span(&took, job, "started_at", "ended_at", now);
	cells[0] = cell(a, node_get(job, "id"));
	cells[1] = datacenter;
	cells[2] = servers_chain(chain);
	cells[3] = cell(a, node_get(job, "type"));
	cells[4] = cell(a, node_get(job, "name"));
	cells[5] = cell(a, node_get(job, "state"));
	cells[6] = cell(a, node_get(job, "attempt"));
	cells[7] = waited.buf;
	cells[8] = took.buf;
	cells[9] = cell(a, node_get(job, "by"));
	table_add(t, cells);
}

static void
add_escaped(struct strbuf *out, const struct node *n)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, (size_t)1024 * 1024);
	human_text(&b, n);
	strbuf_add_escaped(out, b.buf, b.len);
}

static void
add_field(struct strbuf *out, const char *name, const struct node *n)
{
	if (n == NULL || n->type == NODE_NULL)
		return;
	strbuf_addf(out, "%-10s  ", name);
	add_escaped(out, n);
	strbuf_addc(out, '\n');
}

static void
add_time(struct strbuf *out, const char *name, const struct node *job,
    const char *key)
{
	char buf[CLOCK_TEXT_LEN];
	double at;

	if (time_at(job, key, &at))
		strbuf_addf(out, "%-10s  %s\n", name,
		    clock_wall_text((int64_t)(at * 1000), buf));
}

static void
add_steps(struct strbuf *out, const struct node *job, double now)
{
	const struct node *steps = node_get(job, "steps");

	if (steps == NULL || steps->type != NODE_LIST || steps->u.list.n == 0)
		return;
	strbuf_adds(out, "steps\n");
	for (size_t i = 0; i < steps->u.list.n; i++) {
		const struct node *s = steps->u.list.items[i];
		const struct node *note = node_get(s, "note"), *rc;

		strbuf_adds(out, "  try ");
		add_escaped(out, node_get(s, "attempt"));
		strbuf_adds(out, "  ");
		add_escaped(out, node_get(s, "name"));
		strbuf_adds(out, "  ");
		add_span(out, s, "started_at", "ended_at", now);
		rc = node_get(s, "rc");
		if (rc != NULL && rc->type != NODE_NULL) {
			strbuf_adds(out, "  rc ");
			add_escaped(out, rc);
		}
		if (note != NULL && note->type == NODE_STR &&
		    note->u.str.len > 0) {
			strbuf_adds(out, "  ");
			add_escaped(out, note);
		}
		strbuf_addc(out, '\n');
	}
}

static void
add_lines(struct strbuf *out, const char *name, const struct node *n)
{
	const char *text = node_text(n);
	size_t at = 0, next, len;

	if (text == NULL || n->u.str.len == 0)
		return;
	strbuf_addf(out, "%s\n", name);
	while (at < n->u.str.len) {
		len = human_line(text + at, n->u.str.len - at, &next);
		strbuf_adds(out, "  | ");
		strbuf_add_escaped(out, text + at, len);
		strbuf_addc(out, '\n');
		at += next;
	}
}

void
jobs_view_page(struct strbuf *out, const char *datacenter, const char *chain,
    const struct node *job, double now)
{
	const struct node *output = node_get(job, "output");
	const struct node *result = node_get(job, "result");

	add_field(out, "job", node_get(job, "id"));
	strbuf_addf(out, "%-10s  %s\n%-10s  %s\n", "datacenter", datacenter,
	    "chain", servers_chain(chain));
	add_field(out, "type", node_get(job, "type"));
	add_field(out, "name", node_get(job, "name"));
	add_field(out, "state", node_get(job, "state"));
	add_field(out, "position", node_get(job, "position"));
	add_field(out, "try", node_get(job, "attempt"));
	add_field(out, "by", node_get(job, "by"));
	add_field(out, "request", node_get(job, "request_id"));
	add_time(out, "created", job, "created_at");
	add_time(out, "started", job, "started_at");
	add_time(out, "ended", job, "ended_at");
	add_field(out, "message", node_get(job, "message"));
	add_steps(out, job, now);
	if (output == NULL)
		output = node_get(result, "output");
	add_field(out, "operation", node_get(result, "operation"));
	add_field(out, "message", node_get(result, "message"));
	add_field(out, "exception", node_get(result, "exception"));
	if (node_get(output, "stdout") != NULL &&
	    node_get(output, "stdout")->type == NODE_MAP)
		add_field(out, "report", node_get(output, "stdout"));
	/* A VM's is one text. */
	add_lines(out, "output", output);
	add_lines(out, "stdout", node_get(output, "stdout"));
	add_lines(out, "stderr", node_get(output, "stderr"));
}
