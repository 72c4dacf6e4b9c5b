/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Slow clients: connections that send the head of a request a byte a second
 * and never finish it, until the server has closed them all.
 *
 *	slow HOST PORT CONNECTIONS SECONDS
 *
 * Prints "open N" when all are open, then sends: each at its own moment of
 * every second, so that the load is even. Prints "closed N FIRST LAST" when
 * none is left, with the seconds from the last one's opening to the first and
 * the last closing; or ends with 1 after SECONDS.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define CONNECTIONS_MAX 1000000
#define SLICES 1000

static const char head[] = "GET /v1/ping HTTP/1.1\r\nX-Slow: ";

struct slow {
	int *fds;
	size_t n;
	size_t left;
	int64_t first;
};

static void
open_all(struct slow *s, const char *host, const char *port)
{
	size_t i;

	s->fds = calloc(s->n, sizeof(*s->fds));
	if (s->fds == NULL)
		die("no memory");
	for (i = 0; i < s->n; i++) {
		s->fds[i] = tcp_connect(host, port);
		if (s->fds[i] == -1)
			die("connection %zu: %s", i, strerror(errno));
		if (fcntl(s->fds[i], F_SETFL, O_NONBLOCK) == -1)
			die("fcntl: %s", strerror(errno));
	}
	s->left = s->n;
	printf("open %zu\n", s->n);
	fflush(stdout);
}

/* Whether the server has closed it. */
static bool
is_closed(int fd)
{
	char reply[1024];
	ssize_t n;

	do
		n = recv(fd, reply, sizeof(reply), 0);
	while (n > 0);
	return n == 0 || errno != EAGAIN;
}

static void
send_to_slice(struct slow *s, size_t slice, size_t round)
{
	const char byte = round < sizeof(head) - 1 ? head[round] : 'a';
	size_t i;

	for (i = slice; i < s->n; i += SLICES) {
		if (s->fds[i] == -1)
			continue;
		if (!is_closed(s->fds[i]) &&
		    send(s->fds[i], &byte, 1, MSG_NOSIGNAL) == 1)
			continue;
		close(s->fds[i]);
		s->fds[i] = -1;
		if (s->left-- == s->n)
			s->first = now_ns();
	}
}

int
main(int argc, char **argv)
{
	struct slow s = { .n = 0 };
	int64_t began, end, slice;

	if (argc != 5) {
		fprintf(stderr, "usage: slow HOST PORT CONNECTIONS SECONDS\n");
		return 64;
	}
	s.n = (size_t)number(argv[3], 1, CONNECTIONS_MAX);
	open_all(&s, argv[1], argv[2]);
	began = now_ns();
	end = (int64_t)number(argv[4], 1, 3600) * SLICES;
	for (slice = 0; s.left > 0 && slice < end; slice++) {
		wait_ns(began + slice * (NS_PER_S / SLICES) - now_ns());
		send_to_slice(
		    &s, (size_t)(slice % SLICES), (size_t)(slice / SLICES));
	}
	if (s.left > 0)
		die("%zu of %zu connections were not closed", s.left, s.n);
	printf("closed %zu %.1f %.1f\n", s.n,
	    (double)(s.first - began) / (double)NS_PER_S,
	    (double)(now_ns() - began) / (double)NS_PER_S);
	return 0;
}
