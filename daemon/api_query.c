/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Parameters of a query, read with an answer when they are not good.
 */
#include <inttypes.h>
#include <string.h>

#include "daemon/api_internal.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/net/url.h"

#define NAMES_MAX 1024

bool
api_query(struct api_call *c, const char *name, char **ret)
{
	struct http1_span q = http_req_head(c->req)->query;
	struct error e = ERROR_INIT;

	if (url_query_get(q.p, q.len, name, c->arena, ret, &e) == 0)
		return true;
	(void)error_wrap(&e, "'%s'", name);
	api_reply_error(c->api, c->req, &e);
	return false;
}

bool
api_query_number(
    struct api_call *c, const char *name, uint64_t max, uint64_t *ret)
{
	struct error e = ERROR_INIT;
	char *text;

	if (!api_query(c, name, &text))
		return false;
	if (text == NULL || num_u64(text, 1, max, ret, &e) == 0)
		return true;
	api_reply_message(c->api, c->req, 400,
	    "'%s' has an unexpected value: expected a number from 1 to %" PRIu64
	    ".",
	    name, max);
	return false;
}

static void
refuse(struct api_call *c, const char *word, const char *const *known, size_t n)
{
	AUTO_STRBUF struct strbuf names;

	strbuf_init(&names, NAMES_MAX);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&names, "%s%s", i > 0 ? ", " : "", known[i]);
	api_reply_message(c->api, c->req, 400, "'%.40s' is not one of: %s.",
	    word, names.buf != NULL ? names.buf : "");
}

bool
api_query_known(struct api_call *c, const char *const *known, size_t n)
{
	struct http1_span q = http_req_head(c->req)->query;
	char *rest = arena_strndup(c->arena, q.p, q.len), *pair;

	while (rest != NULL && (pair = strsep(&rest, "&")) != NULL) {
		size_t i = 0;

		pair[strcspn(pair, "=")] = '\0';
		while (i < n && strcmp(known[i], pair) != 0)
			i++;
		if (pair[0] == '\0' || i < n)
			continue;
		refuse(c, pair, known, n);
		return false;
	}
	return true;
}
