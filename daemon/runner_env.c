/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The environment of a command (runtime.md 1.7): ours, overridden by the job's,
 * and always the two directories of metadata and the ports that were reserved.
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

/* What the step that reserves ports has noted; "" for nothing. */
static const char *
reserved(const struct task *t)
{
	const char *note = task_note(t, STEP_RESERVE);

	return note != NULL ? note : "";
}

/* The variables that are always ours; NULL when there is no room. */
static const struct fixed *
fixed_of(struct task *t, size_t *ret_n)
{
	char *note = arena_strdup(&t->scratch, reserved(t)), *rest = note;
	struct fixed *fixed;
	size_t n = 2;

	for (const char *p = note; p != NULL && *p != '\0'; p++)
		n += *p == '=';
	fixed = arena_calloc(&t->scratch, n, sizeof(*fixed));
	if (note == NULL || fixed == NULL)
		return NULL;
	fixed[0].name = "OVERLORD_METADATA";
	fixed[0].value = t->r->config.metadata;
	fixed[1].name = "OVERLORD_NAMESPACES";
	fixed[1].value = t->r->config.namespaces;
	for (*ret_n = 2; *ret_n < n; ++*ret_n) {
		fixed[*ret_n].name = strsep(&rest, "=");
		fixed[*ret_n].value = strsep(&rest, " ");
	}
	return fixed;
}

const char *const *
task_environment(struct task *t, struct error *e)
{
	size_t fixed_n = 0;
	const struct fixed *fixed = fixed_of(t, &fixed_n);
	const struct node none = { .type = NODE_MAP };
	const struct node *env = node_get(t->payload, "environment");
	const char *const *ours = t->r->config.environment;
	struct arena *a = &t->scratch;
	const char **list;
	size_t n = 0, own = 0;

	if (arena_check(a, e) < 0 || fixed == NULL)
		return NULL;
	if (env == NULL || env->type != NODE_MAP)
		env = &none;
	while (ours[own] != NULL)
		own++;
	list = arena_calloc(a, own + env->u.map.n + fixed_n + 1, sizeof(*list));
	if (arena_check(a, e) < 0 || list == NULL)
		return NULL;
	/* There may be many of theirs, so nothing looks them up but the few of
	 * ours. */
	for (size_t i = 0; i < own; i++) {
		size_t len = name_len(ours[i]);

		if (!is_fixed(fixed, fixed_n, ours[i], len) &&
		    !has_name(env, ours[i], len))
			list[n++] = ours[i];
	}
	for (size_t i = 0; i < env->u.map.n; i++) {
		const struct node *key = env->u.map.pairs[i].key;

		if (!is_fixed(fixed, fixed_n, key->u.str.s, key->u.str.len))
			list[n++] = arena_printf(a, "%s=%s", key->u.str.s,
			    node_text(env->u.map.pairs[i].value));
	}
	for (size_t i = 0; i < fixed_n; i++)
		list[n++] =
		    arena_printf(a, "%s=%s", fixed[i].name, fixed[i].value);
	list[n] = NULL;
	return arena_check(a, e) < 0 ? NULL : list;
}
