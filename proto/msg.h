/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Request bodies as tables and structs: what the daemon checks and binds, and
 * what the client fills in (rest-api.md 3.3, 6). Bound texts live in the
 * request's arena and tree.
 */
#pragma once

#include "proto/vm.h"

/* POST /v1/project/up/{project} */
struct msg_up {
	const char *director_file;
	SCHEMA_MAP_OF(const char *) environment;
	bool restart;
	/* Interface to network, NULL = any address. */
	SCHEMA_MAP_OF(const char *) reserve_port;
};
extern const struct schema msg_up_schema;

/* POST /v1/project/down/{project} */
struct msg_down {
	SCHEMA_MAP_OF(const char *) environment;
	bool force;
};
extern const struct schema msg_down_schema;

/* POST /v1/vm/{vm} */
struct msg_vm {
	struct spec_vm vm;
	bool restart;
};
extern const struct schema msg_vm_schema;

/* POST, PUT /v1/metadata/{key} */
struct msg_metadata {
	/* To be counted in characters. */
	const char *value;
};
extern const struct schema msg_metadata_schema;

/* POST, PUT /v1/namespace/{key}, as a server passes it on. */
struct msg_namespace {
	SCHEMA_LIST_OF(const struct node *) mapping;
};
extern const struct schema msg_namespace_schema;

/* An entry of a namespace's mapping (rest-api.md 6.3). */
struct msg_map_entry {
	/* Metadata to copy; NULL: a directory. */
	const char *key;
	/* As it was sent. */
	const char *path;
	/* MSG_UNSET: leave as it is. */
	int64_t mode;
	int64_t umask;
	/* By name, or else by number. */
	const char *owner;
	const char *group;
	int64_t uid;
	int64_t gid;
};
#define MSG_UNSET INT64_C(-1)

/* The same, understood. */
struct msg_mapping {
	struct msg_map_entry *items;
	size_t n;
};
/* Words before the detail of a refusal, as the original has them. */
#define MSG_INVALID(kind) "(exception:" kind ") invalid specification: "
#define MSG_INVALID_SPEC MSG_INVALID("InvalidSpec")
/* As msg_bind(). */
int msg_mapping_bind(const struct node *body, struct arena *a,
    struct msg_mapping *ret, struct error *e);

/* The members of a body that were bound, as they were sent, with defaults for
 * what was not, without what is null: an original would take that for a text.
 * NULL and a latched arena on failure. */
struct node *msg_members(const struct schema *s, const void *bound,
    const struct node *body, struct arena *a);

/* Binds a body (NULL: an empty one). -1: OVE_INVALID with the contract's words,
 * or NOMEM, LIMIT. */
int msg_bind(const struct schema *s, const struct node *body, struct arena *a,
    void *ret, struct error *e);
