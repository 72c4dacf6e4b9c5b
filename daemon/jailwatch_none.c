/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * Systems that have no EVFILT_JAIL; see jailwatch.h.
 */
#include "daemon/jailwatch.h"

int
jailwatch_new(struct jailwatch **ret, struct loop *l, jailwatch_fn *changed,
    void *ctx, struct error *e)
{
	(void)ret;
	(void)l;
	(void)changed;
	(void)ctx;
	(void)e;
	return JAILWATCH_NONE;
}

struct jailwatch *
jailwatch_free(struct jailwatch *jw)
{
	(void)jw;
	return NULL;
}
