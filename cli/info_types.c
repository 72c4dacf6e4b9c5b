/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * THE table of what get-info shows (cli.md 2.5): which request lists the
 * things, which tell about each, how it is printed. Who adds a type adds a row.
 */
#include <string.h>

#include "cli/info.h"
#include "proto/human.h"

static const struct info_item project_items[] = {
	{ NULL, { ROUTE_PROJECT_INFO, "get_info", "info" } },
};

static const struct info_item metadata_items[] = {
	{ NULL, { ROUTE_METADATA_GET, "metadata_get", "metadata" } },
};

static const struct info_item namespace_items[] = {
	{ NULL, { ROUTE_NAMESPACE_GET, "namespace_get", "namespace" } },
};

/* In the order in which they are printed. */
static const struct info_item jail_items[] = {
	{ "stats", { ROUTE_JAIL_STATS, "get_stats", "stats" } },
	{ "info", { ROUTE_JAIL_INFO, "get_info", "info" } },
	{ "cpuset", { ROUTE_JAIL_CPUSET, "get_cpuset", "cpuset" } },
	{ "devfs", { ROUTE_JAIL_DEVFS, "get_devfs", "devfs" } },
	{ "expose", { ROUTE_JAIL_EXPOSE, "get_expose", "expose" } },
	{ "healthcheck",
	    { ROUTE_JAIL_HEALTHCHECK, "get_healthcheck", "healthcheck" } },
	{ "limits", { ROUTE_JAIL_LIMITS, "get_limits", "limits" } },
	{ "fstab", { ROUTE_JAIL_FSTAB, "get_fstab", "fstab" } },
	{ "labels", { ROUTE_JAIL_LABELS, "get_labels", "labels" } },
	{ "nat", { ROUTE_JAIL_NAT, "get_nat", "nat" } },
	{ "volumes", { ROUTE_JAIL_VOLUMES, "get_volumes", "volumes" } },
};

static const struct info_item vm_items[] = {
	{ NULL, { ROUTE_VM, "get_status_vm", "status" } },
};

static const struct info_item autoscale_items[] = {
	{ NULL, { ROUTE_PROJECT_AUTOSCALE, "get_status_autoscale", "status" } },
};

static void
print_vm(struct strbuf *out, const char *label, const struct node *value)
{
	(void)label;
	human_vm(out, value);
}

static void
print_autoscale(struct strbuf *out, const char *label, const struct node *value)
{
	(void)label;
	human_autoscale(out, value);
}

static void
print_stats(struct strbuf *out, const char *label, const struct node *value)
{
	(void)label;
	human_stats(out, value);
}

static void
print_namespace(struct strbuf *out, const char *label, const struct node *value)
{
	(void)label;
	human_namespace(out, value);
}

static const struct info_type types[] = {
	{ .name = "jails",
	    .heading = "jails",
	    .doc = "jails",
	    .shape = INFO_NAMES,
	    .list = { ROUTE_JAILS, "get_jails", "jails" },
	    .kind = NAME_JAIL,
	    .noun = "jail",
	    .items = jail_items,
	    .items_n = ARRAY_LEN(jail_items),
	    .print = human_jail_item },
	{ .name = "projects",
	    .heading = "projects",
	    .doc = "projects",
	    .flags = INFO_LITERAL | INFO_SKIP_MISSING | INFO_BARE_NAMES |
		INFO_OWN_NAMES,
	    .shape = INFO_NAMES,
	    .list = { ROUTE_PROJECTS, "get_projects", "projects" },
	    .kind = NAME_PROJECT,
	    .noun = "project",
	    .items = project_items,
	    .items_n = ARRAY_LEN(project_items),
	    .print = human_project },
	{ .name = "chains", .flags = INFO_BY_CHAIN },
	{ .name = "chains:tree", .flags = INFO_TREE },
	{ .name = "chains:stats",
	    .heading = "stats",
	    .doc = "stats",
	    .flags = INFO_BY_CHAIN,
	    .shape = INFO_VALUE,
	    .list = { ROUTE_STATS, "get_server_stats", "stats" },
	    .print = print_stats },
	{ .name = "projects:logs",
	    .heading = "logs",
	    .doc = "logs",
	    .shape = INFO_PATHS,
	    .depth = 2,
	    .list = { ROUTE_PROJECTS_LOGS, "get_projects_logs", "logs" } },
	{ .name = "jails:logs",
	    .heading = "logs",
	    .doc = "logs",
	    .shape = INFO_PATHS,
	    .depth = 3,
	    .list = { ROUTE_JAILS_LOGS, "get_jails_logs", "logs" } },
	{ .name = "metadata",
	    .heading = "metadata",
	    .doc = "metadata",
	    .flags = INFO_BARE_NAMES | INFO_OWN_NAMES,
	    .shape = INFO_NAMES,
	    .list = { ROUTE_METADATA_LIST, "metadata_list", "metadata" },
	    .kind = NAME_KEY,
	    .noun = "key",
	    .items = metadata_items,
	    .items_n = ARRAY_LEN(metadata_items),
	    .print = human_metadata },
	{ .name = "namespaces",
	    .heading = "namespaces",
	    .doc = "namespaces",
	    .flags = INFO_BARE_NAMES,
	    .shape = INFO_NAMES,
	    .list = { ROUTE_NAMESPACES, "namespaces_list", "namespaces" },
	    .kind = NAME_KEY,
	    .noun = "namespace",
	    .items = namespace_items,
	    .items_n = ARRAY_LEN(namespace_items),
	    .print = print_namespace },
	{ .name = "autoscale",
	    .heading = "projects",
	    .doc = "projects",
	    .flags = INFO_LITERAL | INFO_NEEDS_FILTER | INFO_SKIP_MISSING,
	    .kind = NAME_PROJECT,
	    .noun = "project",
	    .items = autoscale_items,
	    .items_n = ARRAY_LEN(autoscale_items),
	    .print = print_autoscale },
	{ .name = "vm",
	    .heading = "projects",
	    .doc = "vms",
	    .flags = INFO_LITERAL | INFO_SKIP_MISSING,
	    .kind = NAME_VM,
	    .noun = "VM",
	    .items = vm_items,
	    .items_n = ARRAY_LEN(vm_items),
	    .print = print_vm },
};

const char *const info_type_names[] = { "jails", "projects", "chains",
	"chains:tree", "chains:stats", "projects:logs", "jails:logs",
	"metadata", "namespaces", "autoscale", "vm", NULL };

const char *const info_jail_items[] = { "stats", "info", "cpuset", "devfs",
	"expose", "healthcheck", "limits", "fstab", "labels", "nat", "volumes",
	NULL };

const struct info_type *
info_find_type(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}
