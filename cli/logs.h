/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* The halves of overlord logs: what was written, and what is being written. */
#pragma once

#include "cli/targets.h"

/* The projects that are meant: words, or the file's own. */
struct logs {
	struct session *session;
	struct targets targets;
	struct cmd_strs names;
};

/* "alpha/web": where a project's text comes from; its data center when it is
 * the server itself, or there are several. */
const char *logs_place(
    struct logs *l, const struct target *t, const char *project);
/* Adds the lines of a text to standard output, each behind its source; prefix
 * NULL: without. Escape sequences are taken out. */
void logs_print(
    struct logs *l, const char *prefix, const char *text, size_t len);

/* Until the user has seen enough, or with --until-done the jobs have ended. */
enum exitcode logs_follow(struct logs *l);
