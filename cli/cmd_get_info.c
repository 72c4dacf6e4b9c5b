/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord get-info: what servers know, in the original's text form (cli.md
 * 2.5). Of the types, "projects" is there; the others are refused by name.
 *
 * Per target: the names (asked for unless the user gave them), then one request
 * per name, all at once. Answers are rendered when they come, since a reply's
 * tree does not live longer, and put together in the order of the names.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/targets.h"
#include "proto/human.h"
#include "proto/names.h"

#define BLOCK_MAX ((size_t)256 * 1024 * 1024)

static const char *const types[] = { "jails", "projects", "chains",
	"chains:tree", "chains:stats", "projects:logs", "jails:logs",
	"metadata", "namespaces", "autoscale", "vm", NULL };
static const char *const jail_items[] = { "stats", "info", "cpuset", "devfs",
	"expose", "healthcheck", "limits", "fstab", "labels", "nat", "volumes",
	NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "type", "TYPE", CMD_STR, 't', true, CMD_AT(type), types, NULL,
	    "What to show; this version has: projects." },
	{ "jail-item", "ITEM", CMD_LIST, 0, false, CMD_AT(jail_item),
	    jail_items, NULL, "With -t jails: only this; repeatable." },
	{ "all-labels", NULL, CMD_FLAG, 0, false, CMD_AT(all_labels), NULL,
	    NULL, "Every server, whatever its labels." },
	{ "filter", "NAME", CMD_LIST, 0, false, CMD_AT(filter), NULL, NULL,
	    "Only this project; repeatable." },
	{ "filter-per-project", NULL, CMD_FLAG, 0, false,
	    CMD_AT(filter_per_project), NULL, NULL,
	    "Only the project of the file." },
	{ "use-autoscale-labels", NULL, CMD_FLAG, 0, false,
	    CMD_AT(autoscale_labels), NULL, NULL,
	    "Servers with the labels of autoScale, not of deployIn." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
};

/* One name on one target. */
struct item {
	struct info *info;
	const char *name;
	/* Empty: nothing to show. */
	struct strbuf text;
	/* NULL: no failure. */
	const char *failure;
};

/* A target's work. */
struct info {
	struct target *target;
	struct item *items;
	size_t n;
	size_t pending;
};

struct names {
	const char *const *items;
	size_t n;
};

static void
warn_call(struct target *t, const char *function, const char *text)
{
	out_warn(&t->lane,
	    "%s, function:%s) error executing the remote call: %s", t->context,
	    function, text);
}

static void
print_header(struct target *t, struct strbuf *b)
{
	bool labels = (t->all->rule.flags & TARGETS_ALL) == 0;
	static const char *const none[] = { NULL };

	human_header(b, t->server->url, t->server->name, t->chain,
	    !labels               ? NULL
		: t->labels.n > 0 ? (const char *const *)t->labels.items
				  : none,
	    t->labels.n);
}

static void
print_all(struct info *in)
{
	struct target *t = in->target;
	AUTO_STRBUF struct strbuf b;
	bool first = true;

	strbuf_init(&b, BLOCK_MAX);
	for (size_t i = 0; i < in->n; i++)
		if (in->items[i].failure != NULL)
			warn_call(t, "get_info", in->items[i].failure);
	for (size_t i = 0; i < in->n; i++) {
		struct item *it = &in->items[i];

		if (it->text.len > 0 && first) {
			print_header(t, &b);
			strbuf_adds(&b, "  projects:\n");
			first = false;
		}
		strbuf_add(&b, it->text.buf, it->text.len);
		strbuf_fini(&it->text);
	}
	if (first)
		out_debug(&t->lane, "%s) nothing to show", t->context);
	out_add(&t->lane, b.buf, b.len);
	target_done(t);
}

static void
on_item(const struct client_reply *r, void *ctx)
{
	struct item *it = ctx;
	struct info *in = it->info;

	if (r->class == CLIENT_OK)
		human_project(&it->text, it->name, node_get(r->body, "info"));
	else if (r->class != CLIENT_NOTFOUND)
		it->failure =
		    arena_strdup(&in->target->all->session->arena, r->text);
	if (--in->pending == 0)
		print_all(in);
}

static void
ask_item(struct item *it)
{
	struct target *t = it->info->target;
	struct session *s = t->all->session;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = t->server,
		.chain = t->chain,
		.route = ROUTE_PROJECT_INFO,
		.params = &it->name,
		.params_n = 1 };

	if (!name_is_project(it->name, strlen(it->name)))
		it->failure = arena_printf(&s->arena, "'%s' is not %s",
		    it->name, name_kind_text(NAME_PROJECT));
	else if (client_call(s->client, &call, on_item, it, &e) < 0)
		it->failure = arena_strdup(&s->arena, error_text(&e));
	else
		it->info->pending++;
}

static bool
is_repeated(const struct names *names, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (strcmp(names->items[k], names->items[i]) == 0)
			return true;
	return false;
}

static void
ask_items(struct target *t, const struct names *names)
{
	struct arena *a = &t->all->session->arena;
	struct info *in = t->ctx;

	in->items = arena_calloc(a, names->n + 1, sizeof(*in->items));
	if (in->items == NULL) {
		target_done(t);
		return;
	}
	for (size_t i = 0; i < names->n; i++) {
		struct item *it = &in->items[in->n];

		if (is_repeated(names, i))
			continue;
		in->n++;
		it->info = in;
		it->name = arena_strdup(a, names->items[i]);
		strbuf_init(&it->text, BLOCK_MAX);
		if (it->name != NULL)
			ask_item(it);
	}
	if (in->pending == 0)
		print_all(in);
}

static void
on_names(const struct client_reply *r, void *ctx)
{
	struct target *t = ctx;
	struct client_strs list;
	struct error e = ERROR_INIT;
	struct names names;

	if (r->class != CLIENT_OK) {
		warn_call(t, "get_projects", r->text);
		target_done(t);
		return;
	}
	if (client_get_strs(
		r->body, "projects", &t->all->session->arena, &list, &e) < 0) {
		warn_call(t, "get_projects", error_text(&e));
		target_done(t);
		return;
	}
	names.items = list.items;
	names.n = list.n;
	ask_items(t, &names);
}

static void
start(struct target *t)
{
	const struct names *names = t->all->rule.ctx;
	struct session *s = t->all->session;
	struct error e = ERROR_INIT;
	struct client_call call = {
		.server = t->server, .chain = t->chain, .route = ROUTE_PROJECTS
	};
	struct info *in = arena_alloc(&s->arena, sizeof(*in));

	if (in == NULL) {
		target_done(t);
		return;
	}
	in->target = t;
	t->ctx = in;
	if (names->n > 0) {
		ask_items(t, names);
	} else if (client_call(s->client, &call, on_names, t, &e) < 0) {
		warn_call(t, "get_projects", error_text(&e));
		target_done(t);
	}
}

static void
choose_names(const struct session *s, struct names *ret)
{
	const struct spec *spec = s->spec;

	ret->items = s->args.filter.items;
	ret->n = s->args.filter.n;
	if (s->args.filter_per_project && spec->kind == SPEC_PROJECT) {
		ret->items = (const char *const *)&spec->project.name;
		ret->n = 1;
	}
}

static void
choose_targets(const struct session *s, struct targets_rule *rule)
{
	static const char *all[] = { "all" };

	rule->labels = s->spec->labels;
	rule->exclude = s->spec->exclude;
	if (s->args.all_labels)
		rule->flags |= TARGETS_ALL;
	if (!s->args.autoscale_labels)
		return;
	rule->labels.items = all;
	rule->labels.n = 1;
	if (s->spec->kind == SPEC_PROJECT &&
	    s->spec->project.autoscale.labels.n > 0)
		rule->labels = s->spec->project.autoscale.labels;
}

static enum exitcode
run(struct session *s)
{
	struct targets_rule rule = { .start = start };
	struct tree_entry *entries = NULL;
	struct targets targets;
	struct names names;
	enum exitcode rc;
	size_t n = 0;

	if (strcmp(s->args.type, "autoscale") == 0 && s->args.filter.n == 0 &&
	    !s->args.filter_per_project)
		return session_usage(s, NULL,
		    "Autoscale requires you define at least one filter");
	if (strcmp(s->args.type, "projects") != 0)
		return session_usage(s, NULL,
		    "--type '%s': is not supported yet by this version",
		    s->args.type);
	rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = servers_of_spec(s, 0, &entries, &n);
	if (rc == EXIT_CODE_OK)
		rc = session_start(s);
	if (rc != EXIT_CODE_OK)
		return rc;
	choose_names(s, &names);
	choose_targets(s, &rule);
	rule.ctx = &names;
	rc = targets_run(s, entries, n, &rule, &targets);
	return rc != EXIT_CODE_OK ? rc : targets.unreachable;
}

static const char *const examples[] = {
	"overlord get-info -f web.yml -t projects",
	"overlord get-info -f web.yml -t projects --filter-per-project",
	NULL,
};

static const char *const exits[] = {
	"65  the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"69  no data center could be reached",
	"77  no data center accepts the token",
	NULL,
};

const struct cmd cmd_get_info = {
	.name = "get-info",
	.group = CMD_LOOK,
	.summary = "Show what servers know about projects",
	.about = "Asks every server that the file means. Servers that cannot "
		 "be asked are told as warnings and do not change the exit "
		 "code.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
