/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The server that libevent brings, bare: the same reply to every request.
 *
 *	ref_evhttp PORT BODY
 *
 * BODY names a file, what the reply has. Runs until it is killed.
 */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include <signal.h>
#include <stdio.h>

#include "common.h"

static char *body;
static size_t body_len;

static void
serve(struct evhttp_request *request, void *ctx)
{
	struct evbuffer *out;

	(void)ctx;
	out = evbuffer_new();
	if (out == NULL || evbuffer_add(out, body, body_len) == -1 ||
	    evhttp_add_header(evhttp_request_get_output_headers(request),
		"Content-Type", "application/json") == -1)
		die("no memory");
	evhttp_send_reply(request, 200, "OK", out);
	evbuffer_free(out);
}

int
main(int argc, char **argv)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct event_base *base;
	struct evhttp *http;

	if (argc != 3) {
		fprintf(stderr, "usage: ref_evhttp PORT BODY\n");
		return 64;
	}
	body = read_file(argv[2], &body_len);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	base = event_base_new();
	http = base == NULL ? NULL : evhttp_new(base);
	if (http == NULL)
		die("no memory");
	evhttp_set_gencb(http, serve, NULL);
	if (evhttp_bind_socket(http, "127.0.0.1",
		(unsigned short)number(argv[1], 1, 65535)) == -1)
		die("cannot listen on %s", argv[1]);
	return event_base_dispatch(base) == -1;
}
