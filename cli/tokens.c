/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each server has its own list of revoked tokens, so one is revoked on all of
 * them, and a server that cannot be asked is a failure: the token is still good
 * there. Data centers come last, after everything below them: the token that is
 * revoked may be the one that this program uses to get there.
 */
#include "cli/tokens.h"

#include <string.h>

#include "cli/listing.h"
#include "cli/targets.h"
#include "lib/auth/token.h"
#include "lib/event/loop.h"
#include "proto/human.h"

#define ID_MAX (sizeof(((struct token_info *)NULL)->id) - 1)

struct revoking {
	struct session *session;
	struct targets targets;
	const char *id;
	size_t done;
	size_t pending;
};

static void
fail(struct target *t, enum client_class class, const char *text)
{
	struct session *s = t->all->session;

	out_fail(&s->out, targets_hint(s, t->server, class),
	    "%s) error revoking the token: %s", t->context, text);
	target_failed(t, class);
}

static void
end(struct target *t)
{
	struct revoking *r = t->all->rule.ctx;

	if (t->chain != NULL)
		target_done(t);
	else if (--r->pending == 0)
		loop_stop(r->session->loop);
}

static void
on_revoked(const struct client_reply *rp, void *ctx)
{
	struct target *t = ctx;
	struct revoking *r = t->all->rule.ctx;

	if (rp->class == CLIENT_OK)
		r->done++;
	else
		fail(t, rp->class, rp->text);
	end(t);
}

static void
revoke(struct target *t)
{
	struct revoking *r = t->all->rule.ctx;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_TOKEN_REVOKE,
		.params = &r->id,
		.params_n = 1 };

	if (client_call(r->session->client, &call, on_revoked, t, &e) < 0) {
		fail(t, CLIENT_UNAVAILABLE, error_text(&e));
		end(t);
	}
}

static void
start(struct target *t)
{
	/* It, or what is below it, still takes the token. */
	if (t->fault.text != NULL)
		fail(t, t->fault.class, t->fault.text);
	if (t->chain != NULL && target_can_be_asked(t))
		revoke(t);
	else
		target_done(t);
}

/* The data centers themselves. */
static int
revoke_roots(struct revoking *r, struct error *e)
{
	r->pending = 1;
	for (size_t i = 0; i < r->targets.n; i++) {
		struct target *t = &r->targets.items[i];

		if (!t->matched || t->chain != NULL || !target_can_be_asked(t))
			continue;
		r->pending++;
		revoke(t);
	}
	if (--r->pending == 0)
		return 0;
	return loop_run(r->session->loop, e);
}

/* The id of what the user gave; NULL when it is neither id nor token. */
static const char *
find_id(struct session *s, const char *given)
{
	struct token_info info;
	struct node *claims;
	size_t len = strlen(given);

	if (len > ID_MAX)
		return token_inspect(
			   given, len, &s->arena, &info, &claims, NULL) < 0
		    ? NULL
		    : arena_strdup(&s->arena, info.id);
	for (size_t i = 0; i < len; i++)
		if (given[i] <= ' ' || given[i] > '~')
			return NULL;
	return len > 0 ? given : NULL;
}

enum exitcode
tokens_revoke(struct session *s, const char *token)
{
	struct revoking r = { .session = s, .id = find_id(s, token) };
	struct targets_rule rule = {
		.start = start, .flags = TARGETS_GIVE_FAULTS, .ctx = &r
	};
	struct error e = ERROR_INIT;
	enum exitcode rc;

	if (r.id == NULL)
		return session_usage(s,
		    "'overlord token inspect' shows the id of a token",
		    "this is neither the id of a token nor a token");
	s->args.all = true;
	rc = targets_look(s, &rule, &r.targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (revoke_roots(&r, &e) < 0)
		return session_fail(s, &e);
	out_addf(&s->out, "%s: revoked on %zu of %zu server%s\n", r.id, r.done,
	    r.targets.matched, r.targets.matched == 1 ? "" : "s");
	if (r.targets.failed > 0)
		return r.targets.failure;
	return targets_none(&r.targets);
}

/* Which are revoked */

static const struct table_column columns[] = {
	{ "TOKEN", false },
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "REVOKED", true },
	{ "BY", false },
	{ NULL, false },
};

static void
add(struct table *t, const char *datacenter, const char *chain,
    const struct node *item, double now)
{
	const char *cells[] = { node_text(node_get(item, "id")), datacenter,
		servers_chain(chain),
		listing_age(t->arena, node_get(item, "revoked_at"), now),
		node_text(node_get(item, "by")) };

	table_add(t, cells);
}

enum exitcode
tokens_list(struct session *s)
{
	const struct listing l = { .route = ROUTE_TOKENS,
		.member = "tokens",
		.schema = "overlord.tokens/1",
		.what = "the revoked tokens",
		.lacks = "list of tokens",
		.columns = columns,
		.add = add };

	s->args.all = true;
	return listing_run(s, &l);
}
