/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* Making a token: gen-token, which is also "token new". */
#pragma once

#include "cli/session.h"

enum exitcode gen_token(struct session *s);

/* clang-format off */
#define GEN_TOKEN_OPTS                                                         \
	{ "metadata", "KEY[=VALUE]", CMD_LIST, 0, false, CMD_AT(metadata),     \
	    NULL, NULL, "A note that the token carries; repeatable." },        \
	{ "expire", "N", CMD_INT, 0, false, CMD_AT(expire), NULL, "never",     \
	    "Valid for so long." },                                            \
	{ "expire-type", "UNIT", CMD_STR, 0, false, CMD_AT(expire_type),       \
	    gen_token_units, "hours", "Unit of --expire." },                   \
	{ "scope", "SCOPE", CMD_STR, 0, false, CMD_AT(scope),                  \
	    gen_token_scopes, "everything", "What it may do." },               \
	{ "project", "NAME", CMD_LIST, 0, false, CMD_AT(project), NULL,        \
	    "all projects", "Only for this project; repeatable." }
/* clang-format on */
extern const char *const gen_token_units[];
extern const char *const gen_token_scopes[];
