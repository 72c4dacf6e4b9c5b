/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What a descriptor may be used for, where the system can tell (Capsicum): one
 * that is kept for long and has one purpose loses all others, so that a fault
 * that gets hold of it gets no more. Elsewhere nothing happens.
 *
 * Not for what is handed to a command, nor for a directory in which files are
 * opened: they would inherit it.
 */
#pragma once

#include "lib/base/error.h"

enum rights {
	/* Of a socket that listens: to accept. What it accepts inherits: to be
	 * read, written, shut, asked and set up. */
	RIGHTS_LISTEN,
	/* Of a log: to be written to at its end. */
	RIGHTS_APPEND,
	/* Of a pipe or FIFO, one end: to wait, and read or write. */
	RIGHTS_READ,
	RIGHTS_WRITE,
	/* Of a directory: to be watched. */
	RIGHTS_WATCH,
	/* Of a lock: to be held. */
	RIGHTS_HOLD,
};

/* Takes all other rights away, for good. */
int rights_limit(int fd, enum rights what, struct error *e);
