/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The routes as data, for the daemon's dispatch, the client's calls and the
 * documents: ids, rows, the rules of path words, and building a path. No
 * handler is named here; the daemon includes routes.def for that.
 */
#pragma once

#include "lib/base/strbuf.h"
#include "lib/net/router.h"

struct schema;

enum route_id {
#define ROUTE(id, handler, method, path, scope, doc) ROUTE_##id,
#include "proto/routes.def"
#undef ROUTE
	ROUTE_COUNT
};

enum route_scope {
	SCOPE_NONE,
	SCOPE_READ,
	SCOPE_DEPLOY,
	SCOPE_ADMIN
};

struct route {
	const char *method;
	const char *path;
	enum route_scope scope;
	const char *doc;
};

/* By id. */
extern const struct route routes[ROUTE_COUNT];

/* The twins, /v1/chain/{chain}/..., which a router knows by numbers that start
 * at ROUTE_COUNT. */
enum twin_no {
#define TWIN(id, method, path, function, member, missing, kind, body) TWIN_##id,
#include "proto/twins.def"
#undef TWIN
	TWIN_COUNT
};

/* What a member is when the server below did not send it. */
enum twin_missing {
	MISSING_NONE,
	MISSING_OK,
	MISSING_NULL,
	MISSING_LIST,
	MISSING_MAP
};

enum twin_kind {
	TWIN_KIND_PLAIN,
	TWIN_KIND_BARE,
	TWIN_KIND_GONE,
	TWIN_KIND_UPSERT
};

struct twin {
	enum route_id id;
	const char *function;
	const char *member;
	enum twin_missing missing;
	enum twin_kind kind;
	/* NULL: it takes none. */
	const struct schema *body;
};

extern const struct twin twins[TWIN_COUNT];
/* Rules of the words in braces, for router_new(). */
extern const struct route_rule route_rules[];
extern const size_t route_rules_n;
/* Knows all routes, then their twins, in order. */
int route_router(struct router **ret, struct error *e);

/* Adds the path of a route with its words filled in (percent-encoded); with a
 * chain path that is not NULL or "", its twin. params_n must match. */
void route_build(struct strbuf *out, enum route_id id, const char *chain,
    const char *const *params, size_t params_n);
