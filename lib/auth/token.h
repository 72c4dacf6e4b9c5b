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

/* In order: each may do what those before it may. */
enum token_scope {
	/* A 'scope' or 'projects' that we do not understand: nothing. */
	TOKEN_SCOPE_NONE,
	TOKEN_SCOPE_READ,
	TOKEN_SCOPE_DEPLOY,
	TOKEN_SCOPE_ADMIN,
	/* No such claim: everything, as the original's tokens. */
	TOKEN_SCOPE_ALL
};
/* "read", "deploy", "admin"; NULL for the others. */
const char *token_scope_to_string(enum token_scope s);
/* false when it is none of these words. */
bool token_scope_from_string(const char *s, enum token_scope *ret);

struct token_info {
	/* Short and stable, for logs and records: the jti when it is a string
	 * of 1 to 64 printable ASCII characters, else the first 12 hex digits
	 * of the SHA-256 of the token without its signature. */
	char id[65];
	/* Unix seconds; 0 = never. */
	int64_t exp;
	enum token_scope scope;
	/* The claim 'projects', which narrows the token: names, each with its
	 * NUL, in projects_len bytes; NULL when there is no such claim. Good
	 * until the next token_verify(). */
	const char *projects;
	size_t projects_len;
};
/* Whether the token is for this project. */
bool token_has_project(const struct token_info *t, const char *name);
/* Verifies the signature first, then the claims (rest-api.md 2.2). now_ms is
 * wall time. -1: OVE_DENIED with the reason (for the log; clients see one
 * text), or OVE_NOMEM. The answer is the same with a cached token: its exp, nbf
 * and iat are looked at each time. */
int token_verify(struct token_key *k, const char *token, size_t len,
    int64_t now_ms, struct token_info *ret, struct error *e);
/* Whether the cache has it: it was right once, whether or not it still is. */
bool token_is_known(const struct token_key *k, const char *token, size_t len);
/* What a token says of itself, without looking at the signature or the time;
 * projects and *ret_claims lie in a. OVE_INVALID when it is not a token,
 * OVE_DENIED for times that are no numbers. */
int token_inspect(const char *token, size_t len, struct arena *a,
    struct token_info *ret, struct node **ret_claims, struct error *e);
/* Header and claims without looking at the signature, for `token inspect`.
 * OVE_INVALID when it is not a token. */
int token_decode(const char *token, size_t len, struct arena *a,
    struct node **ret_header, struct node **ret_claims, struct error *e);

/* SHA-256, for what must not be kept as it is. */
#define TOKEN_HASH_LEN 32
void token_hash(const void *p, size_t len, unsigned char ret[TOKEN_HASH_LEN]);
