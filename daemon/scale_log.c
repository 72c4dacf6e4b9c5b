/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See scale_log.h. What finds no memory is missing, and the arena is latched.
 */
#include "daemon/scale_log.h"

#include <inttypes.h>

static struct node *
entry(struct scale_log *l, const char *project)
{
	struct node *n = node_new(l->arena, NODE_MAP);

	if (project != NULL)
		node_set(l->arena, n, "project", node_str(l->arena, project));
	node_add(l->arena, l->list, n);
	return n;
}

static void
set_text(struct scale_log *l, struct node *n, const char *key, const char *text)
{
	node_set(l->arena, n, key,
	    text != NULL ? node_str(l->arena, text) : node_null(l->arena));
}

static void
set_int(struct scale_log *l, struct node *n, const char *key, int64_t i)
{
	node_set(l->arena, n, key, node_int(l->arena, i));
}

void
scale_log_exception(struct scale_log *l, const char *project, const char *chain,
    const char *type, const char *message)
{
	struct node *n = entry(l, project);
	struct node *x = node_new(l->arena, NODE_MAP);

	if (project != NULL)
		set_text(l, n, "chain", chain);
	set_text(l, x, "type", type);
	set_text(l, x, "message", message);
	node_set(l->arena, n, "exception", x);
}

void
scale_log_test(
    struct scale_log *l, const char *chain, const char *context, bool passed)
{
	struct node *n = entry(l, l->project);

	set_text(l, n, "chain", chain);
	set_text(l, n, "context", context);
	node_set(l->arena, n, "response", node_bool(l->arena, passed));
}

void
scale_log_metadata(struct scale_log *l, const char *chain, size_t length)
{
	struct node *n = entry(l, l->project);

	set_text(l, n, "chain", chain);
	set_text(l, n, "context", "metadata");
	set_int(l, n, "length", (int64_t)length);
	set_text(l, n, "response", NULL);
}

void
scale_log_job(struct scale_log *l, const char *chain, const char *context,
    int forced, int status, uint64_t job)
{
	struct node *n = entry(l, l->project);
	struct node *response = node_new(l->arena, NODE_MAP);

	set_text(l, n, "chain", chain);
	if (forced >= 0)
		node_set(l->arena, n, "force", node_bool(l->arena, forced));
	set_text(l, n, "context", context);
	set_int(l, response, "status_code", status);
	set_int(l, response, "job_id", (int64_t)job);
	node_set(l->arena, n, "response", response);
}

void
scale_log_shortage(struct scale_log *l, size_t good, int64_t min)
{
	struct node *n = entry(l, l->project);

	set_int(l, n, "nodes", (int64_t)good);
	set_int(l, n, "min", min);
	set_text(l, n, "response",
	    arena_printf(l->arena,
		"Insufficient nodes to replicate the project (%zu/%" PRId64 ")",
		good, min));
}

void
scale_log_destroy(struct scale_log *l, size_t fails)
{
	struct node *n = entry(l, l->project);

	if (fails > 0)
		set_int(l, n, "fails", (int64_t)fails);
	set_text(l, n, "context", "destroy");
	set_text(l, n, "response",
	    fails > 0
		? "metadata cannot be destroyed because there is a likelihood "
		  "that a project has been deployed in a failed chain."
		: "There are no more nodes to destroy the project.");
}
