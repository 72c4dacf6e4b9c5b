/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The text behind !ENV: ends in a node or in an error, whatever it says.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"
#include "lib/data/envtag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	if (strcmp(name, "A") == 0)
		return "alpha";
	if (strcmp(name, "B") == 0)
		return "";
	if (strcmp(name, "NUM") == 0)
		return "42";
	return strcmp(name, "REF") == 0 ? "${NUM}${A}$" : NULL;
}

static void
unset(const char *name, void *ctx)
{
	if (env(name, ctx) != NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct envtag_options o = { .env = env, .unset = unset };
	AUTO_FREE char *text = NULL;
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct node *n;

	arena_init(&a, (size_t)256 << 20);
	/* As libyaml hands it over: with a NUL behind it. */
	text = mem_strndup((const char *)data, size);
	if (text == NULL)
		return 0;
	if (envtag_expand(text, size, &o, &a, &n, &e) == -1) {
		if (!error_is_set(&e))
			abort();
	} else if (n == NULL) {
		abort();
	}
	return 0;
}
