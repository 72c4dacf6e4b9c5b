/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What ref_spawn starts: "2 FD" starts itself with "1 FD", which writes the
 * monotonic nanoseconds of its first instruction to FD.
 */
#include <sys/wait.h>

#include <spawn.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int
main(int argc, char **argv, char **envp)
{
	struct timespec ts;
	int64_t at;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	if (argc != 3)
		return 64;
	if (argv[1][0] == '2') {
		argv[1][0] = '1';
		if (posix_spawn(&pid, argv[0], NULL, NULL, argv, envp) != 0)
			return 1;
		return waitpid(pid, NULL, 0) == pid ? 0 : 1;
	}
	at = (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
	if (write((int)strtod(argv[2], NULL), &at, sizeof(at)) !=
	    (ssize_t)sizeof(at))
		return 1;
	return 0;
}
