/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML with !ENV: whatever is read can be walked, is no deeper and no larger
 * than the limits say, and has no key twice; what is refused has a finding.
 * What was read is written, with and without literal blocks, and reads back as
 * it was.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"
#include "lib/data/yaml.h"
#include "lib/data/yaml_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	if (strcmp(name, "A") == 0)
		return "alpha";
	if (strcmp(name, "NUM") == 0)
		return "42";
	return strcmp(name, "REF") == 0 ? "${NUM}" : NULL;
}

static size_t
walk(struct node *n, unsigned depth)
{
	struct error e = ERROR_INIT;
	const struct node *dup;
	size_t i, sum = 1;

	if (depth > YAML_DEPTH_MAX)
		abort();
	if (n->type == NODE_LIST) {
		for (i = 0; i < n->u.list.n; i++)
			sum += walk(n->u.list.items[i], depth + 1);
	} else if (n->type == NODE_MAP || n->type == NODE_SET) {
		if (node_map_fold(n, &dup, &e) == -1 || dup != NULL)
			abort();
		for (i = 0; i < n->u.map.n; i++) {
			sum += walk(n->u.map.pairs[i].key, depth + 1);
			sum += walk(n->u.map.pairs[i].value, depth + 1);
		}
	}
	return sum;
}

static void
write_and_read(const struct node *n, unsigned flags)
{
	static const struct yaml_options o = { .env = NULL };
	struct strbuf AUTO_STRBUF out;
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *back;
	struct diag d;

	arena_init(&a, (size_t)256 << 20);
	strbuf_init(&out, YAML_LEN_MAX);
	diag_init(&d, &a, "f");
	yaml_write(&out, n, flags);
	if (strbuf_check(&out, &e) == -1)
		return;
	if (yaml_read(out.buf, out.len, &o, &a, &back, &d, &e) == -1 ||
	    back == NULL || !node_equal(n, back))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct yaml_options o = { .env = env, .env_hint = "x" };
	struct strbuf AUTO_STRBUF out;
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;
	struct diag d;

	arena_init(&a, (size_t)256 << 20);
	strbuf_init(&out, (size_t)64 << 20);
	diag_init(&d, &a, "f");
	if (yaml_read((const char *)data, size, &o, &a, &n, &d, &e) == -1) {
		if (!error_is_set(&e) || (e.code == OVE_INVALID) != (d.n > 0))
			abort();
	} else if (n != NULL) {
		/* Merging takes each pair at most once for each alias. */
		if (walk(n, 0) > 2 * YAML_NODES_MAX)
			abort();
		json_write(&out, n, JSON_PYTHON);
		write_and_read(n, 0);
		write_and_read(n, YAML_LITERAL);
	}
	diag_print(&d, "p", NULL, true, &out);
	return 0;
}
