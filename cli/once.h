/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One request to one server, waited for: for commands that do nothing else.
 */
#pragma once

#include "cli/servers.h"

struct once {
	enum client_class class;
	int status;
	/* Copies in the session's arena. */
	const struct node *body;
	const char *text;
};

/* call->server and chain are taken from the entry. EXIT_CODE_OK when there was
 * an answer or a failure to look at. */
enum exitcode once_run(struct session *s, const struct tree_entry *entry,
    struct client_call *call, struct once *ret);
/* Says why it failed and gives the exit code; what is the words before. */
enum exitcode once_fail(struct session *s, const struct tree_entry *entry,
    const struct once *o, const char *what);
