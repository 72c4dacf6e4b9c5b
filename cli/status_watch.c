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
#include <unistd.h>

#include "cli/live.h"
#include "cli/screen.h"
#include "cli/status_print.h"
#include "cli/term.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)
/* Drawn at most so often; ages move so often. */
#define DRAW_MS 250
#define AGE_MS 1000
/* Before a server that has not begun to tell anything is asked. */
#define DEAF_MS 2000
/* Between questions to one that could not answer. */
#define FAULT_MS 5000

/* A server of the board. */
struct ear {
	bool heard;
	int64_t next_ms;
	/* That it is lost has been said. */
	bool told;
};

struct watching {
	struct session *session;
	struct board *board;
	struct live *live;
	struct screen *screen;
	struct timer timer;
	struct live_spot *spots;
	struct ear *ears;
	/* The first row that is shown. */
	size_t top;
	size_t rows;
	bool dirty;
	int64_t drawn_ms;
};

static void
set_dirty(struct watching *w)
{
	int64_t now = clock_mono_ms();

	if (!w->dirty)
		timer_arm(&w->timer,
		    now - w->drawn_ms >= DRAW_MS ? 0
						 : w->drawn_ms + DRAW_MS - now);
	w->dirty = true;
}

static void
on_changed(struct board *b, void *ctx)
{
	(void)b;
	set_dirty(ctx);
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
	set_dirty(w);
}

/* Asks those that cannot tell. The time of the next question. */
static int64_t
ask_the_deaf(struct watching *w, int64_t now)
{
	int64_t next = now + AGE_MS;

	for (size_t i = 0; i < board_spots(w->board); i++) {
		struct ear *ear = &w->ears[i];
		bool faulty = board_is_faulty(w->board, i);
		int64_t interval = w->session->args.interval_ms;

		if (ear->heard && !faulty)
			continue;
		if (faulty && interval < FAULT_MS)
			interval = FAULT_MS;
		if (now >= ear->next_ms) {
			ear->next_ms = now + interval;
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
	AUTO_STRBUF struct strbuf b, clean;
	struct status_counts counts;
	size_t spot = 0, n = board_spots(w->board);

	strbuf_init(&b, TEXT_MAX);
	strbuf_init(&clean, TEXT_MAX);
	status_count(w->board, &counts);
	why = find_silence(w, &spot);
	if (why != NULL)
		strbuf_add_escaped(&clean, why, strlen(why));
	term_add_color(&b, s->out.color_out,
	    why != NULL ? TERM_YELLOW : TERM_GREEN,
	    why != NULL ? "reconnecting" : "live");
	if (why != NULL)
		strbuf_addf(&b, " (%s: %s)",
		    board_target(w->board, spot)->server->name, clean.buf);
	strbuf_addf(&b, "%s%zu target%s", dot, n, n == 1 ? "" : "s");
	if (counts.all > 0)
		strbuf_adds(&b, dot);
	status_print_counts(&counts, &b);
	strbuf_addf(&b, "%sq quits", dot);
	strbuf_add(out, b.buf,
	    term_text_cut(b.buf, b.len, screen_width(w->screen) - 1));
	strbuf_adds(out, s->out.color_out ? "\033[0m\n" : "\n");
}

/* The line with this number, and all before it. */
static size_t
skip_lines(const struct strbuf *b, size_t n)
{
	size_t at = 0;

	while (n > 0 && at < b->len) {
		at = (size_t)((const char *)memchr(
				  b->buf + at, '\n', b->len - at) +
		    1 - b->buf);
		n--;
	}
	return at;
}

static size_t
count_lines(const struct strbuf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->len; i++)
		n += b->buf[i] == '\n';
	return n;
}

/* Heading, as many rows as fit, how many more there are, the last line. */
static void
draw(struct watching *w)
{
	AUTO_STRBUF struct strbuf table, view;
	size_t head = w->session->args.no_headers ? 0 : 1, room, body;
	size_t height = screen_height(w->screen);

	strbuf_init(&table, TEXT_MAX);
	strbuf_init(&view, TEXT_MAX);
	status_print_table(
	    w->session, w->board, head > 0, screen_width(w->screen), &table);
	w->rows = count_lines(&table) - (count_lines(&table) > 0 ? head : 0);
	room = height > head + 1 ? height - head - 1 : 1;
	body = w->rows;
	if (w->rows > room)
		body = room > 1 ? room - 1 : 1;
	if (w->top + body > w->rows)
		w->top = w->rows - body;
	if (height > head + 1)
		strbuf_add(&view, table.buf, skip_lines(&table, head));
	strbuf_add(&view, table.buf + skip_lines(&table, head + w->top),
	    skip_lines(&table, head + w->top + body) -
		skip_lines(&table, head + w->top));
	if (w->rows > body && height > head + 2)
		strbuf_addf(&view,
		    term_is_utf8()
			? "\xe2\x80\xa6 %zu more (\xe2\x86\x91\xe2\x86\x93 to "
			  "scroll)\n"
			: "... %zu more (arrows to scroll)\n",
		    w->rows - body);
	if (height > 1)
		add_last_line(w, &view);
	if (strbuf_check(&table, NULL) == 0 && strbuf_check(&view, NULL) == 0)
		screen_draw(w->screen, view.buf, view.len);
}

static void
on_key(enum screen_key key, void *ctx)
{
	struct watching *w = ctx;
	size_t page = screen_height(w->screen) / 2 + 1;

	switch (key) {
	case SCREEN_QUIT:
		loop_stop(w->session->loop);
		return;
	case SCREEN_UP:
		w->top -= w->top > 0;
		break;
	case SCREEN_DOWN:
		w->top++;
		break;
	case SCREEN_PAGE_UP:
		w->top -= w->top > page ? page : w->top;
		break;
	case SCREEN_PAGE_DOWN:
		w->top += page;
		break;
	case SCREEN_HOME:
		w->top = 0;
		break;
	case SCREEN_END:
		w->top = w->rows;
		break;
	}
	draw(w);
}

static void
on_redraw(void *ctx)
{
	draw(ctx);
}

static void
on_talk(void *ctx)
{
	struct watching *w = ctx;

	screen_clear(w->screen);
	set_dirty(w);
}

/* Elsewhere */

static void
print_change(const struct board_line *l, void *ctx)
{
	struct watching *w = ctx;
	struct session *s = w->session;
	AUTO_STRBUF struct strbuf b;
	char at[CLOCK_TEXT_LEN];
	bool json =
	    s->args.output != NULL && strcmp(s->args.output, "json") == 0;

	strbuf_init(&b, TEXT_MAX);
	status_print_line(s, l, &b);
	if (strbuf_check(&b, NULL) < 0 ||
	    (*l->note != NULL && strcmp(*l->note, b.buf) == 0))
		return;
	mem_free(*l->note);
	*l->note = mem_strdup(b.buf);
	(void)clock_wall_text(clock_wall_ms(), at);
	if (json)
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
on_timer(struct timer *t)
{
	struct watching *w = container_of(t, struct watching, timer);
	int64_t now = clock_mono_ms(), next = ask_the_deaf(w, now);

	w->dirty = false;
	w->drawn_ms = now;
	if (w->screen != NULL)
		draw(w);
	else
		print_changes(w);
	if (!w->dirty)
		timer_arm(t, next > now ? next - now : 0);
}

static int
begin(struct watching *w, struct targets *t, struct error *e)
{
	static const struct live_ops live_ops = { .changed = on_live_changed,
		.heard = on_live_heard };
	static const struct screen_ops screen_ops = { .key = on_key,
		.redraw = on_redraw };
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
	if (timer_init(&w->timer, s->loop, on_timer, "watch", e) < 0 ||
	    live_new(&w->live, s, w->spots, n, &live_ops, w, e) < 0)
		return -1;
	if (term_can_redraw(STDOUT_FILENO) &&
	    (s->args.output == NULL || strcmp(s->args.output, "json") != 0)) {
		if (screen_open(&w->screen, s->loop, &screen_ops, w, e) < 0)
			return -1;
		s->out.before = on_talk;
		s->out.before_ctx = w;
	}
	timer_arm(&w->timer, 0);
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
	s->out.before = NULL;
	w.screen = screen_close(w.screen);
	w.live = live_free(w.live);
	w.board = board_free(w.board);
	timer_fini(&w.timer);
	return rc < 0 ? session_fail(s, &e) : EXIT_CODE_OK;
}
