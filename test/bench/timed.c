/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * How long a program takes from its exec to something, in milliseconds:
 *
 *	timed exit PROGRAM [ARG ...]		to its end with 0
 *	timed line PROGRAM [ARG ...]		to a line on its standard output
 *	timed ping PORT TOKEN PROGRAM [ARG ...]	to an answered GET /v1/ping at
 *						127.0.0.1:PORT; TOKEN is a file
 *
 * The clock starts before posix_spawn(3). A program that goes on is ended with
 * TERM, or with KILL when it does not listen.
 */
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

#define DEADLINE_S 20
#define AGAIN_NS 50000

static char **environment;
static pid_t child;
static int64_t began;

static void
end_child(void)
{
	int64_t deadline = now_ns() + 5 * NS_PER_S;

	kill(child, SIGTERM);
	while (waitpid(child, NULL, WNOHANG) == 0) {
		if (now_ns() > deadline)
			kill(child, SIGKILL);
		wait_ns(NS_PER_S / 1000);
	}
}

/* Its standard output goes to fd, or to /dev/null for -1. */
static void
start(char **argv, int fd)
{
	posix_spawn_file_actions_t actions;
	int rc;

	posix_spawn_file_actions_init(&actions);
	if (fd == -1)
		posix_spawn_file_actions_addopen(
		    &actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	else
		posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	began = now_ns();
	rc = posix_spawn(&child, argv[0], &actions, NULL, argv, environment);
	if (rc != 0)
		die("%s: %s", argv[0], strerror(rc));
	posix_spawn_file_actions_destroy(&actions);
}

static void
time_exit(char **argv)
{
	int status;

	start(argv, -1);
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) != 0)
		die("%s failed", argv[0]);
}

static void
time_line(char **argv)
{
	int fds[2];
	char c;

	if (pipe(fds) == -1 || fcntl(fds[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fds[1], F_SETFD, FD_CLOEXEC) == -1)
		die("pipe: %s", strerror(errno));
	start(argv, fds[1]);
	close(fds[1]);
	do {
		if (read(fds[0], &c, 1) != 1)
			die("%s ended without a line", argv[0]);
	} while (c != '\n');
	close(fds[0]);
}

/* Whether it answered; false when the connection broke. */
static bool
ask(int fd, const char *request, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char reply[4096];
	size_t got;
	ssize_t n;

	if (send(fd, request, len, MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	got = 0;
	for (;;) {
		if (poll(&p, 1, DEADLINE_S * 1000) != 1)
			die("no answer");
		n = recv(fd, reply + got, sizeof(reply) - 1 - got, 0);
		if (n <= 0)
			return false;
		got += (size_t)n;
		reply[got] = '\0';
		if (strstr(reply, "\r\n\r\n{") == NULL || reply[got - 1] != '}')
			continue;
		if (strncmp(reply, "HTTP/1.1 200 ", 13) != 0)
			die("refused: %s", reply);
		return true;
	}
}

static void
time_ping(const char *port, const char *token_file, char **argv)
{
	char request[8192];
	bool answered;
	size_t len;
	int fd, n;

	n = snprintf(request, sizeof(request),
	    "GET /v1/ping HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n"
	    "Authentication: Bearer %s\r\n\r\n",
	    port, read_file(token_file, &len));
	if (n < 0 || (size_t)n >= sizeof(request))
		die("the token is too long");
	start(argv, -1);
	do {
		if (now_ns() - began > DEADLINE_S * NS_PER_S)
			die("%s does not answer", argv[0]);
		if (waitpid(child, NULL, WNOHANG) != 0)
			die("%s ended", argv[0]);
		fd = tcp_connect("127.0.0.1", port);
		if (fd == -1) {
			wait_ns(AGAIN_NS);
			answered = false;
			continue;
		}
		answered = ask(fd, request, (size_t)n);
		close(fd);
	} while (!answered);
}

int
main(int argc, char **argv, char **envp)
{
	const char *what = argc > 2 ? argv[1] : "";
	int64_t took;

	environment = envp;
	if (strcmp(what, "exit") == 0) {
		time_exit(argv + 2);
	} else if (strcmp(what, "line") == 0) {
		time_line(argv + 2);
	} else if (strcmp(what, "ping") == 0 && argc > 4) {
		time_ping(argv[2], argv[3], argv + 4);
	} else {
		fprintf(stderr,
		    "usage: timed exit PROGRAM [ARG ...]\n"
		    "       timed line PROGRAM [ARG ...]\n"
		    "       timed ping PORT TOKEN PROGRAM [ARG ...]\n");
		return 64;
	}
	took = now_ns() - began;
	if (what[0] != 'e')
		end_child();
	printf("%.3f\n", (double)took / 1e6);
	return 0;
}
