/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Logs that are followed: what is there from an offset on, then what is added.
 * The file worker opens and reads each, one piece at a time; one timer has it
 * look for more. Nothing is read for a client that does not take what it has.
 *
 * Nobody says that a log is whole, so it ends when the file is removed or gets
 * shorter, or when nothing was added for long.
 */
#include <sys/queue.h>
#include <sys/stat.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "daemon/api_internal.h"
#include "daemon/logtext.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"

#define LOOK_MS 300
/* Less than a chain waits for a text. */
#define IDLE_MS 1800000
#define PIECE_MAX 16384
/* A byte may become three, and what was held comes with it. */
#define SHOWN_MAX ((size_t)3 * 2 * PIECE_MAX)
#define TAILS_MAX 64
#define WORDS_MAX 4

struct tail {
	TAILQ_ENTRY(tail) link;
	struct file_work file;
	struct api *api;
	/* Before the answer begins, the call is there if this request is. */
	struct req_id req;
	bool begun;
	/* NULL: the client has gone, or has all. */
	struct api_call *call;
	/* With the worker, or its outcome is being looked at. */
	bool reading;
	int64_t moved_ms;

	/* The worker's while it reads. */
	enum route_id route;
	struct arena arena;
	const char *words[WORDS_MAX];
	int fd;
	uint64_t at;
	/* Of the text, not to be sent. */
	uint64_t skip;
	struct logtext text;

	/* What it found. */
	struct strbuf shown;
	bool moved;
	bool more;
	bool over;
	struct error e;
};

struct api_tails {
	TAILQ_HEAD(, tail) all;
	/* Those that are not begun as well. */
	size_t n;
	struct timer look;
};

/* Reading, on the file worker */

/* One piece; ends when there is nothing to come. */
static int
read_piece(struct tail *t, struct error *e)
{
	char buf[PIECE_MAX];
	struct stat st;
	ssize_t n = 0;

	if (t->fd < 0 &&
	    api_log_open(t->api, t->route, t->words, &t->fd, e) < 0)
		return -1;
	if (fstat(t->fd, &st) < 0)
		return error_set_errno(e, errno, "look at a log");
	t->over = (uint64_t)st.st_size < t->at;
	if (!t->over) {
		do
			n = pread(t->fd, buf, sizeof(buf), (off_t)t->at);
		while (n == -1 && errno == EINTR);
		if (n < 0)
			return error_set_errno(e, errno, "read a log");
		t->over = n == 0 && st.st_nlink == 0;
	}
	t->at += (size_t)n;
	t->moved = n > 0;
	t->more = n == (ssize_t)sizeof(buf);
	logtext_feed(&t->text, &t->shown, buf, (size_t)n);
	if (t->over)
		logtext_end(&t->text, &t->shown);
	return strbuf_check(&t->shown, e);
}

static void
read_it(struct file_work *w)
{
	struct tail *t = container_of(w, struct tail, file);
	size_t n;

	strbuf_reset(&t->shown);
	if (read_piece(t, &t->e) < 0)
		return;
	n = t->skip < t->shown.len ? (size_t)t->skip : t->shown.len;
	strbuf_consume(&t->shown, n);
	t->skip -= n;
}

/* On the loop */

static void
tail_free(struct tail *t)
{
	t->api->tails->n--;
	cc_auto_close(&t->fd);
	logtext_fini(&t->text);
	strbuf_fini(&t->shown);
	arena_fini(&t->arena);
	mem_free(t);
}

static void
look(struct tail *t)
{
	if (t->reading ||
	    http_req_stream_queued(t->call->req) >= API_QUEUED_MAX)
		return;
	t->reading = true;
	api_submit(t->api, &t->file);
}

/* It is freed at once, or when the worker is done with it. */
static void
forget(struct tail *t)
{
	TAILQ_REMOVE(&t->api->tails->all, t, link);
	t->call = NULL;
	if (!t->reading)
		tail_free(t);
}

static void
on_drained(struct api_call *c)
{
	struct tail *t = c->state;

	if (t->more)
		look(t);
}

static void
on_gone(struct api_call *c)
{
	forget(c->state);
}

static void
end(struct tail *t)
{
	struct api_call *c = t->call;

	forget(t);
	api_stream_end(c);
}

/* False: there is nobody to send it to. */
static bool
begin(struct tail *t)
{
	static const struct api_stream stream = { on_drained, on_gone };
	struct api_tails *ts = t->api->tails;
	struct http_req *req = api_find(t->api, t->req);
	struct api_call *c = t->call;

	t->call = NULL;
	if (req == NULL)
		return false;
	if (error_is_set(&t->e)) {
		api_log_failed(t->api, req, &t->e);
		return false;
	}
	if (!api_stream_start(c, TYPE_TEXT, -1, &stream, t))
		return false;
	t->call = c;
	t->begun = true;
	t->moved_ms = clock_mono_ms();
	TAILQ_INSERT_TAIL(&ts->all, t, link);
	if (!ts->look.armed)
		timer_arm(&ts->look, LOOK_MS);
	return true;
}

/* The client may be gone after this. */
static void
deliver(struct tail *t)
{
	struct api_call *c = t->call;

	if (error_is_set(&t->e)) {
		http_req_stream_cut(c->req);
		return;
	}
	if (t->moved)
		t->moved_ms = clock_mono_ms();
	if (t->shown.len > 0 &&
	    !http_req_stream_send(c->req, t->shown.buf, t->shown.len))
		return;
	if (t->over)
		end(t);
}

static void
was_read(struct work *w)
{
	struct tail *t = container_of(w, struct tail, file.work);

	if (t->begun ? t->call != NULL : begin(t))
		deliver(t);
	t->reading = false;
	if (t->call == NULL)
		tail_free(t);
	else if (t->more)
		look(t);
}

static void
on_look(struct timer *timer)
{
	struct api_tails *ts = container_of(timer, struct api_tails, look);
	struct tail *t, *next;

	for (t = TAILQ_FIRST(&ts->all); t != NULL; t = next) {
		next = TAILQ_NEXT(t, link);
		if (clock_mono_ms() - t->moved_ms >= IDLE_MS)
			end(t);
		else
			look(t);
	}
	if (!TAILQ_EMPTY(&ts->all))
		timer_arm(timer, LOOK_MS);
}

void
api_log_follow(struct api_call *c, uint64_t offset)
{
	struct api_tails *ts = c->api->tails;
	struct error e = ERROR_INIT;
	struct tail *t;

	if (ts->n >= TAILS_MAX) {
		api_reply_message(c->api, c->req, 429,
		    "%zu logs are followed, which is all that may be.", ts->n);
		return;
	}
	if ((t = mem_calloc(1, sizeof(*t))) == NULL) {
		(void)error_nomem(&e);
		api_reply_error(c->api, c->req, &e);
		return;
	}
	ts->n++;
	t->file.run = read_it;
	t->file.work.done = was_read;
	t->api = c->api;
	t->call = c;
	t->req = http_req_id(c->req);
	t->route = c->route;
	t->fd = -1;
	t->skip = offset;
	logtext_init(&t->text);
	strbuf_init(&t->shown, SHOWN_MAX);
	arena_init(&t->arena, PIECE_MAX);
	for (size_t i = 0; i < WORDS_MAX && c->params[i] != NULL; i++)
		t->words[i] = arena_strdup(&t->arena, c->params[i]);
	if (arena_check(&t->arena, &e) < 0) {
		api_reply_error(c->api, c->req, &e);
		tail_free(t);
		return;
	}
	t->reading = true;
	api_submit(c->api, &t->file);
}

int
api_tails_new(struct api *api, struct error *e)
{
	struct api_tails *ts = mem_calloc(1, sizeof(*ts));

	if (ts == NULL)
		return error_nomem(e);
	TAILQ_INIT(&ts->all);
	api->tails = ts;
	return timer_init(&ts->look, api->deps.loop, on_look, "log-look", e);
}

/* Server and file worker have gone before, so nobody follows. */
void
api_tails_free(struct api *api)
{
	if (api->tails == NULL)
		return;
	timer_fini(&api->tails->look);
	mem_free(api->tails);
	api->tails = NULL;
}
