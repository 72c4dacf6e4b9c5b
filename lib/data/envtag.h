/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What stands behind the YAML tag !ENV: ${NAME} and ${NAME:default} in a text
 * become values of the environment (spec yaml-and-templates.md 3).
 */
#pragma once

#include "lib/data/scalar.h"

/* Value of an environment variable, or NULL when it is not set. */
typedef const char *envtag_env_fn(const char *name, void *ctx);
/* Called for each variable that is neither set nor has a default. */
typedef void envtag_unset_fn(const char *name, void *ctx);

struct envtag_options {
	envtag_env_fn *env;
	void *env_ctx;
	envtag_unset_fn *unset;
	void *unset_ctx;
};

/* Expands the text into a string, or into what a "tag:yaml.org,2002:TYPE "
 * within it asks for.  -1 with OVE_INVALID or OVE_LIMIT; NULL in *ret when the
 * arena is full. */
int envtag_expand(const char *s, size_t len, const struct envtag_options *o,
    struct arena *a, struct node **ret, struct error *e);
