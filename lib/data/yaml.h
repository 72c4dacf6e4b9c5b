/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * YAML 1.1 text to tree, as PyYAML's SafeLoader reads it, plus the !ENV tag
 * (spec yaml-and-templates.md): positions kept, aliases and merge keys
 * resolved, depth, nodes as expanded, anchors and bytes bounded. The only file
 * that includes libyaml.
 */
#pragma once

#include "lib/data/diag.h"
#include "lib/data/node.h"

/* Value of an environment variable, or NULL when it is not set. */
typedef const char *yaml_env_fn(const char *name, void *ctx);

struct yaml_options {
	/* NULL: !ENV is an unknown tag. */
	yaml_env_fn *env;
	void *env_ctx;
	/* The hint below an unset variable; may be NULL. */
	const char *env_hint;
};

#define YAML_LEN_MAX ((size_t)64 << 20)
#define YAML_DEPTH_MAX 100
#define YAML_NODES_MAX 1000000
#define YAML_ANCHORS_MAX 10000

/* *ret is NULL for an empty document. Faults (syntax, unknown tag, limits, two
 * documents) go to d with their position, and -1 is returned; an unset variable
 * without a default is a warning in d. Nodes behind an alias are shared. The
 * rules that d's findings name: yaml-syntax, yaml-encoding, yaml-documents,
 * yaml-alias, yaml-anchor, yaml-recursive, yaml-tag, yaml-tag-kind, yaml-value,
 * yaml-merge, yaml-key, yaml-env, yaml-limit; warning: env-unset. */
int yaml_read(const char *text, size_t len, const struct yaml_options *o,
    struct arena *a, struct node **ret, struct diag *d, struct error *e);
