/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Following what jobs print: the servers tell of jobs and steps (cli/live.h),
 * and while one runs its output is read as a stream. Director tells people what
 * it does on standard error; its standard output is for programs. What makes a
 * VM prints all on standard output. A stream that breaks goes on at the byte
 * that was reached; a command that has not begun yet is asked for again.
 *
 * A job may have several commands: one that is destroyed first, or begun again.
 * The next one may begin before the last words of the one before have come, so
 * it is noted, and read after that.
 */
#include "cli/logs.h"

#include <stdio.h>
#include <string.h>

#include "cli/live.h"
#include "cli/wait_judge.h"
#include "lib/base/clock.h"
#include "lib/event/loop.h"
#include "lib/net/url.h"

#define AGAIN_MS 300
/* An unfinished line is not kept longer. */
#define LINE_MAX_LEN ((size_t)64 * 1024)
/* "up", "down" */
#define STEP_LEN_MAX 31
/* What a server gives of an output at once. */
#define SLICE_LEN 65536

struct follow;

/* A command of a job; job 0: none. */
struct command {
	int64_t job;
	int64_t attempt;
	char step[STEP_LEN_MAX + 1];
};

/* One project on one target. */
struct tail {
	struct follow *follow;
	struct target *target;
	size_t spot;
	const char *name;
	const char *prefix;
	/* That runs or waits; 0: none. */
	int64_t job;
	/* What is read, and what is to be read after that. */
	struct command now;
	struct command next;
	/* All of it has been. */
	bool read;
	/* It began before anybody looked: its last lines will do. */
	bool is_old;
	/* Those are asked for. */
	bool sizing;
	struct client_id stream;
	uint64_t offset;
	struct strbuf line;
	struct timer timer;
	/* It was asked for the first time. */
	bool known;
	/* And did not say which jobs there are; it cannot: an original. */
	bool untold;
	bool is_mute;
	/* Why it is not heard, until that has been said. */
	const char *deaf;
	/* How its job ended is still to be asked. */
	bool missed;
	/* What is in its job's result is asked for. */
	bool reading_result;
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
static void ask_jobs(struct tail *t);
static void ask_missed(struct tail *t);
static void ask_result(struct tail *t);
static void ask_tail(struct tail *t, uint64_t offset);

static void
check_done(struct follow *f)
{
	const bool until_done = f->logs->session->args.until_done;

	for (size_t i = 0; i < f->n; i++)
		if (f->tails[i].job != 0 || f->tails[i].stream.v != 0 ||
		    f->tails[i].sizing || f->tails[i].reading_result ||
		    !f->tails[i].known || !(until_done || f->tails[i].is_mute))
			return;
	loop_stop(f->logs->session->loop);
}

static void
flush_lines(struct tail *t, bool all)
{
	struct error e = ERROR_INIT;
	char at[CLOCK_TEXT_LEN];
	size_t len = t->line.len;

	while (!all && len > 0 && t->line.buf[len - 1] != '\n')
		len--;
	if (!all && len == 0 && t->line.len >= LINE_MAX_LEN)
		len = t->line.len;
	if (len == 0)
		return;
	(void)clock_wall_text(clock_wall_ms(), at);
	(void)snprintf(at + 19, sizeof(at) - 19, "Z");
	logs_print(t->follow->logs, t->prefix,
	    t->follow->logs->session->args.timestamps ? at : NULL, t->line.buf,
	    len);
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

static void
go_on(struct tail *t)
{
	flush_lines(t, true);
	t->read = t->next.job == 0;
	if (t->read)
		return;
	t->now = t->next;
	t->next.job = 0;
	t->offset = 0;
	if (t->is_old && t->follow->logs->tail > 0)
		ask_tail(t, 0);
	else
		read_output(t);
}

/* The command has ended, has not begun yet, or the stream broke. */
static void
on_end(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;
	bool again = r->class == CLIENT_UNAVAILABLE ||
	    (r->class == CLIENT_NOTFOUND && t->offset == 0);

	t->stream.v = 0;
	if (again && t->next.job == 0 && t->job == t->now.job) {
		timer_arm(&t->timer, AGAIN_MS);
		return;
	}
	if (r->class != CLIENT_OK && !again)
		out_warn(&t->follow->logs->session->out,
		    "%s, project:%s, job:%lld) error obtaining its output: %s",
		    t->target->context, t->name, (long long)t->now.job,
		    r->text);
	if (r->class == CLIENT_NOTFOUND && t->next.job == 0)
		ask_result(t);
	go_on(t);
	check_done(t->follow);
}

static void
on_timer(struct timer *timer)
{
	struct tail *t = container_of(timer, struct tail, timer);

	if (t->missed && t->job != 0)
		ask_missed(t);
	t->missed = false;
	/* It may have ended while its output could not be had. */
	if (t->job == t->now.job)
		read_output(t);
}

/* On which output the command of a step tells people what it does; NULL: it has
 * none that does. */
static const char *
stream_of(const char *step)
{
	static const struct {
		const char *step;
		const char *stream;
	} steps[] = {
		{ "up", "stderr" },
		{ "down", "stderr" },
		{ "seed", "stdout" },
		{ "create", "stdout" },
		{ "install", "stdout" },
		{ "start", "stdout" },
	};

	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (strcmp(steps[i].step, step) == 0)
			return steps[i].stream;
	return NULL;
}

static void
add_query(const struct tail *t, uint64_t offset, struct strbuf *query)
{
	strbuf_addf(query,
	    "stream=%s&offset=%llu&attempt=%lld&step=", stream_of(t->now.step),
	    (unsigned long long)offset, (long long)t->now.attempt);
	url_add_segment(query, t->now.step);
}

static void
read_output(struct tail *t)
{
	static const struct client_stream stream = {
		.begun = on_begun, .piece = on_piece, .done = on_end
	};
	struct session *s = t->follow->logs->session;
	AUTO_STRBUF struct strbuf query;
	AUTO_ARENA struct arena a;
	struct error e = ERROR_INIT;
	const char *id;
	struct client_call call = { .server = t->target->server,
		.chain = t->target->chain,
		.route = ROUTE_JOB_OUTPUT,
		.params = &id,
		.params_n = 1 };

	arena_init(&a, 4096);
	strbuf_init(&query, 4096);
	if (t->now.job == 0 || t->read || t->sizing || t->stream.v != 0)
		return;
	id = arena_printf(&a, "%lld", (long long)t->now.job);
	strbuf_adds(&query, "follow=1&");
	add_query(t, t->offset, &query);
	call.query = query.buf;
	if (arena_check(&a, &e) < 0 || strbuf_check(&query, &e) < 0 ||
	    client_stream(s->client, &call, &stream, t, &t->stream, &e) < 0)
		timer_arm(&t->timer, AGAIN_MS);
}

/* What has been printed so far */

/* The first 64 KiB, or if there is more the last. */
static void
on_tail(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;
	const struct node *output = node_get(r->body, "output");
	const struct node *content = node_get(output, "content");
	int64_t next = node_int_at(output, "next", 0),
		size = node_int_at(output, "size", 0);
	const char *text = node_text(content);
	size_t len, at, cut = 0;

	t->sizing = false;
	if (r->class == CLIENT_OK && size > next &&
	    node_int_at(output, "offset", 0) == 0) {
		ask_tail(
		    t, size > SLICE_LEN ? (uint64_t)(size - SLICE_LEN) : 1);
		return;
	}
	if (r->class == CLIENT_OK && text != NULL && next > 0) {
		len = content->u.str.len;
		/* The rest of a line is none. */
		if (node_int_at(output, "offset", 0) > 0)
			cut = strcspn(text, "\n");
		at = logs_tail(text, len, t->follow->logs->tail);
		at = at < cut ? cut + (cut < len) : at;
		strbuf_add(&t->line, text + at, len - at);
		t->offset = (uint64_t)next;
		flush_lines(t, false);
	}
	read_output(t);
	check_done(t->follow);
}

static void
ask_tail(struct tail *t, uint64_t offset)
{
	struct session *s = t->follow->logs->session;
	AUTO_STRBUF struct strbuf query;
	AUTO_ARENA struct arena a;
	struct client_call call = { .server = t->target->server,
		.chain = t->target->chain,
		.route = ROUTE_JOB_OUTPUT,
		.params_n = 1 };
	const char *id;

	arena_init(&a, 4096);
	strbuf_init(&query, 4096);
	id = arena_printf(&a, "%lld", (long long)t->now.job);
	add_query(t, offset, &query);
	call.params = &id;
	call.query = query.buf;
	t->sizing = arena_check(&a, NULL) == 0 &&
	    strbuf_check(&query, NULL) == 0 &&
	    client_call(s->client, &call, on_tail, t, NULL) == 0;
	if (!t->sizing)
		read_output(t);
}

/* A command has begun. */
static void
begin(struct tail *t, int64_t job, const char *step, int64_t attempt)
{
	struct command c = { .job = job, .attempt = attempt };

	if (step == NULL || stream_of(step) == NULL)
		return;
	memcpy(c.step, step, strlen(step));
	/* It may have been heard of before. */
	if (c.job == t->now.job && c.attempt == t->now.attempt &&
	    strcmp(c.step, t->now.step) == 0)
		return;
	t->next = c;
	if (t->stream.v == 0 && !t->sizing)
		go_on(t);
}

/* Jobs */

static void
finish(struct tail *t, const char *state)
{
	bool over;

	if (strcmp(state, "completed") != 0) {
		t->follow->failed++;
		out_warn(&t->follow->logs->session->out,
		    "%s, project:%s, job:%lld) %s", t->target->context, t->name,
		    (long long)t->job, state);
	}
	over = t->now.job == t->job && t->stream.v == 0 && !t->sizing;
	t->job = 0;
	/* What is on its way still comes: the job's end does not cut it. */
	if (over && !t->read)
		ask_result(t);
	if (over)
		flush_lines(t, true);
	check_done(t->follow);
}

/* The job that was followed is neither waiting nor running any more. */
static void
on_missed(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;
	const struct node *job = node_get(r->body, "job");
	const char *state = node_text(node_get(job, "state"));

	if (t->job == 0 ||
	    (r->class == CLIENT_OK && node_int_at(job, "id", 0) != t->job))
		return;
	if (r->class == CLIENT_UNAVAILABLE) {
		t->missed = true;
		timer_arm(&t->timer, AGAIN_MS);
		return;
	}
	finish(t,
	    r->class != CLIENT_OK ? r->text
		: state != NULL   ? state
				  : "the reply is not understood");
	/* Another one may run by now. */
	ask_jobs(t);
}

static bool
ask(struct tail *t, const struct client_call *what, client_done_fn *done)
{
	struct session *s = t->follow->logs->session;
	struct client_call call = *what;
	struct error e = ERROR_INIT;

	call.server = t->target->server;
	call.chain = t->target->chain;
	if (client_call(s->client, &call, done, t, &e) == 0)
		return true;
	out_warn(&s->out, "%s) %s", t->target->context, error_text(&e));
	return false;
}

static void
on_result(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;
	const struct node *result =
	    node_get(node_get(r->body, "job"), "result");
	const struct node *output = node_get(result, "output");
	/* A VM's is one text. */
	const struct node *text =
	    node_text(output) != NULL ? output : node_get(output, "stderr");

	t->reading_result = false;
	/* Another one may have begun to print by now. */
	if (r->class == CLIENT_OK && node_text(text) != NULL &&
	    t->offset == 0) {
		strbuf_add(&t->line, text->u.str.s, text->u.str.len);
		flush_lines(t, true);
	}
	check_done(t->follow);
}

/* A command that was over before its output could be read has left its last
 * bytes in the job's result. */
static void
ask_result(struct tail *t)
{
	AUTO_ARENA struct arena a;
	const char *id;
	struct client_call call = {
		.route = ROUTE_JOB, .params = &id, .params_n = 1
	};

	arena_init(&a, 4096);
	id = arena_printf(&a, "%lld", (long long)t->now.job);
	t->read = true;
	if (t->offset > 0 || t->reading_result || id == NULL)
		return;
	t->reading_result = ask(t, &call, on_result);
}

static void
ask_missed(struct tail *t)
{
	AUTO_ARENA struct arena a;
	const char *id;
	struct client_call call = {
		.route = ROUTE_JOB, .params = &id, .params_n = 1
	};

	arena_init(&a, 4096);
	id = arena_printf(&a, "%lld", (long long)t->job);
	if (id != NULL)
		(void)ask(t, &call, on_missed);
}

static const struct node *
find_job(const struct node *list, int64_t id)
{
	for (size_t i = 0;
	     list != NULL && list->type == NODE_LIST && i < list->u.list.n; i++)
		if (node_int_at(list->u.list.items[i], "id", 0) == id)
			return list->u.list.items[i];
	return NULL;
}

/* The job that runs is the oldest of those that do not rest. */
static void
take_jobs(struct tail *t, const struct node *list)
{
	const struct node *job, *steps;
	size_t n = list->u.list.n;

	if (t->job == 0 && n > 0)
		t->job = node_int_at(list->u.list.items[n - 1], "id", 0);
	if (t->job == 0)
		return;
	job = find_job(list, t->job);
	steps = node_get(job, "steps");
	if (job == NULL) {
		ask_missed(t);
	} else if (steps != NULL && steps->type == NODE_LIST &&
	    steps->u.list.n > 0) {
		const struct node *last =
		    steps->u.list.items[steps->u.list.n - 1];

		t->is_old = !t->known;
		begin(t, t->job, node_text(node_get(last, "name")),
		    node_int_at(last, "attempt", 0));
		t->is_old = false;
	}
}

static void
say_deaf(struct tail *t)
{
	if (t->deaf != NULL)
		out_warn(&t->follow->logs->session->out,
		    "%s, project:%s) not heard: %s", t->target->context,
		    t->name, t->deaf);
	t->deaf = NULL;
}

/* It did not say which jobs it has. */
static void
note_untold(struct tail *t, const struct client_reply *r)
{
	struct out *out = &t->follow->logs->session->out;

	t->untold = true;
	t->is_mute =
	    r->class == CLIENT_NOTFOUND && verdict_is_no_route(r->body);
	if (t->is_mute) {
		out_warn(out,
		    "%s, project:%s) n/a: this server cannot be followed",
		    t->target->context, t->name);
		return;
	}
	say_deaf(t);
	out_warn(out, "%s, project:%s) error obtaining the jobs: %s",
	    t->target->context, t->name,
	    r->class == CLIENT_OK ? "the reply is not understood" : r->text);
}

static void
on_jobs(const struct client_reply *r, void *ctx)
{
	struct tail *t = ctx;
	const struct node *list = node_get(r->body, "jobs");

	if (r->class == CLIENT_OK && list != NULL && list->type == NODE_LIST) {
		t->untold = t->is_mute = false;
		say_deaf(t);
		take_jobs(t, list);
	} else if (!t->known) {
		note_untold(t, r);
	}
	t->known = true;
	check_done(t->follow);
}

static void
ask_jobs(struct tail *t)
{
	AUTO_STRBUF struct strbuf query;
	struct client_call call = { .route = ROUTE_JOBS };

	strbuf_init(&query, 4096);
	strbuf_adds(&query, "state=queued,running,interrupted&limit=100&name=");
	url_add_segment(&query, t->name);
	call.query = query.buf;
	if (strbuf_check(&query, NULL) == 0)
		(void)ask(t, &call, on_jobs);
}

static void
on_step(struct tail *t, int64_t job, const struct node *data)
{
	const struct node *ended = node_get(data, "ended");

	if (ended == NULL || ended->type != NODE_BOOL || ended->u.b ||
	    (t->job != 0 && t->job != job && t->job == t->now.job))
		return;
	/* Whoever has begun goes before who waits. */
	t->job = job;
	begin(t, job, node_text(node_get(data, "step")),
	    node_int_at(data, "attempt", 0));
}

static void
on_event(struct tail *t, const char *type, const struct node *data)
{
	int64_t job = node_int_at(data, "job", 0);
	const char *state = node_text(node_get(data, "state"));

	if (job == 0)
		return;
	if (strcmp(type, "step") == 0) {
		on_step(t, job, data);
		return;
	}
	if (strcmp(type, "job") != 0 || state == NULL)
		return;
	if (strcmp(state, "running") == 0 || strcmp(state, "queued") == 0) {
		if (t->job == 0)
			t->job = job;
	} else if (t->job == job && strcmp(state, "interrupted") != 0) {
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
		t->deaf = arena_strdup(&f->logs->session->arena, why);
		/* It may know no jobs either. */
		if (!t->known)
			ask_jobs(t);
		else
			say_deaf(t);
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
	size_t untold = 0;

	if (rc == 0)
		rc = loop_run(s->loop, &e);
	f.live = live_free(f.live);
	client_cancel_all(s->client);
	for (size_t i = 0; i < f.n; i++) {
		flush_lines(&f.tails[i], true);
		untold += f.tails[i].untold;
		timer_fini(&f.tails[i].timer);
		strbuf_fini(&f.tails[i].line);
	}
	if (rc < 0)
		return session_fail(s, &e);
	if (f.failed > 0)
		return EXIT_CODE_FAILED;
	/* Nobody knows whether they did well. */
	return untold > 0 ? EXIT_CODE_UNAVAILABLE : EXIT_CODE_OK;
}
