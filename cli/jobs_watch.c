/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Each server is asked for its list when it says that a job has changed, and
 * those that cannot say so at an interval. A list takes the place of the one
 * before; one that cannot be had changes nothing of what is shown. On a
 * terminal the table is drawn in place, elsewhere a job whose state is another
 * is a line.
 */
#include "cli/jobs_watch.h"

#include <stdio.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/live.h"
#include "cli/servers.h"
#include "cli/wait_judge.h"
#include "cli/watch_pace.h"
#include "cli/watch_view.h"
#include "lib/base/array.h"
#include "lib/base/clock.h"
#include "lib/data/json.h"
#include "lib/event/loop.h"
#include "proto/human.h"

#define LIST_ARENA_MAX ((size_t)64 * 1024 * 1024)
#define TEXT_MAX ((size_t)4 * 1024 * 1024)
/* Before a server that has not begun to tell anything is asked. */
#define DEAF_MS 2000
#define STATE_LEN_MAX 31

/* What was last printed of a job. */
struct seen {
	int64_t job;
	char state[STATE_LEN_MAX + 1];
};

struct spot {
	struct watching *all;
	struct target *target;
	struct arena arena;
	/* NULL: nothing yet. */
	const struct node *list;
	/* Of that list; by job. */
	struct array seen;
	bool asking;
	bool stale;
	bool heard;
	/* That it does not answer has been said. */
	bool told;
	/* An original: it has no such list. */
	bool is_mute;
	int64_t next_ms;
};

struct watching {
	struct session *session;
	const struct listing *listing;
	struct live *live;
	struct watch_view *view;
	struct watch_pace pace;
	struct live_spot *ears;
	struct spot *spots;
	size_t n;
	/* Those that are no originals: with none there is nothing to see. */
	size_t telling;
};

/* Asking */

static void refresh(struct spot *p);

static void
say_lost(struct spot *p, const char *why)
{
	struct out *out = &p->all->session->out;

	if (why != NULL && !p->told)
		out_warn(out, "%s) error obtaining %s: %s", p->target->context,
		    p->all->listing->what, why);
	else if (why == NULL && p->told)
		out_warn(out, "%s) it answers again", p->target->context);
	p->told = why != NULL;
}

static void
on_list(const struct client_reply *r, void *ctx)
{
	struct spot *p = ctx;
	const struct node *list = node_get(r->body, p->all->listing->member);

	p->asking = false;
	if (r->class == CLIENT_OK && list != NULL && list->type == NODE_LIST) {
		arena_reset(&p->arena);
		p->list = node_copy(&p->arena, list);
		say_lost(p, NULL);
	} else if (r->class == CLIENT_NOTFOUND &&
	    verdict_is_no_route(r->body)) {
		out_warn(&p->all->session->out,
		    "%s) n/a: this server keeps no %s", p->target->context,
		    p->all->listing->lacks);
		p->is_mute = true;
		if (--p->all->telling == 0)
			loop_stop(p->all->session->loop);
	} else {
		say_lost(p,
		    r->class == CLIENT_OK ? "the reply is not understood"
					  : r->text);
	}
	if (p->stale)
		refresh(p);
	watch_pace_changed(&p->all->pace);
}

static void
refresh(struct spot *p)
{
	struct session *s = p->all->session;
	struct error e = ERROR_INIT;
	struct client_call call = { .server = p->target->server,
		.chain = p->target->chain,
		.route = p->all->listing->route,
		.query = p->all->listing->query };

	p->stale = p->asking && !p->is_mute;
	if (p->asking || p->is_mute)
		return;
	p->asking = client_call(s->client, &call, on_list, p, &e) == 0;
	if (!p->asking)
		say_lost(p, error_text(&e));
}

static void
on_changed(size_t spot, const char *type, const struct node *data, void *ctx)
{
	struct watching *w = ctx;

	(void)data;
	if (type == NULL || strcmp(type, "job") == 0)
		refresh(&w->spots[spot]);
}

static void
on_heard(size_t spot, const char *why, void *ctx)
{
	struct watching *w = ctx;

	w->spots[spot].heard = why == NULL;
	w->spots[spot].next_ms = 0;
	watch_pace_changed(&w->pace);
}

/* Asks those that cannot tell. */
static int64_t
ask_the_deaf(void *ctx, int64_t now)
{
	struct watching *w = ctx;
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < w->n; i++) {
		struct spot *p = &w->spots[i];

		if (p->is_mute || (p->heard && !p->told))
			continue;
		if (now >= p->next_ms) {
			p->next_ms = now + w->session->args.interval_ms;
			refresh(p);
		}
		if (p->next_ms < next)
			next = p->next_ms;
	}
	return next;
}

/* Showing */

static void
add_last_line(const struct watching *w, size_t rows, struct strbuf *out)
{
	const char *dot = term_is_utf8() ? " \xc2\xb7 " : " - ";
	const struct spot *lost = NULL;

	for (size_t i = 0; i < w->n; i++)
		if (w->spots[i].told)
			lost = &w->spots[i];
	term_add_color(out, w->session->out.color_out,
	    lost != NULL ? TERM_YELLOW : TERM_GREEN,
	    lost != NULL ? "reconnecting" : "live");
	if (lost != NULL)
		strbuf_addf(out, " (%s)", lost->target->server->name);
	strbuf_addf(out, "%s%zu target%s%s%zu job%s%sq quits", dot, w->n,
	    w->n == 1 ? "" : "s", dot, rows, rows == 1 ? "" : "s", dot);
}

static void
draw(void *ctx)
{
	struct watching *w = ctx;
	struct session *s = w->session;
	double now = (double)clock_wall_ms() / 1000;
	AUTO_ARENA struct arena a;
	AUTO_STRBUF struct strbuf text, last;
	struct table table;

	arena_init(&a, LIST_ARENA_MAX);
	strbuf_init(&text, TEXT_MAX);
	strbuf_init(&last, TEXT_MAX);
	table_init(&table, w->listing->columns, &a);
	for (size_t i = 0; i < w->n; i++)
		listing_add_rows(w->listing, s, &table, w->spots[i].target,
		    w->spots[i].list, now);
	table_print(&table, !s->args.no_headers, watch_view_width(w->view),
	    s->out.color_out, &text);
	add_last_line(w, table.rows_n, &last);
	watch_view_draw(w->view, &text, s->args.no_headers ? 0 : 1, &last);
}

static void
on_stale(void *ctx)
{
	struct watching *w = ctx;

	watch_pace_changed(&w->pace);
}

static int
by_job(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return x->job < y->job ? -1 : x->job > y->job;
}

/* Whether the state is another than what was printed; keeps it in `next`. */
static bool
is_news(
    const struct spot *p, struct array *next, int64_t job, const char *state)
{
	const struct seen key = { .job = job }, *was;
	struct seen *s = array_add(next, NULL);

	/* What is not remembered would be told again and again. */
	if (s == NULL)
		return false;
	s->job = job;
	(void)snprintf(s->state, sizeof(s->state), "%s", state);
	was = array_search(&p->seen, &key, by_job);
	return was == NULL || strcmp(was->state, s->state) != 0;
}

static void
add_json(const struct spot *p, const struct node *job, const char *at,
    struct strbuf *out)
{
	AUTO_ARENA struct arena a;
	struct node *n;

	arena_init(&a, LIST_ARENA_MAX);
	n = node_new(&a, NODE_MAP);
	doc_set_str(&a, n, "at", at);
	doc_set_place(&a, n, p->target->server, p->target->chain);
	node_set(&a, n, "job", node_copy(&a, job));
	json_write(out, n, JSON_COMPACT);
}

static void
add_words(const struct spot *p, const struct node *job, const char *at,
    struct strbuf *out)
{
	static const char *const members[] = { "id", "type", "name", "state",
		"attempt" };

	strbuf_addf(out, "%.19sZ ", at);
	strbuf_add_escaped(
	    out, p->target->server->name, strlen(p->target->server->name));
	strbuf_addf(out, " %s", servers_chain(p->target->chain));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		AUTO_STRBUF struct strbuf word;

		strbuf_init(&word, TEXT_MAX);
		human_text(&word, node_get(job, members[i]));
		strbuf_addc(out, ' ');
		strbuf_add_escaped(out, word.buf, word.len);
	}
}

/* Oldest first: the list has the newest first. What it has no more is
 * forgotten. */
static void
print_news(struct spot *p)
{
	struct session *s = p->all->session;
	size_t n = p->list != NULL ? p->list->u.list.n : 0;
	char at[CLOCK_TEXT_LEN];
	struct array next;

	(void)clock_wall_text(clock_wall_ms(), at);
	array_init(&next, sizeof(struct seen), n);
	while (n-- > 0) {
		const struct node *job = p->list->u.list.items[n], *id;
		const char *state = node_text(node_get(job, "state"));
		AUTO_STRBUF struct strbuf b;

		strbuf_init(&b, TEXT_MAX);
		id = node_get(job, "id");
		if (!listing_wants(p->all->listing, s, job) || id == NULL ||
		    id->type != NODE_INT || id->big || state == NULL ||
		    !is_news(p, &next, id->u.i, state))
			continue;
		if (doc_output_is(s, "json"))
			add_json(p, job, at, &b);
		else
			add_words(p, job, at, &b);
		strbuf_addc(&b, '\n');
		if (strbuf_check(&b, NULL) == 0)
			out_add(&s->out, b.buf, b.len);
	}
	array_sort(&next, by_job);
	array_fini(&p->seen);
	p->seen = next;
}

static void
show(void *ctx)
{
	struct watching *w = ctx;
	struct error e = ERROR_INIT;

	if (w->view != NULL) {
		draw(w);
		return;
	}
	for (size_t i = 0; i < w->n; i++)
		print_news(&w->spots[i]);
	if (out_flush(&w->session->out, &e) < 0)
		loop_stop(w->session->loop);
}

static int
begin(struct watching *w, struct targets *t, struct error *e)
{
	static const struct live_ops live_ops = { .changed = on_changed,
		.heard = on_heard };
	static const struct watch_view_ops view_ops = { .draw = draw,
		.stale = on_stale };
	static const struct watch_pace_ops pace_ops = { .ask = ask_the_deaf,
		.show = show };
	struct session *s = w->session;

	w->spots = arena_calloc(&s->arena, t->matched, sizeof(*w->spots));
	w->ears = arena_calloc(&s->arena, t->matched, sizeof(*w->ears));
	if (arena_check(&s->arena, e) < 0)
		return -1;
	for (size_t i = 0; i < t->n; i++) {
		struct spot *p = &w->spots[w->n];

		if (!t->items[i].matched)
			continue;
		p->all = w;
		p->target = &t->items[i];
		p->next_ms = clock_mono_ms() + DEAF_MS;
		arena_init(&p->arena, LIST_ARENA_MAX);
		array_init(&p->seen, sizeof(struct seen), 0);
		w->ears[w->n].server = p->target->server;
		w->ears[w->n].chain = p->target->chain;
		w->n++;
	}
	w->telling = w->n;
	if (watch_pace_init(&w->pace, s->loop, &pace_ops, w, e) < 0 ||
	    live_new(&w->live, s, w->ears, w->n, &live_ops, w, e) < 0 ||
	    (watch_view_fits(s) &&
		watch_view_open(&w->view, s, &view_ops, w, e) < 0))
		return -1;
	return 0;
}

enum exitcode
jobs_watch(struct session *s, const struct listing *l, struct targets *t)
{
	struct watching w = { .session = s, .listing = l };
	struct error e = ERROR_INIT;
	int rc = begin(&w, t, &e);

	if (rc == 0)
		rc = loop_run(s->loop, &e);
	w.view = watch_view_close(w.view);
	w.live = live_free(w.live);
	client_cancel_all(s->client);
	watch_pace_fini(&w.pace);
	for (size_t i = 0; i < w.n; i++) {
		arena_fini(&w.spots[i].arena);
		array_fini(&w.spots[i].seen);
	}
	return rc < 0 ? session_fail(s, &e) : EXIT_CODE_OK;
}
