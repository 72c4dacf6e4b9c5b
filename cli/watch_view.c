/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* See watch_view.h. The view is drawn from what is said anew each time. */
#include "cli/watch_view.h"

#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/screen.h"
#include "cli/term.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define TEXT_MAX ((size_t)4 * 1024 * 1024)
#define INTERVAL_MIN_MS 100

struct watch_view {
	struct session *session;
	const struct watch_view_ops *ops;
	void *ctx;
	struct screen *screen;
	/* The first row that is shown, and how many there are. */
	size_t top;
	size_t rows;
};

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

static void
add_last_line(
    const struct watch_view *v, const struct strbuf *last, struct strbuf *out)
{
	strbuf_add(out, last->buf,
	    term_text_cut(last->buf, last->len, screen_width(v->screen) - 1));
	strbuf_adds(out, v->session->out.color_out ? "\033[0m\n" : "\n");
}

/* Heading, as many rows as fit, how many more there are, the last line. */
void
watch_view_draw(struct watch_view *v, const struct strbuf *table, size_t head,
    const struct strbuf *last)
{
	AUTO_STRBUF struct strbuf view;
	size_t height = screen_height(v->screen), room, body, from;

	strbuf_init(&view, TEXT_MAX);
	v->rows = count_lines(table) - (count_lines(table) > 0 ? head : 0);
	room = height > head + 1 ? height - head - 1 : 1;
	body = v->rows;
	if (v->rows > room)
		body = room > 1 ? room - 1 : 1;
	if (v->top + body > v->rows)
		v->top = v->rows - body;
	if (height > head + 1)
		strbuf_add(&view, table->buf, skip_lines(table, head));
	from = skip_lines(table, head + v->top);
	strbuf_add(&view, table->buf + from,
	    skip_lines(table, head + v->top + body) - from);
	if (v->rows > body && height > head + 2)
		strbuf_addf(&view,
		    term_is_utf8()
			? "\xe2\x80\xa6 %zu more (\xe2\x86\x91\xe2\x86\x93 to "
			  "scroll)\n"
			: "... %zu more (arrows to scroll)\n",
		    v->rows - body);
	if (height > 1)
		add_last_line(v, last, &view);
	if (strbuf_check(table, NULL) == 0 && strbuf_check(last, NULL) == 0 &&
	    strbuf_check(&view, NULL) == 0)
		screen_draw(v->screen, view.buf, view.len);
}

static void
on_key(enum screen_key key, void *ctx)
{
	struct watch_view *v = ctx;
	size_t page = screen_height(v->screen) / 2 + 1;

	switch (key) {
	case SCREEN_QUIT:
		loop_stop(v->session->loop);
		return;
	case SCREEN_UP:
		v->top -= v->top > 0;
		break;
	case SCREEN_DOWN:
		v->top++;
		break;
	case SCREEN_PAGE_UP:
		v->top -= v->top > page ? page : v->top;
		break;
	case SCREEN_PAGE_DOWN:
		v->top += page;
		break;
	case SCREEN_HOME:
		v->top = 0;
		break;
	case SCREEN_END:
		v->top = v->rows;
		break;
	}
	v->ops->draw(v->ctx);
}

static void
on_redraw(void *ctx)
{
	struct watch_view *v = ctx;

	v->ops->draw(v->ctx);
}

static void
on_talk(void *ctx)
{
	struct watch_view *v = ctx;

	screen_clear(v->screen);
	v->ops->stale(v->ctx);
}

enum exitcode
watch_view_check(struct session *s)
{
	if (doc_output_is(s, "yaml"))
		return session_usage(s, "use -o json: one object per line",
		    "--watch does not end, so it cannot print a document");
	if (s->args.interval_ms < INTERVAL_MIN_MS)
		return session_usage(
		    s, NULL, "--interval: must be a tenth of a second or more");
	return EXIT_CODE_OK;
}

bool
watch_view_fits(const struct session *s)
{
	return term_can_redraw(STDOUT_FILENO) && !doc_output_is(s, "json");
}

int
watch_view_open(struct watch_view **ret, struct session *s,
    const struct watch_view_ops *ops, void *ctx, struct error *e)
{
	static const struct screen_ops screen_ops = { .key = on_key,
		.redraw = on_redraw };
	struct watch_view *v = mem_calloc(1, sizeof(*v));

	if (v == NULL)
		return error_nomem(e);
	v->session = s;
	v->ops = ops;
	v->ctx = ctx;
	if (screen_open(&v->screen, s->loop, &screen_ops, v, e) < 0) {
		mem_free(v);
		return -1;
	}
	s->out.before = on_talk;
	s->out.before_ctx = v;
	*ret = v;
	return 0;
}

size_t
watch_view_width(const struct watch_view *v)
{
	return screen_width(v->screen);
}

struct watch_view *
watch_view_close(struct watch_view *v)
{
	if (v == NULL)
		return NULL;
	v->session->out.before = NULL;
	v->screen = screen_close(v->screen);
	mem_free(v);
	return NULL;
}
