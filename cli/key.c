/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See key.h. The bytes are wiped as soon as the key is made of them.
 */
#include "cli/key.h"

#include <string.h>

#include "cli/session.h"
#include "lib/base/mem.h"

int
key_load(struct session *s, const struct config *c, int flags,
    struct token_key **ret, struct error *e)
{
	unsigned char key[KEYFILE_LEN];
	bool made = false;
	int rc;

	if (c->secret_key != NULL)
		return token_key_new(
		    ret, c->secret_key, strlen(c->secret_key), e);
	if (keyfile_load(c->secret_keyfile, flags, key, &made, e) < 0)
		return -1;
	/* The token is for no server yet that is running. */
	if (made)
		out_warn_hint(&s->out,
		    "the token is good where overlordd uses this file; make "
		    "it there, or check OVERLORD_CONFIG",
		    "there was no key, a new one is in %s", c->secret_keyfile);
	rc = token_key_new(ret, key, sizeof(key), e);
	mem_wipe(key, sizeof(key));
	return rc;
}
