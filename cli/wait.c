/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Waiting for jobs. Servers tell what changes (cli/live.h): what an event says
 * of a job that goes on is shown, and when there is more to know the job is
 * asked for, with no more than one question at a time. Who cannot be heard is
 * asked again and again, at first every quarter of a second, then less often
 * while nothing changes. What an event or an answer means is wait_judge.c's.
 *
 * A server that does not answer is asked again until LOST_MS have passed. The
 * deployment goes on whatever becomes of this program, so neither a deadline
 * nor ^C changes anything on the servers; both say how to look.
 */
#include "cli/wait.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/live.h"
#include "cli/progress.h"
#include "cli/wait_judge.h"
#include "lib/base/clock.h"
#include "lib/event/loop.h"

#define INTERVAL_MIN_MS 250
#define INTERVAL_MAX_MS 1000
/* Original servers keep what is asked for in a cache of seconds. */
#define ORIGINAL_MS 2000
/* They look at their jails every 16 s: after two turns they have. */
#define UNTOLD_MS 40000
#define LOST_MS 60000
#define DRAW_MS 250
/* A server that has not begun to tell anything by then is asked. */
#define DEAF_MS 2000
#define NEVER INT64_MAX
#define JOB_ARENA_MAX ((size_t)16 * 1024 * 1024)

struct wait {
	struct session *session;
	struct wait_job *jobs;
	size_t n;
	int64_t deadline_ms;
	bool timed_out;
	bool interrupted;
	bool noted_original;
	struct live *live;
	struct progress progress;
	struct timer timer;
	struct sigwatch sigint;
};

static void
change_doing(struct wait_job *j, const char *doing)
{
	static const char running[] = "running";
	const size_t len = sizeof(running) - 1;

	/* Between two steps it does what it did. */
	if (strcmp(j->doing, doing) == 0 ||
	    (strcmp(doing, running) == 0 &&
		strncmp(j->doing, running, len) == 0))
		return;
	j->doing = arena_strdup(&j->wait->session->arena, doing);
	if (j->doing == NULL)
		j->doing = "";
	if (!j->is_original)
		j->interval_ms = INTERVAL_MIN_MS;
	progress_change(&j->wait->progress, j);
}

static void
end(struct wait_job *j, enum wait_state state)
{
	j->state = state;
	j->took_ms = clock_mono_ms() - j->began_ms;
	change_doing(j,
	    state == WAIT_DONE       ? "ok"
		: state == WAIT_LOST ? "lost"
				     : "FAILED");
}

static void
end_lost(struct wait_job *j, const char *text)
{
	j->reason = arena_strdup(&j->wait->session->arena, text);
	end(j, WAIT_LOST);
}

/* No answer: true when this was the last try. */
static bool
is_lost(struct wait_job *j, const struct client_reply *r)
{
	int64_t now = clock_mono_ms();

	if (r->class != CLIENT_UNAVAILABLE)
		return true;
	if (j->lost_since_ms == 0)
		j->lost_since_ms = now;
	if (now - j->lost_since_ms >= LOST_MS)
		return true;
	change_doing(j, "no answer, asking again");
	return false;
}

/* It is asked as soon as it can be. */
static void
ask_soon(struct wait_job *j)
{
	j->stale = j->asking;
	j->next_ms = 0;
	timer_arm(&j->wait->timer, 0);
}

static void
note_original(struct wait_job *j)
{
	j->is_original = true;
	j->phase = WAIT_RECORD;
	j->interval_ms = ORIGINAL_MS;
	if (j->wait->noted_original)
		return;
	j->wait->noted_original = true;
	out_info(&j->wait->session->out,
	    "%s) it has no list of jobs: asking for the project instead",
	    j->context);
}

static bool
wants(const struct wait_job *j, const char *what)
{
	const char *given = j->wait->session->args.wait_for;

	return given != NULL && strcmp(given, what) == 0;
}

/* What is to be known next, after what was asked for is well. */
static void
advance(struct wait_job *j)
{
	bool more = wants(j, "running") || wants(j, "healthy");
	enum wait_phase before = j->phase;

	if (strcmp(j->type, "up") != 0 || j->phase == WAIT_HEALTH ||
	    (j->phase == WAIT_SERVICES && !wants(j, "healthy"))) {
		end(j, WAIT_DONE);
		return;
	}
	if (before == WAIT_RECORD && j->is_vm)
		j->phase = WAIT_VM;
	else if (before == WAIT_SERVICES)
		j->phase = WAIT_HEALTH;
	else if (more || !j->is_original)
		j->phase = WAIT_SERVICES;
	else
		/* What it tells of services may be of before. */
		end(j, WAIT_DONE);
	j->at_once = true;
}

static void
apply_verdict(struct wait_job *j, const struct verdict *v)
{
	struct arena *a = &j->wait->session->arena;

	if (v->state == VERDICT_BUSY) {
		if (!j->outrun)
			change_doing(j, v->doing);
		return;
	}
	if (v->stderr_tail != NULL)
		j->stderr_tail = arena_strdup(a, v->stderr_tail);
	if (v->reason != NULL)
		j->reason = arena_strdup(a, v->reason);
	if (v->state == VERDICT_FAILED)
		end(j, WAIT_FAILED);
	else
		advance(j);
}

static void
on_job(struct wait_job *j, const struct client_reply *r)
{
	struct verdict v;
	AUTO_ARENA struct arena a;

	arena_init(&a, (size_t)64 * 1024 * 1024);
	if (r->class == CLIENT_NOTFOUND && verdict_is_no_route(r->body)) {
		note_original(j);
		j->at_once = true;
		return;
	}
	if (r->class == CLIENT_NOTFOUND) {
		end_lost(j, "the server does not know the job any more");
		return;
	}
	wait_judge_job(node_get(r->body, "job"), j->type, &a, &v);
	apply_verdict(j, &v);
}

static void
on_record(struct wait_job *j, const struct client_reply *r)
{
	struct verdict v;
	AUTO_ARENA struct arena a;

	arena_init(&a, (size_t)64 * 1024 * 1024);
	wait_judge_project(node_get(r->body, "info"), j->type, j->job, &a, &v);
	apply_verdict(j, &v);
}

static void
on_vm(struct wait_job *j, const struct client_reply *r)
{
	struct verdict v;
	AUTO_ARENA struct arena a;

	arena_init(&a, (size_t)64 * 1024 * 1024);
	wait_judge_vm(node_get(r->body, "status"), j->job, &a, &v);
	apply_verdict(j, &v);
}

/* A service that has stopped is a warning, unless it shall run. */
static void
on_services(struct wait_job *j, const struct client_reply *r)
{
	struct arena *a = &j->arena;
	const struct node *info = node_get(r->body, "info");
	struct error e = ERROR_INIT;
	struct verdict v;

	if (!wants(j, "running") && !wants(j, "healthy")) {
		j->stopped =
		    wait_stopped_services(info, &j->wait->session->arena);
		end(j, WAIT_DONE);
		return;
	}
	arena_reset(a);
	wait_judge_services(info, j->job, j->is_original, a, &v);
	wait_get_jails(info, a, &j->jails);
	j->jails_asked = 0;
	j->unhealthy = NULL;
	if (arena_check(a, &e) < 0) {
		end_lost(j, error_text(&e));
		return;
	}
	apply_verdict(j, &v);
	if (j->phase == WAIT_HEALTH && j->jails.n == 0)
		advance(j);
}

/* One jail after the other; when one is not healthy, all anew, for by then a
 * service may have stopped. */
static void
on_health(struct wait_job *j, const struct client_reply *r)
{
	struct verdict v = { .state = VERDICT_BUSY };
	const char *jail = j->jails.items[j->jails_asked++];
	int64_t now = clock_mono_ms();

	if (j->health_ms == 0)
		j->health_ms = now;
	if (j->unhealthy == NULL)
		j->unhealthy =
		    wait_find_unhealthy(jail, node_get(r->body, "healthcheck"),
			!j->is_original || now - j->health_ms < UNTOLD_MS,
			&j->arena);
	j->at_once = j->jails_asked < j->jails.n;
	if (j->at_once)
		return;
	if (j->unhealthy == NULL) {
		advance(j);
		return;
	}
	v.doing =
	    arena_printf(&j->arena, "waiting for health: %s", j->unhealthy);
	if (v.doing != NULL)
		apply_verdict(j, &v);
	j->phase = WAIT_SERVICES;
}

static void
on_scale(struct wait_job *j, const struct client_reply *r)
{
	double since = (double)(clock_mono_ms() - j->began_ms) / 1000.0;
	struct verdict v;
	AUTO_ARENA struct arena a;

	arena_init(&a, (size_t)64 * 1024 * 1024);
	wait_judge_scale(node_get(r->body, "status"), j->type, since, &a, &v);
	if (v.state != VERDICT_DONE) {
		apply_verdict(j, &v);
		return;
	}
	if (v.reason != NULL)
		j->reason = arena_strdup(&j->wait->session->arena, v.reason);
	end(j, WAIT_DONE);
}

/* What is asked for in a phase, and who looks at the answer. */
static const struct {
	enum route_id route;
	void (*take)(struct wait_job *j, const struct client_reply *r);
} phases[] = {
	[WAIT_JOB] = { ROUTE_JOB, on_job },
	[WAIT_RECORD] = { ROUTE_PROJECT_INFO, on_record },
	[WAIT_VM] = { ROUTE_VM, on_vm },
	[WAIT_SERVICES] = { ROUTE_PROJECT_INFO, on_services },
	[WAIT_HEALTH] = { ROUTE_JAIL_HEALTHCHECK, on_health },
	[WAIT_SCALE] = { ROUTE_PROJECT_AUTOSCALE, on_scale },
};

/* When it is asked again: who tells of its job need not be. */
static int64_t
next_question(struct wait_job *j, bool failed)
{
	int64_t most = j->phase == WAIT_JOB ? INTERVAL_MAX_MS : ORIGINAL_MS;
	int64_t next = clock_mono_ms() + j->interval_ms;

	if (j->phase == WAIT_JOB && j->heard && !failed)
		return NEVER;
	j->interval_ms += j->interval_ms / 2;
	if (j->interval_ms > most)
		j->interval_ms = most;
	return next;
}

static void
on_answer(const struct client_reply *r, void *ctx)
{
	struct wait_job *j = ctx;
	bool failed = r->class != CLIENT_OK && r->class != CLIENT_NOTFOUND;

	j->asking = j->at_once = false;
	if (failed) {
		if (is_lost(j, r))
			end_lost(j, r->text);
	} else {
		j->lost_since_ms = 0;
		phases[j->phase].take(j, r);
	}
	/* There is more to ask, or it has changed meanwhile. */
	j->next_ms =
	    !failed && (j->stale || j->at_once) ? 0 : next_question(j, failed);
	j->stale = j->outrun = false;
	timer_arm(&j->wait->timer, 0);
}

static void
ask(struct wait_job *j)
{
	char id[24];
	const char *word = id;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = j->server,
		.chain = j->chain,
		.route = phases[j->phase].route,
		.params = &word,
		.params_n = 1 };

	(void)snprintf(id, sizeof(id), "%lld", (long long)j->job);
	if (j->phase == WAIT_HEALTH)
		word = j->jails.items[j->jails_asked];
	else if (j->phase != WAIT_JOB)
		word = j->project;
	if (client_call(j->wait->session->client, &call, on_answer, j, &e) < 0)
		end_lost(j, error_text(&e));
	else
		j->asking = true;
}

static void
on_changed(size_t spot, const char *type, const struct node *data, void *ctx)
{
	struct wait *w = ctx;
	struct wait_job *j = &w->jobs[spot];
	AUTO_ARENA struct arena a;
	struct verdict v;

	arena_init(&a, (size_t)1024 * 1024);
	/* After its job no event tells of it. */
	if (j->state != WAIT_BUSY || j->phase > WAIT_RECORD)
		return;
	if (type == NULL)
		ask_soon(j);
	else if (wait_judge_event(type, data, j->job, &a, &v)) {
		j->outrun = false;
		apply_verdict(j, &v);
		j->outrun = j->asking;
	} else if (wait_is_about(type, data, j->job, j->doing))
		ask_soon(j);
}

static void
on_heard(size_t spot, const char *why, void *ctx)
{
	struct wait *w = ctx;
	struct wait_job *j = &w->jobs[spot];

	j->heard = why == NULL;
	if (j->heard || j->state != WAIT_BUSY)
		return;
	out_info(&w->session->out, "%s) no events: %s", j->context, why);
	ask_soon(j);
}

static int
listen_to_all(struct wait *w, struct error *e)
{
	static const struct live_ops ops = { .changed = on_changed,
		.heard = on_heard };
	struct live_spot *spots =
	    arena_calloc(&w->session->arena, w->n, sizeof(*spots));

	if (spots == NULL)
		return error_nomem(e);
	for (size_t i = 0; i < w->n; i++) {
		spots[i].server = w->jobs[i].server;
		spots[i].chain = w->jobs[i].chain;
	}
	return live_new(&w->live, w->session, spots, w->n, &ops, w, e);
}

static void
on_tick(struct timer *t)
{
	struct wait *w = container_of(t, struct wait, timer);
	int64_t now = clock_mono_ms(), next = now + DRAW_MS;
	size_t busy = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct wait_job *j = &w->jobs[i];

		if (j->state == WAIT_BUSY && !j->asking && j->next_ms <= now)
			ask(j);
		busy += j->state == WAIT_BUSY;
		if (j->state == WAIT_BUSY && !j->asking && j->next_ms < next)
			next = j->next_ms;
	}
	progress_draw(&w->progress, now);
	if (busy > 0 && w->deadline_ms > 0 && now >= w->deadline_ms)
		w->timed_out = true;
	if (busy == 0 || w->timed_out) {
		loop_stop(w->session->loop);
		return;
	}
	if (w->deadline_ms > 0 && w->deadline_ms < next)
		next = w->deadline_ms;
	timer_arm(t, next > now ? next - now : 0);
}

static void
on_sigint(struct sigwatch *sig)
{
	struct wait *w = container_of(sig, struct wait, sigint);

	w->interrupted = true;
	loop_stop(w->session->loop);
}

static void
die_by_sigint(struct wait *w)
{
	struct session *s = w->session;
	struct sigaction sa;
	size_t busy = 0;

	for (size_t i = 0; i < w->n; i++)
		busy += w->jobs[i].state == WAIT_BUSY;
	out_fail(&s->out, NULL,
	    "still running on %zu target%s; 'overlord status -f %s --watch' "
	    "shows them",
	    busy, busy == 1 ? "" : "s", s->spec_name);
	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = SIG_DFL;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaction(SIGINT, &sa, NULL);
	(void)raise(SIGINT);
}

static void
say_late(struct out *out, const struct wait_job *j)
{
	if (j->phase == WAIT_SCALE)
		out_fail(out, NULL, "%s, project:%s) time ran out while: %s",
		    j->context, j->project, j->doing);
	else
		out_fail(out, NULL,
		    "%s, project:%s, job:%lld) time ran out while: %s",
		    j->context, j->project, (long long)j->job, j->doing);
}

static enum exitcode
conclude(struct wait *w)
{
	size_t failed = 0, lost = 0, busy = 0;
	struct out *out = &w->session->out;

	progress_summary(&w->progress);
	for (size_t i = 0; i < w->n; i++) {
		const struct wait_job *j = &w->jobs[i];

		failed += j->state == WAIT_FAILED;
		lost += j->state == WAIT_LOST;
		busy += j->state == WAIT_BUSY;
		if (j->state == WAIT_BUSY)
			say_late(out, j);
		if (j->stopped != NULL)
			out_warn(out, "%s, project:%s) stopped: %s", j->context,
			    j->project, j->stopped);
	}
	if (failed + lost > 0)
		progress_failures(&w->progress, failed + lost);
	if (busy > 0)
		out_fail(out, NULL,
		    "not done: %zu of %zu targets; the deployment goes on",
		    busy, w->n);
	if (failed > 0)
		return EXIT_CODE_FAILED;
	if (busy > 0)
		return EXIT_CODE_TEMPFAIL;
	return lost > 0 ? EXIT_CODE_UNAVAILABLE : EXIT_CODE_OK;
}

enum exitcode
wait_run(
    struct session *s, struct wait_job *jobs, size_t n, int64_t deadline_ms)
{
	struct wait w = {
		.session = s, .jobs = jobs, .n = n, .deadline_ms = deadline_ms
	};
	struct error e = ERROR_INIT;
	int rc = -1;

	for (size_t i = 0; i < n; i++) {
		arena_init(&jobs[i].arena, JOB_ARENA_MAX);
		jobs[i].wait = &w;
		jobs[i].doing = "accepted";
		jobs[i].interval_ms = INTERVAL_MIN_MS;
		if (jobs[i].phase == WAIT_JOB)
			jobs[i].next_ms = clock_mono_ms() + DEAF_MS;
	}
	progress_init(&w.progress, s, jobs, n);
	if (timer_init(&w.timer, s->loop, on_tick, "wait", &e) == 0 &&
	    listen_to_all(&w, &e) == 0 &&
	    sigwatch_init(
		&w.sigint, s->loop, SIGINT, on_sigint, "sigint", &e) == 0) {
		timer_arm(&w.timer, 0);
		rc = loop_run(s->loop, &e);
	}
	w.live = live_free(w.live);
	client_cancel_all(s->client);
	timer_fini(&w.timer);
	sigwatch_fini(&w.sigint);
	progress_fini(&w.progress);
	for (size_t i = 0; i < n; i++)
		arena_fini(&jobs[i].arena);
	if (rc < 0)
		return session_fail(s, &e);
	if (w.interrupted)
		die_by_sigint(&w);
	return conclude(&w);
}
