/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The tables of details.def.
 */
#include "proto/detail.h"

#include <string.h>

const char *const route_names[ROUTE_COUNT] = {
#define ROUTE(id, handler, method, path, scope, doc) [ROUTE_##id] = #id,
#include "proto/routes.def"
#undef ROUTE
};

const struct route_reply route_replies[ROUTE_COUNT] = {
#define REPLY(id, status, media, members, errors)                              \
  [ROUTE_##id] = { status, MEDIA_##media, members, errors },
#include "proto/details.def"
};

const struct route_query route_queries[] = {
#define QUERY(id, name, kind, min, max, choices, doc)                          \
  { ROUTE_##id, name, QUERY_##kind, min, max, choices, doc },
#include "proto/details.def"
	{ .name = NULL },
};

const struct route_word route_words[] = {
#define WORD(word, pattern, max, doc) { word, pattern, max, doc },
#include "proto/details.def"
	{ .word = NULL },
};

const struct route_shape route_shapes[] = {
#define SHAPE(name, doc) { #name, doc },
#include "proto/details.def"
	{ .name = NULL },
};

const struct route_member route_members[] = {
#define MEMBER(shape, name, type, doc) { #shape, name, type, doc },
#include "proto/details.def"
	{ .shape = NULL },
};

const struct route_query *
route_query(enum route_id id, const char *name)
{
	for (const struct route_query *q = route_queries; q->name != NULL; q++)
		if (q->route == id &&
		    (name == NULL || strcmp(q->name, name) == 0))
			return q;
	return NULL;
}

const struct route_word *
route_word(const char *word, size_t len)
{
	for (const struct route_word *w = route_words; w->word != NULL; w++)
		if (strlen(w->word) == len && memcmp(w->word, word, len) == 0)
			return w;
	return NULL;
}
