/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord get-info: what servers know, in the original's text form (cli.md
 * 2.5) or as a document (6.10).
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/doc.h"
#include "cli/info.h"
#include "proto/human.h"

#define TEXT_MAX ((size_t)512 * 1024 * 1024)

static const char *const outputs[] = { "text", "json", "yaml", NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE,
	{ "type", "TYPE", CMD_STR, 't', true, CMD_AT(type), info_type_names,
	    NULL, "What to show." },
	{ "jail-item", "ITEM", CMD_LIST, 0, false, CMD_AT(jail_item),
	    info_jail_items, NULL, "With -t jails: only this; repeatable." },
	{ "all-labels", NULL, CMD_FLAG, 0, false, CMD_AT(all_labels), NULL,
	    NULL, "Every server, whatever its labels." },
	{ "filter", "FILTER", CMD_LIST, 0, false, CMD_AT(filter), NULL, NULL,
	    "A name (projects, vm, autoscale), else a regular expression; "
	    "repeatable." },
	{ "filter-per-project", NULL, CMD_FLAG, 0, false,
	    CMD_AT(filter_per_project), NULL, NULL,
	    "Only the project or VM of the file." },
	{ "use-autoscale-labels", NULL, CMD_FLAG, 0, false,
	    CMD_AT(autoscale_labels), NULL, NULL,
	    "Servers with the labels of autoScale, not of deployIn." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "text", "How to print." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
};

struct ask_all {
	const struct info_type *type;
	struct info_filter filter;
	bool doc;
	/* All that were begun, by next. */
	struct info *infos;
};

/* Targets */

static void
on_done(struct info *in)
{
	struct target *t = in->target;
	const struct ask_all *all = t->all->rule.ctx;

	if (all->doc)
		t->ctx = info_to_node(in, &t->all->session->arena);
	else
		info_print(in);
	arena_fini(&in->arena);
	target_done(t);
}

static void
start(struct target *t)
{
	struct ask_all *all = t->all->rule.ctx;
	struct info *in;

	if (((all->type->flags & INFO_BY_CHAIN) != 0 &&
		!info_filter_passes(&all->filter, t->chain)) ||
	    ((all->type->flags & INFO_TREE) != 0 && !all->doc)) {
		target_done(t);
		return;
	}
	in = arena_alloc(&t->all->session->arena, sizeof(*in));
	if (in == NULL) {
		target_done(t);
		return;
	}
	in->target = t;
	in->type = all->type;
	in->filter = &all->filter;
	in->done = on_done;
	in->next = all->infos;
	all->infos = in;
	info_start(in);
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

/* At the end */

/* One drawing for each URL, in order of first appearance. */
static enum exitcode
print_trees(struct session *s, const struct targets *all)
{
	const char **chains =
	    arena_calloc(&s->arena, all->n + 1, sizeof(*chains));
	bool *drawn = arena_calloc(&s->arena, all->n + 1, sizeof(*drawn));
	struct error e = ERROR_INIT;
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, TEXT_MAX);
	if (chains == NULL || drawn == NULL)
		return EXIT_CODE_OSERR;
	for (size_t i = 0; i < all->n; i++) {
		const char *url = all->items[i].server->url;
		size_t n = 0;

		for (size_t k = i; k < all->n; k++) {
			const struct target *t = &all->items[k];

			if (drawn[k] || !t->matched || t->chain == NULL ||
			    strcmp(t->server->url, url) != 0)
				continue;
			drawn[k] = true;
			chains[n++] = t->chain;
		}
		if (n > 0 && human_tree(&b, url, chains, n, &e) < 0)
			return session_fail(s, &e);
	}
	if (strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static enum exitcode
print_doc(struct session *s, const struct targets *all)
{
	struct arena *a = &s->arena;
	struct node *doc = doc_new(a, "overlord.info/1");
	struct node *nodes = node_new(a, NODE_LIST);

	doc_set_str(a, doc, "type", s->args.type);
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].ctx != NULL)
			node_add(a, nodes, all->items[i].ctx);
	node_set(a, doc, "nodes", nodes);
	return doc_print(s, doc);
}

static enum exitcode
show(struct session *s, struct ask_all *all)
{
	struct targets_rule rule = { .start = start, .ctx = all };
	struct tree_entry *entries = NULL;
	struct targets targets;
	enum exitcode rc;
	size_t n = 0;

	choose_targets(s, &rule);
	if (all->doc)
		rule.flags |= TARGETS_GIVE_FAULTS;
	rc = servers_of_spec(s, 0, &entries, &n);
	if (rc == EXIT_CODE_OK)
		rc = session_start(s);
	if (rc == EXIT_CODE_OK)
		rc = targets_run(s, entries, n, &rule, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (all->doc)
		rc = print_doc(s, &targets);
	else if ((all->type->flags & INFO_TREE) != 0)
		rc = print_trees(s, &targets);
	return rc != EXIT_CODE_OK ? rc : targets.unreachable;
}

static enum exitcode
run(struct session *s)
{
	struct ask_all all = { .type = info_find_type(s->args.type),
		.doc = doc_is_wanted(s) };
	enum exitcode rc;
	bool stop = false;

	if (all.type == NULL)
		return EXIT_CODE_SOFTWARE;
	if (!s->args.filter_per_project && s->args.filter.n == 0 &&
	    (all.type->flags & INFO_NEEDS_FILTER) != 0)
		return info_needs_filter(s);
	rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = info_filter_init(&all.filter, s, all.type, &stop);
	if (rc == EXIT_CODE_OK && !stop)
		rc = show(s, &all);
	/* What did not end. */
	for (struct info *in = all.infos; in != NULL; in = in->next)
		arena_fini(&in->arena);
	info_filter_fini(&all.filter);
	return rc;
}

static const char *const examples[] = {
	"overlord get-info -f web.yml -t projects",
	"overlord get-info -f web.yml -t projects --filter-per-project",
	"overlord get-info -f web.yml -t chains:tree --all-labels",
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
	.summary = "Show what servers know, in the original's form",
	.about = "Asks every server that the file means. Servers that cannot "
		 "be asked are told as warnings and do not change the exit "
		 "code.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
