/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What an autoscaler is to do (runtime.md 5.4), decided from what it sees and
 * remembers. Pure: the table of the contract, row by row.
 */
#pragma once

#include "daemon/scale_memory.h"
#include "daemon/scale_nodes.h"
#include "proto/spec.h"

enum scale_action {
	SCALE_NOTHING,
	/* The text has changed: up, on all that have it. */
	SCALE_REDEPLOY,
	/* It is to go: down, on all that have it. */
	SCALE_DESTROY,
	/* It is gone: the metadata may go, too. */
	SCALE_FINISH,
	/* Too few: up, on `want` of the targets. */
	SCALE_GROW,
	/* A test has failed: up, on one of them. */
	SCALE_HELP,
	/* More than is needed: down, on one of them. */
	SCALE_SHRINK
};

struct scale_plan {
	enum scale_action action;
	/* In the order in which they are tried. */
	struct scale_node **targets;
	size_t targets_n;
	/* So many must take it. */
	size_t want;
	/* That have it now. */
	size_t good;
};

struct scale_case {
	const struct spec_project *project;
	struct scale_nodes nodes;
	/* It is another text than the last one that was deployed. */
	bool is_changed;
	/* Its end was asked for. */
	bool has_cleanup;
	/* Of HAProxy: of the frontend and the backend of the rules. Or why they
	 * are not known, with the original's name for that. */
	const struct node *frontend;
	const struct node *backend;
	const char *no_metrics;
	const char *no_metrics_type;
	const struct scale_memory *memory;
	int64_t now;
};

/* logs: a list, gets what is to be told. All lies in a, the latch of which is
 * to be looked at. */
void scale_decide(const struct scale_case *c, struct arena *a,
    struct node *logs, struct scale_plan *ret);
