/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The blocks of get-info, byte for byte as the original prints them (cli.md
 * 2.5.1, 2.5.2), its uneven indentation included: scripts of people read this.
 */
#include "proto/human.h"

#include <string.h>

static void
add_line(struct strbuf *out, int indent, const char *key, const struct node *n)
{
	strbuf_addf(out, "%*s%s: ", indent, "", key);
	human_text(out, n);
	strbuf_addc(out, '\n');
}

static void
add_items(struct strbuf *out, int indent, const struct node *list)
{
	for (size_t i = 0; i < list->u.list.n; i++) {
		strbuf_addf(out, "%*s- ", indent, "");
		human_text(out, list->u.list.items[i]);
		strbuf_addc(out, '\n');
	}
}

void
human_header(struct strbuf *out, const char *url, const char *datacenter,
    const char *chain, const char *const *labels, size_t labels_n)
{
	strbuf_addf(out, "datacenter: %s\n  entrypoint: %s\n  chain: %s\n", url,
	    datacenter, chain != NULL ? chain : "None");
	if (labels == NULL)
		return;
	strbuf_adds(out, "  labels:\n");
	for (size_t i = 0; i < labels_n; i++)
		strbuf_addf(out, "    - %s\n", labels[i]);
}

/* The key of a pair as text; JSON's keys are strings. */
static const char *
key_of(const struct node_pair *p)
{
	const char *key = node_text(p->key);

	return key != NULL ? key : "";
}

static void
add_stderr(struct strbuf *out, const struct node *n)
{
	const char *text = node_text(n);
	size_t len, at = 0, next, n_line;

	if (text == NULL) {
		if (n->type != NODE_NULL)
			add_line(out, 9, "stderr", n);
		return;
	}
	len = n->u.str.len;
	if (len == 0)
		return;
	strbuf_adds(out, "         stderr:\n");
	while (at < len) {
		n_line = human_line(text + at, len - at, &next);
		strbuf_adds(out, "           ");
		strbuf_add(out, text + at, n_line);
		strbuf_addc(out, '\n');
		at += next;
	}
}

static void
add_output(struct strbuf *out, const struct node *n)
{
	if (n->u.map.n == 0)
		return;
	strbuf_adds(out, "        output:\n");
	for (size_t i = 0; i < n->u.map.n; i++) {
		const struct node_pair *p = &n->u.map.pairs[i];

		if (strcmp(key_of(p), "stderr") == 0)
			add_stderr(out, p->value);
		else
			add_line(out, 9, key_of(p), p->value);
	}
}

/* error is true or message is not null. */
static bool
is_notable(const struct node *n)
{
	const struct node *error = node_get(n, "error");
	const struct node *message = node_get(n, "message");

	return (error != NULL && error->type == NODE_BOOL && error->u.b) ||
	    (message != NULL && message->type != NODE_NULL);
}

static void
add_integration(
    struct strbuf *out, const char *name, const struct node *services)
{
	bool first = true;

	if (services == NULL || services->type != NODE_MAP)
		return;
	for (size_t i = 0; i < services->u.map.n; i++) {
		const struct node_pair *p = &services->u.map.pairs[i];

		if (!is_notable(p->value))
			continue;
		if (first)
			strbuf_addf(
			    out, "         %s:\n           services:\n", name);
		first = false;
		strbuf_addf(out, "             %s:\n", key_of(p));
		add_line(out, 15, "error", node_get(p->value, "error"));
		add_line(out, 15, "message", node_get(p->value, "message"));
	}
}

static void
add_labels(struct strbuf *out, const struct node *n)
{
	if (is_notable(n)) {
		strbuf_adds(out, "        labels:\n");
		add_line(out, 9, "error", node_get(n, "error"));
		add_line(out, 9, "message", node_get(n, "message"));
	}
	add_integration(out, "load-balancer", node_get(n, "load-balancer"));
	add_integration(out, "skydns", node_get(n, "skydns"));
}

static void
add_pair(struct strbuf *out, const struct node_pair *p)
{
	const char *key = key_of(p);

	if (p->value->type == NODE_LIST) {
		strbuf_addf(out, "        %s:\n", key);
		add_items(out, 8, p->value);
	} else if (strcmp(key, "last_update") == 0) {
		strbuf_adds(out, "        last_update: ");
		human_timespan_node(out, p->value);
		strbuf_addc(out, '\n');
	} else if (strcmp(key, "output") == 0 && p->value->type == NODE_MAP) {
		add_output(out, p->value);
	} else if (strcmp(key, "labels") == 0 && p->value->type == NODE_MAP) {
		add_labels(out, p->value);
	} else {
		add_line(out, 8, key, p->value);
	}
}

static void
add_operation(struct strbuf *out, const char *name, const struct node *n)
{
	if (n == NULL || n->type != NODE_MAP || n->u.map.n == 0)
		return;
	strbuf_addf(out, "      %s:\n", name);
	for (size_t i = 0; i < n->u.map.n; i++)
		add_pair(out, &n->u.map.pairs[i]);
}

void
human_project(struct strbuf *out, const char *name, const struct node *info)
{
	const struct node *services = node_get(info, "services");

	strbuf_addf(out, "    %s:\n", name);
	add_line(out, 6, "state", node_get(info, "state"));
	add_line(out, 6, "last_log", node_get(info, "last_log"));
	add_line(out, 6, "locked", node_get(info, "locked"));
	strbuf_adds(out, "      services:\n");
	for (size_t i = 0; services != NULL && services->type == NODE_LIST &&
	     i < services->u.list.n;
	     i++) {
		strbuf_adds(out, "        - ");
		human_repr(out, services->u.list.items[i]);
		strbuf_addc(out, '\n');
	}
	add_operation(out, "up", node_get(info, "up"));
	add_operation(out, "down", node_get(info, "down"));
}
