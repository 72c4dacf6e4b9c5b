/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Kind vmJail (deployment-files.md 7) beside the parts that bodies share
 * (spec_vm.c), and kind appConfig (9): their tables, print-spec, what validate
 * says about them.
 */

#include "proto/spec.h"

#include <string.h>

#include "proto/spec_internal.h"

/* clang-format off */
static const struct schema_row vm_rows[] = {
	SPEC_COMMON_ROWS,
	SCHEMA_ROW(spec, "vmName", STR, vm_name, NULL, 0,
	    "Name of the VM, of its jail and of its project; not needed to "
	    "get information."),
	SPEC_VM_ROWS(spec, 0),
	SCHEMA_ROW(spec, "metadataPrefix", STR, metadata_prefix, NULL, 0,
	    "Put before each name of metadata, with a dot."),
};
/* clang-format on */

const struct schema spec_vm_schema = {
	SCHEMA_TABLE("vmJail", vm_rows, spec),
	.unknown_hint = spec_unknown_hint,
};

/* clang-format off */
static const struct schema_row app_rows[] = {
	SPEC_COMMON_ROWS,
	SCHEMA_ROW(spec, "appName", STR, app.name, NULL, SCHEMA_REQUIRED,
	    "Name of the application, and a variable of the template."),
	SCHEMA_ROW(spec, "appFrom", STR, app.from, NULL, SCHEMA_REQUIRED,
	    "Metadata that holds the template."),
	SCHEMA_ROW_MANY(spec, "appConfig", MAP, app.config, NULL, 0,
	    "Variables of the template.", .elem = &spec_str_row),
};
/* clang-format on */

const struct schema spec_app_schema = {
	SCHEMA_TABLE("appConfig", app_rows, spec),
	.unknown_hint = spec_unknown_hint,
};

/* What print-spec shows, and what a request holds: in which order, and what
 * stands for an absent key. */
static const struct {
	const char *key;
	enum node_type absent;
	/* A request leaves it out when it is absent. */
	bool optional;
} shown[] = {
	{ "makejail", NODE_NULL, true },
	{ "template", NODE_NULL, false },
	{ "diskLayout", NODE_NULL, false },
	{ "script", NODE_NULL, true },
	{ "metadata", NODE_LIST, true },
	{ "options", NODE_LIST, false },
	{ "script-environment", NODE_LIST, false },
	{ "start-environment", NODE_LIST, false },
	{ "start-arguments", NODE_LIST, false },
	{ "build-environment", NODE_LIST, false },
	{ "build-arguments", NODE_LIST, false },
	{ "cloud-init", NODE_MAP, false },
	{ "overwrite", NODE_BOOL, false },
	{ "datastore", NODE_NULL, true },
	{ "poweroff", NODE_BOOL, false },
};

static struct node *
prefixed(const struct spec *s, struct arena *a)
{
	const struct schema_strs *keys = &s->vm.metadata;
	struct node *list = node_new(a, NODE_LIST);
	const char *key;
	size_t i;

	for (i = 0; i < keys->n; i++) {
		key = keys->items[i];
		if (s->metadata_prefix != NULL)
			key = arena_printf(a, "%s.%s", s->metadata_prefix, key);
		node_add(a, list, node_str(a, key));
	}
	return list;
}

static void
add_shown(const struct spec *s, size_t i, bool request, struct node *map,
    struct arena *a)
{
	const struct node *n = spec_given(s->root, shown[i].key);
	bool is_metadata = strcmp(shown[i].key, "metadata") == 0;
	struct node *value;

	if (request && shown[i].optional &&
	    (n == NULL || (is_metadata && s->vm.metadata.n == 0)))
		return;
	if (is_metadata)
		value = prefixed(s, a);
	else if (n != NULL)
		value = node_copy(a, n);
	else if (shown[i].absent == NODE_BOOL)
		value = node_bool(a, false);
	else
		value = node_new(a, shown[i].absent);
	node_set(a, map, shown[i].key, value);
}

void
spec_vm_to_node(const struct spec *s, struct node *map, struct arena *a)
{
	size_t i;

	node_set(a, map, "vmName",
	    s->vm_name != NULL ? node_str(a, s->vm_name) : node_null(a));
	for (i = 0; i < ARRAY_LEN(shown); i++)
		add_shown(s, i, false, map, a);
}

struct node *
spec_vm_body(const struct spec *s, bool restart, struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP);
	size_t i;

	for (i = 0; i < ARRAY_LEN(shown); i++)
		add_shown(s, i, true, map, a);
	if (s->vm.makejail_from_metadata != NULL)
		node_set(a, map, "makejailFromMetadata",
		    node_str(a, s->vm.makejail_from_metadata));
	node_set(a, map, "restart", node_bool(a, restart));
	return map;
}

void
spec_app_to_node(const struct spec *s, struct node *map, struct arena *a)
{
	node_set(a, map, "appName", node_str(a, s->app.name));
	node_set(a, map, "appFrom", node_str(a, s->app.from));
	node_set(a, map, "appConfig",
	    spec_map_or_empty(spec_given(s->root, "appConfig"), a));
}

/* What a change of a VM needs */

void
spec_require_vm(
    const struct spec *s, bool create, struct arena *a, struct diag *d)
{
	static const char *const keys[] = { "vmName", "template",
		"diskLayout" };
	struct schema_run run = { .mode = SCHEMA_FILE, .arena = a, .diag = d };
	struct schema_at top = { .run = &run }, here;
	const struct node *name = spec_given(s->root, "vmName");
	size_t i;

	for (i = 0; i < (create ? ARRAY_LEN(keys) : 1); i++)
		if (spec_given(s->root, keys[i]) == NULL)
			schema_fault_missing(&top, keys[i]);
	here = (struct schema_at){
		.run = &run, .up = &top, .key = "vmName", .where = name
	};
	if (name != NULL)
		spec_check_name(&here, name, NAME_VM, "vm");
}

/* Lint */

static bool
needs_disk(const struct spec *s)
{
	const char *type = s->vm.disk_layout.from.type;

	return type != NULL && strcmp(type, "iso") != 0 &&
	    strcmp(type, "img") != 0;
}

void
spec_vm_lint(const struct spec *s, const struct schema_at *at)
{
	static const char *const keys[] = { "vmName", "template",
		"diskLayout" };
	const struct spec_disk_layout *l = &s->vm.disk_layout;
	const struct node *name = spec_given(s->root, "vmName");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "vmName", .where = name
	};
	const struct node_pair *p;
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++)
		if (spec_given(s->root, keys[i]) == NULL)
			schema_warn(at, NULL, "required", NULL,
			    "'%s' is missing: 'overlord apply' needs it",
			    keys[i]);
	if (name != NULL)
		spec_check_name(&here, name, NAME_VM, "vm");
	if (!needs_disk(s))
		return;
	for (p = s->root->u.map.pairs;
	     p->value != spec_given(s->root, "diskLayout"); p++)
		continue;
	here = schema_at_pair(at, p);
	if (l->scheme == NULL || l->partitions.n == 0)
		schema_warn(&here, NULL, "disk", NULL,
		    "'disk' with 'partitions' is missing: type '%s' needs it",
		    l->from.type);
	if (l->fstab.n == 0)
		schema_warn(&here, NULL, "disk", NULL,
		    "'fstab' is missing: type '%s' needs it", l->from.type);
}

void
spec_app_lint(const struct spec *s, const struct schema_at *at)
{
	const struct node *n = spec_given(s->root, "appFrom");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "appFrom", .where = n
	};

	if (n != NULL)
		spec_check_name(&here, n, NAME_KEY, "key");
}
