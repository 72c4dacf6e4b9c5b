/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * What the kernel knows of processes, one implementation per system
 * (reap_linux.c, reap_freebsd.c): be the reaper of what we start, die with the
 * parent, tell one process from a later one with the same pid.
 */
#pragma once

#include <sys/types.h>

#include "lib/base/error.h"

/* Makes this process the reaper of its descendants (PR_SET_CHILD_SUBREAPER,
 * PROC_REAP_ACQUIRE). */
int reap_acquire(struct error *e);
/* Asks for a TERM when the parent dies; async-signal-safe, for a child between
 * fork and exec. 0 or an errno. */
int reap_pdeathsig(void);
/* When a process started, in the kernel's own unit, to compare only: 0 and
 * *ret, or REAP_GONE; a zombie counts as gone. */
enum {
	REAP_GONE = 1
};
int reap_start_time(pid_t pid, uint64_t *ret, struct error *e);
/* The name of what runs in a process, cut to REAP_NAME_LEN - 1 bytes: 0 or
 * REAP_GONE. */
#define REAP_NAME_LEN 32
int reap_name(pid_t pid, char buf[REAP_NAME_LEN], struct error *e);
/* Sends a signal to pid if it is still the process that started at start (on
 * Linux without a gap between look and signal). 0 or REAP_GONE. */
int reap_signal(pid_t pid, uint64_t start, int signo, struct error *e);
/* Identifies this boot; not longer than 63 bytes. */
#define REAP_BOOT_ID_LEN 64
int reap_boot_id(char buf[REAP_BOOT_ID_LEN], struct error *e);
/* Sends a signal to every process of session sid but `except`; how many in
 * *ret_n. */
int reap_kill_session(
    pid_t sid, pid_t except, int signo, unsigned *ret_n, struct error *e);
/* A descriptor that becomes readable when pid, started at start, is gone
 * (pidfd; a kqueue with EVFILT_PROC). REAP_GONE when it is gone already. */
int reap_watch(pid_t pid, uint64_t start, int *ret_fd, struct error *e);
