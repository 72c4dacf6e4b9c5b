/* SPDX-License-Identifier: BSD-2-Clause */
/* Copyright (c) 2026, The Overlord in C authors */

/*
 * There is none here: see ban.h. fail2ban reads the log.
 */
#include "daemon/ban.h"

int
ban_new(struct ban **ret, struct error *e)
{
	(void)ret;
	return error_set(
	    e, OVE_UNSUPPORTED, "this system has no blocklistd, see fail2ban");
}

struct ban *
ban_free(struct ban *b)
{
	(void)b;
	return NULL;
}

int
ban_tell(struct ban *b, int socket, struct error *e)
{
	(void)b;
	(void)socket;
	return error_set(e, OVE_UNSUPPORTED, "this system has no blocklistd");
}
