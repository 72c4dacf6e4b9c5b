/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Files of kind appConfig: asks the servers for the template, and renders that
 * of the first that has one which renders (deployment-files.md 9.2).
 */
#pragma once

#include "cli/targets.h"
#include "proto/plan.h"

struct app_found {
	/* NULL: there is none; what failed is told. */
	struct node *doc;
	/* "(datacenter:D, chain:C, appFrom:M": for messages. */
	const char *context;
	/* 77, 76, 69 or 65 when servers matched and none had one, 69 or 77 when
	 * no entry point could be reached. */
	enum exitcode failure;
	size_t matched;
};

/* entries are those of the file, which is of that kind.  flags: as those of
 * struct targets_rule. */
enum exitcode app_find(struct session *s, const struct tree_entry *entries,
    size_t n, int flags, struct app_found *ret);
/* Makes the session's file, which is of that kind, the one that its template
 * gives, and says what is wrong with it. *ret_over: no server has a template
 * that renders; the exit code says what came of it. */
enum exitcode app_resolve(struct session *s, enum plan_action action,
    const struct tree_entry *entries, size_t n, bool *ret_over);
