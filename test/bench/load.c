/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The load generator: clients that keep their connections, each with one
 * request under way, all in one thread on poll(2). Every reply is checked; one
 * that is not a success ends the program with what it was, so what is counted
 * was acknowledged.
 *
 *	load up HOST PORT CLIENTS SECONDS BODY TOKEN PREFIX
 *		POST /v1/project/up/PREFIX-<n> with the file BODY
 *	load ping HOST PORT CLIENTS SECONDS TOKEN [PAUSE]
 *		GET /v1/ping, PAUSE microseconds after each round of replies
 *	load put HOST PORT CLIENTS SECONDS BODY
 *		beanstalkd's put of the same file
 *	load each HOST PORT BODY TOKEN
 *		for every line of standard input one POST .../up/<line>, and
 *		the monotonic nanoseconds at which its reply was whole
 *
 * BODY and TOKEN name files. The first three print replies per second and the
 * median, 99th percentile and longest time of a reply in microseconds.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define CLIENTS_MAX 1024
#define REPLY_MAX 8192
#define SAMPLES_MAX 4000000
#define STALLED_MS 30000

struct client {
	int fd;
	bool busy;
	int64_t began;
	size_t out_len;
	size_t out_sent;
	size_t in_len;
	char in[REPLY_MAX + 1];
	char *out;
};

struct load;

struct protocol {
	const char *name;
	int argc;
	void (*write)(struct load *l, struct client *c);
	/* Whether a whole reply is here; only good ones return. */
	bool (*read)(const struct client *c);
};

struct load {
	const struct protocol *protocol;
	const char *host;
	const char *port;
	const char *token;
	const char *body;
	const char *prefix;
	size_t body_len;
	size_t out_max;
	unsigned long made;
	struct client *clients;
	struct pollfd *polls;
	size_t clients_n;
	size_t busy_n;
	int64_t end;
	int64_t pause;
	int64_t *samples;
	size_t samples_n;
};

/* Protocols */

static void
say(struct load *l, struct client *c, int head_len, const char *body, size_t n)
{
	if (head_len < 0 || (size_t)head_len + n >= l->out_max)
		die("the request is too long");
	memcpy(c->out + head_len, body, n);
	c->out_len = (size_t)head_len + n;
	c->out_sent = 0;
}

static void
post(struct load *l, struct client *c, const char *name)
{
	int n;

	n = snprintf(c->out, l->out_max,
	    "POST /v1/project/up/%s HTTP/1.1\r\n"
	    "Host: %s:%s\r\n"
	    "Authorization: Bearer %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    name, l->host, l->port, l->token, l->body_len);
	say(l, c, n, l->body, l->body_len);
}

static void
up_write(struct load *l, struct client *c)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s-%lu", l->prefix, ++l->made);
	post(l, c, name);
}

static void
ping_write(struct load *l, struct client *c)
{
	int n;

	n = snprintf(c->out, l->out_max,
	    "GET /v1/ping HTTP/1.1\r\n"
	    "Host: %s:%s\r\n"
	    "Authorization: Bearer %s\r\n\r\n",
	    l->host, l->port, l->token);
	say(l, c, n, "", 0);
}

static bool
http_read(const struct client *c)
{
	const char *end, *length;

	end = strstr(c->in, "\r\n\r\n");
	if (end == NULL)
		return false;
	if (strncmp(c->in, "HTTP/1.1 200 ", 13) != 0)
		die("not acknowledged: %s", c->in);
	length = strcasestr(c->in, "\r\nContent-Length:");
	if (length == NULL || length > end)
		die("a reply without Content-Length: %s", c->in);
	return c->in_len >=
	    (size_t)(end + 4 - c->in) + (size_t)strtod(length + 17, NULL);
}

static void
put_write(struct load *l, struct client *c)
{
	int n;

	n = snprintf(c->out, l->out_max, "put 0 0 60 %zu\r\n", l->body_len);
	if (n < 0 || (size_t)n + l->body_len + 2 >= l->out_max)
		die("the request is too long");
	memcpy(c->out + n, l->body, l->body_len);
	memcpy(c->out + n + l->body_len, "\r\n", 2);
	c->out_len = (size_t)n + l->body_len + 2;
	c->out_sent = 0;
}

static bool
put_read(const struct client *c)
{
	if (c->in_len == 0 || c->in[c->in_len - 1] != '\n')
		return false;
	if (strncmp(c->in, "INSERTED ", 9) != 0)
		die("not acknowledged: %s", c->in);
	return true;
}

/* Clients */

static void
connect_client(struct load *l, struct client *c)
{
	l->out_max = l->body_len + 8192;
	c->out = malloc(l->out_max);
	if (c->out == NULL)
		die("no memory");
	c->fd = tcp_connect(l->host, l->port);
	if (c->fd == -1)
		die("%s:%s: %s", l->host, l->port, strerror(errno));
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) == -1)
		die("fcntl: %s", strerror(errno));
}

static void
send_some(struct client *c)
{
	ssize_t n;

	while (c->out_sent < c->out_len) {
		n = send(c->fd, c->out + c->out_sent, c->out_len - c->out_sent,
		    MSG_NOSIGNAL);
		if (n == -1 && errno == EAGAIN)
			return;
		if (n == -1)
			die("send: %s", strerror(errno));
		c->out_sent += (size_t)n;
	}
}

static void
begin(struct load *l, struct client *c)
{
	l->protocol->write(l, c);
	c->in_len = 0;
	c->busy = true;
	l->busy_n++;
	c->began = now_ns();
	send_some(c);
}

static void
reply_is_here(struct load *l, struct client *c)
{
	const int64_t now = now_ns();

	if (l->samples_n < SAMPLES_MAX)
		l->samples[l->samples_n++] = now - c->began;
	c->busy = false;
	l->busy_n--;
	if (now < l->end && l->pause == 0)
		begin(l, c);
}

static bool
receive_some(const struct load *l, struct client *c)
{
	ssize_t n;

	n = recv(c->fd, c->in + c->in_len, REPLY_MAX - c->in_len, 0);
	if (n == -1 && errno == EAGAIN)
		return false;
	if (n == -1)
		die("receive: %s", strerror(errno));
	if (n == 0)
		die("closed by the server after: %s", c->in);
	c->in_len += (size_t)n;
	c->in[c->in_len] = '\0';
	return l->protocol->read(c);
}

static void
step(struct load *l)
{
	struct client *c;
	size_t i;

	for (i = 0; i < l->clients_n; i++) {
		c = &l->clients[i];
		l->polls[i].fd = c->busy ? c->fd : -1;
		l->polls[i].events = POLLIN;
		if (c->out_sent < c->out_len)
			l->polls[i].events |= POLLOUT;
	}
	if (poll(l->polls, (nfds_t)l->clients_n, STALLED_MS) <= 0)
		die("no reply for %d seconds", STALLED_MS / 1000);
	for (i = 0; i < l->clients_n; i++) {
		c = &l->clients[i];
		if (l->polls[i].revents & POLLOUT)
			send_some(c);
		if ((l->polls[i].revents & ~POLLOUT) != 0 && receive_some(l, c))
			reply_is_here(l, c);
	}
}

static void
run(struct load *l, double clients, double seconds)
{
	int64_t began;
	double took;
	size_t i;

	l->clients_n = (size_t)clients;
	l->clients = calloc(l->clients_n, sizeof(*l->clients));
	l->polls = calloc(l->clients_n, sizeof(*l->polls));
	l->samples = malloc(SAMPLES_MAX * sizeof(*l->samples));
	if (l->clients == NULL || l->polls == NULL || l->samples == NULL)
		die("no memory");
	for (i = 0; i < l->clients_n; i++)
		connect_client(l, &l->clients[i]);
	began = now_ns();
	l->end = began + (int64_t)(seconds * (double)NS_PER_S);
	do {
		for (i = 0; i < l->clients_n; i++)
			begin(l, &l->clients[i]);
		while (l->busy_n > 0)
			step(l);
		wait_ns(l->pause);
	} while (l->pause != 0 && now_ns() < l->end);
	took = (double)(now_ns() - began) / (double)NS_PER_S;
	printf("%.1f", (double)l->samples_n / took);
	printf(" %.1f",
	    (double)quantile(l->samples, l->samples_n, 0.5) / NS_PER_US);
	printf(" %.1f",
	    (double)quantile(l->samples, l->samples_n, 0.99) / NS_PER_US);
	printf(" %.1f\n",
	    (double)quantile(l->samples, l->samples_n, 1) / NS_PER_US);
}

/* One after another, each when it is asked for. */
static void
run_each(struct load *l)
{
	struct client *c;
	struct pollfd p;
	char name[128];

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		die("no memory");
	connect_client(l, c);
	p = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	while (fgets(name, sizeof(name), stdin) != NULL) {
		name[strcspn(name, "\n")] = '\0';
		post(l, c, name);
		c->in_len = 0;
		send_some(c);
		do {
			if (poll(&p, 1, STALLED_MS) <= 0)
				die("no reply");
		} while (!receive_some(l, c));
		printf("%lld\n", (long long)now_ns());
		fflush(stdout);
	}
}

int
main(int argc, char **argv)
{
	static const struct protocol protocols[] = {
		{ "up", 9, up_write, http_read },
		{ "ping", 7, ping_write, http_read },
		{ "put", 7, put_write, put_read },
		{ "each", 6, up_write, http_read },
	};
	struct load l = { .body = "" };
	const char *body, *token;
	size_t i, len;

	for (i = 0; argc > 1 && i < 4; i++)
		if (strcmp(argv[1], protocols[i].name) == 0 &&
		    (argc == protocols[i].argc || (i == 1 && argc == 8)))
			l.protocol = &protocols[i];
	if (l.protocol == NULL) {
		fprintf(stderr,
		    "usage: load up HOST PORT CLIENTS SECONDS BODY TOKEN "
		    "PREFIX\n"
		    "       load ping HOST PORT CLIENTS SECONDS TOKEN "
		    "[PAUSE]\n"
		    "       load put HOST PORT CLIENTS SECONDS BODY\n"
		    "       load each HOST PORT BODY TOKEN\n");
		return 64;
	}
	l.host = argv[2];
	l.port = argv[3];
	body = argv[1][0] == 'e' ? argv[4] : argv[6];
	token = argv[1][1] == 'i' ? argv[6] : argv[argv[1][0] == 'e' ? 5 : 7];
	if (l.protocol->write != ping_write)
		l.body = read_file(body, &l.body_len);
	if (l.protocol->write != put_write)
		l.token = read_file(token, &len);
	if (argc == 9)
		l.prefix = argv[8];
	if (argc == 8 && l.protocol->write == ping_write)
		l.pause = (int64_t)(number(argv[7], 0, 1e6) * NS_PER_US);
	if (argv[1][0] == 'e')
		run_each(&l);
	else
		run(&l, number(argv[4], 1, CLIENTS_MAX),
		    number(argv[5], 0.01, 3600));
	return 0;
}
