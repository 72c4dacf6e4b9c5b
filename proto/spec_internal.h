/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the tables of the kinds share: the rows that every kind has, checks of
 * names, macros for rows. Not for others.
 */
#pragma once

#include "proto/names.h"
#include "proto/spec.h"

#define KIND(name, text, word) extern const struct schema spec_##word##_schema;
#include "proto/kinds.def"
#undef KIND
extern const struct schema spec_layout_schema;
extern const struct schema spec_cloud_schema;

extern const struct schema_row spec_str_row;
extern const struct schema_row spec_label_row;
extern const struct schema_row spec_key_row;
extern const struct schema_row spec_entrypoint_row;
extern const struct schema_row spec_datacenter_row;
extern const struct schema_row spec_pair_row;
extern const struct schema_row spec_option_row;

/* For a variable that is not set. */
#define SPEC_ENV_HINT "set it in .env or pass --env-file"

/* Adds "'x' is not a label (...)"; rule is a stable word. */
void spec_check_name(const struct schema_at *at, const struct node *n,
    enum name_kind kind, const char *rule);
/* That exactly one of two keys of the map is there. */
void spec_check_one_of(const struct schema_at *at, const struct node *map,
    const char *one, const char *other);
schema_check_fn spec_check_makejail;
/* Hint for a root key that another kind has. */
const char *spec_unknown_hint(const struct schema_at *at, const char *key);

/* The file's value of a root key, NULL for null and absence. */
const struct node *spec_given(const struct node *map, const char *key);
/* What print-spec shows of a mapping: as written, {} when absent. */
struct node *spec_map_or_empty(const struct node *n, struct arena *a);

/* More of spec_to_node() and of spec_lint(), for one kind. */
#define KIND(name, text, word)                                                 \
  void spec_##word##_to_node(                                                  \
      const struct spec *s, struct node *map, struct arena *a);                \
  void spec_##word##_lint(const struct spec *s, const struct schema_at *at);
#include "proto/kinds.def"
#undef KIND

/* clang-format off */
/* Keys common to all kinds (deployment-files.md 4). */
#define SPEC_COMMON_ROWS                                                       \
	SCHEMA_ROW(spec, "kind", STR, kind_text, NULL, SCHEMA_REQUIRED,        \
	    "What the file describes."),                                       \
	SCHEMA_ROW_MANY(spec, "datacenters", MAP, datacenters, NULL,           \
	    SCHEMA_REQUIRED, "The servers to start from, by name.",            \
	    .elem = &spec_datacenter_row),                                     \
	SCHEMA_ROW_GROUP("deployIn", SCHEMA_REQUIRED | SCHEMA_NONEMPTY,        \
	    "Where to deploy."),                                               \
	SCHEMA_ROW_MANY(spec, "deployIn.entrypoints", LIST, entrypoints, NULL, \
	    SCHEMA_NONEMPTY,                                                   \
	    "Datacenters, or chains below them, to look at; default all "      \
	    "datacenters.",                                                    \
	    .elem = &spec_entrypoint_row),                                     \
	SCHEMA_ROW_MANY(spec, "deployIn.labels", LIST, labels, "all",          \
	    SCHEMA_NONEMPTY, "Labels of which a server must have one.",        \
	    .elem = &spec_label_row),                                          \
	SCHEMA_ROW_MANY(spec, "deployIn.exclude", LIST, exclude, NULL,         \
	    SCHEMA_NONEMPTY, "Labels that a server must not have.",            \
	    .elem = &spec_label_row),                                          \
	SCHEMA_ROW(spec, "maximumDeployments", INT, maximum_deployments, "0",  \
	    0, "Stop after so many deployments; 0: no limit.",                 \
	    .max = SCHEMA_NO_MAX)

#define SPEC_VM_PAIRS(S, key, member, elem_, doc)                              \
	SCHEMA_ROW_MANY(                                                       \
	    S, key, LIST, vm.member, NULL, 0, doc, .elem = &(elem_))
/* What files of kind vmJail and bodies have in common, for struct S whose
 * member `vm` it is; bodies are judged in this order (rest-api.md annex A). */
#define SPEC_VM_ROWS(S, required)                                              \
	SCHEMA_ROW(S, "makejail", STR, vm.makejail, NULL, 0,                   \
	    "Makejail: a path or a repository."),                              \
	SCHEMA_ROW(S, "makejailFromMetadata", STR, vm.makejail_from_metadata,  \
	    NULL, 0,                                                           \
	    "Metadata of the target that holds the Makejail, instead of "      \
	    "makejail."),                                                      \
	SCHEMA_ROW(S, "datastore", STR, vm.datastore, NULL, 0,                 \
	    "Directory on the target for images and discs."),                  \
	SCHEMA_ROW(S, "overwrite", BOOL, vm.overwrite, "false", 0,             \
	    "Make the jail anew if it exists."),                               \
	SCHEMA_ROW(S, "poweroff", BOOL, vm.poweroff, "false", 0,               \
	    "Force the VM off before a restart.",                              \
	    .rule = spec_check_makejail),                                      \
	SCHEMA_ROW_MANY(S, "cloud-init", STRUCT, vm.cloud_init, NULL, 0,       \
	    "Files for cloud-init.", .sub = &spec_cloud_schema),               \
	SCHEMA_ROW_MANY(S, "template", MAP, vm.template, NULL, required,       \
	    "Variables of the template of vm-bhyve.", .elem = &spec_str_row),  \
	SCHEMA_ROW_MANY(S, "diskLayout", STRUCT, vm.disk_layout, NULL,         \
	    required, "The disk and what is on it.",                           \
	    .sub = &spec_layout_schema),                                       \
	SCHEMA_ROW(S, "script", STR, vm.script, NULL, 0,                       \
	    "Script that runs in the jail, with the VM on /mnt."),             \
	SCHEMA_ROW_MANY(S, "metadata", LIST, vm.metadata, NULL, 0,             \
	    "Metadata of the target to copy into the jail.",                   \
	    .elem = &spec_key_row),                                            \
	SPEC_VM_PAIRS(S, "script-environment", script_environment,             \
	    spec_pair_row, "Environment of the script."),                      \
	SPEC_VM_PAIRS(S, "start-environment", start_environment,               \
	    spec_pair_row, "Environment of the Makejail when it starts."),     \
	SPEC_VM_PAIRS(S, "start-arguments", start_arguments, spec_pair_row,    \
	    "Arguments of the Makejail when it starts."),                      \
	SPEC_VM_PAIRS(S, "build-environment", build_environment,               \
	    spec_pair_row, "Environment of the Makejail when it builds."),     \
	SPEC_VM_PAIRS(S, "build-arguments", build_arguments, spec_pair_row,    \
	    "Arguments of the Makejail when it builds."),                      \
	SPEC_VM_PAIRS(S, "options", options, spec_option_row,                  \
	    "Options of Director; null: one without an argument.")
/* clang-format on */
