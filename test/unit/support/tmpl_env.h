/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * An environment for pieces of templates: names that are assigned, and behind
 * them template variables.
 */
#pragma once

#include "lib/data/tmpl_expr.h"

#define ENV_NAMES 64

struct test_env {
	struct tmpl_env env;
	/* "NAME=VALUE", up to NULL. */
	char *const *variables;
	const struct tmpl_name *names[ENV_NAMES];
	struct tmpl_value values[ENV_NAMES];
	size_t n;
	struct tmpl_loop *loop;
};

void test_env_init(struct test_env *e, char *const *variables);
