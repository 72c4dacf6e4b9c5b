/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the two halves of the document share: its paths (openapi.c) and the
 * schemas that these refer to (openapi_schema.c). Private to them and their
 * test.
 */
#pragma once

#include "lib/base/arena.h"

struct node;
struct schema;

/* The JSON Schema of a type of details.def; a fault in it is latched in *bad.
 */
struct node *openapi_type(struct arena *a, const char *type, const char **bad);
/* An object of "name: type, name?: type", beside status_code when it is that.
 */
struct node *openapi_members(
    struct arena *a, const char *members, int status, const char **bad);
/* The schema of a body. */
struct node *openapi_body(struct arena *a, const struct schema *s);
/* {"$ref": "#/components/KIND/NAME"} */
struct node *openapi_ref(struct arena *a, const char *kind, const char *name);
/* All SHAPEs and bodies by name. */
struct node *openapi_schemas(struct arena *a, const char **bad);
/* "BodyUp" for "up". */
const char *openapi_body_name(struct arena *a, const struct schema *s);
