/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * HS256 tokens (compact JWS) over libsodium: sign, verify, claims, and a cache
 * of tokens that have been verified, so that the usual check is a look-up. The
 * key lives in here, wiped on free. The only file that includes sodium.
 */
#pragma once

#include "lib/base/arena.h"

struct node;
struct token_key;

/* key is copied. */
int token_key_new(struct token_key **ret, const void *key, size_t len,
    struct error *e);
struct token_key *token_key_free(struct token_key *k);
AUTO_DEFINE(token_key)

#define TOKEN_MAX 4096

/* claims is a map node; header is exactly {"alg":"HS256","typ":"JWT"}. The
 * text to mem_free(). */
int token_sign(const struct token_key *k, const struct node *claims, char **ret,
    struct error *e);

struct token_info {
	/* Short and stable, for logs and records: the jti when it is a string,
	 * else the first 12 hex digits of the token's hash. */
	char id[65];
	/* Unix seconds; 0 = never. */
	int64_t exp;
};
/* Verifies signature first, then claims (rest-api.md 2.2). now_ms is wall time.
 * -1: OVE_DENIED with the reason (for the log; clients see one text). The cache
 * never outlives exp or nbf. */
int token_verify(struct token_key *k, const char *token, size_t len,
    int64_t now_ms, struct token_info *ret, struct error *e);
/* Header and claims without looking at the signature, for `token inspect`. */
int token_decode(const char *token, size_t len, struct arena *a,
    struct node **ret_header, struct node **ret_claims, struct error *e);
