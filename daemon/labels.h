/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Special labels of a project (runtime.md 3.1): which of its services have
 * some, and what the integrations made of them, as the member `labels` of a
 * status record. Everything can be done again: what is there already is
 * replaced, what is gone already is no fault.
 */
#pragma once

#include "daemon/special.h"

struct config;
struct labels;
struct loop;
struct node;
struct project_look;

struct labels_id {
	uint64_t v;
};

/* What there is to do for a project. */
struct labels_plan {
	/* Why nothing can be done; NULL: nothing speaks against it. */
	const char *error;
	/* One for each running service with labels, in Director's order. */
	struct special *services;
	size_t n;
};
enum labels_flags {
	/* The project goes away. */
	LABELS_DESTROY = 1,
	/* Whatever Director says of its state. */
	LABELS_FORCE = 2,
};
/* What a look at the project, with the prefix below, says about that. All is in
 * the arena, whose latch is to be looked at; the plan borrows from the look. */
void labels_find(const struct project_look *look, const char *project,
    int flags, struct arena *a, struct labels_plan *ret);

/* {"error": ..., "message": ...} */
struct node *labels_result(struct arena *a, const char *error);
/* Whether any service has a fault. */
bool labels_have_failed(const struct node *result);

/* Copies what it needs of the configuration. */
int labels_new(struct labels **ret, struct loop *l, const struct config *c,
    const char *serverid, struct error *e);
/* result: valid during the callback; NULL: there was no memory for it. */
typedef void labels_done_fn(const struct node *result, void *ctx);
/* The plan stays until done, which is called once, never in here. */
int labels_start(struct labels *ls, const struct labels_plan *p,
    labels_done_fn *done, void *ctx, struct labels_id *ret, struct error *e);
/* Idempotent; done will not be called. */
void labels_cancel(struct labels *ls, struct labels_id id);
struct labels *labels_free(struct labels *ls);
AUTO_DEFINE(labels)
