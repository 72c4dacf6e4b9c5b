/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord logs (cli.md 6.5): Director's logs of the newest run of projects, on
 * all targets, or with --follow what their jobs print (logs_follow.c). Every
 * target collects its texts; they are shown in order when all are there, since
 * only then is known whether there is more than one source to tell apart.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/logs.h"
#include "cli/term.h"
#include "proto/human.h"
#include "proto/names.h"

#define LINES_BYTES_MAX ((size_t)64 * 1024 * 1024)

static const struct cmd_opt opts[] = {
	{ "follow", NULL, CMD_FLAG, 'f', false, CMD_AT(follow), NULL, NULL,
	    "Show what jobs of the project print, as they print it." },
	{ "file", "FILE", CMD_STR, 0, false, CMD_AT(file), NULL, NULL,
	    "Deployment file; without one this machine's server is asked." },
	{ "all", NULL, CMD_FLAG, 0, false, CMD_AT(all), NULL, NULL,
	    "On every server below the file's data centers." },
	{ "tail", "N", CMD_INT, 0, false, CMD_AT(tail), NULL, "100",
	    "At most so many lines of each log, 0: all." },
	{ "service", "NAME", CMD_STR, 0, false, CMD_AT(service), NULL, NULL,
	    "Only logs of this service." },
	{ "no-prefix", NULL, CMD_FLAG, 0, false, CMD_AT(no_prefix), NULL, NULL,
	    "Do not tell where a line comes from." },
	{ "until-done", NULL, CMD_FLAG, 0, false, CMD_AT(until_done), NULL,
	    NULL,
	    "With --follow: end when no job runs, with 1 if one failed." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
};

/* One log. */
struct text {
	struct text *next;
	const char *prefix;
	const char *text;
	size_t len;
};

/* One project on one target. */
struct reading {
	struct reading *next;
	struct logs *logs;
	struct target *target;
	const char *name;
	const char *date;
	/* Of its services; copies. */
	const struct node *services;
	struct text *texts;
	struct text **end;
};

/* What a target has: ctx of it. */
struct pile {
	struct reading *first;
	struct reading **end;
	size_t pending;
};

/* One request for one log. */
struct fetch {
	struct reading *reading;
	struct text *text;
};

const char *
logs_place(struct logs *l, const struct target *t, const char *project)
{
	bool several = false;

	for (size_t i = 0; i < l->targets.n; i++)
		several |= l->targets.items[i].server != t->server;
	if (t->chain == NULL)
		return arena_printf(
		    &l->session->arena, "%s/%s", t->server->name, project);
	return arena_printf(&l->session->arena, "%s%s%s/%s",
	    several ? t->server->name : "", several ? "." : "", t->chain,
	    project);
}

/* Without what would act upon a terminal: colours go, the rest is shown. */
static void
add_clean(struct strbuf *out, const char *p, size_t len)
{
	size_t at = 0, from = 0;

	while (at < len) {
		if (p[at] != '\033' || at + 1 >= len || p[at + 1] != '[') {
			at++;
			continue;
		}
		strbuf_add_escaped(out, p + from, at - from);
		for (at += 2; at < len && (p[at] < '@' || p[at] > '~'); at++)
			;
		at += at < len;
		from = at;
	}
	strbuf_add_escaped(out, p + from, len - from);
}

void
logs_print(struct logs *l, const char *prefix, const char *text, size_t len)
{
	struct session *s = l->session;
	AUTO_STRBUF struct strbuf b;
	size_t at = 0, next, n;

	strbuf_init(&b, LINES_BYTES_MAX);
	while (at < len) {
		n = human_line(text + at, len - at, &next);
		if (prefix != NULL) {
			term_add_color(&b, s->out.color_out, TERM_CYAN, prefix);
			strbuf_adds(&b, " | ");
		}
		add_clean(&b, text + at, n);
		strbuf_addc(&b, '\n');
		at += next;
	}
	out_add(&s->out, b.buf, b.len);
}

/* Reading */

static void
fail(struct reading *r, const char *what, const char *why)
{
	out_warn(&r->target->lane, "%s, project:%s) error obtaining %s: %s",
	    r->target->context, r->name, what, why);
}

static void
done(struct reading *r)
{
	struct pile *p = r->target->ctx;

	if (--p->pending == 0)
		target_done(r->target);
}

static void
on_log(const struct client_reply *rp, void *ctx)
{
	struct fetch *f = ctx;
	struct reading *r = f->reading;
	const struct node *n = node_get(rp->body, "log_content");

	if (rp->class == CLIENT_OK && n != NULL && n->type == NODE_STR) {
		f->text->text = arena_strndup(
		    &r->logs->session->arena, n->u.str.s, n->u.str.len);
		f->text->len = f->text->text != NULL ? n->u.str.len : 0;
	} else {
		fail(r, "a log",
		    rp->class == CLIENT_OK ? "the reply is not understood"
					   : rp->text);
	}
	done(r);
}

static void
ask(struct reading *r, const struct client_call *what, client_done_fn *fn,
    void *ctx)
{
	struct pile *p = r->target->ctx;
	struct client_call call = *what;
	struct error e = ERROR_INIT;

	call.server = r->target->server;
	call.chain = r->target->chain;
	if (client_call(r->logs->session->client, &call, fn, ctx, &e) < 0)
		fail(r, "the logs", error_text(&e));
	else
		p->pending++;
}

static void
fetch_log(struct reading *r, const char *service, const char *log)
{
	struct arena *a = &r->logs->session->arena;
	struct text *t = arena_alloc(a, sizeof(*t));
	struct fetch *f = arena_alloc(a, sizeof(*f));
	const char *params[] = { r->date, service, log };
	struct client_call call = { .route = ROUTE_PROJECTS_LOG,
		.params = params,
		.params_n = ARRAY_LEN(params) };

	if (t == NULL || f == NULL)
		return;
	t->prefix = arena_printf(
	    a, "%s/%s", logs_place(r->logs, r->target, r->name), service);
	*r->end = t;
	r->end = &t->next;
	f->reading = r;
	f->text = t;
	ask(r, &call, on_log, f);
}

static bool
has_service(const struct reading *r, const char *service)
{
	const char *only = r->logs->session->args.service;

	if (only != NULL && strcmp(only, service) != 0)
		return false;
	for (size_t i = 0; i < r->services->u.list.n; i++) {
		const char *s =
		    node_text(node_get(r->services->u.list.items[i], "name"));

		if (s != NULL && strcmp(s, service) == 0)
			return true;
	}
	return false;
}

static void
on_logs(const struct client_reply *rp, void *ctx)
{
	struct reading *r = ctx;
	const struct node *day = node_get(node_get(rp->body, "logs"), r->date);

	if (rp->class != CLIENT_OK)
		fail(r, "the list of logs", rp->text);
	for (size_t i = 0;
	     day != NULL && day->type == NODE_MAP && i < day->u.map.n; i++) {
		const char *service = node_text(day->u.map.pairs[i].key);
		const struct node *files = day->u.map.pairs[i].value;

		if (service == NULL || files->type != NODE_LIST ||
		    !has_service(r, service))
			continue;
		service = arena_strdup(&r->logs->session->arena, service);
		for (size_t k = 0; k < files->u.list.n; k++)
			if (service != NULL &&
			    node_text(files->u.list.items[k]) != NULL)
				fetch_log(r, service,
				    node_text(files->u.list.items[k]));
	}
	done(r);
}

static void
on_info(const struct client_reply *rp, void *ctx)
{
	static const struct client_call list = { .route = ROUTE_PROJECTS_LOGS };
	struct reading *r = ctx;
	struct arena *a = &r->logs->session->arena;
	const struct node *info = node_get(rp->body, "info");
	const struct node *services = node_get(info, "services");
	const char *date = node_text(node_get(info, "last_log"));

	if (rp->class == CLIENT_NOTFOUND)
		out_info(&r->target->lane, "%s, project:%s) it is not here",
		    r->target->context, r->name);
	else if (rp->class != CLIENT_OK)
		fail(r, "the project", rp->text);
	else if (date != NULL && services != NULL &&
	    services->type == NODE_LIST) {
		r->date = arena_strdup(a, date);
		r->services = node_copy(a, services);
		if (r->date != NULL && r->services != NULL)
			ask(r, &list, on_logs, r);
	}
	done(r);
}

static void
start(struct target *t)
{
	struct logs *l = t->all->rule.ctx;
	struct arena *a = &l->session->arena;
	struct pile *p = arena_alloc(a, sizeof(*p));

	t->ctx = p;
	if (p == NULL || l->session->args.follow) {
		target_done(t);
		return;
	}
	p->end = &p->first;
	p->pending = 1;
	for (size_t i = 0; i < l->names.n; i++) {
		struct reading *r = arena_alloc(a, sizeof(*r));
		struct client_call call = { .route = ROUTE_PROJECT_INFO,
			.params = &l->names.items[i],
			.params_n = 1 };

		if (r == NULL)
			break;
		r->logs = l;
		r->target = t;
		r->name = l->names.items[i];
		r->end = &r->texts;
		*p->end = r;
		p->end = &r->next;
		ask(r, &call, on_info, r);
	}
	if (--p->pending == 0)
		target_done(t);
}

/* Where the last lines of a text begin. */
static size_t
tail_at(const char *text, size_t len, int64_t lines)
{
	size_t at = len;

	if (lines == 0)
		return 0;
	while (at > 0 && (text[at - 1] != '\n' || at == len || --lines > 0))
		at--;
	return at;
}

typedef void text_fn(struct logs *l, const struct text *t, void *ctx);

static void
each_text(struct logs *l, text_fn *fn, void *ctx)
{
	for (size_t i = 0; i < l->targets.n; i++) {
		const struct pile *p = l->targets.items[i].ctx;
		const struct reading *r = p != NULL ? p->first : NULL;

		for (; r != NULL; r = r->next)
			for (const struct text *t = r->texts; t != NULL;
			     t = t->next)
				if (t->text != NULL)
					fn(l, t, ctx);
	}
}

struct sources {
	const char *first;
	bool several;
};

static void
look_at_source(struct logs *l, const struct text *t, void *ctx)
{
	struct sources *x = ctx;

	(void)l;
	if (x->first == NULL)
		x->first = t->prefix;
	else if (t->prefix != NULL && strcmp(x->first, t->prefix) != 0)
		x->several = true;
}

static void
print_text(struct logs *l, const struct text *t, void *ctx)
{
	const struct sources *x = ctx;
	const struct cmd_args *args = &l->session->args;
	size_t at = tail_at(t->text, t->len, args->tail);

	logs_print(l, x->several && !args->no_prefix ? t->prefix : NULL,
	    t->text + at, t->len - at);
}

static enum exitcode
print(struct logs *l)
{
	struct sources x = { 0 };

	each_text(l, look_at_source, &x);
	each_text(l, print_text, &x);
	if (x.first == NULL)
		out_warn(&l->session->out, "there are no logs");
	return EXIT_CODE_OK;
}

static bool
is_file(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL &&
	    (strcmp(dot, ".yml") == 0 || strcmp(dot, ".yaml") == 0);
}

static enum exitcode
find_names(struct logs *l)
{
	struct session *s = l->session;

	l->names = s->args.words;
	if (l->names.n == 0 && s->spec != NULL &&
	    s->spec->kind == SPEC_PROJECT) {
		l->names.items = &s->spec->project.name;
		l->names.n = 1;
	}
	if (l->names.n == 0)
		return session_usage(s, NULL, "name a project");
	for (size_t i = 0; i < l->names.n; i++) {
		const char *name = l->names.items[i];

		if (s->args.follow && s->args.file == NULL && is_file(name))
			return session_usage(s,
			    arena_printf(&s->arena,
				"'-f' means --follow here; did you mean --file "
				"%s?",
				name),
			    "'%s' looks like a file", name);
		if (!name_is_project(name, strlen(name)))
			return session_usage(s, NULL, "'%s' is not %s", name,
			    name_kind_text(NAME_PROJECT));
	}
	return EXIT_CODE_OK;
}

static enum exitcode
run(struct session *s)
{
	struct logs l = { .session = s };
	struct targets_rule rule = { .start = start, .ctx = &l };
	enum exitcode rc = EXIT_CODE_OK;

	if (s->args.tail < 0)
		return session_usage(s, NULL, "--tail: must be 0 or more");
	if (s->args.until_done && !s->args.follow)
		return session_usage(s, NULL, "--until-done is for --follow");
	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = find_names(&l);
	if (rc == EXIT_CODE_OK)
		rc = targets_look(s, &rule, &l.targets);
	if (rc == EXIT_CODE_OK)
		rc = l.targets.unreachable;
	if (rc == EXIT_CODE_OK)
		rc = targets_none(&l.targets);
	if (rc != EXIT_CODE_OK || l.targets.matched == 0)
		return rc;
	return s->args.follow ? logs_follow(&l) : print(&l);
}

static const char *const examples[] = {
	"overlord logs --file web.yml",
	"overlord logs -f --file web.yml --until-done",
	NULL,
};

static const char *const exits[] = {
	"1   with --until-done: a job that was followed failed",
	"65  the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"68  nothing matched (with --strict)",
	"69  no data center could be reached",
	"77  no data center accepts the token",
	NULL,
};

const struct cmd cmd_logs = {
	.name = "logs",
	.group = CMD_JOBS,
	.summary = "Show the logs of projects; follow their jobs",
	.about = "Prints Director's logs of the newest run of the named "
		 "projects, or of the file's, on every server that the file "
		 "means. With --follow it prints what their jobs print, as "
		 "they do, until ^C.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.words = "[NAME]...",
	.words_max = 100,
	.examples = examples,
	.exits = exits,
	.run = run,
};
