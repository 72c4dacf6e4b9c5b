/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Free ports on interfaces of this node (runtime.md 1.8): drawn at random among
 * those that the system gives out and no jail exposes, and tried. The work is
 * done on a thread of its own, since every jail has to be looked at.
 */
#pragma once

#include <stdint.h>

#include "lib/base/error.h"

struct loop;
struct ports;

struct ports_wish {
	const char *iface;
	/* NULL: any address of it. */
	const char *network;
};

enum ports_end {
	PORTS_FOUND,
	/* No address there, or every port that was tried is taken. */
	PORTS_NONE,
	/* As e says, in the original's words. */
	PORTS_FAILED,
};
/* Valid during the callback. */
struct ports_result {
	enum ports_end end;
	/* FOUND: one for each wish, in their order. */
	const uint16_t *ports;
	/* The first wish that could not be granted. */
	size_t which;
	/* FAILED. */
	const char *exception;
	struct error e;
};
typedef void ports_done_fn(const struct ports_result *r, void *ctx);

struct ports_id {
	uint64_t v;
};

int ports_new(struct ports **ret, struct loop *l, struct error *e);
/* jails: AppJail's directory of jails. All is copied; done is called once,
 * never in here. */
int ports_find(struct ports *p, const char *jails,
    const struct ports_wish *wishes, size_t n, ports_done_fn *done, void *ctx,
    struct ports_id *ret, struct error *e);
/* Idempotent; done will not be called. */
void ports_cancel(struct ports *p, struct ports_id id);
/* Waits for what the thread is at. */
struct ports *ports_free(struct ports *p);
AUTO_DEFINE(ports)

/* What the system gives out: from, and the end, which is not one of them. */
int ports_range(uint16_t *ret_first, uint16_t *ret_end, struct error *e);
