/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* See vm_message.h. */
#include "test/unit/support/vm_message.h"

#include <string.h>

#include "lib/data/json.h"
#include "lib/data/node.h"
#include "test/unit/support/test.h"

static struct node *
parse(struct arena *a, const char *text)
{
	struct error e = ERROR_INIT;
	struct node *n;

	test_ok(json_read(text, strlen(text), a, &n, &e), &e);
	return n;
}

void
vm_message(
    struct arena *a, const char *from, const char *more, struct msg_vm *ret)
{
	struct error e = ERROR_INIT;
	struct node *map = parse(a,
	    arena_printf(a,
		"{\"makejail\":\"mj\",\"template\":{},\"diskLayout\":"
		"{\"driver\":\"nvme\",\"size\":\"1M\",\"from\":%s}}",
		from));
	struct node *extra = parse(a, arena_printf(a, "{%s}", more));

	for (size_t i = 0; i < extra->u.map.n; i++)
		node_replace(a, map, extra->u.map.pairs[i].key->u.str.s,
		    extra->u.map.pairs[i].value);
	test_ok(msg_bind(&msg_vm_schema, map, a, ret, &e), &e);
}
