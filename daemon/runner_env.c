/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The environment of a command (runtime.md 1.7): ours, overridden by the job's,
 * and always the two directories of metadata.
 */
#include <string.h>

#include "daemon/runner_internal.h"
#include "lib/data/node.h"

static const char *
pair_of(struct arena *a, const char *name, const char *value)
{
	return arena_printf(a, "%s=%s", name, value);
}

/* Sets NAME=value in the list of n entries. */
static size_t
env_set(const char **list, size_t n, struct arena *a, const char *name,
    const char *value)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < n; i++)
		/* NULL: there was no room for it, which is told at the end. */
		if (list[i] != NULL && strncmp(list[i], name, len) == 0 &&
		    list[i][len] == '=') {
			list[i] = pair_of(a, name, value);
			return n;
		}
	list[n] = pair_of(a, name, value);
	return n + 1;
}

const char *const *
task_environment(struct task *t, struct error *e)
{
	const struct node *env = node_get(t->payload, "environment");
	size_t n = 0, own = 0, theirs = 0;
	const char *const *ours = t->r->config.environment;
	const char **list;

	while (ours[own] != NULL)
		own++;
	if (env != NULL && env->type == NODE_MAP)
		theirs = env->u.map.n;
	list = arena_calloc(&t->arena, own + theirs + 3, sizeof(*list));
	if (arena_check(&t->arena, e) < 0 || list == NULL)
		return NULL;
	for (; n < own; n++)
		list[n] = ours[n];
	for (size_t i = 0; i < theirs; i++)
		n = env_set(list, n, &t->arena,
		    node_text(env->u.map.pairs[i].key),
		    node_text(env->u.map.pairs[i].value));
	n = env_set(
	    list, n, &t->arena, "OVERLORD_METADATA", t->r->config.metadata);
	n = env_set(
	    list, n, &t->arena, "OVERLORD_NAMESPACES", t->r->config.namespaces);
	list[n] = NULL;
	return arena_check(&t->arena, e) < 0 ? NULL : list;
}
