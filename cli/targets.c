/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The life of a target: found by the tree, filtered, asked for its labels,
 * matched, given to the command, done, shown. Showing goes strictly in order:
 * a finished target waits in its lane until all before it have been shown. The
 * loop ends when the last one has.
 *
 * A server whose chains or labels cannot be asked gives a warning and decides
 * nothing: nobody knows whether it was meant (cli.md 1.7). Only when no entry
 * point answers at all has the command failed.
 */
#include "cli/targets.h"

#include <fnmatch.h>
#include <string.h>

#include "lib/auth/token.h"
#include "lib/base/clock.h"
#include "lib/event/loop.h"
#include "proto/human.h"
#include "proto/plan.h"

/* As the original calls them. */
#define CALL_CHAINS "get_chains"
#define CALL_LABELS "get_api_labels"

enum exitcode targets_exit(enum client_class class)
{
	switch (class) {
	case CLIENT_OK:
		return EXIT_CODE_OK;
	case CLIENT_DENIED:
		return EXIT_CODE_NOPERM;
	case CLIENT_NOTFOUND:
	case CLIENT_REFUSED:
	case CLIENT_GARBLED:
		return EXIT_CODE_PROTOCOL;
	case CLIENT_UNAVAILABLE:
		return EXIT_CODE_UNAVAILABLE;
	}
	return EXIT_CODE_SOFTWARE;
}

/* Milliseconds since a token expired; 0: it has not, as far as it says. */
static int64_t
expired_ms(const char *token)
{
	AUTO_ARENA struct arena a;
	struct node *header, *claims = NULL;
	const struct node *exp;
	int64_t now = clock_wall_ms();

	arena_init(&a, (size_t)1024 * 1024);
	if (token == NULL ||
	    token_decode(token, strlen(token), &a, &header, &claims, NULL) < 0)
		return 0;
	exp = node_get(claims, "exp");
	if (exp == NULL || exp->type != NODE_INT || exp->big ||
	    exp->u.i > now / 1000 || exp->u.i < 0)
		return 0;
	return now - exp->u.i * 1000;
}

const char *
targets_hint(struct session *s, const struct client_server *server,
    enum client_class class)
{
	AUTO_STRBUF struct strbuf age;
	int64_t ms;

	strbuf_init(&age, 64);
	if (class != CLIENT_DENIED)
		return NULL;
	ms = expired_ms(server->token);
	if (ms <= 0)
		return "the token is not from this server; make one there "
		       "with 'overlord gen-token'";
	human_age(&age, ms / 1000);
	return arena_printf(&s->arena,
	    "the token expired %s ago; make one on that server with "
	    "'overlord gen-token'",
	    age.buf);
}

enum exitcode
targets_none(const struct targets *t)
{
	struct session *s = t->session;

	if (t->matched > 0)
		return EXIT_CODE_OK;
	out_warn_hint(&s->out, TARGETS_NONE_HINT, "nothing matched");
	return s->args.strict ? EXIT_CODE_NOMATCH : EXIT_CODE_OK;
}

void
targets_stop(struct targets *t)
{
	t->stopped = true;
	loop_stop(t->session->loop);
}

static void
show_ready(struct targets *all)
{
	while (!all->stopped && all->shown < all->n &&
	    all->items[all->shown].done) {
		struct target *t = &all->items[all->shown];
		bool more =
		    all->rule.show == NULL || !t->matched || all->rule.show(t);

		out_release(&t->lane);
		out_fini(&t->lane);
		all->shown++;
		if (!more)
			all->stopped = true;
	}
	if (all->stopped || all->shown == all->n)
		loop_stop(all->session->loop);
}

void
target_done(struct target *t)
{
	struct targets *all = t->all;

	t->done = true;
	show_ready(all);
	if (all->rule.settled != NULL && !all->stopped)
		all->rule.settled(all);
}

void
target_failed(struct target *t, enum client_class class)
{
	enum exitcode code = targets_exit(class);

	t->all->failed += !t->failed;
	t->failed = true;
	/* 77 before 76 before 69. */
	if (code > t->all->failure)
		t->all->failure = code;
}

void
target_set_fault(struct target *t, const char *call, enum client_class class,
    int status, const char *text)
{
	t->fault.text = arena_strdup(&t->all->session->arena, text);
	if (t->fault.text == NULL)
		t->fault.text = "out of memory";
	t->fault.call = call;
	t->fault.class = class;
	t->fault.status = status;
}

bool
target_upserts(const struct target *t)
{
	/* Only a server of ours tells labels with its tree. */
	return t->chain != NULL && t->told.items != NULL;
}

bool
target_can_be_asked(const struct target *t)
{
	if (t->fault.text == NULL)
		return true;
	if (strcmp(t->fault.call, CALL_CHAINS) != 0)
		return false;
	return (t->all->rule.flags & TARGETS_ALL) == 0 ||
	    (t->fault.class != CLIENT_UNAVAILABLE &&
		t->fault.class != CLIENT_DENIED);
}

/* Filters */

static bool
chain_is(const char *chain, const char *pattern)
{
	if (chain == NULL)
		return strcmp(pattern, servers_chain(NULL)) == 0;
	return fnmatch(pattern, chain, 0) == 0;
}

static bool
passes_filter_chain(struct target *t, const struct cmd_args *a)
{
	if (a->filter_chain.n == 0)
		return true;
	if (t->chain == NULL) {
		if (!a->filter_root_chain)
			out_debug(&t->lane,
			    "(datacenter:%s, filter-root-chain:0) excluding "
			    "root chain ...",
			    t->server->name);
		return a->filter_root_chain;
	}
	for (size_t i = 0; i < a->filter_chain.n; i++)
		if (strcmp(a->filter_chain.items[i], t->chain) == 0)
			return true;
	out_debug(&t->lane,
	    "%s) it doesn't match the specified chain, ignoring ...",
	    t->context);
	return false;
}

static bool
passes_filters(struct target *t)
{
	const struct cmd_args *a = &t->all->session->args;

	if ((t->all->rule.flags & TARGETS_FILTER_CHAIN) != 0 &&
	    !passes_filter_chain(t, a))
		return false;
	for (size_t i = 0; i < a->chain.n; i++)
		if (chain_is(t->chain, a->chain.items[i]))
			return true;
	return a->chain.n == 0;
}

/* Labels */

static void
warn_chains(struct target *t, struct out *out)
{
	out_warn_hint(out,
	    targets_hint(t->all->session, t->server, t->fault.class),
	    "%s) error obtaining the chains: %s", t->context, t->fault.text);
}

static void
begin(struct target *t)
{
	/* Else it would not be seen that there is something below. */
	if ((t->all->rule.flags & TARGETS_GIVE_FAULTS) != 0 &&
	    t->fault.text != NULL && target_can_be_asked(t))
		warn_chains(t, &t->lane);
	t->matched = true;
	t->all->matched++;
	t->all->rule.start(t);
}

static void
give_up(struct target *t, enum client_class class, int status, const char *text)
{
	target_set_fault(t, CALL_LABELS, class, status, text);
	if ((t->all->rule.flags & TARGETS_GIVE_FAULTS) != 0) {
		begin(t);
		return;
	}
	out_warn(
	    &t->lane, "%s) error obtaining API labels: %s", t->context, text);
	target_done(t);
}

static void
decide(struct target *t)
{
	struct targets *all = t->all;
	const char *label;

	switch (plan_match(
	    &all->rule.labels, &all->rule.exclude, &t->labels, &label)) {
	case PLAN_MATCH:
		out_debug(&t->lane, "%s, label:%s) match!", t->context, label);
		begin(t);
		return;
	case PLAN_EXCLUDED:
		out_debug(
		    &t->lane, "%s, label:%s) excluding ...", t->context, label);
		break;
	case PLAN_NO_LABEL:
		out_debug(
		    &t->lane, "%s) none of its labels is wanted", t->context);
		break;
	}
	target_done(t);
}

static void
take_labels(struct target *t, const struct client_strs *labels)
{
	t->labels.items = labels->items;
	t->labels.n = labels->n;
	decide(t);
}

static void
on_labels(const struct client_reply *r, void *ctx)
{
	struct target *t = ctx;
	struct error e = ERROR_INIT;
	struct client_strs labels;

	if (t->all->stopped)
		return;
	if (r->class != CLIENT_OK) {
		give_up(t, r->class, r->status, r->text);
		return;
	}
	if (client_get_strs(
		r->body, "labels", &t->all->session->arena, &labels, &e) < 0) {
		give_up(t, CLIENT_GARBLED, r->status, error_text(&e));
		return;
	}
	take_labels(t, &labels);
}

static void
start(struct target *t)
{
	struct error e = ERROR_INIT;
	struct client_call call = {
		.server = t->server, .chain = t->chain, .route = ROUTE_LABELS
	};

	if (!passes_filters(t)) {
		target_done(t);
		return;
	}
	if ((t->all->rule.flags & TARGETS_ALL) != 0) {
		begin(t);
		return;
	}
	if (t->told.items != NULL) {
		take_labels(t, &t->told);
		return;
	}
	if (client_call(t->all->session->client, &call, on_labels, t, &e) < 0)
		give_up(t, CLIENT_UNAVAILABLE, 0, error_text(&e));
}

/* Discovery */

static void
find_unreachable(struct targets *all, const struct tree *tree)
{
	enum exitcode code = EXIT_CODE_OK;
	bool denied = true;

	for (size_t i = 0; i < tree->n; i++) {
		if (!tree->nodes[i].is_start)
			continue;
		if (tree->nodes[i].fault == NULL)
			return;
		code = EXIT_CODE_UNAVAILABLE;
		denied &= tree->nodes[i].class == CLIENT_DENIED;
	}
	if (code != EXIT_CODE_OK && denied)
		code = EXIT_CODE_NOPERM;
	all->unreachable = code;
}

static void
add_target(struct targets *all, const struct tree_node *n)
{
	struct session *s = all->session;
	struct target *t = &all->items[all->n];

	t->all = all;
	t->index = all->n++;
	t->server = n->server;
	t->chain = n->chain;
	t->is_start = n->is_start;
	t->version = n->version;
	t->told = n->labels;
	t->context = servers_context(&s->arena, n->server, n->chain);
	out_init_lane(&t->lane, &s->out);
	if (n->fault == NULL)
		return;
	target_set_fault(t, CALL_CHAINS, n->class, n->status, n->fault);
	if ((all->rule.flags & TARGETS_GIVE_FAULTS) == 0)
		warn_chains(t, &s->out);
}

static void
on_tree(const struct tree *tree, void *ctx)
{
	struct targets *all = ctx;
	struct session *s = all->session;
	bool gives_faults = (all->rule.flags & TARGETS_GIVE_FAULTS) != 0;

	find_unreachable(all, tree);
	all->items = arena_calloc(&s->arena, tree->n + 1, sizeof(*all->items));
	if (all->items == NULL) {
		loop_stop(s->loop);
		return;
	}
	/* Warnings of discovery come before everything else, as they did. */
	for (size_t i = 0; i < tree->n; i++) {
		const struct tree_node *n = &tree->nodes[i];

		if (!n->is_left_alone || gives_faults)
			add_target(all, n);
	}
	for (size_t i = 0; i < all->n && !all->stopped; i++)
		start(&all->items[i]);
	show_ready(all);
}

enum exitcode
targets_run(struct session *s, const struct tree_entry *entries, size_t n,
    const struct targets_rule *rule, struct targets *ret)
{
	struct tree_search *search AUTO(tree_search) = NULL;
	struct error e = ERROR_INIT;

	memset(ret, 0, sizeof(*ret));
	ret->session = s;
	ret->rule = *rule;
	if (n == 0)
		return EXIT_CODE_OK;
	if (tree_discover(&search, s->client, entries, n, &s->arena, on_tree,
		ret, &e) < 0 ||
	    loop_run(s->loop, &e) < 0)
		return session_fail(s, &e);
	client_cancel_all(s->client);
	for (size_t i = ret->shown; i < ret->n; i++)
		out_fini(&ret->items[i].lane);
	if (arena_check(&s->arena, &e) < 0)
		return session_fail(s, &e);
	return EXIT_CODE_OK;
}

enum exitcode
targets_look(
    struct session *s, const struct targets_rule *rule, struct targets *ret)
{
	struct targets_rule mine = *rule;
	struct tree_entry *entries = NULL;
	enum exitcode rc;
	size_t n = 0;

	if (s->args.all || s->spec == NULL)
		mine.flags |= TARGETS_ALL;
	if (s->spec == NULL) {
		rc = servers_local(s, &entries, &n);
	} else {
		mine.labels = s->spec->labels;
		mine.exclude = s->spec->exclude;
		rc = servers_of_spec(s,
		    SERVERS_MERGE | (s->args.all ? SERVERS_WHOLE : 0), &entries,
		    &n);
	}
	if (rc == EXIT_CODE_OK)
		rc = session_start(s);
	if (rc == EXIT_CODE_OK)
		rc = targets_run(s, entries, n, &mine, ret);
	return rc;
}
