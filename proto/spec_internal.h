/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the tables of the kinds share: the rows that every kind has, checks of
 * names, macros for rows. Not for others.
 */
#pragma once

#include "proto/names.h"
#include "proto/spec.h"

extern const struct schema spec_project_schema;
extern const struct schema spec_readonly_schema;

extern const struct schema_row spec_str_row;
extern const struct schema_row spec_label_row;
extern const struct schema_row spec_key_row;
extern const struct schema_row spec_entrypoint_row;
extern const struct schema_row spec_datacenter_row;

/* Adds "'x' is not a label (...)"; rule is a stable word. */
void spec_check_name(const struct schema_at *at, const struct node *n,
    enum name_kind kind, const char *rule);
/* Hint for a root key that another kind has. */
const char *spec_unknown_hint(const struct schema_at *at, const char *key);

/* The file's value of a root key, NULL for null and absence. */
const struct node *spec_given(const struct node *map, const char *key);
/* What print-spec shows of a mapping: as written, {} when absent. */
struct node *spec_map_or_empty(const struct node *n, struct arena *a);

/* More of spec_to_node() and of spec_lint(), for one kind. */
void spec_project_to_node(
    const struct spec *s, struct node *map, struct arena *a);
void spec_project_lint(const struct spec *s, const struct schema_at *at);

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
/* clang-format on */
