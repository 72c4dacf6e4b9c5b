/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A page of HAProxy's statistics: what is read of it can be written as JSON,
 * and counters that go on never fall.
 */

#include <stdint.h>
#include <stdlib.h>

#include "daemon/haproxy_stats.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_not_fall(const struct node *before, const struct node *after)
{
	for (size_t i = 0; i < before->u.map.n; i++) {
		const struct node_pair *p = &before->u.map.pairs[i];
		const struct node *old = node_get(p->value, "value");
		const struct node *new =
		    node_get(node_get(after, node_text(p->key)), "value");

		if (node_get(p->value, "base") != NULL &&
		    (new == NULL || new->u.i < old->u.i))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_STRBUF struct strbuf text;
	struct node *now, *kept, *again;
	AUTO_ARENA struct arena a;

	arena_init(&a, (size_t)16 << 20);
	strbuf_init(&text, (size_t)16 << 20);
	if (haproxy_stats_read((const char *)data, size, "Frontend", "web", &a,
		&now, NULL) != 0)
		return 0;
	kept = haproxy_stats_go_on(NULL, now, &a);
	again = haproxy_stats_go_on(kept, now, &a);
	if (arena_check(&a, NULL) < 0)
		return 0;
	must_not_fall(kept, again);
	json_write(&text, again, JSON_COMPACT);
	if (strbuf_check(&text, NULL) == 0 &&
	    json_read(text.buf, text.len, &a, &now, NULL) < 0 &&
	    arena_check(&a, NULL) == 0)
		abort();
	return 0;
}
