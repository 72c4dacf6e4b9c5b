/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Short commands whose output is an answer: run without a shell in a process
 * group of their own, with /dev/null as standard input and no descriptor but
 * the three, default signals and the environment that is given. At most so many
 * run at once, the others wait in order. What a command prints is kept up to a
 * bound and thrown away beyond it, so that nothing waits for us to read.
 *
 * A command has ended when it has been reaped, whoever still holds its output;
 * what is left of its group is killed then. One that outlives its time gets
 * TERM, and KILL two seconds later. They die with us at the latest: what must
 * outlive the daemon is for proctab.h.
 */
#pragma once

#include "lib/base/error.h"

struct capture;
struct loop;

struct capture_id {
	uint64_t v;
};

/* All copied. */
struct capture_request {
	/* Absolute. argv[0] is the name it sees; both end with NULL. */
	const char *path;
	const char *const *argv;
	const char *const *envp;
	/* Bytes of standard output that are kept. */
	size_t out_max;
	/* Counted from its start; > 0. */
	int64_t timeout_ms;
};

enum capture_end {
	CAPTURE_EXITED,
	CAPTURE_SIGNALLED,
	CAPTURE_TIMEOUT,
	/* It could not be started, or read. */
	CAPTURE_FAILED,
};

/* Valid during the callback. */
struct capture_result {
	enum capture_end end;
	/* Exit status, or number of the signal. */
	int code;
	/* NUL-terminated, may hold more of them. */
	const char *out;
	size_t out_len;
	/* There was more. */
	bool cut;
	/* The beginning of standard error; of CAPTURE_FAILED, what failed. */
	const char *err;
};
typedef void capture_fn(const struct capture_result *r, void *ctx);

int capture_new(struct capture **ret, struct loop *l, unsigned max_running,
    struct error *e);
/* What runs beyond it goes on. */
void capture_set_max(struct capture *c, unsigned max_running);
/* done is called once, on the loop, never in here; it may start and cancel. */
int capture_start(struct capture *c, const struct capture_request *rq,
    capture_fn *done, void *ctx, struct capture_id *ret, struct error *e);
/* Idempotent; done will not be called, a command that runs is killed. */
void capture_cancel(struct capture *c, struct capture_id id);
/* 0 when it exited with 0 and all of its output is here; else -1 and e says
 * how it ended (OVE_TIMEOUT, OVE_LIMIT, OVE_UNAVAILABLE). */
int capture_check(const struct capture_result *r, struct error *e);
/* Kills what runs. Not in a callback. */
struct capture *capture_free(struct capture *c);
AUTO_DEFINE(capture)
