/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the autoscaler is told: the metadata that a user has written, and the
 * tree that servers below have answered with. The input is JSON: {"auto": the
 * text of the metadata, "tree": what /v1/tree says, "front", "back": figures of
 * HAProxy}. Whatever it is, what is decided is about servers that were named,
 * none twice, and no more than there are; and what is logged has words.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/scale_plan.h"
#include "daemon/scale_spec.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

#define NOW INT64_C(1000000)
#define INTERVAL_MS 10000
#define PROJECT "web"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a second request to each server would say: here its own figures. */
static void
ask(struct scale_node *n, size_t k)
{
	for (size_t i = 0; i < n->services_n; i++) {
		struct scale_service *s = &n->services[i];

		s->is_unknown = (k + i) % 5 == 1;
		s->is_lost = (k + i) % 5 == 2;
		s->is_dirty = (k + i) % 5 == 3;
		s->has_no_answer = (k + i) % 7 == 4;
		s->stats = n->stats;
		s->checks = n->stats;
	}
	if (n->is_open)
		scale_node_judge(n);
}

static void
must_be_named(const struct scale_case *c, const struct scale_plan *p)
{
	if (p->targets_n > c->nodes.n || p->good > c->nodes.n)
		abort();
	for (size_t i = 0; i < p->targets_n; i++) {
		if (p->targets[i] < c->nodes.items ||
		    p->targets[i] >= c->nodes.items + c->nodes.n)
			abort();
		for (size_t k = 0; k < i; k++)
			if (p->targets[k] == p->targets[i])
				abort();
	}
}

static void
must_be_told(const struct node *logs)
{
	for (size_t i = 0; i < logs->u.list.n; i++) {
		const struct node *x = logs->u.list.items[i];

		if (node_text(node_get(x, "project")) == NULL ||
		    (node_get(x, "response") == NULL &&
			node_text(node_get(node_get(x, "exception"), "type")) ==
			    NULL))
			abort();
	}
}

static void
decide(struct scale_case *c, struct arena *a)
{
	struct node *logs = node_new(a, NODE_LIST);
	struct scale_plan p;

	scale_decide(c, a, logs, &p);
	if (arena_check(a, NULL) < 0)
		return;
	must_be_named(c, &p);
	must_be_told(logs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_ARENA struct arena a;
	struct scale_memory memory;
	struct scale_case c = { .memory = &memory, .now = NOW };
	struct error e = ERROR_INIT;
	const char *text;
	struct node *in;

	arena_init(&a, (size_t)16 << 20);
	if (size > 65536 ||
	    json_read((const char *)data, size, &a, &in, NULL) < 0)
		return 0;
	text = node_text(node_get(in, "auto"));
	if (text == NULL)
		return 0;
	if (scale_spec_read(PROJECT, text, strlen(text), &a, &c.project, &e) <
	    0) {
		if (!error_is_set(&e) || scale_exception(&e) == NULL)
			abort();
		return 0;
	}
	if (node_get(in, "tree") == NULL ||
	    scale_nodes_take(node_get(in, "tree"), PROJECT,
		&c.project->autoscale.labels, &a, &c.nodes, &e) < 0)
		return 0;
	for (size_t i = 0; i < c.nodes.n; i++)
		ask(&c.nodes.items[i], i);
	c.frontend = node_get(in, "front");
	c.backend = node_get(in, "back");
	scale_memory_init(&memory);
	memory.interval_ms = INTERVAL_MS;
	for (int i = 0; i < 4; i++) {
		c.is_changed = (i & 1) != 0;
		c.has_cleanup = (i & 2) != 0;
		decide(&c, &a);
	}
	scale_memory_fini(&memory);
	return 0;
}
