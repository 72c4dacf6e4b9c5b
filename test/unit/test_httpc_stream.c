/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Streams of the HTTP client against a small server on the same loop, which
 * sends what the path asks for, as fast as it is taken.
 */
#include "test/unit/support/test.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"
#include "test/unit/support/torture.h"

#define CONNS_MAX 32
/* More than sockets buffer. */
#define FLOOD ((size_t)48 << 20)
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"

/* As much as there has to be of a long reply. */
#define K16 "0123456789abcde\n"
#define K256 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16 K16
#define HALF K256 K256 K256 K256

/* The server: a connection is one request. */

struct server;

struct conn {
	struct server *s;
	struct watch in;
	struct watch out;
	int fd;
	char request[4096];
	size_t request_len;
	/* Bytes of the flood that are still to go. */
	size_t flood;
};

struct server {
	struct loop *loop;
	struct watch watch;
	struct conn conns[CONNS_MAX];
	int fd;
	unsigned port;
	unsigned open;
	size_t sent;
	/* A flood has met a full socket. */
	bool blocked;
	char request[4096];
};

static const struct {
	const char *path;
	const char *text;
	bool close;
} answers[] = {
	{ "/one", OK_HEAD "\r\nhello", true },
	{ "/open", OK_HEAD "\r\nhello", false },
	{ "/idle", OK_HEAD "\r\n", false },
	{ "/hang", "", false },
	{ "/close", "", true },
	{ "/garbage", "who is there?\r\n\r\n", true },
	{ "/status", "HTTP/220404 X\r\n\r\nhello", true },
	{ "/cut", OK_HEAD "Content-Length: 100\r\n\r\nhello", true },
	{ "/half", OK_HEAD "Content-Length: 100000\r\n\r\n" HALF, false },
	{ "/empty", OK_HEAD "Content-Length: 0\r\n\r\n", false },
	{ "/chunks",
	    OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
		    "3\r\nhel\r\n2\r\nlo\r\n0\r\nX-Trailer: 1\r\n\r\n",
	    false },
	{ "/interim",
	    "HTTP/1.1 103 Early Hints\r\nX: y\r\n\r\n" OK_HEAD "\r\nhello",
	    true },
	{ "/missing",
	    "HTTP/1.1 404 Not Found\r\nRetry-After: 3\r\n"
	    "Content-Length: 7\r\n\r\nnothing",
	    false },
};

static void
conn_close(struct conn *c)
{
	if (c->fd < 0)
		return;
	watch_fini(&c->in);
	watch_fini(&c->out);
	(void)close(c->fd);
	c->fd = -1;
	c->s->open--;
}

/* Letters that tell where they stood. */
static char
letter(size_t at)
{
	return (char)('a' + at % 23);
}

static void
on_writable(struct watch *w, int what)
{
	struct conn *c = container_of(w, struct conn, out);
	char buf[23 * 1024];
	size_t i, len;
	ssize_t n;

	(void)what;
	while (c->flood > 0) {
		len = c->flood < sizeof(buf) ? c->flood : sizeof(buf);
		for (i = 0; i < len; i++)
			buf[i] = letter(FLOOD - c->flood + i);
		n = send(c->fd, buf, len, MSG_NOSIGNAL);
		if (n > 0) {
			c->flood -= (size_t)n;
			c->s->sent += (size_t)n;
		}
		if (n < (ssize_t)len) {
			c->s->blocked = true;
			return;
		}
	}
	conn_close(c);
}

static void
conn_answer(struct conn *c)
{
	const char *path = c->request + strlen("GET ");
	size_t i, n = strcspn(path, " ");

	memcpy(c->s->request, c->request, sizeof(c->request));
	if (n == 6 && memcmp(path, "/flood", n) == 0) {
		(void)send(c->fd, OK_HEAD "\r\n", sizeof(OK_HEAD) + 1, 0);
		c->flood = FLOOD;
		assert_int_equal(watch_start(&c->out, NULL), 0);
		return;
	}
	/* Of the latter there is less than was said. */
	if (strncmp(path, "/long ", n + 1) == 0 ||
	    strncmp(path, "/longer ", n + 1) == 0) {
		char head[128];
		int len = snprintf(head, sizeof(head),
		    OK_HEAD "Content-Length: %zu\r\n\r\n", FLOOD + (n > 5));

		(void)send(c->fd, head, (size_t)len, 0);
		c->flood = FLOOD;
		assert_int_equal(watch_start(&c->out, NULL), 0);
		return;
	}
	for (i = 0; i < ARRAY_LEN(answers); i++) {
		if (strlen(answers[i].path) != n ||
		    strncmp(answers[i].path, path, n) != 0)
			continue;
		(void)send(c->fd, answers[i].text, strlen(answers[i].text), 0);
		if (answers[i].close)
			conn_close(c);
		return;
	}
	fail_msg("no answer to '%s'", path);
}

static void
on_readable(struct watch *w, int what)
{
	struct conn *c = container_of(w, struct conn, in);
	ssize_t n;

	(void)what;
	n = read(c->fd, c->request + c->request_len,
	    sizeof(c->request) - 1 - c->request_len);
	if (n <= 0) {
		conn_close(c);
		return;
	}
	c->request_len += (size_t)n;
	c->request[c->request_len] = '\0';
	if (strstr(c->request, "\r\n\r\n") == NULL)
		return;
	c->request_len = 0;
	conn_answer(c);
}

static void
on_accept(struct watch *w, int what)
{
	struct server *s = container_of(w, struct server, watch);
	int fd = accept(s->fd, NULL, NULL);
	struct conn *c;
	size_t i;

	(void)what;
	if (fd < 0)
		return;
	for (i = 0; s->conns[i].fd >= 0; i++)
		assert_in_range(i, 0, CONNS_MAX - 2);
	c = &s->conns[i];
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	*c = (struct conn){ .s = s, .fd = fd };
	assert_int_equal(watch_init(&c->in, s->loop, fd, WATCH_READ,
			     on_readable, "test_in", NULL),
	    0);
	assert_int_equal(watch_init(&c->out, s->loop, fd, WATCH_WRITE,
			     on_writable, "test_out", NULL),
	    0);
	assert_int_equal(watch_start(&c->in, NULL), 0);
	s->open++;
}

static int
listen_any(unsigned *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 64), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

static void
server_init(struct server *s, struct loop *l, int fd)
{
	size_t i;

	s->loop = l;
	s->fd = fd;
	for (i = 0; i < CONNS_MAX; i++)
		s->conns[i] = (struct conn){ .s = s, .fd = -1 };
	assert_int_equal(watch_init(&s->watch, l, fd, WATCH_READ, on_accept,
			     "test_accept", NULL),
	    0);
	assert_int_equal(watch_start(&s->watch, NULL), 0);
}

static void
server_fini(struct server *s)
{
	size_t i;

	for (i = 0; i < CONNS_MAX; i++)
		conn_close(&s->conns[i]);
	watch_fini(&s->watch);
	(void)close(s->fd);
}

/* A test's world */

enum act {
	ACT_NONE,
	ACT_PAUSE,
	ACT_CANCEL,
	ACT_FREE,
	ACT_STOP
};

struct world {
	struct loop *loop;
	struct httpc *h;
	struct server server;
	struct timer guard;
	struct timer wait;
	struct call_id id;
	/* What to do when told of it. */
	enum act at_head;
	enum act at_piece;
	enum act at_done;
	bool collect;
	bool flooded;
	bool may_be_long;
	/* What was told. */
	unsigned heads;
	unsigned dones;
	int status;
	int64_t retry_after;
	int64_t length;
	char type[64];
	size_t got;
	size_t longest;
	bool replied;
	char body[64];
	struct httpc_failure failed;
};

static void
too_late(struct timer *t)
{
	(void)t;
	fail_msg("nothing happened for 30 s");
}

static void
stop_waiting(struct timer *t)
{
	loop_stop(container_of(t, struct world, wait)->loop);
}

static void
world_init(struct world *w)
{
	static const struct httpc_config config = {
		.user_agent = "overlord/test",
		.max_calls = 1,
		.max_per_host = 1,
		.max_streams = 8,
	};
	struct error e = ERROR_INIT;

	memset(w, 0, sizeof(*w));
	test_ok(loop_new(&w->loop, &e), &e);
	server_init(&w->server, w->loop, listen_any(&w->server.port));
	test_ok(httpc_new(&w->h, w->loop, &config, &e), &e);
	test_ok(timer_init(&w->guard, w->loop, too_late, "guard", &e), &e);
	test_ok(timer_init(&w->wait, w->loop, stop_waiting, "wait", &e), &e);
	timer_arm(&w->guard, 30000);
}

static void
world_fini(struct world *w)
{
	w->h = httpc_free(w->h);
	server_fini(&w->server);
	timer_fini(&w->guard);
	timer_fini(&w->wait);
	w->loop = loop_free(w->loop);
}

static void
act(struct world *w, enum act a)
{
	switch (a) {
	case ACT_NONE:
		return;
	case ACT_PAUSE:
		httpc_pause(w->h, w->id);
		return;
	case ACT_CANCEL:
		httpc_cancel(w->h, w->id);
		break;
	case ACT_FREE:
		w->h = httpc_free(w->h);
		break;
	case ACT_STOP:
		break;
	}
	loop_stop(w->loop);
}

static bool
on_head(struct call_id id, const struct httpc_reply *r, void *ctx)
{
	struct world *w = ctx;

	assert_true(id.v == w->id.v);
	assert_int_equal(w->dones, 0);
	assert_int_equal(w->got, 0);
	if (w->may_be_long)
		assert_in_range(r->body_len, HTTPC_PEEK, HTTPC_WINDOW);
	else
		assert_string_equal(r->body, "");
	w->heads++;
	w->length = r->length;
	w->status = r->status;
	w->retry_after = r->retry_after;
	(void)snprintf(w->type, sizeof(w->type), "%s", r->content_type);
	act(w, w->at_head);
	return !w->collect;
}

static void
on_piece(struct call_id id, const char *p, size_t len, void *ctx)
{
	struct world *w = ctx;
	size_t i, at = w->got;

	assert_true(id.v == w->id.v);
	assert_int_equal(w->heads, 1);
	assert_int_equal(w->dones, 0);
	assert_in_range(len, 1, HTTPC_WINDOW);
	if (len > w->longest)
		w->longest = len;
	w->got += len;
	act(w, w->at_piece);
	/* It is there still. */
	if (at + len < sizeof(w->body))
		memcpy(w->body + at, p, len);
	for (i = 0; w->flooded && i < len; i++)
		if (p[i] != letter(at + i))
			fail_msg("byte %zu is not what was sent", at + i);
}

static void
on_done(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct world *w = ctx;

	assert_true((r != NULL) != (failed != NULL));
	assert_true(id.v == w->id.v);
	w->dones++;
	w->replied = r != NULL;
	if (failed != NULL) {
		w->failed = *failed;
	} else {
		w->status = r->status;
		if (w->collect)
			(void)snprintf(w->body, sizeof(w->body), "%s", r->body);
		else if (!w->may_be_long || w->heads > 0)
			assert_int_equal(r->body_len, 0);
	}
	act(w, w->at_done != ACT_NONE ? w->at_done : ACT_STOP);
}

static const struct httpc_stream told = {
	.head = on_head,
	.piece = on_piece,
	.done = on_done,
	.whole_max = HTTPC_WINDOW,
};

static void
begin_with(struct world *w, const char *path, const struct httpc_request *with,
    int64_t idle_ms)
{
	struct httpc_stream s = told;
	struct httpc_request rq = *with;
	struct error e = ERROR_INIT;
	char url[128];

	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u%s", w->server.port, path);
	rq.method = "GET";
	rq.url = url;
	s.idle_ms = idle_ms;
	if (w->may_be_long)
		test_ok(httpc_call_long(w->h, &rq, &s, w, &w->id, &e), &e);
	else
		test_ok(httpc_stream(w->h, &rq, &s, w, &w->id, &e), &e);
}

static void
begin(struct world *w, const char *path)
{
	static const struct httpc_request none = { .reply_max = 64 };

	begin_with(w, path, &none, 0);
}

static void
run(struct world *w)
{
	struct error e = ERROR_INIT;

	test_ok(loop_run(w->loop, &e), &e);
}

/* One turn of the loop at least, and ms. */
static void
run_for(struct world *w, int64_t ms)
{
	timer_arm(&w->wait, ms);
	run(w);
	timer_stop(&w->wait);
}

/* Tests */

static void
whole_streams(void **state)
{
	static const char *const paths[] = { "/one", "/chunks", "/interim" };
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		world_init(&w);
		begin(&w, paths[i]);
		assert_int_equal(httpc_pending(w.h), 1);
		run(&w);
		if (!w.replied)
			fail_msg("%s: %s", paths[i], w.failed.error.text);
		assert_int_equal(w.heads, 1);
		assert_int_equal(w.status, 200);
		assert_string_equal(w.type, "text/event-stream");
		assert_true(w.retry_after == -1);
		assert_string_equal(w.body, "hello");
		assert_int_equal(httpc_pending(w.h), 0);
		assert_null(strstr(w.server.request, "gzip"));
		world_fini(&w);
	}
}

static void
without_a_body(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	begin(&w, "/empty");
	run(&w);
	assert_true(w.replied);
	assert_int_equal(w.heads, 1);
	assert_int_equal(w.got, 0);
	world_fini(&w);
}

/* A window at a time, and no more of the network than is taken. */
static void
back_pressure(void **state)
{
	struct world w;
	size_t got;

	(void)state;
	world_init(&w);
	w.at_piece = ACT_PAUSE;
	w.flooded = true;
	begin(&w, "/flood");
	while (!w.server.blocked || w.got == 0)
		run_for(&w, 20);
	got = w.got;
	run_for(&w, 100);
	assert_int_equal(w.got, got);
	assert_true(w.server.sent < FLOOD);
	/* One piece for each resume. */
	httpc_resume(w.h, w.id);
	while (w.got == got)
		run_for(&w, 10);
	assert_in_range(w.got, got + 1, got + HTTPC_WINDOW);
	w.at_piece = ACT_NONE;
	httpc_resume(w.h, w.id);
	run(&w);
	assert_true(w.replied);
	assert_int_equal(w.got, FLOOD);
	assert_in_range(w.longest, 1, HTTPC_WINDOW);
	world_fini(&w);
}

/* It ends while nobody takes what there is. */
static void
ended_while_paused(void **state)
{
	static const char *const paths[] = { "/one", "/cut" };
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		world_init(&w);
		w.at_head = ACT_PAUSE;
		begin(&w, paths[i]);
		while (w.server.open > 0 || w.heads == 0)
			run_for(&w, 20);
		run_for(&w, 50);
		assert_int_equal(w.got, 0);
		assert_int_equal(w.dones, 0);
		httpc_resume(w.h, w.id);
		run(&w);
		assert_string_equal(w.body, "hello");
		assert_int_equal(w.dones, 1);
		assert_int_equal(w.replied, i == 0);
		world_fini(&w);
	}
}

static void
collected(void **state)
{
	static const struct httpc_request bounded = { .reply_max = 1 };
	struct world w;

	(void)state;
	world_init(&w);
	w.collect = true;
	begin(&w, "/missing");
	run(&w);
	assert_true(w.replied);
	assert_int_equal(w.heads, 1);
	assert_int_equal(w.status, 404);
	assert_true(w.retry_after == 3);
	assert_int_equal(w.got, 0);
	assert_string_equal(w.body, "nothing");
	w.dones = 0;
	begin_with(&w, "/flood", &bounded, 0);
	run(&w);
	assert_false(w.replied);
	assert_int_equal(w.failed.kind, HTTPC_TOO_LONG);
	assert_string_equal(
	    w.failed.error.text, "the reply is longer than 65536 bytes");
	world_fini(&w);
}

static void
failures(void **state)
{
	static const struct {
		const char *path;
		enum httpc_kind kind;
		unsigned heads;
		size_t got;
		const char *text;
	} cases[] = {
		{ "/cut", HTTPC_BROKE, 1, 5, "the reply broke off" },
		{ "/close", HTTPC_GARBLED, 0, 0,
		    "connection closed without a reply" },
		{ "/garbage", HTTPC_GARBLED, 0, 0, "the reply is not HTTP" },
		{ "/status", HTTPC_GARBLED, 0, 0,
		    "the reply is not HTTP: it has no status" },
		{ "/hang", HTTPC_TIMEOUT, 0, 0, "timed out after 60ms" },
		{ "/idle", HTTPC_TIMEOUT, 1, 0,
		    "timed out after 80ms without a byte" },
		{ "/open", HTTPC_TIMEOUT, 1, 5,
		    "timed out after 80ms without a byte" },
	};
	struct httpc_request rq = { .reply_max = 64 };
	struct world w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		world_init(&w);
		/* Of the head only. */
		rq.total_ms = strcmp(cases[i].path, "/hang") == 0 ? 60 : 20000;
		begin_with(&w, cases[i].path, &rq, 80);
		run(&w);
		assert_false(w.replied);
		assert_int_equal(w.failed.kind, cases[i].kind);
		assert_string_equal(w.failed.error.text, cases[i].text);
		assert_int_equal(w.heads, cases[i].heads);
		assert_int_equal(w.got, cases[i].got);
		assert_int_equal(httpc_pending(w.h), 0);
		world_fini(&w);
	}
}

static void
refused(void **state)
{
	struct httpc_request rq = { .method = "GET", .reply_max = 1 };
	struct error e = ERROR_INIT;
	struct world w;
	char url[64];
	unsigned port;

	(void)state;
	world_init(&w);
	(void)close(listen_any(&port));
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	rq.url = url;
	test_ok(httpc_stream(w.h, &rq, &told, &w, &w.id, &e), &e);
	run(&w);
	assert_int_equal(w.failed.kind, HTTPC_UNREACHED);
	assert_int_equal(w.failed.error.code, OVE_UNAVAILABLE);
	assert_int_equal(w.heads, 0);
	rq.url = "ftp://a/";
	test_fails(
	    httpc_stream(w.h, &rq, &told, &w, &w.id, &e), &e, OVE_INVALID);
	world_fini(&w);
}

/* The clock stands while the user takes nothing. */
static void
idle_while_paused(void **state)
{
	static const struct httpc_request rq = { .reply_max = 64 };
	struct world w;

	(void)state;
	world_init(&w);
	w.at_head = ACT_PAUSE;
	begin_with(&w, "/open", &rq, 50);
	while (w.heads == 0)
		run_for(&w, 5);
	run_for(&w, 200);
	assert_int_equal(w.dones, 0);
	httpc_resume(w.h, w.id);
	run(&w);
	assert_int_equal(w.got, 5);
	assert_int_equal(w.failed.kind, HTTPC_TIMEOUT);
	world_fini(&w);
}

static void
ended_within(void **state)
{
	static const enum act acts[] = { ACT_CANCEL, ACT_FREE };
	struct world w;
	size_t i, at;

	(void)state;
	for (i = 0; i < ARRAY_LEN(acts); i++) {
		for (at = 0; at < 3; at++) {
			world_init(&w);
			w.at_head = at == 0 ? acts[i] : ACT_NONE;
			w.at_piece = at == 1 ? acts[i] : ACT_NONE;
			w.at_done = acts[i];
			begin(&w, "/one");
			run(&w);
			assert_int_equal(w.dones, at == 2);
			if (acts[i] == ACT_CANCEL)
				assert_int_equal(httpc_pending(w.h), 0);
			run_for(&w, 20);
			assert_int_equal(w.dones, at == 2);
			assert_int_equal(w.server.open, 0);
			world_fini(&w);
		}
	}
}

/* Cancelled from without, its connection goes with it. */
static void
cancelled(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	w.at_piece = ACT_STOP;
	begin(&w, "/open");
	run(&w);
	assert_int_equal(w.server.open, 1);
	httpc_cancel(w.h, w.id);
	httpc_cancel(w.h, w.id);
	httpc_pause(w.h, w.id);
	httpc_resume(w.h, w.id);
	while (w.server.open > 0)
		run_for(&w, 5);
	assert_int_equal(w.dones, 0);
	world_fini(&w);
}

/* They have places of their own, and there is an end to them. */
static void
apart_from_calls(void **state)
{
	struct httpc_request rq = { .method = "GET", .reply_max = 64 };
	struct error e = ERROR_INIT;
	struct world w;
	char url[128];
	size_t i;

	(void)state;
	world_init(&w);
	w.at_piece = ACT_STOP;
	for (i = 0; i < 8; i++) {
		w.heads = 0;
		w.got = 0;
		begin(&w, "/open");
		run(&w);
	}
	assert_int_equal(w.server.open, 8);
	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u/missing", w.server.port);
	rq.url = url;
	test_fails(httpc_stream(w.h, &rq, &told, &w, NULL, &e), &e, OVE_LIMIT);
	error_clear(&e);
	w.collect = true;
	test_ok(httpc_call(w.h, &rq, on_done, &w, &w.id, &e), &e);
	/* A call is no stream. */
	httpc_pause(w.h, w.id);
	httpc_resume(w.h, w.id);
	run(&w);
	assert_true(w.replied);
	assert_string_equal(w.body, "nothing");
	assert_int_equal(httpc_pending(w.h), 8);
	world_fini(&w);
}

/* In the place of an ordinary call, as there may be one only. */
static void
long_replies(void **state)
{
	static const struct httpc_request rq = { .reply_max = 2 * FLOOD };
	struct world w;

	(void)state;
	world_init(&w);
	w.may_be_long = w.flooded = true;
	begin_with(&w, "/long", &rq, 0);
	run(&w);
	assert_true(w.replied);
	assert_int_equal(w.heads, 1);
	assert_int_equal(w.length, FLOOD);
	assert_int_equal(w.got, FLOOD);
	assert_in_range(w.longest, 1, HTTPC_WINDOW);
	/* Nobody is asked about a short one, or one without a length. */
	w.heads = w.dones = 0;
	w.got = 0;
	begin_with(&w, "/missing", &rq, 0);
	run(&w);
	begin_with(&w, "/flood", &rq, 0);
	run(&w);
	assert_true(w.replied);
	assert_int_equal(w.dones, 2);
	assert_int_equal(w.heads, 0);
	assert_int_equal(w.got, 0);
	/* Who does not want it in pieces gets it whole. */
	w.dones = 0;
	w.collect = true;
	begin_with(&w, "/long", &rq, 0);
	run(&w);
	assert_true(w.replied);
	assert_int_equal(w.heads, 1);
	assert_int_equal(w.got, 0);
	assert_memory_equal(w.body, "abcdefghijklmnopqrstuvw", 23);
	world_fini(&w);
}

static void
long_replies_that_fail(void **state)
{
	static const struct httpc_request patient = { .reply_max = 64 };
	static const struct httpc_request hasty = { .total_ms = 60 };
	struct world w;

	(void)state;
	world_init(&w);
	w.may_be_long = w.flooded = true;
	begin_with(&w, "/longer", &patient, 0);
	run(&w);
	assert_int_equal(w.failed.kind, HTTPC_BROKE);
	assert_int_equal(w.heads, 1);
	assert_int_equal(w.got, FLOOD);
	w.flooded = false;
	w.heads = w.dones = 0;
	w.got = 0;
	begin_with(&w, "/half", &hasty, 0);
	run(&w);
	assert_int_equal(w.failed.kind, HTTPC_TIMEOUT);
	assert_string_equal(w.failed.error.text, "timed out after 60ms");
	assert_int_equal(w.heads, 1);
	assert_int_equal(w.got, HTTPC_PEEK);
	world_fini(&w);
}

/* What the user does not take is not the sender's time. */
static void
long_replies_that_are_paused(void **state)
{
	static const struct httpc_request rq = { .total_ms = 400 };
	struct world w;
	size_t got;

	(void)state;
	world_init(&w);
	w.may_be_long = w.flooded = true;
	w.at_piece = ACT_PAUSE;
	begin_with(&w, "/long", &rq, 0);
	while (!w.server.blocked || w.got == 0)
		run_for(&w, 10);
	got = w.got;
	run_for(&w, 600);
	assert_int_equal(w.got, got);
	assert_int_equal(w.dones, 0);
	httpc_resume(w.h, w.id);
	while (w.got == got)
		run_for(&w, 5);
	assert_int_equal(w.dones, 0);
	httpc_cancel(w.h, w.id);
	while (w.server.open > 0)
		run_for(&w, 5);
	world_fini(&w);
}

static int
a_whole_stream(void *ctx, struct error *e)
{
	static const struct httpc_config config = {
		.user_agent = "overlord/test",
		.max_calls = 2,
		.max_per_host = 2,
		.max_streams = 1,
	};
	struct httpc_request rq = {
		.method = "GET",
		.reply_max = 64,
		.total_ms = 10000,
	};
	struct world *w = ctx;
	AUTO(loop) struct loop *l = NULL;
	AUTO(httpc) struct httpc *h = NULL;
	char url[128];

	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u/one", w->server.port);
	rq.url = url;
	w->heads = w->dones = 0;
	w->got = 0;
	if (loop_new(&l, e) < 0 || httpc_new(&h, l, &config, e) < 0 ||
	    httpc_stream(h, &rq, &told, w, &w->id, e) < 0)
		return -1;
	w->loop = l;
	w->h = h;
	if (loop_run(l, e) < 0)
		return -1;
	if (w->replied) {
		assert_int_equal(w->got, 5);
		return 0;
	}
	*e = w->failed.error;
	/* It has to be noticed, not waited out. */
	if (e->code == OVE_TIMEOUT)
		fail_msg("%s", e->text);
	return -1;
}

static void
on_orphaned(struct watch *w, int what)
{
	(void)w;
	(void)what;
	_exit(0);
}

/* In a process of its own, the server is not what runs out of memory. It ends
 * when *ret_life is closed, by a test that fails as well. */
static pid_t
fork_server(struct server *s, int *ret_life)
{
	struct loop *l = NULL;
	struct watch w;
	int fd, life[2];
	pid_t pid;

	fd = listen_any(&s->port);
	assert_int_equal(pipe2(life, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0) {
		(void)close(fd);
		(void)close(life[0]);
		*ret_life = life[1];
		return pid;
	}
	(void)close(life[1]);
	if (loop_new(&l, NULL) == 0 &&
	    watch_init(&w, l, life[0], WATCH_READ, on_orphaned, "test_life",
		NULL) == 0 &&
	    watch_start(&w, NULL) == 0) {
		server_init(s, l, fd);
		(void)loop_run(l, NULL);
	}
	_exit(1);
}

static void
no_memory(void **state)
{
	struct world w;
	int life, status;
	pid_t pid;

	(void)state;
	memset(&w, 0, sizeof(w));
	pid = fork_server(&w.server, &life);
	torture(a_whole_stream, &w);
	(void)close(life);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(whole_streams),
	cmocka_unit_test(without_a_body),
	cmocka_unit_test(back_pressure),
	cmocka_unit_test(ended_while_paused),
	cmocka_unit_test(collected),
	cmocka_unit_test(failures),
	cmocka_unit_test(refused),
	cmocka_unit_test(idle_while_paused),
	cmocka_unit_test(ended_within),
	cmocka_unit_test(cancelled),
	cmocka_unit_test(apart_from_calls),
	cmocka_unit_test(long_replies),
	cmocka_unit_test(long_replies_that_fail),
	cmocka_unit_test(long_replies_that_are_paused),
	cmocka_unit_test(no_memory),
};

TEST_MAIN(tests)
