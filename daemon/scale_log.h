/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Entries of a project's autoscale log (runtime.md 5.7): each adds one to the
 * list. chain NULL: this server.
 */
#pragma once

#include "lib/data/node.h"

struct scale_log {
	struct arena *arena;
	struct node *list;
	const char *project;
};

/* project NULL: the round as a whole. */
void scale_log_exception(struct scale_log *l, const char *project,
    const char *chain, const char *type, const char *message);
/* context: "rctl", "economy", "load-balancer". */
void scale_log_test(
    struct scale_log *l, const char *chain, const char *context, bool passed);
/* So many entries were copied there. */
void scale_log_metadata(struct scale_log *l, const char *chain, size_t n);
/* context: "up", "down"; forced: 1, 0, or -1: not said. */
void scale_log_job(struct scale_log *l, const char *chain, const char *context,
    int forced, int status, uint64_t job);
void scale_log_shortage(struct scale_log *l, size_t good, int64_t min);
/* fails 0: the project has ended everywhere. */
void scale_log_destroy(struct scale_log *l, size_t fails);
