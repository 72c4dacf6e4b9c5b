/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The halves of overlord logs: what was written, and what is being written. */
#pragma once

#include "cli/targets.h"

/* Which of a project's runs, or of a jail's logs. */
enum logs_dates {
	LOGS_LAST,
	LOGS_ALL,
	/* Those that begin with a text. */
	LOGS_ONE,
};

struct logs {
	struct session *session;
	struct targets targets;
	/* The projects, or with --jails also jails, that are meant: words, or
	 * the file's own. */
	struct cmd_strs names;
	enum logs_dates dates;
	const char *date;
	/* As Director names its logs; NULL: since ever. */
	const char *since;
	/* Lines of each log, 0: all. */
	int64_t tail;
};

/* "alpha/web": where a project's text comes from; its data center when it is
 * the server itself, or there are several. */
const char *logs_place(
    struct logs *l, const struct target *t, const char *project);
/* Adds the lines of a text to standard output, each behind its source and its
 * time; NULL: without. Escape sequences are taken out. */
void logs_print(struct logs *l, const char *prefix, const char *stamp,
    const char *text, size_t len);
/* Where the last lines of a text begin; 0 lines: all. */
size_t logs_tail(const char *text, size_t len, int64_t lines);

/* Collects what a target has written down, as targets_rule.start; shows all. */
void logs_read_start(struct target *t);
enum exitcode logs_read_print(struct logs *l);

/* Until the user has seen enough, or with --until-done the jobs have ended. */
enum exitcode logs_follow(struct logs *l);
