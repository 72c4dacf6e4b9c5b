/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * From the configuration to the log: which areas of ours are which loggers of
 * the original, and the daemon's own places beside the handlers of log_config.
 */
#pragma once

#include "lib/base/error.h"

struct config;

enum logging_flags {
	/* Standard output and error go on; else both are the default file. */
	LOGGING_FOREGROUND = 1,
	/* The loop runs: nothing may wait. */
	LOGGING_RUNNING = 2,
};

/* Opens the log that the configuration asks for; on failure the old one stays.
 * path is the file it was read from, for messages, or NULL. */
int logging_configure(
    const struct config *c, const char *path, int flags, struct error *e);
/* Whether that would work, as far as can be seen without making a file. */
int logging_test(const struct config *c, const char *path, struct error *e);
