/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the program says: data to standard output, everything else to standard
 * error, one write per line of the latter, data flushed before it, so that a
 * merged stream is in causal order (cli.md 1.5, 7.1).
 *
 * A lane is an out that keeps what it is told until it is released into its
 * parent: each target has one, so that work in parallel is shown in the order
 * of discovery.
 */
#pragma once

#include "lib/base/strbuf.h"

struct diag;

enum out_level {
	OUT_QUIET,
	OUT_WARN,
	OUT_INFO,
	OUT_DEBUG,
};

struct out {
	/* NULL: this one writes. */
	struct out *parent;
	enum out_level level;
	/* Of standard error and standard output. */
	bool color_err;
	bool color_out;
	/* Data that is not written yet; of a lane: its records. */
	struct strbuf buf;
	/* Warnings shown or hidden. */
	size_t warnings;
	/* errno of the first failed write to standard output, or 0. */
	int failed;
	/* Called before anything is written to standard error: takes a progress
	 * display away. */
	void (*before)(void *ctx);
	void *before_ctx;
};

void out_init(struct out *o, enum out_level level);
/* A lane of parent. */
void out_init_lane(struct out *o, struct out *parent);

/* Data. */
void out_add(struct out *o, const char *text, size_t len);
void out_addf(struct out *o, const char *fmt, ...) CC_PRINTF(2, 3);

/* "overlord: TEXT". The text is escaped; hint may be NULL. */
void out_fail(struct out *o, const char *hint, const char *fmt, ...)
    CC_PRINTF(3, 4);
void out_warn(struct out *o, const char *fmt, ...) CC_PRINTF(2, 3);
void out_warn_hint(struct out *o, const char *hint, const char *fmt, ...)
    CC_PRINTF(3, 4);
void out_info(struct out *o, const char *fmt, ...) CC_PRINTF(2, 3);
void out_debug(struct out *o, const char *fmt, ...) CC_PRINTF(2, 3);
/* Text for standard error as it is. */
void out_talk(struct out *o, const char *text, size_t len);
/* Findings about a file; warnings are left out when quiet. */
void out_diag(struct out *o, const struct diag *d, const char *source);

/* Moves what a lane holds to its parent, and empties it. */
void out_release(struct out *lane);
/* Writes what is kept. 0, or -1 with what went wrong at some time: dies by
 * SIGPIPE when the reader has gone. */
int out_flush(struct out *o, struct error *e);
void out_fini(struct out *o);
