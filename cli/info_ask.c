/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Asks one target for one type of get-info: its names, unless the user gave
 * them, then for every name each item, all at once. Answers are kept until the
 * last one is there, since a block is printed in the order of the names.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/info.h"

/* What one target may keep. */
#define ANSWERS_MAX ((size_t)256 * 1024 * 1024)
#define PATH_LEN_MAX 4096

/* Requests */

static void
fail(struct info_piece *p, int status, const char *text)
{
	p->failure = arena_strdup(&p->info->arena, text);
	p->status = status;
}

static void
finish(struct info *in)
{
	in->done(in);
}

static void
on_piece(const struct client_reply *r, void *ctx)
{
	struct info_piece *p = ctx;
	struct info *in = p->info;
	const struct node *value;

	if (r->class == CLIENT_OK) {
		value = node_get(r->body, p->item->ask.member);
		p->answered = true;
		p->value = value != NULL ? node_copy(&in->arena, value) : NULL;
	} else if (r->class != CLIENT_NOTFOUND ||
	    (in->type->flags & INFO_SKIP_MISSING) == 0) {
		fail(p, r->status, r->text);
	}
	if (--in->pending == 0)
		finish(in);
}

/* NULL, or why it could not be asked. */
static const char *
ask(struct info *in, const struct info_ask *what, const char *const *name,
    client_done_fn *done, void *ctx)
{
	struct target *t = in->target;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = t->server,
		.chain = t->chain,
		.route = what->route,
		.params = name,
		.params_n = name != NULL ? 1 : 0 };

	if (client_call(t->all->session->client, &call, done, ctx, &e) < 0)
		return arena_strdup(&in->arena, error_text(&e));
	in->pending++;
	return NULL;
}

static void
ask_piece(struct info_piece *p)
{
	struct info *in = p->info;
	const char *why;

	if (!name_is(in->type->kind, p->name, strlen(p->name)))
		why = arena_printf(
		    &in->arena, "%s: Invalid %s name", p->name, in->type->noun);
	else
		why = ask(in, &p->item->ask, &p->name, on_piece, p);
	if (why != NULL)
		p->failure = why;
}

/* With --jail-item those named, in that order and as often. */
static void
ask_name(struct info *in, struct info_piece *pieces)
{
	const struct cmd_strs *chosen =
	    &in->target->all->session->args.jail_item;
	bool all = chosen->n == 0 || pieces[0].item->name == NULL;

	for (size_t i = 0; all && i < in->items_n; i++)
		ask_piece(&pieces[i]);
	for (size_t k = 0; !all && k < chosen->n; k++)
		for (size_t i = 0; i < in->items_n; i++)
			if (strcmp(pieces[i].item->name, chosen->items[k]) == 0)
				ask_piece(&pieces[i]);
}

static void
ask_names(struct info *in)
{
	const struct info_type *type = in->type;

	in->pieces = arena_calloc(
	    &in->arena, in->names_n * type->items_n + 1, sizeof(*in->pieces));
	if (in->pieces == NULL)
		in->names_n = 0;
	in->items_n = type->items_n;
	for (size_t i = 0; i < in->names_n; i++) {
		struct info_piece *pieces = &in->pieces[i * type->items_n];

		for (size_t k = 0; k < type->items_n; k++)
			pieces[k] = (struct info_piece){ .info = in,
				.name = in->names[i],
				.item = &type->items[k],
				.function = type->items[k].ask.function };
		ask_name(in, pieces);
	}
	if (in->pending == 0)
		finish(in);
}

/* Names */

static int
by_text(const void *a, const void *b)
{
	const char *const *x = *(const char *const *const *)a;
	const char *const *y = *(const char *const *const *)b;
	int diff = strcmp(*x, *y);

	return diff != 0 ? diff : x < y ? -1 : 1;
}

/* Keeps the first of equal names. */
static void
drop_repeated(struct info *in)
{
	const char ***order =
	    arena_calloc(&in->arena, in->names_n + 1, sizeof(*order));
	size_t n = 0, first = 0;

	if (order == NULL)
		return;
	for (size_t i = 0; i < in->names_n; i++)
		order[i] = &in->names[i];
	qsort(order, in->names_n, sizeof(*order), by_text);
	for (size_t i = 1; i < in->names_n; i++)
		if (strcmp(*order[i], *order[first]) == 0)
			*order[i] = NULL;
		else
			first = i;
	for (size_t i = 0; i < in->names_n; i++)
		if (in->names[i] != NULL)
			in->names[n++] = in->names[i];
	in->names_n = n;
}

static void
take_names(struct info *in, const char *const *items, size_t n)
{
	bool literal = (in->type->flags & INFO_LITERAL) != 0;

	in->names = arena_calloc(&in->arena, n + 1, sizeof(*in->names));
	for (size_t i = 0; in->names != NULL && i < n; i++) {
		const char *name = items[i];

		if (!literal && !info_filter_passes(in->filter, name))
			continue;
		name = arena_strdup(&in->arena, name);
		if (name != NULL)
			in->names[in->names_n++] = name;
	}
	drop_repeated(in);
}

/* How many names there are below n at most. */
static size_t
count_leaves(const struct node *n, unsigned depth)
{
	size_t sum = 0;

	if (depth == 0)
		return n->type == NODE_LIST ? n->u.list.n : 0;
	for (size_t i = 0; n->type == NODE_MAP && i < n->u.map.n; i++)
		sum += count_leaves(n->u.map.pairs[i].value, depth - 1);
	return sum;
}

/* false: not the shape that was expected. */
static bool
add_paths(
    struct info *in, const struct node *n, unsigned depth, struct strbuf *path)
{
	size_t len = path->len;
	bool ok = n->type == (depth == 0 ? NODE_LIST : NODE_MAP);

	for (size_t i = 0; ok && depth > 0 && i < n->u.map.n; i++) {
		strbuf_adds(path, node_text(n->u.map.pairs[i].key));
		strbuf_addc(path, '/');
		ok = add_paths(in, n->u.map.pairs[i].value, depth - 1, path);
		strbuf_truncate(path, len);
	}
	for (size_t i = 0; ok && depth == 0 && i < n->u.list.n; i++) {
		const char *name = node_text(n->u.list.items[i]);

		ok = name != NULL;
		strbuf_adds(path, ok ? name : "");
		if (ok && path->latch == OVE_NONE &&
		    info_filter_passes(in->filter, path->buf))
			in->names[in->names_n++] =
			    arena_strdup(&in->arena, path->buf);
		strbuf_truncate(path, len);
	}
	return ok;
}

static void
take_paths(struct info *in, const struct node *logs)
{
	AUTO_STRBUF struct strbuf path;

	strbuf_init(&path, PATH_LEN_MAX);
	if (logs == NULL || logs->type == NODE_NULL)
		return;
	in->names = arena_calloc(&in->arena,
	    count_leaves(logs, in->type->depth) + 1, sizeof(*in->names));
	if (in->names != NULL && !add_paths(in, logs, in->type->depth, &path))
		fail(&in->list, 200, "the reply is not understood: 'logs'");
}

static void
on_list(const struct client_reply *r, void *ctx)
{
	struct info *in = ctx;
	const struct info_type *type = in->type;
	const struct node *value = node_get(r->body, type->list.member);
	struct error e = ERROR_INIT;
	struct client_strs list;

	in->pending--;
	if (r->class != CLIENT_OK) {
		fail(&in->list, r->status, r->text);
	} else if (type->shape == INFO_PATHS) {
		take_paths(in, value);
	} else if (type->shape == INFO_VALUE) {
		in->list.answered = true;
		in->list.value =
		    value != NULL ? node_copy(&in->arena, value) : NULL;
	} else if (client_get_strs(
		       r->body, type->list.member, &in->arena, &list, &e) < 0) {
		fail(&in->list, r->status, error_text(&e));
	} else {
		take_names(in, list.items, list.n);
	}
	if (type->items_n > 0)
		ask_names(in);
	else
		finish(in);
}

void
info_start(struct info *in)
{
	const struct info_filter *f = in->filter;

	in->list = (struct info_piece){ .info = in,
		.function = in->type->list.function };
	arena_init(&in->arena, ANSWERS_MAX);
	if (!target_can_be_asked(in->target)) {
		finish(in);
	} else if ((in->type->flags & INFO_LITERAL) != 0 &&
	    (f->names.n > 0 || in->type->shape == INFO_NOTHING)) {
		take_names(in, f->names.items, f->names.n);
		ask_names(in);
	} else if (in->type->shape == INFO_NOTHING) {
		finish(in);
	} else {
		const char *why = ask(in, &in->type->list, NULL, on_list, in);

		if (why == NULL)
			return;
		in->list.failure = why;
		finish(in);
	}
}
