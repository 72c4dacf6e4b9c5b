/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Who this server is: its id and the key that signs its tokens. Both are made
 * at the first start, or taken over from the original where that has them in
 * its default place (design.md 3.11).
 */
#pragma once

#include <config.h>

#include "lib/base/error.h"

struct arena;
struct config;
struct token_key;

/* Where the original keeps its files: PREFIX/overlord. */
#define IDENTITY_ORIGINAL OVERLORD_PREFIX "/overlord"

#define SERVERID_LEN 128

/* The text of the id file, made when it is missing or blank. original: the
 * original's directory. */
int identity_server_id(const char *path, const char *original,
    char ret[SERVERID_LEN], struct error *e);
/* The directory of metadata or namespaces: `configured`, but the original's
 * when that is there and ours, at its default place, is not yet (design:
 * nothing of the original is moved). Lives in a, or is `configured`. */
const char *identity_take_over_dir(const char *configured, const char *statedir,
    const char *original, const char *name, struct arena *a);
/* secret_key of the configuration, else the key file. */
int identity_token_key(const struct config *c, const char *original,
    struct token_key **ret, struct error *e);
