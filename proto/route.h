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
/* Rules of the words in braces, for router_new(). */
extern const struct route_rule route_rules[];
extern const size_t route_rules_n;
/* Rows for router_new(), in order of id. */
int route_router(struct router **ret, struct error *e);

/* Adds the path of a route with its words filled in (percent-encoded); with a
 * chain path that is not NULL or "", its twin. params_n must match. */
void route_build(struct strbuf *out, enum route_id id, const char *chain,
    const char *const *params, size_t params_n);
