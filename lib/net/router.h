/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Matches method and raw path against a table of templates, as an argument: it
 * knows no row. A template is "/v1/project/up/{project}"; a trailing "[/]"
 * allows one slash. A parameter is one segment, checked raw by a named rule
 * (linear, before decoding); "{seg}" segments are decoded after matching. Where
 * a literal and a parameter fit the same segment, the literal wins; between two
 * parameters the one that stands first in the table.
 */
#pragma once

#include "lib/base/arena.h"

/* Whether a word is percent-decoded after matching. With a NUL in it, which no
 * text can hold, it is ROUTER_BAD_ENCODING, or "". */
enum route_decode {
	ROUTE_RAW,
	ROUTE_DECODED,
	ROUTE_DECODED_NUL
};

struct route_rule {
	/* The word in the braces, up to ':' when it has one. */
	const char *word;
	/* The raw segment is one; length first. NULL: every one is. */
	bool (*ok)(const char *s, size_t len);
	enum route_decode decode;
};

#define ROUTE_PARAMS_MAX 6

struct route_row {
	const char *method;
	const char *path;
	/* The user's number. */
	unsigned id;
};

struct route_match {
	const struct route_row *row;
	/* NUL-terminated, decoded where the rule says so. */
	const char *params[ROUTE_PARAMS_MAX];
	unsigned params_n;
	/* "GET, HEAD, OPTIONS" when the path is known but not the method: the
	 * methods of its rows, and OPTIONS, which needs no row (the caller
	 * answers it). Lives as long as the router. */
	const char *allow;
};

struct router;
/* Rows and rules are borrowed for ever. OVE_INVALID for a bad table. */
int router_new(struct router **ret, const struct route_row *rows, size_t rows_n,
    const struct route_rule *rules, size_t rules_n, struct error *e);
struct router *router_free(struct router *r);
AUTO_DEFINE(router)

enum {
	ROUTER_NO_PATH = 1,
	ROUTER_NO_METHOD = 2,
	ROUTER_BAD_ENCODING = 3
};
/* 0, or one of the above, in this order: a path that no row has,
 * then a method that no server knows, then an escape that cannot be decoded,
 * then a method that this path does not have. What is found lives in a. */
int router_match(const struct router *r, const char *method, const char *path,
    size_t path_len, struct arena *a, struct route_match *ret, struct error *e);
