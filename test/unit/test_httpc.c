/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The HTTP client against a small server on the same loop, which does what the
 * path asks for: answer, hang, break, send garbage. Requests are told back in
 * the reply, so a test sees what was sent.
 */
#include "test/unit/support/test.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/base/strbuf.h"
#include "lib/event/loop.h"
#include "lib/net/httpc.h"
#include "test/unit/support/torture.h"

#define CONNS_MAX 128
#define REPLY_MAX ((size_t)1 << 20)

/* The server */

struct server;

struct conn {
	struct server *s;
	struct watch watch;
	struct strbuf in;
	int fd;
};

struct server {
	struct loop *loop;
	struct watch watch;
	struct conn conns[CONNS_MAX];
	int fd;
	unsigned port;
	unsigned accepted;
	unsigned requests;
	/* A request came that is not answered. */
	bool hung;
	/* Open now, and the most that ever were. */
	unsigned open;
	unsigned open_max;
	/* Held until this many requests came. */
	unsigned hold;
	unsigned held_n;
	struct conn *held[CONNS_MAX];
};

static void
conn_close(struct conn *c, bool reset)
{
	struct linger hard = { .l_onoff = 1 };

	if (c->fd < 0)
		return;
	if (reset)
		(void)setsockopt(
		    c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	watch_fini(&c->watch);
	strbuf_fini(&c->in);
	(void)close(c->fd);
	c->fd = -1;
	c->s->open--;
}

static void
conn_send(struct conn *c, const void *p, size_t len)
{
	/* What does not go is not needed. */
	(void)send(c->fd, p, len, MSG_NOSIGNAL);
}

static void
conn_says(struct conn *c, const char *text)
{
	conn_send(c, text, strlen(text));
}

/* The whole request is the body of the reply. */
static void
conn_echo(struct conn *c, size_t len)
{
	char head[128];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    len);
	conn_says(c, head);
	if (strncmp(c->in.buf, "HEAD", 4) != 0)
		conn_send(c, c->in.buf, len);
}

static void
conn_long(struct conn *c)
{
	char block[4096];
	int i;

	memset(block, 'x', sizeof(block));
	conn_says(c, "HTTP/1.1 200 OK\r\nContent-Length: 40960\r\n\r\n");
	for (i = 0; i < 10; i++)
		conn_send(c, block, sizeof(block));
}

static void
conn_long_header(struct conn *c)
{
	char line[1024];
	int i;

	conn_says(c, "HTTP/1.1 200 OK\r\n");
	memset(line, 'x', sizeof(line));
	memcpy(line, "X-Y: ", 5);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	for (i = 0; i < 80; i++)
		conn_send(c, line, sizeof(line));
	conn_says(c, "Content-Length: 0\r\n\r\n");
}

static void
conn_hold(struct conn *c)
{
	struct server *s = c->s;
	unsigned i;

	s->held[s->held_n++] = c;
	if (s->held_n < s->hold)
		return;
	for (i = 0; i < s->held_n; i++)
		conn_says(
		    s->held[i], "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	s->held_n = 0;
}

static void
conn_gzip(struct conn *c)
{
	/* "hello hello hello\n" */
	static const unsigned char zipped[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00,
		0x00, 0x00, 0x00, 0x02, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9,
		0x57, 0xc8, 0x40, 0x90, 0x5c, 0x00, 0x3b, 0x7c, 0x8a, 0xdf,
		0x12, 0x00, 0x00, 0x00 };
	char head[128];

	(void)snprintf(head, sizeof(head),
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    sizeof(zipped));
	conn_says(c, head);
	conn_send(c, zipped, sizeof(zipped));
}

/* Fixed answers, and whether the connection is closed after. */
static const struct {
	const char *path;
	const char *text;
	bool close;
} answers[] = {
	{ "/empty", "HTTP/1.1 204 No Content\r\n\r\n", false },
	{ "/garbage", "hello, who is there?\r\n\r\n", true },
	{ "/version", "HTTP/1.1 OK\r\n\r\n", true },
	{ "/status", "HTTP/220404 X\r\n\r\n", true },
	{ "/close", "", true },
	{ "/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n0123456789",
	    true },
	{ "/chunks",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	    false },
	{ "/badchunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
	    true },
	{ "/badzip",
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	    "Content-Length: 12\r\n\r\nnot a zip...",
	    false },
	{ "/redirect",
	    "HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
	    "Content-Length: 0\r\n\r\n",
	    false },
	{ "/busy",
	    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n"
	    "Content-Type: application/json; charset=UTF-8\r\n"
	    "Content-Length: 2\r\n\r\n{}",
	    false },
	{ "/interim",
	    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
	    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
	    false },
	{ "/stall", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n01234",
	    false },
	{ "/hang", NULL, false },
};

static void
conn_answer(struct conn *c, size_t len)
{
	const char *path = strchr(c->in.buf, ' ');
	size_t i, n;

	assert_non_null(path);
	path++;
	n = strcspn(path, " ?");
	for (i = 0; i < ARRAY_LEN(answers); i++) {
		if (strlen(answers[i].path) != n ||
		    strncmp(answers[i].path, path, n) != 0)
			continue;
		if (answers[i].text != NULL)
			conn_says(c, answers[i].text);
		else
			c->s->hung = true;
		if (answers[i].close)
			conn_close(c, false);
		return;
	}
	if (strncmp(path, "/reset", n) == 0)
		conn_close(c, true);
	else if (strncmp(path, "/long", n) == 0)
		conn_long(c);
	else if (strncmp(path, "/header", n) == 0)
		conn_long_header(c);
	else if (strncmp(path, "/gzip", n) == 0)
		conn_gzip(c);
	else if (strncmp(path, "/hold", n) == 0)
		conn_hold(c);
	else
		conn_echo(c, len);
}

/* Of the request that stands in the buffer, 0 when it is not whole. */
static size_t
request_len(const struct strbuf *in)
{
	const char *end = strstr(in->buf, "\r\n\r\n");
	const char *p = strstr(in->buf, "Content-Length: ");
	uint64_t body = 0;
	size_t len;

	if (end == NULL)
		return 0;
	len = (size_t)(end - in->buf) + 4;
	if (p != NULL && p < end) {
		p += strlen("Content-Length: ");
		assert_int_equal(
		    num_u64_len(p, strcspn(p, "\r"), 0, 1 << 24, &body, NULL),
		    0);
	}
	return in->len >= len + body ? len + (size_t)body : 0;
}

static void
on_conn(struct watch *w, int what)
{
	struct conn *c = container_of(w, struct conn, watch);
	char buf[65536];
	size_t len;
	ssize_t n;

	(void)what;
	n = read(c->fd, buf, sizeof(buf));
	if (n <= 0) {
		conn_close(c, false);
		return;
	}
	strbuf_add(&c->in, buf, (size_t)n);
	len = request_len(&c->in);
	if (len == 0)
		return;
	c->s->requests++;
	conn_answer(c, len);
	if (c->fd >= 0)
		strbuf_consume(&c->in, len);
}

static void
on_accept(struct watch *w, int what)
{
	struct server *s = container_of(w, struct server, watch);
	struct conn *c;
	int fd, on = 1;
	size_t i;

	(void)what;
	fd = accept(s->fd, NULL, NULL);
	if (fd < 0)
		return;
	for (i = 0; s->conns[i].fd >= 0; i++)
		assert_in_range(i, 0, CONNS_MAX - 2);
	c = &s->conns[i];
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	/* Heads and bodies go out one by one. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	strbuf_init(&c->in, 1 << 24);
	assert_int_equal(watch_init(&c->watch, s->loop, fd, WATCH_READ, on_conn,
			     "test_conn", NULL),
	    0);
	assert_int_equal(watch_start(&c->watch, NULL), 0);
	s->accepted++;
	s->open++;
	if (s->open > s->open_max)
		s->open_max = s->open;
}

/* A listening socket on loopback with a port of the kernel's choice. */
static int
listen_any(int backlog, unsigned *ret_port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	socklen_t len = sizeof(sin);
	int fd;

	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	*ret_port = ntohs(sin.sin_port);
	return fd;
}

/* On a listening socket. */
static void
server_init(struct server *s, struct loop *l, int fd)
{
	size_t i;

	s->loop = l;
	for (i = 0; i < CONNS_MAX; i++)
		s->conns[i] = (struct conn){ .s = s, .fd = -1 };
	s->fd = fd;
	assert_int_equal(watch_init(&s->watch, l, s->fd, WATCH_READ, on_accept,
			     "test_accept", NULL),
	    0);
	assert_int_equal(watch_start(&s->watch, NULL), 0);
}

static void
server_fini(struct server *s)
{
	size_t i;

	for (i = 0; i < CONNS_MAX; i++)
		conn_close(&s->conns[i], false);
	watch_fini(&s->watch);
	(void)close(s->fd);
}

/* A test's world */

struct world {
	struct loop *loop;
	struct httpc *h;
	struct server server;
	struct timer guard;
	/* Completions that still have to come before the loop is stopped. */
	unsigned wanted;
	unsigned got;
	unsigned replies;
	/* Of the last one. */
	struct call_id id;
	bool replied;
	struct httpc_reply reply;
	struct strbuf body;
	char type[64];
	struct error failed;
	enum httpc_kind kind;
};

static void
too_late(struct timer *t)
{
	(void)t;
	fail_msg("nothing happened for 20 s");
}

static void
world_init_with(struct world *w, const struct httpc_config *config)
{
	struct error e = ERROR_INIT;

	/* The proxies of the one who runs this are no part of it. */
	unsetenv("http_proxy");
	unsetenv("HTTP_PROXY");
	unsetenv("ALL_PROXY");
	unsetenv("all_proxy");
	memset(w, 0, sizeof(*w));
	strbuf_init(&w->body, REPLY_MAX);
	test_ok(loop_new(&w->loop, &e), &e);
	server_init(&w->server, w->loop, listen_any(64, &w->server.port));
	test_ok(httpc_new(&w->h, w->loop, config, &e), &e);
	test_ok(timer_init(&w->guard, w->loop, too_late, "test_guard", &e), &e);
	timer_arm(&w->guard, 20000);
}

static void
world_init(struct world *w)
{
	static const struct httpc_config config = {
		.user_agent = "overlord/test",
		.max_calls = 64,
		.max_per_host = 64,
	};

	world_init_with(w, &config);
}

static void
world_fini(struct world *w)
{
	w->h = httpc_free(w->h);
	server_fini(&w->server);
	timer_fini(&w->guard);
	strbuf_fini(&w->body);
	w->loop = loop_free(w->loop);
}

static void
keep(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct world *w = ctx;

	w->got++;
	w->id = id;
	w->replied = r != NULL;
	w->replies += r != NULL;
	error_clear(&w->failed);
	strbuf_reset(&w->body);
	assert_true((r != NULL) != (failed != NULL));
	if (r != NULL) {
		w->reply = *r;
		assert_int_equal(r->body[r->body_len], '\0');
		strbuf_add(&w->body, r->body, r->body_len);
		(void)snprintf(w->type, sizeof(w->type), "%s", r->content_type);
	} else {
		w->kind = failed->kind;
		w->failed = failed->error;
	}
	if (w->got == w->wanted)
		loop_stop(w->loop);
}

/* Runs until n more completions came. */
static void
await(struct world *w, unsigned n)
{
	struct error e = ERROR_INIT;

	w->got = 0;
	w->wanted = n;
	test_ok(loop_run(w->loop, &e), &e);
	assert_int_equal(w->got, n);
}

static const char *
url_of(const struct world *w, const char *path)
{
	static char url[256];

	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u%s", w->server.port, path);
	return url;
}

static struct call_id
start(struct world *w, const char *method, const char *path)
{
	struct httpc_request rq = {
		.method = method,
		.url = url_of(w, path),
		.reply_max = REPLY_MAX,
	};
	struct call_id id = { 0 };
	struct error e = ERROR_INIT;

	test_ok(httpc_call(w->h, &rq, keep, w, &id, &e), &e);
	assert_true(id.v != 0);
	return id;
}

static void
fetch(struct world *w, const char *method, const char *path)
{
	(void)start(w, method, path);
	await(w, 1);
	assert_int_equal(httpc_pending(w->h), 0);
}

/* Fails unless the last call failed so. */
static void
failed_as(const struct world *w, enum ove code, const char *text)
{
	if (w->replied || w->failed.code != code ||
	    strstr(w->failed.text, text) == NULL)
		fail_msg("'%s' (%s), status %d, not '%s'", w->failed.text,
		    ove_to_string(w->failed.code),
		    w->replied ? w->reply.status : 0, text);
}

static bool
said(const struct world *w, const char *text)
{
	return strstr(w->body.buf, text) != NULL;
}

/* Tests */

static void
plain_get(void **state)
{
	struct world w;

	(void)state;
	world_init(&w);
	fetch(&w, "GET", "/echo?a=b");
	assert_true(w.replied);
	assert_int_equal(w.reply.status, 200);
	assert_string_equal(w.type, "text/plain");
	assert_true(w.reply.retry_after == -1);
	assert_true(w.reply.took_ms >= 0);
	assert_true(said(&w, "GET /echo?a=b HTTP/1.1\r\n"));
	assert_true(said(&w, "User-Agent: overlord/test\r\n"));
	assert_true(said(&w, "Accept: */*\r\n"));
	assert_true(said(&w, "Accept-Encoding: gzip\r\n"));
	assert_false(said(&w, "Content-"));
	assert_false(said(&w, "Expect"));
	world_fini(&w);
}

static void
all_methods(void **state)
{
	static const struct {
		const char *method;
		const char *body;
		const char *length;
	} cases[] = {
		{ "GET", NULL, NULL },
		{ "DELETE", NULL, NULL },
		{ "OPTIONS", NULL, NULL },
		{ "POST", NULL, "Content-Length: 0\r\n" },
		{ "PUT", NULL, "Content-Length: 0\r\n" },
		{ "POST", "{\"a\":1}", "Content-Length: 7\r\n" },
		{ "PUT", "{\"a\":1}", "Content-Length: 7\r\n" },
		{ "PATCH", "{\"a\":1}", "Content-Length: 7\r\n" },
		{ "DELETE", "{\"a\":1}", "Content-Length: 7\r\n" },
		{ "HEAD", NULL, NULL },
		{ "GET", NULL, NULL },
	};
	static const char *const headers[] = { "Authentication: Bearer x",
		"content-type: application/json", NULL };
	struct httpc_request rq = { .reply_max = REPLY_MAX };
	struct error e = ERROR_INIT;
	struct world w;
	char head[64];
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rq.url = url_of(&w, "/echo");
		rq.method = cases[i].method;
		rq.body = cases[i].body;
		rq.body_len = cases[i].body == NULL ? 0 : strlen(rq.body);
		rq.headers = cases[i].body == NULL ? NULL : headers;
		test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
		await(&w, 1);
		assert_true(w.replied);
		assert_int_equal(w.reply.status, 200);
		if (strcmp(rq.method, "HEAD") == 0) {
			assert_int_equal(w.body.len, 0);
			continue;
		}
		(void)snprintf(
		    head, sizeof(head), "%s /echo HTTP/1.1\r\n", rq.method);
		assert_true(said(&w, head));
		assert_int_equal(
		    said(&w, "Content-Length"), cases[i].length != NULL);
		if (cases[i].length != NULL)
			assert_true(said(&w, cases[i].length));
		assert_int_equal(
		    said(&w, "\r\ncontent-type: application/json\r\n"),
		    rq.headers != NULL);
		assert_false(said(&w, "Content-Type"));
		assert_false(said(&w, "Expect"));
		if (rq.body != NULL)
			assert_string_equal(
			    w.body.buf + w.body.len - rq.body_len, rq.body);
	}
	/* All over one connection. */
	assert_int_equal(w.server.accepted, 1);
	world_fini(&w);
}

/* A body that is bigger than any buffer on the way, copied when called. */
static void
big_body(void **state)
{
	struct httpc_request rq = { .method = "PUT", .reply_max = 4 << 20 };
	struct error e = ERROR_INIT;
	struct world w;
	char *body;

	(void)state;
	world_init(&w);
	rq.url = url_of(&w, "/empty");
	rq.body_len = 3 << 20;
	body = mem_alloc(rq.body_len);
	assert_non_null(body);
	memset(body, 'b', rq.body_len);
	rq.body = body;
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	mem_free(body);
	await(&w, 1);
	assert_int_equal(w.reply.status, 204);
	world_fini(&w);
}

static void
replies(void **state)
{
	static const struct {
		const char *path;
		int status;
		const char *body;
		int64_t retry_after;
	} cases[] = {
		{ "/empty", 204, "", -1 },
		{ "/chunks", 200, "abcde", -1 },
		{ "/gzip", 200, "hello hello hello\n", -1 },
		{ "/redirect", 302, "", -1 },
		{ "/busy", 503, "{}", 7 },
		{ "/interim", 404, "", -1 },
	};
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		fetch(&w, "GET", cases[i].path);
		if (!w.replied)
			fail_msg("%s: %s", cases[i].path, w.failed.text);
		assert_int_equal(w.reply.status, cases[i].status);
		assert_string_equal(w.body.buf, cases[i].body);
		assert_true(w.reply.retry_after == cases[i].retry_after);
	}
	fetch(&w, "GET", "/busy");
	assert_string_equal(w.type, "application/json; charset=UTF-8");
	fetch(&w, "HEAD", "/empty");
	assert_int_equal(w.reply.status, 204);
	world_fini(&w);
}

static void
broken_replies(void **state)
{
	static const struct {
		const char *path;
		enum ove code;
		const char *text;
	} cases[] = {
		{ "/garbage", OVE_UPSTREAM, "the reply is not HTTP" },
		{ "/version", OVE_UPSTREAM, "the reply is not HTTP" },
		{ "/status", OVE_UPSTREAM,
		    "the reply is not HTTP: it has no status" },
		{ "/close", OVE_UPSTREAM, "connection closed without a reply" },
		{ "/cut", OVE_UPSTREAM, "the reply broke off" },
		{ "/badchunk", OVE_UPSTREAM, "connection broke: " },
		{ "/badzip", OVE_UPSTREAM, "the reply's encoding is broken" },
		{ "/reset", OVE_UPSTREAM, "connection reset" },
		{ "/header", OVE_LIMIT,
		    "the reply's header is longer than 65536 bytes" },
	};
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		fetch(&w, "GET", cases[i].path);
		failed_as(&w, cases[i].code, cases[i].text);
	}
	fetch(&w, "GET", "/echo");
	assert_true(w.replied);
	world_fini(&w);
}

static void
bounded(void **state)
{
	static const struct {
		const char *path;
		size_t max;
		bool fits;
	} cases[] = {
		{ "/long", 40960, true },
		{ "/long", 40959, false },
		{ "/long", 0, false },
		/* Counted as it is unpacked. */
		{ "/gzip", 18, true },
		{ "/gzip", 17, false },
		{ "/empty", 0, true },
	};
	struct httpc_request rq = { .method = "GET" };
	struct error e = ERROR_INIT;
	struct world w;
	char text[64];
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rq.url = url_of(&w, cases[i].path);
		rq.reply_max = cases[i].max;
		test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
		await(&w, 1);
		if (cases[i].fits) {
			assert_true(w.replied);
			continue;
		}
		(void)snprintf(text, sizeof(text),
		    "the reply is longer than %zu bytes", cases[i].max);
		failed_as(&w, OVE_LIMIT, text);
	}
	world_fini(&w);
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
	(void)close(listen_any(1, &port));
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	rq.url = url;
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	failed_as(&w, OVE_UNAVAILABLE, "connection refused");
	world_fini(&w);
}

static void
unknown_name(void **state)
{
	struct httpc_request rq = {
		.method = "GET",
		.url = "http://no-such-host.invalid/",
		.reply_max = 1,
	};
	struct error e = ERROR_INIT;
	struct call_id id;
	struct world w;

	(void)state;
	world_init(&w);
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	failed_as(&w, OVE_UNAVAILABLE, "name not known");
	/* A look-up that nobody waits for any more. */
	test_ok(httpc_call(w.h, &rq, keep, &w, &id, &e), &e);
	httpc_cancel(w.h, id);
	assert_int_equal(httpc_pending(w.h), 0);
	fetch(&w, "GET", "/echo");
	assert_true(w.replied);
	world_fini(&w);
}

/* A full backlog drops what comes, so connecting hangs. */
static void
connect_timeout(void **state)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct httpc_request rq = {
		.method = "GET",
		.reply_max = 1,
		.connect_ms = 60,
	};
	struct error e = ERROR_INIT;
	struct world w;
	int listener, fill[8];
	char url[64];
	unsigned port;
	size_t i;

	(void)state;
	world_init(&w);
	listener = listen_any(0, &port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = htons((uint16_t)port);
	for (i = 0; i < ARRAY_LEN(fill); i++) {
		fill[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(fill[i], (struct sockaddr *)&sin, sizeof(sin));
	}
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
	rq.url = url;
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	failed_as(&w, OVE_TIMEOUT, "timed out after 60ms while connecting");
	/* The whole call's limit comes first. */
	rq.connect_ms = 0;
	rq.total_ms = 40;
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	failed_as(&w, OVE_TIMEOUT, "timed out after 40ms");
	for (i = 0; i < ARRAY_LEN(fill); i++)
		(void)close(fill[i]);
	(void)close(listener);
	world_fini(&w);
}

static void
read_timeout(void **state)
{
	static const char *const paths[] = { "/hang", "/stall" };
	struct httpc_request rq = {
		.method = "GET",
		.reply_max = REPLY_MAX,
		.connect_ms = 10000,
		.read_ms = 50,
		.total_ms = 15000,
	};
	struct error e = ERROR_INIT;
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(paths); i++) {
		rq.url = url_of(&w, paths[i]);
		test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
		await(&w, 1);
		failed_as(&w, OVE_TIMEOUT,
		    "timed out after 50ms while waiting for the reply");
	}
	rq.read_ms = 0;
	rq.total_ms = 50;
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	failed_as(&w, OVE_TIMEOUT, "timed out after 50ms");
	/* And none at all when it is quick. */
	rq.read_ms = rq.total_ms = 15000;
	rq.url = url_of(&w, "/echo");
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	assert_true(w.replied);
	world_fini(&w);
}

static void
fifty_at_once(void **state)
{
	struct world w;
	unsigned i;

	(void)state;
	world_init(&w);
	/* Nobody is answered before the last one has asked. */
	w.server.hold = 50;
	for (i = 0; i < 50; i++)
		(void)start(&w, "GET", "/hold");
	assert_int_equal(httpc_pending(w.h), 50);
	await(&w, 50);
	assert_int_equal(w.server.open_max, 50);
	assert_int_equal(httpc_pending(w.h), 0);
	/* They are kept and used again. */
	for (i = 0; i < 50; i++)
		(void)start(&w, "GET", "/echo");
	await(&w, 50);
	assert_int_equal(w.server.accepted, 50);
	assert_int_equal(w.server.requests, 100);
	world_fini(&w);
}

static void
some_wait(void **state)
{
	static const struct httpc_config configs[] = {
		{ .max_calls = 4, .max_per_host = 64 },
		{ .max_calls = 64, .max_per_host = 4 },
	};
	struct httpc_request rq = {
		.method = "GET",
		.reply_max = REPLY_MAX,
		.total_ms = 50,
	};
	struct error e = ERROR_INIT;
	struct world w;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_LEN(configs); i++) {
		world_init_with(&w, &configs[i]);
		for (n = 0; n < 50; n++)
			(void)start(&w, "GET", "/echo");
		await(&w, 50);
		assert_true(w.replied);
		assert_int_equal(w.server.accepted, 4);
		/* Waiting for a place counts. */
		for (n = 0; n < 4; n++)
			(void)start(&w, "GET", "/hang");
		rq.url = url_of(&w, "/echo");
		test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
		await(&w, 1);
		failed_as(&w, OVE_TIMEOUT, "timed out after 50ms");
		assert_int_equal(httpc_pending(w.h), 4);
		world_fini(&w);
	}
}

/* The server closed what we wanted to use again. */
static void
stale_connection(void **state)
{
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	fetch(&w, "GET", "/echo");
	for (i = 0; i < CONNS_MAX; i++)
		conn_close(&w.server.conns[i], false);
	fetch(&w, "POST", "/echo");
	assert_true(w.replied);
	assert_int_equal(w.server.accepted, 2);
	world_fini(&w);
}

static void
bad_requests(void **state)
{
	static const char *const folded[] = { "A: b\r\nC: d", NULL };
	static const char *const fine[] = { "A: b", NULL };
	static const struct {
		const char *method;
		const char *url;
		const char *const *headers;
		const char *text;
	} cases[] = {
		{ "GET", "", fine, "is not a URL" },
		{ "GET", "127.0.0.1:1/", fine, "is not a URL" },
		{ "GET", "http://", fine, "is not a URL" },
		{ "GET", "http://a:99999/", fine, "is not a URL" },
		{ "GET", "http://a/\r\nX: y", fine, "is not a URL" },
		{ "GET", "ftp://a/", fine, "is neither http nor https" },
		{ "GET", "file:///etc/passwd", fine,
		    "is neither http nor https" },
		{ "GET", "gopher://a/", fine, "is neither http nor https" },
		{ "", "http://a/", fine, "is not a method" },
		{ "get", "http://a/", fine, "is not a method" },
		{ "GET / HTTP/1.1\r\nX:", "http://a/", fine,
		    "is not a method" },
		{ "GET", "http://a/", folded, "a header has a line break" },
	};
	struct httpc_request rq = { .reply_max = 1 };
	struct error e;
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		rq.method = cases[i].method;
		rq.url = cases[i].url;
		rq.headers = cases[i].headers;
		error_clear(&e);
		test_fails(
		    httpc_call(w.h, &rq, keep, &w, NULL, &e), &e, OVE_INVALID);
		assert_non_null(strstr(e.text, cases[i].text));
		assert_int_equal(httpc_pending(w.h), 0);
	}
	world_fini(&w);
}

/* That another URL of the same server was fine says nothing of this one. */
static void
bad_paths(void **state)
{
	static const char *const paths[] = { "/a b", "/a\r\nX: y", "/\x7f", " ",
		"\t" };
	struct httpc_request rq = { .method = "GET", .reply_max = 1 };
	struct error e;
	struct world w;
	char url[128];

	(void)state;
	world_init(&w);
	fetch(&w, "GET", "/echo");
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u%s",
		    w.server.port, paths[i]);
		rq.url = url;
		error_clear(&e);
		test_fails(
		    httpc_call(w.h, &rq, keep, &w, NULL, &e), &e, OVE_INVALID);
	}
	fetch(&w, "GET", "/echo");
	assert_true(w.replied);
	world_fini(&w);
}

/* Cancelling */

static void
cancelled(void **state)
{
	struct call_id hang, unknown = { 999 };
	struct world w;

	(void)state;
	world_init(&w);
	/* Before it began. */
	hang = start(&w, "GET", "/echo");
	httpc_cancel(w.h, hang);
	assert_int_equal(httpc_pending(w.h), 0);
	httpc_cancel(w.h, hang);
	httpc_cancel(w.h, unknown);
	/* In flight: the echo comes after the server has read the other. */
	hang = start(&w, "GET", "/hang");
	do {
		(void)start(&w, "GET", "/echo");
		await(&w, 1);
	} while (!w.server.hung);
	assert_int_equal(httpc_pending(w.h), 1);
	httpc_cancel(w.h, hang);
	assert_int_equal(httpc_pending(w.h), 0);
	fetch(&w, "GET", "/echo");
	assert_true(w.replied);
	assert_true(w.id.v > hang.v);
	world_fini(&w);
}

struct pair {
	struct world *w;
	struct call_id other;
};

static void
cancel_both(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct pair *p = ctx;

	(void)r;
	(void)failed;
	httpc_cancel(p->w->h, id);
	httpc_cancel(p->w->h, p->other);
	p->w->got++;
	loop_stop(p->w->loop);
}

static void
cancelled_within(void **state)
{
	struct httpc_request rq = { .method = "GET", .reply_max = REPLY_MAX };
	struct error e = ERROR_INIT;
	struct pair a, b;
	struct world w;

	(void)state;
	world_init(&w);
	a.w = b.w = &w;
	rq.url = url_of(&w, "/echo");
	test_ok(httpc_call(w.h, &rq, cancel_both, &a, &b.other, &e), &e);
	test_ok(httpc_call(w.h, &rq, cancel_both, &b, &a.other, &e), &e);
	await(&w, 1);
	assert_int_equal(httpc_pending(w.h), 0);
	fetch(&w, "GET", "/echo");
	assert_true(w.replied);
	world_fini(&w);
}

static void
free_all(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct world *w = ctx;

	(void)id;
	(void)r;
	(void)failed;
	w->h = httpc_free(w->h);
	w->got++;
	loop_stop(w->loop);
}

static void
freed_within(void **state)
{
	struct httpc_request rq = { .method = "GET", .reply_max = REPLY_MAX };
	struct error e = ERROR_INIT;
	struct world w;

	(void)state;
	world_init(&w);
	(void)start(&w, "GET", "/hang");
	rq.url = url_of(&w, "/echo");
	test_ok(httpc_call(w.h, &rq, free_all, &w, NULL, &e), &e);
	(void)start(&w, "GET", "/echo");
	await(&w, 1);
	assert_null(w.h);
	world_fini(&w);
}

static void
again(struct call_id id, const struct httpc_reply *r,
    const struct httpc_failure *failed, void *ctx)
{
	struct world *w = ctx;

	(void)id;
	assert_non_null(r);
	assert_null(failed);
	(void)start(w, "GET", "/echo");
}

static void
called_within(void **state)
{
	struct httpc_request rq = { .method = "GET", .reply_max = REPLY_MAX };
	struct error e = ERROR_INIT;
	struct world w;

	(void)state;
	world_init(&w);
	rq.url = url_of(&w, "/echo");
	test_ok(httpc_call(w.h, &rq, again, &w, NULL, &e), &e);
	await(&w, 1);
	assert_true(w.replied);
	assert_int_equal(w.server.accepted, 1);
	world_fini(&w);
}

/* Two clients share what libcurl keeps for the process. */
static void
two_clients(void **state)
{
	static const struct httpc_config config = {
		.max_calls = 1,
		.max_per_host = 1,
	};
	struct httpc *other = NULL;
	struct error e = ERROR_INIT;
	struct world w;

	(void)state;
	world_init(&w);
	test_ok(httpc_new(&other, w.loop, &config, &e), &e);
	assert_null(httpc_free(other));
	fetch(&w, "GET", "/echo");
	assert_true(w.replied);
	world_fini(&w);
}

/* The environment names a proxy, in either spelling, and exceptions. */
static void
proxies(void **state)
{
	static const struct {
		const char *name;
		const char *no_proxy;
		bool used;
	} cases[] = {
		{ "http_proxy", NULL, true },
		{ "HTTP_PROXY", NULL, true },
		{ "ALL_PROXY", NULL, true },
		{ "https_proxy", NULL, false },
		{ "HTTP_PROXY", "other.invalid", true },
		{ "HTTP_PROXY", ".invalid", false },
		{ "http_proxy", "*", false },
	};
	struct httpc_request rq = {
		.method = "GET",
		.url = "http://host.invalid/echo",
		.reply_max = REPLY_MAX,
	};
	struct error e = ERROR_INIT;
	struct world w;
	size_t i;

	(void)state;
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		setenv(cases[i].name, url_of(&w, ""), 1);
		if (cases[i].no_proxy != NULL)
			setenv("NO_PROXY", cases[i].no_proxy, 1);
		test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
		await(&w, 1);
		unsetenv(cases[i].name);
		unsetenv("NO_PROXY");
		assert_int_equal(w.replied, cases[i].used);
		if (cases[i].used)
			assert_true(said(
			    &w, "GET http://host.invalid/echo HTTP/1.1\r\n"));
		else
			failed_as(&w, OVE_UNAVAILABLE, "name not known");
	}
	world_fini(&w);
}

/* TLS: openssl(1) is the server */

static struct {
	pid_t pid;
	char cert[300];
	char key[300];
	unsigned port;
} tls;

/* Its standard output is ret_out, unless that is NULL. */
static pid_t
run(const char *const argv[], int *ret_out)
{
	int null, out[2] = { -1, -1 };
	pid_t pid;

	if (ret_out != NULL)
		assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		null = open("/dev/null", O_RDWR);
		(void)dup2(null, 0);
		(void)dup2(out[1] >= 0 ? out[1] : null, 1);
		(void)dup2(null, 2);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (ret_out != NULL) {
		(void)close(out[1]);
		*ret_out = out[0];
	}
	return pid;
}

/* It says where it listens. */
static void
read_port(int fd)
{
	static const char mark[] = "ACCEPT 127.0.0.1:";
	struct strbuf b AUTO_STRBUF;
	uint64_t port;
	const char *p;
	char c;

	strbuf_init(&b, 4096);
	while (read(fd, &c, 1) == 1) {
		strbuf_addc(&b, c);
		p = strstr(b.buf, mark);
		if (c != '\n' || p == NULL)
			continue;
		p += strlen(mark);
		assert_int_equal(
		    num_u64_len(p, strcspn(p, "\n"), 1, 65535, &port, NULL), 0);
		tls.port = (unsigned)port;
		break;
	}
	(void)close(fd);
}

static int
tls_setup(void **state)
{
	const char *const make[] = { "openssl", "req", "-x509", "-newkey", "ec",
		"-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
		"2", "-subj", "/CN=127.0.0.1", "-addext",
		"subjectAltName=IP:127.0.0.1", "-keyout", tls.key, "-out",
		tls.cert, NULL };
	const char *const serve[] = { "openssl", "s_server", "-accept",
		"127.0.0.1:0", "-cert", tls.cert, "-key", tls.key, "-www",
		NULL };
	struct test_dir *d;
	int out, status = 0;
	pid_t pid;

	if (test_dir_setup(state) != 0)
		return -1;
	d = *state;
	tls.port = 0;
	(void)snprintf(tls.cert, sizeof(tls.cert), "%s/cert.pem", d->path);
	(void)snprintf(tls.key, sizeof(tls.key), "%s/key.pem", d->path);
	pid = run(make, NULL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status != 0)
		return 0;
	tls.pid = run(serve, &out);
	read_port(out);
	return 0;
}

static int
tls_teardown(void **state)
{
	if (tls.pid > 0) {
		(void)kill(tls.pid, SIGKILL);
		(void)waitpid(tls.pid, NULL, 0);
		tls.pid = 0;
	}
	return test_dir_teardown(state);
}

static void
tls_trust(void **state)
{
	const struct {
		const char *host;
		const char *cacert;
		const char *text;
	} cases[] = {
		{ "127.0.0.1", NULL,
		    "certificate not trusted: self-signed certificate" },
		{ "127.0.0.1", tls.cert, NULL },
		{ "localhost", tls.cert, "certificate not trusted: " },
		{ "127.0.0.1", tls.key,
		    "cannot read the trusted certificates: " },
		{ "127.0.0.1", "/nonexistent",
		    "cannot read the trusted certificates: " },
		{ "127.0.0.1", NULL,
		    "certificate not trusted: self-signed certificate" },
	};
	struct httpc_request rq = { .method = "GET", .reply_max = REPLY_MAX };
	struct error e = ERROR_INIT;
	struct world w;
	char url[64];
	size_t i;

	(void)state;
	if (tls.port == 0)
		skip();
	world_init(&w);
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		(void)snprintf(url, sizeof(url), "https://%s:%u/",
		    cases[i].host, tls.port);
		rq.url = url;
		rq.cacert = cases[i].cacert;
		test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
		await(&w, 1);
		if (cases[i].text != NULL) {
			failed_as(&w, OVE_UNAVAILABLE, cases[i].text);
			continue;
		}
		if (!w.replied)
			fail_msg("%s", w.failed.text);
		assert_int_equal(w.reply.status, 200);
		assert_string_equal(w.type, "text/html");
	}
	/* TLS where there is none. */
	(void)snprintf(
	    url, sizeof(url), "https://127.0.0.1:%u/", w.server.port);
	rq.total_ms = 100;
	test_ok(httpc_call(w.h, &rq, keep, &w, NULL, &e), &e);
	await(&w, 1);
	failed_as(&w, OVE_TIMEOUT, "timed out after 100ms");
	world_fini(&w);
}

static int
a_whole_call(void *ctx, struct error *e)
{
	static const char *const headers[] = { "A: b", NULL };
	struct httpc_request rq = {
		.method = "POST",
		.headers = headers,
		.body = "abc",
		.body_len = 3,
		.reply_max = REPLY_MAX,
		.total_ms = 10000,
	};
	static const struct httpc_config config = {
		.user_agent = "overlord/test",
		.max_calls = 2,
		.max_per_host = 2,
	};
	struct world *w = ctx;
	AUTO(loop) struct loop *l = NULL;
	AUTO(httpc) struct httpc *h = NULL;

	rq.url = url_of(w, "/empty");
	if (loop_new(&l, e) < 0 || httpc_new(&h, l, &config, e) < 0 ||
	    httpc_call(h, &rq, keep, w, NULL, e) < 0)
		return -1;
	w->loop = l;
	w->got = 0;
	w->wanted = 1;
	if (loop_run(l, e) < 0)
		return -1;
	if (w->replied)
		return 0;
	*e = w->failed;
	/* It has to be noticed, not waited out. */
	if (e->code == OVE_TIMEOUT)
		fail_msg("%s", e->text);
	return -1;
}

/* Whatever fails within libcurl or before it, what is called later is done. */
static int
calls_after_a_failure(void *ctx, struct error *e)
{
	struct httpc_request rq = {
		.method = "GET",
		.reply_max = REPLY_MAX,
		.total_ms = 10000,
	};
	static const struct httpc_config config = {
		.max_calls = 2,
		.max_per_host = 2,
	};
	struct world *w = ctx;
	AUTO(loop) struct loop *l = NULL;
	AUTO(httpc) struct httpc *h = NULL;
	unsigned short_rounds = 0;

	rq.url = url_of(w, "/empty");
	if (loop_new(&l, e) < 0 || httpc_new(&h, l, &config, e) < 0)
		return -1;
	w->loop = l;
	for (int round = 0; round < 4; round++) {
		w->got = 0;
		w->wanted = 0;
		w->replies = 0;
		for (int i = 0; i < 2; i++)
			if (httpc_call(h, &rq, keep, w, NULL, NULL) == 0)
				w->wanted++;
		if (w->wanted > 0 && loop_run(l, e) < 0)
			return -1;
		short_rounds += w->replies < 2;
	}
	assert_true(short_rounds <= 1);
	return 0;
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

	fd = listen_any(64, &s->port);
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
run_out_of_memory(torture_fn *fn)
{
	struct world w;
	int life, status;
	pid_t pid;

	memset(&w, 0, sizeof(w));
	pid = fork_server(&w.server, &life);
	strbuf_init(&w.body, REPLY_MAX);
	torture(fn, &w);
	strbuf_fini(&w.body);
	(void)close(life);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
no_memory(void **state)
{
	(void)state;
	run_out_of_memory(a_whole_call);
}

static void
memory_comes_back(void **state)
{
	(void)state;
	run_out_of_memory(calls_after_a_failure);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(plain_get),
	cmocka_unit_test(all_methods),
	cmocka_unit_test(big_body),
	cmocka_unit_test(replies),
	cmocka_unit_test(broken_replies),
	cmocka_unit_test(bounded),
	cmocka_unit_test(refused),
	cmocka_unit_test(unknown_name),
	cmocka_unit_test(connect_timeout),
	cmocka_unit_test(read_timeout),
	cmocka_unit_test(fifty_at_once),
	cmocka_unit_test(some_wait),
	cmocka_unit_test(stale_connection),
	cmocka_unit_test(bad_requests),
	cmocka_unit_test(bad_paths),
	cmocka_unit_test(cancelled),
	cmocka_unit_test(cancelled_within),
	cmocka_unit_test(freed_within),
	cmocka_unit_test(called_within),
	cmocka_unit_test(two_clients),
	cmocka_unit_test(proxies),
	cmocka_unit_test_setup_teardown(tls_trust, tls_setup, tls_teardown),
	cmocka_unit_test(no_memory),
	cmocka_unit_test(memory_comes_back),
};

TEST_MAIN(tests)
