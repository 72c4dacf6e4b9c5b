/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/* overlord status --watch (cli.md 6.2). */
#pragma once

#include "cli/targets.h"

/* Until the user has seen enough. */
enum exitcode status_watch(struct session *s, struct targets *t);
