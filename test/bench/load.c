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
 *	load fill HOST PORT CLIENTS MANY BODY TOKEN PREFIX
 *		the same, so many of them, however long it takes
 *	load cycle HOST PORT CLIENTS SECONDS BODY TOKEN PREFIX
 *		the same, and then DELETE /v1/jobs/<the job>
 *	load get HOST PORT CLIENTS SECONDS TOKEN PATH [PAUSE]
 *		GET PATH, PAUSE microseconds after each round of replies
 *	load put HOST PORT CLIENTS SECONDS BODY
 *		beanstalkd's put of the same file
 *	load take HOST PORT CLIENTS SECONDS BODY
 *		beanstalkd's put, reserve and delete
 *	load set HOST PORT BODY
 *		memcached's set of the file, once
 *	load cache HOST PORT CLIENTS SECONDS
 *		memcached's get of it
 *	load each HOST PORT BODY TOKEN
 *		for every line of standard input one POST .../up/<line>, and
 *		the monotonic nanoseconds at which its reply was whole
 *
 * BODY and TOKEN name files. What takes SECONDS or MANY prints how many there
 *were in a second and the median, 99th percentile and longest time of one in
 * microseconds.
 */
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"
#include "load.h"

#define CLIENTS_MAX 1024
#define SAMPLES_MAX 4000000
#define STALLED_MS 30000

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
ask(struct load *l, struct client *c)
{
	l->protocol->write(l, c);
	c->in_len = 0;
	send_some(c);
}

static void
begin(struct load *l, struct client *c)
{
	c->busy = true;
	l->busy_n++;
	c->phase = 0;
	c->began = now_ns();
	ask(l, c);
}

static bool
is_enough(const struct load *l)
{
	return l->most != 0 && l->made >= l->most;
}

static void
reply_is_here(struct load *l, struct client *c)
{
	const int64_t now = now_ns();

	if (++c->phase < l->protocol->phases) {
		ask(l, c);
		return;
	}
	if (l->samples_n < SAMPLES_MAX)
		l->samples[l->samples_n++] = now - c->began;
	c->busy = false;
	l->busy_n--;
	if (now < l->end && l->pause == 0 && !is_enough(l))
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
run(struct load *l)
{
	int64_t began;
	double took;
	size_t i;

	l->clients = calloc(l->clients_n, sizeof(*l->clients));
	l->polls = calloc(l->clients_n, sizeof(*l->polls));
	l->samples = malloc(SAMPLES_MAX * sizeof(*l->samples));
	if (l->clients == NULL || l->polls == NULL || l->samples == NULL)
		die("no memory");
	for (i = 0; i < l->clients_n; i++)
		connect_client(l, &l->clients[i]);
	began = now_ns();
	l->end = l->most != 0 ? INT64_MAX : began + l->end;
	do {
		for (i = 0; i < l->clients_n && !is_enough(l); i++)
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

static void
await_reply(const struct load *l, struct client *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	c->in_len = 0;
	send_some(c);
	do {
		if (poll(&p, 1, STALLED_MS) <= 0)
			die("no reply");
	} while (!receive_some(l, c));
}

/* Without a time: once, or when it is asked for. */
static void
run_once(struct load *l)
{
	struct client *c;
	char name[128];

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		die("no memory");
	connect_client(l, c);
	if (l->protocol->write != NULL) {
		l->protocol->write(l, c);
		await_reply(l, c);
		return;
	}
	while (fgets(name, sizeof(name), stdin) != NULL) {
		name[strcspn(name, "\n")] = '\0';
		post_up(l, c, name);
		await_reply(l, c);
		printf("%lld\n", (long long)now_ns());
		fflush(stdout);
	}
}

static _Noreturn void
usage(void)
{
	const struct protocol *p;

	fprintf(stderr,
	    "usage: load PROTOCOL HOST PORT ARG ...; "
	    "load.c says what each takes:");
	for (p = protocols; p->name != NULL; p++)
		fprintf(stderr, " %s", p->name);
	fprintf(stderr, "\n");
	exit(64);
}

static void
take_argument(struct load *l, char letter, const char *arg)
{
	size_t len;

	switch (letter) {
	case 'c':
		l->clients_n = (size_t)number(arg, 1, CLIENTS_MAX);
		break;
	case 's':
		l->end = (int64_t)(number(arg, 0.01, 3600) * (double)NS_PER_S);
		break;
	case 'm':
		l->most = (unsigned long)number(arg, 1, 1e9);
		break;
	case 'b':
		l->body = read_file(arg, &l->body_len);
		break;
	case 't':
		l->token = read_file(arg, &len);
		break;
	case 'n':
		l->prefix = arg;
		break;
	case 'p':
		l->path = arg;
		break;
	default:
		l->pause = (int64_t)(number(arg, 0, 1e6) * NS_PER_US);
		break;
	}
}

int
main(int argc, char **argv)
{
	struct load l = { .body = "" };
	const struct protocol *p;
	size_t args, given, i;

	if (argc < 4)
		usage();
	for (p = protocols; p->name != NULL; p++)
		if (strcmp(argv[1], p->name) == 0)
			break;
	if (p->name == NULL)
		usage();
	given = (size_t)argc - 4;
	args = strlen(p->args);
	if (given != args && !(p->args[args - 1] == 'o' && given == args - 1))
		usage();
	l.protocol = p;
	l.host = argv[2];
	l.port = argv[3];
	for (i = 0; i < given; i++)
		take_argument(&l, p->args[i], argv[i + 4]);
	if (l.clients_n == 0)
		run_once(&l);
	else
		run(&l);
	return 0;
}
