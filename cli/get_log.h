/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* What get-project-log and get-jail-log have in common (cli.md 2.6). */
#pragma once

#include "cli/session.h"
#include "proto/route.h"

#define GET_LOG_WORDS_MAX 4

/* A word of the log's path, and the option that gave it. */
struct get_log_word {
	const char *option;
	const char *value;
};

/* Prints the log that words name, from the server that the first argument of
 * the command is. */
enum exitcode get_log(struct session *s, enum route_id route,
    const struct get_log_word *words, size_t n);
