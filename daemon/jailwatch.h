/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Tells that jails have started or stopped, where the kernel says so: FreeBSD
 * from 15 on, by EVFILT_JAIL (jailwatch_kqueue.c). Nobody is told which;
 * whoever is told looks again. Elsewhere (jailwatch_none.c, and a kernel that
 * is older than the headers) looking now and then has to do.
 *
 * Not a promise: a watch for which the kernel has no memory is missed.
 */
#pragma once

#include "lib/base/error.h"

struct jailwatch;
struct loop;

/* This kernel does not tell. */
enum {
	JAILWATCH_NONE = 1
};

/* On the loop: once or many times. It may not free the jailwatch. */
typedef void jailwatch_fn(void *ctx);

/* What runs at this moment is no change. 0, JAILWATCH_NONE, -1. */
int jailwatch_new(struct jailwatch **ret, struct loop *l, jailwatch_fn *changed,
    void *ctx, struct error *e);
struct jailwatch *jailwatch_free(struct jailwatch *jw);
AUTO_DEFINE(jailwatch)
