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
#include "cli/doc.h"
#include "cli/gen_token.h"
#include "cli/key.h"
#include "cli/listing.h"
#include "cli/tokens.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/data/json.h"
#include "proto/human.h"
#include "proto/status.h"

#define STDIN_BYTES_MAX 65536
#define LINE_BYTES_MAX 65536
/* The last second of the year 9999. */
#define EXP_MAX INT64_C(253402300799)

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE_IF,
	LISTING_OPTS,
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	{ "verify", NULL, CMD_FLAG, 0, false, CMD_AT(verify), NULL, NULL,
	    "Check the signature with this machine's key." },
	GEN_TOKEN_OPTS,
};

/* What the options of "new" are of no use for. */
static const char *
find_unused(const struct cmd_args *a)
{
	return a->metadata.n > 0     ? "--metadata"
	    : a->expire > 0          ? "--expire"
	    : a->expire_type != NULL ? "--expire-type"
	    : a->scope != NULL       ? "--scope"
	    : a->project.n > 0       ? "--project"
				     : NULL;
}

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
	if (token_verify(key, token, len, clock_wall_ms(), &info, &e) == 0)
		return EXIT_CODE_OK;
	out_fail(&s->out, NULL, "%s", error_text(&e));
	return EXIT_CODE_FAILED;
}

static enum exitcode
show(struct session *s, const struct token_info *t, const struct node *claims,
    int64_t now)
{
	AUTO_STRBUF struct strbuf json;
	struct error e = ERROR_INIT;

	strbuf_init(&json, LINE_BYTES_MAX);
	json_write(&json, claims, JSON_COMPACT);
	if (strbuf_check(&json, &e) < 0)
		return session_fail(s, &e);
	out_addf(&s->out, "id: %s\n", t->id);
	show_rights(s, t);
	show_expiry(s, t->exp, now);
	out_addf(&s->out, "claims: %s\n", json.buf);
	return EXIT_CODE_OK;
}

/* The same for programs, and what --verify found: null without it. */
static enum exitcode
show_doc(struct session *s, const struct token_info *t, struct node *claims,
    enum exitcode verified)
{
	struct arena *a = &s->arena;
	struct node *n = doc_new(a, "overlord.token/1"), *projects = NULL;

	for (size_t i = 0; i < t->projects_len && t->projects[i] != '\0';
	     i += strlen(t->projects + i) + 1) {
		if (projects == NULL)
			projects = node_new(a, NODE_LIST);
		node_add(a, projects, node_str(a, t->projects + i));
	}
	if (projects == NULL)
		projects =
		    t->projects == NULL ? node_null(a) : node_new(a, NODE_LIST);
	doc_set_str(a, n, "id", t->id);
	doc_set_str(a, n, "scope",
	    t->scope == TOKEN_SCOPE_ALL ? "all"
					: token_scope_to_string(t->scope));
	node_set(a, n, "projects", projects);
	node_set(
	    a, n, "expires", t->exp != 0 ? node_int(a, t->exp) : node_null(a));
	node_set(a, n, "signed",
	    s->args.verify ? node_bool(a, verified == EXIT_CODE_OK)
			   : node_null(a));
	node_set(a, n, "claims", claims);
	return doc_print(s, n);
}

static enum exitcode
inspect(struct session *s)
{
	enum exitcode rc = EXIT_CODE_OK, verified = EXIT_CODE_OK;
	int64_t now = clock_wall_ms() / 1000;
	struct error e = ERROR_INIT;
	struct token_info info;
	struct node *claims;
	char *token;
	size_t len = 0;

	token = read_token(s, &len, &e);
	if (token == NULL)
		return session_fail(s, &e);
	if (token_inspect(token, len, &s->arena, &info, &claims, &e) < 0) {
		if (e.code == OVE_NOMEM)
			return session_fail(s, &e);
		out_fail(&s->out,
		    len == 0 ? "give it as an argument or on standard input, "
			       "or set OVERLORD_TOKEN"
			     : NULL,
		    "not a token: %s",
		    len == 0 ? "there is nothing" : error_text(&e));
		return EXIT_CODE_DATAERR;
	}
	if (!doc_is_wanted(s))
		rc = show(s, &info, claims, now);
	if (rc == EXIT_CODE_OK && s->args.verify)
		verified = verify(s, token, len);
	if (doc_is_wanted(s) &&
	    (verified == EXIT_CODE_OK || verified == EXIT_CODE_FAILED))
		rc = show_doc(s, &info, claims, verified);
	else if (s->args.verify && verified == EXIT_CODE_OK)
		out_addf(&s->out, "signature: by this machine's key\n");
	if (rc != EXIT_CODE_OK || verified != EXIT_CODE_OK)
		return rc != EXIT_CODE_OK ? rc : verified;
	return info.exp != 0 && info.exp <= now ? EXIT_CODE_FAILED
						: EXIT_CODE_OK;
}

static enum exitcode
list(struct session *s)
{
	return tokens_list(s);
}

static enum exitcode
revoke_one(struct session *s)
{
	return tokens_revoke(s, s->args.words.items[1]);
}

static const struct verb {
	const char *name;
	/* Behind the name. */
	const char *usage;
	size_t words_min;
	size_t words_max;
	bool asks;
	enum exitcode (*run)(struct session *s);
} verbs[] = {
	{ "new", "", 1, 1, false, gen_token },
	{ "inspect", " [TOKEN|-]", 1, 2, false, inspect },
	{ "list", "", 1, 1, true, list },
	{ "revoke", " ID|TOKEN", 2, 2, true, revoke_one },
};
static const char *const verb_names[] = { "new", "inspect", "list", "revoke",
	NULL };

static enum exitcode
run(struct session *s)
{
	const struct cmd_strs *words = &s->args.words;
	const char *unused = find_unused(&s->args);
	const struct verb *v = verbs;
	enum exitcode rc = EXIT_CODE_OK;

	while (v < verbs + ARRAY_LEN(verbs) &&
	    strcmp(v->name, words->items[0]) != 0)
		v++;
	if (v == verbs + ARRAY_LEN(verbs))
		return session_usage_verb(s, words->items[0]);
	if (words->n < v->words_min || words->n > v->words_max)
		return session_usage(
		    s, NULL, "usage: overlord token %s%s", v->name, v->usage);
	if (unused != NULL && v->run != gen_token)
		return session_usage(s, NULL, "%s is for 'token new'", unused);
	if (v->asks && s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	return rc != EXIT_CODE_OK ? rc : v->run(s);
}

static const char *const examples[] = {
	"overlord token new --scope read --expire 30 --expire-type days",
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
	.summary = "Make or inspect a token, revoke one, list revoked ones",
	.about = "'new' is gen-token. 'inspect' shows the id, the rights, the "
		 "end and the claims "
		 "of a token, which is the argument, or OVERLORD_TOKEN, or "
		 "on standard input; nobody is asked. 'revoke' makes a token, "
		 "given by its id or as it is, worthless on every server "
		 "below the file's data centers, and 'list' shows those that "
		 "are; both need a token of scope admin.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "new|inspect|list|revoke [ID|TOKEN|-]",
	.verbs = verb_names,
	.words_min = 1,
	.words_max = 2,
	.examples = examples,
	.exits = exits,
	.run = run,
};
