/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord status: what runs where, as a table (cli.md 6.2). Per project two
 * questions at once: its info, and its jobs that wait or run. Servers that
 * cannot be asked are rows too.
 */
#include <string.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/status_view.h"
#include "cli/table.h"
#include "cli/targets.h"
#include "cli/term.h"
#include "lib/data/json.h"
#include "lib/net/url.h"
#include "proto/human.h"
#include "proto/names.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)

static const char *const outputs[] = { "table", "wide", "json", NULL };

static const struct cmd_opt opts[] = {
	{ "file", "FILE", CMD_STR, 'f', false, CMD_AT(file), NULL, NULL,
	    "Deployment file; without one this machine's server is asked." },
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "Every project on every server below the file's data centers." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "table", "How to print." },
	{ "no-headers", NULL, CMD_FLAG, 0, false, CMD_AT(no_headers), NULL,
	    NULL, "Print no headings." },
	{ "exit-code", NULL, CMD_FLAG, 0, false, CMD_AT(exit_code), NULL, NULL,
	    "End with 1, 3 or 4 when not all is READY." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
	CMD_OPT_PROJECT,
};

static const struct table_column columns[] = {
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "PROJECT", false },
	{ "STATE", false },
	{ "JAILS", true },
	{ "AGE", true },
	{ "PROGRESS", false },
	{ NULL, false },
};

static const struct table_column wide_columns[] = {
	{ "DATACENTER", false },
	{ "CHAIN", false },
	{ "PROJECT", false },
	{ "STATE", false },
	{ "JAILS", true },
	{ "AGE", true },
	{ "LABELS", false },
	{ "OPERATION", false },
	{ "JOB", false },
	{ "LAST-LOG", false },
	{ "PROGRESS", false },
	{ NULL, false },
};

/* One project on one target. */
struct row {
	struct rows *rows;
	const char *name;
	/* Copies in the session's arena, until both are there. */
	const struct node *info;
	const struct node *jobs;
	const char *failure;
	struct status status;
};

struct rows {
	struct target *target;
	struct row *items;
	size_t n;
	size_t pending;
};

static void
answered(struct rows *r)
{
	struct arena *a = &r->target->all->session->arena;

	if (--r->pending > 0)
		return;
	for (size_t i = 0; r->items != NULL && i < r->n; i++) {
		struct row *row = &r->items[i];

		status_decide(row->info, row->jobs, a, &row->status);
		if (row->failure == NULL)
			continue;
		row->status.state = STATUS_UNREACHABLE;
		row->status.progress = row->failure;
	}
	target_done(r->target);
}

static void
on_info(const struct client_reply *rp, void *ctx)
{
	struct row *row = ctx;
	struct arena *a = &row->rows->target->all->session->arena;
	const struct node *info = node_get(rp->body, "info");

	if (rp->class == CLIENT_OK && info != NULL)
		row->info = node_copy(a, info);
	else if (rp->class != CLIENT_NOTFOUND && rp->class != CLIENT_OK)
		row->failure = arena_strdup(a, rp->text);
	answered(row->rows);
}

static void
on_jobs(const struct client_reply *rp, void *ctx)
{
	struct row *row = ctx;
	const struct node *jobs = node_get(rp->body, "jobs");

	if (rp->class == CLIENT_OK && jobs != NULL)
		row->jobs =
		    node_copy(&row->rows->target->all->session->arena, jobs);
	answered(row->rows);
}

static const char *
jobs_query(struct arena *a, const char *name)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 4096);
	strbuf_adds(&b, "state=queued,running,interrupted&limit=10&name=");
	url_add_segment(&b, name);
	return arena_strdup(a, b.buf);
}

static void
ask_row(struct row *row)
{
	struct target *t = row->rows->target;
	struct session *s = t->all->session;
	struct error e = ERROR_INIT;
	struct client_call info = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_PROJECT_INFO,
		.params = &row->name,
		.params_n = 1 };
	struct client_call jobs = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_JOBS,
		.query = jobs_query(&s->arena, row->name) };

	if (!name_is_project(row->name, strlen(row->name))) {
		row->failure = "not a project name";
		return;
	}
	if (client_call(s->client, &info, on_info, row, &e) == 0)
		row->rows->pending++;
	else
		row->failure = arena_strdup(&s->arena, error_text(&e));
	if (client_call(s->client, &jobs, on_jobs, row, &e) == 0)
		row->rows->pending++;
}

static bool
is_wanted(const struct session *s, const char *name)
{
	for (size_t i = 0; i < s->args.project.n; i++)
		if (strcmp(s->args.project.items[i], name) == 0)
			return true;
	return s->args.project.n == 0;
}

static void
ask_rows(struct rows *r, const char *const *names, size_t n)
{
	struct session *s = r->target->all->session;

	r->items = arena_calloc(&s->arena, n + 1, sizeof(*r->items));
	/* Held until all questions are on their way. */
	r->pending = 1;
	for (size_t i = 0; r->items != NULL && i < n; i++) {
		struct row *row = &r->items[r->n];

		if (!is_wanted(s, names[i]))
			continue;
		r->n++;
		row->rows = r;
		row->name = names[i];
		ask_row(row);
	}
	answered(r);
}

static void
on_names(const struct client_reply *rp, void *ctx)
{
	struct rows *r = ctx;
	struct arena *a = &r->target->all->session->arena;
	struct error e = ERROR_INIT;
	struct client_strs names;

	if (rp->class != CLIENT_OK) {
		r->target->fault = arena_strdup(a, rp->text);
		target_done(r->target);
	} else if (client_get_strs(rp->body, "projects", a, &names, &e) < 0) {
		r->target->fault = arena_strdup(a, error_text(&e));
		target_done(r->target);
	} else {
		ask_rows(r, names.items, names.n);
	}
}

static void
start(struct target *t)
{
	struct session *s = t->all->session;
	struct rows *r = arena_alloc(&s->arena, sizeof(*r));
	struct client_call call = {
		.server = t->server, .chain = t->chain, .route = ROUTE_PROJECTS
	};
	struct error e = ERROR_INIT;

	t->ctx = r;
	if (r == NULL || t->fault != NULL) {
		target_done(t);
		return;
	}
	r->target = t;
	if (s->spec != NULL && s->spec->kind == SPEC_PROJECT && !s->args.all) {
		ask_rows(r, &s->spec->project.name, 1);
	} else if (client_call(s->client, &call, on_names, r, &e) < 0) {
		t->fault = arena_strdup(&s->arena, error_text(&e));
		target_done(t);
	}
}

/* Printing */

static bool
is_output(const struct session *s, const char *word)
{
	return s->args.output != NULL && strcmp(s->args.output, word) == 0;
}

static const char *
join_labels(struct arena *a, const struct target *t)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 64 * 1024);
	for (size_t i = 0; i < t->labels.n; i++)
		strbuf_addf(&b, "%s%s", i == 0 ? "" : ",", t->labels.items[i]);
	return arena_strdup(a, b.buf);
}

static const char *
age_text(struct arena *a, const struct status *st)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 64);
	if (st->age_s < 0)
		return NULL;
	human_age(&b, st->age_s);
	return arena_strdup(a, b.buf);
}

static void
add_row(struct table *table, bool wide, const struct target *t,
    const char *name, const struct status *st)
{
	struct arena *a = table->arena;
	const char *cells[11];
	size_t n = 0;

	cells[n++] = t->server->name;
	cells[n++] = t->chain != NULL ? t->chain : "<root>";
	cells[n++] = name;
	cells[n++] = status_state_to_string(st->state);
	cells[n++] =
	    st->state == STATUS_UNREACHABLE || st->state == STATUS_ABSENT
	    ? NULL
	    : arena_printf(a, "%lld/%lld", (long long)st->jails_up,
		  (long long)st->jails);
	cells[n++] = age_text(a, st);
	if (wide) {
		cells[n++] = join_labels(a, t);
		cells[n++] = st->operation;
		cells[n++] = st->job > 0
		    ? arena_printf(a, "%lld", (long long)st->job)
		    : NULL;
		cells[n++] = st->last_log;
	}
	cells[n++] = st->progress;
	table_add(table, cells);
}

static struct node *
row_json(struct arena *a, const struct target *t, const char *name,
    const struct status *st)
{
	struct node *n = node_new(a, NODE_MAP), *jails = node_new(a, NODE_MAP);

	node_set(a, n, "datacenter", node_str(a, t->server->name));
	node_set(a, n, "url", node_str(a, t->server->url));
	node_set(a, n, "chain",
	    t->chain != NULL ? node_str(a, t->chain) : node_null(a));
	node_set(
	    a, n, "project", name != NULL ? node_str(a, name) : node_null(a));
	node_set(a, n, "state", node_str(a, status_state_to_string(st->state)));
	node_set(a, jails, "up", node_int(a, st->jails_up));
	node_set(a, jails, "total", node_int(a, st->jails));
	node_set(a, n, "jails", jails);
	node_set(a, n, "age",
	    st->age_s >= 0 ? node_int(a, st->age_s) : node_null(a));
	node_set(a, n, "operation",
	    st->operation != NULL ? node_str(a, st->operation) : node_null(a));
	node_set(
	    a, n, "job", st->job > 0 ? node_int(a, st->job) : node_null(a));
	node_set(a, n, "last_log",
	    st->last_log != NULL ? node_str(a, st->last_log) : node_null(a));
	node_set(a, n, "progress",
	    st->progress != NULL ? node_str(a, st->progress) : node_null(a));
	return n;
}

typedef void row_fn(const struct target *t, const char *name,
    const struct status *st, void *ctx);

static void
each_row(const struct targets *targets, row_fn *fn, void *ctx)
{
	for (size_t i = 0; i < targets->n; i++) {
		const struct target *t = &targets->items[i];
		const struct rows *r = t->ctx;
		struct status dead = { .state = STATUS_UNREACHABLE,
			.age_s = -1,
			.progress = t->fault };

		if (!t->matched)
			continue;
		if (t->fault != NULL)
			fn(t, NULL, &dead, ctx);
		for (size_t k = 0; t->fault == NULL && r != NULL && k < r->n;
		     k++)
			fn(t, r->items[k].name, &r->items[k].status, ctx);
	}
}

struct printing {
	struct table table;
	bool wide;
	/* NULL: a table. */
	struct node *list;
	struct arena *arena;
	bool bad;
	bool busy;
	bool unreachable;
};

static void
print_row(const struct target *t, const char *name, const struct status *st,
    void *ctx)
{
	struct printing *p = ctx;

	if (p->list != NULL)
		node_add(p->arena, p->list, row_json(p->arena, t, name, st));
	else
		add_row(&p->table, p->wide, t, name, st);
	p->unreachable |= st->state == STATUS_UNREACHABLE;
	p->bad |= st->state == STATUS_FAILED || st->state == STATUS_DEGRADED ||
	    st->state == STATUS_ABSENT;
	p->busy |= st->state == STATUS_QUEUED ||
	    st->state == STATUS_DEPLOYING || st->state == STATUS_DESTROYING ||
	    st->state == STATUS_UNKNOWN;
}

static enum exitcode
print(struct session *s, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	struct printing p = { .arena = &s->arena,
		.wide = is_output(s, "wide") };
	struct error e = ERROR_INIT;
	struct node *n;

	strbuf_init(&b, TEXT_MAX);
	table_init(&p.table, p.wide ? wide_columns : columns, &s->arena);
	if (is_output(s, "json"))
		p.list = node_new(&s->arena, NODE_LIST);
	each_row(targets, print_row, &p);
	if (p.list != NULL) {
		n = node_new(&s->arena, NODE_MAP);
		node_set(&s->arena, n, "schema",
		    node_str(&s->arena, "overlord.status/1"));
		node_set(&s->arena, n, "projects", p.list);
		json_write(&b, n, JSON_INDENT2);
		strbuf_addc(&b, '\n');
	} else {
		table_print(&p.table, !s->args.no_headers,
		    isatty(STDOUT_FILENO) == 1 ? term_width(STDOUT_FILENO) : 0,
		    s->out.color_out, &b);
	}
	if (arena_check(&s->arena, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	if (!s->args.exit_code)
		return EXIT_CODE_OK;
	/* cli.md 6.2: 1 before 4 before 3. */
	return (enum exitcode)(p.bad ? 1 : p.unreachable ? 4 : p.busy ? 3 : 0);
}

static enum exitcode
run(struct session *s)
{
	struct targets_rule rule = { .start = start,
		.flags = TARGETS_GIVE_FAULTS };
	struct targets targets;
	enum exitcode rc = EXIT_CODE_OK;

	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc != EXIT_CODE_OK)
		return rc;
	rc = targets_look(s, &rule, &targets);
	if (rc == EXIT_CODE_OK)
		rc = print(s, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (targets.unreachable == EXIT_CODE_NOPERM)
		out_fail(&s->out,
		    targets_hint(s, targets.items[0].server, CLIENT_DENIED),
		    "no data center accepts the token");
	if (targets.unreachable != EXIT_CODE_OK)
		return targets.unreachable;
	return targets_none(&targets);
}

static const char *const examples[] = {
	"overlord status -f web.yml",
	"overlord status -f web.yml --all -o wide",
	NULL,
};

static const char *const exits[] = {
	"1   with --exit-code: something is FAILED, DEGRADED or ABSENT",
	"3   with --exit-code: something is in progress",
	"4   with --exit-code: something is UNREACHABLE",
	"65  the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"68  nothing matched (with --strict)",
	"69  no data center could be reached",
	"77  no data center accepts the token",
	NULL,
};

const struct cmd cmd_status = {
	.name = "status",
	.group = CMD_LOOK,
	.summary = "Show what runs where",
	.about = "Shows the file's project on the file's servers, one line "
		 "each; with --all, or a file of kind readOnly, every project.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
