/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tokens. The input is a token as it comes from a client, whose header and
 * payload are also decoded without its signature, and the text of claims that
 * are signed first, so that the fuzzer gets past the signature. What was signed
 * here may be refused for its claims but never for its signature, and twice the
 * same way, since the second look is the cache's.
 */
#include <assert.h>
#include <string.h>

#include "lib/auth/token.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"

#define NOW_MS 1000000000
#define ARENA_MAX ((size_t)4 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
as_token(struct token_key *k, const char *text, size_t len)
{
	struct arena a AUTO_ARENA;
	struct node *header, *claims;
	struct token_info info;

	arena_init(&a, ARENA_MAX);
	/* Nothing in the corpus is signed by this key. */
	assert(token_verify(k, text, len, NOW_MS, &info, NULL) == -1);
	(void)token_decode(text, len, &a, &header, &claims, NULL);
}

static void
as_claims(struct token_key *k, const char *text, size_t len)
{
	struct arena a AUTO_ARENA;
	char *token AUTO_FREE = NULL;
	struct token_info one, two;
	struct node *claims;
	struct error e = ERROR_INIT;
	int rc;

	arena_init(&a, ARENA_MAX);
	if (json_read(text, len, &a, &claims, NULL) < 0 ||
	    token_sign(k, claims, &token, NULL) < 0)
		return;
	rc = token_verify(k, token, strlen(token), NOW_MS, &one, &e);
	assert(rc == 0 || e.code == OVE_DENIED);
	/* In these words: a jti may say "signature". */
	assert(rc == 0 || strstr(e.text, "its signature is not") == NULL);
	assert(token_verify(k, token, strlen(token), NOW_MS, &two, NULL) == rc);
	if (rc == 0) {
		assert(one.exp == two.exp && strcmp(one.id, two.id) == 0);
		assert(token_has_project(&one, "web") ==
		    token_has_project(&two, "web"));
	}
	if (token_inspect(token, strlen(token), &a, &two, &claims, NULL) == 0 &&
	    rc == 0)
		assert(strcmp(one.id, two.id) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct token_key *k;
	struct error e = ERROR_INIT;

	if (k == NULL && token_key_new(&k, "a key for the fuzzer", 20, &e) < 0)
		return 0;
	as_token(k, (const char *)data, size);
	as_claims(k, (const char *)data, size);
	return 0;
}
