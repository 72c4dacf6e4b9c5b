/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What is known of the projects on the servers of a run (cli.md 6.2): asked for
 * once, and again as often as somebody says that something has changed. Per
 * project that is two questions at once: its info, and its jobs that wait or
 * run; and a third, how its VM is, when it may have one.
 */
#pragma once

#include "cli/status_view.h"
#include "cli/targets.h"

struct board;

struct board_line {
	/* Spots are the matched targets, from 0. */
	size_t spot;
	const struct target *target;
	/* NULL: the server as a whole, which cannot be asked. */
	const char *name;
	struct status status;
	/* Its last answer took; -1: there was none. */
	int64_t took_ms;
	/* Of whoever looks: kept with the line; freed by the board with
	 * mem_free(). */
	char **note;
};

/* A spot for each matched target of t, which is borrowed; nothing is asked yet.
 * changed is called after each answer. */
int board_new(struct board **ret, struct session *s, struct targets *t,
    void (*changed)(struct board *b, void *ctx), void *ctx, struct error *e);
size_t board_spots(const struct board *b);
const struct target *board_target(const struct board *b, size_t spot);
/* Memory was out for something that is not shown. */
int board_check(const struct board *b, struct error *e);
/* No question is open. */
bool board_is_idle(const struct board *b);
/* Anything on that server may have changed. What is known stays when there is
 * no reply at all. */
void board_refresh(struct board *b, size_t spot);
/* Something has (proto/feed.h). */
void board_event(
    struct board *b, size_t spot, const char *type, const struct node *data);
/* What could not be asked of a server the last time. */
enum board_fault {
	BOARD_FINE,
	/* Some projects. */
	BOARD_SOME,
	/* The server, or all of its projects. */
	BOARD_ALL,
};
enum board_fault board_fault(const struct board *b, size_t spot);
/* As board_refresh(), but only what could not be asked. */
void board_retry(struct board *b, size_t spot);
/* Why there was no reply the last time; NULL: there was. */
const char *board_lost(const struct board *b, size_t spot);
/* In order; ages are as of now. */
typedef void board_fn(const struct board_line *l, void *ctx);
void board_each(struct board *b, board_fn *fn, void *ctx);
/* Drops what is under way. */
struct board *board_free(struct board *b);
AUTO_DEFINE(board)
