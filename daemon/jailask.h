/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What only a command knows of a jail. Each question to a jail is one command
 * at a time, whoever waits for it; its answer is kept for a while, so that
 * reading often costs no more than reading at that pace. Only so many commands
 * run at once, by default four. A command that fails is told in the log, for
 * each question at most once a minute as a warning; then the answer is what was
 * known before, and for two seconds nobody asks again.
 */
#pragma once

#include <sys/queue.h>

#include "lib/base/error.h"

struct jailask;
struct loop;
struct programs;

enum jailask_kind {
	/* rctl -u jail:JAIL */
	JAILASK_USAGE,
	/* appjail cpuset JAIL */
	JAILASK_CPUS,
	/* appjail jail get -I -- JAIL inet, inet6 */
	JAILASK_INET,
	JAILASK_INET6,
	JAILASK_COUNT
};

/* Borrowed until the next jailask_configure(). */
struct jailask_config {
	/* NULL: nothing can be asked. */
	const struct programs *programs;
	const char *const *environment;
	/* That run at once; 0 = 4. */
	unsigned commands;
	/* How long an answer is kept. */
	int64_t keep_ms[JAILASK_COUNT];
};

/* Embedded in who waits; zeroed before. */
struct jailask_wait;
/* text: NULL when nothing is known; valid during the callback, which may not
 * ask. */
typedef void jailask_fn(struct jailask_wait *w, const char *text);
struct jailask_wait {
	TAILQ_ENTRY(jailask_wait) link;
	struct jailask_answer *answer;
	jailask_fn *fn;
};

int jailask_new(struct jailask **ret, struct loop *l, struct error *e);
void jailask_configure(struct jailask *ja, const struct jailask_config *c);
/* 0: w->fn will be called, later; JAILASK_KNOWN: *ret_text (perhaps NULL) is
 * the answer, valid until the loop goes on. */
enum {
	JAILASK_KNOWN = 1
};
int jailask_get(struct jailask *ja, enum jailask_kind kind, const char *jail,
    struct jailask_wait *w, const char **ret_text, struct error *e);
/* Harmless for one that waits for nothing. A command that nobody waits for any
 * more is ended. */
void jailask_cancel(struct jailask *ja, struct jailask_wait *w);
/* Commands since it was made. */
uint64_t jailask_started(const struct jailask *ja);
/* Nobody may wait any more. */
struct jailask *jailask_free(struct jailask *ja);
AUTO_DEFINE(jailask)
