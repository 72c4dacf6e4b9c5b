/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Request bodies as tables and structs: what the daemon checks and binds, and
 * what the client fills in (rest-api.md 3.3). Bound texts live in the request's
 * arena and tree.
 */
#pragma once

#include "lib/data/schema.h"

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

/* Binds a body (NULL: an empty one). -1: OVE_INVALID with the contract's words,
 * or NOMEM, LIMIT. */
int msg_bind(const struct schema *s, const struct node *body, struct arena *a,
    void *ret, struct error *e);
