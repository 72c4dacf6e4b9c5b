/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Parameters of a query, judged by their rows in proto/details.def, with an
 * answer when they are not good.
 */
#include <inttypes.h>
#include <string.h>

#include "daemon/api_internal.h"
#include "lib/base/log.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/net/url.h"
#include "proto/detail.h"

#define NAMES_MAX 1024

/* NULL after an answer: whoever reads a parameter has to describe it. */
static const struct route_query *
row_of(struct api_call *c, const char *name)
{
	const struct route_query *q = route_query(c->route, name);
	struct error e = ERROR_INIT;

	if (q != NULL)
		return q;
	(void)error_set(&e, OVE_INTERNAL,
	    "parameter '%s' of %s has no QUERY row in proto/details.def", name,
	    route_names[c->route]);
	api_reply_error(c->api, c->req, &e);
	return NULL;
}

bool
api_query(struct api_call *c, const char *name, char **ret)
{
	struct http1_span q = http_req_head(c->req)->query;
	struct error e = ERROR_INIT;

	if (row_of(c, name) == NULL)
		return false;
	if (url_query_get(q.p, q.len, name, c->arena, ret, &e) == 0)
		return true;
	(void)error_wrap(&e, "'%s'", name);
	api_reply_error(c->api, c->req, &e);
	return false;
}

bool
api_query_number(struct api_call *c, const char *name, uint64_t *ret)
{
	const struct route_query *q = row_of(c, name);
	struct error e = ERROR_INIT;
	char *text;

	if (q == NULL || !api_query(c, name, &text))
		return false;
	if (text == NULL || num_u64(text, q->min, q->max, ret, &e) == 0)
		return true;
	api_reply_message(c->api, c->req, 400,
	    "'%s' has an unexpected value: expected a number from %" PRIu64
	    " to %" PRIu64 ".",
	    name, q->min, q->max);
	return false;
}

/* Whether `word` is one of "a,b,c". */
static bool
is_choice(const char *choices, const char *word)
{
	size_t len = strlen(word), n;

	for (const char *p = choices; *p != '\0'; p += n + (p[n] == ',')) {
		n = strcspn(p, ",");
		if (n == len && memcmp(p, word, n) == 0)
			return true;
	}
	return false;
}

bool
api_query_one(struct api_call *c, const char *name, char **ret)
{
	const struct route_query *q = row_of(c, name);

	if (q == NULL || !api_query(c, name, ret))
		return false;
	if (*ret == NULL || is_choice(q->choices, *ret))
		return true;
	api_reply_message(c->api, c->req, 400,
	    "'%s' has an unexpected value: expected one of %s.", name,
	    q->choices);
	return false;
}

static void
refuse(struct api_call *c, const char *word)
{
	AUTO_STRBUF struct strbuf names;

	strbuf_init(&names, NAMES_MAX);
	for (const struct route_query *q = route_queries; q->name != NULL; q++)
		if (q->route == c->route)
			strbuf_addf(
			    &names, "%s%s", names.len > 0 ? ", " : "", q->name);
	api_reply_message(c->api, c->req, 400, "'%.40s' is not one of: %s.",
	    word, names.buf != NULL ? names.buf : "");
}

bool
api_query_check(struct api_call *c)
{
	struct http1_span q = http_req_head(c->req)->query;
	char *rest, *pair;

	if (route_query(c->route, NULL) == NULL)
		return true;
	rest = arena_strndup(c->arena, q.p, q.len);
	while (rest != NULL && (pair = strsep(&rest, "&")) != NULL) {
		pair[strcspn(pair, "=")] = '\0';
		if (pair[0] == '\0' || route_query(c->route, pair) != NULL)
			continue;
		refuse(c, pair);
		return false;
	}
	return true;
}
