/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Follows jobs to their end (cli.md 6.4): asks each server about its job until
 * it has ended, shows progress, tells how each ended, and gives the exit code.
 */
#pragma once

#include "cli/wait_job.h"

/* deadline_ms: monotonic, 0: none. Shows and says everything. */
enum exitcode wait_run(
    struct session *s, struct wait_job *jobs, size_t n, int64_t deadline_ms);
