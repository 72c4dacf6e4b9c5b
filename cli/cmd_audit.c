/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord audit: what was changed on servers, when, with which token. */
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/servers.h"

#define LIMIT_MAX 1000

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE_IF,
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "Every server below the file's data centers." },
	{ "limit", "N", CMD_INT, 0, false, CMD_AT(limit), NULL, "50",
	    "At most so many per server." },
	LISTING_OPTS,
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
};

static const struct table_column columns[] = {
	{ "ID", true },
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "AGE", true },
	{ "STATUS", true },
	{ "TOKEN", false },
	{ "ADDRESS", false },
	{ "METHOD", false },
	{ "PATH", false },
	{ NULL, false },
};

static const char *
number(struct table *t, const struct node *n)
{
	return n != NULL && n->type == NODE_INT && !n->big
	    ? arena_printf(t->arena, "%lld", (long long)n->u.i)
	    : NULL;
}

static void
add(struct table *t, const char *datacenter, const char *chain,
    const struct node *item, double now)
{
	const char *cells[] = { number(t, node_get(item, "id")), datacenter,
		servers_chain(chain),
		listing_age(t->arena, node_get(item, "at"), now),
		number(t, node_get(item, "status")),
		node_text(node_get(item, "token")),
		node_text(node_get(item, "address")),
		node_text(node_get(item, "method")),
		node_text(node_get(item, "path")) };

	table_add(t, cells);
}

static enum exitcode
run(struct session *s)
{
	struct listing l = { .route = ROUTE_AUDIT,
		.member = "audit",
		.schema = "overlord.audit/1",
		.what = "the audit trail",
		.lacks = "audit trail",
		.columns = columns,
		.add = add };
	enum exitcode rc = EXIT_CODE_OK;

	if (s->args.limit < 1 || s->args.limit > LIMIT_MAX)
		return session_usage(
		    s, NULL, "--limit: must be 1 to %d", LIMIT_MAX);
	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc != EXIT_CODE_OK)
		return rc;
	l.query =
	    arena_printf(&s->arena, "limit=%lld", (long long)s->args.limit);
	return listing_run(s, &l);
}

static const char *const examples[] = {
	"overlord audit -f web.yml",
	"overlord audit -f web.yml --all --limit 10 -o json",
	NULL,
};

static const char *const exits[] = {
	CMD_EXITS_LOOK,
	NULL,
};

const struct cmd cmd_audit = {
	.name = "audit",
	.group = CMD_LOOK,
	.summary = "Show who changed what on servers",
	.about = "Lists the changes that servers accepted, newest first: when, "
		 "with which token, from where, and what was asked for. The "
		 "token that is used needs the scope admin.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
