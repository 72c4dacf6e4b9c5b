/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * The parts of a node in the order in which they start; they stop backwards.
 */
#pragma once

#include "daemon/daemon.h"

struct subsys {
	const char *name;
	int (*start)(struct daemon *d, struct error *e);
	/* Only called when start was; may be NULL. */
	void (*stop)(struct daemon *d);
};

extern const struct subsys subsystems[];
extern const size_t subsystems_n;
/* How many of them are needed to read the store. */
extern const size_t subsystems_store_n;

/* Hands the configuration to whoever reads it while running. */
void daemon_apply(struct daemon *d);
void daemon_ready_hook(void *ctx);
/* Logs what is to be known of a certificate; t may be NULL. */
void daemon_warn_tls(const struct tls *t);
