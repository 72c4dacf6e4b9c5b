/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What servers know of tokens (cli.md 6.8): revoking one on every server of the
 * tree, and which are revoked.
 */
#pragma once

#include "cli/session.h"

/* token: its id, or the token itself. */
enum exitcode tokens_revoke(struct session *s, const char *token);
enum exitcode tokens_list(struct session *s);
