/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Names for pieces of templates: see tmpl_env.h.
 */
#include "test/unit/support/tmpl_env.h"

#include <string.h>

static int
variable(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_str *name,
    struct tmpl_value *ret)
{
	struct test_env *e = container_of(env, struct test_env, env);
	const char *text;
	size_t i;

	for (i = 0; e->variables != NULL && e->variables[i] != NULL; i++) {
		text = e->variables[i];
		if (strncmp(text, name->s, name->len) == 0 &&
		    text[name->len] == '=') {
			text += name->len + 1;
			return tmpl_str(r, text, strlen(text), ret);
		}
	}
	return TMPL_MISSING;
}

static int
load(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value *ret)
{
	struct test_env *e = container_of(env, struct test_env, env);
	const struct tmpl_str text = { name->s, name->len, name->len };
	size_t i;

	for (i = 0; i < e->n; i++) {
		if (e->names[i] == name) {
			*ret = e->values[i];
			return 0;
		}
	}
	return variable(env, r, &text, ret);
}

static int
store(struct tmpl_env *env, struct tmpl_run *r, const struct tmpl_name *name,
    struct tmpl_value v)
{
	struct test_env *e = container_of(env, struct test_env, env);
	size_t i;

	for (i = 0; i < e->n && e->names[i] != name; i++)
		continue;
	if (i == ENV_NAMES)
		return tmpl_raise(r, TMPL_LIMIT, "too many names");
	e->names[i] = name;
	e->values[i] = v;
	if (i == e->n)
		e->n++;
	return 0;
}

static struct tmpl_loop *
loop(struct tmpl_env *env)
{
	return container_of(env, struct test_env, env)->loop;
}

void
test_env_init(struct test_env *e, char *const *variables)
{
	*e = (struct test_env){
		.env = { load, store, variable, loop },
		.variables = variables,
	};
}
