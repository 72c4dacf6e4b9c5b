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

#include "cli/targets.h"
#include "cli/term.h"
#include "cli/wait_judge.h"
#include "lib/base/clock.h"
#include "lib/data/json.h"
#include "proto/human.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)

const char *const listing_outputs[] = { "table", "json", NULL };

struct run {
	struct session *session;
	const struct listing *listing;
	bool noted;
};

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
		t->fault = "n/a";
		if (!run->noted)
			out_warn(&t->lane, "%s) n/a: this server keeps no %s",
			    t->context, l->lacks);
		run->noted = true;
	} else {
		t->fault = arena_strdup(&run->session->arena,
		    r->class == CLIENT_OK ? "the reply is not understood"
					  : r->text);
		out_warn(&t->lane, "%s) error obtaining %s: %s", t->context,
		    l->what, t->fault);
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
		out_warn(&t->lane, "%s) %s", t->context, error_text(&e));
		target_done(t);
	}
}

static bool
wants(const struct run *run, const struct node *item)
{
	return run->listing->wants == NULL ||
	    run->listing->wants(run->session, item);
}

static void
print_table(const struct run *run, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	struct session *s = run->session;
	double now = (double)clock_wall_ms() / 1000;
	bool terminal = isatty(STDOUT_FILENO) == 1;
	struct table table;

	strbuf_init(&b, TEXT_MAX);
	table_init(&table, run->listing->columns, &s->arena);
	for (size_t i = 0; i < targets->n; i++) {
		const struct target *t = &targets->items[i];
		const struct node *list = t->ctx;

		for (size_t k = 0; list != NULL && k < list->u.list.n; k++)
			if (wants(run, list->u.list.items[k]))
				run->listing->add(&table, t->server->name,
				    t->chain, list->u.list.items[k], now);
	}
	table_print(&table, !s->args.no_headers,
	    terminal ? term_width(STDOUT_FILENO) : 0, s->out.color_out, &b);
	out_add(&s->out, b.buf, b.len);
}

static struct node *
json_target(const struct run *run, struct arena *a, const struct target *t)
{
	const struct node *list = t->ctx;
	struct node *n = node_new(a, NODE_MAP), *items = node_new(a, NODE_LIST);

	for (size_t k = 0; list != NULL && k < list->u.list.n; k++)
		if (wants(run, list->u.list.items[k]))
			node_add(a, items, list->u.list.items[k]);
	node_set(a, n, "datacenter", node_str(a, t->server->name));
	node_set(a, n, "url", node_str(a, t->server->url));
	node_set(a, n, "chain",
	    t->chain != NULL ? node_str(a, t->chain) : node_null(a));
	node_set(a, n, "error",
	    t->fault != NULL ? node_str(a, t->fault) : node_null(a));
	node_set(a, n, run->listing->member, items);
	return n;
}

static enum exitcode
print_json(const struct run *run, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	struct session *s = run->session;
	struct arena *a = &s->arena;
	struct error e = ERROR_INIT;
	struct node *n = node_new(a, NODE_MAP), *list = node_new(a, NODE_LIST);

	strbuf_init(&b, TEXT_MAX);
	for (size_t i = 0; i < targets->n; i++)
		if (targets->items[i].matched)
			node_add(
			    a, list, json_target(run, a, &targets->items[i]));
	node_set(a, n, "schema", node_str(a, run->listing->schema));
	node_set(a, n, "nodes", list);
	json_write(&b, n, JSON_INDENT2);
	strbuf_addc(&b, '\n');
	if (arena_check(a, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
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
	if (s->args.output != NULL && strcmp(s->args.output, "json") == 0)
		return print_json(&run, &targets);
	print_table(&run, &targets);
	return targets_none(&targets);
}
