/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * .env files: each variable once, with a name and a value.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/data/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
env(const char *name, void *ctx)
{
	(void)ctx;
	if (strcmp(name, "HOSTV") == 0)
		return "hv";
	return strcmp(name, "EMPTYV") == 0 ? "" : NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena AUTO_ARENA a;
	struct error e = ERROR_INIT;
	struct dotenv_var *vars;
	struct diag d;
	size_t i, n;

	arena_init(&a, (size_t)64 << 20);
	diag_init(&d, &a, "f");
	if (dotenv_read((const char *)data, size, env, NULL, &a, &vars, &n, &d,
		&e) == -1) {
		if (!error_is_set(&e))
			abort();
		return 0;
	}
	for (i = 0; i < n; i++) {
		if (vars[i].name[0] == '\0' || vars[i].value == NULL)
			abort();
		if (i > 0 && strcmp(vars[i].name, vars[i - 1].name) == 0)
			abort();
	}
	return 0;
}
