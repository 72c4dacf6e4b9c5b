/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What dirwatch.c needs of a system: a descriptor that becomes readable when
 * the one directory that it watches changes.
 */
#pragma once

#include "lib/base/error.h"

struct dirwatch_os {
	/* Readable when there is something; -1 before _open(). */
	int fd;
	/* inotify: the number of the watch; kqueue: the directory. -1: none. */
	int target;
};

/* There is no directory of that name. */
enum {
	DIRWATCH_NONE = 1
};

/* Works on { -1, -1 }. */
int dirwatch_os_open(struct dirwatch_os *os, struct error *e);
/* Watches this directory, and no other any more; nothing is lost when it is the
 * same one. 0, DIRWATCH_NONE (then as before), -1. */
int dirwatch_os_set(struct dirwatch_os *os, const char *path, struct error *e);
/* Takes what the kernel has to say, and whether that was anything; what was
 * lost because it was too much is something as well. */
bool dirwatch_os_read(struct dirwatch_os *os);
void dirwatch_os_close(struct dirwatch_os *os);
