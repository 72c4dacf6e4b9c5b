/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The limit for answers over loopback: one loop around poll(2) that takes
 * whatever arrives and ends with an empty line for a request, looks no closer,
 * and sends the same reply each time.
 *
 *	ref_echo PORT BODY
 *
 * BODY names a file, what the reply has. Runs until it is killed.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define CLIENTS_MAX 1024

static struct pollfd fds[1 + CLIENTS_MAX];
static nfds_t fds_n = 1;
static char *reply;
static size_t reply_len;

static void
make_reply(const char *path)
{
	size_t body_len, max;
	char *body;

	body = read_file(path, &body_len);
	max = body_len + 256;
	reply = malloc(max);
	if (reply == NULL)
		die("no memory");
	reply_len = (size_t)snprintf(reply, max,
	    "HTTP/1.1 200 OK\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n%s",
	    body_len, body);
	free(body);
}

static void
take_client(void)
{
	int fd = tcp_accept(fds[0].fd);

	if (fd == -1)
		return;
	if (fds_n == 1 + CLIENTS_MAX)
		die("too many connections");
	fds[fds_n++] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

/* Whether the client is still there. */
static int
serve(int fd)
{
	char request[8192];
	ssize_t n;

	n = read(fd, request, sizeof(request));
	if (n <= 0)
		return 0;
	if (n < 4 || memcmp(request + n - 4, "\r\n\r\n", 4) != 0)
		return 1;
	return write(fd, reply, reply_len) == (ssize_t)reply_len;
}

int
main(int argc, char **argv)
{
	nfds_t i;

	if (argc != 3) {
		fprintf(stderr, "usage: ref_echo PORT BODY\n");
		return 64;
	}
	make_reply(argv[2]);
	fds[0] = (struct pollfd){ .fd = tcp_listen(argv[1]), .events = POLLIN };
	for (;;) {
		if (poll(fds, fds_n, -1) == -1 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (i = fds_n; i-- > 1;) {
			if (fds[i].revents == 0 || serve(fds[i].fd))
				continue;
			close(fds[i].fd);
			fds[i] = fds[--fds_n];
		}
		if (fds[0].revents != 0)
			take_client();
	}
}
