/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord jobs: what servers have queued, are running and have done (cli.md
 * 6.6); "jobs show", "jobs cancel" and "jobs retry" for one of them. Ids are
 * per server. An original server has no list of jobs: a note says so.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/doc.h"
#include "cli/jobs_view.h"
#include "cli/jobs_watch.h"
#include "cli/listing.h"
#include "cli/once.h"
#include "cli/wait_judge.h"
#include "cli/watch_view.h"
#include "lib/base/clock.h"
#include "lib/net/url.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)
#define LACKS "list of jobs"

static const char *const states[] = { "queued", "running", "interrupted",
	"completed", "incomplete", "failed", "cancelled", NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE_IF,
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "All jobs of every server below the file's data centers." },
	{ "state", "STATE", CMD_LIST, 0, false, CMD_AT(state), states, NULL,
	    "Only jobs in this state; repeatable." },
	{ "limit", "N", CMD_INT, 0, false, CMD_AT(limit), NULL, "50",
	    "At most so many per server." },
	WATCH_OPTS,
	LISTING_OPTS,
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	CMD_OPT_PROJECT,
};

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
	else if (s->args.project.n == 0 && s->spec != NULL && !s->args.all)
		name = spec_project_name(s->spec);
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

/* Who is meant is all that is asked first. */
static void
start(struct target *t)
{
	target_done(t);
}

static enum exitcode
watch(struct session *s, const struct listing *l)
{
	struct targets_rule rule = { .start = start };
	struct targets targets;
	enum exitcode rc;

	rc = watch_view_check(s);
	if (rc == EXIT_CODE_OK)
		rc = targets_look(s, &rule, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (targets.unreachable != EXIT_CODE_OK)
		return targets.unreachable;
	return targets.matched > 0 ? jobs_watch(s, l, &targets)
				   : targets_none(&targets);
}

static enum exitcode
list_jobs(struct session *s)
{
	struct listing l = { .route = ROUTE_JOBS,
		.member = "jobs",
		.schema = "overlord.jobs/1",
		.what = "the jobs",
		.lacks = LACKS,
		.columns = jobs_view_columns,
		.add = jobs_view_add,
		.wants = is_wanted };

	if (s->args.limit < 1)
		return session_usage(s, NULL, "--limit: must be 1 or more");
	l.query = make_query(s);
	return s->args.watch ? watch(s, &l) : listing_run(s, &l);
}

/* One job */

static enum exitcode
print_job(
    struct session *s, const struct tree_entry *entry, const struct node *body)
{
	const struct node *job = node_get(body, "job");
	AUTO_STRBUF struct strbuf b;
	struct arena *a = &s->arena;
	struct error e = ERROR_INIT;
	struct node *n;

	strbuf_init(&b, TEXT_MAX);
	if (doc_is_wanted(s)) {
		n = doc_new(a, "overlord.job/1");
		doc_set_place(a, n, entry->server, entry->chain);
		node_set(a, n, "job",
		    job != NULL ? node_copy(a, job) : node_null(a));
		return doc_print(s, n);
	}
	jobs_view_page(&b, entry->server->name, entry->chain, job,
	    (double)clock_wall_ms() / 1000);
	if (strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

/* Of the new job. */
static enum exitcode
print_id(
    struct session *s, const struct tree_entry *entry, const struct node *body)
{
	struct error e = ERROR_INIT;
	int64_t id;

	(void)entry;
	if (client_get_job_id(body, &id, &e) < 0) {
		out_fail(&s->out, NULL, "%s", error_text(&e));
		return EXIT_CODE_PROTOCOL;
	}
	out_addf(&s->out, "%lld\n", (long long)id);
	return EXIT_CODE_OK;
}

/* What can be done with one job. */
static const struct verb {
	const char *name;
	enum route_id route;
	/* For a message: what failed. */
	const char *fault;
	enum exitcode (*done)(struct session *s, const struct tree_entry *entry,
	    const struct node *body);
} verbs[] = {
	{ "show", ROUTE_JOB, "error obtaining the job", print_job },
	{ "cancel", ROUTE_JOB_CANCEL, "error cancelling the job", NULL },
	{ "retry", ROUTE_JOB_RETRY, "error retrying the job", print_id },
};
static const char *const verb_names[] = { "show", "cancel", "retry", NULL };

static enum exitcode
one_job(struct session *s, const struct verb *verb)
{
	const char *id;
	struct client_call call = { .route = verb->route, .params_n = 1 };
	struct tree_entry entry;
	struct once o = { .text = "" };
	enum exitcode rc;

	if (s->args.words.n != 3)
		return session_usage(s, NULL,
		    "usage: overlord jobs %s "
		    "ENTRYPOINT JOB",
		    verb->name);
	id = s->args.words.items[2];
	if (id[0] < '1' || id[0] > '9' || id[strspn(id, "0123456789")] != '\0')
		return session_usage(s, NULL, "'%s' is not a job id", id);
	call.params = &id;
	rc = servers_entrypoint(s, s->args.words.items[1], &entry);
	if (rc == EXIT_CODE_OK)
		rc = once_run(s, &entry, &call, &o);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (o.class == CLIENT_NOTFOUND && verdict_is_no_route(o.body)) {
		out_fail(&s->out, NULL, "%s) n/a: this server keeps no " LACKS,
		    servers_context(&s->arena, entry.server, entry.chain));
		return EXIT_CODE_NOINPUT;
	}
	if (o.class != CLIENT_OK)
		return once_fail(s, &entry, &o, verb->fault);
	return verb->done != NULL ? verb->done(s, &entry, o.body)
				  : EXIT_CODE_OK;
}

static enum exitcode
run(struct session *s)
{
	const char *word = s->args.words.n > 0 ? s->args.words.items[0] : NULL;
	enum exitcode rc = EXIT_CODE_OK;

	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (word == NULL)
		return list_jobs(s);
	if (s->args.watch)
		return session_usage(s, NULL, "--watch is for the list");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(word, verbs[i].name) == 0)
			return one_job(s, &verbs[i]);
	return session_usage_verb(s, word);
}

static const char *const examples[] = {
	"overlord jobs -f web.yml",
	"overlord jobs -f web.yml --all --state queued --state running",
	"overlord jobs -f web.yml --watch",
	"overlord jobs -f web.yml show main.alpha 17",
	"overlord jobs -f web.yml retry main.alpha 17",
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
	.summary = "List jobs; show, cancel or retry one",
	.about = "Lists the jobs of the file's project on the file's servers, "
		 "newest first; with --all every job there is. 'show' tells "
		 "all about one job, 'cancel' cancels it, 'retry' puts one "
		 "that failed once more, and prints the new number.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "[show|cancel|retry ENTRYPOINT JOB]",
	.verbs = verb_names,
	.words_max = 3,
	.examples = examples,
	.exits = exits,
	.run = run,
};
