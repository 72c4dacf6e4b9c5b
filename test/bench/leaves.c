/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Plays servers without children, any number of them: answers each request,
 * whatever it is, with the tree of one, so long after it came.
 *
 *	leaves PORT MILLISECONDS
 *
 * Ends when its standard input does.
 */
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define CONNECTIONS_MAX 4000
#define HEAD_MAX 4096
#define MS 1000000LL
/* poll's entries before those of the connections. */
#define FIXED 2

static const char reply[] =
    "HTTP/1.1 200 OK\r\n"
    "Content-Type: application/json\r\n"
    "Content-Length: 100\r\n"
    "\r\n"
    "{\"status_code\":200,\"tree\":{\"server\":\"a leaf\",\"version\":\"0\","
    "\"labels\":[\"all\",\"leaf\"],\"chains\":[]    }}";

static struct pollfd fds[FIXED + CONNECTIONS_MAX];
static struct {
	char head[HEAD_MAX];
	size_t len;
	/* When the reply goes out; 0: there is no whole request. */
	int64_t due;
} clients[CONNECTIONS_MAX];
static size_t clients_n;

static int
listen_on(const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)number(port, 1, 65535)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(fd, (const struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(fd, 1024) == -1)
		die("listen: %s", strerror(errno));
	return fd;
}

static void
take_client(int listener)
{
	int fd = accept(listener, NULL, NULL), one = 1;

	if (fd == -1)
		return;
	if (clients_n == CONNECTIONS_MAX)
		die("too many connections");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	clients[clients_n].len = 0;
	clients[clients_n].due = 0;
	fds[FIXED + clients_n++] =
	    (struct pollfd){ .fd = fd, .events = POLLIN };
}

static void
drop_client(size_t i)
{
	close(fds[FIXED + i].fd);
	clients_n--;
	fds[FIXED + i] = fds[FIXED + clients_n];
	clients[i] = clients[clients_n];
}

/* 0: it has gone. */
static int
read_request(size_t i, int64_t delay)
{
	ssize_t n = read(fds[FIXED + i].fd, clients[i].head + clients[i].len,
	    HEAD_MAX - 1 - clients[i].len);

	if (n <= 0)
		return 0;
	clients[i].len += (size_t)n;
	clients[i].head[clients[i].len] = '\0';
	if (strstr(clients[i].head, "\r\n\r\n") != NULL)
		clients[i].due = now_ns() + delay;
	return 1;
}

static int
answer(size_t i)
{
	clients[i].len = 0;
	clients[i].due = 0;
	return write(fds[FIXED + i].fd, reply, sizeof(reply) - 1) ==
	    (ssize_t)sizeof(reply) - 1;
}

/* Answers what is due; until when to wait for the next, in ms. */
static int
answer_all(void)
{
	int64_t now = now_ns(), next = INT64_MAX;

	for (size_t i = clients_n; i-- > 0;) {
		if (clients[i].due == 0)
			continue;
		if (clients[i].due > now) {
			if (clients[i].due < next)
				next = clients[i].due;
		} else if (!answer(i)) {
			drop_client(i);
		}
	}
	return next == INT64_MAX ? -1 : (int)((next - now + MS - 1) / MS);
}

int
main(int argc, char *argv[])
{
	int64_t delay;
	int wait;

	if (argc != 3) {
		fprintf(stderr, "usage: leaves PORT MILLISECONDS\n");
		return 64;
	}
	delay = (int64_t)(number(argv[2], 0, 1e9) * (double)MS);
	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = listen_on(argv[1]), .events = POLLIN };
	for (;;) {
		wait = answer_all();
		if (poll(fds, FIXED + clients_n, wait) == -1 && errno != EINTR)
			die("poll: %s", strerror(errno));
		if (fds[0].revents != 0)
			return 0;
		for (size_t i = clients_n; i-- > 0;)
			if (fds[FIXED + i].revents != 0 &&
			    !read_request(i, delay))
				drop_client(i);
		if (fds[1].revents != 0)
			take_client(fds[1].fd);
	}
}
