/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a server below says of itself and of its subtree, through the JSON
 * reader and treenode_take(): the answer made of it can be read again, and is
 * its own image when it is taken once more.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/treenode.h"
#include "lib/data/json.h"
#include "lib/data/node.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
sees(const void *ctx, const char *project)
{
	(void)ctx;
	return project[0] != 'x';
}

/* In the envelope and the place that it has on the wire. */
static void
must_read(const struct node *taken, struct arena *a)
{
	AUTO_STRBUF struct strbuf text;
	struct error e = ERROR_INIT;
	struct node *again;

	strbuf_init(&text, (size_t)64 << 20);
	strbuf_adds(&text, "{\"tree\":{\"chains\":[");
	json_write(&text, taken, JSON_COMPACT);
	strbuf_adds(&text, "]}}");
	if (strbuf_check(&text, NULL) == 0 &&
	    json_read(text.buf, text.len, a, &again, &e) == -1)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct tree_rules rules = {
		.wish = { .words = size % 2 == 0 ? 0x3f : 0x0b,
		    .project = size % 5 == 0 ? "web" : NULL },
		.sees = size % 3 == 0 ? sees : NULL,
	};
	struct tree_room room = TREE_ROOM, second;
	AUTO_ARENA struct arena a;
	struct node *said, *taken, *image;

	if (size % 7 == 0)
		room = (struct tree_room){ size, 20, 3 };
	second = room;
	arena_init(&a, (size_t)64 << 20);
	if (json_read((const char *)data, size, &a, &said, NULL) == -1)
		return 0;
	taken = treenode_take("alpha", said, &rules, 2, &room, &a);
	if (arena_check(&a, NULL) == -1)
		return 0;
	must_read(taken, &a);
	if (room.bytes > second.bytes || room.values > second.values ||
	    room.servers > second.servers)
		abort();
	second = TREE_ROOM;
	image = treenode_take("alpha", taken, &rules, 2, &second, &a);
	if (arena_check(&a, NULL) == 0 && !node_equal(taken, image))
		abort();
	return 0;
}
