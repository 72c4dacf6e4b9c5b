/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The command's side of overlord-exec: a child that waits at a gate and then
 * becomes the command.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/error.h"
#include "proto/runrec.h"

/* A child and the helper's ends; all descriptors are close-on-exec. */
struct child {
	pid_t pid;
	/* The child goes on when it can read a byte here. */
	int gate;
	/* An int, the errno of exec; or its end. */
	int exec_error;
	/* The command's output, non-blocking. */
	int output[2];
};
#define CHILD_INIT                                                             \
  {                                                                            \
    .pid = -1, .gate = -1, .exec_error = -1, .output = { -1, -1 }              \
  }

/* Forks; the child waits at the gate until child_release(), and ends when the
 * helper does. */
int child_start(struct child *c, const struct run_spec *spec, struct error *e);
int child_release(struct child *c, struct error *e);
/* After the child has ended: the errno of a failed exec, or 0. */
int child_exec_error(const struct child *c);
void child_close(struct child *c);
