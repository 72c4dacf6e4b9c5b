/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The route table from routes.def. Path words have linear rules, checked on the
 * raw segment before anything is decoded (rest-api.md, table of names, Q-03).
 */
#include "proto/route.h"

#include <string.h>

#include "lib/net/url.h"
#include "proto/msg.h"
#include "proto/names.h"

const struct route routes[ROUTE_COUNT] = {
#define ROUTE(id, handler, method, path, scope, doc)                           \
  [ROUTE_##id] = { method, path, SCOPE_##scope, doc },
#include "proto/routes.def"
#undef ROUTE
};

const struct twin twins[TWIN_COUNT] = {
#define TWIN(id, method, path, function, member, missing, kind, body)          \
  [TWIN_##id] = { ROUTE_##id, function, member, MISSING_##missing,             \
	  TWIN_KIND_##kind, body },
#include "proto/twins.def"
#undef TWIN
};

static const struct route_row rows[(int)ROUTE_COUNT + (int)TWIN_COUNT] = {
#define ROUTE(id, handler, method, path, scope, doc)                           \
  [ROUTE_##id] = { method, path, ROUTE_##id },
#include "proto/routes.def"
#undef ROUTE
#define TWIN(id, method, path, function, member, missing, kind, body)          \
  [(int)ROUTE_COUNT + (int)TWIN_##                                             \
      id] = { method, path, (unsigned)ROUTE_COUNT + (unsigned)TWIN_##id },
#include "proto/twins.def"
#undef TWIN
};

/* A job id: digits without a leading zero; its range is the handler's. */
static bool
job_word_ok(const char *s, size_t len)
{
	if (len == 0 || len > 16 || s[0] == '0')
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] < '0' || s[i] > '9')
			return false;
	return true;
}

/* A chain path as routed: its names are judged after the arguments. */
static bool
chain_word_ok(const char *s, size_t len)
{
	if (len == 0 || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] != '.' && s[i] != '-' && !name_is_chain_part(s + i, 1))
			return false;
	return true;
}

/* An id of a token, each character of it perhaps as %XX. How long it may be is
 * the handler's: on its way down a chain it is written in another way. */
static bool
token_word_ok(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (s[i] <= ' ' || s[i] > '~')
			return false;
	return len > 0;
}

const struct route_rule route_rules[] = {
	{ "chain", chain_word_ok, ROUTE_RAW },
	{ "project", name_is_project, ROUTE_RAW },
	{ "vm", name_is_vm, ROUTE_RAW },
	{ "date", name_is_date, ROUTE_RAW },
	{ "service", name_is_service, ROUTE_RAW },
	{ "dlog", name_is_dlog, ROUTE_RAW },
	{ "job", job_word_ok, ROUTE_RAW },
	{ "token", token_word_ok, ROUTE_DECODED },
	{ "key", name_is_key, ROUTE_RAW },
	{ "jail", name_is_jail, ROUTE_RAW },
	{ "seg", NULL, ROUTE_DECODED_NUL },
};
const size_t route_rules_n = ARRAY_LEN(route_rules);

int
route_router(struct router **ret, struct error *e)
{
	return router_new(
	    ret, rows, ARRAY_LEN(rows), route_rules, route_rules_n, e);
}

void
route_build(struct strbuf *out, enum route_id id, const char *chain,
    const char *const *params, size_t params_n)
{
	const char *p = routes[id].path;
	size_t used = 0;

	strbuf_adds(out, "/v1");
	if (chain != NULL && chain[0] != '\0') {
		strbuf_adds(out, "/chain/");
		url_add_segment(out, chain);
	}
	p += strlen("/v1");
	while (*p != '\0' && *p != '[') {
		if (*p == '{' && used < params_n) {
			url_add_segment(out, params[used++]);
			p = strchr(p, '}') + 1;
		} else {
			strbuf_addc(out, *p++);
		}
	}
}
