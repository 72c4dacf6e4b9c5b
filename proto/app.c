/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Template to deployment file.  People know the template, not what came of it:
 * so lines of what was rendered are turned into lines of the template before
 * anything is said about them.
 */
#include "proto/app.h"

#include <string.h>

#include "lib/data/yaml.h"
#include "proto/spec_internal.h"

static const struct tmpl_var *
variables(const struct spec *app, struct arena *a, size_t *ret_n)
{
	const struct schema_strmap *config = &app->app.config;
	struct tmpl_var *vars = arena_calloc(a, config->n + 1, sizeof(*vars));
	size_t n = 0;

	if (vars == NULL)
		return NULL;
	for (size_t i = 0; i < config->n; i++) {
		if (strcmp(config->keys[i], "appName") == 0)
			continue;
		vars[n].name = config->keys[i];
		vars[n++].value = config->items[i];
	}
	vars[n].name = "appName";
	vars[n++].value = app->app.name;
	*ret_n = n;
	return vars;
}

/* Nodes may be shared, but those of one line stay so: what has no column was
 * here before. */
static void
move_lines(struct node *n, const struct tmpl_output *out)
{
	if (n->col == 0)
		return;
	n->line = tmpl_line(out, n->line);
	n->col = 0;
	for (size_t i = 0; n->type == NODE_LIST && i < n->u.list.n; i++)
		move_lines(n->u.list.items[i], out);
	for (size_t i = 0;
	     (n->type == NODE_MAP || n->type == NODE_SET) && i < n->u.map.n;
	     i++) {
		move_lines(n->u.map.pairs[i].key, out);
		move_lines(n->u.map.pairs[i].value, out);
	}
}

static void
move_findings(struct diag *d, size_t from, const struct tmpl_output *out)
{
	for (size_t i = from; i < d->n; i++) {
		d->items[i].line = tmpl_line(out, d->items[i].line);
		d->items[i].col = 0;
	}
}

/* The first that is an error, as a template's error is told. */
static const char *
first_error(const struct diag *d, const struct error *e, struct arena *a)
{
	const char *text = NULL;

	for (size_t i = 0; i < d->n && text == NULL; i++)
		if (!d->items[i].warning)
			text = d->items[i].line > 0
			    ? arena_printf(a, "%s at line: %u",
				  d->items[i].reason, d->items[i].line)
			    : d->items[i].reason;
	if (text == NULL || text[0] == '\0')
		text = arena_strdup(a, error_text(e));
	return text != NULL ? text : "out of memory";
}

/* d gets nothing but warnings: errors are the caller's to tell. */
static int
read_rendered(const struct app_template *t, const struct tmpl_output *out,
    struct arena *a, struct diag *d, struct node **ret, const char **ret_why)
{
	struct yaml_options o = { .env = t->env, .env_hint = SPEC_ENV_HINT };
	struct error e = ERROR_INIT;
	struct diag mine;
	int rc;

	diag_init(&mine, a, NULL);
	rc = yaml_read(out->text, out->len, &o, a, ret, &mine, &e);
	move_findings(&mine, 0, out);
	if (rc < 0) {
		*ret_why = first_error(&mine, &e, a);
		return -1;
	}
	for (size_t i = 0; i < mine.n; i++)
		diag_warn(d, (struct diag_pos){ .line = mine.items[i].line },
		    mine.items[i].rule, mine.items[i].path, mine.items[i].hint,
		    "%s", mine.items[i].reason);
	if (*ret == NULL || (*ret)->type != NODE_MAP) {
		*ret_why = "what it renders to is not a mapping";
		return -1;
	}
	move_lines(*ret, out);
	return 0;
}

static void
replace_targets(const struct spec *app, struct node *doc, struct arena *a)
{
	static const char *const keys[] = { "datacenters", "deployIn",
		"maximumDeployments" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct node *n = node_get(app->root, keys[i]);

		node_replace(a, doc, keys[i],
		    n != NULL && n->type != NODE_NULL ? n : node_int(a, 0));
	}
}

int
app_render(const struct spec *app, const struct app_template *t,
    struct arena *a, struct diag *d, struct node **ret, const char **ret_why)
{
	struct tmpl_input in = { .text = t->text,
		.len = strlen(t->text),
		.open = t->open,
		.ctx = t->open_ctx };
	struct tmpl_failure why;
	struct tmpl_output out;

	*ret_why = "out of memory";
	in.vars = variables(app, a, &in.vars_n);
	if (in.vars == NULL)
		return -1;
	if (tmpl_render(&in, a, &out, &why) < 0) {
		*ret_why = why.text;
		return -1;
	}
	if (read_rendered(t, &out, a, d, ret, ret_why) < 0)
		return -1;
	replace_targets(app, *ret, a);
	return arena_check(a, NULL);
}

enum app_kind
app_kind(const struct node *doc, struct arena *a, const char **ret_kind)
{
	const struct node *n = node_get(doc, "kind");
	char buf[NODE_FLOAT_LEN];
	const char *text;

	if (n == NULL || n->type == NODE_NULL)
		return APP_KIND_MISSING;
	text = node_scalar_text(n, buf);
	*ret_kind = arena_strdup(a, text != NULL ? text : node_type_article(n));
	if (n->type == NODE_STR && text != NULL &&
	    (strcmp(text, spec_kind_to_string(SPEC_VM)) == 0 ||
		strcmp(text, spec_kind_to_string(SPEC_PROJECT)) == 0))
		return APP_KIND_OK;
	return APP_KIND_OTHER;
}

int
app_spec(const struct node *doc, struct arena *a, struct diag *d,
    struct spec **ret, struct error *e)
{
	static const struct spec_source none;
	int rc = spec_from_node(doc, &none, a, d, ret, e);

	/* What is missing is missing from the begin. */
	for (size_t i = 0; i < d->n; i++)
		d->items[i].col = 0;
	return rc;
}
