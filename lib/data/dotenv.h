/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * .env files as python-dotenv reads them (spec config.md 6).
 */
#pragma once

#include "lib/data/diag.h"

struct dotenv_var {
	const char *name;
	const char *value;
};

/* Value of an existing environment variable, or NULL. */
typedef const char *dotenv_env_fn(const char *name, void *ctx);

/* Variables in order, each name once (the last value). Lines that cannot be
 * read become warnings in d ("not NAME=value, ignored"). env is what references
 * look at before earlier lines. Names and values live in a. */
int dotenv_read(const char *text, size_t len, dotenv_env_fn *env, void *ctx,
    struct arena *a, struct dotenv_var **ret, size_t *ret_n, struct diag *d,
    struct error *e);
