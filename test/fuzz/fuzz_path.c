/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Paths and chain paths. The input is a method, a blank and a path, which the
 * route table matches; a path with its words filled in again must lead to the
 * same route with the same words. A chain path, of the path or the input as a
 * whole, is split and joined, and what was joined must split the same way.
 */
#include <assert.h>
#include <string.h>

#include "lib/net/url.h"
#include "proto/chainpath.h"
#include "proto/route.h"

#define ARENA_MAX ((size_t)4 << 20)
#define PATH_MAX_LEN ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
as_chain(const char *text, struct arena *a)
{
	struct chainpath p, again;
	const char *joined, *rest, *datacenter;
	size_t len;

	if (chainpath_parse_entrypoint(text, a, &datacenter, &p, NULL) == 0)
		assert(datacenter[0] != '\0' && p.n <= CHAINPATH_MAX);
	if (chainpath_parse(text, a, &p, NULL) < 0)
		return;
	joined = chainpath_join(&p, a);
	assert(joined != NULL && p.n > 0 && p.n <= CHAINPATH_MAX);
	assert(chainpath_parse(joined, a, &again, NULL) == 0);
	assert(again.n == p.n);
	for (size_t i = 0; i < p.n; i++)
		assert(strcmp(p.parts[i], again.parts[i]) == 0);
	rest = chainpath_split(joined, &len);
	assert(strlen(p.parts[0]) == len);
	assert((rest == NULL) == (p.n == 1));
}

static enum route_id
route_of(const struct route_match *m)
{
	return m->row->id < ROUTE_COUNT ? (enum route_id)m->row->id
					: twins[m->row->id - ROUTE_COUNT].id;
}

static void
rebuild(const struct router *r, const struct route_match *m, struct arena *a)
{
	AUTO_STRBUF struct strbuf path;
	bool is_twin = m->row->id >= ROUTE_COUNT;
	const char *const *words = m->params + (is_twin ? 1 : 0);
	size_t n = m->params_n - (is_twin ? 1 : 0);
	struct route_match again;

	strbuf_init(&path, PATH_MAX_LEN);
	/* "/" has nothing to fill in. */
	if (strncmp(m->row->path, "/v1", 3) != 0)
		return;
	route_build(
	    &path, route_of(m), is_twin ? m->params[0] : NULL, words, n);
	assert(strbuf_check(&path, NULL) == 0);
	assert(router_match(r, m->row->method, path.buf, path.len, a, &again,
		   NULL) == 0);
	assert(again.row == m->row && again.params_n == m->params_n);
	for (size_t i = 0; i < m->params_n; i++)
		assert(strcmp(again.params[i], m->params[i]) == 0);
}

static void
as_request(const struct router *r, const char *text, struct arena *a)
{
	const char *path = strchr(text, ' ');
	struct route_match m;
	struct error e = ERROR_INIT;
	const char *method;
	char *value;
	size_t len;
	int rc;

	if (path == NULL)
		return;
	method = arena_strndup(a, text, (size_t)(path - text));
	len = strcspn(++path, "?");
	rc = router_match(r, method, path, len, a, &m, &e);
	assert(rc >= 0 || error_is_set(&e));
	if (path[len] == '?')
		(void)url_query_get(path + len + 1, strlen(path + len + 1),
		    "limit", a, &value, NULL);
	if (rc == ROUTER_NO_METHOD)
		assert(m.allow == NULL || strstr(m.allow, "OPTIONS") != NULL);
	if (rc != 0)
		return;
	assert(strcmp(m.row->method, method) == 0);
	if (m.row->id >= ROUTE_COUNT)
		as_chain(m.params[0], a);
	rebuild(r, &m, a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct router *r;
	AUTO_ARENA struct arena a;
	const char *text;

	arena_init(&a, ARENA_MAX);
	if (r == NULL)
		assert(route_router(&r, NULL) == 0);
	text = arena_strndup(&a, (const char *)data, size);
	if (text == NULL)
		return 0;
	as_request(r, text, &a);
	as_chain(text, &a);
	return 0;
}
