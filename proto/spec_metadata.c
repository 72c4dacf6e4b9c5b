/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Kind metadata (deployment-files.md 6): its table, included files, which are
 * read and merged when the file is loaded, and metadataPrefix, which is put
 * before names once and for all. What is wrong in an included file is told at
 * the place that includes it, with the place there in the reason.
 */

#include "proto/spec.h"

#include <string.h>

#include "lib/data/yaml.h"
#include "proto/spec_internal.h"

/* Entries */

static void
check_entry_key(const struct schema_at *at, const struct node *key)
{
	spec_check_name(at, key, NAME_KEY, "key");
}

static const struct schema_row include_row = { .type = SCHEMA_STR };

struct included {
	struct schema_strmap entries;
};

/* An included file, put below the key that its findings begin with. */
static const struct schema_row included_rows[] = {
	{ .key = "metadata",
	    .type = SCHEMA_MAP,
	    .flags = SCHEMA_REQUIRED,
	    .offset = offsetof(struct included, entries),
	    .elem = &spec_str_row,
	    .key_check = check_entry_key },
};

static const struct schema included_schema = {
	SCHEMA_TABLE("include", included_rows, included),
};

/* Appends the pairs of a map that are good. */
static void
add_entries(struct arena *a, struct node *merged, const struct node *map)
{
	size_t i;

	for (i = 0; map != NULL && map->type == NODE_MAP && i < map->u.map.n;
	     i++) {
		if (map->u.map.pairs[i].key->type == NODE_STR &&
		    map->u.map.pairs[i].value->type == NODE_STR)
			node_add_pair(a, merged, map->u.map.pairs[i].key,
			    map->u.map.pairs[i].value);
	}
}

/* Tells what was found in the file at the item that includes it. */
static void
pass_on(const struct schema_at *at, const struct node *item,
    const struct diag *found)
{
	const struct diag_item *it;
	size_t i;

	for (i = 0; i < found->n; i++) {
		it = &found->items[i];
		(it->warning ? schema_warn : schema_fault)(at, item, it->rule,
		    it->hint, "%s:%u:%u: %s%s%s", found->file, it->line,
		    it->col, it->path, it->path[0] != '\0' ? ": " : "",
		    it->reason);
	}
	if (found->errors + found->warnings > found->n)
		schema_fault(at, item, "include", NULL, "%s: … and %zu more",
		    found->file, found->errors + found->warnings - found->n);
}

static void
include_file(
    const struct schema_at *at, const struct node *item, struct node *merged)
{
	const struct spec_source *src = at->run->user;
	struct arena *a = at->run->arena;
	struct yaml_options options = {
		.env = src->env, .env_ctx = src->ctx, .env_hint = SPEC_ENV_HINT
	};
	struct schema_run run = { .mode = SCHEMA_FILE, .arena = a };
	struct error e = ERROR_INIT;
	struct included bound;
	struct node *root, *map;
	struct diag d;
	const char *text;
	size_t len;

	if (src->read == NULL ||
	    src->read(item->u.str.s, a, &text, &len, src->ctx, &e) == -1) {
		schema_fault(at, item, "include", NULL, "%s: %s",
		    schema_quote(a, item),
		    src->read != NULL ? error_text(&e) : "cannot be read here");
		return;
	}
	diag_init(&d, a, item->u.str.s);
	run.diag = &d;
	root = NULL;
	if (yaml_read(text, len, &options, a, &root, &d, &e) == 0 &&
	    (root == NULL || root->type != NODE_MAP)) {
		schema_fault(at, item, "type", NULL,
		    "%s: expected a mapping, found %s", schema_quote(a, item),
		    root != NULL ? node_type_article(root) : "nothing");
	} else if (root != NULL && root->type == NODE_MAP) {
		map = node_new(a, NODE_MAP);
		node_set(a, map, "metadata", root);
		if (map != NULL)
			(void)schema_bind(
			    &run, &included_schema, map, &bound, &e);
		add_entries(a, merged, root);
	}
	pass_on(at, item, &d);
}

static void
include_files(
    const struct schema_at *at, const struct node *list, struct node *merged)
{
	struct schema_at all = {
		.run = at->run, .up = at, .key = "include", .where = list
	};
	struct schema_at here;
	size_t i;

	for (i = 0;
	     list != NULL && list->type == NODE_LIST && i < list->u.list.n;
	     i++) {
		if (list->u.list.items[i]->type != NODE_STR)
			continue;
		here = schema_at_item(&all, list->u.list.items[i], i);
		include_file(&here, list->u.list.items[i], merged);
	}
}

/* The file's own and the included, the last of a name in the place of the
 * first, with the prefix. */
static void
check_metadata(const struct schema_at *at, const struct node *n, void *field)
{
	struct arena *a = at->run->arena;
	struct node *merged = node_new(a, NODE_MAP);
	struct spec *s = field;
	struct schema_strmap *to = &s->metadata.entries;
	const char *prefix = s->metadata_prefix;
	const struct node *dup;
	struct error e = ERROR_INIT;
	size_t i;

	if (merged == NULL)
		return;
	add_entries(a, merged, spec_given(n, "metadata"));
	include_files(at, spec_given(n, "include"), merged);
	if (arena_check(a, NULL) == -1)
		return;
	if (node_map_fold(merged, &dup, &e) == -1) {
		schema_fault(at, n, "memory", NULL, "%s", error_text(&e));
		return;
	}
	*to = (struct schema_strmap){
		.keys = arena_calloc(a, merged->u.map.n + 1, sizeof(*to->keys)),
		.items =
		    arena_calloc(a, merged->u.map.n + 1, sizeof(*to->items)),
	};
	if (to->keys == NULL || to->items == NULL)
		return;
	for (i = 0; i < merged->u.map.n; i++) {
		to->keys[i] = merged->u.map.pairs[i].key->u.str.s;
		if (prefix != NULL)
			to->keys[i] =
			    arena_printf(a, "%s.%s", prefix, to->keys[i]);
		to->items[i] = merged->u.map.pairs[i].value->u.str.s;
		if (to->keys[i] != NULL)
			to->n++;
	}
}

/* Namespace */

static void
check_file(const struct schema_at *at, const struct node *n, void *field)
{
	struct schema_at here;
	size_t i;

	(void)field;
	if (n->type != NODE_STR && n->type != NODE_LIST) {
		schema_fault(at, n, "type", NULL,
		    "expected a string or a list of two strings, found %s",
		    node_type_article(n));
		return;
	}
	if (n->type == NODE_STR ? strchr(n->u.str.s, ':') == NULL
				: n->u.list.n != 2) {
		schema_fault(at, n, "mapping-file", NULL,
		    "must name the metadata and the file: 'KEY:PATH' or [KEY, "
		    "PATH]");
		return;
	}
	for (i = 0; n->type == NODE_LIST && i < n->u.list.n; i++) {
		here = schema_at_item(at, n->u.list.items[i], i);
		if (n->u.list.items[i]->type != NODE_STR)
			schema_fault_type(
			    &here, n->u.list.items[i], SCHEMA_STR);
	}
}

static void
check_prefix(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (n->type != NODE_STR && n->type != NODE_BOOL)
		schema_fault(at, n, "type", NULL,
		    "expected a string or a boolean, found %s",
		    node_type_article(n));
}

static void
check_owner(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (n->type != NODE_STR && n->type != NODE_INT && n->type != NODE_BOOL)
		schema_fault(at, n, "type", NULL,
		    "expected a name or a number, found %s",
		    node_type_article(n));
}

static void
check_mapping(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	spec_check_one_of(at, n, "file", "directory");
}

/* clang-format off */
static const struct schema_row mapping_rows[] = {
	SCHEMA_ROW(spec_mapping, "file", NODE, file, NULL, 0,
	    "Metadata and the file to make of it: 'KEY:PATH' or [KEY, PATH].",
	    .check = check_file),
	SCHEMA_ROW(spec_mapping, "directory", STR, directory, NULL, 0,
	    "A directory to make, instead of file."),
	SCHEMA_ROW(spec_mapping, "prefix", NODE, prefix, NULL, 0,
	    "With metadataPrefix: false for none, or another one.",
	    .check = check_prefix),
	SCHEMA_ROW(spec_mapping, "owner", NODE, owner, NULL, 0,
	    "Name or number of its owner.", .check = check_owner),
	SCHEMA_ROW(spec_mapping, "group", NODE, group, NULL, 0,
	    "Name or number of its group.", .check = check_owner),
	SCHEMA_ROW(spec_mapping, "mode", INT, mode, NULL, 0,
	    "Its mode, such as 0644."),
	SCHEMA_ROW(spec_mapping, "umask", INT, umask, NULL, 0,
	    "Bits that it does not get, such as 0022."),
};
/* clang-format on */

static const struct schema mapping_schema = {
	SCHEMA_TABLE("mapping", mapping_rows, spec_mapping),
	.check = check_mapping,
};

static const struct schema_row mapping_row = { .type = SCHEMA_STRUCT,
	.sub = &mapping_schema };

/* clang-format off */
static const struct schema_row metadata_rows[] = {
	SPEC_COMMON_ROWS,
	SCHEMA_ROW_MANY(spec, "metadata", MAP, metadata.entries, NULL, 0,
	    "Metadata to write, by key.", .elem = &spec_str_row,
	    .key_check = check_entry_key),
	SCHEMA_ROW_MANY(spec, "include", LIST, metadata.include, NULL, 0,
	    "Files with more metadata, from the current directory.",
	    .elem = &include_row),
	SCHEMA_ROW(spec, "metadataPrefix", STR, metadata_prefix, NULL, 0,
	    "Put before each key, with a dot."),
	SCHEMA_ROW_GROUP("namespace", 0,
	    "A tree of files made of metadata."),
	SCHEMA_ROW(spec, "namespace.name", STR, metadata.namespace, NULL,
	    SCHEMA_REQUIRED, "Its name."),
	SCHEMA_ROW_MANY(spec, "namespace.mapping", LIST, metadata.mapping,
	    NULL, SCHEMA_REQUIRED | SCHEMA_NONEMPTY, "What is in it.",
	    .elem = &mapping_row),
};
/* clang-format on */

const struct schema spec_metadata_schema = {
	SCHEMA_TABLE("metadata", metadata_rows, spec),
	.check = check_metadata,
	.unknown_hint = spec_unknown_hint,
};

/* As it is sent, and shown */

/* [KEY, PATH] with the whole key (deployment-files.md 6.4). */
static struct node *
file_pair(const struct spec *s, const struct node *entry,
    const struct node *file, struct arena *a)
{
	const struct node *own = node_get(entry, "prefix");
	const char *prefix = s->metadata_prefix, *key, *path;
	struct node *list = node_new(a, NODE_LIST);

	if (file->type == NODE_STR) {
		path = strchr(file->u.str.s, ':') + 1;
		key = arena_strndup(
		    a, file->u.str.s, (size_t)(path - 1 - file->u.str.s));
	} else {
		key = file->u.list.items[0]->u.str.s;
		path = file->u.list.items[1]->u.str.s;
	}
	if (prefix != NULL && own != NULL && own->type == NODE_STR)
		prefix = own->u.str.s;
	else if (own != NULL && (own->type != NODE_BOOL || !own->u.b))
		prefix = NULL;
	if (prefix != NULL && prefix[0] != '\0' && key != NULL)
		key = arena_printf(a, "%s.%s", prefix, key);
	node_add(a, list, node_str(a, key));
	node_add(a, list, node_str(a, path));
	return list;
}

static struct node *
mapping_entry(const struct spec *s, const struct node *entry, struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP);
	const struct node_pair *p;
	struct node *value;
	const char *key;
	size_t i;

	for (i = 0; i < entry->u.map.n; i++) {
		p = &entry->u.map.pairs[i];
		key = p->key->u.str.s;
		/* null is the same as absence. */
		if (p->value->type == NODE_NULL ||
		    (s->metadata_prefix != NULL && strcmp(key, "prefix") == 0))
			continue;
		value = strcmp(key, "file") == 0
		    ? file_pair(s, entry, p->value, a)
		    : node_copy(a, p->value);
		node_set(a, map, key, value);
	}
	return map;
}

struct node *
spec_mapping_to_node(const struct spec *s, struct arena *a)
{
	const struct node *list =
	    spec_given(spec_given(s->root, "namespace"), "mapping");
	struct node *n = node_new(a, NODE_LIST);
	size_t i;

	for (i = 0; list != NULL && i < list->u.list.n; i++)
		node_add(a, n, mapping_entry(s, list->u.list.items[i], a));
	return n;
}

void
spec_metadata_to_node(const struct spec *s, struct node *map, struct arena *a)
{
	const struct schema_strmap *entries = &s->metadata.entries;
	struct node *n = node_null(a);
	size_t i;

	if (spec_given(s->root, "metadata") != NULL ||
	    spec_given(s->root, "include") != NULL) {
		n = node_new(a, NODE_MAP);
		for (i = 0; i < entries->n; i++)
			node_set(a, n, entries->keys[i],
			    node_str(a, entries->items[i]));
	}
	node_set(a, map, "metadata", n);
	n = node_null(a);
	if (s->metadata.namespace != NULL) {
		n = node_new(a, NODE_MAP);
		node_set(a, n, "name", node_str(a, s->metadata.namespace));
		node_set(a, n, "mapping", spec_mapping_to_node(s, a));
	}
	node_set(a, map, "namespace", n);
}

/* Lint */

static void
lint_key(const struct schema_at *at, const struct node *n, const char *key)
{
	if (!name_is_key(key, strlen(key)))
		schema_warn(at, n, "key", NULL, "'%s' is not %s", key,
		    name_kind_text(NAME_KEY));
}

void
spec_metadata_lint(const struct spec *s, const struct schema_at *at)
{
	const struct node *prefix = spec_given(s->root, "metadataPrefix");
	const struct node *ns = spec_given(s->root, "namespace");
	const struct node *name = spec_given(ns, "name");
	struct schema_at here = { .run = at->run,
		.up = at,
		.key = "metadataPrefix",
		.where = prefix };
	struct schema_at up = {
		.run = at->run, .up = at, .key = "namespace", .where = ns
	};

	/* A key that is good stays so behind a prefix that is. */
	if (prefix != NULL)
		lint_key(&here, prefix, s->metadata_prefix);
	here = (struct schema_at){
		.run = at->run, .up = &up, .key = "name", .where = name
	};
	if (name != NULL)
		lint_key(&here, name, s->metadata.namespace);
	if (s->metadata.entries.n == 0 && ns == NULL)
		schema_warn(at, NULL, "nothing", NULL,
		    "there is no metadata and no namespace in it");
}
