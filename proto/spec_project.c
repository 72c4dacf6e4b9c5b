/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Kind directorProject (deployment-files.md 5): its table, the rules over
 * several keys, print-spec, and what validate says about it. autoScale is
 * checked, bound and printed; nothing here acts on it.
 */

#include "proto/spec.h"

#include <string.h>

#include "lib/data/yaml.h"
#include "proto/spec_internal.h"

static const char *const scale_types[] = { "any-jail", "any-project", "average",
	"percent-jail", "percent-project", NULL };
static const char *const size_resources[] = { "datasize", "stacksize",
	"coredumpsize", "memoryuse", "memorylocked", "vmemoryuse", "swapuse",
	"shmsize", "readbps", "writebps" };
static const char *const count_resources[] = { "cputime", "maxproc",
	"openfiles", "pseudoterminals", "nthr", "msgqqueued", "nmsgq", "nsem",
	"nsemop", "nshm", "wallclock", "pcpu", "readiops", "writeiops" };

/* Environments */

static void
check_label_key(const struct schema_at *at, const struct node *key)
{
	spec_check_name(at, key, NAME_LABEL, "label");
}

static void
check_chain_key(const struct schema_at *at, const struct node *key)
{
	if (strcmp(key->u.str.s, "<root>") != 0)
		spec_check_name(at, key, NAME_CHAIN, "chain");
}

static const struct schema_row environment_row = {
	.type = SCHEMA_MAP, .flags = SCHEMA_REQUIRED, .elem = &spec_str_row
};
static const struct schema_row network_row = { .type = SCHEMA_STR,
	.flags = SCHEMA_NULLABLE };

/* Limits of rules and economy */

static bool
is_one_of(const char *word, const char *const *words, size_t n)
{
	size_t i;

	for (i = 0; i < n && strcmp(words[i], word) != 0; i++)
		continue;
	return i < n;
}

static void
check_resource(const struct schema_at *at, const struct node *key)
{
	const char *all[ARRAY_LEN(size_resources) + ARRAY_LEN(count_resources)];
	const char *word = key->u.str.s;
	struct arena *a = at->run->arena;

	memcpy(all, size_resources, sizeof(size_resources));
	memcpy(all + ARRAY_LEN(size_resources), count_resources,
	    sizeof(count_resources));
	if (!is_one_of(word, all, ARRAY_LEN(all)))
		schema_fault(at, key, "resource",
		    diag_suggest(a, word, all, ARRAY_LEN(all)),
		    "%s is not a resource that can be limited",
		    schema_quote(a, key));
}

static void
check_limit(const struct schema_at *at, const struct node *n, void *field)
{
	struct arena *a = at->run->arena;
	bool size =
	    is_one_of(at->key, size_resources, ARRAY_LEN(size_resources));
	int64_t v;

	if (!size &&
	    !is_one_of(at->key, count_resources, ARRAY_LEN(count_resources)))
		return;
	if (n->type == NODE_BOOL ||
	    (n->type == NODE_INT && !n->big && n->u.i >= 0))
		return;
	if (n->type == NODE_INT) {
		schema_fault(at, n, "limit", NULL,
		    "must be 0 or more and fit 63 bits, found %s",
		    schema_quote(a, n));
	} else if (!size || n->type != NODE_STR) {
		schema_fault(at, n, "limit", NULL,
		    "expected an integer%s, found %s (%s)",
		    size ? " or a size (512m, 1.5G)" : "", node_type_article(n),
		    schema_quote(a, n));
	} else if (spec_parse_size(n->u.str.s, n->u.str.len, &v) == -1) {
		schema_fault(at, n, "size", NULL,
		    "%s is not a size (512, 512m, 1.5G)", schema_quote(a, n));
	} else {
		*(const struct node **)field = node_int(a, v);
	}
}

static const struct schema_row limit_row = { .type = SCHEMA_NODE,
	.check = check_limit };

/* Load balancer */

static void
check_metric_range(const struct schema_at *at, const struct node *n)
{
	struct schema_at here;
	const struct node *item;
	bool good = true;
	size_t i;

	if (n->u.list.n != 2) {
		schema_fault(at, n, "length", NULL,
		    "must have 2 elements, found %zu", n->u.list.n);
		return;
	}
	for (i = 0; i < 2; i++) {
		item = n->u.list.items[i];
		here = schema_at_item(at, item, i);
		if (item->type == NODE_BOOL ||
		    (item->type == NODE_INT && !item->big && item->u.i >= 0))
			continue;
		good = false;
		if (item->type == NODE_INT)
			schema_fault(&here, item, "range", NULL,
			    "must be 0 or more, found %s",
			    schema_quote(at->run->arena, item));
		else
			schema_fault_type(&here, item, SCHEMA_INT);
	}
	if (good && n->u.list.items[0]->type == NODE_INT &&
	    n->u.list.items[1]->type == NODE_INT &&
	    n->u.list.items[0]->u.i > n->u.list.items[1]->u.i)
		schema_fault(at, n, "order", NULL,
		    "the first element (%lld) is greater than the second "
		    "(%lld)",
		    (long long)n->u.list.items[0]->u.i,
		    (long long)n->u.list.items[1]->u.i);
}

static void
check_metric(const struct schema_at *at, const struct node *n, void *field)
{
	(void)field;
	if (n->type == NODE_LIST)
		check_metric_range(at, n);
	else if (n->type != NODE_INT && n->type != NODE_BOOL &&
	    n->type != NODE_STR)
		schema_fault(at, n, "type", NULL,
		    "expected an integer, a string or a list of two integers, "
		    "found %s",
		    node_type_article(n));
}

/* clang-format off */
static const struct schema_row metric_rows[] = {
	SCHEMA_ROW(spec_metric, "value", NODE, value, NULL, SCHEMA_REQUIRED,
	    "What the metric is compared with.", .check = check_metric),
	SCHEMA_ROW(spec_metric, "each", INT, each, NULL, 0,
	    "Compare the remainder of a division by this.", .min = 1,
	    .max = SCHEMA_NO_MAX),
};
/* clang-format on */

static const struct schema metric_schema = {
	SCHEMA_TABLE("metric", metric_rows, spec_metric),
};

static const struct schema_row metric_row = { .type = SCHEMA_STRUCT,
	.flags = SCHEMA_NULLABLE | SCHEMA_REQUIRED,
	.sub = &metric_schema };

/* clang-format off */
static const struct schema_row balancer_rows[] = {
	SCHEMA_ROW(spec_balancer, "name", STR, name, NULL, SCHEMA_REQUIRED,
	    "Name of the frontend or backend."),
	SCHEMA_ROW_GROUP("rules", SCHEMA_REQUIRED | SCHEMA_NONEMPTY,
	    "Metrics of HAProxy."),
	SCHEMA_ROW_MANY(spec_balancer, "rules.or", MAP, any, NULL, 0,
	    "One of these must pass.", .elem = &metric_row),
	SCHEMA_ROW_MANY(spec_balancer, "rules.and", MAP, all, NULL, 0,
	    "All of these must pass.", .elem = &metric_row),
};
/* clang-format on */

static const struct schema balancer_schema = {
	SCHEMA_TABLE("load-balancer", balancer_rows, spec_balancer),
	.flags = SCHEMA_UNKNOWN_WARN,
};

/* The table */

/* `value` counts for the types that are percentages, and only then. */
static void
check_autoscale(const struct schema_at *at, const struct node *n, void *field)
{
	const char *type = node_text(spec_given(n, "type"));
	const struct node *value = spec_given(n, "value");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "value", .where = value
	};

	(void)field;
	if (type == NULL || strncmp(type, "percent-", 8) != 0)
		return;
	if (value == NULL)
		schema_fault_missing(at, "value");
	else if (value->type != NODE_INT && value->type != NODE_BOOL)
		schema_fault_type(&here, value, SCHEMA_INT);
}

static void
check_project(const struct schema_at *at, const struct node *n, void *field)
{
	const struct node *scale = spec_given(n, "autoScale");
	struct spec *s = field;

	s->project.autoscale.on =
	    scale != NULL && scale->type == NODE_MAP && scale->u.map.n > 0;
	spec_check_one_of(at, n, "projectFile", "projectFromMetadata");
}

/* clang-format off */
static const struct schema_row project_rows[] = {
	SPEC_COMMON_ROWS,
	SCHEMA_ROW(spec, "projectName", STR, project.name, NULL,
	    SCHEMA_REQUIRED, "Name of the project."),
	SCHEMA_ROW(spec, "projectFile", STR, project.file, NULL, 0,
	    "Text of the Director file."),
	SCHEMA_ROW(spec, "projectFromMetadata", STR, project.from_metadata,
	    NULL, 0,
	    "Metadata that holds the Director file, instead of projectFile."),
	SCHEMA_ROW_MANY(spec, "environment", MAP, project.environment, NULL, 0,
	    "Environment of Director.", .elem = &spec_str_row),
	SCHEMA_ROW_MANY(spec, "datacentersEnvironment", MAP,
	    project.datacenters_environment, NULL, 0,
	    "More of it for a datacenter.", .elem = &environment_row),
	SCHEMA_ROW_MANY(spec, "chainsEnvironment", MAP,
	    project.chains_environment, NULL, 0,
	    "More of it for a chain; <root> is the datacenter itself.",
	    .elem = &environment_row, .key_check = check_chain_key),
	SCHEMA_ROW_MANY(spec, "labelsEnvironment", MAP,
	    project.labels_environment, NULL, 0,
	    "More of it for servers with a label.", .elem = &environment_row,
	    .key_check = check_label_key),
	SCHEMA_ROW(spec, "environFromMetadata", STR,
	    project.environ_from_metadata, NULL, 0,
	    "Metadata that holds more of it, as a YAML mapping."),
	SCHEMA_ROW_GROUP("autoScale", 0,
	    "Let servers decide how many replicas run.",
	    .check = check_autoscale),
	SCHEMA_ROW_GROUP("autoScale.replicas", 0, "How many."),
	SCHEMA_ROW(spec, "autoScale.replicas.min", INT,
	    project.autoscale.replicas_min, "1", 0, "At least.", .min = 1,
	    .max = SCHEMA_NO_MAX),
	SCHEMA_ROW(spec, "autoScale.replicas.max", INT,
	    project.autoscale.replicas_max, NULL, 0,
	    "At most; default all usable servers.", .min = 1,
	    .max = SCHEMA_NO_MAX),
	SCHEMA_ROW(spec, "autoScale.type", STR, project.autoscale.type,
	    "any-jail", 0, "How the limits are compared.",
	    .choices = scale_types),
	SCHEMA_ROW(spec, "autoScale.value", NODE, project.autoscale.value, NULL,
	    0, "Per cent of the limits, for the types percent-."),
	SCHEMA_ROW_MANY(spec, "autoScale.rules", MAP, project.autoscale.rules,
	    NULL, 0, "Limits of what the jails use.", .elem = &limit_row,
	    .key_check = check_resource),
	SCHEMA_ROW_MANY(spec, "autoScale.economy", MAP,
	    project.autoscale.economy, NULL, 0,
	    "Limits of what the server uses.", .elem = &limit_row,
	    .key_check = check_resource),
	SCHEMA_ROW_MANY(spec, "autoScale.labels", LIST,
	    project.autoscale.labels, "all", SCHEMA_NONEMPTY,
	    "Servers that receive the project.", .elem = &spec_label_row),
	SCHEMA_ROW_MANY(spec, "autoScale.metadata", LIST,
	    project.autoscale.metadata, NULL, SCHEMA_NONEMPTY,
	    "Metadata copied to them before.", .elem = &spec_key_row),
	SCHEMA_ROW_GROUP("autoScale.load-balancer", 0, "Metrics of HAProxy."),
	SCHEMA_ROW_MANY(spec, "autoScale.load-balancer.frontend", STRUCT,
	    project.autoscale.frontend, NULL, 0, "A frontend.",
	    .sub = &balancer_schema),
	SCHEMA_ROW_MANY(spec, "autoScale.load-balancer.backend", STRUCT,
	    project.autoscale.backend, NULL, 0, "A backend.",
	    .sub = &balancer_schema),
	SCHEMA_ROW_MANY(spec, "reserve_port", MAP, project.reserve_port, NULL,
	    0,
	    "Interfaces, with a network or null, on which to reserve a port.",
	    .elem = &network_row),
};
/* clang-format on */

const struct schema spec_project_schema = {
	SCHEMA_TABLE("directorProject", project_rows, spec),
	.check = check_project,
	.unknown_hint = spec_unknown_hint,
};

/* print-spec */

static struct node *
limits_to_node(const struct spec_limits *l, struct arena *a)
{
	struct node *map = node_new(a, NODE_MAP);
	size_t i;

	for (i = 0; i < l->n; i++)
		node_set(a, map, l->keys[i], node_copy(a, l->items[i]));
	return map;
}

void
spec_project_to_node(const struct spec *s, struct node *map, struct arena *a)
{
	static const char *const environments[] = { "environment",
		"labelsEnvironment", "chainsEnvironment",
		"datacentersEnvironment" };
	const struct spec_autoscale *as = &s->project.autoscale;
	const struct node *scale = spec_given(s->root, "autoScale");
	struct node *n;
	size_t i;

	node_set(a, map, "projectName", node_str(a, s->project.name));
	node_set(a, map, "projectFile",
	    s->project.file != NULL ? node_str(a, s->project.file)
				    : node_null(a));
	for (i = 0; i < ARRAY_LEN(environments); i++)
		node_set(a, map, environments[i],
		    spec_map_or_empty(spec_given(s->root, environments[i]), a));
	n = spec_map_or_empty(scale, a);
	if (spec_given(scale, "rules") != NULL)
		node_replace(a, n, "rules", limits_to_node(&as->rules, a));
	if (spec_given(scale, "economy") != NULL)
		node_replace(a, n, "economy", limits_to_node(&as->economy, a));
	node_set(a, map, "autoScale", n);
	node_set(a, map, "reserve_port",
	    spec_map_or_empty(spec_given(s->root, "reserve_port"), a));
}

/* Lint */

static const char *
no_env(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return "";
}

/* Director reads the file on the target, with the variables of that place: here
 * only its shape can be looked at. */
static void
lint_file(const struct spec *s, const struct schema_at *at)
{
	static const char *const known[] = { "options", "services", "volumes",
		"default_volume_type" };
	struct yaml_options options = { .env = no_env };
	const struct node *text = spec_given(s->root, "projectFile");
	struct arena *a = at->run->arena;
	struct schema_at here = {
		.run = at->run, .up = at, .key = "projectFile", .where = text
	};
	struct node *root;
	struct diag d;
	const char *key;
	size_t i;

	if (text == NULL)
		return;
	diag_init(&d, a, NULL);
	root = NULL;
	if (yaml_read(text->u.str.s, text->u.str.len, &options, a, &root, &d,
		NULL) == -1) {
		schema_fault(&here, text, "project-file", NULL,
		    "not YAML: line %u of the text: %s",
		    d.n > 0 ? d.items[0].line : 0,
		    d.n > 0 ? d.items[0].reason : "too large");
		return;
	}
	if (root == NULL || root->type != NODE_MAP) {
		schema_fault(&here, text, "project-file", NULL,
		    "the text must be a mapping");
		return;
	}
	for (i = 0; i < root->u.map.n; i++) {
		key = node_text(root->u.map.pairs[i].key);
		if (key == NULL || !is_one_of(key, known, ARRAY_LEN(known)))
			schema_warn(&here, text, "project-file",
			    key != NULL
				? diag_suggest(a, key, known, ARRAY_LEN(known))
				: NULL,
			    "line %u of the text: Director does not know the "
			    "key %s",
			    root->u.map.pairs[i].key->line,
			    schema_quote(a, root->u.map.pairs[i].key));
	}
}

static void
lint_environments(const struct spec *s, const struct schema_at *at)
{
	const struct node *map = spec_given(s->root, "datacentersEnvironment");
	struct schema_at up, here;
	size_t i;

	for (i = 0; map != NULL && i < map->u.map.n; i++) {
		if (spec_find_datacenter(
			s, node_text(map->u.map.pairs[i].key)) != NULL)
			continue;
		up = (struct schema_at){ .run = at->run,
			.up = at,
			.key = "datacentersEnvironment",
			.where = map };
		here = schema_at_pair(&up, &map->u.map.pairs[i]);
		schema_warn(&here, map->u.map.pairs[i].key,
		    "undefined-datacenter",
		    diag_suggest(at->run->arena,
			node_text(map->u.map.pairs[i].key), s->datacenters.keys,
			s->datacenters.n),
		    "the file defines no such datacenter");
	}
}

static void
lint_autoscale(const struct spec *s, const struct schema_at *at)
{
	const struct spec_autoscale *as = &s->project.autoscale;
	const struct node *n = spec_given(s->root, "autoScale");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "autoScale", .where = n
	};

	if (!as->on)
		return;
	if (as->replicas_max != SCHEMA_NONE &&
	    as->replicas_max < as->replicas_min)
		schema_warn(&here, spec_given(n, "replicas"), "order", NULL,
		    "replicas: max (%lld) is less than min (%lld)",
		    (long long)as->replicas_max, (long long)as->replicas_min);
	if (!name_is_key(s->project.name, strlen(s->project.name)))
		schema_warn(&here, spec_given(s->root, "projectName"), "key",
		    NULL,
		    "'%s' cannot be scaled: a metadata key cannot be made of "
		    "the name",
		    s->project.name);
}

void
spec_project_lint(const struct spec *s, const struct schema_at *at)
{
	const struct node *name = spec_given(s->root, "projectName");
	struct schema_at here = {
		.run = at->run, .up = at, .key = "projectName", .where = name
	};

	if (!name_is_project(s->project.name, strlen(s->project.name)))
		spec_check_name(&here, name, NAME_PROJECT, "project");
	lint_file(s, at);
	lint_environments(s, at);
	lint_autoscale(s, at);
}
