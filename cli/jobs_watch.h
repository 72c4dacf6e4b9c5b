/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord jobs --watch: the lists of jobs, kept up to date. */
#pragma once

#include "cli/listing.h"
#include "cli/targets.h"

/* Until the user has seen enough. */
enum exitcode jobs_watch(
    struct session *s, const struct listing *l, struct targets *t);
