/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a target answered, as the original's text (cli.md 2.5.1) or as a node of
 * `-o json` (6.10). Warnings come before the block, in the order of the
 * requests; nothing to show means no header either.
 */
#include <string.h>

#include "cli/doc.h"
#include "cli/info.h"
#include "proto/human.h"

#define BLOCK_MAX ((size_t)256 * 1024 * 1024)

/* Text */

struct block {
	const struct info *info;
	struct strbuf text;
	bool begun;
};

/* The header, before the first line that is due. */
static void
begin(struct block *b)
{
	const struct info *in = b->info;
	const struct target *t = in->target;
	static const char *const none[] = { NULL };
	const char *const *labels = (const char *const *)t->labels.items;

	if (b->begun)
		return;
	b->begun = true;
	if ((t->all->rule.flags & TARGETS_ALL) != 0)
		labels = NULL;
	else if (t->labels.n == 0)
		labels = none;
	human_header(&b->text, t->server->url, t->server->name, t->chain,
	    labels, t->labels.n);
	if (in->type->heading != NULL)
		strbuf_addf(&b->text, "  %s:\n", in->type->heading);
}

static void
add_name(struct block *b, size_t at)
{
	const struct info *in = b->info;
	const struct info_piece *pieces = &in->pieces[at * in->items_n];
	bool bare = (in->type->flags & INFO_BARE_NAMES) != 0;
	bool named = (in->type->flags & INFO_OWN_NAMES) != 0;

	for (size_t i = 0; i < in->items_n; i++) {
		AUTO_STRBUF struct strbuf text;
		const struct info_item *item = pieces[i].item;

		strbuf_init(&text, BLOCK_MAX);
		if (!pieces[i].answered)
			continue;
		in->type->print(&text,
		    item->name != NULL ? item->name : in->names[at],
		    pieces[i].value);
		if (text.len == 0 && !bare)
			continue;
		begin(b);
		if (!named)
			strbuf_addf(&b->text, "    %s:\n", in->names[at]);
		named = true;
		strbuf_add(&b->text, text.buf, text.len);
	}
}

static void
add_value(struct block *b)
{
	const struct info *in = b->info;
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, BLOCK_MAX);
	if (!in->list.answered)
		return;
	in->type->print(&text, NULL, in->list.value);
	if (text.len > 0)
		begin(b);
	strbuf_add(&b->text, text.buf, text.len);
}

static void
add_all(struct block *b)
{
	const struct info *in = b->info;

	if (in->type->heading == NULL) {
		begin(b);
	} else if (in->type->shape == INFO_VALUE) {
		add_value(b);
	} else {
		for (size_t i = 0; i < in->names_n; i++) {
			if (in->type->items_n > 0) {
				add_name(b, i);
				continue;
			}
			begin(b);
			strbuf_addf(&b->text, "    - %s\n", in->names[i]);
		}
	}
}

static void
warn(const struct info *in, const struct info_piece *p)
{
	struct target *t = in->target;

	if (p->failure != NULL)
		out_warn(&t->lane,
		    "%s, function:%s) error executing the remote call: %s",
		    t->context, p->function, p->failure);
}

void
info_print(const struct info *in)
{
	struct target *t = in->target;
	struct block b = { .info = in };
	struct error e = ERROR_INIT;

	strbuf_init(&b.text, BLOCK_MAX);
	warn(in, &in->list);
	for (size_t i = 0; i < in->names_n * in->items_n; i++)
		warn(in, &in->pieces[i]);
	add_all(&b);
	if (arena_check(&in->arena, &e) < 0 || strbuf_check(&b.text, &e) < 0)
		out_warn(&t->lane, "%s) what is shown is not all: %s",
		    t->context, error_text(&e));
	if (!b.begun)
		out_debug(&t->lane, "%s) nothing to show", t->context);
	out_add(&t->lane, b.text.buf, b.text.len);
	strbuf_fini(&b.text);
}

/* JSON */

static void
add_error(struct arena *a, struct node *list, const char *call, int status,
    const char *message)
{
	struct node *n = node_new(a, NODE_MAP);

	node_set(a, n, "call", node_str(a, call));
	node_set(
	    a, n, "status", status > 0 ? node_int(a, status) : node_null(a));
	node_set(a, n, "message", node_str(a, message));
	node_add(a, list, n);
}

static struct node *
errors_to_node(const struct info *in, struct arena *a)
{
	const struct target *t = in->target;
	struct node *list = node_new(a, NODE_LIST);
	const struct info_piece *p = &in->list;

	if (t->fault.text != NULL)
		add_error(
		    a, list, t->fault.call, t->fault.status, t->fault.text);
	if (p->failure != NULL)
		add_error(a, list, p->function, p->status, p->failure);
	for (size_t i = 0; i < in->names_n * in->items_n; i++) {
		p = &in->pieces[i];
		if (p->failure != NULL)
			add_error(a, list, p->function, p->status, p->failure);
	}
	return list;
}

static struct node *
value_to_node(const struct info_piece *p, struct arena *a)
{
	return p->value != NULL ? node_copy(a, p->value) : node_null(a);
}

/* NULL: nobody answered about it. */
static struct node *
name_to_node(const struct info *in, size_t at, struct arena *a)
{
	const struct info_piece *pieces = &in->pieces[at * in->items_n];
	struct node *map = NULL;

	for (size_t i = 0; i < in->items_n; i++) {
		if (!pieces[i].answered)
			continue;
		if (pieces[i].item->name == NULL)
			return value_to_node(&pieces[i], a);
		if (map == NULL)
			map = node_new(a, NODE_MAP);
		node_replace(
		    a, map, pieces[i].item->name, value_to_node(&pieces[i], a));
	}
	return map;
}

static struct node *
things_to_node(const struct info *in, struct arena *a)
{
	struct node *n;

	if (in->type->shape == INFO_VALUE)
		return in->list.answered ? value_to_node(&in->list, a) : NULL;
	if (in->type->items_n == 0) {
		n = node_new(a, NODE_LIST);
		for (size_t i = 0; i < in->names_n; i++)
			node_add(a, n, node_str(a, in->names[i]));
		return n;
	}
	n = node_new(a, NODE_MAP);
	for (size_t i = 0; i < in->names_n; i++) {
		struct node *value = name_to_node(in, i, a);

		if (value != NULL)
			node_set(a, n, in->names[i], value);
	}
	return n;
}

struct node *
info_to_node(const struct info *in, struct arena *a)
{
	const struct target *t = in->target;
	struct node *n = node_new(a, NODE_MAP), *labels, *things = NULL;

	doc_set_place(a, n, t->server, t->chain);
	labels = node_new(a, NODE_LIST);
	for (size_t i = 0; i < t->labels.n; i++)
		node_add(a, labels, node_str(a, t->labels.items[i]));
	node_set(a, n, "labels", labels);
	if (in->type->doc != NULL)
		things = things_to_node(in, a);
	if (things != NULL)
		node_set(a, n, in->type->doc, things);
	node_set(a, n, "errors", errors_to_node(in, a));
	return n;
}
