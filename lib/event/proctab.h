/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The process table: runs of commands that outlive the daemon (design.md 3.5).
 * A run is a directory DIR/<key>/ with the command (spec.json), a lock, a FIFO,
 * output files, `child`, and at the end result.json. overlord-exec is the
 * parent of the command; the daemon makes FIFO and lock, locks it, spawns the
 * helper with both and closes its own. A run has ended when its FIFO is at end
 * of file and its lock is free.
 *
 * Starting is "make the directory, spawn, attach"; recovery after a restart is
 * "attach" alone: the same code from there on. Keys are the caller's (for jobs
 * "<job>.<step>.<attempt>"): [A-Za-z0-9._-]+, unique for ever.
 *
 * Nothing here kills what was deployed: cancel and deadline send TERM to the
 * direct child, after a grace KILL to the processes of the run's own session.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/event/rundir.h"

struct loop;
struct proctab;

#define PROCTAB_KEY_MAX RUNDIR_KEY_MAX

/* Resource limits; UINT64_MAX is none. */
#define RUN_LIMITS_MAX 24
struct run_limits {
	size_t n;
	struct run_limit {
		/* RLIMIT_*: an enum here and an int there. */
		uint16_t resource;
		uint64_t soft;
		uint64_t hard;
	} item[RUN_LIMITS_MAX];
};
/* Those of this process now: for main(), before it raises any. */
void run_limits_get(struct run_limits *ret);

struct run_spec {
	/* argv[0] is an absolute path or found in the PATH of envp. */
	const char *const *argv;
	const char *const *envp;
	/* From the start of the command; 0 = none. */
	int64_t deadline_ms;
	/* Bytes kept of each output (the tail); what is dropped is counted. */
	size_t output_max;
	/* What it writes to standard error belongs to its standard output. */
	bool merge;
	/* The next two are filled in from the configuration of the table. */
	int64_t grace_ms;
	/* NULL: those of the helper. */
	const struct run_limits *limits;
};

enum run_how {
	/* The command ended: code, or signo when a signal ended it. */
	RUN_EXITED,
	RUN_SIGNALLED,
	/* It could not be executed: sys says why. */
	RUN_EXEC_FAILED,
	/* A shutdown of the machine ended it: to be repeated. */
	RUN_INTERRUPTED,
	/* Helper and command are gone and left no result: to be repeated. */
	RUN_VANISHED,
	/* The same, and it was never let begin: not an attempt. */
	RUN_UNBEGUN,
};

struct run_result {
	enum run_how how;
	int code;
	int signo;
	int sys;
	/* The deadline passed, or cancel was asked for. */
	bool timed_out;
	bool cancelled;
	/* Wall milliseconds; 0 when not known. */
	int64_t started_at;
	int64_t ended_at;
	int64_t utime_ms;
	int64_t stime_ms;
	int64_t maxrss_kb;
	/* Bytes dropped from the front of each output. */
	uint64_t stdout_dropped;
	uint64_t stderr_dropped;
	/* Bytes that were kept. */
	uint64_t stdout_len;
	uint64_t stderr_len;
};

/* Who runs a command, as overlord-exec leaves it in `child`. */
struct run_child {
	pid_t pid;
	/* reap_start_time() of pid. */
	uint64_t start;
	/* Its pid is also the session's id. */
	pid_t helper;
	uint64_t helper_start;
	char boot_id[64];
	/* Wall milliseconds. */
	int64_t started_at;
	/* On the monotonic clock of this boot; 0 = none. */
	int64_t deadline_ms;
};

/* How the files of a run directory are written and read: proto/runrec.h has the
 * one implementation; this room knows no JSON. Writers give text to mem_free().
 */
struct run_codec {
	int (*spec_write)(const struct run_spec *s, char **ret, size_t *ret_len,
	    struct error *e);
	int (*child_read)(const char *text, size_t len, struct run_child *ret,
	    struct error *e);
	int (*result_read)(const char *text, size_t len, struct run_result *ret,
	    struct error *e);
};

struct proctab_config {
	/* Run directories live here; made with mode 0700 when missing. */
	const char *dir;
	/* Absolute path of overlord-exec. */
	const char *helper;
	/* Runs at the same time, orphans included. */
	unsigned max_runs;
	/* Between TERM and KILL; 60000 by default. */
	int64_t grace_ms;
	/* What commands get; NULL: those of this process at proctab_new().
	 * Copied. */
	const struct run_limits *limits;
	const struct run_codec *codec;
};

int proctab_new(struct proctab **ret, struct loop *l,
    const struct proctab_config *c, struct error *e);
/* Forgets all runs without touching them. Not from a done callback. */
struct proctab *proctab_free(struct proctab *pt);
AUTO_DEFINE(proctab)

/* Called once per attached run, deferred; key is valid during the call. */
typedef void run_done_fn(
    const char *key, const struct run_result *r, void *ctx);

/* 0: started, done will be called. PROCTAB_FULL: try again after a done. */
enum {
	PROCTAB_FULL = 1,
	PROCTAB_NONE = 2
};
int proctab_start(struct proctab *pt, const char *key,
    const struct run_spec *spec, run_done_fn *done, void *ctx, struct error *e);
/* Attaches to the run of an earlier daemon, whatever became of it: alive,
 * ended, orphaned (done comes when it is gone) or vanished. PROCTAB_NONE: there
 * is no directory, so it never started, unless proctab_was_emptied(). */
int proctab_attach(struct proctab *pt, const char *key, run_done_fn *done,
    void *ctx, struct error *e);
/* Asks an attached run to end; idempotent; done still comes. False when there
 * is no such run. */
bool proctab_cancel(struct proctab *pt, const char *key);
/* Pid of the direct child, or 0 when not known (yet). */
pid_t proctab_child_pid(struct proctab *pt, const char *key);
unsigned proctab_running(const struct proctab *pt);
/* The run directories of earlier daemons are gone, all of them: a reboot with
 * DIR in memory, or somebody's clean-up. True until proctab_sweep(). */
bool proctab_was_emptied(const struct proctab *pt);

/* Reads a slice of an output file ("stdout", "stderr") as far as it is there:
 * the kept tail once the run has ended. At most max bytes; mem_free() it. */
int proctab_read_output(struct proctab *pt, const char *key, const char *which,
    size_t max, char **ret, size_t *ret_len, struct error *e);
/* Opens it for reading. It grows at its end while the command runs, up to
 * output_max bytes; whoever has it open keeps these, whatever becomes of the
 * directory. */
int proctab_open_output(struct proctab *pt, const char *key, const char *which,
    int *ret, struct error *e);
/* Removes the directory of a run that has ended. */
int proctab_remove(struct proctab *pt, const char *key, struct error *e);
/* At start, when all runs that matter are attached: removes each run directory
 * for which keep() says no, now or when what lives in it has ended, and
 * leftovers without spec.json. Returns how many are gone in *ret_n. */
typedef bool proctab_keep_fn(const char *key, void *ctx);
int proctab_sweep(struct proctab *pt, proctab_keep_fn *keep, void *ctx,
    unsigned *ret_n, struct error *e);
