/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The files of a run directory (design.md 3.5), written by the daemon and by
 * overlord-exec for each other and for their later selves: spec.json (mode
 * 0600; the command and its environment may hold secrets), child (who runs) and
 * result.json (how it ended). All JSON, version first; read with a cap, checked
 * field by field: a run directory may be anything after a crash. Words that are
no UTF-8 are written as {"hex": "..."}, so that a command gets its bytes
exactly.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/arena.h"
#include "lib/event/proctab.h"

#define RUNREC_MAX RUN_FILE_MAX

/* Writers give JSON text to mem_free(); readers bind into the arena. */
int runrec_spec_write(
    const struct run_spec *s, char **ret, size_t *ret_len, struct error *e);
int runrec_spec_read(const char *text, size_t len, struct arena *a,
    struct run_spec *ret, struct error *e);
int runrec_child_write(
    const struct run_child *c, char **ret, size_t *ret_len, struct error *e);
int runrec_child_read(
    const char *text, size_t len, struct run_child *ret, struct error *e);
int runrec_result_write(
    const struct run_result *r, char **ret, size_t *ret_len, struct error *e);
int runrec_result_read(
    const char *text, size_t len, struct run_result *ret, struct error *e);

/* For struct proctab_config. */
extern const struct run_codec runrec_codec;
