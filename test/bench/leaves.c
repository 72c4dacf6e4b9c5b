/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Plays servers without children, any number of them: answers each request,
 * whatever it is, so long after it came, with what a tree, labels, chains or a
 * write answer, all in one.
 *
 *	leaves PORT MILLISECONDS
 *
 * Ends when its standard input does.
 */
#include <errno.h>
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

static const char body[] =
    "{\"status_code\":200,\"tree\":{\"server\":\"a leaf\",\"version\":\"0\","
    "\"labels\":[\"all\",\"leaf\"],\"chains\":[]},\"labels\":[\"all\",\"leaf\"]"
    ","
    "\"chains\":[],\"message\":\"done\"}";
/* The head, and behind it the body, which a HEAD does not get. */
static char reply[512];
static size_t head_len, reply_len;

static struct pollfd fds[FIXED + CONNECTIONS_MAX];
static struct {
	char head[HEAD_MAX];
	size_t len;
	/* When the reply goes out; 0: there is no whole request. */
	int64_t due;
} clients[CONNECTIONS_MAX];
static size_t clients_n;

static void
take_client(int listener)
{
	int fd = tcp_accept(listener);

	if (fd == -1)
		return;
	if (clients_n == CONNECTIONS_MAX)
		die("too many connections");
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

/* Head and body. */
static int
is_whole(const char *request, size_t len)
{
	const char *end = strstr(request, "\r\n\r\n");
	const char *length = strcasestr(request, "\r\nContent-Length:");
	size_t need = 0;

	if (end == NULL)
		return 0;
	if (length != NULL && length < end) {
		for (length += 17; *length == ' '; length++)
			continue;
		for (; *length >= '0' && *length <= '9'; length++)
			need = need * 10 + (size_t)(*length - '0');
	}
	return len >= (size_t)(end - request) + 4 + need;
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
	if (is_whole(clients[i].head, clients[i].len))
		clients[i].due = now_ns() + delay;
	return 1;
}

static int
answer(size_t i)
{
	size_t len =
	    strncmp(clients[i].head, "HEAD ", 5) == 0 ? head_len : reply_len;

	clients[i].len = 0;
	clients[i].due = 0;
	return write(fds[FIXED + i].fd, reply, len) == (ssize_t)len;
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
	head_len = (size_t)snprintf(reply, sizeof(reply),
	    "HTTP/1.1 200 OK\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "\r\n",
	    sizeof(body) - 1);
	reply_len = head_len +
	    (size_t)snprintf(
		reply + head_len, sizeof(reply) - head_len, "%s", body);
	fds[0] = (struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = tcp_listen(argv[1]), .events = POLLIN };
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
