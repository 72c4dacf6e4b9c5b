/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Special labels, whose values are whatever an author of a Director file has
 * written, and what etcd and HAProxy say: the input is labels as JSON, or else
 * each of the texts. What comes of them stays below its prefix and is JSON.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/etcd.h"
#include "daemon/haproxy.h"
#include "daemon/portset.h"
#include "daemon/skydns.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
is_json(const char *text, struct arena *a)
{
	struct node *n;

	if (json_read(text, strlen(text), a, &n, NULL) < 0 ||
	    n->type != NODE_MAP)
		abort();
}

static void
plan(const struct special *s, struct arena *a)
{
	const struct skydns_config c = { "/skydns", "overlord.lan.", "srv1" };
	struct skydns_plan p;
	bool any = false;

	skydns_plan(&c, s, a, &p);
	if (arena_check(a, NULL) < 0)
		return;
	for (int i = 0; i < SKYDNS_RECORDS; i++) {
		if (p.records[i].key == NULL)
			continue;
		any = true;
		if (strncmp(p.records[i].key, "/skydns/", 8) != 0)
			abort();
		is_json(p.records[i].value, a);
	}
	if (!any && p.error == NULL)
		abort();
}

static void
serve(const struct special *s, struct arena *a)
{
	struct error e = ERROR_INIT;
	const char *label = NULL;
	char *body = haproxy_server(s, "srv1", "10.0.0.5", 80, a, &label, &e);

	if (body == NULL && arena_check(a, NULL) == 0 &&
	    (label == NULL || !error_is_set(&e)))
		abort();
	if (body != NULL)
		is_json(body, a);
}

/* False: they are none. */
static bool
try_labels(const char *text, size_t len, struct arena *a)
{
	struct node *n, *labels = node_new(a, NODE_MAP);
	struct special s = { .project = "p", .service = "s" };

	if (json_read(text, len, a, &n, NULL) < 0 || n->type != NODE_MAP)
		return false;
	for (size_t i = 0; i < n->u.map.n; i++)
		if (n->u.map.pairs[i].value->type == NODE_STR)
			node_set(a, labels,
			    arena_printf(a, "overlord.%s",
				node_text(n->u.map.pairs[i].key)),
			    n->u.map.pairs[i].value);
	if (arena_check(a, NULL) < 0)
		return true;
	s.labels = labels;
	for (int i = 0; i < 2; i++) {
		s.destroy = i == 1;
		plan(&s, a);
		serve(&s, a);
	}
	return true;
}

static void
try_texts(const char *text, size_t len, struct arena *a)
{
	struct portset set = { { 0 } };
	struct error e = ERROR_INIT;
	bool deleted;
	int64_t n;

	if (special_int(text, -5, 70000, &n) && (n < -5 || n > 70000))
		abort();
	if (portset_add_text(&set, text)) {
		uint16_t port = portset_draw(&set, 1, UINT16_MAX);

		if (port != 0 && portset_has(&set, port))
			abort();
	}
	if (netif_check_network(text, &e) < 0 && !error_is_set(&e))
		abort();
	error_clear(&e);
	if (etcd_read_version(text, len, &e) == NULL && !error_is_set(&e))
		abort();
	error_clear(&e);
	if (etcd_read_reply(text, len, &deleted, &e) < 0 && !error_is_set(&e))
		abort();
	(void)haproxy_transaction(text, len, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena AUTO_ARENA a;
	char *text;

	arena_init(&a, (size_t)16 << 20);
	if (size > 16384)
		return 0;
	text = arena_strndup(&a, (const char *)data, size);
	if (text == NULL)
		return 0;
	(void)try_labels(text, size, &a);
	try_texts(text, size, &a);
	return 0;
}
