/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the machine can at best, times a second:
 *
 *	ref_machine sync DIR SECONDS BYTES	append so many bytes to a file
 *						and fdatasync(2)
 *	ref_machine spawn PROGRAM SECONDS	posix_spawn(3) and waitpid(2) of
 *						a program that ends at once, as
 *						this one does for "nothing"
 *	ref_machine trip SECONDS		a byte to the other end of a TCP
 *						connection and back
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

struct what {
	char *buf;
	size_t len;
	char *program;
	int fds[2];
};

static char **environment;

static void
sync_once(const struct what *w)
{
	if (write(w->fds[0], w->buf, w->len) != (ssize_t)w->len ||
	    fdatasync(w->fds[0]) == -1)
		die("flush: %s", strerror(errno));
}

static void
spawn_once(const struct what *w)
{
	char nothing[] = "nothing";
	char *argv[] = { w->program, nothing, NULL };
	int rc, status;
	pid_t pid;

	rc = posix_spawn(&pid, w->program, NULL, NULL, argv, environment);
	if (rc != 0)
		die("%s: %s", w->program, strerror(rc));
	if (waitpid(pid, &status, 0) != pid || status != 0)
		die("%s failed", w->program);
}

static void
trip_once(const struct what *w)
{
	char c = 'x';
	int i;

	for (i = 0; i < 2; i++)
		if (write(w->fds[i], &c, 1) != 1 ||
		    read(w->fds[1 - i], &c, 1) != 1)
			die("loopback: %s", strerror(errno));
}

static void
connect_pair(int *fds)
{
	char port[16];
	int listener;

	listener = tcp_listen("0");
	(void)snprintf(port, sizeof(port), "%u", tcp_port(listener));
	fds[0] = tcp_connect("127.0.0.1", port);
	fds[1] = fds[0] == -1 ? -1 : tcp_accept(listener);
	if (fds[1] == -1)
		die("loopback: %s", strerror(errno));
	close(listener);
}

static void
open_file(struct what *w, const char *dir, size_t len)
{
	char path[4096];

	if ((size_t)snprintf(path, sizeof(path), "%s/appended", dir) >=
	    sizeof(path))
		die("%s: too long", dir);
	w->fds[0] = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	w->len = len;
	w->buf = calloc(1, len);
	if (w->fds[0] == -1 || w->buf == NULL)
		die("%s: %s", path, strerror(errno));
}

static double
rate(void (*once)(const struct what *), const struct what *w, double seconds)
{
	int64_t began = now_ns(), end, min;
	unsigned long n = 0;

	min = (int64_t)(seconds * (double)NS_PER_S);
	do {
		once(w);
		n++;
		end = now_ns();
	} while (end - began < min);
	return (double)n * (double)NS_PER_S / (double)(end - began);
}

int
main(int argc, char **argv, char **envp)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct what w = { .fds = { -1, -1 } };
	double v;

	environment = envp;
	if (strcmp(what, "nothing") == 0)
		return 0;
	if (strcmp(what, "sync") == 0 && argc == 5) {
		open_file(&w, argv[2], (size_t)number(argv[4], 1, 1e6));
		v = rate(sync_once, &w, number(argv[3], 0.01, 3600));
	} else if (strcmp(what, "spawn") == 0 && argc == 4) {
		w.program = argv[2];
		v = rate(spawn_once, &w, number(argv[3], 0.01, 3600));
	} else if (strcmp(what, "trip") == 0 && argc == 3) {
		connect_pair(w.fds);
		v = rate(trip_once, &w, number(argv[2], 0.01, 3600));
	} else {
		fprintf(stderr,
		    "usage: ref_machine sync DIR SECONDS BYTES\n"
		    "       ref_machine spawn PROGRAM SECONDS\n"
		    "       ref_machine trip SECONDS\n");
		return 64;
	}
	printf("%.1f\n", v);
	return 0;
}
