/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a token may do: its scope against the column of proto/routes.def, its
 * projects against the word {project} or {vm} of the path, since a VM is a
 * project of that name. A token that is narrowed to
 * projects is refused on every route that is neither about one project nor in
 * the list here, so that a new route is closed to it until somebody has thought
 * about what it shows. The handlers of that list leave out, or refuse, what is
 * of other projects.
 */
#include <string.h>

#include "daemon/api_internal.h"

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
