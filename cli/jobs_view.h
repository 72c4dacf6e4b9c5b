/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Jobs as rows and as a page, from what GET /v1/jobs and /v1/jobs/<id> say.
 */
#pragma once

#include "cli/table.h"
#include "lib/data/node.h"

extern const struct table_column jobs_view_columns[];

/* now: wall seconds. */
void jobs_view_add(struct table *t, const char *datacenter, const char *chain,
    const struct node *job, double now);
void jobs_view_page(struct strbuf *out, const char *datacenter,
    const char *chain, const struct node *job, double now);
