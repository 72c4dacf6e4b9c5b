/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Whom a command asks: the entry points of a deployment file, or this machine's
 * own server when there is no file (cli.md 2.1, 6.0). All is checked before the
 * first request. Functions say what is wrong when they do not give
 * EXIT_CODE_OK; what they give lies in the session's arena.
 */
#pragma once

#include "cli/session.h"
#include "proto/tree.h"

enum servers_flags {
	/* Equal entry points count once. */
	SERVERS_MERGE = 1,
	/* Whole data centers instead of deployIn.entrypoints. */
	SERVERS_WHOLE = 2,
};

/* The entry points of the session's file, narrowed by --datacenter. */
enum exitcode servers_of_spec(
    struct session *s, int flags, struct tree_entry **ret, size_t *ret_n);
/* OVERLORD_ENTRYPOINT and OVERLORD_TOKEN, or a token made with this machine's
 * key. */
enum exitcode servers_local(
    struct session *s, struct tree_entry **ret, size_t *ret_n);
/* One "datacenter[.chain...]", of the session's file or of "local". */
enum exitcode servers_entrypoint(
    struct session *s, const char *text, struct tree_entry *ret);

/* As tables and --chain have it: "<root>" for NULL. */
const char *servers_chain(const char *chain);
/* "(datacenter:main, chain:alpha" without the closing parenthesis. */
const char *servers_context(
    struct arena *a, const struct client_server *server, const char *chain);
