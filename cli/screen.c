/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * See screen.h. The cursor rests below the view. A drawing is one write: up to
 * the first line, then for each line either a step down or the new text; what
 * is left of an older, longer view is erased. After a change of the width lines
 * may have been broken by the terminal, so all is erased and drawn anew.
 *
 * The cursor is never hidden, so what has to be put back are the terminal's
 * modes alone, which can be done from a signal handler.
 */
#include "cli/screen.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/term.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"

#define VIEW_MAX ((size_t)4 * 1024 * 1024)
#define LINES_MAX 1000

struct screen {
	const struct screen_ops *ops;
	void *ctx;
	/* What is on the screen. */
	struct strbuf view;
	size_t width;
	struct watch keys;
	struct sigwatch winch;
	struct sigwatch cont;
	struct sigwatch tstp;
	bool continued;
	char pending[8];
	size_t pending_n;
};

/* For the handlers of signals that end the program. */
static struct termios saved;
static volatile sig_atomic_t is_raw;

static void
restore(void)
{
	if (is_raw)
		(void)tcsetattr(STDIN_FILENO, TCSANOW, &saved);
	is_raw = 0;
}

static void
make_raw(void)
{
	struct termios t;

	if (tcgetattr(STDIN_FILENO, &t) < 0)
		return;
	saved = t;
	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &t) == 0;
}

static void
on_fatal(int signo)
{
	restore();
	/* Its action is the default one again. */
	(void)raise(signo);
}

static void
catch_fatal(bool on)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT,
		SIGQUIT, SIGTERM, SIGHUP, SIGINT };
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on ? on_fatal : SIG_DFL;
	sa.sa_flags = (int)(SA_RESETHAND | SA_NODEFER);
	(void)sigemptyset(&sa.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(fatal); i++)
		(void)sigaction(fatal[i], &sa, NULL);
}

/* Keys */

static const struct {
	const char *bytes;
	enum screen_key key;
} keys[] = {
	{ "q", SCREEN_QUIT },
	{ "Q", SCREEN_QUIT },
	{ "\x04", SCREEN_QUIT },
	{ "k", SCREEN_UP },
	{ "j", SCREEN_DOWN },
	{ " ", SCREEN_PAGE_DOWN },
	{ "b", SCREEN_PAGE_UP },
	{ "g", SCREEN_HOME },
	{ "G", SCREEN_END },
	{ "\033[A", SCREEN_UP },
	{ "\033[B", SCREEN_DOWN },
	{ "\033OA", SCREEN_UP },
	{ "\033OB", SCREEN_DOWN },
	{ "\033[5~", SCREEN_PAGE_UP },
	{ "\033[6~", SCREEN_PAGE_DOWN },
	{ "\033[H", SCREEN_HOME },
	{ "\033[F", SCREEN_END },
	{ "\033[1~", SCREEN_HOME },
	{ "\033[4~", SCREEN_END },
};

/* ESC [ parameters letter, ESC O letter, or one byte. */
static bool
is_whole(const char *p, size_t n)
{
	if (p[0] != '\033')
		return true;
	if (n > 1 && p[1] == '[')
		return n > 2 && p[n - 1] >= '@' && p[n - 1] <= '~';
	return n > 2;
}

static void
take_byte(struct screen *s, char c)
{
	/* The key Escape, and then another. */
	if (s->pending_n == 1 && c != '[' && c != 'O')
		s->pending_n = 0;
	/* Longer than any that is known: only its end counts. */
	if (s->pending_n == sizeof(s->pending))
		s->pending_n--;
	s->pending[s->pending_n++] = c;
	if (!is_whole(s->pending, s->pending_n))
		return;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strlen(keys[i].bytes) == s->pending_n &&
		    memcmp(keys[i].bytes, s->pending, s->pending_n) == 0)
			s->ops->key(keys[i].key, s->ctx);
	s->pending_n = 0;
}

static void
on_keys(struct watch *w, int what)
{
	struct screen *s = container_of(w, struct screen, keys);
	char buf[64];
	ssize_t n = read(w->fd, buf, sizeof(buf));

	(void)what;
	if (n <= 0) {
		/* The terminal has gone. */
		watch_stop(w);
		return;
	}
	for (ssize_t i = 0; i < n; i++)
		take_byte(s, buf[i]);
}

/* Drawing */

static size_t
line_len(const char *text, size_t len)
{
	const char *eol = len > 0 ? memchr(text, '\n', len) : NULL;

	return eol != NULL ? (size_t)(eol - text) + 1 : len;
}

/* Rows that the view takes on a terminal of this width. */
static size_t
count_rows(const struct strbuf *view, size_t width)
{
	size_t rows = 0, n, w;

	for (size_t at = 0; at < view->len; at += n) {
		n = line_len(view->buf + at, view->len - at);
		w = term_text_width(view->buf + at, n - 1);
		rows += w <= width || width == 0 ? 1 : (w + width - 1) / width;
	}
	return rows;
}

static void
add_changed(
    struct strbuf *out, const struct strbuf *old, const char *text, size_t len)
{
	size_t at = 0, o = 0, n, on;

	for (; at < len; at += n, o += on) {
		n = line_len(text + at, len - at);
		on = line_len(old->buf + o, old->len - o);
		if (on == n && memcmp(old->buf + o, text + at, n) == 0) {
			strbuf_addc(out, '\n');
			continue;
		}
		strbuf_add(out, text + at, n - 1);
		strbuf_adds(out, "\033[K\n");
	}
	if (o < old->len)
		strbuf_adds(out, "\033[J");
}

void
screen_draw(struct screen *s, const char *text, size_t len)
{
	AUTO_STRBUF struct strbuf out;
	size_t width = term_width(STDOUT_FILENO);
	size_t rows = count_rows(&s->view, width);

	strbuf_init(&out, VIEW_MAX);
	if (s->view.len == len && width == s->width &&
	    (len == 0 || memcmp(s->view.buf, text, len) == 0))
		return;
	if (rows > 0)
		strbuf_addf(&out, "\r\033[%zuA", rows);
	if (width != s->width) {
		strbuf_adds(&out, "\033[J");
		strbuf_reset(&s->view);
	}
	s->width = width;
	add_changed(&out, &s->view, text, len);
	(void)file_write_all(STDOUT_FILENO, out.buf, out.len, NULL);
	strbuf_reset(&s->view);
	strbuf_add(&s->view, text, len);
}

void
screen_clear(struct screen *s)
{
	AUTO_STRBUF struct strbuf out;
	size_t rows = count_rows(&s->view, term_width(STDOUT_FILENO));

	strbuf_init(&out, 64);
	if (rows > 0)
		strbuf_addf(&out, "\r\033[%zuA\033[J", rows);
	if (rows > 0)
		(void)file_write_all(STDOUT_FILENO, out.buf, out.len, NULL);
	strbuf_reset(&s->view);
}

size_t
screen_width(const struct screen *s)
{
	(void)s;
	return term_width(STDOUT_FILENO);
}

size_t
screen_height(const struct screen *s)
{
	size_t rows = term_height(STDOUT_FILENO);

	(void)s;
	rows = rows > LINES_MAX ? LINES_MAX : rows;
	/* The last one is the cursor's. */
	return rows > 1 ? rows - 1 : 1;
}

/* Signals */

static void
on_winch(struct sigwatch *w)
{
	struct screen *s = container_of(w, struct screen, winch);

	s->ops->redraw(s->ctx);
}

/* The shell has written below the view: it begins anew there. */
static void
go_on(struct screen *s)
{
	if (!is_raw && s->keys.ev != NULL)
		make_raw();
	strbuf_reset(&s->view);
	s->ops->redraw(s->ctx);
}

static void
on_tstp(struct sigwatch *w)
{
	struct screen *s = container_of(w, struct screen, tstp);

	restore();
	(void)raise(SIGSTOP);
	/* Here it is continued, and that signal is still to come. */
	s->continued = true;
	go_on(s);
}

static void
on_cont(struct sigwatch *w)
{
	struct screen *s = container_of(w, struct screen, cont);

	if (!s->continued)
		go_on(s);
	s->continued = false;
}

int
screen_open(struct screen **ret, struct loop *l, const struct screen_ops *ops,
    void *ctx, struct error *e)
{
	struct screen *s = mem_calloc(1, sizeof(*s));

	if (s == NULL)
		return error_nomem(e);
	s->ops = ops;
	s->ctx = ctx;
	strbuf_init(&s->view, VIEW_MAX);
	s->width = term_width(STDOUT_FILENO);
	if (sigwatch_init(&s->winch, l, SIGWINCH, on_winch, "winch", e) < 0 ||
	    sigwatch_init(&s->cont, l, SIGCONT, on_cont, "cont", e) < 0 ||
	    sigwatch_init(&s->tstp, l, SIGTSTP, on_tstp, "tstp", e) < 0 ||
	    (isatty(STDIN_FILENO) == 1 &&
		(watch_init(&s->keys, l, STDIN_FILENO, WATCH_READ, on_keys,
		     "keys", e) < 0 ||
		    watch_start(&s->keys, e) < 0))) {
		screen_close(s);
		return -1;
	}
	if (s->keys.ev != NULL) {
		catch_fatal(true);
		make_raw();
	}
	*ret = s;
	return 0;
}

struct screen *
screen_close(struct screen *s)
{
	if (s == NULL)
		return NULL;
	restore();
	catch_fatal(false);
	watch_fini(&s->keys);
	sigwatch_fini(&s->winch);
	sigwatch_fini(&s->cont);
	sigwatch_fini(&s->tstp);
	strbuf_fini(&s->view);
	mem_free(s);
	return NULL;
}
