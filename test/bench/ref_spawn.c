/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The floor for the way from a reply to the first instruction of Director: one
 * bare commit, then a program that starts a program, as the helper starts
 * Director, both ref_relay.
 *
 *	ref_spawn DIR RELAY VALUE_BYTES
 *
 * For every line of standard input it does that once and prints the
 * microseconds from before the commit to the first instruction of the second
 * program.
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
#include "ref_store.h"

static int64_t
spawn_twice(char *relay, const int *fds, char **envp)
{
	char two[] = "2", fd[16];
	char *argv[] = { relay, two, fd, NULL };
	int64_t at;
	pid_t pid;
	int rc;

	(void)snprintf(fd, sizeof(fd), "%d", fds[1]);
	rc = posix_spawn(&pid, relay, NULL, NULL, argv, envp);
	if (rc != 0)
		die("%s: %s", relay, strerror(rc));
	if (read(fds[0], &at, sizeof(at)) != (ssize_t)sizeof(at))
		die("%s said nothing", relay);
	if (waitpid(pid, NULL, 0) != pid)
		die("%s: %s", relay, strerror(errno));
	return at;
}

int
main(int argc, char **argv, char **envp)
{
	unsigned long id;
	int64_t began;
	size_t len;
	char *value, line[16];
	int fds[2];

	if (argc != 4) {
		fprintf(stderr, "usage: ref_spawn DIR RELAY VALUE_BYTES\n");
		return 64;
	}
	len = (size_t)number(argv[3], 1, 1000000);
	value = malloc(len);
	if (value == NULL || pipe(fds) == -1 ||
	    fcntl(fds[0], F_SETFD, FD_CLOEXEC) == -1)
		die("no memory or descriptors");
	memset(value, 'x', len);
	ref_store_open(argv[1]);
	for (id = 1; fgets(line, sizeof(line), stdin) != NULL; id++) {
		began = now_ns();
		ref_store_commit(id, value, len, 1);
		printf("%.1f\n",
		    (double)(spawn_twice(argv[2], fds, envp) - began) /
			NS_PER_US);
		fflush(stdout);
	}
	ref_store_close();
	free(value);
	return 0;
}
