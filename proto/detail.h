/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The rows of details.def as tables: what a route takes in its query and what
 * it answers. The daemon judges queries by them, /v1/openapi.json shows them.
 */
#pragma once

#include "proto/route.h"

enum query_kind {
	/* A number from min to max. */
	QUERY_NUMBER,
	QUERY_TEXT,
	/* A word of a path, by its name in choices. */
	QUERY_WORD,
	/* One of the choices; some of them, joined by commas. */
	QUERY_ONE,
	QUERY_SOME
};

struct route_query {
	enum route_id route;
	const char *name;
	enum query_kind kind;
	uint64_t min;
	uint64_t max;
	/* "a,b,c", or NULL. */
	const char *choices;
	const char *doc;
};

enum reply_media {
	MEDIA_JSON,
	/* No body. */
	MEDIA_BARE,
	/* JSON of a form that is not described. */
	MEDIA_DOCUMENT,
	MEDIA_TEXT,
	/* Prometheus' text. */
	MEDIA_METRICS,
	/* JSON, or text if a parameter says so. */
	MEDIA_TEXT_TOO,
	MEDIA_EVENTS
};

/* As they are sent. */
#define TYPE_JSON "application/json"
#define TYPE_TEXT "text/plain; charset=utf-8"
#define TYPE_METRICS "text/plain; version=0.0.4; charset=utf-8"
#define TYPE_EVENTS "text/event-stream"

struct route_reply {
	/* 0: there is no row. */
	int status;
	enum reply_media media;
	/* "name: type, name?: type" */
	const char *members;
	/* "404 409" */
	const char *errors;
};

struct route_word {
	const char *word;
	const char *pattern;
	unsigned max;
	const char *doc;
};

struct route_shape {
	const char *name;
	const char *doc;
};
struct route_member {
	const char *shape;
	/* "name", "name?" */
	const char *name;
	const char *type;
	const char *doc;
};

/* By id. */
extern const struct route_reply route_replies[ROUTE_COUNT];
extern const char *const route_names[ROUTE_COUNT];
/* Up to one whose first text is NULL. */
extern const struct route_query route_queries[];
extern const struct route_word route_words[];
extern const struct route_shape route_shapes[];
extern const struct route_member route_members[];

/* A parameter of a route; name NULL: its first one. NULL: it has none. */
const struct route_query *route_query(enum route_id id, const char *name);
/* The word of len bytes, without braces, or NULL. */
const struct route_word *route_word(const char *word, size_t len);
