/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A board that servers keep up to date (cli/live.h), shown as a table on a
 * terminal, or as a line for each change. Servers that cannot be heard are
 * asked at an interval, those below a server that cannot reach them now and
 * then. A server that is silent changes nothing of what is shown, except for
 * the last line, which says so.
 */
#include "cli/status_watch.h"

#include <string.h>

#include "cli/doc.h"
#include "cli/live.h"
#include "cli/status_print.h"
#include "cli/term.h"
#include "cli/watch_pace.h"
#include "cli/watch_view.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)
/* Before a server that has not begun to tell anything is asked. */
#define DEAF_MS 2000
/* Between questions about what could not be asked, more and more. */
#define FAULT_MS 5000
#define FAULT_MAX_MS 60000

/* A server of the board. */
struct ear {
	bool heard;
	int64_t next_ms;
	/* Between questions since something cannot be asked. */
	int64_t pause_ms;
	/* That it is lost has been said. */
	bool told;
};

struct watching {
	struct session *session;
	struct board *board;
	struct live *live;
	struct watch_view *view;
	struct watch_pace pace;
	struct live_spot *spots;
	struct ear *ears;
};

static void
on_changed(struct board *b, void *ctx)
{
	struct watching *w = ctx;

	(void)b;
	watch_pace_changed(&w->pace);
}

static void
on_live_changed(
    size_t spot, const char *type, const struct node *data, void *ctx)
{
	struct watching *w = ctx;

	if (type == NULL)
		board_refresh(w->board, spot);
	else
		board_event(w->board, spot, type, data);
}

static void
on_live_heard(size_t spot, const char *why, void *ctx)
{
	struct watching *w = ctx;
	struct ear *ear = &w->ears[spot];

	ear->heard = why == NULL;
	ear->next_ms = 0;
	ear->pause_ms = 0;
	watch_pace_changed(&w->pace);
}

/* When to ask again, if it is asked now. */
static int64_t
next_pause(
    const struct watching *w, const struct ear *ear, enum board_fault fault)
{
	int64_t pause = ear->pause_ms * 2, least = w->session->args.interval_ms;

	/* What is not told has to be asked for, whatever else cannot be. */
	if (!ear->heard && fault != BOARD_ALL)
		return least;
	if (pause < FAULT_MS)
		pause = FAULT_MS;
	else if (pause > FAULT_MAX_MS)
		pause = FAULT_MAX_MS;
	return pause > least ? pause : least;
}

/* Asks those that cannot tell, and for what could not be asked. */
static int64_t
ask_the_deaf(void *ctx, int64_t now)
{
	struct watching *w = ctx;
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < board_spots(w->board); i++) {
		struct ear *ear = &w->ears[i];
		enum board_fault fault = board_fault(w->board, i);

		if (ear->heard && fault == BOARD_FINE) {
			ear->pause_ms = 0;
			continue;
		}
		if (now >= ear->next_ms) {
			ear->pause_ms = next_pause(w, ear, fault);
			ear->next_ms = now + ear->pause_ms;
			if (ear->heard)
				board_retry(w->board, i);
			else
				board_refresh(w->board, i);
		}
		if (ear->next_ms < next)
			next = ear->next_ms;
	}
	return next;
}

/* Why somebody is silent; NULL: nobody is. */
static const char *
find_silence(const struct watching *w, size_t *ret_spot)
{
	for (size_t i = 0; i < board_spots(w->board); i++) {
		*ret_spot = i;
		if (board_lost(w->board, i) != NULL)
			return board_lost(w->board, i);
	}
	return NULL;
}

/* On a terminal */

static void
add_last_line(struct watching *w, struct strbuf *out)
{
	struct session *s = w->session;
	const char *dot = term_is_utf8() ? " \xc2\xb7 " : " - ", *why;
	AUTO_STRBUF struct strbuf clean;
	struct status_counts counts;
	size_t spot = 0, n = board_spots(w->board);

	strbuf_init(&clean, TEXT_MAX);
	status_count(w->board, &counts);
	why = find_silence(w, &spot);
	if (why != NULL)
		strbuf_add_escaped(&clean, why, strlen(why));
	term_add_color(out, s->out.color_out,
	    why != NULL ? TERM_YELLOW : TERM_GREEN,
	    why != NULL ? "reconnecting" : "live");
	if (why != NULL)
		strbuf_addf(out, " (%s: %s)",
		    board_target(w->board, spot)->server->name, clean.buf);
	strbuf_addf(out, "%s%zu target%s", dot, n, n == 1 ? "" : "s");
	if (counts.all > 0)
		strbuf_adds(out, dot);
	status_print_counts(&counts, out);
	strbuf_addf(out, "%sq quits", dot);
}

static void
draw(void *ctx)
{
	struct watching *w = ctx;
	AUTO_STRBUF struct strbuf table, last;
	bool headings = !w->session->args.no_headers;

	strbuf_init(&table, TEXT_MAX);
	strbuf_init(&last, TEXT_MAX);
	status_print_table(
	    w->session, w->board, headings, watch_view_width(w->view), &table);
	add_last_line(w, &last);
	watch_view_draw(w->view, &table, headings ? 1 : 0, &last);
}

static void
on_stale(void *ctx)
{
	struct watching *w = ctx;

	watch_pace_changed(&w->pace);
}

/* Elsewhere */

static void
print_change(const struct board_line *l, void *ctx)
{
	struct watching *w = ctx;
	struct session *s = w->session;
	AUTO_STRBUF struct strbuf b;
	char at[CLOCK_TEXT_LEN];

	strbuf_init(&b, TEXT_MAX);
	status_print_line(s, l, &b);
	if (strbuf_check(&b, NULL) < 0 ||
	    (*l->note != NULL && strcmp(*l->note, b.buf) == 0))
		return;
	mem_free(*l->note);
	*l->note = mem_strdup(b.buf);
	(void)clock_wall_text(clock_wall_ms(), at);
	if (doc_output_is(s, "json"))
		out_addf(&s->out, "{\"at\":\"%s\",%s\n", at, b.buf + 1);
	else
		out_addf(&s->out, "%.19sZ %s\n", at, b.buf);
}

static void
tell_silence(struct watching *w)
{
	struct out *out = &w->session->out;

	for (size_t i = 0; i < board_spots(w->board); i++) {
		struct ear *ear = &w->ears[i];
		const char *why = board_lost(w->board, i);

		if (why != NULL && !ear->told)
			out_warn(out, "%s) no answer, asking again: %s",
			    board_target(w->board, i)->context, why);
		if (why == NULL && ear->told)
			out_warn(out, "%s) it answers again",
			    board_target(w->board, i)->context);
		ear->told = why != NULL;
	}
}

static void
print_changes(struct watching *w)
{
	struct error e = ERROR_INIT;

	board_each(w->board, print_change, w);
	tell_silence(w);
	if (out_flush(&w->session->out, &e) < 0)
		loop_stop(w->session->loop);
}

static void
show(void *ctx)
{
	struct watching *w = ctx;

	if (w->view != NULL)
		draw(w);
	else
		print_changes(w);
}

static int
begin(struct watching *w, struct targets *t, struct error *e)
{
	static const struct live_ops live_ops = { .changed = on_live_changed,
		.heard = on_live_heard };
	static const struct watch_view_ops view_ops = { .draw = draw,
		.stale = on_stale };
	static const struct watch_pace_ops pace_ops = { .ask = ask_the_deaf,
		.show = show };
	struct session *s = w->session;
	size_t n;

	if (board_new(&w->board, s, t, on_changed, w, e) < 0)
		return -1;
	n = board_spots(w->board);
	w->spots = arena_calloc(&s->arena, n, sizeof(*w->spots));
	w->ears = arena_calloc(&s->arena, n, sizeof(*w->ears));
	if (arena_check(&s->arena, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		w->spots[i].server = board_target(w->board, i)->server;
		w->spots[i].chain = board_target(w->board, i)->chain;
		w->ears[i].next_ms = clock_mono_ms() + DEAF_MS;
	}
	if (watch_pace_init(&w->pace, s->loop, &pace_ops, w, e) < 0 ||
	    live_new(&w->live, s, w->spots, n, &live_ops, w, e) < 0)
		return -1;
	if (watch_view_fits(s) &&
	    watch_view_open(&w->view, s, &view_ops, w, e) < 0)
		return -1;
	return 0;
}

enum exitcode
status_watch(struct session *s, struct targets *t)
{
	struct watching w = { .session = s };
	struct error e = ERROR_INIT;
	int rc = begin(&w, t, &e);

	if (rc == 0)
		rc = loop_run(s->loop, &e);
	w.view = watch_view_close(w.view);
	w.live = live_free(w.live);
	w.board = board_free(w.board);
	watch_pace_fini(&w.pace);
	return rc < 0 ? session_fail(s, &e) : EXIT_CODE_OK;
}
