/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Has old things go: finished jobs, the audit trail, Director's logs. Looks now
 * and then, and after each change of the configuration.
 */
#pragma once

#include "lib/base/error.h"
#include "lib/base/keep.h"

struct audit;
struct loop;
struct queue;
struct retention;

struct retention_deps {
	struct loop *loop;
	/* These have their own bounds. */
	struct queue *queue;
	struct audit *audit;
	/* Where Director's logs are; borrowed for life. */
	const char *logs;
};

struct retention_config {
	struct keep logs;
	/* The shortest of all times for which something is kept; 0: none. */
	int64_t shortest_ms;
};

int retention_new(
    struct retention **ret, const struct retention_deps *deps, struct error *e);
void retention_configure(struct retention *r, const struct retention_config *c);
/* Waits for the removal of logs that is under way. */
struct retention *retention_free(struct retention *r);
AUTO_DEFINE(retention)
