/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What apply or destroy would do, and where, without doing it (cli.md 6.3):
 * `plan`, and `apply --dry-run`.
 */
#pragma once

#include "cli/session.h"
#include "cli/targets.h"
#include "proto/compare.h"
#include "proto/plan.h"

enum preview_mark {
	PREVIEW_CREATE,
	PREVIEW_CHANGE,
	PREVIEW_NONE,
	PREVIEW_DESTROY,
	/* The server does not tell what it has. */
	PREVIEW_UNKNOWN,
	PREVIEW_ERROR,
	/* Not meant, or not reached any more. */
	PREVIEW_SKIPPED,
};
#define PREVIEW_MARKS (PREVIEW_SKIPPED + 1)

/* One thing on one server. */
struct preview_row {
	const struct target *target;
	enum preview_mark mark;
	/* Its name; NULL: the server as a whole. */
	const char *object;
	/* NULL: the changes tell. */
	const char *reason;
	struct compare changes;
};

struct preview {
	struct session *session;
	enum plan_action action;
	struct targets targets;
	/* In the order of discovery, when the run has ended. */
	struct preview_row *rows;
	size_t rows_n;
	size_t count[PREVIEW_MARKS];
};

/* Loads the file, asks, prints.  EXIT_CODE_OK: nothing would change; 2:
 * something would, or nobody knows. */
#define PREVIEW_CHANGES ((enum exitcode)2)
enum exitcode preview_run(struct session *s, enum plan_action action);

/* As --output says; part of preview_run(). */
enum exitcode preview_print(struct preview *p);

/* Options of plan and of apply --dry-run. */
/* clang-format off */
#define PREVIEW_OPTS                                                           \
	{ "diff", NULL, CMD_FLAG, 0, false, CMD_AT(diff), NULL, NULL,          \
	    "Show how texts differ, line by line." },                          \
	{ "show-secrets", NULL, CMD_FLAG, 0, false, CMD_AT(show_secrets),      \
	    NULL, NULL, "Show values that look like secrets, too." }
/* clang-format on */
