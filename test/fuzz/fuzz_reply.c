/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Replies of servers below. The input is sent, as it is, to whoever asks on a
 * socket of loopback, and the connection closed; a request is forwarded there,
 * by the first byte a GET, HEAD, POST or DELETE, meant for that server or for
 * one behind it, for a reply, also a long one, or for a stream of events, alone
 * or with a second one that waits for the only connection. Each has one
 * outcome, which is a reply or an error with a name of the original's, and
 * never both.
 */
#include <sys/socket.h>

#include <netinet/in.h>

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/chain.h"
#include "lib/base/mem.h"
#include "lib/data/diag.h"
#include "lib/data/node.h"
#include "lib/event/loop.h"
#include "proto/config.h"

#define ARENA_MAX ((size_t)1 << 20)
#define LEFT_MS 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
	int listener;
	/* What the other thread sends; it takes a copy, since an outcome may
	 * come before it is done. */
	pthread_mutex_t lock;
	const uint8_t *data;
	size_t size;
	struct loop *loop;
	struct chain *chain;
	struct arena arena;
	/* Of the forwards that are under way. */
	unsigned outcomes, expected;
	struct forward_id id[2];
} kit = { .lock = PTHREAD_MUTEX_INITIALIZER };

static const char *const methods[] = { "GET", "HEAD", "POST", "DELETE" };

static char *
copy_input(size_t *ret_len)
{
	char *copy;

	assert(pthread_mutex_lock(&kit.lock) == 0);
	*ret_len = kit.size;
	copy = mem_alloc(kit.size + 1);
	if (copy != NULL && kit.size > 0)
		memcpy(copy, kit.data, kit.size);
	assert(pthread_mutex_unlock(&kit.lock) == 0);
	return copy;
}

static void
set_input(const uint8_t *data, size_t size)
{
	assert(pthread_mutex_lock(&kit.lock) == 0);
	kit.data = data;
	kit.size = size;
	assert(pthread_mutex_unlock(&kit.lock) == 0);
}

static void
answer(int fd)
{
	char request[4096] = "";
	size_t n = 0, sent = 0, len;
	char *text;
	ssize_t got;

	/* No request of this test is longer, or has a body. */
	while (n < sizeof(request) - 1 && strstr(request, "\r\n\r\n") == NULL) {
		got = recv(fd, request + n, sizeof(request) - 1 - n, 0);
		if (got <= 0)
			return;
		n += (size_t)got;
		request[n] = '\0';
	}
	text = copy_input(&len);
	while (text != NULL && sent < len) {
		got = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
		if (got <= 0)
			break;
		sent += (size_t)got;
	}
	mem_free(text);
}

static void *
serve(void *ctx)
{
	int fd;

	(void)ctx;
	while ((fd = accept(kit.listener, NULL, NULL)) != -1) {
		answer(fd);
		(void)shutdown(fd, SHUT_WR);
		(void)close(fd);
	}
	return NULL;
}

static const char *
no_env(const char *name, void *ctx)
{
	(void)name;
	(void)ctx;
	return NULL;
}

static void
start(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	struct config *c = NULL;
	struct diag d;
	char text[256];
	pthread_t thread;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	kit.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert(bind(kit.listener, (struct sockaddr *)&at, sizeof(at)) == 0);
	assert(listen(kit.listener, 16) == 0);
	assert(getsockname(kit.listener, (struct sockaddr *)&at, &len) == 0);
	assert(pthread_create(&thread, NULL, serve, NULL) == 0);
	(void)snprintf(text, sizeof(text),
	    "chains: {below: {entrypoint: 'http://127.0.0.1:%u', access_token: "
	    "x, max_connections: 1, retry: {total: 1, backoff_factor: 0}}}\n"
	    "autodisable: {failures: 3}\n",
	    ntohs(at.sin_port));
	arena_init(&kit.arena, ARENA_MAX);
	diag_init(&d, &kit.arena, "test");
	assert(config_parse(text, strlen(text), no_env, NULL, &kit.arena, &d,
		   &c, NULL) == 0);
	assert(loop_new(&kit.loop, NULL) == 0);
	assert(chain_new(&kit.chain, kit.loop, NULL) == 0);
	assert(chain_configure(kit.chain, c, "id", NULL) == 0);
}

static void
on_done(const struct chain_reply *r, void *ctx)
{
	(void)ctx;
	kit.outcomes++;
	assert(r->url != NULL);
	assert(r->error == NULL || r->message != NULL);
	assert(r->error != NULL || (r->status >= 100 && r->status <= 999));
	assert(r->body == NULL || r->body->type == NODE_MAP);
	if (kit.outcomes == kit.expected)
		loop_stop(kit.loop);
}

static void
on_begun(int64_t length, void *ctx)
{
	const struct forward_id *id = ctx;

	(void)length;
	chain_pause(kit.chain, *id);
	chain_resume(kit.chain, *id);
}

static void
on_piece(const char *p, size_t len, void *ctx)
{
	(void)p;
	(void)ctx;
	assert(len > 0);
}

static void
forward(unsigned how)
{
	const struct chain_request rq = {
		.entrypoint = "below",
		.tail = (how & 4) != 0,
		.method = methods[how % ARRAY_LEN(methods)],
		.path = "/v1/ping",
		.request_id = "r",
		.via = (how & 8) != 0 ? "one,two" : NULL,
		.left_ms = LEFT_MS,
	};
	const struct chain_stream stream = {
		.type = (how & 64) == 0 ? "text/event-stream" : NULL,
		.opening = "{\"status\":",
		.idle_ms = LEFT_MS,
		.begun = on_begun,
		.piece = on_piece,
	};
	struct forward_id *id;

	kit.outcomes = 0;
	kit.expected = (how & 32) != 0 ? 2 : 1;
	for (unsigned i = 0; i < kit.expected; i++) {
		id = &kit.id[i];
		assert(((how & 16) != 0 ? chain_stream(kit.chain, &rq, &stream,
					      on_done, id, id, NULL)
					: chain_forward(kit.chain, &rq, on_done,
					      id, id, NULL)) == 0);
	}
	assert(kit.outcomes == 0);
	assert(loop_run(kit.loop, NULL) == 0);
	assert(kit.outcomes == kit.expected);
	for (unsigned i = 0; i < kit.expected; i++)
		chain_cancel(kit.chain, kit.id[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (kit.loop == NULL)
		start();
	if (size == 0)
		return 0;
	set_input(data + 1, size - 1);
	forward(data[0]);
	set_input(NULL, 0);
	return 0;
}
