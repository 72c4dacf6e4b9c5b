/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP server, spoken to by sockets on the same loop: order, framing,
 * refusals, deadlines, limits, clients that go away, listeners, shutdown.
 */
#include "test/unit/support/test.h"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/event/loop.h"
#include "lib/net/httpd.h"
#include "test/unit/support/torture.h"

#define GUARD_MS 10000
#define H " HTTP/1.1\r\nHost: h\r\n"
#define CLIENTS_MAX 8
#define NOTES_MAX 4096

struct server;

/* A client: what it has received, and whether the server has closed. */
struct client {
	struct server *s;
	struct watch watch;
	int fd;
	struct strbuf got;
	bool closed;
};

struct server {
	struct loop *loop;
	struct httpd *d;
	uint16_t port;
	struct client clients[CLIENTS_MAX];
	struct timer guard;
	bool guarded;
	/* What the handler was told, a word each: "GET:/path", "gone",
	 * "done200". */
	char notes[NOTES_MAX];
	/* Waiting requests of "/wait". */
	struct req_id waiting;
	struct defer later;
	/* What the test waits for; checked whenever something happens. */
	bool (*until)(struct server *s);
	struct client *of;
	const char *text;
};

static const struct httpd_limits limits = {
	.head_bytes = 2048,
	.connections = 6,
	.connections_per_address = 6,
	.idle_ms = 60000,
	.head_ms = 60000,
	.body_ms = 60000,
	.write_ms = 60000,
};

static void
note(struct server *s, const char *what)
{
	size_t len = strlen(s->notes);

	(void)snprintf(s->notes + len, sizeof(s->notes) - len, "%s%s",
	    len > 0 ? " " : "", what);
}

static void
check(struct server *s)
{
	if (s->until != NULL && s->until(s))
		loop_stop(s->loop);
}

static void
answer(struct http_req *r, int status, const char *body, size_t len)
{
	struct http_reply rp = { .status = status,
		.content_type = "text/plain",
		.body = body,
		.body_len = len };

	rp.head_only = strcmp(http_req_method(r), "HEAD") == 0;
	http_req_reply(r, &rp);
}

/* Streams at once "ab", "cde"; "/stream" ends, and "/sized", which has said how
 * long it will be, and "/short", which has said more, do so, too; "/full" fills
 * what may wait, "/tail" stays. */
static void
stream(struct server *s, struct http_req *r)
{
	static char fill[64 << 10];
	struct http_reply rp = { .status = 200, .content_type = "text/plain" };
	const char *path = http_req_path(r);

	memset(fill, 'f', sizeof(fill));
	rp.head_only = strcmp(http_req_method(r), "HEAD") == 0;
	rp.sized = path[1] == 's' && strcmp(path, "/stream") != 0;
	rp.body_len = strcmp(path, "/short") == 0 ? 6 : 5;
	if (!http_req_stream_start(r, &rp))
		return;
	s->waiting = http_req_id(r);
	assert_ptr_equal(httpd_find(s->d, s->waiting), r);
	if (strcmp(path, "/overflow") == 0) {
		while (http_req_stream_send(r, fill, sizeof(fill)))
			;
		assert_null(httpd_find(s->d, s->waiting));
		return;
	}
	if (strcmp(path, "/full") == 0) {
		while (http_req_stream_queued(r) == 0)
			if (!http_req_stream_send(r, fill, sizeof(fill)))
				return;
		assert_true(http_req_stream_queued(r) <= HTTPD_STREAM_MAX);
		return;
	}
	if (!http_req_stream_send(r, "ab", 2) ||
	    !http_req_stream_send(r, "", 0) ||
	    !http_req_stream_send(r, "cde", 3))
		return;
	if (path[1] == 's')
		http_req_stream_end(r);
	else if (strcmp(path, "/cut") == 0)
		http_req_stream_cut(r);
}

static bool
is_stream(const char *path)
{
	static const char *const paths[] = { "/stream", "/sized", "/short",
		"/overflow", "/full", "/tail", "/cut" };

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (strcmp(paths[i], path) == 0)
			return true;
	return false;
}

static void
on_head(struct http_req *r, void *ctx)
{
	struct server *s = ctx;
	const char *path = http_req_path(r);
	char text[200];

	(void)snprintf(text, sizeof(text), "%s:%s", http_req_method(r), path);
	note(s, text);
	if (strcmp(path, "/now") == 0)
		answer(r, 200, "now", 3);
	else if (strcmp(path, "/no-content") == 0)
		answer(r, 204, NULL, 0);
	else if (strcmp(path, "/id") == 0)
		answer(r, 200, http_req_request_id(r),
		    strlen(http_req_request_id(r)));
	else if (strcmp(path, "/peer") == 0)
		answer(r, 200, http_req_peer(r), strlen(http_req_peer(r)));
	else if (strcmp(path, "/hold") == 0) {
		s->waiting = http_req_id(r);
		httpd_hold(r);
		check(s);
	} else {
		httpd_accept_body(r, 100);
	}
}

static void
on_request(struct http_req *r, void *ctx)
{
	/* More than the kernel keeps. */
	static char big[16 << 20];
	struct server *s = ctx;
	struct http1_span body = http_req_body(r);

	if (strcmp(http_req_path(r), "/wait") == 0) {
		s->waiting = http_req_id(r);
		http_req_set_ctx(r, s);
	} else if (strcmp(http_req_path(r), "/later") == 0) {
		s->waiting = http_req_id(r);
		loop_defer(s->loop, &s->later);
	} else if (strcmp(http_req_path(r), "/big") == 0) {
		memset(big, 'b', sizeof(big));
		answer(r, 200, big, sizeof(big));
	} else if (is_stream(http_req_path(r))) {
		stream(s, r);
	} else {
		assert_int_equal(strlen(body.p), body.len);
		answer(r, 200, body.p, body.len);
	}
	check(s);
}

static void
on_later(struct defer *df)
{
	struct server *s = container_of(df, struct server, later);
	struct http_req *r = httpd_find(s->d, s->waiting);

	if (r != NULL)
		answer(r, 200, "later", 5);
}

static void
on_gone(struct http_req *r, void *ctx)
{
	struct server *s = ctx;

	if (strcmp(http_req_path(r), "/wait") == 0 && http_req_ctx(r) != NULL)
		assert_ptr_equal(http_req_ctx(r), s);
	note(s, "gone");
	check(s);
}

static void
on_drained(struct http_req *r, void *ctx)
{
	struct server *s = ctx;

	assert_int_equal(http_req_stream_queued(r), 0);
	note(s, "drained");
	check(s);
}

static void
on_refuse(int status, const char *why, struct strbuf *body, void *ctx)
{
	(void)ctx;
	strbuf_addf(body, "%d %s", status, why);
}

static void
on_done(const struct http_req *r, int status, size_t body_len, int64_t took_ms,
    void *ctx)
{
	char text[32];

	(void)r;
	(void)body_len;
	assert_true(took_ms >= 0);
	(void)snprintf(text, sizeof(text), "done%d", status);
	note(ctx, text);
}

static void
on_guard(struct timer *t)
{
	struct server *s = container_of(t, struct server, guard);

	s->guarded = true;
	loop_stop(s->loop);
}

static const struct http_reply_header refuse_headers[] = { { "X-R", "yes" } };

static int
server_start(struct server *s, const struct httpd_limits *l,
    const char *address, struct error *e)
{
	struct httpd_handler h = {
		.on_head = on_head,
		.on_request = on_request,
		.on_gone = on_gone,
		.on_drained = on_drained,
		.on_refuse = on_refuse,
		.on_done = on_done,
		.ctx = s,
		.refuse_headers = refuse_headers,
		.refuse_headers_n = 1,
	};
	size_t i;

	*s = (struct server){ 0 };
	for (i = 0; i < CLIENTS_MAX; i++)
		s->clients[i].fd = -1;
	defer_init(&s->later, on_later, "later");
	if (loop_new(&s->loop, e) == -1 ||
	    timer_init(&s->guard, s->loop, on_guard, "guard", e) == -1 ||
	    httpd_new(&s->d, s->loop, l, &h, e) == -1)
		return -1;
	return httpd_listen(s->d, address, &s->port, e);
}

static void
client_close(struct client *c)
{
	if (c->fd == -1)
		return;
	watch_fini(&c->watch);
	(void)close(c->fd);
	strbuf_fini(&c->got);
	*c = (struct client){ .fd = -1 };
}

static void
server_stop(struct server *s)
{
	size_t i;

	for (i = 0; i < CLIENTS_MAX; i++)
		client_close(&s->clients[i]);
	s->d = httpd_free(s->d);
	timer_fini(&s->guard);
	s->loop = loop_free(s->loop);
}

static void
on_bytes(struct watch *w, int what)
{
	struct client *c = container_of(w, struct client, watch);
	char buf[4096];
	ssize_t n;

	(void)what;
	n = read(c->fd, buf, sizeof(buf));
	if (n > 0)
		strbuf_add(&c->got, buf, (size_t)n);
	if (n == 0 || (n == -1 && errno != EAGAIN)) {
		c->closed = true;
		watch_stop(w);
	}
	check(c->s);
}

static int
socket_to(const struct server *s)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	in.sin_port = htons(s->port);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd != -1);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)(void *)&in, sizeof(in)), 0);
	return fd;
}

static int
client_attach(struct server *s, struct client *c, int fd, struct error *e)
{
	*c = (struct client){ .s = s, .fd = fd };
	strbuf_init(&c->got, 10 << 20);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	if (watch_init(&c->watch, s->loop, fd, WATCH_READ, on_bytes, "client",
		e) == -1)
		return -1;
	return watch_start(&c->watch, e);
}

static struct client *
client_open(struct server *s)
{
	struct error e = ERROR_INIT;
	struct client *c = s->clients;

	while (c < &s->clients[CLIENTS_MAX - 1] && c->fd != -1)
		c++;
	assert_int_equal(c->fd, -1);
	test_ok(client_attach(s, c, socket_to(s), &e), &e);
	return c;
}

static void
client_send(struct client *c, const char *text)
{
	size_t len = strlen(text);

	assert_int_equal(send(c->fd, text, len, MSG_NOSIGNAL), len);
}

/* Runs the loop until the condition holds; fails after a long time. */
static void
run_until(struct server *s, bool (*until)(struct server *s))
{
	struct error e = ERROR_INIT;

	int64_t end_ms = clock_mono_ms() + GUARD_MS;

	if (until(s))
		return;
	s->until = until;
	do {
		/* Fires at once when there is no memory for it. */
		s->guarded = false;
		timer_arm(&s->guard, end_ms - clock_mono_ms());
		test_ok(loop_run(s->loop, &e), &e);
	} while (s->guarded && clock_mono_ms() < end_ms);
	timer_stop(&s->guard);
	s->until = NULL;
	if (s->guarded)
		fail_msg("still waiting for '%s'; notes: %s; received: %s",
		    s->text != NULL ? s->text : "", s->notes,
		    s->of != NULL ? s->of->got.buf : "");
}

static bool
has_text(struct server *s)
{
	return strstr(s->of->got.buf, s->text) != NULL;
}

static bool
has_note(struct server *s)
{
	return strstr(s->notes, s->text) != NULL;
}

static bool
is_closed(struct server *s)
{
	return s->of->closed;
}

static void
wait_text(struct client *c, const char *text)
{
	c->s->of = c;
	c->s->text = text;
	run_until(c->s, has_text);
}

static void
wait_note(struct server *s, const char *text)
{
	s->text = text;
	run_until(s, has_note);
}

static void
wait_closed(struct client *c)
{
	c->s->of = c;
	c->s->text = "a close";
	run_until(c->s, is_closed);
}

/* Nothing tells when a connection without a request ends. */
static void
wait_connections(struct server *s, unsigned n)
{
	struct error e = ERROR_INIT;
	int i;

	for (i = 0; i < GUARD_MS && httpd_connections(s->d) != n; i++) {
		timer_arm(&s->guard, 1);
		test_ok(loop_run(s->loop, &e), &e);
	}
	s->guarded = false;
	assert_int_equal(httpd_connections(s->d), n);
}

static struct server the_server;

static struct server *
start_with(const struct httpd_limits *l)
{
	struct error e = ERROR_INIT;

	test_ok(server_start(&the_server, l, "127.0.0.1:0", &e), &e);
	return &the_server;
}

static int
stop(void **state)
{
	(void)state;
	if (the_server.loop != NULL)
		server_stop(&the_server);
	return 0;
}

static void
replies_have_their_headers(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(c, "GET /now" H "\r\n");
	wait_text(c, "now");
	assert_string_equal(c->got.buf,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 3\r\n\r\nnow");
	strbuf_reset(&c->got);
	client_send(c, "HEAD /now" H "\r\n");
	wait_text(c, "\r\n\r\n");
	assert_string_equal(c->got.buf,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 3\r\n\r\n");
	strbuf_reset(&c->got);
	client_send(c, "GET /no-content" H "Connection: close\r\n\r\n");
	wait_closed(c);
	assert_string_equal(c->got.buf,
	    "HTTP/1.1 204 No Content\r\nContent-Type: text/plain\r\n"
	    "Connection: close\r\n\r\n");
	assert_int_equal(httpd_connections(s->d), 0);
}

static void
http_1_0_is_closed(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(c,
	    "GET /now HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
	    "GET /second HTTP/1.0\r\n\r\n");
	wait_closed(c);
	assert_non_null(strstr(c->got.buf, "Connection: close\r\n"));
	assert_null(strstr(s->notes, "second"));
}

static void
pipelined_answers_keep_order(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);
	int i;

	(void)state;
	client_send(c,
	    "POST /a" H "Content-Length: 2\r\n\r\na1"
	    "GET /later" H "\r\n"
	    "POST /b" H "Transfer-Encoding: chunked\r\n\r\n"
	    "1\r\nb\r\n1\r\n2\r\n0\r\n\r\n"
	    "GET /now" H "\r\n");
	wait_text(c, "now");
	assert_non_null(strstr(c->got.buf, "\r\n\r\na1HTTP/1.1"));
	assert_non_null(strstr(c->got.buf, "\r\n\r\nlaterHTTP/1.1"));
	assert_non_null(strstr(c->got.buf, "\r\n\r\nb2HTTP/1.1"));
	assert_string_equal(s->notes,
	    "POST:/a done200 GET:/later done200 POST:/b done200 GET:/now "
	    "done200");
	/* More than one turn's budget. */
	strbuf_reset(&c->got);
	for (i = 0; i < 99; i++)
		client_send(c, "POST /x" H "Content-Length: 1\r\n\r\nx");
	client_send(c, "POST /x" H "Content-Length: 4\r\n\r\nlast");
	s->notes[0] = '\0';
	wait_text(c, "last");
}

static void
bytes_may_come_singly(void **state)
{
	static const char text[] =
	    "POST /one" H "Content-Length: 3\r\n\r\none"
	    "POST /two" H "Transfer-Encoding: chunked\r\n\r\n"
	    "3;x\r\ntwo\r\n0\r\nT: t\r\n\r\n";
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);
	struct error e = ERROR_INIT;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(text) - 1; i++) {
		assert_int_equal(send(c->fd, text + i, 1, MSG_NOSIGNAL), 1);
		/* Until the server has read it. */
		timer_arm(&s->guard, 0);
		test_ok(loop_run(s->loop, &e), &e);
	}
	s->guarded = false;
	wait_text(c, "two");
	assert_non_null(strstr(c->got.buf, "oneHTTP/1.1 200"));
}

static void
long_heads_are_made_one_piece(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);
	struct strbuf b AUTO_STRBUF;
	int i;

	(void)state;
	strbuf_init(&b, 10000);
	strbuf_adds(&b, "GET /long" H);
	for (i = 0; i < 90; i++)
		strbuf_addf(&b, "X-%d: 0123456789\r\n", i);
	client_send(c, b.buf);
	client_send(c, "\r\nGET /now" H "\r\n");
	wait_text(c, "now");
	assert_non_null(strstr(s->notes, "GET:/long done200"));
	strbuf_reset(&c->got);
	client_send(c, b.buf);
	client_send(c, b.buf);
	wait_closed(c);
	assert_non_null(strstr(c->got.buf, "HTTP/1.1 431 "));
}

static void
request_ids_are_taken_or_made(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);
	const char *id;

	(void)state;
	client_send(c, "GET /id" H "X-Request-Id:  a.B-9_ \r\n\r\n");
	wait_text(c, "a.B-9_");
	strbuf_reset(&c->got);
	client_send(c, "GET /id" H "X-Request-Id: a b\r\n\r\n");
	wait_text(c, "\r\n\r\n");
	id = strstr(c->got.buf, "\r\n\r\n") + 4;
	assert_int_equal(strspn(id, "0123456789abcdef"), 8);
	assert_string_equal(id + 8, "-2");
	strbuf_reset(&c->got);
	client_send(c, "GET /peer" H "\r\n");
	wait_text(c, "\r\n\r\n127.0.0.1");
}

static void
expectation_is_met(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(
	    c, "POST /x" H "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	wait_text(c, "\r\n\r\n");
	assert_string_equal(c->got.buf, "HTTP/1.1 100 Continue\r\n\r\n");
	client_send(c, "body");
	wait_text(c, "body");
	strbuf_reset(&c->got);
	/* Answered at the head: no interim reply, and the end. */
	client_send(c,
	    "POST /now" H "Expect: 100-continue\r\nContent-Length: 4\r\n\r\n");
	wait_closed(c);
	assert_memory_equal(c->got.buf, "HTTP/1.1 200", 12);
	assert_non_null(strstr(c->got.buf, "Connection: close"));
}

static void
unwanted_bodies_are_skipped(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(c,
	    "POST /now" H "Content-Length: 19\r\n\r\nGET /inner HTTP/1.1"
	    "HEAD /now" H "Content-Length: 3\r\n\r\nabc"
	    "GET /last" H "\r\n");
	wait_note(s, "GET:/last");
	assert_null(strstr(s->notes, "inner"));
	/* Not here as a whole: closed after the reply. */
	strbuf_reset(&c->got);
	client_send(c, "POST /now" H "Content-Length: 19\r\n\r\nGET /in");
	wait_closed(c);
	assert_non_null(strstr(c->got.buf, "Connection: close"));
	assert_null(strstr(s->notes, "/in "));
}

struct refuse_row {
	const char *text;
	const char *status;
};

static const struct refuse_row refuse_rows[] = {
	{ "GET /x HTTP/1.1\r\n\r\n", "400 Bad" },
	{ "GET /x" H "Transfer-Encoding: x\r\n\r\n", "501 Not" },
	{ "POST /x" H "Content-Length: 101\r\n\r\n", "413 Request" },
	{ "POST /x" H "Transfer-Encoding: chunked\r\n\r\n65\r\n", "413 Req" },
	{ "POST /x" H "Transfer-Encoding: chunked\r\n\r\n0x1\r\n", "400 Bad" },
	{ "GET /x HTTP/2.0\r\n", "505 HTTP" },
};

static void
refusals_close(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(refuse_rows); i++) {
		s->notes[0] = '\0';
		c = client_open(s);
		client_send(c, refuse_rows[i].text);
		client_send(c, "GET /second" H "\r\n");
		wait_closed(c);
		if (strstr(c->got.buf, refuse_rows[i].status) == NULL ||
		    strstr(c->got.buf, "Connection: close\r\n") == NULL ||
		    strstr(c->got.buf, "X-R: yes\r\n") == NULL ||
		    strstr(s->notes, "second") != NULL)
			fail_msg("%s: %s", refuse_rows[i].text, c->got.buf);
		client_close(c);
	}
	/* Who still sends is not cut off before it has read the answer. */
	c = client_open(s);
	client_send(c, "GET /x" H "X : y\r\n\r\n");
	wait_text(c, "400 blank");
	client_send(c, "and more");
	wait_closed(c);
	/* A head that was shown is taken back. */
	s->notes[0] = '\0';
	client_close(c);
	c = client_open(s);
	client_send(c, "POST /wait" H "Content-Length: 101\r\n\r\n");
	wait_closed(c);
	assert_string_equal(s->notes, "POST:/wait gone done413");
}

static void
early_ends_are_refused(void **state)
{
	static const char *const texts[] = { "GET /x",
		"POST /x" H "Content-Length: 5\r\n\r\nabc",
		"POST /x" H "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n" };
	struct server *s = start_with(&limits);
	struct client *c;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(texts); i++) {
		c = client_open(s);
		client_send(c, texts[i]);
		assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
		wait_closed(c);
		assert_non_null(strstr(c->got.buf, "400 the request ends"));
		client_close(c);
	}
	/* What is whole is answered, if that is possible at once. */
	c = client_open(s);
	client_send(c, "GET /a" H "\r\nGET /now" H "\r\n");
	assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
	wait_closed(c);
	assert_non_null(strstr(c->got.buf, "now"));
}

static void
clients_may_go(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(c, "GET /wait" H "\r\n");
	wait_note(s, "GET:/wait");
	assert_int_equal(httpd_in_flight(s->d), 1);
	assert_non_null(httpd_find(s->d, s->waiting));
	client_close(c);
	wait_note(s, "gone");
	assert_null(httpd_find(s->d, s->waiting));
	assert_int_equal(httpd_in_flight(s->d), 0);
	assert_int_equal(httpd_connections(s->d), 0);
	assert_null(strstr(s->notes, "done"));
}

/* What is held is answered later, without its body, and its client may go. */
static void
heads_may_be_held(void **state)
{
	static const struct {
		const char *text;
		bool closes;
	} rows[] = {
		{ "GET /hold" H "\r\n", false },
		{ "POST /hold" H "Content-Length: 3\r\n\r\nabc", false },
		{ "POST /hold" H "Content-Length: 30\r\n\r\nabc", true },
		{ "POST /hold" H "Transfer-Encoding: chunked\r\n\r\n", true },
	};
	struct server *s = start_with(&limits);
	struct client *c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		s->notes[0] = '\0';
		c = client_open(s);
		client_send(c, rows[i].text);
		wait_note(s, ":/hold");
		assert_int_equal(httpd_in_flight(s->d), 1);
		assert_int_equal(c->got.len, 0);
		loop_defer(s->loop, &s->later);
		wait_text(c, "later");
		if (rows[i].closes) {
			wait_closed(c);
		} else {
			client_send(c, "GET /now" H "\r\n");
			wait_text(c, "now");
		}
		client_close(c);
	}
	s->notes[0] = '\0';
	c = client_open(s);
	client_send(c, rows[0].text);
	wait_note(s, ":/hold");
	client_close(c);
	wait_note(s, "gone");
	assert_null(httpd_find(s->d, s->waiting));
	assert_int_equal(httpd_in_flight(s->d), 0);
}

struct deadline_row {
	size_t limit;
	const char *text;
	/* NULL: closed without a word. */
	const char *answer;
};

static const struct deadline_row deadline_rows[] = {
	{ offsetof(struct httpd_limits, head_ms), "", NULL },
	{ offsetof(struct httpd_limits, head_ms), "GET /x", "408 Request" },
	{ offsetof(struct httpd_limits, idle_ms), "GET /now" H "\r\n", "now" },
	{ offsetof(struct httpd_limits, head_ms), "GET /now" H "\r\nGET",
	    "408 Request" },
	{ offsetof(struct httpd_limits, body_ms),
	    "POST /wait" H "Content-Length: 9\r\n\r\nabc", "408 Request" },
	{ offsetof(struct httpd_limits, write_ms), "GET /big" H "\r\n",
	    "bbbb" },
};

static void
deadlines_end_connections(void **state)
{
	const struct deadline_row *row;
	struct httpd_limits l;
	struct server *s;
	struct client *c;
	size_t i;
	int small = 4096;

	for (i = 0; i < ARRAY_LEN(deadline_rows); i++) {
		row = &deadline_rows[i];
		l = limits;
		*(int64_t *)(void *)((char *)&l + row->limit) = 30;
		s = start_with(&l);
		c = client_open(s);
		(void)setsockopt(
		    c->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		client_send(c, row->text);
		if (row->limit == offsetof(struct httpd_limits, write_ms)) {
			/* Does not read until the server has given up. */
			watch_stop(&c->watch);
			wait_note(s, "done200");
			wait_connections(s, 0);
			stop(state);
			continue;
		}
		wait_closed(c);
		if (row->answer != NULL)
			assert_non_null(strstr(c->got.buf, row->answer));
		else
			assert_string_equal(c->got.buf, "");
		stop(state);
	}
}

static void
connections_are_limited(void **state)
{
	struct httpd_limits l = limits;
	struct server *s;
	struct client *a, *b, *c;

	(void)state;
	l.connections_per_address = 2;
	s = start_with(&l);
	a = client_open(s);
	b = client_open(s);
	client_send(a, "GET /wait" H "\r\n");
	wait_note(s, "GET:/wait");
	c = client_open(s);
	wait_closed(c);
	client_close(c);
	client_close(b);
	wait_connections(s, 1);
	l.connections_per_address = 6;
	l.connections = 2;
	httpd_set_limits(s->d, &l);
	b = client_open(s);
	client_send(b, "GET /now" H "\r\n");
	wait_text(b, "now");
	/* No place is left, but b only waits: it makes room. */
	c = client_open(s);
	client_send(c, "GET /now" H "\r\n");
	wait_text(c, "now");
	wait_closed(b);
	assert_false(a->closed);
	assert_int_equal(httpd_connections(s->d), 2);
}

static void
descriptors_may_run_out(void **state)
{
	struct server *s = start_with(&limits);
	struct error e = ERROR_INIT;
	struct rlimit old, none;
	int fd;

	(void)state;
	fd = socket_to(s);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = (rlim_t)fd + 1;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	timer_arm(&s->guard, 20);
	test_ok(loop_run(s->loop, &e), &e);
	s->guarded = false;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	test_ok(client_attach(s, &s->clients[0], fd, &e), &e);
	client_send(&s->clients[0], "GET /now" H "\r\n");
	wait_text(&s->clients[0], "now");
}

static void
draining_finishes_what_runs(void **state)
{
	struct server *s = start_with(&limits);
	struct client *a = client_open(s), *b = client_open(s);
	struct error e = ERROR_INIT;
	uint16_t port;
	char text[64];

	(void)state;
	client_send(a, "GET /wait" H "\r\n");
	client_send(b, "GET /now" H "\r\n");
	wait_note(s, "GET:/wait");
	wait_text(b, "now");
	httpd_drain(s->d);
	wait_closed(b);
	assert_false(a->closed);
	/* The port is free again. */
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)s->port);
	test_ok(httpd_listen(s->d, text, &port, &e), &e);
	answer(httpd_find(s->d, s->waiting), 200, "ok", 2);
	wait_closed(a);
	assert_non_null(strstr(a->got.buf, "Connection: close"));
	assert_int_equal(httpd_connections(s->d), 0);
}

static void
freeing_drops_requests(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(c, "GET /wait" H "\r\n");
	wait_note(s, "GET:/wait");
	s->d = httpd_free(s->d);
	assert_non_null(strstr(s->notes, "gone"));
}

static const char *const bad_addresses[] = { "", ":", "*", "8888", "*:x",
	"*:65536", "*:-1", "localhost:80", "::1:80", "[::1]", "[::1:80",
	"1.2.3:80", "1.2.3.4.5:80", "unix:", "[]:80",
	"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]:80" };

static void
addresses_are_checked(void **state)
{
	struct server *s = start_with(&limits);
	struct error e = ERROR_INIT;
	char text[64], want[128];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LEN(bad_addresses); i++) {
		if (httpd_listen(s->d, bad_addresses[i], NULL, &e) != -1 ||
		    e.code != OVE_INVALID)
			fail_msg("'%s' is taken", bad_addresses[i]);
		error_clear(&e);
	}
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)s->port);
	assert_int_equal(httpd_listen(s->d, text, NULL, &e), -1);
	(void)snprintf(
	    want, sizeof(want), "listen on %s: Address already in use", text);
	assert_string_equal(error_text(&e), want);
	error_clear(&e);
	(void)snprintf(text, sizeof(text), "*:%u", (unsigned)s->port);
	assert_int_equal(httpd_listen(s->d, text, NULL, &e), -1);
	error_clear(&e);
	test_ok(httpd_listen(s->d, "*:0", &s->port, &e), &e);
	assert_int_not_equal(s->port, 0);
	client_send(client_open(s), "GET /now" H "\r\n");
	wait_text(&s->clients[0], "now");
}

static void
unix_sockets_serve(void **state)
{
	struct test_dir *d = *state;
	struct server *s = &the_server;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct error e = ERROR_INIT;
	char address[300];
	int fd;

	(void)snprintf(address, sizeof(address), "unix:%s/s", d->path);
	assert_true(strlen(d->path) < sizeof(un.sun_path) - 3);
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%.100s/s", d->path);
	/* One that a dead server left behind. */
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(
	    bind(fd, (struct sockaddr *)(void *)&un, sizeof(un)), 0);
	(void)close(fd);
	test_ok(server_start(s, &limits, address, &e), &e);
	/* A living one is in use. */
	test_fails(httpd_listen(s->d, address, NULL, &e), &e, OVE_IO);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)(void *)&un, sizeof(un)), 0);
	test_ok(client_attach(s, &s->clients[0], fd, &e), &e);
	client_send(&s->clients[0], "GET /peer" H "\r\n");
	wait_text(&s->clients[0], "\r\n\r\nunix");
	server_stop(s);
	assert_int_equal(test_dir_count(d), 0);
}

static void
ipv6_serves(void **state)
{
	struct server *s = &the_server;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct error e = ERROR_INIT;
	int fd;

	(void)state;
	if (server_start(s, &limits, "[::1]:0", &e) == -1) {
		print_message("no IPv6 here: %s\n", error_text(&e));
		return;
	}
	in6.sin6_port = htons(s->port);
	in6.sin6_addr = in6addr_loopback;
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
	    connect(fd, (struct sockaddr *)(void *)&in6, sizeof(in6)), 0);
	test_ok(client_attach(s, &s->clients[0], fd, &e), &e);
	client_send(&s->clients[0], "GET /peer" H "\r\n");
	wait_text(&s->clients[0], "\r\n\r\n::1");
}

static void
has(const char *text, const char *part)
{
	if (strstr(text, part) == NULL)
		fail_msg("no '%s' in '%s'", part, text);
}

static void
streams_are_chunked(void **state)
{
	static const char rest[] = "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
	struct server *s = start_with(&limits);
	struct client *c = client_open(s), *old = client_open(s);

	(void)state;
	client_send(
	    c, "GET /stream" H "\r\nHEAD /stream" H "\r\nGET /now" H "\r\n");
	wait_text(c, "\r\n\r\nnow");
	has(c->got.buf, "Transfer-Encoding: chunked\r\n");
	has(c->got.buf, rest);
	/* That of HEAD has no body. */
	has(strstr(c->got.buf, rest) + strlen(rest),
	    "Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n");
	assert_null(strstr(c->got.buf, "Connection: close"));
	assert_string_equal(s->notes,
	    "GET:/stream done200 HEAD:/stream done200 GET:/now done200");
	/* HTTP/1.0 knows no chunks. */
	client_send(old, "GET /stream HTTP/1.0\r\n\r\n");
	wait_closed(old);
	assert_null(strstr(old->got.buf, "chunked"));
	assert_null(strstr(old->got.buf, "Content-Length"));
	has(old->got.buf, "\r\n\r\nabcde");
	assert_int_equal(httpd_in_flight(s->d), 0);
}

static void
streams_of_a_known_length(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s), *old = client_open(s);

	(void)state;
	client_send(c, "GET /sized" H "\r\nGET /now" H "\r\n");
	wait_text(c, "\r\n\r\nnow");
	has(c->got.buf, "Content-Length: 5\r\n");
	has(c->got.buf, "\r\n\r\nabcdeHTTP/1.1 200 OK\r\n");
	assert_null(strstr(c->got.buf, "chunked"));
	client_send(old, "GET /sized HTTP/1.0\r\n\r\n");
	wait_closed(old);
	has(old->got.buf, "Content-Length: 5\r\n");
	has(old->got.buf, "\r\n\r\nabcde");
	/* What is not whole does not look whole. */
	client_send(c, "GET /short" H "\r\n");
	wait_closed(c);
	has(c->got.buf, "Content-Length: 6\r\n");
	has(s->notes, "GET:/short gone done200");
	assert_int_equal(httpd_in_flight(s->d), 0);
}

static void
streams_go_on_later(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);
	struct http_req *r;

	(void)state;
	client_send(c, "GET /tail" H "\r\nGET /now" H "\r\n");
	wait_text(c, "cde\r\n");
	assert_int_equal(httpd_in_flight(s->d), 1);
	r = httpd_find(s->d, s->waiting);
	assert_non_null(r);
	assert_true(http_req_stream_send(r, "late", 4));
	http_req_stream_end(r);
	assert_null(httpd_find(s->d, s->waiting));
	/* What was pipelined behind it is answered then. */
	wait_text(c, "4\r\nlate\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n");
	wait_text(c, "\r\n\r\nnow");
}

static void
streams_drain_and_go_on(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	client_send(c, "GET /full" H "\r\n");
	/* The client reads all the time. */
	wait_note(s, "drained");
	http_req_stream_end(httpd_find(s->d, s->waiting));
	wait_text(c, "\r\n0\r\n\r\n");
	assert_string_equal(s->notes, "GET:/full drained done200");
}

static void
streams_are_cut(void **state)
{
	struct server *s = start_with(&limits);
	struct client *c = client_open(s);

	(void)state;
	/* Who does not read loses the stream, not the others' memory. */
	client_send(c, "GET /overflow" H "\r\n");
	wait_note(s, "GET:/overflow gone");
	has(s->notes, "GET:/overflow gone done200");
	client_close(c);
	c = client_open(s);
	client_send(c, "GET /cut" H "\r\n");
	wait_closed(c);
	has(c->got.buf, "cde\r\n");
	assert_null(strstr(c->got.buf, "\r\n0\r\n"));
	wait_note(s, "GET:/cut gone");
	has(s->notes, "GET:/cut gone done200");
	client_close(c);
	/* The client goes. */
	c = client_open(s);
	client_send(c, "GET /tail" H "\r\n");
	wait_text(c, "cde\r\n");
	client_close(c);
	wait_note(s, "GET:/tail gone");
	has(s->notes, "GET:/tail gone done200");
	/* Or shuts its side. */
	c = client_open(s);
	client_send(c, "GET /tail?2" H "\r\n");
	wait_text(c, "cde\r\n");
	(void)shutdown(c->fd, SHUT_WR);
	wait_closed(c);
	client_close(c);
	/* The server goes. */
	c = client_open(s);
	client_send(c, "GET /tail?3" H "\r\n");
	wait_text(c, "cde\r\n");
	httpd_drain(s->d);
	wait_closed(c);
	assert_null(strstr(c->got.buf, "\r\n0\r\n"));
	assert_int_equal(httpd_in_flight(s->d), 0);
	wait_connections(s, 0);
}

static void
streams_have_a_deadline(void **state)
{
	struct httpd_limits l = limits;
	struct client *c;
	struct server *s;

	(void)state;
	l.write_ms = 50;
	s = start_with(&l);
	c = client_open(s);
	watch_stop(&c->watch);
	client_send(c, "GET /full" H "\r\n");
	wait_note(s, "GET:/full gone");
	has(s->notes, "GET:/full gone done200");
	client_close(c);
	/* One that waits for nothing may be quiet. */
	c = client_open(s);
	client_send(c, "GET /tail" H "\r\n");
	wait_text(c, "cde\r\n");
	timer_arm(&s->guard, 4 * l.write_ms);
	test_ok(loop_run(s->loop, NULL), NULL);
	assert_non_null(httpd_find(s->d, s->waiting));
	assert_false(c->closed);
}

static bool
is_settled(struct server *s)
{
	return s->of->closed || s->of->got.latch != OVE_NONE ||
	    strstr(s->of->got.buf, "/1.1 200") != NULL;
}

static int
converse(void *ctx, struct error *e)
{
	struct server *s = &the_server;
	struct client *c = &s->clients[0];
	int fd, rc;

	(void)ctx;
	rc = server_start(s, &limits, "127.0.0.1:0", e);
	if (rc == 0) {
		fd = socket_to(s);
		rc = client_attach(s, c, fd, e);
	}
	if (rc == 0) {
		client_send(c,
		    "POST /x?y" H "Transfer-Encoding: chunked\r\n\r\n"
		    "3\r\nabc\r\n0\r\n\r\n");
		s->of = c;
		run_until(s, is_settled);
		if (strstr(c->got.buf, "/1.1 200") == NULL)
			rc = error_set(e, OVE_NOMEM, "no answer");
	}
	server_stop(s);
	return rc;
}

static bool
has_all(struct server *s)
{
	return s->of->closed || s->of->got.latch != OVE_NONE ||
	    strstr(s->of->got.buf, "\r\n0\r\n\r\n") != NULL;
}

static bool
was_drained(struct server *s)
{
	return s->of->closed || strstr(s->notes, "drained") != NULL;
}

/* A stream of which a part is queued. */
static int
read_stream(void *ctx, struct error *e)
{
	struct server *s = &the_server;
	struct client *c = &s->clients[0];
	struct httpd_limits l = limits;
	struct http_req *r;
	int rc;

	(void)ctx;
	/* libevent may have no memory to wait for the client. */
	l.write_ms = 200;
	rc = server_start(s, &l, "127.0.0.1:0", e);
	if (rc == 0)
		rc = client_attach(s, c, socket_to(s), e);
	if (rc == 0) {
		client_send(c, "GET /full" H "\r\n");
		s->of = c;
		run_until(s, was_drained);
		r = httpd_find(s->d, s->waiting);
		if (r != NULL)
			http_req_stream_end(r);
		run_until(s, has_all);
		if (strstr(c->got.buf, "\r\n0\r\n\r\n") == NULL)
			rc = error_set(e, OVE_NOMEM, "not whole");
	}
	server_stop(s);
	return rc;
}

static void
allocations_may_fail(void **state)
{
	(void)state;
	torture(converse, NULL);
	torture(read_stream, NULL);
}

#define TEST(f) cmocka_unit_test_teardown((f), stop)
static const struct CMUnitTest tests[] = {
	TEST(replies_have_their_headers),
	TEST(http_1_0_is_closed),
	TEST(pipelined_answers_keep_order),
	TEST(bytes_may_come_singly),
	TEST(long_heads_are_made_one_piece),
	TEST(request_ids_are_taken_or_made),
	TEST(expectation_is_met),
	TEST(unwanted_bodies_are_skipped),
	TEST(refusals_close),
	TEST(early_ends_are_refused),
	TEST(clients_may_go),
	TEST(heads_may_be_held),
	TEST(deadlines_end_connections),
	TEST(connections_are_limited),
	TEST(descriptors_may_run_out),
	TEST(draining_finishes_what_runs),
	TEST(freeing_drops_requests),
	TEST(streams_are_chunked),
	TEST(streams_of_a_known_length),
	TEST(streams_go_on_later),
	TEST(streams_drain_and_go_on),
	TEST(streams_are_cut),
	TEST(streams_have_a_deadline),
	TEST(addresses_are_checked),
	TEST_IN_DIR(unix_sockets_serve),
	TEST(ipv6_serves),
	cmocka_unit_test(allocations_may_fail),
};
TEST_MAIN(tests)
