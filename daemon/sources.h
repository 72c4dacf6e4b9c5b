/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What an answer of the inventory was made from: files, directories and jails,
 * each with what could be seen of it from outside before it was read. So it can
 * be told later, for the price of looking at each, whether reading again would
 * give the same answer.
 *
 * A file that has been changed just now might be changed again within the same
 * tick of the clock of its file system. An answer that was made from such a one
 * is unsure: it must not be kept.
 */
#pragma once

#include "lib/base/strbuf.h"

struct sources {
	/* One record after the other. */
	struct strbuf records;
	/* Directory of all jails. */
	const char *jails;
	/* Wall. */
	int64_t begun_ms;
	/* What was added last is there. */
	bool there;
	bool unsure;
};

void sources_init(struct sources *s, const char *jails);
/* To be called before it is read. dir: path of the directory fd, beneath what
 * the answer is about, "" for that itself; or absolute, then fd may be -1.
 * False: there is nothing of this name, and so nothing to be read. */
bool sources_add_file(
    struct sources *s, int fd, const char *dir, const char *name);
/* What was added last could not be read. If it is there nevertheless, nobody
 * can say from outside when that changes. */
void sources_failed(struct sources *s);
/* Whether this jail is there and runs, as jail_status() says. */
void sources_add_jail(struct sources *s, const char *name, int status);
/* Whether what was recorded still stands; fd is the directory of what the
 * answer is about. */
bool sources_hold(const void *records, size_t len, int fd, const char *jails);
void sources_fini(struct sources *s);
#define AUTO_SOURCES CC_CLEANUP(sources_fini)

/* What appjail says of a jail: 0 running, 1 stopped, 65 no name of one, 66 no
 * such jail. */
int jail_status(const char *jails, const char *name);
