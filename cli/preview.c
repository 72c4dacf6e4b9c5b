/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each target runs the plan that apply or destroy would run.  What only looks
 * is asked; where the plan would change something, the server is asked what it
 * has there (`asks`), both are compared, and the plan goes on as if it had been
 * done.  One row comes of each change.
 *
 * What an original has deployed it does not give back: then nobody can tell,
 * and the row says so.  A server that cannot be asked is a row, too, and
 * decides nothing, since apply would leave it out.
 */
#include "cli/preview.h"

#include <string.h>

#include "cli/change.h"
#include "cli/servers.h"
#include "cli/status_view.h"
#include "cli/wait_judge.h"
#include "lib/event/loop.h"

#define TARGET_ARENA_MAX ((size_t)256 * 1024 * 1024)

struct part {
	struct preview *preview;
	struct target *target;
	/* Kept until all is printed: rows borrow from it. */
	struct arena arena;
	struct plan plan;
	struct plan_request rq;
	/* Which of the asks of rq is under way. */
	size_t ask;
	/* Metadata as it is; NULL: there is none. */
	const char *text;
	/* The project as its server describes it; NULL: it is not there. */
	const struct node *info;
	struct preview_row *rows;
	size_t rows_n;
	size_t rows_cap;
};

static void step(struct part *p);

/* Rows */

static struct preview_row *
add_row(struct part *p, enum preview_mark mark, const char *object,
    const char *reason)
{
	struct preview_row *row, *rows;
	static struct preview_row none;

	if (p->rows_n == p->rows_cap) {
		size_t cap = p->rows_cap == 0 ? 2 : p->rows_cap * 2;

		rows = arena_calloc(&p->arena, cap, sizeof(*rows));
		if (rows == NULL)
			return &none;
		if (p->rows_n > 0)
			memcpy(rows, p->rows, p->rows_n * sizeof(*rows));
		p->rows = rows;
		p->rows_cap = cap;
	}
	row = &p->rows[p->rows_n++];
	row->target = p->target;
	row->mark = mark;
	row->object = object != NULL ? arena_strdup(&p->arena, object) : NULL;
	row->reason = reason != NULL ? arena_strdup(&p->arena, reason) : NULL;
	return row;
}

/* Found: it would change, or not. */
static void
add_compared(struct part *p, const char *object, const struct compare *c)
{
	struct preview_row *row;

	row =
	    add_row(p, c->n > 0 ? PREVIEW_CHANGE : PREVIEW_NONE, object, NULL);
	row->changes = *c;
}

/* What happens to an object is the autoscaler's. */
static const char *
object_of(const struct part *p)
{
	const struct spec *s = p->plan.in.spec;

	return s->kind == SPEC_METADATA ? p->rq.word : spec_project_name(s);
}

/* A target is not gone on with. */
static void
fail(
    struct part *p, enum client_class class, const char *what, const char *text)
{
	(void)add_row(p, PREVIEW_ERROR, object_of(p),
	    what[0] != '\0' ? arena_printf(&p->arena, "%s: %s", what, text)
			    : text);
	target_failed(p->target, class);
	if (plan_skip(&p->plan))
		step(p);
	else
		target_done(p->target);
}

/* Judges: what the plan would change, and what there is, make a row.  0: the
 * plan goes on, 1: there is more to ask. */

static int
judge_up(struct part *p, const struct client_reply *r)
{
	const struct node *spec = node_get(r->body, "spec");
	struct status st;
	struct compare c;

	if (p->ask == 0 && r->class == CLIENT_OK)
		p->info = node_copy(&p->arena, node_get(r->body, "info"));
	status_decide(p->info, NULL, NULL, &p->arena, &st);
	if (p->ask == 0) {
		if (st.state != STATUS_ABSENT && st.state != STATUS_DESTROYING)
			return 1;
		(void)add_row(p, PREVIEW_CREATE, object_of(p),
		    st.state == STATUS_ABSENT ? "not deployed here"
					      : "it is being destroyed");
		return 0;
	}
	if (r->class == CLIENT_OK) {
		spec = node_copy(&p->arena, spec);
		compare_init(&c, &p->arena);
		compare_add(&c, "projectFile", node_get(spec, "director_file"),
		    node_get(p->rq.body, "director_file"));
		compare_add(&c, "environment", node_get(spec, "environment"),
		    node_get(p->rq.body, "environment"));
		if (c.n > 0)
			add_compared(p, object_of(p), &c);
		else if (st.state == STATUS_FAILED)
			(void)add_row(p, PREVIEW_CHANGE, object_of(p),
			    "the same, but it failed; it is tried again");
		else if (p->plan.in.insist)
			(void)add_row(
			    p, PREVIEW_CHANGE, object_of(p), "restart");
		else
			add_compared(p, object_of(p), &c);
		return 0;
	}
	(void)add_row(p, PREVIEW_UNKNOWN, object_of(p),
	    r->status == 403 ? "the token may not see what is deployed; it "
			       "needs the scope deploy"
		: verdict_is_no_route(r->body)
		? "this server does not tell what it has deployed"
		: "deployed, but not through this server");
	return 0;
}

static int
judge_vm(struct part *p, const struct client_reply *r)
{
	const struct node *vm = node_get(r->body, "status");
	const struct node *body = p->rq.body, *overwrite;
	const char *operation;

	if (vm == NULL)
		vm = r->body;
	operation = node_text(node_get(vm, "operation"));
	overwrite = node_get(body, "overwrite");
	if (r->class != CLIENT_OK)
		(void)add_row(p, PREVIEW_CREATE, object_of(p), "not made here");
	else if (operation == NULL)
		(void)add_row(p, PREVIEW_UNKNOWN, object_of(p),
		    "this server does not tell how it is");
	else if (strcmp(operation, "COMPLETED") != 0 &&
	    strcmp(operation, "RUNNING") != 0)
		(void)add_row(p, PREVIEW_CHANGE, object_of(p),
		    arena_printf(&p->arena, "the last attempt: %s", operation));
	else if (p->plan.in.insist)
		(void)add_row(p, PREVIEW_CHANGE, object_of(p), "restart");
	else if (overwrite != NULL && overwrite->type == NODE_BOOL &&
	    overwrite->u.b)
		(void)add_row(p, PREVIEW_CHANGE, object_of(p), "overwrite");
	else
		(void)add_row(p, PREVIEW_NONE, object_of(p), NULL);
	return 0;
}

static int
judge_down(struct part *p, const struct client_reply *r)
{
	struct status st;

	status_decide(r->class == CLIENT_OK ? node_get(r->body, "info") : NULL,
	    NULL, NULL, &p->arena, &st);
	if (st.state == STATUS_ABSENT)
		(void)add_row(
		    p, PREVIEW_NONE, object_of(p), "not deployed here");
	else
		(void)add_row(p, PREVIEW_DESTROY, object_of(p), NULL);
	return 0;
}

static int
judge_delete(struct part *p, const struct client_reply *r)
{
	if (r->class == CLIENT_OK)
		(void)add_row(p, PREVIEW_DESTROY, p->rq.word, NULL);
	else
		(void)add_row(p, PREVIEW_NONE, p->rq.word, "not there");
	return 0;
}

/* Nothing is asked: the look-up before has told. */
static int
judge_key(struct part *p, const struct client_reply *r)
{
	const char *value = node_text(node_get(p->rq.body, "value"));
	struct compare c;

	(void)r;
	if (p->plan.in.action == PLAN_DESTROY) {
		(void)add_row(
		    p, PREVIEW_DESTROY, object_of(p), "through its autoscaler");
		return 0;
	}
	if (p->text == NULL) {
		(void)add_row(p, PREVIEW_CREATE, object_of(p), "not there");
		return 0;
	}
	compare_init(&c, &p->arena);
	if (p->plan.in.spec->kind == SPEC_METADATA)
		compare_add(&c, "value", node_str(&p->arena, p->text),
		    node_str(&p->arena, value));
	else
		compare_add_json(&c, "", p->text, value != NULL ? value : "");
	add_compared(p, object_of(p), &c);
	return 0;
}

static int
judge_space(struct part *p, const struct client_reply *r)
{
	(void)r;
	if (p->plan.key_exists)
		(void)add_row(p, PREVIEW_CHANGE, p->rq.word,
		    "a namespace is always written anew");
	else
		(void)add_row(p, PREVIEW_CREATE, p->rq.word, "not there");
	return 0;
}

/* What is asked where the plan would change something. */
static const struct {
	enum route_id routes[2];
	size_t n;
	int (*judge)(struct part *p, const struct client_reply *r);
} asks[] = {
	[PLAN_WRITE_KEY] = { { 0 }, 0, judge_key },
	[PLAN_WRITE_SPACE] = { { 0 }, 0, judge_space },
	[PLAN_DELETE_KEY] = { { ROUTE_METADATA_CHECK }, 1, judge_delete },
	[PLAN_DELETE_SPACE] = { { ROUTE_NAMESPACE_CHECK }, 1, judge_delete },
	[PLAN_UP] = { { ROUTE_PROJECT_INFO, ROUTE_PROJECT_SPEC }, 2, judge_up },
	[PLAN_MAKE_VM] = { { ROUTE_VM }, 1, judge_vm },
	[PLAN_DOWN] = { { ROUTE_PROJECT_INFO }, 1, judge_down },
};

/* Requests */

static void send_request(struct part *p);

static void
conclude_change(struct part *p, const struct client_reply *r)
{
	struct error e = ERROR_INIT;

	if (asks[p->rq.step].judge(p, r) > 0) {
		p->ask++;
		send_request(p);
	} else if (plan_answer(&p->plan, true, NULL, &e) < 0) {
		fail(p, CLIENT_GARBLED, "", error_text(&e));
	} else {
		step(p);
	}
}

/* Of metadata that was looked up. */
static const char *
text_of(struct part *p, const struct client_reply *r)
{
	const char *text = client_get_entry(r->body);

	return r->class == CLIENT_OK && text != NULL
	    ? arena_strdup(&p->arena, text)
	    : NULL;
}

static void
on_answer(const struct client_reply *r, void *ctx)
{
	struct part *p = ctx;
	struct error e = ERROR_INIT;
	bool found = r->class == CLIENT_OK;
	/* What a server may not show of a project is no failure. */
	bool hidden = p->rq.step == PLAN_UP && p->ask == 1 && r->status == 403;

	if (p->target->all->stopped)
		return;
	if (!found && !hidden &&
	    !(r->class == CLIENT_NOTFOUND &&
		(p->rq.is_change || plan_takes_not_found(p->rq.step)))) {
		fail(p, r->class, p->rq.is_change ? "" : p->rq.text, r->text);
		return;
	}
	if (p->rq.is_change) {
		conclude_change(p, r);
		return;
	}
	if (p->rq.step == PLAN_CHECK_KEY)
		p->text = text_of(p, r);
	if (plan_answer(&p->plan, found, r->body, &e) < 0)
		fail(p, CLIENT_GARBLED, "", error_text(&e));
	else
		step(p);
}

static void
send_request(struct part *p)
{
	struct error e = ERROR_INIT;
	struct client_call call = { .server = p->target->server,
		.chain = p->target->chain,
		.route = p->rq.route,
		.params = &p->rq.word,
		.params_n = 1 };

	if (p->rq.is_change)
		call.route = asks[p->rq.step].routes[p->ask];
	else if (p->rq.step == PLAN_CHECK_KEY)
		/* Whether it is there is not enough. */
		call.route = ROUTE_METADATA_GET;
	if (client_call(p->preview->session->client, &call, on_answer, p, &e) <
	    0)
		fail(p, CLIENT_UNAVAILABLE, "", error_text(&e));
}

static void
step(struct part *p)
{
	static const struct client_reply nothing = { .class = CLIENT_OK };
	struct error e = ERROR_INIT;

	switch (plan_next(&p->plan, &p->rq, &e)) {
	case 0:
		break;
	case PLAN_END:
		target_done(p->target);
		return;
	default:
		fail(p, CLIENT_GARBLED, "", error_text(&e));
		return;
	}
	p->ask = 0;
	if (p->rq.is_change && asks[p->rq.step].n == 0)
		conclude_change(p, &nothing);
	else
		send_request(p);
}

static void
start(struct target *t)
{
	struct preview *v = t->all->rule.ctx;
	struct session *s = v->session;
	struct part *p = arena_alloc(&s->arena, sizeof(*p));
	struct plan_input in = change_plan_input(t, v->action);

	if (p == NULL) {
		target_done(t);
		return;
	}
	p->preview = v;
	p->target = t;
	t->ctx = p;
	arena_init(&p->arena, TARGET_ARENA_MAX);
	if (!target_can_be_asked(t)) {
		(void)add_row(p, PREVIEW_ERROR, NULL, t->fault.text);
		target_done(t);
		return;
	}
	plan_init(&p->plan, &in, &p->arena);
	step(p);
}

/* After the run */

static const char *
join(struct arena *a, const struct schema_strs *strs)
{
	AUTO_STRBUF struct strbuf b;

	strbuf_init(&b, 64 * 1024);
	for (size_t i = 0; i < strs->n; i++)
		strbuf_addf(&b, "%s%s", i == 0 ? "" : ", ", strs->items[i]);
	return arena_strdup(a, b.buf);
}

/* Why a server is not meant; NULL: it was not looked at. */
static const char *
why_skipped(struct preview *v, const struct target *t)
{
	struct session *s = v->session;
	const char *label = NULL;

	/* Left out by name, before it was asked for labels. */
	if (t->fault.text != NULL ||
	    (t->labels.n == 0 && s->args.chain.n + s->args.filter_chain.n > 0))
		return NULL;
	if (plan_match(&s->spec->labels, &s->spec->exclude, &t->labels,
		&label) == PLAN_EXCLUDED)
		return arena_printf(
		    &s->arena, "excluded by its label %s", label);
	return arena_printf(&s->arena, "labels: %s; wants: %s",
	    join(&s->arena, &t->labels), join(&s->arena, &s->spec->labels));
}

static void
keep_row(struct preview *v, const struct preview_row *row)
{
	v->rows[v->rows_n++] = *row;
	v->count[row->mark]++;
}

/* Rows of all targets, in order.  Where apply would have reached its limit,
 * what comes after is left out, as there: it looks between servers, and counts
 * everything that it sends. */
static int
collect(struct preview *v, struct error *e)
{
	struct session *s = v->session;
	size_t limit =
	    v->action == PLAN_APPLY ? (size_t)s->spec->maximum_deployments : 0;
	size_t n = v->targets.n, done = 0;
	struct preview_row skipped = { .mark = PREVIEW_SKIPPED };

	for (size_t i = 0; i < v->targets.n; i++) {
		struct part *p = v->targets.items[i].ctx;

		n += p != NULL ? p->rows_n : 0;
	}
	v->rows = arena_calloc(&s->arena, n + 1, sizeof(*v->rows));
	if (v->rows == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < v->targets.n; i++) {
		const struct target *t = &v->targets.items[i];
		struct part *p = t->ctx;

		skipped.target = t;
		skipped.reason = limit > 0 && done >= limit && t->matched
		    ? "maximumDeployments is reached"
		    : p == NULL ? why_skipped(v, t)
				: NULL;
		if (skipped.reason != NULL) {
			keep_row(v, &skipped);
			continue;
		}
		for (size_t k = 0; p != NULL && k < p->rows_n; k++) {
			done += p->rows[k].mark != PREVIEW_ERROR;
			keep_row(v, &p->rows[k]);
		}
		if (p != NULL && arena_check(&p->arena, e) < 0)
			return -1;
	}
	return arena_check(&s->arena, e);
}

static enum exitcode
verdict(const struct preview *v)
{
	const struct targets *t = &v->targets;
	struct session *s = v->session;
	size_t meant = 0;

	for (size_t i = 0; i < t->n; i++)
		meant +=
		    t->items[i].matched && target_can_be_asked(&t->items[i]);
	if (t->unreachable != EXIT_CODE_OK)
		return t->unreachable;
	if (t->failure != EXIT_CODE_OK && !s->args.best_effort)
		return t->failure;
	if (s->args.strict && v->count[PREVIEW_ERROR] > 0)
		return EXIT_CODE_UNAVAILABLE;
	if (meant == 0) {
		out_warn_hint(&s->out, change_none_hint(t), "nothing matched");
		return s->args.strict ? EXIT_CODE_NOMATCH : EXIT_CODE_OK;
	}
	if (v->count[PREVIEW_CREATE] + v->count[PREVIEW_CHANGE] +
		v->count[PREVIEW_DESTROY] + v->count[PREVIEW_UNKNOWN] >
	    0)
		return PREVIEW_CHANGES;
	return EXIT_CODE_OK;
}

static enum exitcode
look(struct preview *v, const struct tree_entry *entries, size_t n)
{
	struct session *s = v->session;
	struct targets_rule rule = { .labels = s->spec->labels,
		.exclude = s->spec->exclude,
		.flags = TARGETS_GIVE_FAULTS,
		.start = start,
		.ctx = v };
	struct error e = ERROR_INIT;
	enum exitcode rc;

	if (v->action == PLAN_DESTROY)
		rule.flags |= TARGETS_FILTER_CHAIN;
	rc = targets_run(s, entries, change_is_wanted_project(s) ? n : 0, &rule,
	    &v->targets);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (collect(v, &e) < 0)
		return session_fail(s, &e);
	return EXIT_CODE_OK;
}

enum exitcode
preview_run(struct session *s, enum plan_action action)
{
	struct preview v = { .session = s, .action = action };
	struct tree_entry *entries = NULL;
	enum exitcode rc;
	bool is_over;
	size_t n = 0;

	rc = change_begin(s, action, &entries, &n, &is_over);
	if (rc == EXIT_CODE_OK && !is_over)
		rc = look(&v, entries, n);
	if (rc == EXIT_CODE_OK && !is_over)
		rc = preview_print(&v);
	if (rc == EXIT_CODE_OK && !is_over)
		rc = verdict(&v);
	for (size_t i = 0; i < v.targets.n; i++) {
		struct part *p = v.targets.items[i].ctx;

		if (p != NULL)
			arena_fini(&p->arena);
	}
	return rc;
}
