/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The environment of a command (runtime.md 1.7): ours, overridden by the job's,
 * and always the two directories of metadata.
 */
#include <string.h>

#include "daemon/runner_internal.h"
#include "lib/data/node.h"

/* Variables that are always ours. */
struct fixed {
	const char *name;
	const char *value;
};

static size_t
name_len(const char *entry)
{
	return strcspn(entry, "=");
}

static bool
is_fixed(const struct fixed *fixed, size_t n, const char *name, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(fixed[i].name, name, len) == 0 &&
		    fixed[i].name[len] == '\0')
			return true;
	return false;
}

/* The names of the map are unique. */
static bool
has_name(const struct node *env, const char *name, size_t len)
{
	for (size_t i = 0; i < env->u.map.n; i++) {
		const struct node *key = env->u.map.pairs[i].key;

		if (key->u.str.len == len &&
		    memcmp(key->u.str.s, name, len) == 0)
			return true;
	}
	return false;
}

const char *const *
task_environment(struct task *t, struct error *e)
{
	const struct fixed fixed[] = {
		{ "OVERLORD_METADATA", t->r->config.metadata },
		{ "OVERLORD_NAMESPACES", t->r->config.namespaces },
	};
	const struct node none = { .type = NODE_MAP };
	const struct node *env = node_get(t->payload, "environment");
	const char *const *ours = t->r->config.environment;
	struct arena *a = &t->scratch;
	const char **list;
	size_t n = 0, own = 0;

	if (env == NULL || env->type != NODE_MAP)
		env = &none;
	while (ours[own] != NULL)
		own++;
	list = arena_calloc(
	    a, own + env->u.map.n + ARRAY_LEN(fixed) + 1, sizeof(*list));
	if (arena_check(a, e) < 0 || list == NULL)
		return NULL;
	/* There may be many of theirs, so nothing looks them up but the few of
	 * ours. */
	for (size_t i = 0; i < own; i++) {
		size_t len = name_len(ours[i]);

		if (!is_fixed(fixed, ARRAY_LEN(fixed), ours[i], len) &&
		    !has_name(env, ours[i], len))
			list[n++] = ours[i];
	}
	for (size_t i = 0; i < env->u.map.n; i++) {
		const struct node *key = env->u.map.pairs[i].key;

		if (!is_fixed(
			fixed, ARRAY_LEN(fixed), key->u.str.s, key->u.str.len))
			list[n++] = arena_printf(a, "%s=%s", key->u.str.s,
			    node_text(env->u.map.pairs[i].value));
	}
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		list[n++] =
		    arena_printf(a, "%s=%s", fixed[i].name, fixed[i].value);
	list[n] = NULL;
	return arena_check(a, e) < 0 ? NULL : list;
}
