/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The key of this machine, which signs tokens: from the configuration, or from
 * the file that it names.
 */
#pragma once

#include "lib/auth/keyfile.h"
#include "lib/auth/token.h"

struct config;
struct session;

/* flags: those of keyfile_load(). Warns when a key was made. */
int key_load(struct session *s, const struct config *c, int flags,
    struct token_key **ret, struct error *e);
