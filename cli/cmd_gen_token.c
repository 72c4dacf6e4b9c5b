/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord gen-token: a token signed with this machine's key (cli.md 4.1). The
 * claims are "metadata", "random_chunk", when it expires "exp", "jti" (its name
 * in logs, and what revokes it), and "scope" and "projects" when they are
 * narrowed, in this order; no "iat", since a small difference of clocks would
 * make a fresh token one from the future. A missing key file is made, a bad one
 * is refused.
 */
#include <errno.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/gen_token.h"
#include "cli/key.h"
#include "cli/session.h"
#include "config.h"
#include "lib/auth/keyfile.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/rand.h"
#include "proto/names.h"
#include "proto/status.h"

#define CHUNK_LEN 16
#define ID_LEN 24
/* Beyond this a time would not be exact in everybody's JSON. */
#define EXP_MAX (INT64_C(1) << 53)

const char *const gen_token_units[] = { "seconds", "minutes", "hours", "days",
	"weeks", NULL };
static const int64_t unit_seconds[] = { 1, 60, 3600, 86400, 604800 };

const char *const gen_token_scopes[] = { "read", "deploy", "admin", NULL };

static const struct cmd_opt opts[] = { GEN_TOKEN_OPTS };

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
	for (size_t i = 0;
	     args->expire_type != NULL && gen_token_units[i] != NULL; i++)
		if (strcmp(gen_token_units[i], args->expire_type) == 0)
			unit = unit_seconds[i];
	if (__builtin_mul_overflow(args->expire, unit, &span) ||
	    __builtin_add_overflow(clock_wall_ms() / 1000, span, ret) ||
	    *ret > EXP_MAX)
		return error_set(e, OVE_INVALID, "--expire: too far away");
	return 0;
}

static struct node *
make_projects(struct session *s)
{
	struct node *list = node_new(&s->arena, NODE_LIST);

	for (size_t i = 0; i < s->args.project.n; i++)
		node_add(&s->arena, list,
		    node_str(&s->arena, s->args.project.items[i]));
	return list;
}

static struct node *
make_claims(struct session *s, int64_t exp)
{
	struct arena *a = &s->arena;
	struct node *claims = node_new(a, NODE_MAP);
	char id[ID_LEN + 1];

	rand_hex(id, CHUNK_LEN);
	node_set(a, claims, "metadata", make_metadata(s));
	node_set(a, claims, "random_chunk", node_str(a, id));
	if (exp > 0)
		node_set(a, claims, "exp", node_int(a, exp));
	rand_hex(id, ID_LEN);
	node_set(a, claims, "jti", node_str(a, id));
	if (s->args.scope != NULL)
		node_set(a, claims, "scope", node_str(a, s->args.scope));
	if (s->args.project.n > 0)
		node_set(a, claims, "projects", make_projects(s));
	return claims;
}

/* A name that is none would make a token that is good for nothing. */
static const char *
bad_project(const struct cmd_args *args)
{
	for (size_t i = 0; i < args->project.n; i++) {
		const char *name = args->project.items[i];

		if (!name_is_project(name, strlen(name)))
			return name;
	}
	return NULL;
}

enum exitcode
gen_token(struct session *s)
{
	struct token_key *key AUTO(token_key) = NULL;
	char *text AUTO_FREE = NULL;
	struct error e = ERROR_INIT;
	struct config *config = NULL;
	const char *bad = bad_project(&s->args);
	struct node *claims;
	enum exitcode rc;
	int64_t exp;

	if (bad != NULL)
		return session_usage(
		    s, NULL, "--project: '%s' is not a project name", bad);
	if (expiry(&s->args, &exp, &e) < 0)
		return session_usage(s, NULL, "%s", error_text(&e));
	rc = session_load_config(s, &config);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (key_load(s, config, KEYFILE_CREATE, &key, &e) < 0) {
		out_fail(&s->out,
		    e.sys == EACCES ? "the key is root's: try it as root"
				    : NULL,
		    "%s", error_text(&e));
		return status_exit(e.code);
	}
	claims = make_claims(s, exp);
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
	"overlord gen-token --scope deploy --project web --project dns",
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
		 "it may do everything on this server, unless --scope or "
		 "--project narrow it: 'read' looks, 'deploy' also deploys, "
		 "destroys and cancels, 'admin' is everything. The key file "
		 "is made when it is missing.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = gen_token,
};
