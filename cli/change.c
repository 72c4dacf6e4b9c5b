/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each target runs a plan: the next request, its answer, the next one. Targets
 * are independent, but for maximumDeployments: then a request that changes
 * something waits until all targets before it have made up their mind, and no
 * more such requests are under way than may still succeed, so the limit is
 * never exceeded and the first N in order of discovery are chosen, as if asked
 * one after another.
 */
#include "cli/change.h"

#include <stdlib.h>
#include <string.h>

#include "cli/targets.h"
#include "cli/wait.h"
#include "lib/base/clock.h"
#include "lib/base/rand.h"
#include "lib/event/loop.h"
#include "proto/names.h"

/* 128 bits in hex. */
#define KEY_LEN 32
#define TARGET_ARENA_MAX ((size_t)256 * 1024 * 1024)

const char *const change_wait_choices[] = { "deployed", "running", NULL };

const char *const change_exits[] = {
	"1   a deployment that was waited for failed",
	"65  the deployment file is faulty",
	"66  the file or a data center cannot be found",
	"68  nothing matched (with --strict or --wait)",
	"69  a target, or every data center, could not be reached",
	"75  time ran out (with --wait)",
	"76  a target refused, or answered what is not understood",
	"77  a target does not accept the token",
	"78  the kind of the file does not allow this",
	NULL,
};

struct change {
	struct session *session;
	enum plan_action action;
	struct targets targets;
	/* maximumDeployments, 0: no limit; for apply only. */
	size_t limit;
	size_t count;
	size_t in_flight;
	struct wait_job *jobs;
	size_t jobs_n;
	size_t jobs_cap;
	int64_t deadline_ms;
	bool timed_out;
	struct timer timer;
};

struct part {
	struct change *change;
	struct target *target;
	struct arena arena;
	struct plan plan;
	struct plan_request rq;
	/* Its change waits for its turn; is under way or over. */
	bool ready;
	bool decided;
	bool succeeded;
	/* Of its change; one for each target of a run. */
	char key[KEY_LEN + 1];
};

static void step(struct part *p);

/* What is done to what, in a message: "project:p" or "metadata:k". */
static const char *
subject(struct part *p)
{
	const struct plan_request *rq = &p->rq;
	const char *s;

	if (rq->key != NULL && rq->step != PLAN_CHECK_SCALE)
		s = arena_printf(&p->arena, ", metadata:%s", rq->key);
	else if (rq->step == PLAN_CHECK_SCALE)
		s = "";
	else
		s = arena_printf(&p->arena, ", project:%s", rq->project);
	return s != NULL ? s : "";
}

static void pump(struct change *c);

static void
finish(struct part *p)
{
	struct change *c = p->change;

	p->decided = true;
	arena_fini(&p->arena);
	target_done(p->target);
	if (!c->targets.stopped)
		pump(c);
}

static void
fail(
    struct part *p, enum client_class class, const char *what, const char *text)
{
	out_warn_hint(&p->target->lane,
	    targets_hint(p->change->session, p->target->server, class),
	    "%s%s) %s%s%s", p->target->context, subject(p), what,
	    what[0] != '\0' ? ": " : "", text);
	target_failed(p->target, class);
	finish(p);
}

static void
remember_job(struct part *p, int64_t job)
{
	struct change *c = p->change;
	struct arena *a = &c->session->arena;
	struct wait_job *j;

	if (c->jobs_n == c->jobs_cap) {
		size_t cap = c->jobs_cap == 0 ? 16 : c->jobs_cap * 2;

		j = arena_calloc(a, cap, sizeof(*j));
		if (j == NULL)
			return;
		if (c->jobs_n > 0)
			memcpy(j, c->jobs, c->jobs_n * sizeof(*j));
		c->jobs = j;
		c->jobs_cap = cap;
	}
	j = &c->jobs[c->jobs_n++];
	j->index = p->target->index;
	j->server = p->target->server;
	j->chain = p->target->chain;
	j->context = p->target->context;
	j->project = p->rq.project;
	j->job = job;
	j->type = c->action == PLAN_APPLY ? "up"
	    : c->action == PLAN_DESTROY   ? "down"
					  : "cancel";
	j->began_ms = clock_mono_ms();
}

/* A change was accepted. -1: the answer is not understood. */
static int
accept_change(struct part *p, const struct node *body, struct error *e)
{
	static const char *const words[] = { "creating", "destruction",
		"cancelling" };
	struct change *c = p->change;
	int64_t job;

	if (p->rq.key == NULL) {
		if (client_get_job_id(body, &job, e) < 0)
			return -1;
		out_info(&p->target->lane,
		    "%s%s, job:%lld) request for %s has been made",
		    p->target->context, subject(p), (long long)job,
		    words[c->action]);
		remember_job(p, job);
	}
	p->succeeded = true;
	c->count++;
	return 0;
}

static void
on_answer(const struct client_reply *r, void *ctx)
{
	struct part *p = ctx;
	struct error e = ERROR_INIT;
	bool found = r->class == CLIENT_OK;

	if (p->rq.is_change)
		p->change->in_flight--;
	if (p->change->targets.stopped)
		return;
	if (!found &&
	    !(r->class == CLIENT_NOTFOUND &&
		plan_takes_not_found(p->rq.step))) {
		fail(p, r->class, plan_step_text(p->rq.step), r->text);
		return;
	}
	if (p->rq.is_change && accept_change(p, r->body, &e) < 0) {
		fail(p, CLIENT_GARBLED, plan_step_text(p->rq.step),
		    error_text(&e));
		return;
	}
	if (plan_answer(&p->plan, found, r->body, &e) < 0) {
		fail(p, CLIENT_GARBLED, "", error_text(&e));
		return;
	}
	step(p);
}

static void
send_request(struct part *p)
{
	struct error e = ERROR_INIT;
	struct client_call call = { .server = p->target->server,
		.chain = p->target->chain,
		.route = p->rq.route,
		.body = p->rq.body,
		.params_n = 1 };

	call.params = p->rq.key != NULL ? &p->rq.key : &p->rq.project;
	if (p->rq.is_change && p->rq.key == NULL) {
		if (p->key[0] == '\0')
			rand_hex(p->key, KEY_LEN);
		call.idempotency_key = p->key;
	}
	if (p->rq.is_change) {
		p->decided = true;
		p->change->in_flight++;
	}
	if (p->rq.step == PLAN_WRITE_KEY)
		out_info(&p->target->lane, "%s%s) Writing metadata ...",
		    p->target->context, subject(p));
	if (client_call(p->change->session->client, &call, on_answer, p, &e) ==
	    0)
		return;
	if (p->rq.is_change)
		p->change->in_flight--;
	fail(p, CLIENT_UNAVAILABLE, plan_step_text(p->rq.step), error_text(&e));
}

/* Lets changes go whose turn it is; without a limit none has waited. */
static void
pump(struct change *c)
{
	for (size_t i = 0;
	     c->limit > 0 && i < c->targets.n && !c->targets.stopped; i++) {
		struct target *t = &c->targets.items[i];
		struct part *p = t->ctx;

		if (t->done || (p != NULL && p->decided))
			continue;
		if (p == NULL || !p->ready ||
		    c->count + c->in_flight >= c->limit)
			return;
		send_request(p);
	}
}

static void
step(struct part *p)
{
	struct error e = ERROR_INIT;
	int rc = plan_next(&p->plan, &p->rq, &e);

	if (rc == PLAN_END) {
		finish(p);
		return;
	}
	if (rc < 0) {
		if (p->rq.key == NULL)
			p->rq.key = p->plan.key;
		fail(p, CLIENT_GARBLED, "", error_text(&e));
		return;
	}
	if (p->rq.is_change && p->change->limit > 0) {
		p->ready = true;
		pump(p->change);
		return;
	}
	send_request(p);
}

static void
start(struct target *t)
{
	struct change *c = t->all->rule.ctx;
	struct session *s = c->session;
	struct part *p = arena_alloc(&s->arena, sizeof(*p));
	struct plan_input in = { .action = c->action,
		.spec = s->spec,
		.datacenter = t->server->name,
		.chain = t->chain,
		.labels = t->labels,
		.insist =
		    c->action == PLAN_APPLY ? s->args.restart : s->args.force,
		.env = session_getenv };

	if (p == NULL) {
		target_failed(t, CLIENT_UNAVAILABLE);
		target_done(t);
		return;
	}
	p->change = c;
	p->target = t;
	t->ctx = p;
	arena_init(&p->arena, TARGET_ARENA_MAX);
	plan_init(&p->plan, &in, &p->arena);
	step(p);
}

/* Nothing after the target that reached the limit is shown. */
static bool
show(struct target *t)
{
	struct change *c = t->all->rule.ctx;
	const struct part *p = t->ctx;
	size_t before = 0;

	if (c->limit == 0 || c->count < c->limit || p == NULL || !p->succeeded)
		return true;
	for (size_t i = 0; i <= t->index; i++) {
		const struct part *q = c->targets.items[i].ctx;

		before += q != NULL && q->succeeded;
	}
	return before < c->limit;
}

static void
on_deadline(struct timer *timer)
{
	struct change *c = container_of(timer, struct change, timer);

	c->timed_out = true;
	targets_stop(&c->targets);
}

static enum exitcode
refuse_kind(struct session *s, enum plan_action action)
{
	const char *kind = spec_kind_to_string(s->spec->kind);

	if (s->spec->kind == SPEC_PROJECT) {
		if (action != PLAN_CANCEL || !s->spec->project.autoscale.on)
			return EXIT_CODE_OK;
		out_fail(&s->out, NULL,
		    "(kind:%s) can't cancel a deployment with scale options "
		    "set",
		    kind);
		return EXIT_CODE_CONFIG;
	}
	if (action == PLAN_CANCEL)
		out_fail(&s->out, NULL,
		    "(kind:%s) can't cancel this type of deployment", kind);
	else if (s->spec->kind == SPEC_READONLY)
		out_fail(&s->out, NULL,
		    "(kind:%s) can't %s a read-only deployment", kind,
		    action == PLAN_APPLY ? "deploy" : "destroy");
	else
		out_fail(&s->out, NULL,
		    "(kind:%s) this kind is not supported yet by this version",
		    kind);
	return EXIT_CODE_CONFIG;
}

static enum exitcode
check(struct session *s, enum plan_action action)
{
	const char *name = s->spec->project.name;
	enum exitcode rc = refuse_kind(s, action);

	if (rc != EXIT_CODE_OK)
		return rc;
	if (s->args.wait_for != NULL && !s->args.wait)
		out_warn(&s->out, "--wait-for has no effect without --wait");
	if (!name_is_project(name, strlen(name))) {
		out_fail(&s->out, NULL, "%s: projectName: '%s' is not %s",
		    s->spec_name, name, name_kind_text(NAME_PROJECT));
		return EXIT_CODE_DATAERR;
	}
	return EXIT_CODE_OK;
}

static bool
is_wanted_project(const struct session *s)
{
	const struct cmd_strs *names = &s->args.project;

	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->items[i], s->spec->project.name) == 0)
			return true;
	return names->n == 0;
}

static const char *
none_hint(const struct change *c)
{
	struct session *s = c->session;

	if (c->targets.matched > 0 || c->targets.unreachable != EXIT_CODE_OK)
		return NULL;
	if (!is_wanted_project(s))
		return arena_printf(&s->arena, "the file's project is '%s'",
		    s->spec->project.name);
	return TARGETS_NONE_HINT;
}

/* After the last answer: what is to be said, and the code so far. */
static enum exitcode
conclude(struct change *c)
{
	struct session *s = c->session;
	struct targets *t = &c->targets;

	if (c->limit > 0 && c->count >= c->limit)
		out_warn(&s->out,
		    "Maximum deployments has been reached! (%zu/%zu)", c->count,
		    c->limit);
	else if (c->action == PLAN_APPLY && c->count == 0)
		out_warn_hint(
		    &s->out, none_hint(c), "No deployment has had any effect");
	else if (t->matched == 0 && t->unreachable == EXIT_CODE_OK)
		out_warn_hint(&s->out, none_hint(c), "nothing matched");
	if (t->failed > 1)
		out_fail(&s->out, NULL, "%zu of %zu targets failed", t->failed,
		    t->matched);
	if (t->unreachable != EXIT_CODE_OK)
		return t->unreachable;
	if (t->failure != EXIT_CODE_OK && !s->args.best_effort)
		return t->failure;
	if (t->matched == 0 && (s->args.strict || s->args.wait))
		return EXIT_CODE_NOMATCH;
	return EXIT_CODE_OK;
}

static enum exitcode
walk(struct change *c, const struct tree_entry *entries, size_t n)
{
	struct session *s = c->session;
	struct targets_rule rule = { .labels = s->spec->labels,
		.exclude = s->spec->exclude,
		.start = start,
		.show = show,
		.ctx = c };
	struct error e = ERROR_INIT;
	enum exitcode rc;

	if (c->action != PLAN_APPLY)
		rule.flags |= TARGETS_FILTER_CHAIN;
	if (timer_init(&c->timer, s->loop, on_deadline, "deadline", &e) < 0)
		return session_fail(s, &e);
	if (c->deadline_ms > 0)
		timer_arm(&c->timer, s->args.timeout_ms);
	rc = targets_run(s, entries, n, &rule, &c->targets);
	timer_fini(&c->timer);
	for (size_t i = 0; i < c->targets.n; i++) {
		struct part *p = c->targets.items[i].ctx;

		if (p != NULL && !c->targets.items[i].done)
			arena_fini(&p->arena);
	}
	return rc;
}

static int
by_index(const void *a, const void *b)
{
	const struct wait_job *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static void
say_unanswered(struct change *c)
{
	struct out *out = &c->session->out;
	size_t n = 0;

	for (size_t i = 0; i < c->targets.n; i++) {
		const struct target *t = &c->targets.items[i];

		if (!t->matched || t->done)
			continue;
		out_fail(out, NULL, "%s) time ran out, it has not answered yet",
		    t->context);
		n++;
	}
	if (n == 0)
		out_fail(out, NULL, "time ran out while looking for servers");
}

enum exitcode
change_run(struct session *s, enum plan_action action)
{
	struct change c = { .session = s, .action = action };
	struct tree_entry *entries;
	enum exitcode rc, waited;
	size_t n = 0;

	rc = session_load_spec(s, s->args.file);
	if (rc == EXIT_CODE_OK)
		rc = check(s, action);
	if (rc == EXIT_CODE_OK)
		rc = servers_of_spec(s, SERVERS_MERGE, &entries, &n);
	if (rc == EXIT_CODE_OK)
		rc = session_start(s);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (action == PLAN_APPLY)
		c.limit = (size_t)s->spec->maximum_deployments;
	if (s->args.wait && s->args.timeout_ms > 0)
		c.deadline_ms = clock_mono_ms() + s->args.timeout_ms;
	rc = walk(&c, entries, is_wanted_project(s) ? n : 0);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (c.timed_out) {
		say_unanswered(&c);
		rc = EXIT_CODE_TEMPFAIL;
	} else {
		rc = conclude(&c);
	}
	if (s->args.wait && c.count > 0 && c.jobs_n == 0)
		out_warn(&s->out,
		    "accepted, but this version cannot wait for the "
		    "autoscaler");
	if (!s->args.wait || c.jobs_n == 0)
		return rc;
	qsort(c.jobs, c.jobs_n, sizeof(*c.jobs), by_index);
	waited = wait_run(s, c.jobs, c.jobs_n, c.deadline_ms);
	return rc != EXIT_CODE_OK ? rc : waited;
}
