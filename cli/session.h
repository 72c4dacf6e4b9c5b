/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What every command starts from: its arguments, output, an arena that lives as
 * long as the command, and, when it asks for them, the deployment file, the
 * configuration, and a loop with a client. Functions that give an exit code
 * have said what is wrong when it is not EXIT_CODE_OK.
 */
#pragma once

#include "cli/command.h"
#include "cli/out.h"
#include "proto/client.h"
#include "proto/config.h"
#include "proto/spec.h"

struct loop;

struct session {
	const struct cmd *cmd;
	struct cmd_args args;
	struct out out;
	struct arena arena;
	/* session_load_spec(): as the user typed it, its text, what it says. */
	const char *spec_name;
	const char *spec_text;
	struct spec *spec;
	/* session_start() */
	struct loop *loop;
	struct client *client;
};

void session_init(struct session *s);
void session_fini(struct session *s);

/* Tells a failure and gives its exit code. */
enum exitcode session_fail(struct session *s, const struct error *e);
/* Bad usage that only the command could see. */
enum exitcode session_usage(
    struct session *s, const char *hint, const char *fmt, ...) CC_PRINTF(3, 4);

/* The first word is none of the command's verbs. */
enum exitcode session_usage_verb(struct session *s, const char *word);

/* Sets the variables of the environment file that are not set yet. */
enum exitcode session_load_env(struct session *s);
/* Reads, checks and keeps a deployment file; sets OVERLORD_FILE and
 * OVERLORD_WRKDIR. Findings are shown. */
enum exitcode session_load_spec(struct session *s, const char *file);
/* The same, but findings are left to the caller, who gave d. Returns also what
 * is not a deployment file at all as EXIT_CODE_DATAERR. */
enum exitcode session_check_spec(
    struct session *s, const char *file, struct diag *d);
/* Which configuration file holds (NULL: none), by cli.md 1.4. */
const char *session_config_path(struct session *s);
enum exitcode session_load_config(struct session *s, struct config **ret);
/* A whole file, "-" being standard input. *ret_name is how messages call it. */
enum exitcode session_read_file(struct session *s, const char *file,
    const char **ret_name, const char **ret_text, size_t *ret_len);

/* Makes loop and client. */
enum exitcode session_start(struct session *s);

/* The name of a variable whose value nobody else should see (cli.md 6.3). */
bool session_is_secret(const char *name);
/* Stars for all such texts in it; node is the caller's own copy. */
void session_mask(struct arena *a, struct node *node);

/* For !ENV. */
const char *session_getenv(const char *name, void *ctx);
