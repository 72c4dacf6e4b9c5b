/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord gen-token: a token signed with this machine's key (cli.md 4.1). The
 * claims are "metadata", "random_chunk" and, when it expires, "exp", in this
 * order; no "iat", since a small difference of clocks would make a fresh token
 * one from the future. A missing key file is made, a bad one is refused.
 */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/session.h"
#include "config.h"
#include "lib/auth/keyfile.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "proto/status.h"

#define CHUNK_LEN 16
/* Beyond this a time would not be exact in everybody's JSON. */
#define EXP_MAX (INT64_C(1) << 53)

static const char *const units[] = { "seconds", "minutes", "hours", "days",
	"weeks", NULL };
static const int64_t unit_seconds[] = { 1, 60, 3600, 86400, 604800 };

static const struct cmd_opt opts[] = {
	{ "metadata", "KEY[=VALUE]", CMD_LIST, 0, false, CMD_AT(metadata), NULL,
	    NULL, "A note that the token carries; repeatable." },
	{ "expire", "N", CMD_INT, 0, false, CMD_AT(expire), NULL, "never",
	    "Valid for so long." },
	{ "expire-type", "UNIT", CMD_STR, 0, false, CMD_AT(expire_type), units,
	    "hours", "Unit of --expire." },
};

static bool
is_blank(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strchr(" \t\n\v\f\r", s[i]) == NULL)
			return false;
	return true;
}

static struct node *
make_metadata(struct session *s)
{
	struct arena *a = &s->arena;
	struct node *map = node_new(a, NODE_MAP);

	for (size_t i = 0; i < s->args.metadata.n; i++) {
		const char *item = s->args.metadata.items[i];
		size_t len = strcspn(item, "=");
		const char *value = item[len] == '=' ? item + len + 1 : "";
		const char *key = arena_strndup(a, item, len);

		if (key == NULL)
			return NULL;
		if (!is_blank(item, len))
			node_replace(a, map, key, node_str(a, value));
	}
	if (map != NULL)
		node_replace(
		    a, map, "overlord.version", node_str(a, OVERLORD_VERSION));
	return map;
}

/* 0: never. */
static int
expiry(const struct cmd_args *args, int64_t *ret, struct error *e)
{
	int64_t unit = unit_seconds[2], span;

	*ret = 0;
	if (args->expire <= 0)
		return 0;
	for (size_t i = 0; args->expire_type != NULL && units[i] != NULL; i++)
		if (strcmp(units[i], args->expire_type) == 0)
			unit = unit_seconds[i];
	if (__builtin_mul_overflow(args->expire, unit, &span) ||
	    __builtin_add_overflow(clock_wall_ms() / 1000, span, ret) ||
	    *ret > EXP_MAX)
		return error_set(e, OVE_INVALID, "--expire: too far away");
	return 0;
}

static int
load_key(struct session *s, const struct config *c, struct token_key **ret,
    struct error *e)
{
	unsigned char key[KEYFILE_LEN];
	bool made = false;
	int rc;

	if (c->secret_key != NULL)
		return token_key_new(
		    ret, c->secret_key, strlen(c->secret_key), e);
	if (keyfile_load(c->secret_keyfile, KEYFILE_CREATE, key, &made, e) < 0)
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

static enum exitcode
run(struct session *s)
{
	struct token_key *key AUTO(token_key) = NULL;
	char *text AUTO_FREE = NULL;
	char chunk[CHUNK_LEN + 1];
	struct error e = ERROR_INIT;
	struct config *config = NULL;
	struct node *claims;
	enum exitcode rc;
	int64_t exp;

	if (expiry(&s->args, &exp, &e) < 0)
		return session_usage(s, NULL, "%s", error_text(&e));
	rc = session_load_config(s, &config);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (load_key(s, config, &key, &e) < 0) {
		out_fail(&s->out,
		    e.sys == EACCES ? "the key is root's: try it as root"
				    : NULL,
		    "%s", error_text(&e));
		return status_exit(e.code);
	}
	rand_hex(chunk, CHUNK_LEN);
	claims = node_new(&s->arena, NODE_MAP);
	node_set(&s->arena, claims, "metadata", make_metadata(s));
	node_set(&s->arena, claims, "random_chunk", node_str(&s->arena, chunk));
	if (exp > 0)
		node_set(&s->arena, claims, "exp", node_int(&s->arena, exp));
	if (arena_check(&s->arena, &e) < 0 ||
	    token_sign(key, claims, &text, &e) < 0)
		return session_fail(s, &e);
	out_addf(&s->out, "%s\n", text);
	mem_wipe(text, strlen(text));
	return EXIT_CODE_OK;
}

static const char *const examples[] = {
	"overlord gen-token",
	"overlord gen-token --metadata who=ci --expire 30 --expire-type days",
	NULL,
};

static const char *const exits[] = {
	"77  the key file may not be read",
	"78  the configuration is faulty",
	NULL,
};

const struct cmd cmd_gen_token = {
	.name = "gen-token",
	.group = CMD_TOOLS,
	.summary = "Make a token for this machine's server",
	.about = "Prints a token signed with the key of this machine "
		 "(secret_key or secret_keyfile of the configuration). Who has "
		 "it may do everything on this server. The key file is made "
		 "when it is missing.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
