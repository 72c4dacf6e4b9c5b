/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * From names to servers. Unknown data centers are a missing input (66), data
 * centers without entrypoint or access_token a fault of the file (65), both
 * told before anybody is asked.
 */
#include "cli/servers.h"

#include <stdlib.h>
#include <string.h>

#include "lib/auth/keyfile.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "proto/chainpath.h"

#define LOCAL_NAME "local"
#define LOCAL_URL "http://127.0.0.1:8888"
/* Of the token that is made for one command. */
#define LOCAL_TOKEN_S 60
#define LOCAL_CONNECT_MS 10000
#define LOCAL_READ_MS 120000
/* For a whole call where the file limits its parts: nothing hangs for ever, not
 * even when libcurl forgets a transfer because memory was out. */
#define TOTAL_MS (INT64_C(3600) * 1000)

static bool
is_wanted(const struct cmd_strs *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return names->n == 0;
}

static enum exitcode
not_found(struct session *s, const char *name)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 4096);
	strbuf_addf(&b, "%s defines: ", s->spec_name);
	for (size_t i = 0; i < s->spec->datacenters.n; i++)
		strbuf_addf(&b, "%s%s", i == 0 ? "" : ", ",
		    s->spec->datacenters.keys[i]);
	out_fail(&s->out, s->spec->datacenters.n > 0 ? b.buf : NULL,
	    "(datacenter:%s) data center cannot be found", name);
	return EXIT_CODE_NOINPUT;
}

/* The same data center is the same server, so that it can be compared. */
static const struct client_server *
make_server(struct session *s, const char *name)
{
	const struct spec_datacenter *dc = spec_find_datacenter(s->spec, name);
	struct client_server *server = arena_alloc(&s->arena, sizeof(*server));

	if (server == NULL || dc == NULL)
		return NULL;
	server->name = name;
	server->url = dc->entrypoint != NULL ? dc->entrypoint : "";
	server->token = dc->access_token;
	server->cacert = dc->cacert;
	server->connect_ms = dc->connect_timeout_ms;
	server->read_ms = dc->read_timeout_ms;
	if (server->connect_ms > 0 && server->read_ms > 0)
		server->total_ms = TOTAL_MS;
	return server;
}

static int
parse(struct session *s, const char *text, const char **ret_name,
    const char **ret_chain, struct error *e)
{
	struct chainpath path;

	if (chainpath_parse_entrypoint(text, &s->arena, ret_name, &path, e) < 0)
		return -1;
	*ret_chain = chainpath_join(&path, &s->arena);
	return arena_check(&s->arena, e);
}

/* Adds to d what the data center lacks; 0 when it is in the file. */
static bool
check(struct session *s, const char *name, struct diag *d)
{
	if (spec_find_datacenter(s->spec, name) == NULL)
		return false;
	spec_require_datacenter(s->spec, name, &s->arena, d);
	return true;
}

static bool
is_same(const struct tree_entry *a, const char *name, const char *chain)
{
	if (strcmp(a->server->name, name) != 0)
		return false;
	if (a->chain == NULL || chain == NULL)
		return a->chain == chain;
	return strcmp(a->chain, chain) == 0;
}

static bool
has_entry(const struct tree_entry *list, size_t n, const char *name,
    const char *chain)
{
	for (size_t i = 0; i < n; i++)
		if (is_same(&list[i], name, chain))
			return true;
	return false;
}

/* Names on the command line must exist too. */
static enum exitcode
check_wanted(struct session *s)
{
	const struct cmd_strs *names = &s->args.datacenter;

	for (size_t i = 0; i < names->n; i++)
		if (spec_find_datacenter(s->spec, names->items[i]) == NULL)
			return not_found(s, names->items[i]);
	return EXIT_CODE_OK;
}

static enum exitcode
add_entries(struct session *s, const struct schema_strs *texts, int flags,
    struct tree_entry *list, size_t *n, struct diag *d)
{
	const char *name, *chain;
	struct error e = ERROR_INIT;

	for (size_t i = 0; i < texts->n; i++) {
		/* A data center's name may be anything, an entry point not. */
		if ((flags & SERVERS_WHOLE) != 0 ||
		    texts->items == s->spec->datacenters.keys) {
			name = texts->items[i];
			chain = NULL;
		} else if (parse(s, texts->items[i], &name, &chain, &e) < 0) {
			return session_fail(s, &e);
		}
		if (!check(s, name, d))
			return not_found(s, name);
		if (!is_wanted(&s->args.datacenter, name) ||
		    ((flags & SERVERS_MERGE) != 0 &&
			has_entry(list, *n, name, chain)))
			continue;
		list[*n].server = make_server(s, name);
		list[*n].chain = chain;
		if (list[*n].server == NULL && arena_check(&s->arena, &e) < 0)
			return session_fail(s, &e);
		(*n)++;
	}
	return EXIT_CODE_OK;
}

enum exitcode
servers_of_spec(
    struct session *s, int flags, struct tree_entry **ret, size_t *ret_n)
{
	struct schema_strs texts = s->spec->entrypoints;
	struct tree_entry *list;
	enum exitcode rc;
	struct diag d;

	rc = check_wanted(s);
	if (rc != EXIT_CODE_OK)
		return rc;
	if ((flags & SERVERS_WHOLE) != 0) {
		texts.items = s->spec->datacenters.keys;
		texts.n = s->spec->datacenters.n;
	}
	diag_init(&d, &s->arena, s->spec_name);
	list = arena_calloc(&s->arena, texts.n + 1, sizeof(*list));
	if (list == NULL)
		return EXIT_CODE_OSERR;
	*ret_n = 0;
	rc = add_entries(s, &texts, flags, list, ret_n, &d);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (d.errors > 0) {
		out_diag(&s->out, &d, s->spec_text);
		return EXIT_CODE_DATAERR;
	}
	*ret = list;
	return EXIT_CODE_OK;
}

/* This machine */

/* As little as the command needs. */
static const char *
local_scope(const struct session *s)
{
	static const struct {
		const char *cmd;
		/* NULL: any. */
		const char *verb;
		const char *scope;
	} needs[] = {
		{ "jobs", "cancel", "deploy" },
		{ "jobs", "retry", "deploy" },
		{ "token", NULL, "admin" },
		{ "audit", NULL, "admin" },
	};
	const struct cmd_strs *words = &s->args.words;

	for (size_t i = 0; i < ARRAY_LEN(needs); i++)
		if (strcmp(s->cmd->name, needs[i].cmd) == 0 &&
		    (needs[i].verb == NULL ||
			(words->n > 0 &&
			    strcmp(words->items[0], needs[i].verb) == 0)))
			return needs[i].scope;
	return "read";
}

static const char *
make_local_token(struct session *s)
{
	unsigned char raw[KEYFILE_LEN];
	struct token_key *key AUTO(token_key) = NULL;
	char *text AUTO_FREE = NULL;
	struct config *config = NULL;
	struct diag d;
	struct node *claims;
	bool made;

	diag_init(&d, &s->arena, NULL);
	if (config_load(session_config_path(s), session_getenv, NULL, &s->arena,
		&d, &config, NULL) < 0)
		return NULL;
	if (config->secret_key != NULL) {
		if (token_key_new(&key, config->secret_key,
			strlen(config->secret_key), NULL) < 0)
			return NULL;
	} else {
		if (keyfile_load(config->secret_keyfile, KEYFILE_READ, raw,
			&made, NULL) < 0)
			return NULL;
		(void)token_key_new(&key, raw, sizeof(raw), NULL);
		mem_wipe(raw, sizeof(raw));
	}
	claims = node_new(&s->arena, NODE_MAP);
	node_set(
	    &s->arena, claims, "scope", node_str(&s->arena, local_scope(s)));
	node_set(&s->arena, claims, "exp",
	    node_int(&s->arena, clock_wall_ms() / 1000 + LOCAL_TOKEN_S));
	if (key == NULL || claims == NULL ||
	    token_sign(key, claims, &text, NULL) < 0)
		return NULL;
	return arena_strdup(&s->arena, text);
}

static enum exitcode
make_local(struct session *s, struct client_server **ret)
{
	const char *url = getenv("OVERLORD_ENTRYPOINT");
	const char *token = getenv("OVERLORD_TOKEN");
	struct client_server *server = arena_alloc(&s->arena, sizeof(*server));

	if (server == NULL)
		return EXIT_CODE_OSERR;
	if (url == NULL || url[0] == '\0')
		url = LOCAL_URL;
	if (spec_url_fault(url) != NULL)
		return session_usage(s, "it looks like " LOCAL_URL,
		    "OVERLORD_ENTRYPOINT: '%s' %s", url, spec_url_fault(url));
	if (token == NULL || token[0] == '\0')
		token = make_local_token(s);
	if (token == NULL)
		return session_usage(s,
		    "name a deployment file with -f, or set OVERLORD_TOKEN",
		    "there is neither a file nor a token, and no key of this "
		    "machine that may be read");
	server->name = LOCAL_NAME;
	server->url = url;
	server->token = token;
	server->connect_ms = LOCAL_CONNECT_MS;
	server->read_ms = LOCAL_READ_MS;
	server->total_ms = TOTAL_MS;
	*ret = server;
	return EXIT_CODE_OK;
}

enum exitcode
servers_local(struct session *s, struct tree_entry **ret, size_t *ret_n)
{
	struct tree_entry *list = arena_calloc(&s->arena, 1, sizeof(*list));
	struct client_server *server = NULL;
	enum exitcode rc;

	if (list == NULL)
		return EXIT_CODE_OSERR;
	rc = make_local(s, &server);
	list[0].server = server;
	*ret = list;
	*ret_n = rc == EXIT_CODE_OK ? 1 : 0;
	return rc;
}

enum exitcode
servers_entrypoint(struct session *s, const char *text, struct tree_entry *ret)
{
	struct client_server *local = NULL;
	struct error e = ERROR_INIT;
	const char *name, *chain;
	enum exitcode rc;
	struct diag d;

	memset(ret, 0, sizeof(*ret));
	if (s->spec != NULL && spec_find_datacenter(s->spec, text) != NULL) {
		name = text;
		chain = NULL;
	} else if (parse(s, text, &name, &chain, &e) < 0) {
		return session_usage(s, NULL, "%s", error_text(&e));
	}
	ret->chain = chain;
	if (s->spec == NULL) {
		if (strcmp(name, LOCAL_NAME) != 0)
			return session_usage(s,
			    "name a deployment file with -f",
			    "(datacenter:%s) data center cannot be found",
			    name);
		rc = make_local(s, &local);
		ret->server = local;
		return rc;
	}
	diag_init(&d, &s->arena, s->spec_name);
	if (!check(s, name, &d))
		return not_found(s, name);
	if (d.errors > 0) {
		out_diag(&s->out, &d, s->spec_text);
		return EXIT_CODE_DATAERR;
	}
	ret->server = make_server(s, name);
	return ret->server != NULL ? EXIT_CODE_OK : EXIT_CODE_OSERR;
}

const char *
servers_chain(const char *chain)
{
	return chain != NULL ? chain : "<root>";
}

const char *
servers_context(
    struct arena *a, const struct client_server *server, const char *chain)
{
	const char *s = arena_printf(a, "(datacenter:%s, chain:%s",
	    server->name, chain != NULL ? chain : "None");

	return s != NULL ? s : "(";
}
