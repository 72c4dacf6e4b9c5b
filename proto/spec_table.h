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

/* The doc line is the first of the rest, so that nothing need follow it. */
#define SPEC_GROUP(key_, flags_, ...)                                          \
  { .key = key_, .type = SCHEMA_GROUP, .flags = flags_, .doc = __VA_ARGS__ },
#define SPEC_ROW(S, key_, TYPE, member_, def_, flags_, ...)                    \
  { .key = key_,                                                               \
	  .type = SCHEMA_##TYPE,                                               \
	  .flags = flags_,                                                     \
	  .offset = SCHEMA_OFFSET(TYPE, S, member_),                           \
	  .def = def_,                                                         \
	  .doc = __VA_ARGS__ },
#define SPEC_MANY(S, key_, TYPE, member_, def_, flags_, ...)                   \
  { .key = key_,                                                               \
	  .type = SCHEMA_##TYPE,                                               \
	  .flags = flags_,                                                     \
	  .offset = offsetof(struct S, member_),                               \
	  .def = def_,                                                         \
	  .doc = __VA_ARGS__ },

/* Keys common to all kinds (deployment-files.md 4). */
#define SPEC_COMMON_ROWS                                                       \
  SPEC_ROW(spec, "kind", STR, kind_text, NULL, SCHEMA_REQUIRED,                \
      "What the file describes.")                                              \
  SPEC_MANY(spec, "datacenters", MAP, datacenters, NULL, SCHEMA_REQUIRED,      \
      "The servers to start from, by name.", .elem = &spec_datacenter_row)     \
  SPEC_GROUP(                                                                  \
      "deployIn", SCHEMA_REQUIRED | SCHEMA_NONEMPTY, "Where to deploy.")       \
  SPEC_MANY(spec, "deployIn.entrypoints", LIST, entrypoints, NULL,             \
      SCHEMA_NONEMPTY,                                                         \
      "Datacenters, or chains below them, to look at; default all "            \
      "datacenters.",                                                          \
      .elem = &spec_entrypoint_row)                                            \
  SPEC_MANY(spec, "deployIn.labels", LIST, labels, "all", SCHEMA_NONEMPTY,     \
      "Labels of which a server must have one.", .elem = &spec_label_row)      \
  SPEC_MANY(spec, "deployIn.exclude", LIST, exclude, NULL, SCHEMA_NONEMPTY,    \
      "Labels that a server must not have.", .elem = &spec_label_row)          \
  SPEC_ROW(spec, "maximumDeployments", INT, maximum_deployments, "0", 0,       \
      "Stop after so many deployments; 0: no limit.", .max = SCHEMA_NO_MAX)
