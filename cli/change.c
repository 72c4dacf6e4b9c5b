/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each target runs a plan: the next request, its answer, the next one. Targets
 * are independent, but for maximumDeployments: then the first request of a
 * target that changes something waits until all targets before it have made up
 * their mind, and until the limit would not be reached even if all that is
 * under way succeeded, so that the first in order of discovery are chosen, as
 * if asked one after another. What a target has begun it finishes, since the
 * limit is looked at between servers.
 */
#include "cli/change.h"

#include <stdlib.h>
#include <string.h>

#include "cli/app.h"
#include "cli/targets.h"
#include "cli/wait.h"
#include "lib/base/clock.h"
#include "lib/base/rand.h"
#include "lib/event/loop.h"
#include "proto/names.h"

/* 128 bits in hex. */
#define KEY_LEN 32
#define TARGET_ARENA_MAX ((size_t)256 * 1024 * 1024)

const char *const change_wait_choices[] = { "deployed", "running", "healthy",
	NULL };

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
	/* Changes that targets at work may still make. */
	size_t reserved;
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
	/* Its first change waits for its turn; has had it. */
	bool ready;
	bool admitted;
	/* Its share of change.reserved. */
	size_t reserved;
	/* That were accepted. */
	size_t changes;
	/* Of its job; one for each target of a run. */
	char key[KEY_LEN + 1];
};

static void step(struct part *p);

/* What is done to what, in a message: ", project:p" or ", metadata:k". */
static const char *
subject(struct part *p)
{
	const struct plan_request *rq = &p->rq;
	const char *s = "";

	if (rq->noun != NULL && rq->word != NULL)
		s = arena_printf(&p->arena, ", %s:%s", rq->noun, rq->word);
	return s != NULL ? s : "";
}

static void
finish(struct part *p)
{
	struct change *c = p->change;

	p->admitted = true;
	c->reserved -= p->reserved;
	p->reserved = 0;
	arena_fini(&p->arena);
	target_done(p->target);
}

/* Tells what failed. True: the plan goes on without it, else the target is
 * over. What is to be deleted and is not there is no failure. */
static bool
fail(
    struct part *p, enum client_class class, const char *what, const char *text)
{
	bool is_gone = class == CLIENT_NOTFOUND &&
	    (p->rq.step == PLAN_DELETE_KEY || p->rq.step == PLAN_DELETE_SPACE);

	out_warn_hint(&p->target->lane,
	    targets_hint(p->change->session, p->target->server, class),
	    "%s%s) %s%s%s", p->target->context, subject(p), what,
	    what[0] != '\0' ? ": " : "", text);
	if (!is_gone)
		target_failed(p->target, class);
	if (plan_skip(&p->plan))
		return true;
	finish(p);
	return false;
}

/* NULL: no memory, nobody waits for it. */
static struct wait_job *
remember(struct part *p, const char *project)
{
	struct change *c = p->change;
	struct arena *a = &c->session->arena;
	struct wait_job *j;

	if (c->jobs_n == c->jobs_cap) {
		size_t cap = c->jobs_cap == 0 ? 16 : c->jobs_cap * 2;

		j = arena_calloc(a, cap, sizeof(*j));
		if (j == NULL)
			return NULL;
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
	j->project = project;
	j->type = c->action == PLAN_APPLY ? "up"
	    : c->action == PLAN_DESTROY   ? "down"
					  : "cancel";
	j->began_ms = clock_mono_ms();
	return j;
}

static void
remember_job(struct part *p, int64_t job)
{
	struct wait_job *j = remember(p, p->rq.word);

	if (j == NULL)
		return;
	j->job = job;
	j->is_vm = p->rq.route == ROUTE_VM_CREATE;
}

/* An autoscaler does the rest. */
static void
remember_scale(struct part *p)
{
	struct wait_job *j =
	    remember(p, p->change->session->spec->project.name);

	if (j != NULL)
		j->phase = WAIT_SCALE;
}

/* A change was accepted. -1: the answer is not understood. */
static int
accept_change(struct part *p, const struct node *body, struct error *e)
{
	static const char *const words[] = { "creating", "destruction",
		"cancelling" };
	struct change *c = p->change;
	int64_t job;

	if (p->rq.is_job) {
		if (client_get_job_id(body, &job, e) < 0)
			return -1;
		out_info(&p->target->lane,
		    "%s%s, job:%lld) request for %s has been made",
		    p->target->context, subject(p), (long long)job,
		    words[c->action]);
		remember_job(p, job);
	} else if (c->session->spec->kind == SPEC_PROJECT) {
		remember_scale(p);
	}
	p->changes++;
	c->count++;
	return 0;
}

static void
on_answer(const struct client_reply *r, void *ctx)
{
	struct part *p = ctx;
	struct error e = ERROR_INIT;
	bool found = r->class == CLIENT_OK, more;

	if (p->rq.is_change && p->reserved > 0) {
		p->reserved--;
		p->change->reserved--;
	}
	if (p->change->targets.stopped)
		return;
	if (!found &&
	    !(r->class == CLIENT_NOTFOUND && plan_takes_not_found(p->rq.step)))
		more = fail(p, r->class, p->rq.text, r->text);
	else if (p->rq.is_change && accept_change(p, r->body, &e) < 0)
		more = fail(p, CLIENT_GARBLED, p->rq.text, error_text(&e));
	else if (plan_answer(&p->plan, found, r->body, &e) < 0)
		more = fail(p, CLIENT_GARBLED, "", error_text(&e));
	else
		more = true;
	if (more)
		step(p);
}

/* False: it could not be sent. */
static bool
send_request(struct part *p, struct error *e)
{
	struct client_call call = { .server = p->target->server,
		.chain = p->target->chain,
		.route = p->rq.route,
		.body = p->rq.body,
		.params = &p->rq.word,
		.params_n = 1 };

	if (p->rq.is_job) {
		if (p->key[0] == '\0')
			rand_hex(p->key, KEY_LEN);
		call.idempotency_key = p->key;
	}
	if (p->rq.step == PLAN_WRITE_KEY || p->rq.step == PLAN_WRITE_SPACE)
		out_info(&p->target->lane, "%s%s) Writing %s ...",
		    p->target->context, subject(p), p->rq.noun);
	return client_call(
		   p->change->session->client, &call, on_answer, p, e) == 0;
}

/* Sends the request at hand, and those after it as long as none can be sent. */
static void
go_on(struct part *p)
{
	struct error e = ERROR_INIT;

	if (!send_request(p, &e) &&
	    fail(p, CLIENT_UNAVAILABLE, p->rq.text, error_text(&e)))
		step(p);
}

/* Lets targets change what they want whose turn it is; without a limit none has
 * waited. */
static void
pump(struct change *c)
{
	for (size_t i = 0;
	     c->limit > 0 && i < c->targets.n && !c->targets.stopped; i++) {
		struct target *t = &c->targets.items[i];
		struct part *p = t->ctx;

		if (t->done || (p != NULL && p->admitted))
			continue;
		if (p == NULL || !p->ready ||
		    c->count + c->reserved >= c->limit)
			return;
		p->admitted = true;
		p->reserved = plan_changes_left(&p->plan);
		c->reserved += p->reserved;
		go_on(p);
	}
}

static void
on_settled(struct targets *all)
{
	pump(all->rule.ctx);
}

static void
step(struct part *p)
{
	struct error e = ERROR_INIT;
	int rc;

	while ((rc = plan_next(&p->plan, &p->rq, &e)) < 0) {
		if (!fail(p, CLIENT_GARBLED, "", error_text(&e)))
			return;
		error_clear(&e);
	}
	if (rc == PLAN_END) {
		finish(p);
	} else if (p->rq.is_change && p->change->limit > 0 && !p->admitted) {
		p->ready = true;
		pump(p->change);
	} else {
		go_on(p);
	}
}

static void
start(struct target *t)
{
	struct change *c = t->all->rule.ctx;
	struct session *s = c->session;
	struct part *p = arena_alloc(&s->arena, sizeof(*p));
	struct plan_input in = change_plan_input(t, c->action);

	if (p == NULL) {
		target_failed(t, CLIENT_UNAVAILABLE);
		target_done(t);
		return;
	}
	p->change = c;
	p->target = t;
	t->ctx = p;
	arena_init(&p->arena, TARGET_ARENA_MAX);
	in.upserts = target_upserts(t);
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

	if (c->limit == 0 || c->count < c->limit || p == NULL ||
	    p->changes == 0)
		return true;
	for (size_t i = 0; i <= t->index; i++) {
		const struct part *q = c->targets.items[i].ctx;

		before += q != NULL ? q->changes : 0;
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
	const char *kind = spec_kind_to_string(s->spec->kind), *why;

	switch (s->spec->kind) {
	case SPEC_PROJECT:
		if (action != PLAN_CANCEL || !s->spec->project.autoscale.on)
			return EXIT_CODE_OK;
		why = "can't cancel a deployment with scale options set";
		break;
	case SPEC_VM:
		return EXIT_CODE_OK;
	case SPEC_METADATA:
		if (action != PLAN_CANCEL)
			return EXIT_CODE_OK;
		why = "can't cancel this type of deployment";
		break;
	case SPEC_READONLY:
		why = action == PLAN_APPLY
		    ? "can't deploy a read-only deployment"
		    : action == PLAN_DESTROY
		    ? "can't destroy a read-only deployment"
		    : "can't cancel this type of deployment";
		break;
	default:
		why = "loop detected in an appConfig deployment";
		break;
	}
	out_fail(&s->out, NULL, "(kind:%s) %s", kind, why);
	return EXIT_CODE_CONFIG;
}

static enum exitcode
check_vm(struct session *s, enum plan_action action)
{
	struct diag d;

	diag_init(&d, &s->arena, s->spec_name);
	spec_require_vm(s->spec, action == PLAN_APPLY, &s->arena, &d);
	if (d.errors == 0)
		return EXIT_CODE_OK;
	out_diag(&s->out, &d, s->spec_text);
	return EXIT_CODE_DATAERR;
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
	if (s->spec->kind == SPEC_VM)
		return check_vm(s, action);
	if (name != NULL && !name_is_project(name, strlen(name))) {
		out_fail(&s->out, NULL, "%s: projectName: '%s' is not %s",
		    s->spec_name, name, name_kind_text(NAME_PROJECT));
		return EXIT_CODE_DATAERR;
	}
	return EXIT_CODE_OK;
}

bool
change_is_wanted_project(const struct session *s)
{
	const struct cmd_strs *names = &s->args.project;
	const char *name = spec_project_name(s->spec);

	for (size_t i = 0; name != NULL && i < names->n; i++)
		if (strcmp(names->items[i], name) == 0)
			return true;
	return names->n == 0;
}

struct plan_input
change_plan_input(const struct target *t, enum plan_action action)
{
	const struct session *s = t->all->session;

	return (struct plan_input){ .action = action,
		.spec = s->spec,
		.datacenter = t->server->name,
		.chain = t->chain,
		.labels = t->labels,
		.insist =
		    action == PLAN_APPLY ? s->args.restart : s->args.force,
		.env = session_getenv };
}

const char *
change_none_hint(const struct targets *t)
{
	struct session *s = t->session;

	if (t->matched > 0 || t->unreachable != EXIT_CODE_OK)
		return NULL;
	if (!change_is_wanted_project(s) && spec_project_name(s->spec) == NULL)
		return "the file has no project";
	if (!change_is_wanted_project(s))
		return arena_printf(&s->arena, "the file's project is '%s'",
		    spec_project_name(s->spec));
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
		out_warn_hint(&s->out, change_none_hint(t),
		    "No deployment has had any effect");
	else if (t->matched == 0 && t->unreachable == EXIT_CODE_OK)
		out_warn_hint(&s->out, change_none_hint(t), "nothing matched");
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
		.settled = on_settled,
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
change_begin(struct session *s, enum plan_action action,
    struct tree_entry **ret, size_t *ret_n, bool *ret_over)
{
	enum exitcode rc = session_load_spec(s, s->args.file);
	bool is_app;

	*ret_over = false;
	if (rc != EXIT_CODE_OK)
		return rc;
	is_app = s->spec->kind == SPEC_APPCONFIG;
	if (!is_app)
		rc = check(s, action);
	if (rc == EXIT_CODE_OK)
		rc = servers_of_spec(s, SERVERS_MERGE, ret, ret_n);
	if (rc == EXIT_CODE_OK)
		rc = session_start(s);
	if (rc == EXIT_CODE_OK && is_app)
		rc = app_resolve(s, action, *ret, *ret_n, ret_over);
	if (rc == EXIT_CODE_OK && is_app && !*ret_over)
		rc = check(s, action);
	return rc;
}

enum exitcode
change_run(struct session *s, enum plan_action action)
{
	struct change c = { .session = s, .action = action };
	struct tree_entry *entries = NULL;
	enum exitcode rc, waited;
	bool is_over;
	size_t n = 0;

	rc = change_begin(s, action, &entries, &n, &is_over);
	if (is_over && action == PLAN_APPLY)
		out_warn(&s->out, "No deployment has had any effect");
	if (rc != EXIT_CODE_OK || is_over)
		return rc;
	if (action == PLAN_APPLY)
		c.limit = (size_t)s->spec->maximum_deployments;
	if (s->args.wait && s->args.timeout_ms > 0)
		c.deadline_ms = clock_mono_ms() + s->args.timeout_ms;
	rc = walk(&c, entries, change_is_wanted_project(s) ? n : 0);
	if (rc != EXIT_CODE_OK)
		return rc;
	if (c.timed_out) {
		say_unanswered(&c);
		rc = EXIT_CODE_TEMPFAIL;
	} else {
		rc = conclude(&c);
	}
	if (!s->args.wait || c.jobs_n == 0)
		return rc;
	qsort(c.jobs, c.jobs_n, sizeof(*c.jobs), by_index);
	waited = wait_run(s, c.jobs, c.jobs_n, c.deadline_ms);
	return rc != EXIT_CODE_OK ? rc : waited;
}
