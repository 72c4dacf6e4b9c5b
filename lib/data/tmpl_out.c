/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Where a rendering's text goes.  Of the output it is known which line of the
 * template each line comes from, so that a fault in what was written can be
 * shown where it was written.
 */
#include <string.h>

#include "lib/base/mem.h"
#include "lib/data/tmpl_internal.h"

void
tmpl_sink_push(struct tmpl_engine *g, struct tmpl_sink *s)
{
	memset(s, 0, sizeof(*s));
	strbuf_init(&s->b, TMPL_OUT_MAX);
	s->up = g->sink;
	g->sink = s;
}

void
tmpl_sink_drop(struct tmpl_engine *g)
{
	struct tmpl_sink *s = g->sink;

	g->held -= s->b.len;
	g->sink = s->up;
	strbuf_fini(&s->b);
}

int
tmpl_sink_check(struct tmpl_engine *g)
{
	if (!g->sink->is_bad)
		return 0;
	g->run.fault = g->sink->bad;
	return -1;
}

int
tmpl_sink_take(struct tmpl_engine *g, struct tmpl_value *ret)
{
	struct tmpl_sink *s = g->sink;
	int rc = tmpl_sink_check(g);

	if (rc == 0)
		rc = tmpl_str(&g->run, s->b.buf, s->b.len, ret);
	tmpl_sink_drop(g);
	return rc;
}

static int
add_line(struct tmpl_engine *g, unsigned line)
{
	struct tmpl_lines *l = &g->lines;

	if (l->n == l->cap) {
		size_t cap = l->cap == 0 ? 64 : l->cap * 2;
		unsigned *items = mem_realloc(l->items, cap * sizeof(*items));

		if (items == NULL)
			return tmpl_raise_nomem(&g->run);
		l->items = items;
		l->cap = cap;
	}
	l->items[l->n++] = line;
	return 0;
}

static int
note_lines(struct tmpl_engine *g, const char *s, size_t len, bool is_source)
{
	unsigned line = g->line;

	for (size_t i = 0; i < len; i++) {
		if (g->lines.is_start && add_line(g, line) < 0)
			return -1;
		g->lines.is_start = s[i] == '\n';
		line += g->lines.is_start && is_source;
	}
	return 0;
}

int
tmpl_write(struct tmpl_engine *g, const char *s, size_t len, bool is_source)
{
	struct tmpl_sink *to = g->sink;

	if (tmpl_charge(&g->run, len) < 0)
		return -1;
	if (len > TMPL_OUT_MAX - g->held)
		return tmpl_raise(&g->run, TMPL_LIMIT,
		    "the output is longer than %zu MiB", TMPL_OUT_MAX >> 20);
	if (to->up == NULL && note_lines(g, s, len, is_source) < 0)
		return -1;
	strbuf_add(&to->b, s, len);
	if (to->b.latch != OVE_NONE)
		return tmpl_raise_nomem(&g->run);
	g->held += len;
	return 0;
}

int
tmpl_write_value(
    struct tmpl_engine *g, struct tmpl_value v, struct tmpl_pos pos)
{
	struct tmpl_sink *to = g->sink;

	if (v.type == TMPL_STR)
		return tmpl_write(g, v.u.str->s, v.u.str->len, false);
	if (to->is_bad)
		return 0;
	(void)tmpl_raise_of(&g->run, v, TMPL_TYPE_ERROR,
	    "sequence item 0: expected str instance, %s found",
	    tmpl_type_name(v));
	(void)tmpl_raise_at(&g->run, pos);
	to->is_bad = true;
	to->bad = g->run.fault;
	memset(&g->run.fault, 0, sizeof(g->run.fault));
	return 0;
}
