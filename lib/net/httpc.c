/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP client: see httpc.h. libcurl's multi interface does the protocol and
 * keeps the connections; this file holds the calls, bounds and times what they
 * take, and gives it to their users.
 *
 * A call lives in one list from httpc_call() until its completion runs. It is
 * active (libcurl has its handle), then finished (the handle is gone, on_tell()
 * waits for its turn). It leaves the list before its completion is called, so
 * that function may cancel anything, itself included, or free the client. What
 * a stream tells before that comes from on_tell() as well, which looks after
 * each call of the user's whether its stream is still there.
 *
 * An ordinary call whose reply is long may become one whose body is given away,
 * in its place and on its connection: it is `open` from the first byte of the
 * body on, as a stream is from the beginning.
 *
 * Back-pressure: what is open takes a window from libcurl, then tells it to
 * hold what it has (one read of 16 KiB), and libcurl reads no more.
 *
 * Waiting for a place and for bytes is timed here, connecting by libcurl.
 */
#include "lib/net/httpc.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <strings.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/net/httpc_internal.h"

#define STATUS_MAX 999

/* A call's bytes and times */

static bool
is_in_pieces(const struct httpc_call *c)
{
	return c->head_is_told && c->pieces;
}

bool
httpc_is_stream(const struct httpc_call *c)
{
	return c->pool == &c->h->streaming;
}

static bool
is_writing(const struct httpc_call *c)
{
	return c->sent < c->to_send;
}

/* Without a byte going through; 0: no limit. */
static int64_t
quiet_ms(const struct httpc_call *c)
{
	return is_writing(c) ? c->write_ms : c->read_ms;
}

/* Of what is to go through next. 0: no limit. */
static int64_t
due_ms(const struct httpc_call *c)
{
	int64_t due = c->due_ms;

	if (is_in_pieces(c) && c->paused)
		return 0;
	if (is_in_pieces(c) && httpc_is_stream(c))
		return c->idle_ms > 0 ? c->moved_ms + c->idle_ms : 0;
	if (quiet_ms(c) > 0 && c->sending &&
	    (due == 0 || c->moved_ms + quiet_ms(c) < due))
		due = c->moved_ms + quiet_ms(c);
	return due;
}

static void
call_arm(struct httpc_call *c)
{
	int64_t due = due_ms(c);

	if (due > 0 && c->easy != NULL)
		timer_arm(&c->timer, due - clock_mono_ms());
	else
		timer_stop(&c->timer);
}

/* The types of its texts, and of the next but one, are libcurl's. */
static int
/* NOLINTNEXTLINE(readability-non-const-parameter) */
note_request(void *ctx, char *to, char *from, int to_port, int from_port)
{
	struct httpc_call *c = ctx;

	(void)to;
	(void)from;
	(void)to_port;
	(void)from_port;
	c->sending = true;
	c->moved_ms = c->h->now_ms;
	call_arm(c);
	return CURL_PREREQFUNC_OK;
}

/* No command that is started gets the connection. */
static int
seal_socket(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	(void)ctx;
	(void)purpose;
	return fcntl(fd, F_SETFD, FD_CLOEXEC) == -1 ? CURL_SOCKOPT_ERROR
						    : CURL_SOCKOPT_OK;
}

static int
note_progress(void *ctx, curl_off_t down_total, curl_off_t down,
    curl_off_t up_total, curl_off_t up)
{
	struct httpc_call *c = ctx;

	(void)down_total;
	(void)up_total;
	if (c->moved == down + up)
		return 0;
	c->moved = down + up;
	c->moved_ms = c->h->now_ms;
	if (is_writing(c)) {
		c->sent = up;
		/* The other limit may be the shorter one. */
		if (!is_writing(c))
			call_arm(c);
	}
	return 0;
}

static int64_t
announced_length(const struct httpc_call *c)
{
	curl_off_t length = -1;

	(void)curl_easy_getinfo(
	    c->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return c->packed ? -1 : (int64_t)length;
}

static void
take_head(struct httpc_call *c)
{
	curl_off_t retry_after = 0;
	const char *type = NULL;
	long status = 0;
	size_t len;

	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl_easy_getinfo(c->easy, CURLINFO_CONTENT_TYPE, &type);
	(void)curl_easy_getinfo(c->easy, CURLINFO_RETRY_AFTER, &retry_after);
	c->reply.status = (int)status;
	c->reply.retry_after = retry_after > 0 ? retry_after : -1;
	c->reply.length = announced_length(c);
	len = type != NULL ? strlen(type) : 0;
	if (len >= sizeof(c->content_type))
		len = sizeof(c->content_type) - 1;
	if (len > 0)
		memcpy(c->content_type, type, len);
	c->content_type[len] = '\0';
}

/* Whether the line ends the head of a reply, not of an interim one. */
static bool
ends_head(const struct httpc_call *c, const char *line, size_t len)
{
	long status = 0;

	if (c->head_is_here || len > 2 || line[len - 1] != '\n')
		return false;
	(void)curl_easy_getinfo(c->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status <= STATUS_MAX;
}

static bool
is_named(const char *line, size_t len, const char *name)
{
	size_t n = strlen(name);

	return len >= n && strncasecmp(line, name, n) == 0;
}

static size_t
/* NOLINTNEXTLINE(readability-non-const-parameter) */
note_header(char *p, size_t size, size_t n, void *ctx)
{
	struct httpc_call *c = ctx;

	c->moved_ms = c->h->now_ms;
	c->header_len += size * n;
	if (c->header_len > HTTPC_HEADER_MAX)
		return 0;
	if (is_named(p, size * n, "Content-Encoding:"))
		c->packed = true;
	if (c->open && size * n > 0 && ends_head(c, p, size * n)) {
		c->head_is_here = true;
		take_head(c);
		loop_defer(c->h->loop, &c->tell);
	}
	return size * n;
}

/* With the first bytes of the body, when libcurl knows of its length. */
static void
note_length(struct httpc_call *c)
{
	if (c->body_is_here)
		return;
	c->body_is_here = true;
	if (c->whole_max == 0 || announced_length(c) <= (int64_t)c->whole_max)
		return;
	take_head(c);
	c->open = c->head_is_here = true;
}

static size_t
note_body(char *p, size_t size, size_t n, void *ctx)
{
	struct httpc_call *c = ctx;
	size_t len = size * n;

	c->moved_ms = c->h->now_ms;
	note_length(c);
	/* What it is for is settled when its head is told. */
	if (c->open && (!c->head_is_told || c->pieces)) {
		if (c->body.len > 0 && c->body.len + len > HTTPC_WINDOW) {
			c->held = true;
			return CURL_WRITEFUNC_PAUSE;
		}
		loop_defer(c->h->loop, &c->tell);
	}
	strbuf_add(&c->body, p, len);
	return c->body.latch == OVE_NONE ? len : 0;
}

/* The life of a call */

/* Takes it from libcurl; what it was told to keep is kept. */
static void
call_detach(struct httpc_call *c)
{
	timer_stop(&c->timer);
	if (c->easy != NULL) {
		/* Harmless when it was never added. */
		(void)curl_multi_remove_handle(c->pool->multi, c->easy);
		/* Not to be used again: version 7.88 remembers a header of the
		 * reply before, which is gone, and may read it. */
		curl_easy_cleanup(c->easy);
		c->easy = NULL;
	}
	mem_free(c->headers);
	c->headers = NULL;
}

static struct httpc_call *
httpc_call_free(struct httpc_call *c)
{
	if (c == NULL)
		return NULL;
	if (c->gone != NULL)
		*c->gone = true;
	call_detach(c);
	defer_cancel(&c->tell);
	timer_fini(&c->timer);
	strbuf_fini(&c->body);
	mem_free(c);
	return NULL;
}

AUTO_DEFINE(httpc_call)

static void
call_unlink(struct httpc_call *c)
{
	TAILQ_REMOVE(&c->h->calls, c, link);
	c->h->pending--;
	if (httpc_is_stream(c))
		c->h->streams--;
}

/* Takes it from libcurl and lets its completion run later. */
static void
call_end(struct httpc_call *c)
{
	call_detach(c);
	loop_defer(c->h->loop, &c->tell);
}

void
httpc_ended(struct httpc_call *c, CURLcode code)
{
	if (code == CURLE_OK)
		take_head(c);
	else
		httpc_explain(c, code);
	/* "HTTP/204 OK" is enough of a head for libcurl, and 20404 a status. */
	if (code == CURLE_OK &&
	    (c->reply.status < 100 || c->reply.status > STATUS_MAX))
		httpc_fail(c, HTTPC_GARBLED,
		    "the reply is not HTTP: it has no status");
	call_end(c);
}

static void
on_mend(struct defer *d)
{
	struct httpc *h = container_of(d, struct httpc, mend);
	struct httpc_call *c;

	TAILQ_FOREACH (c, &h->calls, link) {
		if (!c->broken || c->easy == NULL)
			continue;
		httpc_fail(c, HTTPC_NOMEM, "out of memory");
		call_end(c);
	}
	httpc_pool_mend(&h->ordinary);
	httpc_pool_mend(&h->streaming);
}

static void
on_deadline(struct timer *t)
{
	struct httpc_call *c = container_of(t, struct httpc_call, timer);
	int64_t now = clock_mono_ms(), due = due_ms(c);

	if (due == 0 || now < due) {
		call_arm(c);
		return;
	}
	if (is_in_pieces(c) && httpc_is_stream(c))
		httpc_timed_out(
		    c, HTTPC_TIMEOUT, c->idle_ms, " without a byte");
	else if (c->due_ms > 0 && now >= c->due_ms)
		httpc_timed_out(c, HTTPC_TIMEOUT, c->total_ms, "");
	else if (is_writing(c))
		httpc_timed_out(c, HTTPC_WRITE_TIMEOUT, c->write_ms,
		    " while sending the request");
	else
		httpc_timed_out(c, HTTPC_TIMEOUT, c->read_ms,
		    " while waiting for the reply");
	call_end(c);
}

/* Of a long reply: there is enough to look at, and it has not failed before
 * anything was said of it. */
static bool
may_tell_head(const struct httpc_call *c)
{
	if (!c->head_is_here || c->head_is_told)
		return false;
	return httpc_is_stream(c) ||
	    (c->easy != NULL && c->body.len >= HTTPC_PEEK);
}

/* Telling its user; false: it is gone. */

static bool
tell_head(struct httpc_call *c)
{
	bool gone = false, pieces;

	c->reply.body = httpc_is_stream(c) ? "" : c->body.buf;
	c->reply.body_len = httpc_is_stream(c) ? 0 : c->body.len;
	c->reply.took_ms = clock_mono_ms() - c->started_ms;
	c->gone = &gone;
	pieces = c->fn.head(c->id, &c->reply, c->ctx);
	if (gone)
		return false;
	c->gone = NULL;
	c->head_is_told = true;
	c->pieces = pieces;
	call_arm(c);
	return true;
}

/* The bytes are kept from the call, so that they outlive it. */
static bool
tell_piece(struct httpc_call *c)
{
	struct strbuf piece = c->body;
	bool gone = false;

	strbuf_init(&c->body, piece.max);
	c->gone = &gone;
	c->fn.piece(c->id, piece.buf, piece.len, c->ctx);
	if (gone) {
		strbuf_fini(&piece);
		return false;
	}
	c->gone = NULL;
	strbuf_reset(&piece);
	c->body = piece;
	return true;
}

/* Lets libcurl go on where it held bytes that we had no room for. */
static void
let_go_on(struct httpc_call *c)
{
	CURLcode rc;

	if (!c->held || c->easy == NULL || c->pool->spoilt ||
	    (c->pieces && c->body.len > 0))
		return;
	c->held = false;
	c->moved_ms = c->h->now_ms = clock_mono_ms();
	rc = curl_easy_pause(c->easy, CURLPAUSE_CONT);
	if (rc == CURLE_OK)
		return;
	httpc_explain(c, rc);
	call_end(c);
}

static void
finish(struct httpc_call *c)
{
	bool failed;

	c->reply.body = c->body.buf;
	c->reply.body_len = c->body.len;
	c->reply.content_type = c->content_type;
	c->reply.took_ms = clock_mono_ms() - c->started_ms;
	call_unlink(c);
	/* The client may be freed in there: c needs it no more. */
	failed = error_is_set(&c->failed.error);
	c->fn.done(c->id, failed ? NULL : &c->reply, failed ? &c->failed : NULL,
	    c->ctx);
	(void)httpc_call_free(c);
}

static void
on_tell(struct defer *d)
{
	struct httpc_call *c = container_of(d, struct httpc_call, tell);

	if (may_tell_head(c) && !tell_head(c))
		return;
	if (is_in_pieces(c) && c->body.len > 0 && !c->paused && !tell_piece(c))
		return;
	let_go_on(c);
	if (c->easy == NULL && (!is_in_pieces(c) || c->body.len == 0))
		finish(c);
}

/* Making a call */

/* What libcurl can count (24 days) or more is no limit. */
static int64_t
limit_ms(int64_t ms)
{
	return ms > 0 && ms < INT_MAX ? ms : 0;
}

static void
set_callbacks(struct httpc_call *c)
{
	CURL *easy = c->easy;

	/* They are only stored. */
	(void)curl_easy_setopt(easy, CURLOPT_PRIVATE, c);
	(void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->why);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, note_body);
	(void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, note_header);
	(void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
	(void)curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, seal_socket);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, note_request);
	(void)curl_easy_setopt(easy, CURLOPT_PREREQDATA, c);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, note_progress);
	(void)curl_easy_setopt(easy, CURLOPT_XFERINFODATA, c);
	(void)curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
}

static struct httpc_call *
call_new(struct httpc_pool *p, const struct httpc_request *rq,
    const struct httpc_stream *fn, struct error *e)
{
	AUTO(httpc_call) struct httpc_call *c = mem_calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)error_nomem(e);
		return NULL;
	}
	c->h = p->h;
	c->pool = p;
	c->fn = *fn;
	c->open = httpc_is_stream(c);
	c->whole_max = c->open ? 0 : fn->whole_max;
	c->reply.content_type = c->content_type;
	strbuf_init(&c->body,
	    fn->piece != NULL && rq->reply_max < HTTPC_WINDOW ? HTTPC_WINDOW
							      : rq->reply_max);
	defer_init(&c->tell, on_tell, "httpc_tell");
	c->connect_ms = limit_ms(rq->connect_ms);
	c->read_ms = limit_ms(rq->read_ms);
	c->write_ms = rq->write_ms == 0 ? c->read_ms : limit_ms(rq->write_ms);
	c->to_send = (curl_off_t)rq->body_len;
	c->total_ms = limit_ms(rq->total_ms);
	c->idle_ms = limit_ms(fn->idle_ms);
	c->started_ms = clock_mono_ms();
	if (c->total_ms > 0)
		c->due_ms = c->started_ms + c->total_ms;
	if (timer_init(
		&c->timer, p->h->loop, on_deadline, "httpc_deadline", e) < 0 ||
	    httpc_set_up(c, rq, e) < 0)
		return NULL;
	set_callbacks(c);
	return STEAL(c);
}

static int
start(struct httpc_pool *p, const struct httpc_request *rq,
    const struct httpc_stream *fn, void *ctx, struct call_id *ret,
    struct error *e)
{
	AUTO(httpc_call) struct httpc_call *c = NULL;
	struct httpc *h = p->h;

	if (httpc_check_request(h, rq, e) < 0 || httpc_pool_start(p, e) < 0)
		return -1;
	c = call_new(p, rq, fn, e);
	if (c == NULL)
		return -1;
	/* This only sets a timer. */
	if (curl_multi_add_handle(p->multi, c->easy) != CURLM_OK)
		return error_nomem(e);
	c->id.v = ++h->last_id;
	c->ctx = ctx;
	call_arm(c);
	TAILQ_INSERT_TAIL(&h->calls, c, link);
	h->pending++;
	if (httpc_is_stream(c))
		h->streams++;
	if (ret != NULL)
		*ret = c->id;
	(void)STEAL(c);
	return 0;
}

int
httpc_call(struct httpc *h, const struct httpc_request *rq, httpc_done_fn *done,
    void *ctx, struct call_id *ret, struct error *e)
{
	const struct httpc_stream fn = { .done = done };

	return start(&h->ordinary, rq, &fn, ctx, ret, e);
}

int
httpc_call_long(struct httpc *h, const struct httpc_request *rq,
    const struct httpc_stream *s, void *ctx, struct call_id *ret,
    struct error *e)
{
	return start(&h->ordinary, rq, s, ctx, ret, e);
}

int
httpc_stream(struct httpc *h, const struct httpc_request *rq,
    const struct httpc_stream *s, void *ctx, struct call_id *ret,
    struct error *e)
{
	if (h->streams >= h->max_streams)
		return error_set(
		    e, OVE_LIMIT, "more than %u streams", h->max_streams);
	return start(&h->streaming, rq, s, ctx, ret, e);
}

static struct httpc_call *
find(const struct httpc *h, struct call_id id)
{
	struct httpc_call *c;

	TAILQ_FOREACH (c, &h->calls, link)
		if (c->id.v == id.v)
			return c;
	return NULL;
}

void
httpc_pause(struct httpc *h, struct call_id id)
{
	struct httpc_call *c = find(h, id);

	if (c == NULL || !c->open || c->paused)
		return;
	c->paused = true;
	c->paused_ms = clock_mono_ms();
}

void
httpc_resume(struct httpc *h, struct call_id id)
{
	struct httpc_call *c = find(h, id);

	if (c == NULL || !c->paused)
		return;
	c->paused = false;
	c->moved_ms = clock_mono_ms();
	if (c->due_ms > 0)
		c->due_ms += c->moved_ms - c->paused_ms;
	call_arm(c);
	loop_defer(h->loop, &c->tell);
}

void
httpc_cancel(struct httpc *h, struct call_id id)
{
	struct httpc_call *c = find(h, id);

	if (c == NULL)
		return;
	call_unlink(c);
	(void)httpc_call_free(c);
}

unsigned
httpc_pending(const struct httpc *h)
{
	return h->pending;
}

/* The client */

static int
start_curl(struct httpc *h, struct error *e)
{
	const curl_version_info_data *info;

	/* Counts how often; the functions are the same each time. */
	if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, mem_alloc, mem_free,
		mem_realloc, mem_strdup, mem_calloc) != CURLE_OK)
		return error_set(e, OVE_INTERNAL, "libcurl does not start");
	h->global = true;
	info = curl_version_info(CURLVERSION_NOW);
	if ((info->features & CURL_VERSION_ASYNCHDNS) == 0)
		return error_set(e, OVE_UNSUPPORTED,
		    "libcurl %s has no asynchronous resolver", info->version);
	h->has_gzip = (info->features & CURL_VERSION_LIBZ) != 0;
	h->has_bundle =
	    info->age >= CURLVERSION_SEVENTH && info->cainfo != NULL;
	return 0;
}

static char *
user_agent_line(const char *agent)
{
	static const char name[] = "User-Agent: ";
	size_t len = strlen(agent) + 1;
	char *line = mem_alloc(strlen(name) + len);

	if (line != NULL) {
		memcpy(line, name, strlen(name));
		memcpy(line + strlen(name), agent, len);
	}
	return line;
}

int
httpc_new(struct httpc **ret, struct loop *l, const struct httpc_config *c,
    struct error *e)
{
	AUTO(httpc) struct httpc *h = mem_calloc(1, sizeof(*h));

	if (h == NULL)
		return error_nomem(e);
	h->loop = l;
	h->max_streams = c->max_streams;
	TAILQ_INIT(&h->calls);
	defer_init(&h->mend, on_mend, "httpc_mend");
	if (c->user_agent != NULL) {
		h->user_agent = user_agent_line(c->user_agent);
		if (h->user_agent == NULL)
			return error_nomem(e);
	}
	if (httpc_pool_init(&h->ordinary, h, c->max_calls, c->max_per_host, e) <
		0 ||
	    httpc_pool_init(&h->streaming, h, 0, 0, e) < 0 ||
	    start_curl(h, e) < 0 || httpc_pool_start(&h->ordinary, e) < 0)
		return -1;
	*ret = STEAL(h);
	return 0;
}

struct httpc *
httpc_free(struct httpc *h)
{
	struct httpc_call *c;

	if (h == NULL)
		return NULL;
	while ((c = TAILQ_FIRST(&h->calls)) != NULL) {
		call_unlink(c);
		(void)httpc_call_free(c);
	}
	httpc_pool_fini(&h->ordinary);
	httpc_pool_fini(&h->streaming);
	defer_cancel(&h->mend);
	if (h->global)
		curl_global_cleanup();
	mem_free(h->user_agent);
	mem_free(h);
	return NULL;
}
