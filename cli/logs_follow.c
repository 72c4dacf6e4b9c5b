/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Following what jobs print: the servers tell of jobs and steps (cli/live.h),
 * and while one runs its output is read as a stream. Director tells people what
 * it does on standard error; its standard output is for programs. A stream that
 * breaks goes on at the byte that was reached; a command that has not begun yet
 * is asked for again.
 */
#include "cli/logs.h"

#include <string.h>

#include "cli/live.h"
#include "lib/event/loop.h"
#include "lib/net/url.h"

#define AGAIN_MS 300
/* Between the beginning of a step and that of its command. */
#define TRIES_MAX 30
/* An unfinished line is not kept longer. */
#define LINE_MAX_LEN ((size_t)64 * 1024)

struct follow;

/* One project on one target. */
struct tail {
	struct follow *follow;
	struct target *target;
	size_t spot;
	const char *name;
	const char *prefix;
	/* That runs; 0: none. */
	int64_t job;
	struct client_id stream;
	uint64_t offset;
	unsigned tries;
	struct strbuf line;
	struct timer timer;
	/* Its command has ended: what comes next is another's. */
	bool read;
	/* It was asked for the first time. */
	bool known;
};

struct follow {
	struct logs *logs;
	struct live *live;
	struct live_spot *spots;
	struct tail *tails;
	size_t n;
	size_t failed;
};

static void read_output(struct tail *t);

static void
check_done(struct follow *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->tails[i].job != 0 || f->tails[i].stream.v != 0 ||
		    !f->tails[i].known)
			return;
	if (f->logs->session->args.until_done)
		loop_stop(f->logs->session->loop);
}

static void
flush_lines(struct tail *t, bool all)
{
	struct error e = ERROR_INIT;
	size_t len = t->line.len;

	while (!all && len > 0 && t->line.buf[len - 1] != '\n')
		len--;
	if (!all && len == 0 && t->line.len >= LINE_MAX_LEN)
		len = t->line.len;
	if (len == 0)
		return;
	logs_print(t->follow->logs, t->prefix, t->line.buf, len);
	strbuf_consume(&t->line, len);
	if (out_flush(&t->follow->logs->session->out, &e) < 0)
		loop_stop(t->follow->logs->session->loop);
}

/* Output */

static void
on_begun(void *ctx)
{
	(void)ctx;
}

static void
on_piece(const char *p, size_t len, void *ctx)
{
	struct tail *t = ctx;

	t->offset += len;
	strbuf_add(&t->line, p, len);
	flush_lines(t, false);
}

/* The command has ended, has not begun yet, or the stream broke. */
static void
on_end(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;

	t->stream.v = 0;
	if (r->class == CLIENT_OK) {
		flush_lines(t, true);
		t->offset = 0;
		t->read = true;
	} else if (t->job != 0 &&
	    (r->class == CLIENT_UNAVAILABLE ||
		(r->class == CLIENT_NOTFOUND && ++t->tries < TRIES_MAX))) {
		timer_arm(&t->timer, AGAIN_MS);
	}
	check_done(t->follow);
}

static void
on_timer(struct timer *timer)
{
	read_output(container_of(timer, struct tail, timer));
}

static void
read_output(struct tail *t)
{
	static const struct client_stream stream = {
		.begun = on_begun, .piece = on_piece, .done = on_end
	};
	struct session *s = t->follow->logs->session;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	const char *id;
	struct client_call call = { .server = t->target->server,
		.chain = t->target->chain,
		.route = ROUTE_JOB_OUTPUT,
		.params = &id,
		.params_n = 1 };

	arena_init(&a, 4096);
	if (t->job == 0 || t->stream.v != 0 || t->read)
		return;
	id = arena_printf(&a, "%lld", (long long)t->job);
	call.query = arena_printf(&a, "follow=1&stream=stderr&offset=%llu",
	    (unsigned long long)t->offset);
	if (arena_check(&a, &e) < 0 ||
	    client_stream(s->client, &call, &stream, t, &t->stream, &e) < 0)
		timer_arm(&t->timer, AGAIN_MS);
}

/* Jobs */

static void
say(struct tail *t, int64_t job, const char *state)
{
	out_warn(&t->follow->logs->session->out, "%s, project:%s, job:%lld) %s",
	    t->target->context, t->name, (long long)job, state);
}

static void
begin(struct tail *t, int64_t job, bool reads)
{
	if (t->job != job) {
		client_cancel(t->follow->logs->session->client, t->stream);
		t->stream.v = 0;
		t->offset = 0;
		t->read = false;
		strbuf_reset(&t->line);
	}
	t->job = job;
	t->tries = 0;
	if (reads)
		read_output(t);
}

static void
finish(struct tail *t, const char *state)
{
	bool good = state != NULL && strcmp(state, "completed") == 0;

	timer_stop(&t->timer);
	/* What is on its way still comes: the job's end does not cut it. */
	if (t->stream.v == 0)
		flush_lines(t, true);
	if (!good) {
		t->follow->failed++;
		say(t, t->job, state != NULL ? state : "it has ended");
	}
	t->job = 0;
	check_done(t->follow);
}

static void
on_jobs(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;
	const struct node *list = node_get(r->body, "jobs");
	const struct node *job = NULL, *id = NULL;
	const char *state;
	bool first = !t->known;

	t->known = true;
	if (r->class == CLIENT_OK && list != NULL && list->type == NODE_LIST &&
	    list->u.list.n > 0)
		/* Newest first; the oldest is the one that runs. */
		job = list->u.list.items[list->u.list.n - 1];
	id = node_get(job, "id");
	state = node_text(node_get(job, "state"));
	if (id != NULL && id->type == NODE_INT && !id->big)
		begin(
		    t, id->u.i, state != NULL && strcmp(state, "running") == 0);
	else if (t->job != 0 && r->class == CLIENT_OK)
		finish(t, "completed");
	else if (r->class != CLIENT_OK && first)
		out_warn(&t->follow->logs->session->out,
		    "%s, project:%s) n/a: it cannot be followed: %s",
		    t->target->context, t->name, r->text);
	check_done(t->follow);
}

static void
ask_jobs(struct tail *t)
{
	struct session *s = t->follow->logs->session;
	AUTO_STRBUF struct strbuf query;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = t->target->server,
		.chain = t->target->chain,
		.route = ROUTE_JOBS };

	strbuf_init(&query, 4096);
	strbuf_adds(&query, "state=queued,running,interrupted&limit=100&name=");
	url_add_segment(&query, t->name);
	call.query = query.buf;
	if (strbuf_check(&query, &e) < 0 ||
	    client_call(s->client, &call, on_jobs, t, &e) < 0)
		out_warn(&s->out, "%s) %s", t->target->context, error_text(&e));
}

/* The steps that are Director at work; the others only ask it. */
static bool
begins_command(const struct node *data)
{
	static const char *const steps[] = { "up", "down" };
	const struct node *ended = node_get(data, "ended");
	const char *step = node_text(node_get(data, "step"));

	if (step == NULL || ended == NULL || ended->type != NODE_BOOL ||
	    ended->u.b)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (strcmp(step, steps[i]) == 0)
			return true;
	return false;
}

static void
on_event(struct tail *t, const char *type, const struct node *data)
{
	const struct node *id = node_get(data, "job");
	const char *state = node_text(node_get(data, "state"));

	if (id == NULL || id->type != NODE_INT || id->big)
		return;
	if (strcmp(type, "step") == 0) {
		if (!begins_command(data) || (t->job != 0 && t->job != id->u.i))
			return;
		t->read = false;
		begin(t, id->u.i, true);
		return;
	}
	if (strcmp(type, "job") != 0 || state == NULL)
		return;
	if (strcmp(state, "running") == 0 || strcmp(state, "queued") == 0) {
		if (t->job == 0)
			begin(t, id->u.i, false);
	} else if (t->job == id->u.i && strcmp(state, "interrupted") != 0) {
		finish(t, state);
	}
}

static void
on_changed(size_t spot, const char *type, const struct node *data, void *ctx)
{
	struct follow *f = ctx;
	const char *name = node_text(node_get(data, "project"));

	for (size_t i = 0; i < f->n; i++) {
		struct tail *t = &f->tails[i];

		if (t->spot != spot)
			continue;
		if (type == NULL)
			ask_jobs(t);
		else if (name != NULL && strcmp(name, t->name) == 0)
			on_event(t, type, data);
	}
}

static void
on_heard(size_t spot, const char *why, void *ctx)
{
	struct follow *f = ctx;

	for (size_t i = 0; why != NULL && i < f->n; i++) {
		struct tail *t = &f->tails[i];

		if (t->spot != spot)
			continue;
		out_warn(&f->logs->session->out,
		    "%s, project:%s) not heard: %s", t->target->context,
		    t->name, why);
		/* Once: it may know no jobs either. */
		if (!t->known)
			ask_jobs(t);
	}
}

static int
make_tails(struct follow *f, struct error *e)
{
	static const struct live_ops ops = { .changed = on_changed,
		.heard = on_heard };
	struct logs *l = f->logs;
	struct session *s = l->session;
	size_t spots = 0;
	bool prefixed =
	    !s->args.no_prefix && l->targets.matched * l->names.n > 1;

	f->spots =
	    arena_calloc(&s->arena, l->targets.matched, sizeof(*f->spots));
	f->tails = arena_calloc(
	    &s->arena, l->targets.matched * l->names.n, sizeof(*f->tails));
	if (arena_check(&s->arena, e) < 0)
		return -1;
	for (size_t i = 0; i < l->targets.n; i++) {
		struct target *target = &l->targets.items[i];

		if (!target->matched)
			continue;
		f->spots[spots].server = target->server;
		f->spots[spots].chain = target->chain;
		for (size_t k = 0; k < l->names.n; k++) {
			struct tail *t = &f->tails[f->n++];

			t->follow = f;
			t->target = target;
			t->spot = spots;
			t->name = l->names.items[k];
			t->prefix =
			    prefixed ? logs_place(l, target, t->name) : NULL;
			strbuf_init(&t->line, 2 * LINE_MAX_LEN + 65536);
			if (timer_init(
				&t->timer, s->loop, on_timer, "logs", e) < 0)
				return -1;
		}
		spots++;
	}
	return live_new(&f->live, s, f->spots, spots, &ops, f, e);
}

enum exitcode
logs_follow(struct logs *l)
{
	struct session *s = l->session;
	struct follow f = { .logs = l };
	struct error e = ERROR_INIT;
	int rc = make_tails(&f, &e);

	if (rc == 0)
		rc = loop_run(s->loop, &e);
	f.live = live_free(f.live);
	client_cancel_all(s->client);
	for (size_t i = 0; i < f.n; i++) {
		flush_lines(&f.tails[i], true);
		timer_fini(&f.tails[i].timer);
		strbuf_fini(&f.tails[i].line);
	}
	if (rc < 0)
		return session_fail(s, &e);
	return f.failed > 0 ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}
