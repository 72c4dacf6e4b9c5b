/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Starts overlord-exec and waits for it by pid when it has ended, so that no
 * zombie stays. Nothing is told about the end: that is in the run directory,
 * where the next daemon finds it as well.
 */
#pragma once

#include "lib/base/error.h"

struct loop;
struct spawner;

/* Both borrowed until spawner_new() returns. */
int spawner_new(
    struct spawner **ret, struct loop *l, const char *helper, struct error *e);
/* Runs `helper DIR/KEY` with writer as RUN_FD_FIFO and lock as RUN_FD_LOCK
 * (both greater), nothing else but /dev/null, an empty environment and every
 * signal blocked. The caller still has to close the two. */
int spawner_start(struct spawner *s, const char *dir, const char *key,
    int writer, int lock, struct error *e);
/* Forgets the helpers that run. */
struct spawner *spawner_free(struct spawner *s);
AUTO_DEFINE(spawner)
