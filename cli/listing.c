/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See listing.h. Each target keeps its list in the session's arena until all
 * have answered. A server that does not know the route is an original: a note,
 * once, and no failure.
 */
#include "cli/listing.h"

#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/targets.h"
#include "cli/term.h"
#include "cli/wait_judge.h"
#include "lib/base/clock.h"
#include "proto/human.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)

const char *const listing_outputs[] = { "table", "wide", "json", "yaml", NULL };

struct run {
	struct session *session;
	const struct listing *listing;
	bool noted;
};

static void
fail(struct target *t, enum client_class class, int status, const char *text)
{
	const struct run *run = t->all->rule.ctx;

	target_set_fault(t, run->listing->member, class, status, text);
	out_warn(&t->lane, "%s) error obtaining %s: %s", t->context,
	    run->listing->what, t->fault.text);
}

static void
on_list(const struct client_reply *r, void *ctx)
{
	struct target *t = ctx;
	struct run *run = t->all->rule.ctx;
	const struct listing *l = run->listing;
	const struct node *list = node_get(r->body, l->member);

	if (r->class == CLIENT_OK && list != NULL && list->type == NODE_LIST) {
		t->ctx = node_copy(&run->session->arena, list);
	} else if (r->class == CLIENT_NOTFOUND &&
	    verdict_is_no_route(r->body)) {
		target_set_fault(t, l->member, r->class, r->status, "n/a");
		if (!run->noted)
			out_warn(&t->lane, "%s) n/a: this server keeps no %s",
			    t->context, l->lacks);
		run->noted = true;
	} else {
		fail(t, r->class == CLIENT_OK ? CLIENT_GARBLED : r->class,
		    r->status,
		    r->class == CLIENT_OK ? "the reply is not understood"
					  : r->text);
	}
	target_done(t);
}

static void
start(struct target *t)
{
	struct run *run = t->all->rule.ctx;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = t->server,
		.chain = t->chain,
		.route = run->listing->route,
		.query = run->listing->query };

	if (client_call(run->session->client, &call, on_list, t, &e) < 0) {
		fail(t, CLIENT_UNAVAILABLE, 0, error_text(&e));
		target_done(t);
	}
}

bool
listing_wants(
    const struct listing *l, const struct session *s, const struct node *item)
{
	return l->wants == NULL || l->wants(s, item);
}

void
listing_add_rows(const struct listing *l, const struct session *s,
    struct table *table, const struct target *t, const struct node *list,
    double now)
{
	for (size_t k = 0; list != NULL && k < list->u.list.n; k++)
		if (listing_wants(l, s, list->u.list.items[k]))
			l->add(table, t->server->name, t->chain,
			    list->u.list.items[k], now);
}

static enum exitcode
print_table(const struct run *run, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	struct session *s = run->session;
	double now = (double)clock_wall_ms() / 1000;
	bool cut = isatty(STDOUT_FILENO) == 1 && !doc_output_is(s, "wide");
	struct error e = ERROR_INIT;
	struct table table;

	strbuf_init(&b, TEXT_MAX);
	table_init(&table, run->listing->columns, &s->arena);
	for (size_t i = 0; i < targets->n; i++)
		listing_add_rows(run->listing, s, &table, &targets->items[i],
		    targets->items[i].ctx, now);
	table_print(&table, !s->args.no_headers,
	    cut ? term_width(STDOUT_FILENO) : 0, s->out.color_out, &b);
	if (arena_check(&s->arena, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static struct node *
doc_target(const struct run *run, struct arena *a, const struct target *t)
{
	const struct node *list = t->ctx;
	struct node *n = node_new(a, NODE_MAP), *items = node_new(a, NODE_LIST);

	for (size_t k = 0; list != NULL && k < list->u.list.n; k++)
		if (listing_wants(
			run->listing, run->session, list->u.list.items[k]))
			node_add(a, items, list->u.list.items[k]);
	doc_set_place(a, n, t->server, t->chain);
	doc_set_str(a, n, "error", t->fault.text);
	node_set(a, n, run->listing->member, items);
	return n;
}

static enum exitcode
print_doc(const struct run *run, const struct targets *targets)
{
	struct session *s = run->session;
	struct arena *a = &s->arena;
	struct node *n = doc_new(a, run->listing->schema);
	struct node *list = node_new(a, NODE_LIST);

	for (size_t i = 0; i < targets->n; i++)
		if (targets->items[i].matched)
			node_add(
			    a, list, doc_target(run, a, &targets->items[i]));
	node_set(a, n, "nodes", list);
	return doc_print(s, n);
}

const char *
listing_age(struct arena *a, const struct node *at, double now)
{
	AUTO_STRBUF struct strbuf b;
	double t;

	strbuf_init(&b, 64);
	if (at != NULL && at->type == NODE_FLOAT)
		t = at->u.f;
	else if (at != NULL && at->type == NODE_INT && !at->big)
		t = (double)at->u.i;
	else
		return NULL;
	if (!(t > -1e15 && t < 1e15))
		return NULL;
	human_age(&b, (int64_t)(now - t));
	return arena_strdup(a, b.buf);
}

enum exitcode
listing_run(struct session *s, const struct listing *l)
{
	struct run run = { .session = s, .listing = l };
	struct targets_rule rule = { .start = start, .ctx = &run };
	struct targets targets;
	enum exitcode rc = targets_look(s, &rule, &targets);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (targets.unreachable != EXIT_CODE_OK)
		return targets.unreachable;
	if (doc_is_wanted(s))
		return print_doc(&run, &targets);
	rc = print_table(&run, &targets);
	return rc != EXIT_CODE_OK ? rc : targets_none(&targets);
}
