/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The blocks of get-info, byte for byte as the original prints them (cli.md
 * 2.5), its uneven indentation included: scripts of people read this.
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

/* Each line of a text, indented. */
static void
add_lines(struct strbuf *out, int indent, const char *text, size_t len)
{
	size_t at = 0, next, n;

	while (at < len) {
		n = human_line(text + at, len - at, &next);
		strbuf_addf(out, "%*s", indent, "");
		strbuf_add(out, text + at, n);
		strbuf_addc(out, '\n');
		at += next;
	}
}

/* A text of one line after its key, of several below it, of none not at all. */
static void
add_block(struct strbuf *out, int indent, const char *key, const struct node *n)
{
	const char *text = node_text(n);
	size_t len, next;

	if (text == NULL) {
		add_line(out, indent, key, n);
		return;
	}
	len = n->u.str.len;
	if (len == 0)
		return;
	(void)human_line(text, len, &next);
	if (next < len) {
		strbuf_addf(out, "%*s%s: |\n", indent, "", key);
		add_lines(out, indent + 2, text, len);
		return;
	}
	while (len > 0 && text[len - 1] == '\n')
		len--;
	strbuf_addf(out, "%*s%s: ", indent, "", key);
	strbuf_add(out, text, len);
	strbuf_addc(out, '\n');
}

static void
add_last_update(struct strbuf *out, int indent, const struct node *n)
{
	strbuf_addf(out, "%*slast_update: ", indent, "");
	human_timespan_node(out, n);
	strbuf_addc(out, '\n');
}

static void
add_stderr(struct strbuf *out, const struct node *n)
{
	const char *text = node_text(n);

	if (text == NULL) {
		if (n->type != NODE_NULL)
			add_line(out, 9, "stderr", n);
		return;
	}
	if (n->u.str.len == 0)
		return;
	strbuf_adds(out, "         stderr:\n");
	add_lines(out, 11, text, n->u.str.len);
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
		add_last_update(out, 8, p->value);
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
	if (services != NULL && services->type == NODE_LIST)
		add_items(out, 8, services);
	add_operation(out, "up", node_get(info, "up"));
	add_operation(out, "down", node_get(info, "down"));
}

/* VMs and autoscaling */

void
human_vm(struct strbuf *out, const struct node *status)
{
	if (status == NULL || status->type != NODE_MAP || status->u.map.n == 0)
		return;
	strbuf_adds(out, "      virtual-machines:\n");
	for (size_t i = 0; i < status->u.map.n; i++) {
		const struct node_pair *p = &status->u.map.pairs[i];
		const char *key = key_of(p);

		if (p->value->type == NODE_LIST) {
			strbuf_addf(out, "        %s:\n", key);
			add_items(out, 8, p->value);
		} else if (strcmp(key, "last_update") == 0) {
			add_last_update(out, 10, p->value);
		} else if (strcmp(key, "output") == 0) {
			add_block(out, 10, key, p->value);
		} else {
			add_line(out, 10, key, p->value);
		}
	}
}

/* Of servers before 0.25. */
static void
add_rounds(struct strbuf *out, const struct node *n)
{
	if (n->u.map.n > 0)
		strbuf_adds(out, "        output:\n");
	for (size_t i = 0; i < n->u.map.n; i++) {
		const struct node_pair *p = &n->u.map.pairs[i];

		if (strcmp(key_of(p), "nodes") != 0 ||
		    p->value->type != NODE_MAP) {
			add_line(out, 9, key_of(p), p->value);
			continue;
		}
		for (size_t k = 0; k < p->value->u.map.n; k++)
			add_line(out, 10, key_of(&p->value->u.map.pairs[k]),
			    p->value->u.map.pairs[k].value);
	}
}

void
human_autoscale(struct strbuf *out, const struct node *status)
{
	if (status == NULL || status->type != NODE_MAP || status->u.map.n == 0)
		return;
	strbuf_adds(out, "      autoScale:\n");
	for (size_t i = 0; i < status->u.map.n; i++) {
		const struct node_pair *p = &status->u.map.pairs[i];
		const char *key = key_of(p);

		if (p->value->type == NODE_LIST) {
			strbuf_addf(out, "        %s:\n", key);
			add_items(out, 10, p->value);
		} else if (strcmp(key, "last_update") == 0) {
			add_last_update(out, 8, p->value);
		} else if (strcmp(key, "output") == 0 &&
		    p->value->type == NODE_MAP) {
			add_rounds(out, p->value);
		} else {
			add_line(out, 8, key, p->value);
		}
	}
}

/* Metadata and namespaces */

void
human_metadata(struct strbuf *out, const char *key, const struct node *text)
{
	add_block(out, 4, key, text);
}

/* The repr of an entry, its mode as letters. */
static void
add_entry(struct strbuf *out, const struct node *map)
{
	strbuf_adds(out, "      - {");
	for (size_t i = 0; i < map->u.map.n; i++) {
		const struct node_pair *p = &map->u.map.pairs[i];
		char mode[HUMAN_MODE_LEN + 1];

		strbuf_adds(out, i == 0 ? "" : ", ");
		human_repr(out, p->key);
		strbuf_adds(out, ": ");
		if (strcmp(key_of(p), "mode") == 0 &&
		    p->value->type == NODE_INT && !p->value->big &&
		    p->value->u.i >= 0 && p->value->u.i <= UINT32_MAX) {
			human_mode(mode, (unsigned)p->value->u.i);
			strbuf_addf(out, "'%s'", mode);
		} else {
			human_repr(out, p->value);
		}
	}
	strbuf_adds(out, "}\n");
}

void
human_namespace(struct strbuf *out, const struct node *entries)
{
	for (size_t i = 0; entries != NULL && entries->type == NODE_LIST &&
	     i < entries->u.list.n;
	     i++) {
		const struct node *n = entries->u.list.items[i];

		if (n->type == NODE_MAP) {
			add_entry(out, n);
			continue;
		}
		strbuf_adds(out, "      - ");
		human_text(out, n);
		strbuf_addc(out, '\n');
	}
}

/* Jails and their resources */

static bool
is_amount(const char *resource)
{
	static const char *const names[] = { "datasize", "stacksize",
		"coredumpsize", "memoryuse", "memorylocked", "vmemoryuse",
		"swapuse", "shmsize", "readbps", "writebps" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(resource, names[i]) == 0)
			return true;
	return false;
}

static void
add_resources(struct strbuf *out, int indent, const struct node *map)
{
	for (size_t i = 0; i < map->u.map.n; i++) {
		const struct node_pair *p = &map->u.map.pairs[i];

		strbuf_addf(out, "%*s%s: ", indent, "", key_of(p));
		if (is_amount(key_of(p)))
			human_amount(out, p->value);
		else
			human_text(out, p->value);
		strbuf_addc(out, '\n');
	}
}

void
human_jail_item(struct strbuf *out, const char *item, const struct node *value)
{
	if (value == NULL)
		return;
	if (value->type == NODE_STR) {
		add_line(out, 6, item, value);
	} else if (value->type == NODE_LIST && value->u.list.n > 0) {
		strbuf_addf(out, "      %s:\n", item);
		add_items(out, 8, value);
	} else if (value->type == NODE_MAP && value->u.map.n > 0) {
		strbuf_addf(out, "      %s:\n", item);
		if (strcmp(item, "stats") == 0)
			add_resources(out, 8, value);
		else
			for (size_t i = 0; i < value->u.map.n; i++)
				add_line(out, 8, key_of(&value->u.map.pairs[i]),
				    value->u.map.pairs[i].value);
	}
}

void
human_stats(struct strbuf *out, const struct node *stats)
{
	if (stats != NULL && stats->type == NODE_MAP)
		add_resources(out, 4, stats);
}
