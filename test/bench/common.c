/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

#include "common.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX (1 << 20)

void
die(const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "bench: ");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n");
	exit(1);
}

int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

double
number(const char *text, double min, double max)
{
	char *end;
	double v;

	v = strtod(text, &end);
	if (*text == '\0' || *end != '\0' || !(v >= min && v <= max)) {
		fprintf(
		    stderr, "bench: '%s' is not in %g to %g\n", text, min, max);
		exit(64);
	}
	return v;
}

void
wait_ns(int64_t ns)
{
	const struct timespec ts = { .tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S) };

	if (ns > 0)
		(void)nanosleep(&ts, NULL);
}

static int
compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

int64_t
quantile(int64_t *samples, size_t n, double q)
{
	size_t at;

	if (n == 0)
		die("nothing was measured");
	qsort(samples, n, sizeof(*samples), compare);
	at = (size_t)(q * (double)n);
	return samples[at < n ? at : n - 1];
}

int
tcp_connect(const char *host, const char *port)
{
	const struct addrinfo hints = { .ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct addrinfo *ai;
	int fd, on, rc, saved;

	rc = getaddrinfo(host, port, &hints, &ai);
	if (rc != 0)
		die("%s:%s: %s", host, port, gai_strerror(rc));
	fd = socket(ai->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		die("socket: %s", strerror(errno));
	rc = connect(fd, ai->ai_addr, ai->ai_addrlen);
	saved = errno;
	freeaddrinfo(ai);
	if (rc == -1) {
		close(fd);
		errno = saved;
		return -1;
	}
	on = 1;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

int
tcp_listen(const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)number(port, 0, 65535)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == -1 ||
	    bind(fd, (const struct sockaddr *)&in, sizeof(in)) == -1 ||
	    listen(fd, 1024) == -1)
		die("listen: %s", strerror(errno));
	return fd;
}

unsigned
tcp_port(int listener)
{
	struct sockaddr_in in;
	socklen_t len = sizeof(in);

	if (getsockname(listener, (struct sockaddr *)&in, &len) == -1)
		die("the port: %s", strerror(errno));
	return ntohs(in.sin_port);
}

int
tcp_accept(int listener)
{
	int fd = accept(listener, NULL, NULL), one = 1;

	if (fd != -1)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

char *
read_file(const char *path, size_t *ret_len)
{
	size_t n;
	char *text;
	FILE *f;

	f = fopen(path, "re");
	if (f == NULL)
		die("%s: %s", path, strerror(errno));
	text = malloc(FILE_MAX + 1);
	if (text == NULL)
		die("no memory");
	n = fread(text, 1, FILE_MAX, f);
	fclose(f);
	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n] = '\0';
	*ret_len = n;
	return text;
}
