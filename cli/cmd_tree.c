/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * overlord tree: the servers below the entry points as a tree, with labels and
 * how long each took to answer (cli.md 6.7). Targets come in the order of a
 * walk, depth first, so the server above one is among those before it, and its
 * sisters are among those after it.
 */
#include <string.h>

#include "cli/commands.h"
#include "cli/doc.h"
#include "cli/targets.h"
#include "cli/term.h"
#include "proto/plan.h"

#define TEXT_MAX ((size_t)64 * 1024 * 1024)
#define DEPTH_MAX (TREE_DEPTH_MAX + 2)

static const char *const outputs[] = { "table", "json", "yaml", NULL };

static const struct cmd_opt opts[] = {
	CMD_OPT_FILE_IF,
	{ "labels", "LABEL", CMD_LIST, 0, false, CMD_AT(labels), NULL, NULL,
	    "Mark servers that have this label with a star; repeatable." },
	{ "ascii", NULL, CMD_FLAG, 0, false, CMD_AT(ascii), NULL, NULL,
	    "Draw with ASCII characters only." },
	{ "output", "FORMAT", CMD_STR, 'o', false, CMD_AT(output), outputs,
	    "table", "How to print; table is the drawing." },
	CMD_OPT_DATACENTER,
	CMD_OPT_CHAIN,
};

/* What is known of a target, besides what it is. */
struct spot {
	struct target *target;
	int64_t took_ms;
	/* The nearest server above it that is shown. */
	const struct spot *above;
	size_t depth;
	/* No sister comes after it. */
	bool is_last;
};

static void
on_labels(const struct client_reply *r, void *ctx)
{
	struct spot *p = ctx;
	struct target *t = p->target;
	struct arena *a = &t->all->session->arena;
	struct error e = ERROR_INIT;
	struct client_strs labels;

	p->took_ms = r->took_ms;
	if (r->class != CLIENT_OK) {
		target_set_fault(
		    t, "get_api_labels", r->class, r->status, r->text);
	} else if (client_get_strs(r->body, "labels", a, &labels, &e) < 0) {
		target_set_fault(t, "get_api_labels", CLIENT_GARBLED, r->status,
		    error_text(&e));
	} else {
		t->labels.items = labels.items;
		t->labels.n = labels.n;
	}
	target_done(t);
}

static void
start(struct target *t)
{
	struct session *s = t->all->session;
	struct spot *p = arena_alloc(&s->arena, sizeof(*p));
	struct client_call call = {
		.server = t->server, .chain = t->chain, .route = ROUTE_LABELS
	};
	struct error e = ERROR_INIT;

	t->ctx = p;
	if (p != NULL)
		p->target = t;
	if (p == NULL || !target_can_be_asked(t)) {
		target_done(t);
	} else if (client_call(s->client, &call, on_labels, p, &e) < 0) {
		target_set_fault(
		    t, "get_api_labels", CLIENT_UNAVAILABLE, 0, error_text(&e));
		target_done(t);
	}
}

static bool
is_above(const struct target *t, const struct target *below)
{
	size_t len = t->chain != NULL ? strlen(t->chain) : 0;

	if (below->is_start || below->chain == NULL ||
	    t->server != below->server)
		return false;
	return len == 0 ||
	    (strncmp(t->chain, below->chain, len) == 0 &&
		below->chain[len] == '.');
}

/* Who is below whom, and who is last among sisters. */
static void
place(struct spot **spots, size_t n)
{
	bool later[DEPTH_MAX] = { false };
	const struct spot *top = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		while (top != NULL &&
		    (!is_above(top->target, spots[i]->target) ||
			top->depth + 1 >= DEPTH_MAX))
			top = top->above;
		spots[i]->above = top;
		spots[i]->depth = top != NULL ? top->depth + 1 : 0;
		top = spots[i];
	}
	for (i = n; i-- > 0;) {
		size_t d = spots[i]->depth;

		spots[i]->is_last = !later[d];
		later[d] = true;
		memset(later + d + 1, 0, (DEPTH_MAX - d - 1) * sizeof(*later));
	}
}

static bool
is_marked(const struct session *s, const struct target *t)
{
	for (size_t i = 0; i < s->args.labels.n; i++)
		for (size_t k = 0; k < t->labels.n; k++)
			if (strcmp(s->args.labels.items[i],
				t->labels.items[k]) == 0)
				return true;
	return false;
}

/* Its path from the server above it. */
static void
add_name(struct strbuf *b, const struct spot *p)
{
	const struct target *t = p->target;
	const char *above = p->above != NULL ? p->above->target->chain : NULL;

	if (p->above != NULL)
		strbuf_adds(
		    b, t->chain + (above != NULL ? strlen(above) + 1 : 0));
	else if (t->chain != NULL)
		strbuf_addf(b, "%s.%s", t->server->name, t->chain);
	else
		strbuf_adds(b, t->server->name);
	if (t->is_start)
		strbuf_addf(b, "  %s", t->server->url);
}

static void
add_state(struct strbuf *b, const struct spot *p)
{
	const struct target *t = p->target;

	if (t->fault.text != NULL) {
		strbuf_addf(b, "unreachable: %s", t->fault.text);
		return;
	}
	strbuf_addc(b, '[');
	for (size_t i = 0; i < t->labels.n; i++)
		strbuf_addf(b, "%s%s", i == 0 ? "" : " ", t->labels.items[i]);
	strbuf_addf(b, "]  %lldms", (long long)p->took_ms);
}

/* What servers say, without what a terminal would act upon. */
static void
add_clean(struct strbuf *b, bool color, enum term_color which,
    const struct strbuf *text)
{
	AUTO_STRBUF struct strbuf clean;

	strbuf_init(&clean, TEXT_MAX);
	strbuf_add_escaped(&clean, text->buf, text->len);
	term_add_color(b, color, which, clean.buf);
}

static void
add_line(struct strbuf *b, const struct session *s, const struct spot *p)
{
	AUTO_STRBUF struct strbuf name, state;
	bool marked = is_marked(s, p->target);

	strbuf_init(&name, TEXT_MAX);
	strbuf_init(&state, TEXT_MAX);
	add_name(&name, p);
	add_state(&state, p);
	add_clean(b, s->out.color_out, marked ? TERM_BOLD : TERM_PLAIN, &name);
	strbuf_adds(b, "  ");
	add_clean(b, s->out.color_out,
	    p->target->fault.text != NULL ? TERM_RED : TERM_PLAIN, &state);
	strbuf_adds(b, marked ? "  *\n" : "\n");
}

static void
draw(struct strbuf *b, const struct session *s, struct spot *const *spots,
    size_t n)
{
	static const char *const glyphs[2][4] = {
		{ "|   ", "    ", "+-- ", "+-- " },
		{ "\xe2\x94\x82   ", "    ",
		    "\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80 ",
		    "\xe2\x94\x94\xe2\x94\x80\xe2\x94\x80 " },
	};
	const char *const *g = glyphs[term_is_utf8() && !s->args.ascii];
	bool last[DEPTH_MAX] = { false };

	for (size_t i = 0; i < n; i++) {
		const struct spot *p = spots[i];

		last[p->depth] = p->is_last;
		for (size_t d = 1; d < p->depth; d++)
			strbuf_adds(b, last[d] ? g[1] : g[0]);
		if (p->depth > 0)
			strbuf_adds(b, p->is_last ? g[3] : g[2]);
		add_line(b, s, p);
	}
}

static struct node *
spot_node(struct arena *a, const struct spot *p)
{
	struct node *n = node_new(a, NODE_MAP),
		    *labels = node_new(a, NODE_LIST);
	const struct target *t = p->target;

	for (size_t i = 0; i < t->labels.n; i++)
		node_add(a, labels, node_str(a, t->labels.items[i]));
	doc_set_place(a, n, t->server, t->chain);
	node_set(a, n, "labels", labels);
	node_set(a, n, "took_ms",
	    t->fault.text == NULL ? node_int(a, p->took_ms) : node_null(a));
	doc_set_str(a, n, "error", t->fault.text);
	node_set(a, n, "children", node_new(a, NODE_LIST));
	return n;
}

static struct node *
tree_doc(struct arena *a, struct spot *const *spots, size_t n)
{
	struct node *above[DEPTH_MAX] = { NULL };
	struct node *top = doc_new(a, "overlord.tree/1");
	struct node *roots = node_new(a, NODE_LIST);

	for (size_t i = 0; i < n; i++) {
		size_t d = spots[i]->depth;
		struct node *m = spot_node(a, spots[i]);
		struct node *list = d == 0 || above[d - 1] == NULL
		    ? roots
		    : node_get(above[d - 1], "children");

		if (m == NULL || list == NULL)
			break;
		node_add(a, list, m);
		above[d] = m;
	}
	node_set(a, top, "servers", roots);
	return top;
}

static enum exitcode
print(struct session *s, const struct targets *targets)
{
	AUTO_STRBUF struct strbuf b;
	struct error e = ERROR_INIT;
	struct spot **spots =
	    arena_calloc(&s->arena, targets->n + 1, sizeof(struct spot *));
	size_t n = 0;

	strbuf_init(&b, TEXT_MAX);
	for (size_t i = 0; spots != NULL && i < targets->n; i++)
		if (targets->items[i].matched && targets->items[i].ctx != NULL)
			spots[n++] = targets->items[i].ctx;
	if (spots != NULL)
		place(spots, n);
	if (doc_is_wanted(s))
		return doc_print(s, tree_doc(&s->arena, spots, n));
	draw(&b, s, spots, n);
	if (arena_check(&s->arena, &e) < 0 || strbuf_check(&b, &e) < 0)
		return session_fail(s, &e);
	out_add(&s->out, b.buf, b.len);
	return EXIT_CODE_OK;
}

static enum exitcode
run(struct session *s)
{
	struct targets_rule rule = { .start = start,
		.flags = TARGETS_GIVE_FAULTS | TARGETS_ALL };
	struct targets targets;
	enum exitcode rc = EXIT_CODE_OK;

	if (s->args.file != NULL)
		rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = targets_look(s, &rule, &targets);
	if (rc == EXIT_CODE_OK)
		rc = print(s, &targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (targets.unreachable != EXIT_CODE_OK)
		return targets.unreachable;
	return targets_none(&targets);
}

static const char *const examples[] = {
	"overlord tree -f web.yml",
	"overlord tree -f web.yml --labels db-only",
	NULL,
};

static const char *const exits[] = {
	CMD_EXITS_LOOK,
	NULL,
};

const struct cmd cmd_tree = {
	.name = "tree",
	.group = CMD_LOOK,
	.summary = "Draw the tree of servers",
	.about = "Draws the servers below the file's entry points, with their "
		 "labels and how long each took to answer. Whether the file "
		 "would use a server does not matter.",
	.opts = opts,
	.opts_n = ARRAY_LEN(opts),
	.examples = examples,
	.exits = exits,
	.run = run,
};
