/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord token (cli.md 6.8). "inspect" says what a token says of itself,
 * without asking anybody; with --verify also whether this machine's key has
 * signed it. The token itself is never printed. "list" and "revoke" are
 * tokens.c's.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/key.h"
#include "cli/listing.h"
#include "cli/tokens.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/data/json.h"
#include "proto/human.h"
#include "proto/status.h"

#define STDIN_BYTES_MAX 65536
#define LINE_BYTES_MAX 65536
/* The last second of the year 9999. */
#define EXP_MAX INT64_C(253402300799)

static const struct cmd_opt opts[] = {
	{ "file", "FILE", CMD_STR, 'f', false, CMD_AT(file), NULL, NULL,
	    "Deployment file; without one this machine's server is asked." },
	LISTING_OPTS,
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	{ "verify", NULL, CMD_FLAG, 0, false, CMD_AT(verify), NULL, NULL,
	    "Check the signature with this machine's key." },
};

/* The token without blanks around it. NULL: there is none, and e says why. */
static char *
read_token(struct session *s, size_t *ret_len, struct error *e)
{
	const char *given = s->args.words.n > 1 ? s->args.words.items[1] : NULL;
	char *text AUTO_FREE = NULL;
	size_t len, from;

	if (given == NULL)
		given = getenv("OVERLORD_TOKEN");
	if (given == NULL || given[0] == '\0' || strcmp(given, "-") == 0) {
		if (file_read_fd(
			STDIN_FILENO, STDIN_BYTES_MAX, &text, &len, e) < 0)
			return NULL;
		given = text;
	}
	from = strspn(given, " \t\r\n");
	len = strlen(given + from);
	while (len > 0 && strchr(" \t\r\n", given[from + len - 1]) != NULL)
		len--;
	*ret_len = len;
	return arena_strndup(&s->arena, given + from, len);
}

static void
show_expiry(struct session *s, int64_t exp, int64_t now)
{
	AUTO_STRBUF struct strbuf age;
	char at[CLOCK_TEXT_LEN];

	strbuf_init(&age, LINE_BYTES_MAX);
	if (exp == 0) {
		out_addf(&s->out, "expires: never\n");
		return;
	}
	human_age(&age,
	    exp > now ? (exp > EXP_MAX ? EXP_MAX : exp) - now
		      : now - (exp < 0 ? 0 : exp));
	/* Beyond what has a date it is as good as that. */
	(void)clock_wall_text(1000 *
		(exp < 0                ? 0
			: exp > EXP_MAX ? EXP_MAX
					: exp),
	    at);
	out_addf(&s->out,
	    exp > now ? "expires: %s (expires in %s)\n"
		      : "expires: %s (expired %s ago)\n",
	    at, age.buf != NULL ? age.buf : "");
}

static void
show_rights(struct session *s, const struct token_info *t)
{
	const char *scope = token_scope_to_string(t->scope);
	const char *between = "";

	if (scope == NULL)
		scope = t->scope == TOKEN_SCOPE_ALL
		    ? "everything"
		    : "nothing, it is not understood";
	out_addf(&s->out, "scope: %s\nprojects: ", scope);
	for (size_t i = 0; i < t->projects_len && t->projects[i] != '\0';
	     i += strlen(t->projects + i) + 1) {
		out_addf(&s->out, "%s%s", between, t->projects + i);
		between = ", ";
	}
	out_addf(&s->out, "%s\n",
	    t->projects == NULL      ? "all"
		: between[0] == '\0' ? "none"
				     : "");
}

/* A verdict of the key, or EXIT_CODE_OK. */
static enum exitcode
verify(struct session *s, const char *token, size_t len)
{
	struct token_key *key AUTO(token_key) = NULL;
	struct config *config = NULL;
	struct token_info info;
	struct error e = ERROR_INIT;
	enum exitcode rc = session_load_config(s, &config);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (key_load(s, config, KEYFILE_READ, &key, &e) < 0) {
		out_fail(&s->out, NULL, "%s", error_text(&e));
		return status_exit(e.code);
	}
	if (token_verify(key, token, len, clock_wall_ms(), &info, &e) == 0) {
		out_addf(&s->out, "signature: by this machine's key\n");
		return EXIT_CODE_OK;
	}
	out_fail(&s->out, NULL, "%s", error_text(&e));
	return EXIT_CODE_FAILED;
}

static enum exitcode
inspect(struct session *s)
{
	AUTO_STRBUF struct strbuf json;
	int64_t now = clock_wall_ms() / 1000;
	struct error e = ERROR_INIT;
	struct token_info info;
	struct node *claims;
	char *token;
	size_t len = 0;

	strbuf_init(&json, LINE_BYTES_MAX);
	token = read_token(s, &len, &e);
	if (token == NULL)
		return session_fail(s, &e);
	if (token_inspect(token, len, &s->arena, &info, &claims, &e) < 0) {
		out_fail(&s->out, NULL, "%s", error_text(&e));
		return e.code == OVE_NOMEM ? EXIT_CODE_OSERR
					   : EXIT_CODE_DATAERR;
	}
	json_write(&json, claims, JSON_COMPACT);
	if (strbuf_check(&json, &e) < 0)
		return session_fail(s, &e);
	out_addf(&s->out, "id: %s\n", info.id);
	show_rights(s, &info);
	show_expiry(s, info.exp, now);
	out_addf(&s->out, "claims: %s\n", json.buf);
	if (s->args.verify)
		return verify(s, token, len);
	return info.exp != 0 && info.exp <= now ? EXIT_CODE_FAILED
						: EXIT_CODE_OK;
}

static enum exitcode
run(struct session *s)
{
	const struct cmd_strs *words = &s->args.words;
	const char *verb = words->items[0];
	bool lists = strcmp(verb, "list") == 0;
	enum exitcode rc = EXIT_CODE_OK;

	if (strcmp(verb, "inspect") == 0)
		return inspect(s);
	if (!lists && strcmp(verb, "revoke") != 0)
		return session_usage_verb(s, verb);
	if (words->n != (lists ? 1 : 2))
		return session_usage(s, NULL, "usage: overlord token %s",
		    lists ? "list" : "revoke ID|TOKEN");
	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc != EXIT_CODE_OK)
		return rc;
	return lists ? tokens_list(s) : tokens_revoke(s, words->items[1]);
}

static const char *const verbs[] = { "inspect", "list", "revoke", NULL };

static const char *const examples[] = {
	"overlord token inspect",
	"overlord token inspect --verify - < token",
	"overlord token revoke -f web.yml ci-2026",
	"overlord token list -f web.yml",
	NULL,
};

static const char *const exits[] = {
	"1   it has expired, or is not signed by this machine's key",
	"65  it is not a token, or the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"69  a server could not be reached",
	"76  a server refused",
	"77  a server does not accept the token that was used",
	NULL,
};

const struct cmd cmd_token = {
	.name = "token",
	.group = CMD_TOOLS,
	.summary = "Inspect a token, revoke one, list revoked ones",
	.about = "'inspect' shows the id, the rights, the end and the claims "
		 "of a token, which is the argument, or OVERLORD_TOKEN, or "
		 "on standard input; nobody is asked. 'revoke' makes a token, "
		 "given by its id or as it is, worthless on every server "
		 "below the file's data centers, and 'list' shows those that "
		 "are; both need a token of scope admin.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "inspect|list|revoke [ID|TOKEN|-]",
	.verbs = verbs,
	.words_min = 1,
	.words_max = 2,
	.examples = examples,
	.exits = exits,
	.run = run,
};
