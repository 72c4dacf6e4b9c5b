/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the files of the process table share: proctab.c has the table,
 * proctab_run.c the life of one run.
 */
#pragma once

#include <sys/queue.h>

#include "lib/event/loop.h"
#include "lib/event/orphan.h"
#include "lib/event/proctab.h"
#include "lib/event/reap.h"
#include "lib/event/rundir.h"

struct spawner;

enum run_state {
	STATE_ALIVE,
	STATE_CLOSING,
	STATE_ORPHAN,
	STATE_ENDED
};

struct run {
	TAILQ_ENTRY(run) link;
	struct proctab *pt;
	char key[PROCTAB_KEY_MAX + 1];
	enum run_state state;
	struct rundir dir;
	struct watch fifo_watch;
	/* Started when ORPHAN. */
	struct orphan orphan;
	struct timer timer;
	int64_t retry_ms;

	/* Valid once child_known. */
	struct run_child child;
	bool child_known;

	bool cancelled;
	/* The cancel file is there, the helper has its TERM. */
	bool cancel_told;

	struct run_result result;
	run_done_fn *done;
	void *ctx;
	struct defer defer;
	struct retire retire;
};

struct proctab {
	struct loop *loop;
	const struct run_codec *codec;
	struct spawner *spawner;
	char *path;
	char boot[REAP_BOOT_ID_LEN];
	int dir;
	unsigned max_runs;
	int64_t grace_ms;
	struct run_limits limits;
	bool emptied;
	TAILQ_HEAD(run_list, run) runs;
	unsigned runs_n;
};

/* Not in the table yet. */
int run_new(struct run **ret, struct proctab *pt, const char *key,
    run_done_fn *done, void *ctx, struct error *e);
/* Out of the table. */
struct run *run_free(struct run *r);
AUTO_DEFINE(run)
void run_unlink(struct run *r);
/* 0: r->child is known, now or from before. -1: it is missing, nonsense or of
 * another boot, whose pids say nothing; e tells what may pass. */
int run_know_child(struct run *r, struct error *e);
/* A file that could not be read for want of memory or descriptors is not a
 * file that is not there: to take a living run for vanished would be to run it
 * twice. */
bool run_may_pass(const struct error *e);
/* Watches the FIFO of its directory. */
int run_watch(struct run *r, struct error *e);
/* Looks at its directory, and acts on what is there. */
void run_look(struct run *r);
void run_cancel(struct run *r);
