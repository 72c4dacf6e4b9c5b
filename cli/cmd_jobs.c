/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord jobs: what servers have queued, are running and have done (cli.md
 * 6.6); "jobs show" and "jobs cancel" for one of them. Ids are per server. An
 * original server has no list of jobs: a note says so.
 */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/jobs_view.h"
#include "cli/once.h"
#include "cli/targets.h"
#include "cli/term.h"
#include "cli/wait_judge.h"
#include "lib/base/clock.h"
#include "lib/data/json.h"
#include "lib/net/url.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)

static const char *const states[] = { "queued", "running", "interrupted",
	"completed", "incomplete", "failed", "cancelled", NULL };
static const char *const outputs[] = { "table", "json", NULL };

static const struct cmd_opt opts[] = {
	{ "file", "FILE", CMD_STR, 'f', false, CMD_AT(file), NULL, NULL,
	    "Deployment file; without one this machine's server is asked." },
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "All jobs of every server below the file's data centers." },
	{ "state", "STATE", CMD_LIST, 0, false, CMD_AT(state), states, NULL,
	    "Only jobs in this state; repeatable." },
	{ "limit", "N", CMD_INT, 0, false, CMD_AT(limit), NULL, "50",
	    "At most so many per server." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "table", "How to print." },
	{ "no-headers", NULL, CMD_FLAG, 0, false, CMD_AT(no_headers), NULL,
	    NULL, "Print no headings." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	CMD_OPT_PROJECT,
};

struct jobs {
	struct session *session;
	const char *query;
	/* Per target, by index: its list, or NULL. */
	const struct node **lists;
	bool noted;
};

static bool
wants_json(const struct session *s)
{
	return s->args.output != NULL && strcmp(s->args.output, "json") == 0;
}

static void
on_jobs(const struct client_reply *r, void *ctx)
{
	struct target *t = ctx;
	struct jobs *j = t->all->rule.ctx;
	const struct node *list = node_get(r->body, "jobs");

	if (r->class == CLIENT_OK && list != NULL && list->type == NODE_LIST) {
		t->ctx = node_copy(&j->session->arena, list);
	} else if (r->class == CLIENT_NOTFOUND &&
	    verdict_is_no_route(r->body)) {
		t->fault = "n/a";
		if (!j->noted)
			out_warn(&t->lane,
			    "%s) n/a: this server keeps no list of jobs",
			    t->context);
		j->noted = true;
	} else {
		t->fault = arena_strdup(&j->session->arena,
		    r->class == CLIENT_OK ? "the reply is not understood"
					  : r->text);
		out_warn(&t->lane, "%s) error obtaining the jobs: %s",
		    t->context, t->fault);
	}
	target_done(t);
}

static void
start(struct target *t)
{
	struct jobs *j = t->all->rule.ctx;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_JOBS,
		.query = j->query };

	if (client_call(j->session->client, &call, on_jobs, t, &e) < 0) {
		out_warn(&t->lane, "%s) %s", t->context, error_text(&e));
		target_done(t);
	}
}

/* A server takes one name; more are looked at here. */
static const char *
make_query(struct session *s)
{
	AUTO_STRBUF struct strbuf b;
	const char *name = NULL;

	strbuf_init(&b, 64 * 1024);
	strbuf_addf(&b, "limit=%lld", (long long)s->args.limit);
	for (size_t i = 0; i < s->args.state.n; i++)
		strbuf_addf(&b, "%s%s", i == 0 ? "&state=" : ",",
		    s->args.state.items[i]);
	if (s->args.project.n == 1)
		name = s->args.project.items[0];
	else if (s->args.project.n == 0 && s->spec != NULL && !s->args.all &&
	    s->spec->kind == SPEC_PROJECT)
		name = s->spec->project.name;
	if (name != NULL) {
		strbuf_adds(&b, "&name=");
		url_add_segment(&b, name);
	}
	return arena_strdup(&s->arena, b.buf);
}

static bool
is_wanted(const struct session *s, const struct node *job)
{
	const char *name = node_text(node_get(job, "name"));

	for (size_t i = 0; i < s->args.project.n; i++)
		if (name != NULL && strcmp(s->args.project.items[i], name) == 0)
			return true;
	return s->args.project.n == 0;
}

static void
print_table(struct session *s, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	double now = (double)clock_wall_ms() / 1000;
	bool terminal = isatty(STDOUT_FILENO) == 1;
	struct table table;

	strbuf_init(&b, TEXT_MAX);
	table_init(&table, jobs_view_columns, &s->arena);
	for (size_t i = 0; i < targets->n; i++) {
		const struct target *t = &targets->items[i];
		const struct node *list = t->ctx;

		for (size_t k = 0; list != NULL && k < list->u.list.n; k++)
			if (is_wanted(s, list->u.list.items[k]))
				jobs_view_add(&table, t->server->name, t->chain,
				    list->u.list.items[k], now);
	}
	table_print(&table, !s->args.no_headers,
	    terminal ? term_width(STDOUT_FILENO) : 0, s->out.color_out, &b);
	out_add(&s->out, b.buf, b.len);
}

static struct node *
json_target(const struct session *s, struct arena *a, const struct target *t)
{
	const struct node *list = t->ctx;
	struct node *n = node_new(a, NODE_MAP), *jobs = node_new(a, NODE_LIST);

	for (size_t k = 0; list != NULL && k < list->u.list.n; k++)
		if (is_wanted(s, list->u.list.items[k]))
			node_add(a, jobs, list->u.list.items[k]);
	node_set(a, n, "datacenter", node_str(a, t->server->name));
	node_set(a, n, "url", node_str(a, t->server->url));
	node_set(a, n, "chain",
	    t->chain != NULL ? node_str(a, t->chain) : node_null(a));
	node_set(a, n, "error",
	    t->fault != NULL ? node_str(a, t->fault) : node_null(a));
	node_set(a, n, "jobs", jobs);
	return n;
}

static enum exitcode
print_json(struct session *s, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	struct arena *a = &s->arena;
	struct error e = ERROR_INIT;
	struct node *n = node_new(a, NODE_MAP), *list = node_new(a, NODE_LIST);

	strbuf_init(&b, TEXT_MAX);
	for (size_t i = 0; i < targets->n; i++)
		if (targets->items[i].matched)
			node_add(
			    a, list, json_target(s, a, &targets->items[i]));
	node_set(a, n, "schema", node_str(a, "overlord.jobs/1"));
	node_set(a, n, "nodes", list);
	json_write(&b, n, JSON_INDENT2);
	strbuf_addc(&b, '\n');
	if (arena_check(a, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static enum exitcode
list_jobs(struct session *s)
{
	struct jobs j = { .session = s, .query = make_query(s) };
	struct targets_rule rule = { .start = start, .ctx = &j };
	struct targets targets;
	enum exitcode rc;

	if (s->args.limit < 1)
		return session_usage(s, NULL, "--limit: must be 1 or more");
	rc = targets_look(s, &rule, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (targets.unreachable != EXIT_CODE_OK)
		return targets.unreachable;
	if (wants_json(s))
		return print_json(s, &targets);
	print_table(s, &targets);
	return targets_none(&targets);
}

/* One job */

static enum exitcode
print_job(
    struct session *s, const struct tree_entry *entry, const struct node *job)
{
	AUTO_STRBUF struct strbuf b;
	struct arena *a = &s->arena;
	struct error e = ERROR_INIT;
	struct node *n;

	strbuf_init(&b, TEXT_MAX);
	if (wants_json(s)) {
		n = node_new(a, NODE_MAP);
		node_set(a, n, "schema", node_str(a, "overlord.job/1"));
		node_set(a, n, "datacenter", node_str(a, entry->server->name));
		node_set(a, n, "chain",
		    entry->chain != NULL ? node_str(a, entry->chain)
					 : node_null(a));
		node_set(a, n, "job",
		    job != NULL ? node_copy(a, job) : node_null(a));
		json_write(&b, n, JSON_INDENT2);
		strbuf_addc(&b, '\n');
	} else {
		jobs_view_page(&b, entry->server->name, entry->chain, job,
		    (double)clock_wall_ms() / 1000);
	}
	if (arena_check(a, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static enum exitcode
one_job(struct session *s, bool cancel)
{
	const char *id;
	struct client_call call = {
		.route = cancel ? ROUTE_JOB_CANCEL : ROUTE_JOB, .params_n = 1
	};
	struct tree_entry entry;
	struct once o = { .text = "" };
	enum exitcode rc;

	if (s->args.words.n != 3)
		return session_usage(s, NULL,
		    "usage: overlord jobs %s "
		    "ENTRYPOINT JOB",
		    s->args.words.items[0]);
	id = s->args.words.items[2];
	if (id[0] < '1' || id[0] > '9' || id[strspn(id, "0123456789")] != '\0')
		return session_usage(s, NULL, "'%s' is not a job id", id);
	call.params = &id;
	rc = servers_entrypoint(s, s->args.words.items[1], &entry);
	if (rc == EXIT_CODE_OK)
		rc = once_run(s, &entry, &call, &o);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (o.class != CLIENT_OK)
		return once_fail(s, &entry, &o,
		    cancel ? "error cancelling the job"
			   : "error obtaining the job");
	return cancel ? EXIT_CODE_OK
		      : print_job(s, &entry, node_get(o.body, "job"));
}

static enum exitcode
run(struct session *s)
{
	static const char *const words[] = { "show", "cancel" };
	const char *word = s->args.words.n > 0 ? s->args.words.items[0] : NULL;
	enum exitcode rc = EXIT_CODE_OK;

	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (word == NULL)
		return list_jobs(s);
	if (strcmp(word, "show") == 0)
		return one_job(s, false);
	if (strcmp(word, "cancel") == 0)
		return one_job(s, true);
	return session_usage(s,
	    diag_suggest(&s->arena, word, words, ARRAY_LEN(words)),
	    "'%s' is not one of: show, cancel", word);
}

static const char *const examples[] = {
	"overlord jobs -f web.yml",
	"overlord jobs -f web.yml --all --state queued --state running",
	"overlord jobs -f web.yml show main.alpha 17",
	NULL,
};

static const char *const exits[] = {
	"65  the deployment file is faulty",
	"66  the file, a data center or the job cannot be found",
	"68  nothing matched (with --strict)",
	"69  no data center could be reached",
	"76  the server refused",
	"77  the token is not accepted",
	NULL,
};

const struct cmd cmd_jobs = {
	.name = "jobs",
	.group = CMD_JOBS,
	.summary = "List jobs; show or cancel one",
	.about = "Lists the jobs of the file's project on the file's servers, "
		 "newest first; with --all every job there is. 'show' tells "
		 "all about one job, 'cancel' cancels it.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "[show|cancel ENTRYPOINT JOB]",
	.words_max = 3,
	.examples = examples,
	.exits = exits,
	.run = run,
};
