/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Who asks, and what the token may do: its scope against the column of
 * proto/routes.def, its projects against the word {project} or {vm} of the
 * path, since a VM is a project of that name. A token that is narrowed to
 * projects is refused on every route that is neither about one project nor in
 * the list here, so that a new route is closed to it until somebody has thought
 * about what it shows. The handlers of that list leave out, or refuse, what is
 * of other projects.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/api_internal.h"
#include "lib/base/clock.h"

/* Who */

static void
unauthorized(struct http_req *req, int status, const char *text)
{
	static const struct http_reply_header bearer = { "WWW-Authenticate",
		"Bearer" };

	api_reply_text(req, status, text, status == 401 ? &bearer : NULL);
}

/* The value of the header that decides, or NULL after an answer. */
static const struct http1_header *
auth_header(struct http_req *req, const char **ret_name)
{
	const struct http1_head *h = http_req_head(req);
	const struct http1_header *v;

	*ret_name = "Authentication";
	v = http1_find(h, *ret_name, 0);
	if (v == NULL) {
		*ret_name = "Authorization";
		v = http1_find(h, *ret_name, 0);
	}
	if (v == NULL)
		unauthorized(req, 401,
		    "'Authentication' header is required but hasn't been "
		    "specified.");
	else if (http1_find(h, *ret_name, 1) != NULL) {
		unauthorized(req, 401, "Error while decoding the JWT.");
		v = NULL;
	}
	return v;
}

/* A copy that lives as long as the request; false after an answer. */
static bool
keep_projects(struct api_call *c)
{
	struct error e = ERROR_INIT;
	char *copy;

	if (c->token.projects == NULL)
		return true;
	copy = arena_alloc(c->arena, c->token.projects_len);
	if (copy == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return false;
	}
	memcpy(copy, c->token.projects, c->token.projects_len);
	c->token.projects = copy;
	return true;
}

bool
api_authenticate(struct api_call *c)
{
	const struct http1_header *v;
	const char *name, *space, *token;
	struct error e = ERROR_INIT;
	struct http1_span s;
	size_t len;

	if ((v = auth_header(c->req, &name)) == NULL)
		return false;
	s = v->value;
	space = memchr(s.p, ' ', s.len);
	if (space == NULL) {
		char text[80];

		(void)snprintf(text, sizeof(text),
		    "'%s' header is invalid for this entrypoint.", name);
		unauthorized(c->req, 400, text);
		return false;
	}
	if (space - s.p != 6 || strncasecmp(s.p, "Bearer", 6) != 0) {
		unauthorized(c->req, 400,
		    "Authentication scheme is invalid for this entrypoint.");
		return false;
	}
	token = space + 1;
	len = s.len - (size_t)(token - s.p);
	if (!api_may_try(c, token, len))
		return false;
	if (token_verify(c->api->config.key, token, len, clock_wall_ms(),
		&c->token, &e) == 0) {
		if (!revoked_has(c->api->revoked, c->token.id))
			return keep_projects(c);
		(void)error_set(
		    &e, OVE_DENIED, "token '%s' is revoked", c->token.id);
	}
	if (e.code == OVE_NOMEM)
		api_reply_error(c->api, c->req, &e);
	else
		api_wrong(c, token, len, &e);
	return false;
}

bool
api_is_over(const struct api_call *c)
{
	const struct token_info *t = &c->token;

	return (t->exp != 0 && clock_wall_ms() / 1000 >= t->exp) ||
	    revoked_has(c->api->revoked, t->id);
}

const char *
api_by(const struct api_call *c)
{
	return arena_printf(
	    c->arena, "%s@%s", c->token.id, http_req_peer(c->req));
}

/* What */

/* Routes that show nothing of projects, or whose handlers look at the token. */
static const bool for_narrowed[ROUTE_COUNT] = {
	[ROUTE_PING] = true,
	[ROUTE_OPENAPI] = true,
	[ROUTE_LABELS] = true,
	[ROUTE_CHAINS] = true,
	[ROUTE_PROJECTS] = true,
	[ROUTE_EVENTS] = true,
	[ROUTE_TREE] = true,
	[ROUTE_JOBS] = true,
	[ROUTE_JOB] = true,
	[ROUTE_JOB_CANCEL] = true,
	[ROUTE_JOB_RETRY] = true,
	[ROUTE_JOB_OUTPUT] = true,
};

/* What a server below answers was left to the token of the chain, which sees
 * all: a twin passes only if its route shows nothing of projects. */
static bool
twin_may(const struct api_call *c)
{
	return c->twin == NULL || c->route == ROUTE_PING ||
	    c->route == ROUTE_LABELS || c->route == ROUTE_CHAINS;
}

static const enum token_scope needed[] = {
	[SCOPE_NONE] = TOKEN_SCOPE_NONE,
	[SCOPE_READ] = TOKEN_SCOPE_READ,
	[SCOPE_DEPLOY] = TOKEN_SCOPE_DEPLOY,
	[SCOPE_ADMIN] = TOKEN_SCOPE_ADMIN,
};

/* Which word of the route's path is a project; -1: none. */
static int
project_word(enum route_id id)
{
	static const char project[] = "{project}", vm[] = "{vm}";
	const char *p = routes[id].path;

	for (int i = 0; (p = strchr(p, '{')) != NULL; i++, p++)
		if (strncmp(p, project, sizeof(project) - 1) == 0 ||
		    strncmp(p, vm, sizeof(vm) - 1) == 0)
			return i;
	return -1;
}

static bool
may_scope(struct api_call *c)
{
	enum token_scope has = c->token.scope;
	enum token_scope needs = needed[routes[c->route].scope];

	if (has == TOKEN_SCOPE_NONE)
		api_reply_message(c->api, c->req, 403,
		    "The scope or the projects of this token are not "
		    "understood, so it may do nothing.");
	else if (has < needs)
		api_reply_message(c->api, c->req, 403,
		    "The scope of this token is '%s', this needs '%s'.",
		    token_scope_to_string(has), token_scope_to_string(needs));
	else
		return true;
	return false;
}

bool
api_sees(const struct api_call *c, const char *project)
{
	return token_has_project(&c->token, project);
}

bool
api_may_project(struct api_call *c, const char *project)
{
	if (api_sees(c, project))
		return true;
	api_reply_message(c->api, c->req, 403,
	    "This token is not for project '%s'.", project);
	return false;
}

bool
api_may(struct api_call *c)
{
	int word = project_word(c->route);

	if (!may_scope(c))
		return false;
	if (c->token.projects == NULL)
		return true;
	if (word >= 0)
		return api_may_project(c, c->params[word]);
	if (for_narrowed[c->route] && twin_may(c))
		return true;
	api_reply_message(c->api, c->req, 403,
	    "This token is for some projects only, and this is not about one "
	    "of them.");
	return false;
}
