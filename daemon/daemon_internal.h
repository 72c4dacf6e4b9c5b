/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The parts of a node in the order in which they start; they stop backwards.
 */
#pragma once

#include "daemon/daemon.h"
#include "lib/base/keep.h"

struct subsys {
	const char *name;
	int (*start)(struct daemon *d, struct error *e);
	/* Only called when start was; may be NULL. */
	void (*stop)(struct daemon *d);
};

extern const struct subsys subsystems[];
extern const size_t subsystems_n;
/* How many of them are needed to hold the state directory's lock, and to read
 * the store. */
#define DAEMON_LOCKED 1
extern const size_t subsystems_store_n;

/* Starts those up to the nth; stops all but the first `left`. */
int daemon_start_some(struct daemon *d, size_t n, struct error *e);
void daemon_stop_some(struct daemon *d, size_t left);

/* Hands the configuration to whoever reads it while running. */
void daemon_apply(struct daemon *d);
/* What the configuration says of finished jobs and the audit trail. */
struct keep daemon_keep_jobs(const struct config *c);
struct keep daemon_keep_trail(const struct config *c);
/* From here on signals wait for the loop. */
int daemon_watch_signals(struct daemon *d, struct error *e);
void daemon_ready_hook(void *ctx);
/* Logs what is to be known of a certificate; t may be NULL. */
void daemon_warn_tls(const struct tls *t);
