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

/* key is not kept, and may have any length but 0. */
int token_key_new(
    struct token_key **ret, const void *key, size_t len, struct error *e);
struct token_key *token_key_free(struct token_key *k);
AUTO_DEFINE(token_key)

/* Longer ones are refused unread (OVE_DENIED) and not made (OVE_LIMIT). */
#define TOKEN_MAX 4096

/* claims is a map node, written in its order as compact ASCII JSON; the header
 * is exactly {"alg":"HS256","typ":"JWT"}. The text to mem_free(). */
int token_sign(const struct token_key *k, const struct node *claims, char **ret,
    struct error *e);

struct token_info {
	/* Short and stable, for logs and records: the jti when it is a string
	 * of 1 to 64 printable ASCII characters, else the first 12 hex digits
	 * of the SHA-256 of the token without its signature. */
	char id[65];
	/* Unix seconds; 0 = never. */
	int64_t exp;
};
/* Verifies the signature first, then the claims (rest-api.md 2.2). now_ms is
 * wall time. -1: OVE_DENIED with the reason (for the log; clients see one
 * text), or OVE_NOMEM. The answer is the same with a cached token: its exp, nbf
 * and iat are looked at each time. */
int token_verify(struct token_key *k, const char *token, size_t len,
    int64_t now_ms, struct token_info *ret, struct error *e);
/* Header and claims without looking at the signature, for `token inspect`.
 * OVE_INVALID when it is not a token. */
int token_decode(const char *token, size_t len, struct arena *a,
    struct node **ret_header, struct node **ret_claims, struct error *e);
