/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * One run directory on disk (design.md 3.5): making it with its FIFO and lock,
 * opening what an earlier daemon left, and the look at FIFO and lock that says
 * whether somebody holds the run. No loop, no processes: proctab adds those.
 */
#pragma once

#include "lib/base/error.h"

#define RUNDIR_KEY_MAX 64

/* The files of a run directory. The two descriptors are what the helper finds
 * in its hands: the FIFO's write end and the locked lock file. */
#define RUN_FILE_SPEC "spec.json"
#define RUN_FILE_CHILD "child"
#define RUN_FILE_RESULT "result.json"
#define RUN_FILE_LOCK "lock"
#define RUN_FILE_FIFO "fifo"
/* Exists when the daemon asked for the end: a TERM is then no interruption. */
#define RUN_FILE_CANCEL "cancel"
#define RUN_FILE_STDOUT "stdout"
#define RUN_FILE_STDERR "stderr"
/* Of spec.json and the like. */
#define RUN_FILE_MAX ((size_t)16 << 20)
enum {
	RUN_FD_FIFO = 3,
	RUN_FD_LOCK = 4
};

/* A directory with what the daemon keeps open; -1 where there is none. */
struct rundir {
	int fd;
	/* The FIFO's read end, non-blocking. */
	int fifo;
};
#define RUNDIR_INIT                                                            \
  {                                                                            \
    .fd = -1, .fifo = -1                                                       \
  }

/* [A-Za-z0-9._-]+ without a leading dot, at most RUNDIR_KEY_MAX. */
bool rundir_key_ok(const char *key);

/* Makes parent/key with spec.json, FIFO and lock. Gives the two descriptors
 * that the helper inherits: the FIFO's write end and the lock, which is held
 * through it. Both are above RUN_FD_LOCK and close-on-exec. What was made is
 * removed on failure; OVE_EXISTS when the key was used before. */
int rundir_make(int parent, const char *key, const char *spec, size_t len,
    struct rundir *ret, int *ret_writer, int *ret_lock, struct error *e);
/* Opens one as it is. RUNDIR_NONE: there is no such directory. */
enum {
	RUNDIR_NONE = 1
};
int rundir_open(
    int parent, const char *key, struct rundir *ret, struct error *e);

enum rundir_look {
	/* The FIFO has a writer. */
	RUNDIR_HELD,
	/* It has none, but the lock is held: a holder that is ending. */
	RUNDIR_CLOSING,
	/* Nobody holds it: ended, or never started. */
	RUNDIR_FREE,
};
enum rundir_look rundir_look(const struct rundir *d);
bool rundir_has(const struct rundir *d, const char *name);
/* The last max bytes of a file as it is now; mem_free() them. */
int rundir_read_tail(const struct rundir *d, const char *name, size_t max,
    char **ret, size_t *ret_len, struct error *e);
void rundir_close(struct rundir *d);
#define AUTO_RUNDIR CC_CLEANUP(rundir_close)
