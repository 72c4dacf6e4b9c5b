/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * A small HTTP server on lib/net/httpd, for the tests that speak to it over the
 * network and for measuring it alone. It prints "PORT\n" and serves until its
 * standard input ends.
 *
 *	GET /v1/ping	{"status_code": 200, "status": "OK"}
 *	/echo		the body, of at most 1 MiB
 *	/later		the body, some milliseconds later
 *	else		404 as a reply to the head
 *
 * Each request that it has seen, refusals included, is a line on standard
 * error: "STATUS METHOD PATH". The limits are set by LIMIT=NUMBER arguments.
 */
#include <sys/types.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/num.h"
#include "lib/event/loop.h"
#include "lib/net/httpd.h"

#define BODY_MAX ((size_t)1 << 20)
#define LATER_MS 20

struct echo {
	struct loop *loop;
	struct httpd *d;
	struct watch input;
	bool quiet;
};

struct later {
	struct timer timer;
	struct retire retire;
	struct echo *echo;
	struct req_id id;
};

static void
reply(struct http_req *r, int status, const void *body, size_t len)
{
	static const struct http_reply_header headers[] = {
		{ "Access-Control-Allow-Origin", "*" },
	};
	struct http_reply rp = {
		.status = status,
		.headers = headers,
		.headers_n = ARRAY_LEN(headers),
		.content_type = "application/json",
		.body = body,
		.body_len = len,
	};

	rp.head_only = strcmp(http_req_method(r), "HEAD") == 0;
	http_req_reply(r, &rp);
}

static void
on_head(struct http_req *r, void *ctx)
{
	static const char ping[] = "{\"status_code\": 200, \"status\": \"OK\"}";
	static const char none[] =
	    "{\"status_code\": 404, \"message\": \"Not Found\"}";
	const char *path = http_req_path(r);

	(void)ctx;
	if (strcmp(path, "/v1/ping") == 0)
		reply(r, 200, ping, sizeof(ping) - 1);
	else if (strcmp(path, "/echo") == 0 || strcmp(path, "/later") == 0)
		httpd_accept_body(r, BODY_MAX);
	else
		reply(r, 404, none, sizeof(none) - 1);
}

static void
free_later(struct retire *rt)
{
	struct later *l = container_of(rt, struct later, retire);

	timer_fini(&l->timer);
	mem_free(l);
}

static void
on_later(struct timer *t)
{
	struct later *l = container_of(t, struct later, timer);
	struct http_req *r = httpd_find(l->echo->d, l->id);
	struct http1_span body;

	if (r != NULL) {
		body = http_req_body(r);
		reply(r, 200, body.p, body.len);
	}
	loop_retire(l->echo->loop, &l->retire, free_later);
}

static void
on_request(struct http_req *r, void *ctx)
{
	struct echo *echo = ctx;
	struct http1_span body = http_req_body(r);
	struct later *l;

	if (strcmp(http_req_path(r), "/later") != 0) {
		reply(r, 200, body.p, body.len);
		return;
	}
	l = mem_calloc(1, sizeof(*l));
	if (l == NULL ||
	    timer_init(&l->timer, echo->loop, on_later, "later", NULL) == -1) {
		mem_free(l);
		reply(r, 503, NULL, 0);
		return;
	}
	l->echo = echo;
	l->id = http_req_id(r);
	timer_arm(&l->timer, LATER_MS);
}

static void
on_refuse(int status, const char *why, struct strbuf *body, void *ctx)
{
	(void)ctx;
	strbuf_addf(
	    body, "{\"status_code\": %d, \"message\": \"%s\"}", status, why);
}

static void
on_done(const struct http_req *r, int status, size_t body_len, int64_t took_ms,
    void *ctx)
{
	struct echo *echo = ctx;

	(void)body_len;
	(void)took_ms;
	if (!echo->quiet)
		fprintf(stderr, "%d %s %s\n", status, http_req_method(r),
		    http_req_path(r));
}

static void
on_input(struct watch *w, int what)
{
	char buf[64];

	(void)what;
	if (read(w->fd, buf, sizeof(buf)) <= 0)
		loop_stop(w->loop);
}

static bool
set_limit(struct httpd_limits *l, struct echo *echo, const char *arg)
{
	const char *eq = strchr(arg, '=');
	uint64_t v;

	if (eq == NULL || num_u64(eq + 1, 1, 1 << 30, &v, NULL) == -1)
		return false;
	if (strncmp(arg, "head_bytes=", 11) == 0)
		l->head_bytes = (size_t)v;
	else if (strncmp(arg, "connections=", 12) == 0)
		l->connections = (unsigned)v;
	else if (strncmp(arg, "per_address=", 12) == 0)
		l->connections_per_address = (unsigned)v;
	else if (strncmp(arg, "idle_ms=", 8) == 0)
		l->idle_ms = (int64_t)v;
	else if (strncmp(arg, "head_ms=", 8) == 0)
		l->head_ms = (int64_t)v;
	else if (strncmp(arg, "body_ms=", 8) == 0)
		l->body_ms = (int64_t)v;
	else if (strncmp(arg, "write_ms=", 9) == 0)
		l->write_ms = (int64_t)v;
	else if (strncmp(arg, "quiet=", 6) == 0)
		echo->quiet = true;
	else
		return false;
	return true;
}

static int
serve(struct echo *echo, const struct httpd_limits *limits, const char *address,
    struct error *e)
{
	struct httpd_handler h = {
		.on_head = on_head,
		.on_request = on_request,
		.on_refuse = on_refuse,
		.on_done = on_done,
		.ctx = echo,
	};
	uint16_t port;
	int rc;

	if (loop_new(&echo->loop, e) == -1 ||
	    httpd_new(&echo->d, echo->loop, limits, &h, e) == -1 ||
	    httpd_listen(echo->d, address, &port, e) == -1 ||
	    watch_init(&echo->input, echo->loop, STDIN_FILENO, WATCH_READ,
		on_input, "input", e) == -1 ||
	    watch_start(&echo->input, e) == -1)
		return -1;
	printf("%u\n", (unsigned)port);
	fflush(stdout);
	rc = loop_run(echo->loop, e);
	watch_fini(&echo->input);
	return rc;
}

int
main(int argc, char **argv)
{
	struct httpd_limits limits = {
		.head_bytes = 65536,
		.connections = 2000,
		.connections_per_address = 2000,
		.idle_ms = 60000,
		.head_ms = 10000,
		.body_ms = 10000,
		.write_ms = 10000,
	};
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct echo echo = { 0 };
	struct error e = ERROR_INIT;
	const char *address = "127.0.0.1:0";
	int i, rc;

	(void)sigaction(SIGPIPE, &ignore, NULL);
	for (i = 1; i < argc; i++) {
		if (strchr(argv[i], ':') != NULL) {
			address = argv[i];
		} else if (!set_limit(&limits, &echo, argv[i])) {
			fprintf(stderr, "%s: unknown argument\n", argv[i]);
			return 64;
		}
	}
	rc = serve(&echo, &limits, address, &e);
	if (rc == -1)
		fprintf(stderr, "%s\n", error_text(&e));
	echo.d = httpd_free(echo.d);
	echo.loop = loop_free(echo.loop);
	return rc == -1 ? 1 : 0;
}
