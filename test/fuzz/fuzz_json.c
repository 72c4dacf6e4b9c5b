/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * JSON: whatever is read is written in each style and reads back the same.
 */

#include <stdint.h>
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/strbuf.h"
#include "lib/data/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
write_and_read(const struct node *n, enum json_style style, struct arena *a)
{
	struct strbuf AUTO_STRBUF out;
	struct error e = ERROR_INIT;
	struct node *again;

	strbuf_init(&out, (size_t)64 << 20);
	json_write(&out, n, style);
	if (strbuf_check(&out, &e) == -1)
		return;
	if (json_read(out.buf, out.len, a, &again, &e) == -1 ||
	    !node_equal(n, again))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;

	arena_init(&a, (size_t)256 << 20);
	if (json_read((const char *)data, size, &a, &n, &e) == -1) {
		if (!error_is_set(&e))
			abort();
		return 0;
	}
	write_and_read(n, JSON_COMPACT, &a);
	write_and_read(n, JSON_INDENT2, &a);
	write_and_read(n, JSON_INDENT4_ASCII, &a);
	write_and_read(n, JSON_PYTHON, &a);
	return 0;
}
