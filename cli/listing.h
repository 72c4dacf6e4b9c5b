/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A command that asks every server of a run for one list and shows them as one
 * table or one document: jobs, revoked tokens, the audit trail. What
 * differs is a struct of words and functions.
 */
#pragma once

#include "cli/session.h"
#include "cli/table.h"
#include "cli/targets.h"
#include "proto/route.h"

struct listing {
	enum route_id route;
	/* NULL: none. */
	const char *query;
	/* The list's member in the reply, and in the document that is shown. */
	const char *member;
	/* "overlord.jobs/1" */
	const char *schema;
	/* "the jobs", for messages. */
	const char *what;
	/* What a server that has no such route is said to lack. */
	const char *lacks;
	const struct table_column *columns;
	/* Adds one row. now: seconds since 1970. */
	void (*add)(struct table *t, const char *datacenter, const char *chain,
	    const struct node *item, double now);
	/* Which are shown; NULL: all. */
	bool (*wants)(const struct session *s, const struct node *item);
};

bool listing_wants(
    const struct listing *l, const struct session *s, const struct node *item);
/* Those of a server's list that are shown; list may be NULL. */
void listing_add_rows(const struct listing *l, const struct session *s,
    struct table *table, const struct target *t, const struct node *list,
    double now);
enum exitcode listing_run(struct session *s, const struct listing *l);

/* How long ago: "3m07s"; NULL when it is no time. now: seconds since 1970. */
const char *listing_age(struct arena *a, const struct node *at, double now);

/* The options that go with it. */
/* clang-format off */
#define LISTING_OPTS                                                           \
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output),             \
	    listing_outputs, "table",                                          \
	    "How to print; wide is a table that is never cut." },                       \
	{ "no-headers", NULL, CMD_FLAG, 0, false, CMD_AT(no_headers), NULL,    \
	    NULL, "Print no headings." }
/* clang-format on */
extern const char *const listing_outputs[];
